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

void basic_cases() {
    twin("Linear", [] { return layer(nn::Linear(3, 4), {5, 3}); });
    twin("Linear without bias", [] { return layer(nn::Linear(3, 4, false), {5, 3}); });
    twin("Sequential", [] {
        return layer(nn::Sequential(nn::Flatten(), nn::Linear(6, 4), nn::Identity(), nn::Tanh(),
                                    nn::Unflatten(1, {2, 2})),
                     {5, 2, 3});
    });
    const Dims shape{3, 4};
    twin("Sigmoid", [&] { return layer(nn::Sigmoid(), shape); });
    twin("LogSigmoid", [&] { return layer(nn::LogSigmoid(), shape); });
    twin("Softsign", [&] { return layer(nn::Softsign(), shape); });
    twin("Tanhshrink", [&] { return layer(nn::Tanhshrink(), shape); });
    twin("ReLU", [&] { return layer(nn::ReLU(), shape); });
    twin("ReLU in place", [&] { return layer(nn::ReLU(true), shape); });
    twin("ReLU6", [&] { return layer(nn::ReLU6(), shape); });
    twin("SiLU in place", [&] { return layer(nn::SiLU(true), shape); });
    twin("Mish", [&] { return layer(nn::Mish(), shape); });
    twin("Hardsigmoid", [&] { return layer(nn::Hardsigmoid(), shape); });
    twin("Hardswish", [&] { return layer(nn::Hardswish(true), shape); });
    twin("LeakyReLU", [&] { return layer(nn::LeakyReLU(1e-4, true), shape); });
    twin("ELU", [&] { return layer(nn::ELU(0.5), shape); });
    twin("Hardtanh", [&] { return layer(nn::Hardtanh(-0.5, 1), shape); });
    twin("GELU", [&] { return layer(nn::GELU("tanh"), shape); });
    twin("Softplus", [&] { return layer(nn::Softplus(2, 1), shape); });
    twin("Softmax", [&] { return layer(nn::Softmax(1), shape); });
    twin("LogSoftmax", [&] { return layer(nn::LogSoftmax(-1), shape); });
    twin("Softmin", [&] { return layer(nn::Softmin(0), shape); });
    twin("GLU", [&] { return layer(nn::GLU(), shape); });
    twin("PReLU", [&] { return layer(nn::PReLU(4), shape); });
    twin("init", [] {
        const auto made = [] { return empty({3, 5}); };
        return Outcome{"",
                       {nn::init::uniform_(made(), -1, 2), nn::init::normal_(made(), 1, 2),
                        nn::init::trunc_normal_(made()), nn::init::xavier_uniform_(made(), 2),
                        nn::init::xavier_normal_(made()),
                        nn::init::kaiming_uniform_(made(), 0, "fan_out", "relu"),
                        nn::init::kaiming_normal_(made(), 0.1), nn::init::eye_(made())}};
    });
}

}  // namespace twins

int main() { twins::basic_cases(); }
