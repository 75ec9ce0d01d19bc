// Plays C++'s modules and optimisers, and prints every number. tests/python/test_twins.py plays the
// same cases in Python, from the same seed, and wants the same bits.
#include "tests/twins/twins.h"

#include <cstdio>

namespace twins {

using namespace tg;

void twin(const std::string& name, const std::function<Outcome()>& f) {
    manual_seed(0);
    const Outcome o = f();
    std::string text = o.text;
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos;)
        text.replace(at, 1, "\\n");
    std::printf("case %s\ntext %s\n", name.c_str(), text.c_str());
    for (const Tensor& t : o.tensors) {
        if (!t.defined()) {
            std::printf("none\n");
            continue;
        }
        std::printf("tensor %s %s:", name_of(t.dtype()), tg::text(t.shape()).c_str());
        const Tensor flat = contiguous(cast(reshape(t.detach(), {-1}), DType::float64));
        const auto* numbers = static_cast<const double*>(flat.data());
        for (std::int64_t i = 0; i < flat.numel(); ++i) std::printf(" %a", numbers[i]);
        std::printf("\n");
    }
}

Tensor random_leaf(const Dims& shape) {
    Tensor x = randn(shape);
    return x.requires_grad_();
}

void add_gradients(Outcome& o, const nn::Module& module, const std::vector<Tensor>& inputs,
                   const std::vector<Tensor>& outputs) {
    Tensor loss = scalar_tensor(0.0);
    for (const Tensor& y : outputs) {
        o.tensors.push_back(y);
        if (y.defined() && is_floating(y.dtype())) loss = loss + (y * y).sum();
    }
    loss.backward();
    for (const Tensor& x : inputs) o.tensors.push_back(x.grad());
    for (const Tensor& p : module.parameters()) o.tensors.push_back(p.grad());
}

Outcome layer(nn::Layer&& module, const Dims& shape) {
    Outcome o{module.text()};
    for (const auto& [name, t] : module.state_dict()) o.tensors.push_back(clone(t));
    const Tensor leaf = random_leaf(shape);
    // times 1: an activation in place may not write into a leaf
    add_gradients(o, module, {leaf}, {module(leaf * 1)});
    for (const auto& [name, t] : module.state_dict()) o.tensors.push_back(t);
    return o;
}

}  // namespace twins

int main() {
    twins::basic_cases();
    twins::image_cases();
    twins::row_cases();
    twins::sequence_cases();
    twins::optimiser_cases();
}
