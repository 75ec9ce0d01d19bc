// What optimisers have in common: groups of parameters, and numbers that are tensors.
//
// State that changes is a tensor, made in the constructor: a compiled step then reads and writes it
// as it does the weights. So a learning rate that changes asks for no new trace. An update rule is
// one function of one parameter, in ops: read sgd.cc next, then adam.cc.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/ops.h"
#include "core/recording.h"

namespace tg::optim {

using Numbers = std::map<std::string, double>;  // flags are 0 or 1
using State = std::map<std::string, Tensor>;    // of one parameter

// What a constructor is given: {{.params = a, .numbers = {{"lr", 0.1}}}, {.params = b}}
struct Group {
    std::vector<Tensor> params;
    Numbers numbers = {};  // those that are not as in the options
};

// One group's parameters and numbers: group.set("lr", 0.01) also writes the tensor behind it, which
// compiled steps read; another number asks for a new trace.
class ParamGroup {
  public:
    std::vector<Tensor> params;
    std::vector<State> state;  // of each parameter

    double operator[](const std::string& name) const;
    bool has(const std::string& name) const { return numbers_.count(name) > 0; }
    void set(const std::string& name, double value);
    const Numbers& numbers() const { return numbers_; }

    // From here on this number is a float64 tensor of no dims too.
    void make_tensor(const std::string& name);
    // The tensor behind a number, or the number itself where there is none.
    Arg value(const std::string& name) const;
    // Is this number other than 0, or a tensor, which may become so?
    bool uses(const std::string& name) const;
    // State of a parameter's shape and dtype that starts as value; a count of steps, float64 of no
    // dims, so that beta^step is as exact as a double's.
    void remember(std::size_t place, const std::string& name, double value = 0);
    void remember_step(std::size_t place, double value = 0);

  private:
    friend class Optimizer;
    class Optimizer* owner_ = nullptr;
    Numbers numbers_;
    std::map<std::string, Tensor> tensors_;
    Watched changes_ = std::make_shared<std::atomic<std::int64_t>>(0);  // of other numbers
};

// Each parameter's state, in the order of the groups, and each group's numbers.
struct StateDict {
    struct Numbered {
        Numbers numbers;
        std::size_t params = 0;  // how many
    };
    std::vector<State> state;
    std::vector<Numbered> param_groups;
};

// A subclass writes make_state and update, and adds the groups in its constructor. "maximize" among
// a group's numbers turns the sign of the gradients. Throws ValueError where there is nothing, no
// leaf, or one tensor twice.
class Optimizer {
  public:
    Optimizer(const Optimizer&) = delete;
    Optimizer& operator=(const Optimizer&) = delete;
    virtual ~Optimizer() = default;

    void add_param_group(const Group& group);
    // Changes every parameter that has a gradient; gives what closure, called first, gave.
    void step(Where where = Where::here());
    Tensor step(const std::function<Tensor()>& closure, Where where = Where::here());
    void zero_grad(bool set_to_none = true);

    double lr() const { return param_groups[0]["lr"]; }
    void set_lr(double lr);  // of all groups

    // The tensors are on the same bytes, and change with the next step.
    StateDict state_dict() const;
    // Writes values into this optimiser's tensors and numbers; state that is not there starts anew.
    // Throws ValueError, having written nothing, if the groups or a shape do not fit. Schedulers
    // write the learning rate when they are made: make them before.
    virtual void load_state_dict(const StateDict& given);

    std::vector<ParamGroup> param_groups;

  protected:
    friend class ParamGroup;
    Optimizer(std::string name, Numbers defaults);
    void check_not_negative(std::initializer_list<const char*> names) const;
    void add(const std::vector<Group>& groups);

    // Makes the tensors that update() changes or reads, where they are not there yet.
    virtual void make_state(ParamGroup& group) = 0;
    // Changes these of a group's parameters, which have gradients, in one launch. False, and
    // nothing is done, where that is not written: then update() is called for each.
    virtual bool update_together(const ParamGroup&, const std::vector<std::size_t>&) {
        return false;
    }
    // Changes one parameter, whose gradient is g.
    virtual void update(Tensor& param, Tensor g, State& state, const ParamGroup& group) = 0;

    const std::string name_;
    const Numbers defaults_;
};

// average = average + weight (value - average), exact at both ends if weight is a number
void lerp_(Tensor& average, const Tensor& value, const Arg& weight);
Arg one_minus(const Arg& x);

}  // namespace tg::optim
