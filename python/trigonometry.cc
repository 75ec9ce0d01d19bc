// Angles, hyperbolas, shifts of bits, and functions of logarithms and signs.
#include "python/pointwise.h"

namespace tg::python {
namespace {

// Of two tensors, as PyTorch has these; a number is a mistake.
template <Tensor (*op)(const Arg&, const Arg&)>
PyObject* of_tensors(const Call& c) {
    const Arg a(c.tensor(0)), b(c.tensor(1));
    return wrap(compute(std::max(work_of(a), work_of(b)), [&] { return op(a, b); }));
}

PyObject* logit(const Call& c) {
    const Arg x(c.tensor(0));
    const auto eps = c.given(1) ? std::optional(c.real(1, 0)) : std::nullopt;
    return wrap(compute(work_of(x), [&] { return tg::logit(x, eps); }));
}

PyObject* polygamma(const Call& c) {
    const std::int64_t n = c.integer(0);
    const Arg x(c.tensor(1));
    return wrap(compute(work_of(x), [&] { return tg::polygamma(n, x); }));
}

PyObject* polygamma_of(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t n = c.integer(1);
    return wrap(compute(work_of(x), [&] { return tg::polygamma(n, x); }));
}

PyObject* positive(const Call& c) {
    if (c.tensor(0).dtype() == DType::boolean)
        fail(ErrorKind::unsupported, "positive: is not defined for bool; cast the tensor first");
    return new_reference(c.self());
}

const Function functions[] = {
    {"tan(input)", unary<tg::tan>, "The tangent, of radians."},
    {"asin(input)", unary<tg::asin>, "The angle with this sine; NaN outside of [-1, 1]."},
    {"acos(input)", unary<tg::acos>, "The angle with this cosine; NaN outside of [-1, 1]."},
    {"atan(input)", unary<tg::atan>, "The angle with this tangent, in [-pi/2, pi/2]."},
    {"atan2(input, other)", of_tensors<tg::atan2>,
     "The angle of the point (other, input), in [-pi, pi]. Broadcasts."},
    {"sinh(input)", unary<tg::sinh>, "The hyperbolic sine."},
    {"cosh(input)", unary<tg::cosh>, "The hyperbolic cosine."},
    {"asinh(input)", unary<tg::asinh>, "The number with this hyperbolic sine."},
    {"acosh(input)", unary<tg::acosh>, "The number with this hyperbolic cosine; NaN below 1."},
    {"atanh(input)", unary<tg::atanh>,
     "The number with this hyperbolic tangent; NaN outside of [-1, 1]."},
    {"exp2(input)", unary<tg::exp2>, "2 to the power of each element."},
    {"hypot(input, other)", of_tensors<tg::hypot>,
     "sqrt(input^2 + other^2), of floats, without overflow. Broadcasts."},
    {"copysign(input, other)", binary<tg::copysign>,
     "|input| with the sign of other, a tensor or a number, also of -0. Broadcasts."},
    {"frac(input)", unary<tg::frac>, "What is behind the point: input - trunc(input), of floats."},
    {"sgn(input)", unary<tg::sign>, "-1, 0 or 1: sign."},
    {"signbit(input)", unary<tg::signbit>, "Where an element is below 0, or -0: a tensor of bool."},
    {"sinc(input)", unary<tg::sinc>, "sin(pi input) / (pi input), and 1 at 0."},
    {"rad2deg(input)", unary<tg::rad2deg>, "Radians as degrees: 180 / pi input."},
    {"deg2rad(input)", unary<tg::deg2rad>, "Degrees as radians: pi / 180 input."},
    {"logaddexp(input, other)", of_tensors<tg::logaddexp>,
     "log(exp(input) + exp(other)), of floats, without overflow. Broadcasts."},
    {"logaddexp2(input, other)", of_tensors<tg::logaddexp2>,
     "log2(2^input + 2^other), of floats, without overflow. Broadcasts."},
    {"fmax(input, other)", of_tensors<tg::fmax>,
     "The larger of each two elements; of a NaN and a number the number. Broadcasts."},
    {"fmin(input, other)", of_tensors<tg::fmin>,
     "The smaller of each two elements; of a NaN and a number the number. Broadcasts."},
    {"isposinf(input)", unary<tg::isposinf>, "Where an element is +infinity: a tensor of bool."},
    {"isneginf(input)", unary<tg::isneginf>, "Where an element is -infinity: a tensor of bool."},
    {"ldexp(input, other)", of_tensors<tg::ldexp>, "input * 2^other; floating. Broadcasts."},
    {"logit(input, eps=None)", logit,
     "log(z / (1 - z)), sigmoid's inverse, of z = input, or input kept within [eps, 1 - eps]."},
    {"lgamma(input)", unary<tg::lgamma>, "The logarithm of |gamma(input)|; infinity at 0, -1, ..."},
    {"digamma(input)", unary<tg::digamma>, "The derivative of lgamma."},
    {"polygamma(n, input)", polygamma,
     "The derivative of digamma of order n, an int from 0 on; digamma itself for 0.",
     Place::function},
    {"polygamma(input, n)", polygamma_of,
     "The derivative of digamma of order n, an int from 0 on; digamma itself for 0.",
     Place::method},
    {"xlogy(input, other)", binary<tg::xlogy>,
     "input * log(other), and 0 where input is 0 and other is not NaN. Broadcasts."},
    {"float_power(input, exponent)", binary<tg::float_power>, "pow, computed in float64."},
    {"heaviside(input, values)", of_tensors<tg::heaviside>,
     "0 below 0, 1 above, and values at 0; both of one dtype. Not differentiable."},
    {"bitwise_left_shift(input, other)", binary<tg::bitwise_left_shift>,
     "input << other, of integers: 0 where other is negative, or the number of bits or more."},
    {"bitwise_right_shift(input, other)", binary<tg::bitwise_right_shift>,
     "input >> other, of integers; the sign's bit comes in from the left."},
    {"positive(input)", positive, "input itself; NotImplementedError for bool."},
};

}  // namespace

void bind_trigonometry(py::module_& m) { add_functions(m, functions); }

}  // namespace tg::python
