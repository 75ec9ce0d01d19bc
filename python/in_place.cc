// x.add_(y), x.exp_(), ...: written into x's bytes; each gives back x, the very same object.
#include "core/history.h"
#include "core/ops/written.h"
#include "python/generator.h"

namespace tg::python {
namespace {

template <Tensor& (*op)(Tensor&, const Arg&)>
PyObject* binary(const Call& c) {
    Tensor& x = c.tensor(0);
    const Arg y = c.operand(1);
    compute(work_of(x), [&] { op(x, y); });
    return new_reference(c.self());
}

template <Tensor& (*op)(Tensor&, const Arg&, const Arg&)>
PyObject* scaled(const Call& c) {
    Tensor& x = c.tensor(0);
    const Arg y = c.operand(1);
    const Arg alpha = c.given(2) ? c.operand(2) : Arg(1);
    compute(work_of(x), [&] { op(x, y, alpha); });
    return new_reference(c.self());
}

template <Tensor (*op)(const Arg&)>
PyObject* unary(const Call& c) {
    Tensor& x = c.tensor(0);
    const Where line = python_line();  // asked for while we hold the interpreter's lock
    compute(work_of(x), [&] { in_place(x, op, c.name(), line); });
    return new_reference(c.self());
}

PyObject* pow_(const Call& c) {
    Tensor& x = c.tensor(0);
    const Arg y = c.operand(1);
    compute(work_of(x), [&] { written(x, pow(x, y), "pow_"); });
    return new_reference(c.self());
}

PyObject* clamp_(const Call& c) {
    Tensor& x = c.tensor(0);
    if (!c.given(1) && !c.given(2)) fail(ErrorKind::runtime, "clamp_: give min, max or both");
    std::optional<Arg> low, high;
    if (c.given(1)) low = c.operand(1);
    if (c.given(2)) high = c.operand(2);
    compute(work_of(x), [&] { written(x, tg::clamp(x, low, high), "clamp_"); });
    return new_reference(c.self());
}

PyObject* div_(const Call& c) {
    if (!c.given(2)) return binary<tg::div_>(c);
    Tensor& x = c.tensor(0);
    const Arg y = c.operand(1);
    const std::string mode = c.string(2);
    compute(work_of(x), [&] { written(x, div_rounded(x, y, mode), "div_"); });
    return new_reference(c.self());
}

PyObject* round_(const Call& c) {
    const std::int64_t decimals = c.integer(1, 0);
    if (decimals == 0) return unary<tg::round>(c);
    Tensor& x = c.tensor(0);
    compute(work_of(x), [&] { written(x, tg::round(x, decimals), "round_"); });
    return new_reference(c.self());
}

PyObject* masked_fill_(const Call& c) {
    Tensor& x = c.tensor(0);
    const Arg mask(c.tensor(1));
    const Arg value = c.operand(2);
    compute(work_of(x), [&] { written(x, tg::masked_fill(x, mask, value), "masked_fill_"); });
    return new_reference(c.self());
}

PyObject* zero_(const Call& c) {
    tg::zero_(c.tensor(0), python_line());
    return new_reference(c.self());
}

template <Tensor (*op)(const Arg&, std::int64_t)>
PyObject* along(const Call& c) {
    Tensor& x = c.tensor(0);
    const Where line = python_line();
    compute(work_of(x), [&] {
        const Here here(line);
        written(x, op(x, c.integer(1, 0)), c.name());
    });
    return new_reference(c.self());
}

template <Tensor (*op)(const Arg&, const Arg&)>
PyObject* logical(const Call& c) {
    Tensor& x = c.tensor(0);
    const Arg y = c.operand(1);
    compute(work_of(x), [&] { written(x, op(x, y), c.name()); });
    return new_reference(c.self());
}

// Uniform and normal numbers.
PyObject* uniform_(const Call& c) {
    Tensor& x = c.tensor(0);
    const double from = c.real(1, 0.0);
    const double to = c.real(2, 1.0);
    if (!(from <= to))
        fail(ErrorKind::runtime, "uniform_: from is ", from, " and to is ", to,
             "; from must not be above to");
    const Tensor u = rand(x.shape(), {x.dtype(), x.device()}, generator_in(c, 3), python_line());
    compute(work_of(x), [&] { write(x, add(mul(u, to - from), from), "uniform_"); });
    return new_reference(c.self());
}
PyObject* normal_(const Call& c) {
    Tensor& x = c.tensor(0);
    const double mean = c.real(1, 0.0);
    const double std = c.real(2, 1.0);
    if (!(std >= 0)) fail(ErrorKind::runtime, "normal_: std is ", std, ", and must be at least 0");
    const Tensor n = randn(x.shape(), {x.dtype(), x.device()}, generator_in(c, 3), python_line());
    compute(work_of(x), [&] { write(x, add(mul(n, std), mean), "normal_"); });
    return new_reference(c.self());
}

constexpr Place method = Place::method;
const Function functions[] = {
    {"add_(input, other, *, alpha=1)", scaled<tg::add_>, "x += alpha * other.", method},
    {"sub_(input, other, *, alpha=1)", scaled<tg::sub_>, "x -= alpha * other.", method},
    {"mul_(input, other)", binary<tg::mul_>, "x *= other.", method},
    {"div_(input, other, *, rounding_mode=None)", div_, "x /= other; rounding_mode as of div.",
     method},
    {"pow_(input, exponent)", pow_, "x **= exponent.", method},
    {"copy_(input, src)", binary<tg::copy_>, "Writes src, which broadcasts, into x.", method},
    {"fill_(input, value)", binary<tg::fill_>, "Writes one number into every element.", method},
    {"zero_(input)", zero_, "Writes 0 into every element.", method},
    {"clamp_(input, min=None, max=None)", clamp_, "Keeps every element within [min, max].", method},
    {"neg_(input)", unary<tg::neg>, "neg, in place.", method},
    {"exp_(input)", unary<tg::exp>, "exp, in place.", method},
    {"log_(input)", unary<tg::log>, "log, in place.", method},
    {"tanh_(input)", unary<tg::tanh>, "tanh, in place.", method},
    {"sqrt_(input)", unary<tg::sqrt>, "sqrt, in place.", method},
    {"abs_(input)", unary<tg::abs>, "abs, in place.", method},
    {"sign_(input)", unary<tg::sign>, "sign, in place.", method},
    {"relu_(input)", unary<tg::relu>, "relu, in place.", method},
    {"sigmoid_(input)", unary<tg::sigmoid>, "sigmoid, in place.", method},
    {"rsqrt_(input)", unary<tg::rsqrt>, "rsqrt, in place.", method},
    {"square_(input)", unary<tg::square>, "square, in place.", method},
    {"reciprocal_(input)", unary<tg::reciprocal>, "reciprocal, in place.", method},
    {"sin_(input)", unary<tg::sin>, "sin, in place.", method},
    {"cos_(input)", unary<tg::cos>, "cos, in place.", method},
    {"erf_(input)", unary<tg::erf>, "erf, in place.", method},
    {"floor_(input)", unary<tg::floor>, "floor, in place.", method},
    {"ceil_(input)", unary<tg::ceil>, "ceil, in place.", method},
    {"round_(input, *, decimals=0)", round_, "round, in place.", method},
    {"trunc_(input)", unary<tg::trunc>, "trunc, in place.", method},
    {"log1p_(input)", unary<tg::log1p>, "log1p, in place.", method},
    {"expm1_(input)", unary<tg::expm1>, "expm1, in place.", method},
    {"logical_not_(input)", unary<tg::logical_not>, "logical_not, in place.", method},
    {"logical_and_(input, other)", logical<tg::logical_and>, "logical_and, in place.", method},
    {"logical_or_(input, other)", logical<tg::logical_or>, "logical_or, in place.", method},
    {"logical_xor_(input, other)", logical<tg::logical_xor>, "logical_xor, in place.", method},
    {"tril_(input, diagonal=0)", along<tg::tril>, "tril, in place.", method},
    {"triu_(input, diagonal=0)", along<tg::triu>, "triu, in place.", method},
    {"cumsum_(input, dim)", along<tg::cumsum>, "cumsum, in place.", method},
    {"masked_fill_(input, mask, value)", masked_fill_, "masked_fill, in place.", method},
    {"uniform_(input, from=0, to=1, *, generator=None)", uniform_,
     "Random numbers in [from, to). generator: as of rand.", method},
    {"normal_(input, mean=0, std=1, *, generator=None)", normal_,
     "Normally distributed random numbers. generator: as of rand.", method},
};

}  // namespace

void bind_in_place(py::module_& m) { add_functions(m, functions); }

}  // namespace tg::python
