// From Python objects to what the core takes, with a sentence for each that does not fit.
#include <cmath>
#include <limits>

#include "python/call.h"

namespace tg::python {
namespace {

PyTypeObject* numpy_scalar_type() {
    static PyTypeObject* type = [] {
        py::object generic = py::module_::import("numpy").attr("generic");
        return reinterpret_cast<PyTypeObject*>(generic.release().ptr());
    }();
    return type;
}

// PyTorch's kinds: OverflowError for a number to calculate with, ValueError for an index or a dim.
std::int64_t to_int64(PyObject* o, PyObject* kind) {
    std::int64_t v = 0;
    if (!fits_int64(o, v)) {
        const std::string place = at(python_line());
        PyErr_Format(kind, "int%s: %R does not fit an int64", place.c_str(), o);
        throw_python();
    }
    return v;
}

bool from_numpy_scalar(PyObject* o, Scalar& out) {
    const auto scalar = py::reinterpret_borrow<py::object>(o);
    const auto kind = py::cast<std::string>(scalar.attr("dtype").attr("kind"));
    if (kind == "b")
        out = Scalar(PyObject_IsTrue(o) == 1);
    else if (kind == "i" || kind == "u")
        out = Scalar(to_int64(py::reinterpret_steal<py::object>(checked(PyNumber_Index(o))).ptr(),
                              PyExc_OverflowError));
    else if (kind == "f")
        out = Scalar(PyFloat_AsDouble(o));
    else
        return false;
    return true;
}

// "%R" of a Python object, for an error.
std::string repr_of(PyObject* o) {
    const auto text = py::reinterpret_steal<py::object>(PyObject_Repr(o));
    if (!text) {
        PyErr_Clear();
        return type_name(o);
    }
    std::string s = py::cast<std::string>(text);
    return s.size() > 60 ? s.substr(0, 57) + "..." : s;
}

bool is_list(PyObject* o) { return PyTuple_Check(o) || PyList_Check(o); }

}  // namespace

const char* type_name(PyObject* o) { return o == Py_None ? "None" : Py_TYPE(o)->tp_name; }

bool fits_int64(PyObject* o, std::int64_t& out) {
    int overflow = 0;
    out = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (out == -1 && overflow == 0 && PyErr_Occurred()) throw_python();
    return overflow == 0;
}

bool to_number(PyObject* o, Scalar& out) {
    if (PyFloat_Check(o)) {
        out = Scalar(PyFloat_AS_DOUBLE(o));
    } else if (PyBool_Check(o)) {
        out = Scalar(o == Py_True);
    } else if (PyLong_Check(o)) {
        out = Scalar(to_int64(o, PyExc_OverflowError));
    } else if (PyObject_TypeCheck(o, numpy_scalar_type())) {
        return from_numpy_scalar(o, out);
    } else {
        return false;
    }
    return true;
}

bool to_operand(PyObject* o, Arg& out) {
    if (is_tensor(o)) {
        out.tensor = tensor_in(o);
        return true;
    }
    if (to_number(o, out.scalar)) return true;
    if (!is_numpy_array(o)) return false;
    out.tensor = copied_from_numpy("tensor", o);
    return true;
}

bool to_integer(PyObject* o, std::int64_t& out) {
    if (PyBool_Check(o) || PyFloat_Check(o)) return false;
    if (PyLong_Check(o)) {
        out = to_int64(o, PyExc_ValueError);
        return true;
    }
    if (!PyIndex_Check(o) || (is_tensor(o) && tensor_in(o).dtype() == DType::boolean)) return false;
    out = to_int64(py::reinterpret_steal<py::object>(checked(PyNumber_Index(o))).ptr(),
                   PyExc_ValueError);
    return true;
}

std::int64_t to_dim(const char* op, PyObject* o) {
    std::int64_t v = 0;
    if (is_unknown_dim(o, v)) return v;
    if (PyLong_Check(o) && !fits_int64(o, v))
        fail(ErrorKind::type, op, ": the size ", repr_of(o), " does not fit an int64");
    if (!to_integer(o, v))
        fail(ErrorKind::type, op, ": a shape is made of ints, not ", type_name(o));
    // Numbers that far below zero stand for unknown dims inside.
    if (is_unknown(v)) fail(ErrorKind::value, op, ": ", v, " is not a size");
    return v;
}

Dims to_dims(const char* op, PyObject* sequence) {
    Dims dims;
    const auto items = py::reinterpret_steal<py::object>(PySequence_Tuple(sequence));
    if (!items) throw_python();
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items.ptr()); ++i)
        dims.push_back(to_dim(op, PyTuple_GET_ITEM(items.ptr(), i)));
    return dims;
}

Arg Call::operand(int i) const {
    Arg arg = no_operand();
    if (!values_[i] || !to_operand(values_[i], arg)) wrong(i, "a tensor or a number");
    return arg;
}

Tensor& Call::tensor(int i) const {
    if (!values_[i] || !is_tensor(values_[i])) wrong(i, "a tensor");
    return tensor_in(values_[i]);
}

