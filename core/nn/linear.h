// Linear, and the layers that only arrange: no parameters, no arithmetic.
#pragma once

#include "core/nn/layer.h"

namespace tg::nn {

// x (..., in) -> x weight^T + bias (..., out), with weight (out, in) and bias (out,).
// Both start uniform in (-1/sqrt(in), 1/sqrt(in)), as PyTorch's do.
class Linear final : public Layer {
  public:
    Linear(std::int64_t in_features, std::int64_t out_features, bool bias = true,
           Options options = {});
    void reset_parameters();
    Tensor forward(const Tensor& x) override { return linear(x, weight, bias); }
    std::string extra_repr() const override;

    std::int64_t in_features, out_features;
    Tensor& weight;
    Tensor& bias;
};

// Gives back what it gets: it stands in for other layers.
struct Identity final : Layer {
    Tensor forward(const Tensor& x) override { return x; }
};

// The dims start_dim to end_dim as one: (N, C, L) -> (N, C L).
class Flatten final : public Layer {
  public:
    explicit Flatten(std::int64_t start = 1, std::int64_t end = -1)
        : start_dim(start), end_dim(end) {}
    Tensor forward(const Tensor& x) override { return flatten(x, start_dim, end_dim); }
    std::string extra_repr() const override;

    std::int64_t start_dim, end_dim;
};

// Dim dim as several: Unflatten(1, {C, L}) makes (N, C L) into (N, C, L); one may be -1.
class Unflatten final : public Layer {
  public:
    Unflatten(std::int64_t of, const Dims& size) : dim(of), unflattened_size(size) {}
    Tensor forward(const Tensor& x) override { return unflatten(x, dim, unflattened_size); }
    std::string extra_repr() const override;

    std::int64_t dim;
    Dims unflattened_size;
};

}  // namespace tg::nn
