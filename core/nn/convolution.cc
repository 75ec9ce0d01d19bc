#include "core/nn/convolution.h"

#include <cmath>

#include "core/nn/init.h"

namespace tg::nn {
namespace {

const char* const modes[] = {"zeros", "reflect", "replicate", "circular"};

Padding padding_of(const std::string& name, const Padding& given, const Dims& stride) {
    if (given.word.empty()) return Numbers(given.dims).each(name + ": padding", stride.size());
    if (given.word != "same" && given.word != "valid")
        fail(ErrorKind::value, name, ": padding is '", given.word,
             "'; the words are same and valid");
    if (given.word == "same" && stride != Dims::of(stride.size(), 1))
        fail(ErrorKind::value, name, ": padding 'same' needs stride 1, not ", text(stride));
    return given;
}

Convolution checked(const char* name, int dims, const ConvOptions& given,
                    const Numbers& output_padding) {
    const std::string start = std::string(name) + ": ";
    Convolution c;
    c.stride = given.stride.each(start + "stride", dims);
    c.padding = padding_of(name, given.padding, c.stride);
    c.dilation = given.dilation.each(start + "dilation", dims);
    c.groups = given.groups;
    c.output_padding = output_padding.each(start + "output_padding", dims);
    return c;
}

Dims weight_shape(std::int64_t first, std::int64_t second, const Dims& kernel) {
    Dims shape{first, second};
    for (const std::int64_t k : kernel) shape.push_back(k);
    return shape;
}

void check_channels(const char* name, std::int64_t in, std::int64_t out, const ConvOptions& given) {
    if (given.groups < 1)
        fail(ErrorKind::value, name, ": groups is ", given.groups, ", and must be at least 1");
    if (in % given.groups)
        fail(ErrorKind::value, name, ": in_channels ", in, " is no multiple of groups ",
             given.groups);
    if (out % given.groups)
        fail(ErrorKind::value, name, ": out_channels ", out, " is no multiple of groups ",
             given.groups);
    for (const char* mode : modes)
        if (given.padding_mode == mode) return;
    fail(ErrorKind::value, name, ": padding_mode is '", given.padding_mode,
         "'; there are zeros, reflect, replicate, circular");
}

}  // namespace

ConvolutionLayer::ConvolutionLayer(const Shape& s, const ConvOptions& given)
    : in_channels((check_channels(s.name, s.in, s.out, given), s.in)),
      out_channels(s.out),
      kernel_size(s.kernel.each(std::string(s.name) + ": kernel_size", s.dims)),
      options(checked(s.name, s.dims, given, s.output_padding)),
      padding_mode(given.padding_mode),
      weight(register_parameter(
          "weight", empty(weight_shape(s.transposed ? s.in : s.out,
                                       (s.transposed ? s.out : s.in) / given.groups, kernel_size),
                          given.tensors))),
      bias(register_parameter("bias", given.bias ? empty({s.out}, given.tensors) : Tensor())) {
    reset_parameters();
}

void ConvolutionLayer::reset_parameters() {
    init::kaiming_uniform_(weight, std::sqrt(5.0));
    std::int64_t window = weight.shape()[1];
    for (const std::int64_t k : kernel_size) window *= k;
    const double bound = 1 / std::sqrt(static_cast<double>(window));
    if (bias.defined() && window > 0) init::uniform_(bias, -bound, bound);
}

std::string ConvolutionLayer::extra_repr() const {
    std::string s = std::to_string(in_channels) + ", " + std::to_string(out_channels) +
                    ", kernel_size=" + tg::text(kernel_size) +
                    ", stride=" + tg::text(options.stride);
    const int dims = kernel_size.size();
    if (!options.padding.word.empty())
        s += ", padding=" + options.padding.word;
    else if (options.padding.dims != Dims::of(dims, 0))
        s += ", padding=" + tg::text(options.padding.dims);
    if (options.dilation != Dims::of(dims, 1)) s += ", dilation=" + tg::text(options.dilation);
    if (options.output_padding != Dims::of(dims, 0))
        s += ", output_padding=" + tg::text(options.output_padding);
    if (options.groups != 1) s += ", groups=" + std::to_string(options.groups);
    if (!bias.defined()) s += ", bias=False";
    if (padding_mode != "zeros") s += ", padding_mode=" + padding_mode;
    return s;
}

std::pair<Tensor, Convolution> ConvolutionLayer::padded(const Tensor& x) const {
    if (padding_mode == "zeros") return {x, options};
    std::vector<std::int64_t> around;
    for (int d = kernel_size.size() - 1; d >= 0; --d) {
        std::int64_t before = 0, after = 0;
        if (options.padding.word == "same") {
            const std::int64_t total = options.dilation[d] * (kernel_size[d] - 1);
            before = total / 2;
            after = total - before;
        } else if (options.padding.word.empty()) {
            before = after = options.padding.dims[d];
        }
        around.insert(around.end(), {before, after});
    }
    Convolution rest = options;
    rest.padding = Dims::of(kernel_size.size(), 0);
    return {pad(x, around, padding_mode), rest};
}

Tensor Conv1d::forward(const Tensor& x) {
    const auto [input, rest] = padded(x);
    return conv1d(input, weight, bias, rest);
}

Tensor Conv2d::forward(const Tensor& x) {
    const auto [input, rest] = padded(x);
    return conv2d(input, weight, bias, rest);
}

ConvTranspose2d::ConvTranspose2d(std::int64_t in, std::int64_t out, const Numbers& kernel,
                                 const ConvTransposeOptions& o)
    : ConvolutionLayer({"ConvTranspose2d", 2, true, in, out, kernel, o.output_padding},
                       {.stride = o.stride,
                        .padding = o.padding.dims,
                        .dilation = o.dilation,
                        .groups = o.groups,
                        .bias = o.bias,
                        .tensors = o.tensors}) {}

Tensor ConvTranspose2d::forward(const Tensor& x) {
    return conv_transpose2d(x, weight, bias, options);
}

Tensor ConvTranspose2d::operator()(const Tensor& x, const Dims& output_size, Where where) {
    const Here here(where);
    Convolution sized = options;
    sized.output_padding = output_padding(x.shape(), output_size);
    return conv_transpose2d(x, weight, bias, sized);
}

Dims ConvTranspose2d::output_padding(const Dims& shape, const Dims& wanted) const {
    if (wanted.size() != 2 && wanted.size() != shape.size())
        fail(ErrorKind::value, "ConvTranspose2d: output_size ", tg::text(wanted),
             " is not of 2 or all dims");
    Dims extra;
    for (int d = 0; d < 2; ++d) {
        const std::int64_t size = wanted[wanted.size() - 2 + d];
        const std::int64_t least = (shape[shape.size() - 2 + d] - 1) * options.stride[d] -
                                   2 * options.padding.dims[d] +
                                   options.dilation[d] * (kernel_size[d] - 1) + 1;
        const std::int64_t most = least + options.stride[d] - 1;
        if (size < least || size > most)
            fail(ErrorKind::value, "ConvTranspose2d: output_size ", tg::text(wanted), " for input ",
                 tg::text(shape), ": ", size, " is outside of ", least, "..", most);
        extra.push_back(size - least);
    }
    return extra;
}

}  // namespace tg::nn
