#include "core/optim/optimizer.h"

#include <set>

namespace tg::optim {

// ---- a group
// -------------------------------------------------------------------------------------

double ParamGroup::operator[](const std::string& name) const {
    const auto at = numbers_.find(name);
    if (at == numbers_.end()) fail(ErrorKind::value, "a group of parameters has no ", name);
    if (!tensors_.count(name)) rest_on(changes_, "a number of an optimiser was set");
    return at->second;
}

void ParamGroup::set(const std::string& name, double value) {
    if (recording())
        fail(ErrorKind::runtime, name, ": set to ", value,
             " inside of a compiled function, which would write this number at each call; set it, "
             "and step the scheduler, outside");
    const auto before = numbers_.find(name);
    const bool changes = before != numbers_.end() && before->second != value;
    numbers_[name] = value;
    const auto tensor = tensors_.find(name);
    const NoGrad mode;
    if (tensor != tensors_.end())
        tensor->second.fill_(value);
    else
        owner_->make_state(*this);  // it may ask for more, such as a momentum that was 0
    if (tensor == tensors_.end() && changes) ++*changes_;
}

void ParamGroup::make_tensor(const std::string& name) {
    if (tensors_.count(name)) return;
    ++*changes_;
    const Device device = params.empty() ? Device::cpu : params[0].device();
    tensors_[name] = scalar_tensor((*this)[name], {DType::float64, device});
}

Arg ParamGroup::value(const std::string& name) const {
    const auto tensor = tensors_.find(name);
    return tensor == tensors_.end() ? Arg((*this)[name]) : Arg(tensor->second);
}

bool ParamGroup::uses(const std::string& name) const {
    return tensors_.count(name) || (*this)[name] != 0;
}

void ParamGroup::remember(std::size_t place, const std::string& name, double value) {
    const Tensor& p = params[place];
    if (!state[place].count(name))
        state[place][name] = full(p.shape(), value, {.dtype = p.dtype(), .device = p.device()});
}

void ParamGroup::remember_step(std::size_t place, double value) {
    if (!state[place].count("step"))
        state[place]["step"] = scalar_tensor(value, {DType::float64, params[place].device()});
}

// ---- the optimiser
// -------------------------------------------------------------------------------

Optimizer::Optimizer(std::string name, Numbers defaults)
    : name_(std::move(name)), defaults_(std::move(defaults)) {}

void Optimizer::check_not_negative(std::initializer_list<const char*> names) const {
    for (const char* name : names)
        if (const double value = defaults_.at(name); !(value >= 0))
            fail(ErrorKind::value, name_, ": ", name, " must not be negative, and is ", value);
}

void Optimizer::add(const std::vector<Group>& groups) {
    if (groups.empty() || (groups.size() == 1 && groups[0].params.empty()))
        fail(ErrorKind::value, name_, ": there is no parameter to optimise");
    for (const Group& group : groups) add_param_group(group);
}

void Optimizer::add_param_group(const Group& given) {
    std::set<const Handle*> taken;
    for (const ParamGroup& group : param_groups)
        for (const Tensor& p : group.params) taken.insert(&p.handle());
    for (const Tensor& p : given.params) {
        if (!p.is_leaf())
            fail(ErrorKind::value, name_, ": only a leaf can be optimised; this is a result ",
                 describe(p));
        if (!taken.insert(&p.handle()).second)
            fail(ErrorKind::value, name_, ": a parameter is given twice");
    }
    ParamGroup group;
    group.owner_ = this;
    group.params = given.params;
    group.state.resize(given.params.size());
    group.numbers_ = given.numbers;
    for (const auto& [name, value] : given.numbers)
        if (!defaults_.count(name))
            fail(ErrorKind::value, name_, ": a group of parameters has no ", name);
    group.numbers_.insert(defaults_.begin(), defaults_.end());
    make_state(group);
    param_groups.push_back(std::move(group));
}

void Optimizer::step(Where where) {
    const Here here(where);
    const NoGrad mode;
    for (ParamGroup& group : param_groups) {
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < group.params.size(); ++i)
            if (group.params[i].grad().defined()) places.push_back(i);
        const bool on_cuda = !places.empty() && group.params[places[0]].device() == Device::cuda;
        if (on_cuda && update_together(group, places)) continue;
        for (const std::size_t i : places) {
            const Tensor g = group.params[i].grad();
            update(group.params[i], group["maximize"] != 0 ? -g : g, group.state[i], group);
        }
    }
}

Tensor Optimizer::step(const std::function<Tensor()>& closure, Where where) {
    Tensor loss;
    {
        const GradMode mode(true);
        loss = closure();
    }
    step(where);
    return loss;
}

void Optimizer::zero_grad(bool set_to_none) {
    const NoGrad mode;
    for (const ParamGroup& group : param_groups)
        for (const Tensor& p : group.params)
            if (set_to_none)
                p.set_grad({});
            else if (Tensor g = p.grad(); g.defined())
                g.zero_();
}

void Optimizer::set_lr(double lr) {
    for (ParamGroup& group : param_groups) group.set("lr", lr);
}

StateDict Optimizer::state_dict() const {
    StateDict all;
    for (const ParamGroup& group : param_groups) {
        all.param_groups.push_back({group.numbers_, group.params.size()});
        for (const State& state : group.state) {
            State kept;
            for (const auto& [name, tensor] : state) kept[name] = tensor.detach();
            all.state.push_back(kept);
        }
    }
    return all;
}

void Optimizer::load_state_dict(const StateDict& given) {
    bool fits = given.param_groups.size() == param_groups.size();
    std::size_t count = 0;
    for (std::size_t k = 0; fits && k < param_groups.size(); ++k) {
        fits = given.param_groups[k].params == param_groups[k].params.size();
        count += param_groups[k].params.size();
    }
    if (!fits || given.state.size() != count)
        fail(ErrorKind::value, "load_state_dict: the groups, or their parameters, are other ones");
    std::size_t place = 0;
    for (const ParamGroup& group : param_groups)
        for (const Tensor& p : group.params) {
            for (const auto& [name, value] : given.state[place])
                if (name != "step" && value.shape() != p.shape())
                    fail(ErrorKind::value, "load_state_dict: ", name, " of parameter ", place,
                         " is ", text(value.shape()), ", and the parameter is ", text(p.shape()));
            ++place;
        }
    place = 0;
    const NoGrad mode;
    for (std::size_t k = 0; k < param_groups.size(); ++k) {
        ParamGroup& group = param_groups[k];
        for (const auto& [name, value] : given.param_groups[k].numbers) group.set(name, value);
        // The tensors stay the same ones, for compiled steps hold them.
        std::vector<State> kept(group.params.size());
        kept.swap(group.state);
        make_state(group);
        kept.swap(group.state);
        for (std::size_t i = 0; i < group.params.size(); ++i, ++place) {
            State values = given.state[place];
            values.insert(kept[i].begin(), kept[i].end());  // what is not there starts anew
            for (const auto& [name, value] : values) {
                if (name == "step")
                    group.remember_step(i);
                else
                    group.remember(i, name);
                group.state[i][name].copy_(value.detach());
            }
        }
    }
}

void lerp_(Tensor& average, const Tensor& value, const Arg& weight) {
    if (!weight.is_tensor() && weight.scalar.as_real() >= 0.5)
        average.copy_(value - (value - average) * (1 - weight.scalar.as_real()));
    else
        average.add_((value - average) * weight);
}

Arg one_minus(const Arg& x) { return x.is_tensor() ? Arg(1 - x) : Arg(1 - x.scalar.as_real()); }

}  // namespace tg::optim
