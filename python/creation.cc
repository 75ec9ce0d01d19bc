// tg.tensor of nested lists, and the tensors of zeros, ones, ranges and random numbers.
#include <cmath>
#include <cstring>

#include "core/ops/integers.h"
#include "python/generator.h"

namespace tg::python {
namespace {

__extension__ using Wide = __int128;  // holds the difference of any two int64

// ---- nested lists -------------------------------------------------------------------------------

bool is_list(PyObject* o) { return PyList_Check(o) || PyTuple_Check(o); }

// The numbers of a nested list, in order, and what they have in common.
struct Nested {
    Dims shape;
    std::vector<Scalar> numbers;
    DType dtype = default_dtype();

    // The shape that the first elements promise; read() holds all others to it.
    void measure(PyObject* data);
    // `path` tells where we are: the indices so far.
    void read(PyObject* data, int depth, std::string path);

  private:
    void add(const Scalar& number, DType own);
};

// One place in the list: another list, or an array, tensor or range that stands for one.
py::object opened(PyObject* o) {
    if (is_numpy_array(o) || (is_tensor(o) && tensor_in(o).dims() > 0))
        return py::handle(o).attr("tolist")();
    const bool plain = is_list(o) || is_tensor(o) || PyUnicode_Check(o) || PyBytes_Check(o);
    if (plain || !PySequence_Check(o)) return py::reinterpret_borrow<py::object>(o);
    return py::reinterpret_steal<py::object>(checked(PySequence_List(o)));
}

// "a str", "None", "the type int"
std::string what_is(PyObject* o) {
    if (o == Py_None) return "None";
    if (PyType_Check(o))
        return std::string("the type ") + reinterpret_cast<PyTypeObject*>(o)->tp_name;
    const char* name = type_name(o);
    return (std::strchr("aeiou", name[0]) ? "an " : "a ") + std::string(name);
}

// Long lists let Ctrl-C through.
void check_signals(std::size_t count) {
    if (count % 65536 == 0) checked(PyErr_CheckSignals());
}

void Nested::measure(PyObject* data) {
    py::object here = opened(data);
    while (is_list(here.ptr())) {
        if (shape.size() == max_dims)
            fail(ErrorKind::value, "tensor: lists nested more than ", max_dims,
                 " deep; a tensor has at most ", max_dims, " dims");
        const Py_ssize_t n = PySequence_Fast_GET_SIZE(here.ptr());
        shape.push_back(n);
        if (n == 0) return;
        here = opened(PySequence_Fast_GET_ITEM(here.ptr(), 0));
    }
}

void Nested::add(const Scalar& number, DType own) {
    check_signals(numbers.size());
    dtype = numbers.empty() ? own : promote(dtype, own);
    numbers.push_back(number);
}

DType natural_dtype(const Scalar& s) { return is_floating(s.dtype) ? default_dtype() : s.dtype; }

void Nested::read(PyObject* data, int depth, std::string path) {
    const py::object here = opened(data);
    const std::string where = path.empty() ? "data" : path;
    if (!is_list(here.ptr())) {
        if (depth < shape.size())
            fail(ErrorKind::type, "tensor: ", where, " is ", what_is(data), ", where a list of ",
                 shape[depth], " is expected; the list is ragged");
        Scalar s;
        std::int64_t integer = 0;
        if (is_tensor(here.ptr())) {
            s = tensor_in(here.ptr()).item_scalar();
            add(s, tensor_in(here.ptr()).dtype());
        } else if (PyLong_Check(here.ptr()) && !fits_int64(here.ptr(), integer)) {
            fail(ErrorKind::value, "tensor: ", where, " does not fit an int64");
        } else if (to_number(here.ptr(), s)) {
            add(s, natural_dtype(s));
        } else {
            fail(
                PyUnicode_Check(data) || PyBytes_Check(data) ? ErrorKind::type : ErrorKind::runtime,
                "tensor: ", where, " is ", what_is(data), "; a tensor is made of numbers");
        }
        return;
    }
    const Py_ssize_t n = PySequence_Fast_GET_SIZE(here.ptr());
    if (depth == shape.size())
        fail(ErrorKind::type, "tensor: ", where, " is ", what_is(data),
             ", where a number is expected; the list is ragged");
    if (n != shape[depth])
        fail(ErrorKind::value, "tensor: ", where, " has length ", n, " and ",
             path.empty() ? "it" : "the lists before it", " length ", shape[depth],
             "; the list is ragged");
    for (Py_ssize_t i = 0; i < n && i < PySequence_Fast_GET_SIZE(here.ptr()); ++i) {
        const auto element =
            py::reinterpret_borrow<py::object>(PySequence_Fast_GET_ITEM(here.ptr(), i));
        read(element.ptr(), depth + 1,
             (path.empty() ? "data" : path) + "[" + std::to_string(i) + "]");
    }
}

Tensor from_nested(PyObject* data, PyObject* dtype_asked, DType dtype) {
    Nested nested;
    nested.measure(data);
    nested.read(data, 0, "");
    if (!dtype_asked) dtype = nested.dtype;
    const Tensor t = empty(nested.shape, {.dtype = dtype});
    if (static_cast<std::int64_t>(nested.numbers.size()) != t.numel())
        fail(ErrorKind::value, "tensor: the list changed while it was read");
    auto* to = static_cast<char*>(t.data());
    std::size_t written = 0;
    for (const Scalar& s : nested.numbers) {
        check_signals(++written);
        check_fits("tensor", s, dtype);
        s.write(to, dtype);
        to += size_of(dtype);
    }
    return t;
}

// A new tensor of any data; nothing of it is shared.
PyObject* tensor(const Call& c) {
    PyObject* data = c[0];
    PyObject* asked = c.given(1) ? c[1] : nullptr;
    const DType dtype = c.dtype(1, default_dtype());
    const bool requires_grad = c.flag(3);
    Tensor t;
    if (is_tensor(data)) {
        t = clone(tensor_in(data).detach());
        if (c.given(2)) t = to(t, c.device(2));
    } else if (is_numpy_array(data)) {
        t = copied_from_numpy("tensor", data);
    } else {
        Scalar s;
        const bool plain = PyFloat_CheckExact(data) || PyLong_Check(data);
        const bool numpy_number =
            !plain && PyObject_HasAttrString(data, "dtype") == 1 && to_number(data, s);
        t = numpy_number ? copied_from_numpy("tensor", py::object(py::module_::import("numpy").attr(
                                                                      "asarray")(py::handle(data)))
                                                           .ptr())
                         : from_nested(data, asked, dtype);
    }
    if (asked && t.dtype() != dtype) t = cast(t, dtype);
    if (!is_tensor(data) && c.device(2) != Device::cpu) t = to(t, c.device(2));
    if (requires_grad) t.requires_grad_(true, python_line());
    return wrap(t);
}

// ---- constants ----------------------------------------------------------------------------------

PyObject* zeros(const Call& c) { return wrap(tg::zeros(c.dims(0), c.options(1))); }
PyObject* ones(const Call& c) { return wrap(tg::ones(c.dims(0), c.options(1))); }
PyObject* empty(const Call& c) {
    const Dims shape = c.dims(0);
    for (std::int64_t size : shape)
        if (size < 0 && !is_unknown(size))
            fail(ErrorKind::runtime, "empty: the shape ", text(shape), " has a negative size");
    return wrap(tg::zeros(shape, c.options(1)));
}

PyObject* full(const Call& c) {
    const Scalar value = c.number(1);
    Options options = c.options(2);
    if (!c.given(2)) options.dtype = natural_dtype(value);
    return wrap(tg::full(c.dims(0), value, options));
}

PyObject* zeros_like(const Call& c) {
    return wrap(tg::zeros(c.tensor(0).shape(), c.options_like(1)));
}
PyObject* ones_like(const Call& c) {
    return wrap(tg::ones(c.tensor(0).shape(), c.options_like(1)));
}
PyObject* full_like(const Call& c) {
    return wrap(tg::full(c.tensor(0).shape(), c.number(1), c.options_like(2)));
}

// arange(end), arange(start, end), arange(start, end, step): start + i * step below end.
PyObject* arange(const Call& c) {
    const bool both = c.given(0) && c.given(1);
    const Scalar start = both ? c.number(0) : Scalar(0);
    const Scalar end = c.number(c.given(1) ? 1 : 0);
    const Scalar step = c.given(2) ? c.number(2) : Scalar(1);
    if (step.as_real() == 0) fail(ErrorKind::runtime, "arange: step must not be 0");
    const bool real = is_floating(start.dtype) || is_floating(end.dtype) || is_floating(step.dtype);
    Options options = c.options(3);
    const DType dtype = c.dtype(3, real ? default_dtype() : DType::int64);
    double n = std::ceil((end.as_real() - start.as_real()) / step.as_real());
    if (!real) {  // exactly: a double has no room for the last digits of a large int64
        const auto from = static_cast<Wide>(start.as_integer());
        const auto by = static_cast<Wide>(step.as_integer());
        const Wide way = static_cast<Wide>(end.as_integer()) - from;
        const Wide count = way / by + (way % by != 0 && (way > 0) == (by > 0) ? 1 : 0);
        n = (way != 0 && (way > 0) != (by > 0)) ? -1 : static_cast<double>(count);
    }
    if (n < 0)
        fail(ErrorKind::runtime, "arange: from ", text(start), " to ", text(end), " in steps of ",
             text(step), " is the wrong way");
    if (!(n <= 9e15)) fail(ErrorKind::runtime, "arange: ", n, " elements are too many");
    const bool requires_grad = options.requires_grad;
    options.requires_grad = false;
    options.dtype = DType::int64;
    Tensor t = tg::arange(static_cast<std::int64_t>(n), options);
    const bool plain = step == Scalar(1) && start == Scalar(0);
    if (real && !plain) t = cast(t, DType::float64);
    if (!(step == Scalar(1))) t = mul(t, step);
    if (!(start == Scalar(0))) t = add(t, start);
    if (t.dtype() != dtype) t = cast(t, dtype);
    if (requires_grad) t.requires_grad_(true, python_line());
    return wrap(t);
}

// ---- random numbers -----------------------------------------------------------------------------

PyObject* rand(const Call& c) {
    return wrap(tg::rand(c.dims(0), c.options(1), generator_in(c, 4), python_line()));
}
PyObject* randn(const Call& c) {
    return wrap(tg::randn(c.dims(0), c.options(1), generator_in(c, 4), python_line()));
}
PyObject* rand_like(const Call& c) {
    const Dims& shape = c.tensor(0).shape();
    return wrap(tg::rand(shape, c.options_like(1), generator_in(c, 4), python_line()));
}
PyObject* randn_like(const Call& c) {
    const Dims& shape = c.tensor(0).shape();
    return wrap(tg::randn(shape, c.options_like(1), generator_in(c, 4), python_line()));
}

PyObject* constant(const Call& c) { return wrap(tg::constant(c.tensor(0))); }

constexpr Place function = Place::function;
const Function functions[] = {
    {"tensor(data, dtype=None, device=None, requires_grad=False)", tensor,
     "A new tensor of numbers, nested lists, a NumPy array or another tensor; always a copy.\n"
     "dtype: bool, int64 or the default floating one, whichever the numbers need.\n"
     "Raises ValueError where lists are ragged, RuntimeError where a number does not fit dtype.",
     function},
    {"zeros(*size, dtype=None, device=None, requires_grad=False)", zeros, "All 0.", function},
    {"ones(*size, dtype=None, device=None, requires_grad=False)", ones, "All 1.", function},
    {"empty(*size, dtype=None, device=None, requires_grad=False)", empty,
     "All 0: nothing here is ever left to chance.", function},
    {"full(size, fill_value, dtype=None, device=None, requires_grad=False)", full,
     "All fill_value; the dtype is the number's.", function},
    {"zeros_like(input, *, dtype=None, device=None, requires_grad=False)", zeros_like,
     "All 0, in the shape and dtype of input.", function},
    {"ones_like(input, *, dtype=None, device=None, requires_grad=False)", ones_like,
     "All 1, in the shape and dtype of input.", function},
    {"empty_like(input, *, dtype=None, device=None, requires_grad=False)", zeros_like,
     "All 0, in the shape and dtype of input.", function},
    {"full_like(input, fill_value, *, dtype=None, device=None, requires_grad=False)", full_like,
     "All fill_value, in the shape and dtype of input.", function},
    {"arange(start=None, end=None, step=None, *, dtype=None, device=None, requires_grad=False)",
     arange,
     "arange(end) or arange(start, end, step): start + i * step, as long as it is before end.",
     function},
    {"rand(*size, dtype=None, device=None, requires_grad=False, generator=None)", rand,
     "Uniform in [0, 1). The same seed gives the same numbers on every device.\n"
     "generator: a Generator to draw from instead of the default one. Raises RuntimeError if it\n"
     "is for another device.",
     function},
    {"randn(*size, dtype=None, device=None, requires_grad=False, generator=None)", randn,
     "Normal, of mean 0 and variance 1. generator: as of rand.", function},
    {"rand_like(input, *, dtype=None, device=None, requires_grad=False, generator=None)", rand_like,
     "Uniform in [0, 1), in the shape and dtype of input. generator: as of rand.", function},
    {"randn_like(input, *, dtype=None, device=None, requires_grad=False, generator=None)",
     randn_like, "Normal, in the shape and dtype of input. generator: as of rand.", function},
    {"constant(input)", constant, "Bakes the values of input into the graph being recorded.",
     function},
};

}  // namespace

void bind_creation(py::module_& m) { add_functions(m, functions); }

}  // namespace tg::python