Scalar Call::number(int i) const {
    Scalar scalar;
    if (values_[i] && to_number(values_[i], scalar)) return scalar;
    if (values_[i] && is_tensor(values_[i]) && tensor_in(values_[i]).dims() == 0)
        return tensor_in(values_[i]).item_scalar();
    wrong(i, "a number");
}

bool Call::flag(int i, bool otherwise) const {
    if (!given(i)) return otherwise;
    if (!PyBool_Check(values_[i])) wrong(i, "True or False");
    return values_[i] == Py_True;
}

std::int64_t Call::integer(int i) const {
    std::int64_t v = 0;
    if (!values_[i] || !to_integer(values_[i], v)) wrong(i, "an int");
    return v;
}

std::int64_t Call::integer(int i, std::int64_t otherwise) const {
    return given(i) ? integer(i) : otherwise;
}

double Call::real(int i, double otherwise) const {
    return given(i) ? number(i).as_real() : otherwise;
}

std::string Call::string(int i) const {
    if (!values_[i] || !PyUnicode_Check(values_[i])) wrong(i, "a string");
    const char* text = PyUnicode_AsUTF8(values_[i]);
    if (!text) throw_python();
    return text;
}

DimList Call::dim_list(int i) const {
    if (!given(i)) return {};
    if (!is_list(values_[i])) {
        std::int64_t v = 0;
        if (!to_integer(values_[i], v)) wrong(i, "an int or a tuple of ints");
        return DimList(v);
    }
    const Dims dims = to_dims(name(), values_[i]);
    return dims.empty() ? DimList() : DimList(dims);  // as PyTorch: no dims are all dims
}

Dims Call::dims(int i) const {
    if (i == signature_.star && rest_count_ > 0) {
        if (rest_count_ == 1 && is_list(rest_[0])) return to_dims(name(), rest_[0]);
        Dims dims;
        for (Py_ssize_t k = 0; k < rest_count_; ++k) dims.push_back(to_dim(name(), rest_[k]));
        return dims;
    }
    if (!values_[i]) {
        if (i == signature_.star) return {};
        wrong(i, "a tuple of ints");
    }
    if (is_list(values_[i])) return to_dims(name(), values_[i]);
    return Dims{to_dim(name(), values_[i])};
}

std::vector<Tensor> Call::tensors(int i) const {
    if (!values_[i] || !is_list(values_[i])) wrong(i, "a list or tuple of tensors");
    std::vector<Tensor> list;
    for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(values_[i]); ++k)
        list.push_back(element(i, k, PySequence_Fast_GET_ITEM(values_[i], k)));
    return list;
}

std::vector<Tensor> Call::star_tensors(int i) const {
    if (values_[i]) return tensors(i);
    const bool listed = rest_count_ == 1 && is_list(rest_[0]);
    const Py_ssize_t n = listed ? PySequence_Fast_GET_SIZE(rest_[0]) : rest_count_;
    std::vector<Tensor> list;
    for (Py_ssize_t k = 0; k < n; ++k)
        list.push_back(element(i, k, listed ? PySequence_Fast_GET_ITEM(rest_[0], k) : rest_[k]));
    return list;
}

Tensor Call::element(int i, Py_ssize_t k, PyObject* o) const {
    if (!is_tensor(o))
        fail(ErrorKind::type, name(), ": element ", k, " of ",
             signature_.names[static_cast<std::size_t>(i)], " must be a tensor, not ",
             type_name(o));
    return tensor_in(o);
}

PyObject* tuple_of(const std::vector<Tensor>& tensors) {
    const auto tuple =
        py::reinterpret_steal<py::object>(PyTuple_New(static_cast<Py_ssize_t>(tensors.size())));
    if (!tuple) throw_python();
    for (std::size_t i = 0; i < tensors.size(); ++i)
        PyTuple_SET_ITEM(tuple.ptr(), static_cast<Py_ssize_t>(i), wrap(tensors[i]));
    return new_reference(tuple.ptr());
}

DType Call::dtype(int i, DType otherwise) const {
    if (!given(i)) return otherwise;
    DType dtype = otherwise;
    if (!to_dtype(values_[i], dtype))
        fail(ErrorKind::type, name(), ": dtype must be one of tapegraph's, as tg.float32, not ",
             repr_of(values_[i]));
    return dtype;
}

Device Call::device(int i) const {
    Device device = default_device();
    if (given(i) && !to_device(values_[i], device)) wrong(i, "\"cpu\" or \"cuda\"");
    return device;
}

Options Call::options(int first) const {
    return {.dtype = dtype(first, default_dtype()),
            .device = device(first + 1),
            .requires_grad = flag(first + 2)};
}

Options Call::options_like(int first) const {
    const Tensor& x = tensor(0);
    Options options = this->options(first);
    options.dtype = dtype(first, x.dtype());
    if (!given(first + 1)) options.device = x.device();
    return options;
}

}  // namespace tg::python
