// Elementwise functions that are made of others; each is a formula above its body.
#include <cmath>
#include <limits>

#include "core/low_precision.h"
#include "core/ops/family.h"
#include "core/ops/integers.h"

namespace tg {
namespace {

Tensor floats(const Arg& x) {
    return is_floating(x.tensor.dtype()) ? x.tensor : cast(x, default_dtype());
}

Tensor truth(const Arg& x) { return ne(x, 0); }

}  // namespace

// x^2
Tensor square(const Arg& x) {
    const Here here(x.where, "square");
    if (x.is_tensor() && x.tensor.dtype() == DType::boolean) return square(cast(x, DType::int64));
    return mul(x, x);
}

// 1 / x
Tensor reciprocal(const Arg& x) {
    const Here here(x.where, "reciprocal");
    return div(1, x);
}

Tensor isnan(const Arg& x) {
    const Here here(x.where, "isnan");
    return ne(x, x);
}

Tensor isinf(const Arg& x) {
    const Here here(x.where, "isinf");
    if (!is_floating(x.tensor.dtype())) return ne(x, x);
    return eq(abs(x), std::numeric_limits<double>::infinity());
}

// x - x is 0 for a finite x, and NaN else
Tensor isfinite(const Arg& x) {
    const Here here(x.where, "isfinite");
    if (!is_floating(x.tensor.dtype())) return eq(x, x);
    return eq(sub(x, x), 0);
}

Tensor logical_and(const Arg& a, const Arg& b) {
    const Here here(a.where, "logical_and");
    return mul(truth(a), truth(b));
}

Tensor logical_or(const Arg& a, const Arg& b) {
    const Here here(a.where, "logical_or");
    return add(truth(a), truth(b));
}

Tensor logical_xor(const Arg& a, const Arg& b) {
    const Here here(a.where, "logical_xor");
    return ne(truth(a), truth(b));
}

namespace {

// y, but at least the bound, or at most with the other comparison; of equals y, which may be -0. Of
// a tensor that is equal each gets half the gradient, and beyond a number or at it y gets none, nor
// does a NaN.
Tensor bounded(const Tensor& y, const Arg& bound, Tensor (*inside)(const Arg&, const Arg&),
               Tensor (*extreme)(const Arg&, const Arg&)) {
    if (bound.is_tensor() || !is_floating(y.dtype())) return extreme(bound, y);
    return where(inside(y, bound), y, extreme(bound, y.detach()));
}

}  // namespace

Tensor clamp(const Arg& x, const std::optional<Arg>& low, const std::optional<Arg>& high) {
    const Here here(x.where, "clamp");
    if (!low && !high) fail(ErrorKind::runtime, "clamp: give min, max or both");
    Tensor y = x.tensor;
    // A bound that the dtype cannot hold would wrap; none of its numbers is beyond it.
    const auto binds = [&](const Arg& bound, bool below) {
        if (bound.is_tensor() || !is_integral(y.dtype()) || is_floating(bound.scalar.dtype))
            return true;
        const auto [least, most] = integers_of(y.dtype());
        const std::int64_t b = bound.scalar.as_integer();
        if (below ? b > most : b < least) check_fits("clamp", b, y.dtype());
        return below ? b >= least : b <= most;
    };
    if (low && !binds(*low, true)) return high ? clamp(x, {}, high) : y;
    if (high && !binds(*high, false)) return low ? clamp(x, low, {}) : y;
    if (low) y = bounded(y, *low, gt, maximum);
    if (high) y = bounded(y, *high, lt, minimum);
    return y;
}

Tensor masked_fill(const Arg& x, const Arg& mask, const Arg& value) {
    const Here here(x.where, "masked_fill");
    if (!mask.is_tensor() || mask.tensor.dtype() != DType::boolean)
        fail(ErrorKind::runtime, "masked_fill: the mask must be a tensor of bool; compare: x != 0");
    if (value.is_tensor() && value.tensor.dims() > 0)
        fail(ErrorKind::runtime, "masked_fill: the value has shape ", text(value.tensor.shape()),
             ", not that of one number");
    return cast(where(mask, value, x), x.tensor.dtype());
}

// x / (1 + e^-x)
Tensor silu(const Arg& x) {
    const Here here(x.where, "silu");
    if (is_low(x)) return rounded(silu(widened(x)), x);
    return mul(x, sigmoid(x));
}

// x P(X <= x) for a normal X; by tanh: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
Tensor gelu(const Arg& x, const std::string& approximate) {
    const Here here(x.where, "gelu");
    if (is_low(x)) return rounded(gelu(widened(x), approximate), x);
    if (approximate == "none") return mul(mul(x, 0.5), add(erf(mul(x, 0.70710678118654752)), 1));
    if (approximate != "tanh")
        fail(ErrorKind::runtime, "gelu: approximate is 'none' or 'tanh', not '", approximate, "'");
    // (1 + tanh u) / 2 = sigmoid(2 u), which keeps its digits where tanh u is close to -1.
    const Tensor twice = mul(add(x, mul(mul(mul(x, x), x), 0.044715)), 2 * 0.79788456080286536);
    return mul(x, sigmoid(twice));
}

// log(1 + e^(beta x)) / beta; x itself where beta x is above the threshold
Tensor softplus(const Arg& x, double beta, double threshold) {
    const Here here(x.where, "softplus");
    if (is_low(x)) return rounded(softplus(widened(x), beta, threshold), x);
    const Tensor scaled = mul(floats(x), beta);
    const Tensor flat = gt(scaled, threshold);
    return where(flat, x, div(log1p(exp(where(flat, 0.0, scaled))), beta));
}

Tensor leaky_relu(const Arg& x, double negative_slope) {
    const Here here(x.where, "leaky_relu");
    if (is_low(x)) return rounded(leaky_relu(widened(x), negative_slope), x);
    return where(gt(x, 0), x, mul(x, negative_slope));
}

// alpha (e^x - 1) below 0
Tensor elu(const Arg& x, double alpha) {
    const Here here(x.where, "elu");
    if (is_low(x)) return rounded(elu(widened(x), alpha), x);
    const Tensor above = gt(x, 0);
    return where(above, x, mul(expm1(where(above, 0.0, x)), alpha));
}

}  // namespace tg
