// What Python calls for `a + b`, `a += b`, `a < b`, `-a`, `a[i]`, `len(a)`, `if a`: C functions in
// the type's slots, so that an operator costs little more than the op itself.
#include <cmath>

#include "core/history.h"
#include "core/ops/written.h"
#include "core/recording.h"
#include "python/call.h"
#include "python/slots.h"

namespace tg::python {
namespace {

using Binary = Tensor (*)(const Arg&, const Arg&);
using Unary = Tensor (*)(const Arg&);

std::int64_t work_of(const Arg& a, const Arg& b) {
    return std::max(python::work_of(a), python::work_of(b));
}

// (M, K) @ (K, N) takes M K N steps, of which some 16 go at once.
std::int64_t matmul_work(const Arg& a, const Arg& b) {
    const bool vector = !b.is_tensor() || b.tensor.dims() < 2 || b.tensor.is_symbolic();
    return python::work_of(a) * (vector ? 1 : b.tensor.size(-1)) / 8;
}

// a and b in the order of the operator; either may be the tensor. What is neither a tensor nor a
// number is left to Python, which says "unsupported operand type(s)".
template <Binary op, std::int64_t (*work)(const Arg&, const Arg&) = work_of>
PyObject* binary(PyObject* a, PyObject* b) {
    return guarded([&]() -> PyObject* {
        Arg x = no_operand();
        Arg y = no_operand();
        if (!to_operand(a, x) || !to_operand(b, y)) return new_reference(Py_NotImplemented);
        const Here here(python_line());
        return wrap(compute(work(x, y), [&] { return op(x, y); }));
    });
}

PyObject* power(PyObject* a, PyObject* b, PyObject* modulus) {
    if (modulus != Py_None) {
        PyErr_SetString(PyExc_TypeError, "pow: a tensor takes no modulus");
        return nullptr;
    }
    return binary<tg::pow>(a, b);
}

template <Unary op>
PyObject* unary(PyObject* a) {
    return guarded([&]() -> PyObject* {
        const Here here(python_line());
        const Arg x(tensor_in(a));
        return wrap(compute(python::work_of(x), [&] { return op(x); }));
    });
}

PyObject* positive(PyObject* a) { return new_reference(a); }

// Of bools `not`, of integers each bit.
Tensor inverted(const Arg& x) {
    if (is_floating(x.tensor.dtype()))
        fail(ErrorKind::type, "~: a tensor of bool or integers, not ", name_of(x.tensor.dtype()),
             "; compare first, as in ~(x > 0)");
    return x.tensor.dtype() == DType::boolean ? logical_not(x) : bitwise_not(x);
}

// ---- in place -----------------------------------------------------------------------------------

Tensor& add_in_place(Tensor& x, const Arg& y) { return add_(x, y); }
Tensor& sub_in_place(Tensor& x, const Arg& y) { return sub_(x, y); }

// An op out of place, then its value into x: as x.pow_(y) does it.
using Name = const char[24];
template <Tensor (*op)(const Arg&, const Arg&), const Name& name>
Tensor& by_value(Tensor& x, const Arg& y) {
    return written(x, op(x, y), name);
}
constexpr Name pow_name = "pow_";
constexpr Name remainder_name = "remainder_";
constexpr Name floor_divide_name = "floor_divide_";
constexpr Name and_name = "bitwise_and_";
constexpr Name or_name = "bitwise_or_";
constexpr Name xor_name = "bitwise_xor_";
constexpr Name left_shift_name = "bitwise_left_shift_";
constexpr Name right_shift_name = "bitwise_right_shift_";

template <Tensor& (*op)(Tensor&, const Arg&)>
PyObject* in_place_operator(PyObject* a, PyObject* b) {
    return guarded([&]() -> PyObject* {
        Arg y = no_operand();
        if (!to_operand(b, y)) return new_reference(Py_NotImplemented);
        const Here here(python_line());
        Tensor& x = tensor_in(a);
        compute(work_of(x, y), [&] { op(x, y); });
        return new_reference(a);
    });
}

PyObject* power_in_place(PyObject* a, PyObject* b, PyObject*) {
    return in_place_operator<by_value<tg::pow, pow_name>>(a, b);
}

// ---- comparison ---------------------------------------------------------------------------------

PyObject* compare(PyObject* a, PyObject* b, int operation) {
    switch (operation) {
        case Py_EQ:
            return binary<eq>(a, b);
        case Py_NE:
            return binary<ne>(a, b);
        case Py_LT:
            return binary<lt>(a, b);
        case Py_LE:
            return binary<le>(a, b);
        case Py_GT:
            return binary<gt>(a, b);
        default:
            return binary<ge>(a, b);
    }
}

// ---- to a Python number -------------------------------------------------------------------------

Scalar only_element(const Tensor& x, const char* wanted) {
    if (!x.is_symbolic() && x.numel() != 1)
        fail(ErrorKind::value, wanted, ": a tensor of shape ", text(x.shape()), " has ", x.numel(),
             " elements, not one");
    return x.item_scalar(python_line());
}

int truth(PyObject* a) {
    int result = -1;
    guarded([&]() -> PyObject* {
        const Tensor& x = tensor_in(a);
        truth_is_symbolic(x);
        if (x.numel() != 1)
            fail(ErrorKind::runtime, "bool: a tensor of shape ", text(x.shape()),
                 " has no one truth value; reduce it first, as in x.sum() > 0");
        result = only_element(x, "bool").as_real() != 0 ? 1 : 0;
        return Py_None;
    });
    return result;
}

PyObject* to_float(PyObject* a) {
    return guarded(
        [&] { return PyFloat_FromDouble(only_element(tensor_in(a), "float").as_real()); });
}

PyObject* to_int(PyObject* a) {
    return guarded([&] {
        const Scalar s = only_element(tensor_in(a), "int");
        return is_floating(s.dtype) ? PyLong_FromDouble(s.real) : PyLong_FromLongLong(s.integer);
    });
}

PyObject* to_index(PyObject* a) {
    return guarded([&] {
        const Tensor& x = tensor_in(a);
        if (is_floating(x.dtype()) || x.numel() != 1)
            fail(ErrorKind::type, "only a tensor of one integer can be an index, not ",
                 describe(x));
        return PyLong_FromLongLong(only_element(x, "index").as_integer());
    });
}

// ---- as a container -----------------------------------------------------------------------------

Py_ssize_t length(PyObject* a) {
    Py_ssize_t n = -1;
    guarded([&]() -> PyObject* {
        const Tensor& x = tensor_in(a);
        if (x.dims() == 0)
            fail(ErrorKind::type,
                 "len: a tensor of shape () has no length; item() gives its "
                 "number");
        if (is_unknown(x.shape()[0]))
            fail(ErrorKind::runtime,
                 "len: the first dim of this tensor is not known until its "
                 "graph is fed");
        n = static_cast<Py_ssize_t>(x.shape()[0]);
        return Py_None;
    });
    return n;
}

// Iteration asks for 0, 1, ... until an IndexError.
PyObject* item(PyObject* a, Py_ssize_t i) {
    return guarded([&]() -> PyObject* {
        const Tensor& x = tensor_in(a);
        if (x.dims() > 0 && !is_unknown(x.shape()[0]) && i >= x.shape()[0]) {
            PyErr_SetString(PyExc_IndexError, "");
            return nullptr;
        }
        const Here here(python_line());
        return wrap(select(x, 0, i));
    });
}

PyObject* iterate(PyObject* a) {
    return guarded([&]() -> PyObject* {
        if (tensor_in(a).dims() == 0)
            fail(ErrorKind::type,
                 "iter: a tensor of shape () cannot be iterated over; item() "
                 "gives its number");
        return length(a) < 0 ? nullptr : PySeqIter_New(a);
    });
}

int contains(PyObject* a, PyObject* value) {
    int result = -1;
    guarded([&]() -> PyObject* {
        Arg y = no_operand();
        if (!to_operand(value, y))
            fail(ErrorKind::type, "in: a tensor holds numbers, not ", type_name(value));
        const Tensor& x = tensor_in(a);
        truth_is_symbolic(x);
        const Here here(python_line(), "in");
        result = sum(eq(x, y)).item_scalar().as_integer() != 0 ? 1 : 0;
        return Py_None;
    });
    return result;
}

template <class F>
PyType_Slot slot(int id, F* f) {
    return {id, reinterpret_cast<void*>(f)};
}

}  // namespace

void truth_is_symbolic(const Tensor& x) {
    if (!x.is_symbolic()) return;
    fail(ErrorKind::runtime, "bool: this tensor is a symbol of ",
         recording_name(x.handle().storage->born),
         ", which has no value until that runs; in place of `if`, choose elements with "
         "tg.where(condition, a, b), or branch on a plain Python value");
}

void add_operator_slots(std::vector<PyType_Slot>& slots) {
    const PyType_Slot ours[] = {
        slot(Py_nb_add, binary<tg::add>),
        slot(Py_nb_subtract, binary<tg::sub>),
        slot(Py_nb_multiply, binary<tg::mul>),
        slot(Py_nb_true_divide, binary<tg::div>),
        slot(Py_nb_remainder, binary<tg::remainder>),
        slot(Py_nb_floor_divide, binary<tg::floor_divide>),
        slot(Py_nb_and, binary<tg::bitwise_and>),
        slot(Py_nb_or, binary<tg::bitwise_or>),
        slot(Py_nb_xor, binary<tg::bitwise_xor>),
        slot(Py_nb_lshift, binary<tg::bitwise_left_shift>),
        slot(Py_nb_rshift, binary<tg::bitwise_right_shift>),
        slot(Py_nb_matrix_multiply, binary<tg::matmul, matmul_work>),
        slot(Py_nb_power, power),
        slot(Py_nb_negative, unary<tg::neg>),
        slot(Py_nb_positive, positive),
        slot(Py_nb_absolute, unary<tg::abs>),
        slot(Py_nb_invert, unary<inverted>),
        slot(Py_nb_inplace_add, in_place_operator<add_in_place>),
        slot(Py_nb_inplace_subtract, in_place_operator<sub_in_place>),
        slot(Py_nb_inplace_multiply, in_place_operator<mul_>),
        slot(Py_nb_inplace_true_divide, in_place_operator<div_>),
        slot(Py_nb_inplace_power, power_in_place),
        slot(Py_nb_inplace_remainder, in_place_operator<by_value<tg::remainder, remainder_name>>),
        slot(Py_nb_inplace_floor_divide,
             in_place_operator<by_value<tg::floor_divide, floor_divide_name>>),
        slot(Py_nb_inplace_and, in_place_operator<by_value<tg::bitwise_and, and_name>>),
        slot(Py_nb_inplace_or, in_place_operator<by_value<tg::bitwise_or, or_name>>),
        slot(Py_nb_inplace_xor, in_place_operator<by_value<tg::bitwise_xor, xor_name>>),
        slot(Py_nb_inplace_lshift,
             in_place_operator<by_value<tg::bitwise_left_shift, left_shift_name>>),
        slot(Py_nb_inplace_rshift,
             in_place_operator<by_value<tg::bitwise_right_shift, right_shift_name>>),
        slot(Py_nb_bool, truth),
        slot(Py_nb_int, to_int),
        slot(Py_nb_float, to_float),
        slot(Py_nb_index, to_index),
        slot(Py_tp_richcompare, compare),
        slot(Py_tp_iter, iterate),
        slot(Py_sq_item, item),
        slot(Py_sq_contains, contains),
        slot(Py_mp_length, length),
        slot(Py_mp_subscript, index_get),
        slot(Py_mp_ass_subscript, index_set),
    };
    slots.insert(slots.end(), std::begin(ours), std::end(ours));
}

}  // namespace tg::python
