// The elementwise functions and comparisons: tg.exp(x), x.exp(), tg.maximum(a, b), ...
#include "core/ops.h"
#include "python/call.h"

namespace tg::python {
namespace {

template <Tensor (*op)(const Arg&)>
PyObject* unary(const Call& c) {
    const Arg x(c.tensor(0));
    return wrap(compute(work_of(x), [&] { return op(x); }));
}

template <Tensor (*op)(const Arg&, const Arg&)>
PyObject* binary(const Call& c) {
    const Arg a = c.operand(0);
    const Arg b = c.operand(1);
    if (!a.is_tensor() && !b.is_tensor()) c.wrong(0, "a tensor");
    return wrap(compute(std::max(work_of(a), work_of(b)), [&] { return op(a, b); }));
}

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

PyObject* clamp(const Call& c) {
    Arg x(c.tensor(0));
    if (!c.given(1) && !c.given(2)) fail(ErrorKind::runtime, "clamp: give min, max or both");
    return wrap(compute(work_of(x), [&] {
        if (c.given(1)) x.tensor = maximum(x, c.operand(1));
        if (c.given(2)) x.tensor = minimum(x, c.operand(2));
        return x.tensor;
    }));
}

const Function functions[] = {
    {"add(input, other, *, alpha=1)", scaled<tg::add, tg::add>,
     "input + alpha * other. Broadcasts."},
    {"sub(input, other, *, alpha=1)", scaled<tg::sub, tg::sub>,
     "input - alpha * other. Broadcasts."},
    {"mul(input, other)", binary<tg::mul>, "input * other. Broadcasts."},
    {"div(input, other)", binary<tg::div>, "input / other; integers become floating."},
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
    {"logical_not(input)", unary<tg::logical_not>, "Where an element is 0: a tensor of bool."},
    {"clamp(input, min=None, max=None)", clamp, "input, kept within [min, max]."},
    {"where(condition, input, other)", where_function,
     "input where condition, a tensor of bool, is true; other elsewhere. Broadcasts.",
     Place::function},
    {"where(input, condition, other)", where_method,
     "This tensor where condition, a tensor of bool, is true; other elsewhere.", Place::method},
};

}  // namespace

void bind_elementwise(py::module_& m) { add_functions(m, functions); }

}  // namespace tg::python
