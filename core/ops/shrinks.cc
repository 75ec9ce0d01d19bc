// Activations that scale themselves or shrink small numbers to 0, made of other ops.
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

// s x above 0, s a (e^x - 1) below, with s and a for which mean 0 and variance 1 stay so
// [Klambauer et al. 2017, Self-normalizing neural networks, 2]
Tensor selu(const Arg& x) {
    const Here here(x.where, "selu");
    check_floating("selu", x);
    if (is_low(x)) return rounded(selu(widened(x)), x);
    constexpr double a = 1.6732632423543772, s = 1.0507009873554805;
    const Tensor above = gt(x, 0);
    return where(above, mul(x, s), mul(expm1(where(above, 0.0, x)), a * s));
}

// x above 0, a (e^(x / a) - 1) below
Tensor celu(const Arg& x, double alpha) {
    const Here here(x.where, "celu");
    check_floating("celu", x);
    if (is_low(x)) return rounded(celu(widened(x), alpha), x);
    if (alpha == 0) fail(ErrorKind::runtime, "celu: alpha is 0, and divides");
    const Tensor above = gt(x, 0);
    return where(above, x, mul(expm1(where(above, 0.0, mul(x, 1 / alpha))), alpha));
}

// x, and 0 where |x| <= lambd
Tensor hardshrink(const Arg& x, double lambd) {
    const Here here(x.where, "hardshrink");
    check_floating("hardshrink", x);
    return where(le(abs(x), lambd), 0.0, x);
}

// x - lambd above lambd, x + lambd below -lambd, else 0; NaN stays
Tensor softshrink(const Arg& x, double lambd) {
    const Here here(x.where, "softshrink");
    check_floating("softshrink", x);
    if (!(lambd >= 0)) fail(ErrorKind::runtime, "softshrink: lambd is ", lambd, ", below 0");
    const Tensor inside = where(eq(x, x), 0.0, x);
    return where(gt(x, lambd), sub(x, lambd), where(lt(x, -lambd), add(x, lambd), inside));
}

// x, and value where x <= threshold
Tensor threshold(const Arg& x, double threshold, double value) {
    const Here here(x.where, "threshold");
    return cast(where(le(x, threshold), value, x), x.tensor.dtype());
}

}  // namespace tg
