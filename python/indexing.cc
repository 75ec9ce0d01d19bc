// x[1, 2:5, None, ...]: a view made of select, slice and unsqueeze, one after another; and
// x[...] = value: the same view, written to. A key with tensors, masks or lists becomes a Key of
// the core.
#include "core/history.h"
#include "core/recording.h"
#include "python/call.h"

namespace tg::python {
namespace {

// How many dims of x this part of the key uses up.
int dims_used(PyObject* part) { return part == Py_None || part == Py_Ellipsis ? 0 : 1; }

[[noreturn]] void not_an_index(PyObject* part) {
    fail(PyFloat_Check(part) || PyDict_Check(part) ? ErrorKind::index : ErrorKind::type,
         "index: an int, a slice, None, ..., a tensor or array of ints or bools, or a list of "
         "such is an index, not ",
         type_name(part));
}

// `dim` is the one it stands for; -1 if other parts of the key decide that.
Slice range_of(PyObject* part, int dim) {
    Py_ssize_t begin = 0, end = 0, step = 0;
    if (PySlice_Unpack(part, &begin, &end, &step) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) throw_python();
        PyErr_Clear();
        fail(ErrorKind::value, "index: slice step cannot be zero; leave it out, or give 1 or more");
    }
    if (step < 1)
        fail(ErrorKind::value, "index: a slice's step must be 1 or more, not ", step,
             "; a tensor has no negative strides; turn the dim round first, as x.flip(",
             dim < 0 ? "dim" : std::to_string(dim), ")");
    return {begin, end, step};
}

Tensor sliced(const Tensor& x, int dim, PyObject* part) {
    const Slice r = range_of(part, dim);
    if (r.begin == 0 && r.end == PY_SSIZE_T_MAX && r.step == 1) return x;
    return slice(x, dim, r.begin, r.end, r.step);
}

// ---- keys with tensors --------------------------------------------------------------------------

bool is_numpy_bool(PyObject* part) {
    Scalar s;
    return !PyFloat_Check(part) && to_number(part, s) && s.dtype == DType::boolean;
}

// Is it more than an int, a slice, None or ...? Bools are masks, and a tensor of one int whose
// number is known is an int.
bool is_advanced(PyObject* part) {
    if (PyLong_CheckExact(part) || PySlice_Check(part)) return false;
    if (is_tensor(part)) {
        const Tensor& t = tensor_in(part);
        return t.dims() > 0 || t.is_symbolic() || recording() || t.dtype() == DType::boolean ||
               t.dtype() == DType::uint8;
    }
    if (PyBool_Check(part) || is_numpy_array(part)) return true;
    if (PyUnicode_Check(part) || PyBytes_Check(part) || PyIndex_Check(part)) return false;
    return PySequence_Check(part) || is_numpy_bool(part);
}

// An array's numbers; within a recording they are a constant of the program, so that it is known
// which elements of a mask are true.
Tensor from_array(const py::object& array) {
    Tensor t = copied_from_numpy("index", array.ptr());
    return recording() ? constant(t) : t;
}

// As in PyTorch, a list with more than numbers is several indices, as the tuple of them is:
// x[[[0, 1], [1, 0]]] is x[[0, 1], [1, 0]].
py::object key_of(PyObject* key) {
    bool several = false;
    for (Py_ssize_t i = 0; PyList_Check(key) && i < PyList_GET_SIZE(key); ++i) {
        PyObject* item = PyList_GET_ITEM(key, i);
        several = several || item == Py_None || item == Py_Ellipsis || PySlice_Check(item) ||
                  is_tensor(item) || PySequence_Check(item);
    }
    if (several) return py::reinterpret_steal<py::object>(checked(PyList_AsTuple(key)));
    return py::reinterpret_borrow<py::object>(key);
}

// A list of ints or bools, or of such lists, as an array.
py::object array_of_list(PyObject* list) {
    const auto items = py::reinterpret_steal<py::object>(checked(PySequence_List(list)));
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items.ptr()); ++i) {
        PyObject* item = PyList_GET_ITEM(items.ptr(), i);
        if (is_tensor(item) && tensor_in(item).is_symbolic())
            fail(ErrorKind::index, "index: a list with symbolic tensors; use tg.stack(list)");
        if (item == Py_None || item == Py_Ellipsis || PySlice_Check(item) ||
            (is_tensor(item) && tensor_in(item).dims() > 0))
            fail(ErrorKind::index, "index: a list within a key holds ", type_name(item),
                 ", and must hold ints or bools; tg.stack makes one tensor of several");
    }
    const auto numpy = py::module_::import("numpy");
    if (PyList_GET_SIZE(items.ptr()) == 0) return numpy.attr("empty")(0, "int64");
    return numpy.attr("array")(items);
}

