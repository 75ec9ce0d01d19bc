// Convolutions: a small window of weights, moved over a signal or an image.
#pragma once

#include "core/nn/layer.h"
#include "core/nn/numbers.h"

namespace tg::nn {

// Conv2d(3, 16, 3, {.stride = 2, .padding = 1})
struct ConvOptions {
    Numbers stride = 1;
    Padding padding = 0;
    Numbers dilation = 1;
    std::int64_t groups = 1;
    bool bias = true;
    std::string padding_mode = "zeros";  // or "reflect", "replicate", "circular"
    Options tensors = {};                // dtype and device
};

// What all have: weight and bias uniform in (-1/sqrt(k), 1/sqrt(k)), k the size of a window.
class ConvolutionLayer : public Layer {
  public:
    void reset_parameters();
    std::string extra_repr() const override;

    std::int64_t in_channels, out_channels;
    Dims kernel_size;
    Convolution options;  // stride, padding, dilation, groups, output_padding
    std::string padding_mode;
    Tensor& weight;
    Tensor& bias;

  protected:
    struct Shape {
        const char* name;
        int dims;
        bool transposed;
        std::int64_t in, out;
        const Numbers& kernel;
        Numbers output_padding = 0;
    };
    ConvolutionLayer(const Shape& shape, const ConvOptions& given);
    // x, and the options that are still to come: modes but zeros are done here.
    std::pair<Tensor, Convolution> padded(const Tensor& x) const;
};

// x (N, C, L) or (C, L) -> (N, O, I): weight (O, C / groups, kernel_size), bias (O,).
class Conv1d final : public ConvolutionLayer {
  public:
    Conv1d(std::int64_t in, std::int64_t out, const Numbers& kernel, const ConvOptions& given = {})
        : ConvolutionLayer({"Conv1d", 1, false, in, out, kernel}, given) {}
    Tensor forward(const Tensor& x) override;
};

// x (N, C, H, W) or (C, H, W) -> (N, O, I, J): weight (O, C / groups, *kernel_size), bias (O,).
// Throws ValueError for arguments that do not go together, RuntimeError for an x that does not fit.
class Conv2d final : public ConvolutionLayer {
  public:
    Conv2d(std::int64_t in, std::int64_t out, const Numbers& kernel, const ConvOptions& given = {})
        : ConvolutionLayer({"Conv2d", 2, false, in, out, kernel}, given) {}
    Tensor forward(const Tensor& x) override;
};

struct ConvTransposeOptions {
    Numbers stride = 1;
    Numbers padding = 0;
    Numbers output_padding = 0;
    std::int64_t groups = 1;
    bool bias = true;
    Numbers dilation = 1;
    Options tensors = {};
};

// x (N, C, H, W) or (C, H, W) -> (N, O, I, J): weight (C, O / groups, *kernel_size), bias (O,).
// What a Conv2d of these sizes would take to give x's size, and the gradient of it:
// I = (H - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1. Several sizes
// shrink to the same H: output_padding says which is meant, or the size (I, J) of a call.
// [Zeiler et al. 2010, Deconvolutional networks]
class ConvTranspose2d final : public ConvolutionLayer {
  public:
    ConvTranspose2d(std::int64_t in, std::int64_t out, const Numbers& kernel,
                    const ConvTransposeOptions& options = {});
    Tensor forward(const Tensor& x) override;
    using Layer::operator();
    Tensor operator()(const Tensor& x, const Dims& output_size, Where where = Where::here());

  private:
    // What makes the output (..., *wanted). Throws ValueError if no output_padding does.
    Dims output_padding(const Dims& shape, const Dims& wanted) const;
};

}  // namespace tg::nn
