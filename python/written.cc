// More of x.op_(...): divisions, bits, comparisons, angles, blends and products, written into x.
#include "core/ops/written.h"

#include "python/call.h"

namespace tg::python {
namespace {

template <Tensor (*op)(const Arg&)>
PyObject* unary(const Call& c) {
    Tensor& x = c.tensor(0);
    const Where line = python_line();
    compute(work_of(x), [&] { in_place(x, op, c.name(), line); });
    return new_reference(c.self());
}

template <Tensor (*op)(const Arg&, const Arg&)>
PyObject* binary(const Call& c) {
    Tensor& x = c.tensor(0);
    const Arg y = c.operand(1);
    compute(work_of(x), [&] { written(x, op(x, y), c.name()); });
    return new_reference(c.self());
}

// The other one is no number, as in PyTorch.
template <Tensor (*op)(const Arg&, const Arg&)>
PyObject* of_tensor(const Call& c) {
    Tensor& x = c.tensor(0);
    const Arg y(c.tensor(1));
    compute(work_of(x), [&] { written(x, op(x, y), c.name()); });
    return new_reference(c.self());
}

// Computed in float64, which x must be able to hold.
PyObject* float_power_(const Call& c) {
    Tensor& x = c.tensor(0);
    if (x.dtype() != DType::float64)
        fail(ErrorKind::runtime, "float_power_: gives float64, and this tensor is ",
             name_of(x.dtype()), "; use float_power");
    return binary<tg::float_power>(c);
}

PyObject* nan_to_num_(const Call& c) {
    Tensor& x = c.tensor(0);
    std::optional<double> high, low;
    const double nan = c.real(1, 0);
    if (c.given(2)) high = c.real(2, 0);
    if (c.given(3)) low = c.real(3, 0);
    compute(work_of(x), [&] { written(x, tg::nan_to_num(x, nan, high, low), "nan_to_num_"); });
    return new_reference(c.self());
}

PyObject* logit_(const Call& c) {
    Tensor& x = c.tensor(0);
    const auto eps = c.given(1) ? std::optional(c.real(1, 0)) : std::nullopt;
    compute(work_of(x), [&] { written(x, tg::logit(clone(x), eps), "logit_"); });
    return new_reference(c.self());
}

PyObject* polygamma_(const Call& c) {
    Tensor& x = c.tensor(0);
    const std::int64_t n = c.integer(1);
    compute(work_of(x), [&] { written(x, tg::polygamma(n, x), "polygamma_"); });
    return new_reference(c.self());
}

PyObject* lerp_(const Call& c) {
    Tensor& x = c.tensor(0);
    const Arg end(c.tensor(1));
    const Arg weight = c.operand(2);
    compute(work_of(x), [&] { written(x, tg::lerp(x, end, weight), "lerp_"); });
    return new_reference(c.self());
}

template <Tensor (*op)(const Arg&, const Arg&, const Arg&, const Arg&)>
PyObject* added(const Call& c) {
    Tensor& x = c.tensor(0);
    const Arg a(c.tensor(1)), b(c.tensor(2));
    const Arg value(c.given(3) ? c.number(3) : Scalar(1));
    compute(work_of(x), [&] { written(x, op(x, a, b, value), c.name()); });
    return new_reference(c.self());
}

template <Tensor (*op)(const Arg&, const Arg&, const Arg&, const Arg&, const Arg&)>
PyObject* blended(const Call& c) {
    Tensor& x = c.tensor(0);
    const Arg a(c.tensor(1)), b(c.tensor(2));
    const Arg beta(c.given(3) ? c.number(3) : Scalar(1));
    const Arg alpha(c.given(4) ? c.number(4) : Scalar(1));
    compute(work_of(x) + work_of(a), [&] { written(x, op(x, a, b, beta, alpha), c.name()); });
    return new_reference(c.self());
}

// A function made of several, which need what x was: of a copy, that x may be written over.
template <Tensor (*op)(const Arg&, const Arg&)>
PyObject* binary_of_copy(const Call& c) {
    Tensor& x = c.tensor(0);
    const Arg y = c.operand(1);
    compute(work_of(x), [&] { written(x, op(clone(x), y), c.name()); });
    return new_reference(c.self());
}

PyObject* cumprod_(const Call& c) {
    Tensor& x = c.tensor(0);
    const std::int64_t dim = c.integer(1);
    compute(work_of(x), [&] { written(x, tg::cumprod(clone(x), dim), "cumprod_"); });
    return new_reference(c.self());
}

constexpr Place method = Place::method;
const Function functions[] = {
    {"tan_(input)", unary<tg::tan>, "tan, in place.", method},
    {"asin_(input)", unary<tg::asin>, "asin, in place.", method},
    {"acos_(input)", unary<tg::acos>, "acos, in place.", method},
    {"atan_(input)", unary<tg::atan>, "atan, in place.", method},
    {"sinh_(input)", unary<tg::sinh>, "sinh, in place.", method},
    {"cosh_(input)", unary<tg::cosh>, "cosh, in place.", method},
    {"asinh_(input)", unary<tg::asinh>, "asinh, in place.", method},
    {"acosh_(input)", unary<tg::acosh>, "acosh, in place.", method},
    {"atanh_(input)", unary<tg::atanh>, "atanh, in place.", method},
    {"exp2_(input)", unary<tg::exp2>, "exp2, in place.", method},
    {"log2_(input)", unary<tg::log2>, "log2, in place.", method},
    {"log10_(input)", unary<tg::log10>, "log10, in place.", method},
    {"frac_(input)", unary<tg::frac>, "frac, in place.", method},
    {"sgn_(input)", unary<tg::sign>, "sgn, in place.", method},
    {"sinc_(input)", unary<tg::sinc>, "sinc, in place.", method},
    {"rad2deg_(input)", unary<tg::rad2deg>, "rad2deg, in place.", method},
    {"deg2rad_(input)", unary<tg::deg2rad>, "deg2rad, in place.", method},
    {"bitwise_not_(input)", unary<tg::bitwise_not>, "bitwise_not, in place.", method},
    {"atan2_(input, other)", binary<tg::atan2>, "atan2, in place.", method},
    {"hypot_(input, other)", binary<tg::hypot>, "hypot, in place.", method},
    {"copysign_(input, other)", binary<tg::copysign>, "copysign, in place.", method},
    {"xlogy_(input, other)", binary_of_copy<tg::xlogy>, "xlogy, in place.", method},
    {"float_power_(input, exponent)", float_power_, "float_power, in place, of float64.", method},
    {"ldexp_(input, other)", of_tensor<tg::ldexp>, "ldexp, in place.", method},
    {"heaviside_(input, values)", of_tensor<tg::heaviside>, "heaviside, in place.", method},
    {"logit_(input, eps=None)", logit_, "logit, in place.", method},
    {"lgamma_(input)", unary<tg::lgamma>, "lgamma, in place.", method},
    {"digamma_(input)", unary<tg::digamma>, "digamma, in place.", method},
    {"polygamma_(input, n)", polygamma_, "polygamma, in place.", method},
    {"nan_to_num_(input, nan=None, posinf=None, neginf=None)", nan_to_num_, "nan_to_num, in place.",
     method},
    {"fmod_(input, other)", binary<tg::fmod>, "fmod, in place.", method},
    {"remainder_(input, other)", binary<tg::remainder>, "x %= other.", method},
    {"floor_divide_(input, other)", binary<tg::floor_divide>, "x //= other.", method},
    {"bitwise_and_(input, other)", binary<tg::bitwise_and>, "x &= other.", method},
    {"bitwise_or_(input, other)", binary<tg::bitwise_or>, "x |= other.", method},
    {"bitwise_xor_(input, other)", binary<tg::bitwise_xor>, "x ^= other.", method},
    {"bitwise_left_shift_(input, other)", binary<tg::bitwise_left_shift>, "x <<= other.", method},
    {"bitwise_right_shift_(input, other)", binary<tg::bitwise_right_shift>, "x >>= other.", method},
    {"eq_(input, other)", binary<tg::eq>, "eq, as 1 and 0, in place.", method},
    {"ne_(input, other)", binary<tg::ne>, "ne, as 1 and 0, in place.", method},
    {"lt_(input, other)", binary<tg::lt>, "lt, as 1 and 0, in place.", method},
    {"le_(input, other)", binary<tg::le>, "le, as 1 and 0, in place.", method},
    {"gt_(input, other)", binary<tg::gt>, "gt, as 1 and 0, in place.", method},
    {"ge_(input, other)", binary<tg::ge>, "ge, as 1 and 0, in place.", method},
    {"lerp_(input, end, weight)", lerp_, "lerp, in place.", method},
    {"addcmul_(input, tensor1, tensor2, *, value=1)", added<tg::addcmul>,
     "x += value * tensor1 * tensor2.", method},
    {"addcdiv_(input, tensor1, tensor2, *, value=1)", added<tg::addcdiv>,
     "x += value * tensor1 / tensor2.", method},
    {"addmm_(input, mat1, mat2, *, beta=1, alpha=1)", blended<tg::addmm>, "addmm, in place.",
     method},
    {"baddbmm_(input, batch1, batch2, *, beta=1, alpha=1)", blended<tg::baddbmm>,
     "baddbmm, in place.", method},
    {"addbmm_(input, batch1, batch2, *, beta=1, alpha=1)", blended<tg::addbmm>, "addbmm, in place.",
     method},
    {"addmv_(input, mat, vec, *, beta=1, alpha=1)", blended<tg::addmv>, "addmv, in place.", method},
    {"addr_(input, vec1, vec2, *, beta=1, alpha=1)", blended<tg::addr>, "addr, in place.", method},
    {"cumprod_(input, dim)", cumprod_, "cumprod, in place.", method},
};

}  // namespace

void bind_written(py::module_& m) { add_functions(m, functions); }

}  // namespace tg::python
