// The elementwise functions and comparisons: tg.exp(x), x.exp(), tg.maximum(a, b), ...
#include <cmath>
#include <optional>

#include "core/ops.h"
#include "python/pointwise.h"

namespace tg::python {
namespace {

// add(a, b, alpha=2) is a + 2 b, with the product rounded first.
template <Tensor (*op)(const Arg&, const Arg&), Tensor (*by)(const Arg&, const Arg&, const Arg&)>
PyObject* scaled(const Call& c) {
    if (!c.given(2)) return binary<op>(c);
    const Arg a = c.operand(0);
    const Arg b = c.operand(1);
    if (!a.is_tensor() && !b.is_tensor()) c.wrong(0, "a tensor");
    const Arg alpha(c.number(2));
    return wrap(compute(std::max(work_of(a), work_of(b)), [&] { return by(a, b, alpha); }));
}

// div(a, b), and its quotient rounded to -infinity or to 0.
PyObject* div(const Call& c) {
    if (!c.given(2)) return binary<tg::div>(c);
    const std::string mode = c.string(2);
    const Arg a = c.operand(0);
    const Arg b = c.operand(1);
    if (!a.is_tensor() && !b.is_tensor()) c.wrong(0, "a tensor");
    return wrap(compute(std::max(work_of(a), work_of(b)), [&] { return div_rounded(a, b, mode); }));
}

PyObject* round(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t decimals = c.integer(1, 0);
    return wrap(compute(work_of(x), [&] { return tg::round(x, decimals); }));
}

// where(condition, a, b), and as in PyTorch x.where(condition, other).
PyObject* where_function(const Call& c) {
    const Arg condition(c.tensor(0));
    const Arg a = c.operand(1);
    const Arg b = c.operand(2);
    const std::int64_t work = std::max({work_of(condition), work_of(a), work_of(b)});
    return wrap(compute(work, [&] { return where(condition, a, b); }));
}

PyObject* where_method(const Call& c) {
    const Arg x(c.tensor(0));
    const Arg condition(c.tensor(1));
    const Arg other = c.operand(2);
    return wrap(compute(work_of(x), [&] { return where(condition, x, other); }));
}

std::optional<Arg> operand_if_given(const Call& c, int i) {
    return c.given(i) ? std::optional<Arg>(c.operand(i)) : std::nullopt;
}

PyObject* clamp(const Call& c) {
    const Arg x(c.tensor(0));
    const auto low = operand_if_given(c, 1);
    const auto high = operand_if_given(c, 2);
    return wrap(compute(work_of(x), [&] { return tg::clamp(x, low, high); }));
}

PyObject* masked_fill(const Call& c) {
    const Arg x(c.tensor(0));
    const Arg mask(c.tensor(1));
    const Arg value = c.operand(2);
    return wrap(compute(work_of(x), [&] { return tg::masked_fill(x, mask, value); }));
}

PyObject* gelu(const Call& c) {
    const Arg x(c.tensor(0));
    const std::string approximate = c.given(1) ? c.string(1) : "none";
    return wrap(compute(work_of(x), [&] { return tg::gelu(x, approximate); }));
}

PyObject* softplus(const Call& c) {
    const Arg x(c.tensor(0));
    const double beta = c.real(1, 1);
    const double threshold = c.real(2, 20);
    return wrap(compute(work_of(x), [&] { return tg::softplus(x, beta, threshold); }));
}

template <Tensor (*op)(const Arg&, double), int tenth_of_percent>
PyObject* with_number(const Call& c) {
    const Arg x(c.tensor(0));
    const double number = c.real(1, tenth_of_percent / 1000.0);
    return wrap(compute(work_of(x), [&] { return op(x, number); }));
}

const Function functions[] = {
    {"add(input, other, *, alpha=1)", scaled<tg::add, tg::add>,
     "input + alpha * other. Broadcasts."},
    {"sub(input, other, *, alpha=1)", scaled<tg::sub, tg::sub>,
     "input - alpha * other. Broadcasts."},
    {"mul(input, other)", binary<tg::mul>, "input * other. Broadcasts."},
    {"div(input, other, *, rounding_mode=None)", div,
     "input / other; integers become floating. rounding_mode: 'trunc' rounds the quotient to 0,\n"
     "'floor' down, and integers stay integers; RuntimeError for another."},
    {"pow(input, exponent)", binary<tg::pow>, "input to the power of exponent. Broadcasts."},
    {"maximum(input, other)", binary<tg::maximum>, "The larger of each two elements; NaN wins."},
    {"minimum(input, other)", binary<tg::minimum>, "The smaller of each two elements; NaN wins."},
    {"eq(input, other)", binary<tg::eq>, "Where they are equal: a tensor of bool."},
    {"ne(input, other)", binary<tg::ne>, "Where they differ: a tensor of bool."},
    {"lt(input, other)", binary<tg::lt>, "Where input < other: a tensor of bool."},
    {"le(input, other)", binary<tg::le>, "Where input <= other: a tensor of bool."},
    {"gt(input, other)", binary<tg::gt>, "Where input > other: a tensor of bool."},
    {"ge(input, other)", binary<tg::ge>, "Where input >= other: a tensor of bool."},
    {"neg(input)", unary<tg::neg>, "-input."},
    {"exp(input)", unary<tg::exp>, "e to the power of each element."},
    {"log(input)", unary<tg::log>, "The natural logarithm: -inf at 0, NaN below."},
    {"tanh(input)", unary<tg::tanh>, "The hyperbolic tangent."},
    {"sqrt(input)", unary<tg::sqrt>, "The square root; NaN below 0."},
    {"abs(input)", unary<tg::abs>, "The absolute value."},
    {"sign(input)", unary<tg::sign>, "-1, 0 or 1."},
    {"relu(input)", unary<tg::relu>, "max(input, 0)."},
    {"rsqrt(input)", unary<tg::rsqrt>, "1 / sqrt(input)."},
    {"square(input)", unary<tg::square>, "input * input."},
    {"reciprocal(input)", unary<tg::reciprocal>, "1 / input; integers become floating."},
    {"expm1(input)", unary<tg::expm1>, "exp(input) - 1, exact near 0."},
    {"log1p(input)", unary<tg::log1p>, "log(1 + input), exact near 0."},
    {"sigmoid(input)", unary<tg::sigmoid>, "1 / (1 + exp(-input))."},
    {"sin(input)", unary<tg::sin>, "The sine, of radians."},
    {"cos(input)", unary<tg::cos>, "The cosine, of radians."},
    {"erf(input)", unary<tg::erf>, "The error function."},
    {"floor(input)", unary<tg::floor>, "The largest integer that is not above."},
    {"ceil(input)", unary<tg::ceil>, "The smallest integer that is not below."},
    {"round(input, *, decimals=0)", round,
     "The nearest integer; halves go to the even one. decimals: digits kept after the point, or\n"
     "below 0 rounded off before it; not for integers (NotImplementedError)."},
    {"trunc(input)", unary<tg::trunc>, "The integer part."},
    {"isnan(input)", unary<tg::isnan>, "Where an element is NaN: a tensor of bool."},
    {"isinf(input)", unary<tg::isinf>, "Where an element is infinite, of either sign."},
    {"isfinite(input)", unary<tg::isfinite>, "Where an element is neither infinite nor NaN."},
    {"logical_and(input, other)", binary<tg::logical_and>, "Where both are not 0."},
    {"logical_or(input, other)", binary<tg::logical_or>, "Where one at least is not 0."},
    {"logical_xor(input, other)", binary<tg::logical_xor>, "Where exactly one is not 0."},
    {"masked_fill(input, mask, value)", masked_fill,
     "value where mask, a tensor of bool, is true; input elsewhere, in input's dtype."},
    {"logical_not(input)", unary<tg::logical_not>, "Where an element is 0: a tensor of bool."},
    {"clamp(input, min=None, max=None)", clamp, "input, kept within [min, max]."},
    {"where(condition, input, other)", where_function,
     "input where condition, a tensor of bool, is true; other elsewhere. Broadcasts.",
     Place::function},
    {"where(input, condition, other)", where_method,
     "This tensor where condition, a tensor of bool, is true; other elsewhere.", Place::method},
};

constexpr Place function = Place::function;
const Function in_functional[] = {
    {"silu(input)", unary<tg::silu>, "input * sigmoid(input).", function},
    {"gelu(input, approximate='none')", gelu,
     "input * P(X <= input) for a normal X; approximate='tanh' is the older formula.", function},
    {"softplus(input, beta=1, threshold=20)", softplus,
     "log(1 + exp(beta * input)) / beta; input itself where beta * input > threshold.", function},
    {"leaky_relu(input, negative_slope=0.01)", with_number<tg::leaky_relu, 10>,
     "input where it is above 0, negative_slope * input elsewhere.", function},
    {"elu(input, alpha=1)", with_number<tg::elu, 1000>,
     "input where it is above 0, alpha * (exp(input) - 1) elsewhere.", function},
};

}  // namespace

void bind_elementwise(py::module_& m) {
    add_functions(m, functions);
    add_functions(m, in_functional);
}

}  // namespace tg::python
