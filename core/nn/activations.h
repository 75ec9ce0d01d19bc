// Activations as layers: each calls the function of its name, which has the formula.
#pragma once

#include "core/nn/layer.h"
#include "core/nn/numbers.h"

namespace tg::nn {

// A function without parameters of its own; with inplace the result is written into x.
class Activation : public Layer {
  public:
    explicit Activation(bool in_place = false) : inplace(in_place) {}
    Tensor forward(const Tensor& x) final;
    std::string extra_repr() const override { return options(""); }

    bool inplace;

  protected:
    virtual Tensor value(const Tensor& x) const = 0;
    std::string options(const std::string& own) const;  // `own`, and inplace if it is
};

// ---- without options ----------------------------------------------------------------------------

struct Sigmoid final : Activation {  // 1 / (1 + exp(-x))
    Tensor value(const Tensor& x) const override { return sigmoid(x); }
};

struct Tanh final : Activation {
    Tensor value(const Tensor& x) const override { return tanh(x); }
};

struct LogSigmoid final : Activation {  // log(1 / (1 + exp(-x))), without overflow
    Tensor value(const Tensor& x) const override { return logsigmoid(x); }
};

struct Softsign final : Activation {  // x / (1 + |x|)
    Tensor value(const Tensor& x) const override { return softsign(x); }
};

struct Tanhshrink final : Activation {  // x - tanh(x)
    Tensor value(const Tensor& x) const override { return tanhshrink(x); }
};

// ---- in place, if asked for ---------------------------------------------------------------------

struct ReLU final : Activation {  // max(x, 0)
    using Activation::Activation;
    Tensor value(const Tensor& x) const override { return relu(x); }
};

struct ReLU6 final : Activation {  // min(max(x, 0), 6)
    using Activation::Activation;
    Tensor value(const Tensor& x) const override { return relu6(x); }
};

struct SiLU final : Activation {  // x / (1 + exp(-x))
    using Activation::Activation;
    Tensor value(const Tensor& x) const override { return silu(x); }
};

struct Mish final : Activation {  // x tanh(log(1 + exp(x)))
    using Activation::Activation;
    Tensor value(const Tensor& x) const override { return mish(x); }
};

// These two, as PyTorch's, do not print inplace.
struct Hardsigmoid final : Activation {  // relu6(x + 3) / 6
    using Activation::Activation;
    Tensor value(const Tensor& x) const override { return hardsigmoid(x); }
    std::string extra_repr() const override { return ""; }
};

struct Hardswish final : Activation {  // x relu6(x + 3) / 6
    using Activation::Activation;
    Tensor value(const Tensor& x) const override { return hardswish(x); }
    std::string extra_repr() const override { return ""; }
};

struct LeakyReLU final : Activation {  // x above 0, negative_slope x below
    explicit LeakyReLU(double slope = 0.01, bool in_place = false)
        : Activation(in_place), negative_slope(slope) {}
    Tensor value(const Tensor& x) const override { return leaky_relu(x, negative_slope); }
    std::string extra_repr() const override {
        return options("negative_slope=" + shown(negative_slope));
    }
    double negative_slope;
};

struct ELU final : Activation {  // x above 0, alpha (exp(x) - 1) below
    explicit ELU(double a = 1, bool in_place = false) : Activation(in_place), alpha(a) {}
    Tensor value(const Tensor& x) const override { return elu(x, alpha); }
    std::string extra_repr() const override { return options("alpha=" + shown(alpha)); }
    double alpha;
};

struct Hardtanh final : Activation {  // x, kept within min_val and max_val
    explicit Hardtanh(double low = -1, double high = 1, bool in_place = false);
    Tensor value(const Tensor& x) const override { return hardtanh(x, min_val, max_val); }
    std::string extra_repr() const override {
        return options("min_val=" + shown(min_val) + ", max_val=" + shown(max_val));
    }
    double min_val, max_val;
};

// ---- with options -------------------------------------------------------------------------------

// x P(Z <= x) for a normal Z; with "tanh" by its formula of a tanh
struct GELU final : Activation {
    explicit GELU(std::string how = "none") : approximate(std::move(how)) {}
    Tensor value(const Tensor& x) const override { return gelu(x, approximate); }
    std::string extra_repr() const override { return "approximate='" + approximate + "'"; }
    std::string approximate;
};

// log(1 + exp(beta x)) / beta, and x itself where beta x is above threshold
struct Softplus final : Activation {
    explicit Softplus(double b = 1, double limit = 20) : beta(b), threshold(limit) {}
    Tensor value(const Tensor& x) const override { return softplus(x, beta, threshold); }
    std::string extra_repr() const override {
        return "beta=" + shown(beta) + ", threshold=" + shown(threshold);
    }
    double beta, threshold;
};

struct Softmax final : Activation {  // exp(x) / sum(exp(x)) along dim
    explicit Softmax(std::int64_t along) : dim(along) {}
    Tensor value(const Tensor& x) const override { return softmax(x, dim); }
    std::string extra_repr() const override { return "dim=" + std::to_string(dim); }
    std::int64_t dim;
};

struct LogSoftmax final : Activation {  // x - log(sum(exp(x))) along dim
    explicit LogSoftmax(std::int64_t along) : dim(along) {}
    Tensor value(const Tensor& x) const override { return log_softmax(x, dim); }
    std::string extra_repr() const override { return "dim=" + std::to_string(dim); }
    std::int64_t dim;
};

struct Softmin final : Activation {  // softmax of -x along dim
    explicit Softmin(std::int64_t along) : dim(along) {}
    Tensor value(const Tensor& x) const override { return softmin(x, dim); }
    std::string extra_repr() const override { return "dim=" + std::to_string(dim); }
    std::int64_t dim;
};

struct GLU final : Activation {  // the first half of dim times the sigmoid of the second
    explicit GLU(std::int64_t along = -1) : dim(along) {}
    Tensor value(const Tensor& x) const override { return glu(x, dim); }
    std::string extra_repr() const override { return "dim=" + std::to_string(dim); }
    std::int64_t dim;
};

// x above 0, weight x below; the weight, one number or one a channel, is learned.
class PReLU final : public Layer {
  public:
    explicit PReLU(std::int64_t num_parameters = 1, double init = 0.25, Options options = {});
    Tensor forward(const Tensor& x) override { return prelu(x, weight); }
    std::string extra_repr() const override {
        return "num_parameters=" + std::to_string(weight.numel());
    }
    Tensor& weight;
};

}  // namespace tg::nn
