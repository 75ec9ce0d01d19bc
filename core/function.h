// An op of the user's own: a forward that is any code, and a backward that says its gradient.
//
//     Tensor y = function("square",
//         [](ForwardPass& f, const std::vector<Tensor>& x) {
//             f.save(x[0]);
//             return std::vector<Tensor>{x[0] * x[0]};
//         },
//         [](BackwardPass& b) { return std::vector<Tensor>{2 * b.saved(0) * b.g(0)}; },
//         {w})[0];
//
// The forward runs with gradients off, so its ops are on no tape. Then one line is written down:
//
//     %7 %8 = function %5 %6 %0 %1 %3      g        %5 %6  the numbers that forward made
//       function = square                           %0 %1  the tensors that it was given
//                                                   %3     what else it saved
//
// Its outputs are those numbers, and its gradient calls the backward. That is rebind's idea:
// numbers from one place, gradient to another. So in a program forward's ops are lines like any,
// the passes take this line out, and where the program's gradient is taken it stands for all of
// them: their own rules are never asked. The backward is called again for each program, with what
// was saved as values of that one: it must not keep tensors in any other way.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/backward.h"

namespace tg {

// Where a saved value is found in a line of `function`.
struct Keeps {
    enum From : std::uint8_t { input, output, other } from = input;
    int index = 0;
};

class BackwardPass;

// What a line of `function` has for its attribute.
struct Function final : Object {
    using Rule = std::function<std::vector<Tensor>(BackwardPass&)>;

    std::string name;
    Rule backward;
    int outputs = 0;
    int inputs = 0;
    std::vector<Keeps> keeps;
    bool materialize = true;  // an absent gradient is zeros
    std::string text() const override { return name; }
};

// What forward may say of itself.
class ForwardPass {
  public:
    explicit ForwardPass(std::vector<char> wanted) : wanted_(std::move(wanted)) {}
    void save(const Tensor& t) { saved_.push_back(t); }  // undefined ones too
    void mark_non_differentiable(const Tensor& output) { fixed_.push_back(output); }
    void set_materialize_grads(bool on) { materialize_ = on; }
    bool needs_input_grad(int i) const { return wanted_[static_cast<std::size_t>(i)] != 0; }

    const std::vector<Tensor>& saved() const { return saved_; }
    const std::vector<Tensor>& fixed() const { return fixed_; }
    bool materialize() const { return materialize_; }

  private:
    std::vector<char> wanted_;
    std::vector<Tensor> saved_, fixed_;
    bool materialize_ = true;
};

// What backward sees.
class BackwardPass {
  public:
    BackwardPass(Backward& n, const Function& function) : n_(n), function_(function) {}
    int outputs() const { return function_.outputs; }
    // Of output k; undefined if none came and gradients are not materialized.
    Tensor g(int k) const;
    Tensor saved(int k) const;  // throws if it was written since, or freed
    int saved_count() const { return static_cast<int>(function_.keeps.size()); }
    bool needs_input_grad(int i) const { return n_.wants(function_.outputs + i); }

  private:
    Backward& n_;
    const Function& function_;
};

using Forward =
    std::function<std::vector<Tensor>(ForwardPass& pass, const std::vector<Tensor>& inputs)>;

// A node's op by name; of a line of `function`, by the user's name for it.
std::string name_of(const Node& node);
// The inputs that the op was applied to: first and one past the last. All, but of `function`.
std::pair<int, int> applied_to(const Node& node);

// Backward returns a gradient for each input, undefined for none.
std::vector<Tensor> function(const std::string& name, const Forward& forward,
                             const Function::Rule& backward, const std::vector<Tensor>& inputs,
                             Where where = Where::here());

}  // namespace tg
