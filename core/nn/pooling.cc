#include "core/nn/pooling.h"

namespace tg::nn {

MaxPool2d::MaxPool2d(const Numbers& kernel, const MaxPoolOptions& given)
    : kernel_size(kernel), options(given) {
    if (options.stride.dims.empty()) options.stride = kernel;
}

Pooling MaxPool2d::pooling() const {
    return {.kernel = kernel_size.dims,
            .stride = options.stride.dims,
            .padding = options.padding.dims,
            .dilation = options.dilation.dims,
            .ceil_mode = options.ceil_mode};
}

ValuesIndices MaxPool2d::with_indices(const Tensor& x, Where where) {
    const Here here(where);
    return max_pool2d_with_indices(x, pooling());
}

std::string MaxPool2d::extra_repr() const {
    return "kernel_size=" + shown(kernel_size) + ", stride=" + shown(options.stride) +
           ", padding=" + shown(options.padding) + ", dilation=" + shown(options.dilation) +
           ", ceil_mode=" + shown(options.ceil_mode);
}

AvgPool2d::AvgPool2d(const Numbers& kernel, const AvgPoolOptions& given)
    : kernel_size(kernel), options(given) {
    if (options.stride.dims.empty()) options.stride = kernel;
}

Tensor AvgPool2d::forward(const Tensor& x) {
    return avg_pool2d(x, {.kernel = kernel_size.dims,
                          .stride = options.stride.dims,
                          .padding = options.padding.dims,
                          .ceil_mode = options.ceil_mode,
                          .count_include_pad = options.count_include_pad,
                          .divisor_override = options.divisor_override});
}

std::string AvgPool2d::extra_repr() const {
    return "kernel_size=" + shown(kernel_size) + ", stride=" + shown(options.stride) +
           ", padding=" + shown(options.padding);
}

ValuesIndices AdaptiveMaxPool2d::with_indices(const Tensor& x, Where where) {
    const Here here(where);
    return adaptive_max_pool2d_with_indices(x, output_size.dims);
}

Tensor ZeroPad2d::forward(const Tensor& x) {
    return pad(x, {padding[0], padding[1], padding[2], padding[3]});
}

}  // namespace tg::nn
