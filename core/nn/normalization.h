// Layers that make mean 0 and variance 1, along other dims each: a row, a group, a batch.
#pragma once

#include "core/nn/layer.h"
#include "core/nn/numbers.h"

namespace tg::nn {

struct LayerNormOptions {
    double eps = 1e-5;
    bool elementwise_affine = true;
    bool bias = true;
    Options tensors = {};
};

// y = (x - mean) / sqrt(var + eps) * weight + bias, over the last dims, normalized_shape.
// x (..., *normalized_shape) -> the same shape; weight and bias (*normalized_shape) start as ones
// and zeros. The variance is that of the values, divided by their number.
// [Ba, Kiros & Hinton 2016, Layer normalization]
class LayerNorm final : public Layer {
  public:
    explicit LayerNorm(const Numbers& normalized_shape, const LayerNormOptions& options = {});
    void reset_parameters();
    Tensor forward(const Tensor& x) override;
    std::string extra_repr() const override;

    Dims normalized_shape;
    double eps;
    bool elementwise_affine;
    Tensor& weight;
    Tensor& bias;
};

struct GroupNormOptions {
    double eps = 1e-5;
    bool affine = true;
    bool bias = true;
    Options tensors = {};
};

// x (N, C, ...) in num_groups groups of channels, each with mean 0 and variance 1.
// weight and bias (C,) are by channel. Throws ValueError if num_groups does not divide C.
// [Wu & He 2018, Group normalization]
class GroupNorm final : public Layer {
  public:
    GroupNorm(std::int64_t num_groups, std::int64_t num_channels,
              const GroupNormOptions& options = {});
    void reset_parameters();
    Tensor forward(const Tensor& x) override;
    std::string extra_repr() const override;

    std::int64_t num_groups, num_channels;
    double eps;
    bool affine;
    Tensor& weight;
    Tensor& bias;
};

struct BatchNormOptions {
    double eps = 1e-5;
    std::optional<double> momentum = 0.1;  // none: the mean of all batches
    bool affine = true;
    bool track_running_stats = true;
    bool bias = true;
    Options tensors = {};
};

// Each channel with the mean and variance of the batch: x (N, C, ...).
//
// In training these are the batch's own, and the buffers running_mean and running_var (C,) move
// towards them in place: r = (1 - momentum) r + momentum s, with the variance over n - 1. Without a
// momentum they are the mean of all batches so far, which num_batches_tracked counts. In eval the
// running ones are used; the batch's again without track_running_stats.
//
// Throws ValueError for other shapes, or in training for one value a channel.
// [Ioffe & Szegedy 2015, Batch normalization]
class BatchNorm : public Layer {
  public:
    void reset_running_stats();
    void reset_parameters();
    Tensor forward(const Tensor& x) override;
    std::string extra_repr() const override;

    std::int64_t num_features;
    BatchNormOptions options;
    Tensor& weight;
    Tensor& bias;
    Tensor& running_mean;
    Tensor& running_var;
    Tensor& num_batches_tracked;

  protected:
    BatchNorm(std::int64_t features, const BatchNormOptions& given);
    virtual void check_dims(const Dims& shape) const = 0;
};

class BatchNorm1d final : public BatchNorm {  // x (N, C) or (N, C, L)
  public:
    explicit BatchNorm1d(std::int64_t features, const BatchNormOptions& given = {})
        : BatchNorm(features, given) {}

  protected:
    void check_dims(const Dims& shape) const override;
};

class BatchNorm2d final : public BatchNorm {  // x (N, C, H, W)
  public:
    explicit BatchNorm2d(std::int64_t features, const BatchNormOptions& given = {})
        : BatchNorm(features, given) {}

  protected:
    void check_dims(const Dims& shape) const override;
};

}  // namespace tg::nn
