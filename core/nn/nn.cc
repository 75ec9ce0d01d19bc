#include "core/nn/nn.h"

#include <cmath>

namespace tg::nn {

Tensor& Module::register_parameter(const std::string& name, Tensor value) {
    value.requires_grad_();
    parameters_.push_back({name, std::move(value)});
    return parameters_.back().second;
}

void Module::register_module(const std::string& name, std::shared_ptr<Module> module) {
    modules_.push_back({name, std::move(module)});
}

NamedTensors Module::named_parameters(const std::string& prefix) const {
    NamedTensors all;
    for (const auto& [name, tensor] : parameters_) all.push_back({prefix + name, tensor});
    for (const auto& [name, module] : modules_) {
        const NamedTensors inner = module->named_parameters(prefix + name + ".");
        all.insert(all.end(), inner.begin(), inner.end());
    }
    return all;
}

std::vector<Tensor> Module::parameters() const {
    std::vector<Tensor> all;
    for (const auto& [name, tensor] : named_parameters()) all.push_back(tensor);
    return all;
}

void Module::load_state_dict(const NamedTensors& state) {
    const NamedTensors own = named_parameters();
    const auto find = [](const NamedTensors& list, const std::string& name) -> const Tensor* {
        for (const auto& [n, t] : list)
            if (n == name) return &t;
        return nullptr;
    };
    std::string wrong;
    for (const auto& [name, t] : own) {
        const Tensor* given = find(state, name);
        if (!given)
            wrong += "\n  missing: " + name;
        else if (given->shape() != t.shape())
            wrong += "\n  " + name + " has shape " + tg::text(given->shape()) + " there and " +
                     tg::text(t.shape()) + " here";
    }
    for (const auto& [name, t] : state)
        if (!find(own, name)) wrong += "\n  unexpected: " + name;
    if (!wrong.empty()) fail(ErrorKind::runtime, "load_state_dict: the state does not fit:", wrong);
    const NoGrad mode;
    for (auto [name, t] : own) t.copy_(find(state, name)->detach());
}

void Module::zero_grad() {
    for (const Tensor& p : parameters()) p.set_grad({});
}

void Module::train(bool on) {
    training_ = on;
    for (const auto& [name, module] : modules_) module->train(on);
}

std::string Module::text(int indent) const {
    if (modules_.empty()) return name();
    const std::string gap(static_cast<std::size_t>(indent) + 2, ' ');
    std::string s = name() + "(\n";
    for (const auto& [label, module] : modules_)
        s += gap + "(" + label + "): " + module->text(indent + 2) + "\n";
    return s + std::string(static_cast<std::size_t>(indent), ' ') + ")";
}

Linear::Linear(std::int64_t in, std::int64_t out, bool has_bias, Options options) {
    if (in < 1 || out < 1)
        fail(ErrorKind::value, "Linear: in_features ", in, " and out_features ", out,
             " must be at least 1");
    const double bound = 1 / std::sqrt(static_cast<double>(in));
    const NoGrad mode;
    const auto start = [&](const Dims& shape) {
        return sub(mul(rand(shape, options), 2 * bound), bound);
    };
    weight = register_parameter("weight", start({out, in}));
    if (has_bias) bias = register_parameter("bias", start({out}));
}

Tensor Linear::forward(const Tensor& x) { return linear(x, weight, bias); }

std::string Linear::name() const {
    return "Linear(in_features=" + std::to_string(weight.shape()[1]) +
           ", out_features=" + std::to_string(weight.shape()[0]) +
           ", bias=" + (bias.defined() ? "True" : "False") + ")";
}

std::shared_ptr<Module> ReLU() { return std::make_shared<Activation>("ReLU", relu); }
std::shared_ptr<Module> Tanh() { return std::make_shared<Activation>("Tanh", tanh); }

Sequential::Sequential(std::vector<std::shared_ptr<Module>> modules) : list_(std::move(modules)) {
    for (std::size_t i = 0; i < list_.size(); ++i) register_module(std::to_string(i), list_[i]);
}

Tensor Sequential::forward(const Tensor& x) {
    Tensor y = x;
    for (const auto& module : list_) y = (*module)(y);
    return y;
}

}  // namespace tg::nn
