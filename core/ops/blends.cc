// Elementwise functions of two and three tensors, made of others, and how alike two tensors are.
#include <cmath>
#include <limits>

#include "core/low_precision.h"
#include "core/ops/family.h"

namespace tg {
namespace {

bool is_whole(const Arg& x) {
    return !is_floating(x.is_tensor() ? x.tensor.dtype() : x.scalar.dtype);
}

void check_value(const char* op, const Arg& x, const Arg& value) {
    if (is_whole(x) && !is_whole(value))
        fail(ErrorKind::runtime, op, ": value is ", text(value.scalar),
             ", but the tensors are of integers; cast them, or use a whole value");
}

DType dtype_of(const Arg& x) { return x.is_tensor() ? x.tensor.dtype() : x.scalar.dtype; }

void check_dtypes(const char* op, const Arg& a, const Arg& b) {
    if (a.is_tensor() && b.is_tensor() && dtype_of(a) != dtype_of(b))
        fail(ErrorKind::runtime, op, ": tensors of ", name_of(dtype_of(a)), " and ",
             name_of(dtype_of(b)), "; cast one of them");
}

// The largest number of a floating dtype.
double largest(DType dtype) {
    switch (dtype) {
        case DType::float16:
            return 65504;
        case DType::bfloat16:
            return 0x1.fep127;
        case DType::float32:
            return static_cast<double>(std::numeric_limits<float>::max());
        default:
            return std::numeric_limits<double>::max();
    }
}

}  // namespace

// start + weight (end - start), from the nearer end, so that weight 1 gives end itself
Tensor lerp(const Arg& start, const Arg& end, const Arg& weight) {
    const Here here(start.where, "lerp");
    check_dtypes("lerp", start, end);
    if (!weight.is_tensor() || weight.tensor.dims() > 0) check_dtypes("lerp", start, weight);
    if (is_whole(start))
        fail(ErrorKind::unsupported, "lerp: is not defined for ", name_of(dtype_of(start)),
             "; cast the tensor first");
    if (is_low(start)) return rounded(lerp(widened(start), widened(end), widened(weight)), start);
    const Tensor way = sub(end, start);
    const auto from_start = [&] { return add(start, mul(way, weight)); };
    const auto from_end = [&] { return sub(end, mul(way, sub(1, weight))); };
    if (weight.is_tensor()) return where(lt(abs(weight), 0.5), from_start(), from_end());
    const double w = weight.scalar.as_real();
    return std::abs(w) < 0.5 ? from_start() : sub(end, mul(way, 1 - w));
}

Tensor addcmul(const Arg& x, const Arg& a, const Arg& b, const Arg& value) {
    const Here here(x.where, "addcmul");
    if (is_low(x)) return rounded(addcmul(widened(x), widened(a), widened(b), value), x, a, b);
    check_value("addcmul", x, value);
    return add(x, mul(mul(a, b), value));
}

Tensor addcdiv(const Arg& x, const Arg& a, const Arg& b, const Arg& value) {
    const Here here(x.where, "addcdiv");
    if (is_low(x)) return rounded(addcdiv(widened(x), widened(a), widened(b), value), x, a, b);
    if (is_whole(a) && is_whole(b))
        fail(ErrorKind::runtime,
             "addcdiv: two tensors of integers; cast them, or use floor_divide and add");
    return add(x, mul(div(a, b), value));
}

Tensor nan_to_num(const Arg& x, double nan, std::optional<double> posinf,
                  std::optional<double> neginf) {
    const Here here(x.where, "nan_to_num");
    if (is_whole(x)) return clone(x);
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const double most = largest(x.tensor.dtype());
    const Tensor low = where(eq(x, -infinity), neginf.value_or(-most), x);
    const Tensor both = where(eq(x, infinity), posinf.value_or(most), low);
    return where(ne(x, x), nan, both);
}

// Equal, infinities among them; or both finite and near.
Tensor isclose(const Arg& a, const Arg& b, const Closeness& c) {
    const Here here(a.where, "isclose");
    check_dtypes("isclose", a, b);
    if (!(c.rtol >= 0) || !(c.atol >= 0))
        fail(ErrorKind::runtime, "isclose: rtol is ", c.rtol, " and atol ", c.atol,
             "; both must be at least 0");
    Tensor close = eq(a, b);
    if (c.equal_nan && !is_whole(a)) close = logical_or(close, logical_and(isnan(a), isnan(b)));
    if (c.rtol == 0 && c.atol == 0) return close;
    const Tensor wanted = is_whole(b) ? cast(b, default_dtype()) : b.tensor;
    const Tensor apart = abs(sub(is_whole(a) ? cast(a, wanted.dtype()) : a.tensor, wanted));
    const Tensor allowed = add(abs(mul(wanted, c.rtol)), c.atol);
    return logical_or(close, logical_and(isfinite(apart), le(apart, allowed)));
}

bool allclose(const Arg& a, const Arg& b, const Closeness& c) {
    const Here here(a.where, "allclose");
    return all(isclose(a, b, c)).item_scalar(a.where).as_integer() != 0;
}

bool equal(const Arg& a, const Arg& b) {
    const Here here(a.where, "equal");
    if (a.tensor.shape() != b.tensor.shape()) return false;
    return all(eq(a, b)).item_scalar(a.where).as_integer() != 0;
}

}  // namespace tg
