// Activations that cut, bend or gate, made of other ops; each is a formula above its body.
#include "core/autocast.h"
#include "core/low_precision.h"
#include "core/ops/family.h"

namespace tg {
namespace {

void check_floating(const char* op, const Arg& x) {
    if (!is_floating(x.tensor.dtype()))
        fail(ErrorKind::unsupported, op, ": is not defined for ", name_of(x.tensor.dtype()),
             "; cast the tensor first");
}

}  // namespace

// log(1 / (1 + e^-x)) = min(x, 0) - log(1 + e^-|x|)
Tensor logsigmoid(const Arg& x) {
    const Here here(x.where, "logsigmoid");
    if (is_low(x)) return rounded(logsigmoid(widened(x)), x);
    check_floating("logsigmoid", x);
    const Tensor below = lt(x, 0);
    return sub(where(below, x, 0.0), log1p(exp(where(below, x, neg(x)))));
}

// x kept within [min_val, max_val]
Tensor hardtanh(const Arg& x, double min_val, double max_val) {
    const Here here(x.where, "hardtanh");
    if (min_val > max_val)
        fail(ErrorKind::value, "hardtanh: min_val ", min_val, " is above max_val ", max_val);
    if (is_floating(x.tensor.dtype())) return clamp(x, Arg(min_val), Arg(max_val));
    return clamp(x, Arg(static_cast<std::int64_t>(min_val)),
                 Arg(static_cast<std::int64_t>(max_val)));
}

// min(max(x, 0), 6)
Tensor relu6(const Arg& x) {
    const Here here(x.where, "relu6");
    return hardtanh(x, 0, 6);
}

// min(max(x + 3, 0), 6) / 6
Tensor hardsigmoid(const Arg& x) {
    const Here here(x.where, "hardsigmoid");
    if (is_low(x)) return rounded(hardsigmoid(widened(x)), x);
    check_floating("hardsigmoid", x);
    return div(hardtanh(add(x, 3.0), 0, 6), 6.0);
}

Tensor hardswish(const Arg& x) {
    const Here here(x.where, "hardswish");
    if (is_low(x)) return rounded(hardswish(widened(x)), x);
    check_floating("hardswish", x);
    return mul(x, hardsigmoid(x));
}

// x tanh(log(1 + e^x))
Tensor mish(const Arg& x) {
    const Here here(x.where, "mish");
    if (is_low(x)) return rounded(mish(widened(x)), x);
    check_floating("mish", x);
    return mul(x, tanh(neg(logsigmoid(neg(x)))));
}

// x / (1 + |x|)
Tensor softsign(const Arg& x) {
    const Here here(x.where, "softsign");
    if (is_low(x)) return rounded(softsign(widened(x)), x);
    return div(x, add(abs(x), 1));
}

// x - tanh x
Tensor tanhshrink(const Arg& x) {
    const Here here(x.where, "tanhshrink");
    if (is_low(x)) return rounded(tanhshrink(widened(x)), x);
    return sub(x, tanh(x));
}

// x above 0, w x below; x (N, C, ...), w (C,) or one number
Tensor prelu(const Arg& x, const Arg& weight) {
    const Here here(x.where, "prelu");
    if (lowers(x.tensor, weight.tensor)) return prelu(lowered(x), lowered(weight));
    const Dims& s = x.tensor.shape();
    Tensor w = weight.tensor;
    if (w.dtype() != x.tensor.dtype())
        fail(ErrorKind::runtime, "prelu: input is ", name_of(x.tensor.dtype()), " and weight ",
             name_of(w.dtype()), "; cast one of them");
    if (is_low(x)) {
        const AutocastScope off({});
        return rounded(prelu(widened(x), widened(weight)), x);
    }
    const std::int64_t n = w.dims() == 0 ? 1 : w.shape()[0];
    const std::int64_t channels = s.size() > 1 ? s[1] : 1;
    if (w.dims() > 1 || (n != 1 && n != channels && !is_unknown(channels)))
        fail(ErrorKind::runtime, "prelu: weight ", text(w.shape()), " is neither one number nor ",
             channels, ", one for each channel of input ", text(s));
    if (n != 1) {
        Dims by_channel = Dims::of(s.size(), 1);
        by_channel[1] = n;
        w = reshape(w, by_channel);
    } else {
        w = reshape(w, {});
    }
    return where(gt(x, 0), x, mul(x, w));
}

// [a, b] -> a sigmoid(b)
Tensor glu(const Arg& x, std::int64_t dim) {
    const Here here(x.where, "glu");
    if (is_low(x)) return rounded(glu(widened(x), dim), x);
    if (x.tensor.dims() == 0) fail(ErrorKind::runtime, "glu: a tensor of no dims has no halves");
    const int d = wrap_dim("glu", dim, x.tensor.dims());
    const std::int64_t n = known_size("glu", x.tensor, d);
    if (n % 2 != 0)
        fail(ErrorKind::runtime, "glu: dim ", d, " of ", text(x.tensor.shape()), " is ", n,
             ", which has no halves");
    return mul(slice(x, d, 0, n / 2), sigmoid(slice(x, d, n / 2, n)));
}

Tensor softmin(const Arg& x, std::int64_t dim) {
    const Here here(x.where, "softmin");
    return softmax(neg(x), dim);
}

}  // namespace tg
