// Modules: parameters with names, and a function of tensors. Names and shapes of parameters are
// PyTorch's, so that state_dicts fit.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/ops.h"

namespace tg::nn {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

class Module {
  public:
    virtual ~Module() = default;
    virtual Tensor forward(const Tensor& x) = 0;
    Tensor operator()(const Tensor& x) { return forward(x); }

    std::vector<Tensor> parameters() const;
    NamedTensors named_parameters(const std::string& prefix = "") const;
    NamedTensors state_dict() const { return named_parameters(); }
    // Copies the values in. Throws Error that lists what is missing, unexpected or misshapen.
    void load_state_dict(const NamedTensors& state);
    void zero_grad();
    void train(bool on = true);
    void eval() { train(false); }
    bool is_training() const { return training_; }
    // One line a module, as PyTorch prints it.
    std::string text(int indent = 0) const;
    virtual std::string name() const = 0;  // "Linear(in_features=64, ...)"

  protected:
    Tensor& register_parameter(const std::string& name, Tensor value);
    void register_module(const std::string& name, std::shared_ptr<Module> module);

  private:
    NamedTensors parameters_;
    std::vector<std::pair<std::string, std::shared_ptr<Module>>> modules_;
    bool training_ = true;
};

// y = x W^T + b. x (..., in), weight (out, in), bias (out,) -> (..., out).
// Both start uniform in (-1/sqrt(in), 1/sqrt(in)), as PyTorch's do.
class Linear final : public Module {
  public:
    Linear(std::int64_t in_features, std::int64_t out_features, bool bias = true,
           Options options = {});
    Tensor forward(const Tensor& x) override;
    std::string name() const override;
    Tensor weight;
    Tensor bias;
};

// An elementwise function as a module.
class Activation final : public Module {
  public:
    Activation(std::string name, Tensor (*function)(const Arg&))
        : name_(std::move(name)), function_(function) {}
    Tensor forward(const Tensor& x) override { return function_(x); }
    std::string name() const override { return name_ + "()"; }

  private:
    std::string name_;
    Tensor (*function_)(const Arg&);
};

std::shared_ptr<Module> ReLU();
std::shared_ptr<Module> Tanh();

// One module after the other; named "0", "1", ...
class Sequential final : public Module {
  public:
    explicit Sequential(std::vector<std::shared_ptr<Module>> modules);
    Tensor forward(const Tensor& x) override;
    std::string name() const override { return "Sequential"; }

  private:
    std::vector<std::shared_ptr<Module>> list_;
};

}  // namespace tg::nn
