// Elementwise functions of logarithms, signs and angles, made of others; each is a formula above
// its body.
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include "core/low_precision.h"
#include "core/ops/family.h"

namespace tg {
namespace {

DType dtype_of(const Arg& x) { return x.is_tensor() ? x.tensor.dtype() : x.scalar.dtype; }

void check_floats(const char* op, const Arg& x) {
    if (!is_floating(dtype_of(x)))
        fail(ErrorKind::unsupported, op, ": is not defined for ", name_of(dtype_of(x)),
             "; cast the tensor first");
}

// What a / b is of.
DType div_dtype(const Arg& a, const Arg& b) {
    Promotion common;
    for (const Arg* x : {&a, &b})
        if (x->is_tensor())
            common.tensor(x->tensor.dtype(), x->tensor.dims() > 0);
        else
            common.scalar(x->scalar);
    return is_floating(common.result()) ? common.result() : default_dtype();
}

}  // namespace

Tensor frac(const Arg& x) {
    const Here here(x.where, "frac");
    check_floats("frac", x);
    return sub(x, trunc(x));
}

// 1 with x's sign tells -0 from 0, which a comparison does not
Tensor signbit(const Arg& x) {
    const Here here(x.where, "signbit");
    if (!is_floating(dtype_of(x))) return lt(x, 0);
    return lt(copysign(1.0, x.tensor.detach()), 0);
}

// What is 0 / 0 is computed at 1 instead, so that no NaN gets into the gradient.
Tensor sinc(const Arg& x) {
    const Here here(x.where, "sinc");
    if (is_low(x)) return rounded(sinc(widened(x)), x);
    const Tensor none = eq(x, 0);
    const Tensor angle = mul(where(none, 1.0, x), std::numbers::pi);
    return where(none, 1.0, div(sin(angle), angle));
}

Tensor rad2deg(const Arg& x) {
    const Here here(x.where, "rad2deg");
    return mul(x, 180 / std::numbers::pi);
}

Tensor deg2rad(const Arg& x) {
    const Here here(x.where, "deg2rad");
    return mul(x, std::numbers::pi / 180);
}

// m + log(1 + e^d) for the larger m and d = smaller - larger: no exp overflows. Equal infinities
// have no difference; it counts as 0.
Tensor logaddexp(const Arg& a, const Arg& b) {
    const Here here(a.where, "logaddexp");
    if (!is_floating(dtype_of(a))) check_floats("logaddexp", b);
    const DType dtype = div_dtype(a, b);
    if (is_low_precision(dtype)) return cast(logaddexp(widened(a), widened(b)), dtype);
    for (const Arg* x : {&a, &b})  // a bool has no difference
        if (dtype_of(*x) == DType::boolean && x->is_tensor())
            return x == &a ? logaddexp(cast(a, dtype), b) : logaddexp(a, cast(b, dtype));
    const Tensor first = ge(a, b);
    const Tensor apart = where(first, sub(b, a), sub(a, b));
    const Tensor d = where(logical_and(isinf(a), eq(a, b)), 0.0, apart);
    return add(where(first, a, b), log1p(exp(d)));
}

// logaddexp to base 2: log2(2^a + 2^b)
Tensor logaddexp2(const Arg& a, const Arg& b) {
    const Here here(a.where, "logaddexp2");
    if (!is_floating(dtype_of(a))) check_floats("logaddexp2", b);
    const DType dtype = div_dtype(a, b);
    if (is_low_precision(dtype)) return cast(logaddexp2(widened(a), widened(b)), dtype);
    const auto natural = [&](const Arg& x) { return mul(cast(x, dtype), std::numbers::ln2); };
    return mul(logaddexp(natural(a), natural(b)), std::numbers::log2e);
}

namespace {

// The larger or smaller of two, or the one that is no NaN.
Tensor without_nan(const Arg& a, const Arg& b, Tensor (*extreme)(const Arg&, const Arg&)) {
    const Tensor y = extreme(a, b);
    if (!is_floating(y.dtype())) return y;
    return where(isnan(b), a, where(isnan(a), b, y));
}

}  // namespace

Tensor fmax(const Arg& a, const Arg& b) {
    const Here here(a.where, "fmax");
    return without_nan(a, b, maximum);
}

Tensor fmin(const Arg& a, const Arg& b) {
    const Here here(a.where, "fmin");
    return without_nan(a, b, minimum);
}

Tensor isposinf(const Arg& x) {
    const Here here(x.where, "isposinf");
    if (!is_floating(dtype_of(x))) return ne(x, x);
    return eq(x, std::numeric_limits<double>::infinity());
}

Tensor isneginf(const Arg& x) {
    const Here here(x.where, "isneginf");
    if (!is_floating(dtype_of(x))) return ne(x, x);
    return eq(x, -std::numeric_limits<double>::infinity());
}

// log(x / (1 - x)), of x kept within [eps, 1 - eps]
Tensor logit(const Arg& x, std::optional<double> eps) {
    const Here here(x.where, "logit");
    if (is_low(x)) return rounded(logit(widened(x), eps), x);
    Tensor z = x.tensor;  // at eps itself the gradient is that of x
    if (eps) z = where(lt(z, *eps), *eps, where(gt(z, 1 - *eps), 1 - *eps, z));
    return log(div(z, sub(1.0, z)));
}

// a 2^b
Tensor ldexp(const Arg& a, const Arg& b) {
    const Here here(a.where, "ldexp");
    if (!b.is_tensor()) return mul(a, std::exp2(b.scalar.as_real()));
    return mul(a, pow(2.0, b));
}

// y = a log b, and 0 where a = 0 and b is no NaN  =>  da = g log b, 0 where a = 0 and b has no
// finite logarithm;  db = g a / b
Tensor xlogy(const Arg& a, const Arg& b) {
    const Here here(a.where, "xlogy");
    const DType dtype = div_dtype(a, b);
    if (is_low_precision(dtype)) return cast(xlogy(widened(a), widened(b)), dtype);
    if (!b.is_tensor()) {
        const double l = std::log(b.scalar.as_real());
        if (std::isnan(b.scalar.as_real()) || std::isfinite(l)) return cast(mul(a, l), dtype);
        return cast(where(eq(a, 0), 0.0, mul(a, l)), dtype);
    }
    const Tensor wide = cast(b, dtype);
    if (!a.is_tensor() && a.scalar.as_real() != 0) return mul(log(wide), a);
    Tensor none = logical_or(le(wide, 0), isinf(wide));
    if (a.is_tensor()) none = logical_and(eq(a, 0), none);
    return add(where(none, 0.0, mul(a, log(where(none, 1, wide)))), 0.0);  // not -0
}

Tensor float_power(const Arg& a, const Arg& b) {
    const Here here(a.where, "float_power");
    const auto wide = [](const Arg& x) -> Arg {
        return x.is_tensor() ? Arg(cast(x, DType::float64)) : Arg(x.scalar.as_real());
    };
    return pow(wide(a), wide(b));
}

Tensor heaviside(const Arg& x, const Arg& values) {
    const Here here(x.where, "heaviside");
    if (dtype_of(x) != dtype_of(values))
        fail(ErrorKind::runtime, "heaviside: input is ", name_of(dtype_of(x)), " and values ",
             name_of(dtype_of(values)), "; cast one of them");
    const Tensor flat = x.tensor.detach();
    const Arg at_zero = values.is_tensor() ? Arg(values.tensor.detach()) : values;
    return cast(where(eq(flat, 0), at_zero, gt(flat, 0)), dtype_of(x));
}

}  // namespace tg
