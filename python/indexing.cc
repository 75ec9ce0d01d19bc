// x[1, 2:5, None, ...]: a view made of select, slice and unsqueeze, one after another; and
// x[...] = value: the same view, written to.
#include "core/history.h"
#include "python/call.h"

namespace tg::python {
namespace {

// How many dims of x this part of the key uses up.
int dims_used(PyObject* part) { return part == Py_None || part == Py_Ellipsis ? 0 : 1; }

[[noreturn]] void not_an_index(PyObject* part) {
    if (is_tensor(part) || PyList_Check(part) || is_numpy_array(part))
        fail(ErrorKind::unsupported, "index: x[",
             is_tensor(part) ? describe(tensor_in(part)) : type_name(part),
             "] is not there yet; use x.gather(dim, index), tg.one_hot(index, n) @ x, or "
             "tg.where(mask, a, b)");
    if (PyBool_Check(part))
        fail(ErrorKind::unsupported, "index: x[True] is not there yet; use x[None] or tg.where");
    fail(PyFloat_Check(part) ? ErrorKind::index : ErrorKind::type,
         "index: an int, a slice, None or ... is an index, not ", type_name(part));
}

Tensor sliced(const Tensor& x, int dim, PyObject* part) {
    Py_ssize_t begin = 0, end = 0, step = 0;
    checked(PySlice_Unpack(part, &begin, &end, &step));
    if (step < 1)
        fail(ErrorKind::value, "index: a slice's step must be 1 or more, not ", step,
             "; a tensor has no negative strides");
    if (begin == 0 && end == PY_SSIZE_T_MAX && step == 1) return x;
    return slice(x, dim, begin, end, step);
}

Tensor indexed(const Tensor& x, PyObject* key) {
    const bool several = PyTuple_Check(key);
    const Py_ssize_t parts = several ? PyTuple_GET_SIZE(key) : 1;
    const auto part = [&](Py_ssize_t i) { return several ? PyTuple_GET_ITEM(key, i) : key; };
    int used = 0;
    int dots = 0;
    for (Py_ssize_t i = 0; i < parts; ++i) {
        used += dims_used(part(i));
        dots += part(i) == Py_Ellipsis ? 1 : 0;
    }
    if (dots > 1) fail(ErrorKind::index, "index: only one ... fits into a key");
    if (used > x.dims())
        fail(ErrorKind::index, "index: ", used, used == 1 ? " index" : " indices",
             " for a tensor of shape ", text(x.shape()), ", which has ", x.dims(),
             x.dims() == 1 ? " dim" : " dims");
    Tensor y = x;
    int dim = 0;
    for (Py_ssize_t i = 0; i < parts; ++i) {
        PyObject* p = part(i);
        std::int64_t at_index = 0;
        if (p == Py_Ellipsis) {
            dim += x.dims() - used;
        } else if (p == Py_None) {
            y = unsqueeze(y, dim++);
        } else if (PySlice_Check(p)) {
            y = sliced(y, dim++, p);
        } else if (is_tensor(p) && (tensor_in(p).dims() > 0 || tensor_in(p).is_symbolic())) {
            not_an_index(p);
        } else if (!PyBool_Check(p) && !is_numpy_array(p) && to_integer(p, at_index)) {
            y = select(y, dim, at_index);
        } else {
            not_an_index(p);
        }
    }
    // A new tensor on the same bytes, even of x[:] and x[...].
    return y.same(x) ? view(x, x.shape()) : y;
}

// A value for x[...] = value, as far as it is one.
Arg value_from(PyObject* value) {
    Arg arg = no_operand();
    if (to_operand(value, arg)) return arg;
    if (PyList_Check(value) || PyTuple_Check(value)) {
        const auto make = py::module_::import("tapegraph._C").attr("tensor");
        arg.tensor = tensor_in(py::object(make(py::handle(value))).ptr());
        return arg;
    }
    fail(ErrorKind::type, "index: a tensor, a number or an array can be stored, not ",
         type_name(value));
}

// After `y[0] += 1` Python stores the view back into y[0], where it is already.
bool is_there(const Tensor& target, const Arg& value) {
    if (!value.is_tensor()) return false;
    const Handle& a = target.handle();
    const Handle& b = value.tensor.handle();
    return a.storage == b.storage && a.history == b.history && a.layout == b.layout;
}

}  // namespace

PyObject* index_get(PyObject* self, PyObject* key) {
    return guarded([&] {
        const Here here(python_line());
        return wrap(indexed(tensor_in(self), key));
    });
}

int index_set(PyObject* self, PyObject* key, PyObject* value) {
    PyObject* done = guarded([&]() -> PyObject* {
        if (!value) fail(ErrorKind::type, "index: elements of a tensor cannot be deleted");
        const Here here(python_line());
        Tensor target = indexed(tensor_in(self), key);
        const Arg source = value_from(value);
        if (is_there(target, source)) return Py_None;
        compute(work_of(target), [&] { copy_(target, source); });
        return Py_None;
    });
    return done ? 0 : -1;
}

}  // namespace tg::python
