// Pooling and padding: images made smaller or larger, without parameters.
#pragma once

#include "core/nn/layer.h"
#include "core/nn/numbers.h"

namespace tg::nn {

// MaxPool2d(3, {.stride = 2, .padding = 1})
struct MaxPoolOptions {
    Numbers stride = {};  // none: kernel_size
    Numbers padding = 0;
    Numbers dilation = 1;
    bool ceil_mode = false;
};

// The largest of each window: x (N, C, H, W) or (C, H, W) -> (N, C, I, J).
class MaxPool2d final : public Layer {
  public:
    explicit MaxPool2d(const Numbers& kernel, const MaxPoolOptions& given = {});
    Tensor forward(const Tensor& x) override { return max_pool2d(x, pooling()); }
    // And where they are, int64, counted row by row in each image.
    ValuesIndices with_indices(const Tensor& x, Where where = Where::here());
    std::string extra_repr() const override;

    Numbers kernel_size;
    MaxPoolOptions options;

  private:
    Pooling pooling() const;
};

struct AvgPoolOptions {
    Numbers stride = {};  // none: kernel_size
    Numbers padding = 0;
    bool ceil_mode = false;
    bool count_include_pad = true;
    std::optional<std::int64_t> divisor_override = {};
};

// The mean of each window: x (N, C, H, W) or (C, H, W), floating -> (N, C, I, J).
class AvgPool2d final : public Layer {
  public:
    explicit AvgPool2d(const Numbers& kernel, const AvgPoolOptions& given = {});
    Tensor forward(const Tensor& x) override;
    std::string extra_repr() const override;

    Numbers kernel_size;
    AvgPoolOptions options;
};

// The means of I x J windows: x (N, C, H, W) or (C, H, W), floating -> (N, C, I, J); -1 keeps a
// size.
class AdaptiveAvgPool2d final : public Layer {
  public:
    explicit AdaptiveAvgPool2d(const Numbers& size) : output_size(size) {}
    Tensor forward(const Tensor& x) override { return adaptive_avg_pool2d(x, output_size.dims); }
    std::string extra_repr() const override { return "output_size=" + shown(output_size); }

    Numbers output_size;
};

// The largest of each of I x J windows, those of AdaptiveAvgPool2d.
class AdaptiveMaxPool2d final : public Layer {
  public:
    explicit AdaptiveMaxPool2d(const Numbers& size) : output_size(size) {}
    Tensor forward(const Tensor& x) override { return adaptive_max_pool2d(x, output_size.dims); }
    ValuesIndices with_indices(const Tensor& x, Where where = Where::here());
    std::string extra_repr() const override { return "output_size=" + shown(output_size); }

    Numbers output_size;
};

// Zeros around the last two dims of x (..., H, W): one number, or left, right, top, bottom.
class ZeroPad2d final : public Layer {
  public:
    explicit ZeroPad2d(const Numbers& by) : padding(by.each("ZeroPad2d: padding", 4)) {}
    Tensor forward(const Tensor& x) override;
    std::string extra_repr() const override { return tg::text(padding); }

    Dims padding;
};

}  // namespace tg::nn
