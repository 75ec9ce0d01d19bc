#include "core/nn/functional.h"

#include "core/low_precision.h"

namespace tg::nn::functional {
namespace {

Tensor affine(Tensor x, const Tensor& weight, const Tensor& bias) {
    if (weight.defined()) x = x * weight;
    return bias.defined() ? x + bias : x;
}

// (C,) -> (C, 1, ...), so that it goes with (N, C, ...)
Tensor by_channel(const Tensor& x, int dims) {
    if (!x.defined()) return x;
    Dims shape = Dims::of(dims - 1, 1);
    shape[0] = -1;
    return x.reshape(shape);
}

void move(Tensor running, const Tensor& batch, const Arg& momentum) {
    running.mul_(1 - momentum).add_(batch.detach() * momentum);
}

}  // namespace

void check_probability(const std::string& op, double p) {
    if (!(p >= 0 && p <= 1))
        fail(ErrorKind::value, op, ": p is a probability, 0 to 1, and not ", p);
}

Tensor dropout(const Tensor& x, double p, bool training, bool inplace) {
    check_probability("dropout", p);
    if (!training || p == 0) return x;
    const double scale = p < 1 ? 1 / (1 - p) : 0;
    const Tensor u = rand(x.shape(), {.dtype = x.dtype(), .device = x.device()});
    const Tensor mask = cast(u >= p, x.dtype()) * scale;
    if (!inplace) return x * mask;
    Tensor y = x;
    return y.mul_(mask);
}

std::int64_t row_of(const std::string& op, std::int64_t padding_idx, std::int64_t rows) {
    if (padding_idx < -rows || padding_idx >= rows)
        fail(ErrorKind::value, op, ": padding_idx ", padding_idx, " is outside of the ", rows,
             " rows");
    return padding_idx < 0 ? padding_idx + rows : padding_idx;
}

Tensor embedding(const Tensor& input, const Tensor& weight,
                 std::optional<std::int64_t> padding_idx) {
    if (input.dtype() != DType::int64 && input.dtype() != DType::int32)
        fail(ErrorKind::runtime, "embedding: input is ", name_of(input.dtype()),
             ", not int64 or int32; cast it: input.to(DType::int64)");
    const std::int64_t rows = weight.shape()[0], columns = weight.shape()[1];
    const Tensor index = cast(input, DType::int64).reshape({-1, 1});
    Tensor found = gather(weight, 0, index.expand({index.shape()[0], columns}));
    if (padding_idx)
        found = where(index == row_of("embedding", *padding_idx, rows), found.detach(), found);
    Dims shape = input.shape();
    shape.push_back(columns);
    return found.reshape(shape);
}

Tensor layer_norm(const Tensor& x, const Dims& normalized_shape, const Tensor& weight,
                  const Tensor& bias, double eps) {
    const int count = normalized_shape.size(), first = x.dims() - count;
    bool fits = count > 0 && first >= 0;
    for (int d = 0; fits && d < count; ++d) fits = x.shape()[first + d] == normalized_shape[d];
    if (!fits)
        fail(ErrorKind::runtime, "layer_norm: input ", text(x.shape()),
             " does not end in normalized_shape ", text(normalized_shape));
    if (is_low(x))
        return rounded(
            layer_norm(widened(x), normalized_shape, widened(weight), widened(bias), eps), x);
    return affine(standardized(x, count, eps), weight, bias);
}

Tensor group_norm(const Tensor& x, std::int64_t num_groups, const Tensor& weight,
                  const Tensor& bias, double eps) {
    if (x.dims() < 2 || x.shape()[1] % num_groups)
        fail(ErrorKind::runtime, "group_norm: input ", text(x.shape()),
             " is no (N, C, ...) with C a multiple of num_groups ", num_groups);
    if (is_low(x))
        return rounded(group_norm(widened(x), num_groups, widened(weight), widened(bias), eps), x);
    const Tensor groups = x.reshape({x.shape()[0], num_groups, -1});
    const Tensor output = standardized(groups, 1, eps).reshape(x.shape());
    return affine(output, by_channel(weight, x.dims()), by_channel(bias, x.dims()));
}

Tensor batch_norm(const Tensor& x, const BatchNormalization& o) {
    if (is_low(x)) {
        BatchNormalization wide = o;
        wide.weight = widened(o.weight);
        wide.bias = widened(o.bias);
        return rounded(batch_norm(widened(x), wide), x);
    }
    Tensor centred, var;
    if (o.training) {
        Dims dims{0};
        for (int d = 2; d < x.dims(); ++d) dims.push_back(d);
        const std::int64_t n = x.numel() / std::max<std::int64_t>(x.shape()[1], 1);
        if (n == 1)
            fail(
                ErrorKind::value,
                "batch_norm: expected more than 1 value per channel when training, got input size ",
                text(x.shape()));
        const Tensor mean = tg::mean(x, dims);
        centred = x - by_channel(mean, x.dims());
        var = tg::mean(centred * centred, dims);
        if (o.running_mean.defined() && o.running_var.defined()) {
            const NoGrad mode;
            const auto count = static_cast<double>(n);
            move(o.running_mean, mean, o.momentum);
            move(o.running_var, var * (count / (count - 1)), o.momentum);
        }
    } else if (!o.running_mean.defined() || !o.running_var.defined()) {
        fail(ErrorKind::value,
             "batch_norm: without training there must be a running mean and variance");
    } else {
        centred = x - by_channel(o.running_mean, x.dims());
        var = o.running_var;
    }
    Tensor scale = rsqrt(var + o.eps);
    if (o.weight.defined()) scale = scale * o.weight;
    const Tensor output = centred * by_channel(scale, x.dims());
    return o.bias.defined() ? output + by_channel(o.bias, x.dims()) : output;
}

}  // namespace tg::nn::functional