void add_array(Key& key, const py::object& array) {
    const auto kind = py::cast<std::string>(array.attr("dtype").attr("kind"));
    const bool single = py::cast<int>(array.attr("ndim")) == 0;
    if (kind == "b")
        return single ? key.push_back(py::cast<bool>(array.attr("item")()))
                      : key.push_back(from_array(array));
    if (kind != "i" && kind != "u")
        fail(ErrorKind::index, "index: an array of ",
             py::cast<std::string>(py::str(array.attr("dtype"))),
             " is no index; it must have ints or bools");
    if (single) return key.push_back(py::cast<std::int64_t>(array.attr("item")()));
    key.push_back(from_array(array.attr("astype")("int64")));
}

void add_part(Key& key, PyObject* p) {
    std::int64_t number = 0;
    if (p == Py_Ellipsis)
        key.push_back(ellipsis);
    else if (p == Py_None)
        key.push_back(newaxis);
    else if (PySlice_Check(p))
        key.push_back(range_of(p, -1));
    else if (PyBool_Check(p) || is_numpy_bool(p))
        key.push_back(PyObject_IsTrue(p) == 1);
    else if (is_tensor(p))
        key.push_back(tensor_in(p));
    else if (is_numpy_array(p))
        add_array(key, py::reinterpret_borrow<py::object>(p));
    else if (to_integer(p, number))
        key.push_back(number);
    else if (is_advanced(p))
        add_array(key, array_of_list(p));
    else
        not_an_index(p);
}

// Empty if the key has ints, slices, None and ... only.
Key advanced(PyObject* key) {
    Key parts;
    if (!PyTuple_Check(key)) {
        if (is_advanced(key)) add_part(parts, key);
        return parts;
    }
    bool any = false;
    const Py_ssize_t n = PyTuple_GET_SIZE(key);
    for (Py_ssize_t i = 0; i < n; ++i) any = any || is_advanced(PyTuple_GET_ITEM(key, i));
    for (Py_ssize_t i = 0; any && i < n; ++i) add_part(parts, PyTuple_GET_ITEM(key, i));
    return parts;
}

// ---- keys of ints and slices --------------------------------------------------------------------

Tensor indexed(const Tensor& x, PyObject* key) {
    const bool several = PyTuple_Check(key);
    const Py_ssize_t parts = several ? PyTuple_GET_SIZE(key) : 1;
    const auto part = [&](Py_ssize_t i) { return several ? PyTuple_GET_ITEM(key, i) : key; };
    KeyDims dims;
    for (Py_ssize_t i = 0; i < parts; ++i) dims.pass(dims_used(part(i)), part(i) == Py_Ellipsis);
    dims.check(x);
    Tensor y = x;
    int dim = 0;
    for (Py_ssize_t i = 0; i < parts; ++i) {
        PyObject* p = part(i);
        std::int64_t at_index = 0;
        if (p == Py_Ellipsis) {
            dim += x.dims() - dims.used();
        } else if (p == Py_None) {
            y = unsqueeze(y, dim++);
        } else if (PySlice_Check(p)) {
            y = sliced(y, dim++, p);
        } else if (to_integer(p, at_index)) {
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

PyObject* index_get(PyObject* self, PyObject* given) {
    return guarded([&] {
        const Here here(python_line());
        const py::object held = key_of(given);
        PyObject* const key = held.ptr();
        if (const Key parts = advanced(key); !parts.empty()) {
            const Tensor x = tensor_in(self);
            return wrap(compute(work_of(x), [&] { return index(x, parts); }));
        }
        return wrap(indexed(tensor_in(self), key));
    });
}

int index_set(PyObject* self, PyObject* given, PyObject* value) {
    PyObject* done = guarded([&]() -> PyObject* {
        if (!value) fail(ErrorKind::type, "index: elements of a tensor cannot be deleted");
        const Here here(python_line());
        const py::object held = key_of(given);
        PyObject* const key = held.ptr();
        if (const Key parts = advanced(key); !parts.empty()) {
            Tensor x = tensor_in(self);
            const Arg source = value_from(value);
            compute(work_of(x), [&] { index_put_(x, parts, source); });
            return Py_None;
        }
        Tensor target = indexed(tensor_in(self), key);
        Arg source = value_from(value);
        if (is_there(target, source)) return Py_None;
        while (source.is_tensor() && source.tensor.dims() > target.dims() &&
               source.tensor.shape()[0] == 1)
            source.tensor = squeeze(source.tensor, 0);
        compute(work_of(target), [&] { copy_(target, source); });
        return Py_None;
    });
    return done ? 0 : -1;
}

}  // namespace tg::python
