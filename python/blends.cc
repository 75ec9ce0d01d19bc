// Division with a rest, bits, blends of tensors, how alike they are, norms, and activations.
#include <cmath>
#include <limits>

#include "python/pointwise.h"

namespace tg::python {
namespace {

PyObject* lerp(const Call& c) {
    const Arg start(c.tensor(0)), end(c.tensor(1));
    const Arg weight = c.operand(2);
    return wrap(compute(work_of(start), [&] { return tg::lerp(start, end, weight); }));
}

template <Tensor (*op)(const Arg&, const Arg&, const Arg&, const Arg&)>
PyObject* added(const Call& c) {
    const Arg x(c.tensor(0)), a(c.tensor(1)), b(c.tensor(2));
    const Arg value(c.given(3) ? c.number(3) : Scalar(1));
    return wrap(compute(std::max(work_of(x), work_of(a)), [&] { return op(x, a, b, value); }));
}

PyObject* nan_to_num(const Call& c) {
    const Arg x(c.tensor(0));
    std::optional<double> high, low;
    const double nan = c.real(1, 0);
    if (c.given(2)) high = c.real(2, 0);
    if (c.given(3)) low = c.real(3, 0);
    return wrap(compute(work_of(x), [&] { return tg::nan_to_num(x, nan, high, low); }));
}

Closeness closeness(const Call& c) {
    return {.rtol = c.real(2, 1e-5), .atol = c.real(3, 1e-8), .equal_nan = c.flag(4)};
}
PyObject* isclose(const Call& c) {
    const Arg a(c.tensor(0)), b(c.tensor(1));
    const Closeness how = closeness(c);
    return wrap(compute(work_of(a), [&] { return tg::isclose(a, b, how); }));
}
PyObject* allclose(const Call& c) {
    const Arg a(c.tensor(0)), b(c.tensor(1));
    const Closeness how = closeness(c);
    for (const Arg* x : {&a, &b}) truth_is_symbolic(x->tensor);
    return PyBool_FromLong(compute(work_of(a), [&] { return tg::allclose(a, b, how); }));
}
PyObject* equal(const Call& c) {
    const Arg a(c.tensor(0)), b(c.tensor(1));
    for (const Arg* x : {&a, &b}) truth_is_symbolic(x->tensor);
    return PyBool_FromLong(compute(work_of(a), [&] { return tg::equal(a, b); }));
}

// ---- norms and products -------------------------------------------------------------------------

PyObject* norm_of(const Call& c, double order) {
    Arg x(c.tensor(0));
    const DimList dims = c.dim_list(2);
    const bool keepdim = c.flag(3);
    if (c.given(4)) x.tensor = cast(x, c.dtype(4, DType::float32));
    return wrap(compute(work_of(x), [&] { return tg::norm(x, order, dims, keepdim); }));
}

PyObject* norm(const Call& c) {
    if (!c.given(1) || !PyUnicode_Check(c[1])) return norm_of(c, c.real(1, 2));
    const std::string p = c.string(1);
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (p == "inf" || p == "-inf") return norm_of(c, p == "inf" ? infinity : -infinity);
    if (p == "nuc") {
        Arg x(c.tensor(0));
        const DimList dims = c.dim_list(2);
        const Dims two = dims.all && x.tensor.dims() == 2 ? Dims{0, 1} : dims.dims;
        if (two.size() != 2)
            fail(ErrorKind::runtime, "norm: p 'nuc' is of matrices, and not of ", two.size(),
                 " dims of ", text(x.tensor.shape()), "; give dim");
        const bool keepdim = c.flag(3);
        if (c.given(4)) x.tensor = cast(x, c.dtype(4, DType::float32));
        return wrap(compute(work_of(x), [&] { return linalg::matrix_norm(x, p, two, keepdim); }));
    }
    if (p != "fro") fail(ErrorKind::runtime, "norm: p is a number, 'fro' or 'nuc', not '", p, "'");
    return norm_of(c, 2);
}

PyObject* count_nonzero(const Call& c) {
    const Arg x(c.tensor(0));
    const DimList dims = c.dim_list(1);
    return wrap(compute(work_of(x), [&] { return tg::count_nonzero(x, dims); }));
}

PyObject* cumprod(const Call& c) {
    Arg x(c.tensor(0));
    const std::int64_t dim = c.integer(1);
    const bool asked = c.given(2);  // small integers, multiplied as int64, go back to it
    const DType dtype = c.dtype(2, DType::float32);
    if (asked) x.tensor = cast(x, dtype);
    return wrap(compute(work_of(x), [&] {
        const Tensor y = tg::cumprod(x, dim);
        return asked ? cast(y, dtype) : y;
    }));
}

const Function functions[] = {
    {"fmod(input, other)", binary<tg::fmod>,
     "What is left of input after dividing by other, with the sign of input. Broadcasts.\n"
     "Raises RuntimeError where an integer is divided by 0; floats give NaN."},
    {"remainder(input, other)", binary<tg::remainder>,
     "input % other: what is left after dividing, with the sign of other, as in Python.\n"
     "Raises RuntimeError where an integer is divided by 0; floats give NaN."},
    {"floor_divide(input, other)", binary<tg::floor_divide>,
     "input // other: the quotient, rounded down. Integers stay integers, and by 0 raise\n"
     "RuntimeError. Not differentiable."},
    {"bitwise_and(input, other)", binary<tg::bitwise_and>, "input & other, of bools or integers."},
    {"bitwise_or(input, other)", binary<tg::bitwise_or>, "input | other, of bools or integers."},
    {"bitwise_xor(input, other)", binary<tg::bitwise_xor>, "input ^ other, of bools or integers."},
    {"bitwise_not(input)", unary<tg::bitwise_not>, "~input, of bools or integers."},
    {"log2(input)", unary<tg::log2>, "The logarithm to base 2."},
    {"log10(input)", unary<tg::log10>, "The logarithm to base 10."},
    {"lerp(input, end, weight)", lerp,
     "input + weight * (end - input); weight is a number or a tensor. Broadcasts."},
    {"addcmul(input, tensor1, tensor2, *, value=1)", added<tg::addcmul>,
     "input + value * tensor1 * tensor2. Broadcasts."},
    {"addcdiv(input, tensor1, tensor2, *, value=1)", added<tg::addcdiv>,
     "input + value * tensor1 / tensor2, of floating tensors. Broadcasts."},
    {"nan_to_num(input, nan=None, posinf=None, neginf=None)", nan_to_num,
     "input with NaN as nan (0), and the infinities as posinf and neginf: unless given, the\n"
     "largest and the least number of the dtype."},
    {"isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False)", isclose,
     "Where |input - other| <= atol + rtol * |other|: a tensor of bool."},
    {"allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False)", allclose,
     "Are all elements close? See isclose. A Python bool."},
    {"equal(input, other)", equal, "Have they one shape, and equal elements? A Python bool."},
    {"norm(input, p='fro', dim=None, keepdim=False, dtype=None)", norm,
     "sum(|input|^p)^(1/p) over dim, an int, several, or all; 'fro' is 2. p may be 0, which "
     "counts\n"
     "what is not 0, and inf or -inf: the largest and least |input|. Of two dims 'nuc' is the sum\n"
     "of the singular values."},
    {"count_nonzero(input, dim=None)", count_nonzero,
     "How many elements are not 0, over dim (an int, several, or all): int64."},
    {"cumprod(input, dim, *, dtype=None)", cumprod,
     "The products of the elements up to each one along dim. Integers are multiplied as int64."},
};

// ---- activations --------------------------------------------------------------------------------

PyObject* hardtanh(const Call& c) {
    const Arg x(c.tensor(0));
    const double low = c.real(1, -1), high = c.real(2, 1);
    return wrap(compute(work_of(x), [&] { return tg::hardtanh(x, low, high); }));
}
PyObject* prelu(const Call& c) {
    const Arg x(c.tensor(0)), weight(c.tensor(1));
    return wrap(compute(work_of(x), [&] { return tg::prelu(x, weight); }));
}
PyObject* glu(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t dim = c.integer(1, -1);
    return wrap(compute(work_of(x), [&] { return tg::glu(x, dim); }));
}
PyObject* softmin(const Call& c) {
    Arg x(c.tensor(0));
    const std::int64_t dim = c.integer(1);
    if (c.given(2)) x.tensor = cast(x, c.dtype(2, DType::float32));
    return wrap(compute(work_of(x), [&] { return tg::softmin(x, dim); }));
}

constexpr Place function = Place::function;
const Function in_functional[] = {
    {"logsigmoid(input)", unary<tg::logsigmoid>, "log(1 / (1 + exp(-input))), without overflow.",
     function},
    {"hardtanh(input, min_val=-1, max_val=1)", hardtanh, "input, kept within the two.", function},
    {"relu6(input)", unary<tg::relu6>, "input, kept within 0 and 6.", function},
    {"hardsigmoid(input)", unary<tg::hardsigmoid>, "relu6(input + 3) / 6.", function},
    {"hardswish(input)", unary<tg::hardswish>, "input * hardsigmoid(input).", function},
    {"mish(input)", unary<tg::mish>, "input * tanh(softplus(input)).", function},
    {"softsign(input)", unary<tg::softsign>, "input / (1 + |input|).", function},
    {"tanhshrink(input)", unary<tg::tanhshrink>, "input - tanh(input).", function},
    {"prelu(input, weight)", prelu,
     "input above 0, weight * input below; input (N, C, ...), weight (C,) or of one number.",
     function},
    {"glu(input, dim=-1)", glu, "The first half of dim times the sigmoid of the second.", function},
    {"softmin(input, dim, dtype=None)", softmin, "softmax of -input along dim.", function},
};

}  // namespace

void bind_blends(py::module_& m) {
    add_functions(m, functions);
    add_functions(m, in_functional);
}

}  // namespace tg::python
