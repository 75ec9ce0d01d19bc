// Gradients: the walk along the tape, and what a rule sees on it.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "core/tape.h"

namespace tg {

// What a gradient rule sees: y = op(a, b, ...), g = dL/dy, and `give(0, dL/da)`.
class Backward {
  public:
    // `sums` has, by input, the place where its gradients are added up, or null.
    Backward(Node& node, std::span<const Tensor> gradients, std::span<Tensor* const> sums)
        : node_(node), g_(gradients), sums_(sums) {
        results_.reserve(node.inputs.size());
        for (int i = 0; i < node.inputs.size(); ++i) results_.push_back(Tensor{});
    }
    Tensor g(int output = 0) const;  // zeros if no gradient came
    bool has(int output) const { return g_[static_cast<std::size_t>(output)].defined(); }
    bool wants(int input) const;  // is there anybody to give it to?
    int inputs() const { return node_.inputs.size(); }
    const Desc& desc(int input) const { return node_.inputs[input].desc; }
    const Desc& output_desc(int output = 0) const { return node_.outputs[output]; }
    Arg input(int i) const;          // needs Need::a, b, ... in the op's table
    Tensor output(int k = 0) const;  // needs Need::y, y1, y2
    // What an op with a list of its own has kept in the node's `saved`, in the k-th place. In a
    // line written down again nothing is kept, and nothing writes in place: the value itself.
    Tensor kept(int k, const Value& value, const Desc& desc, const char* which) const;
    const Attrs& attrs() const { return node_.attrs; }
    Node& node() const { return node_; }
    void give(int input, const Tensor& gradient) { results_[input] = gradient; }
    // What later uses of an input have added up so far, undefined if nothing. Whoever takes it goes
    // on from there: what it gives is the whole sum.
    Tensor take_sum(int input) {
        Tensor* sum = sums_[static_cast<std::size_t>(input)];
        return sum ? std::exchange(*sum, {}) : Tensor{};
    }
    std::span<const Tensor> results() const { return results_; }

  private:
    Node& node_;
    std::span<const Tensor> g_;
    std::span<Tensor* const> sums_;
    Inline<Tensor, 2> results_;
};

// Where the gradient of x arrives.
Value target_of(const Tensor& x);

struct BackwardOptions {
    bool retain_graph = false;
    bool create_graph = false;
    bool allow_unused = true;
};

// PyTorch's torch.autograd.backward: adds into the leaves' .grad.
void backward(std::span<const Tensor> roots, std::span<const Tensor> gradients,
              BackwardOptions options = {});

// PyTorch's torch.autograd.grad: the gradients of the inputs, undefined where there is none and
// `allow_unused`, else an error.
std::vector<Tensor> grad(std::span<const Tensor> outputs, std::span<const Tensor> inputs,
                         std::span<const Tensor> gradients = {}, BackwardOptions options = {});

}  // namespace tg
