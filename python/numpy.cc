// NumPy in and out. An array and a tensor share bytes where they can: the storage then keeps the
// array alive, or the array the storage.
#include <pybind11/numpy.h>

#include <algorithm>

#include "core/recording.h"
#include "kernels/low_precision.h"
#include "python/call.h"

namespace tg::python {
namespace {

py::dtype numpy_dtype(DType dtype) {
    switch (dtype) {
        case DType::boolean:
            return py::dtype::of<bool>();
        case DType::uint8:
            return py::dtype::of<std::uint8_t>();
        case DType::int8:
            return py::dtype::of<std::int8_t>();
        case DType::int16:
            return py::dtype::of<std::int16_t>();
        case DType::int32:
            return py::dtype::of<std::int32_t>();
        case DType::int64:
            return py::dtype::of<std::int64_t>();
        case DType::float32:
            return py::dtype::of<float>();
        case DType::float64:
            return py::dtype::of<double>();
        case DType::float16:
            return py::dtype("float16");
        case DType::bfloat16:
            break;
    }
    fail(ErrorKind::type, "NumPy has no bfloat16; convert the tensor first, as in x.float()");
}

// The dtype of an array's elements, whatever their byte order.
bool dtype_of(const py::array& array, DType& out) {
    const char kind = array.dtype().kind();
    const auto bytes = array.dtype().itemsize();
    if (kind == 'b')
        out = DType::boolean;
    else if (kind == 'u' && bytes == 1)
        out = DType::uint8;
    else if (kind == 'i' && bytes <= 8)
        out = bytes == 1   ? DType::int8
              : bytes == 2 ? DType::int16
              : bytes == 4 ? DType::int32
                           : DType::int64;
    else if (kind == 'f' && bytes <= 8)
        out = bytes == 2 ? DType::float16 : bytes == 4 ? DType::float32 : DType::float64;
    else
        return false;
    return true;
}

DType supported_dtype(const char* op, const py::array& array) {
    DType dtype = DType::float32;
    if (!dtype_of(array, dtype))
        fail(ErrorKind::type, op, ": a NumPy array of ",
             py::cast<std::string>(py::str(array.dtype())),
             " cannot become a tensor; convert it first, as in array.astype(\"float32\")");
    return dtype;
}

Dims shape_of(const char* op, const py::array& array) {
    if (array.ndim() > max_dims)
        fail(ErrorKind::value, op, ": a NumPy array of ", array.ndim(),
             " dims; a tensor has at most ", max_dims);
    Dims shape;
    for (py::ssize_t d = 0; d < array.ndim(); ++d) shape.push_back(array.shape(d));
    return shape;
}

// Why the array's bytes cannot be a tensor's; null if they can.
const char* not_shareable(const py::array& array, DType dtype) {
    const std::int64_t size = size_of(dtype);
    if (!py::bool_(array.dtype().attr("isnative"))) return "its byte order is not this machine's";
    if (reinterpret_cast<std::uintptr_t>(array.data()) % static_cast<std::uintptr_t>(size) != 0)
        return "its elements are not aligned";
    for (py::ssize_t d = 0; d < array.ndim(); ++d) {
        if (array.shape(d) < 2) continue;
        if (array.strides(d) < 0) return "it has a negative stride";
        if (array.strides(d) % size != 0) return "its strides are not whole elements";
    }
    return nullptr;
}

Tensor shared(const char* op, const py::array& array, DType dtype) {
    const std::int64_t size = size_of(dtype);
    Layout layout = Layout::contiguous(shape_of(op, array));
    if (array.size() == 0) return tensor_of(allocate(layout.shape, dtype, Device::cpu), layout);
    std::int64_t reach = 1;  // elements from the first to the last
    for (int d = 0; d < layout.shape.size(); ++d) {
        if (layout.shape[d] < 2) continue;  // NumPy leaves odd strides on such dims
        layout.strides[d] = array.strides(d) / size;
        reach += (layout.shape[d] - 1) * layout.strides[d];
    }
    Ref<Storage> storage =
        borrow(const_cast<void*>(array.data()), reach, dtype, keep_alive(array.ptr()));
    storage->foreign = true;
    if (layout.is_contiguous()) storage->shape = layout.shape;
    return tensor_of(std::move(storage), layout);
}

py::array array_in(const Call& c, int i) {
    if (!c[i] || !is_numpy_array(c[i])) c.wrong(i, "a NumPy array");
    return py::reinterpret_borrow<py::array>(c[i]);
}

PyObject* from_numpy(const Call& c) {
    const py::array array = array_in(c, 0);
    const DType dtype = supported_dtype("from_numpy", array);
    if (const char* why = not_shareable(array, dtype))
        fail(ErrorKind::value, "from_numpy: this array's bytes cannot be shared: ", why,
             "; use tg.tensor(array), which copies");
    if (array.writeable()) return wrap(shared("from_numpy", array, dtype));
    checked(PyErr_WarnEx(PyExc_UserWarning,
                         "from_numpy: this array is read-only, so the tensor gets a copy", 1));
    return wrap(copied_from_numpy("from_numpy", array.ptr()));
}

// The tensor or array itself where it can be, else what tg.tensor makes of it.
PyObject* as_tensor(const Call& c) {
    PyObject* data = c[0];
    const DType default_type = default_dtype();
    if (is_tensor(data)) {
        Tensor t = tensor_in(data);
        if (c.given(1) && c.dtype(1, default_type) != t.dtype())
            t = cast(t, c.dtype(1, default_type));
        if (c.given(2) && c.device(2) != t.device()) t = to(t, c.device(2));
        return wrap_or(data, t);
    }
    if (is_numpy_array(data)) {
        const auto array = py::reinterpret_borrow<py::array>(data);
        const DType own = supported_dtype("as_tensor", array);
        Tensor t = not_shareable(array, own) || !array.writeable()
                       ? copied_from_numpy("as_tensor", data)
                       : shared("as_tensor", array, own);
        if (c.dtype(1, own) != own) t = cast(t, c.dtype(1, own));
        if (c.device(2) != Device::cpu) t = to(t, c.device(2));
        return wrap(t);
    }
    const auto make = py::module_::import("tapegraph._C").attr("tensor");
    const auto or_none = [&](int i) { return c[i] ? py::handle(c[i]) : py::handle(Py_None); };
    return new_reference(py::object(make(py::handle(data), or_none(1), or_none(2))).ptr());
}

// A symbol has no numbers yet, and those of other tensors would be frozen into a trace.
void check_has_value(const Call& c, const Tensor& x) {
    if (x.is_symbolic()) no_value(x, c.name());
    if (recording() && recording()->kind == Recording::traced)
        fail(ErrorKind::runtime, c.name(), ": ", recording()->name,
             " is being traced, and numbers read now would be frozen into its program; keep them "
             "a tensor, or read them before the call");
}

// An array on the tensor's bytes.
PyObject* numpy(const Call& c) {
    Tensor x = c.tensor(0);
    check_has_value(c, x);
    const bool force = c.flag(1);
    if (x.requires_grad()) {
        if (!force)
            fail(ErrorKind::runtime,
                 "numpy: this tensor requires a gradient, which NumPy cannot follow; use "
                 "x.detach().numpy()");
        x = x.detach();
    }
    if (x.device() != Device::cpu) {
        if (!force)
            fail(ErrorKind::type, "numpy: this tensor is on ", name_of(x.device()),
                 "; use x.cpu().numpy(), which copies");
        x = to(x, Device::cpu);
    }
    void* data = x.data();
    const Ref<Storage>& storage = x.handle().storage;
    storage->foreign = true;
    const py::capsule keeper(new Ref<Storage>(storage),
                             [](void* p) { delete static_cast<Ref<Storage>*>(p); });
    std::vector<py::ssize_t> shape, strides;
    for (int d = 0; d < x.dims(); ++d) {
        shape.push_back(static_cast<py::ssize_t>(x.shape()[d]));
        strides.push_back(static_cast<py::ssize_t>(x.strides()[d] * size_of(x.dtype())));
    }
    return py::array(numpy_dtype(x.dtype()), shape, strides, data, keeper).release().ptr();
}

// ---- to Python's own objects --------------------------------------------------------------------

Scalar scalar_at(const char* bytes, DType dtype) {
    const auto read = [&]<class T>(T value) {
        std::memcpy(&value, bytes, sizeof value);
        return value;
    };
    switch (dtype) {
        case DType::boolean:
            return Scalar(read(std::uint8_t{}) != 0);
        case DType::uint8:
            return Scalar(static_cast<int>(read(std::uint8_t{})));
        case DType::int8:
            return Scalar(static_cast<int>(read(std::int8_t{})));
        case DType::int16:
            return Scalar(static_cast<int>(read(std::int16_t{})));
        case DType::int32:
            return Scalar(static_cast<int>(read(std::int32_t{})));
        case DType::int64:
            return Scalar(static_cast<long long>(read(std::int64_t{})));
        case DType::float16:
            return Scalar(static_cast<double>(formula::widen(read(formula::Float16{}))));
        case DType::bfloat16:
            return Scalar(static_cast<double>(formula::widen(read(formula::BFloat16{}))));
        case DType::float32:
            return Scalar(static_cast<double>(read(float{})));
        case DType::float64:
            return Scalar(read(double{}));
    }
    return Scalar();
}

// A list of the elements along dim d, lists themselves down to the last. At most max_dims deep.
PyObject* list_along(const Tensor& x, int d, const char* bytes) {
    if (d == x.dims()) return python_number(scalar_at(bytes, x.dtype()));
    const std::int64_t step = x.strides()[d] * size_of(x.dtype());
    const auto list = py::reinterpret_steal<py::object>(PyList_New(x.shape()[d]));
    if (!list) throw_python();
    for (std::int64_t i = 0; i < x.shape()[d]; ++i) {
        if (i % 65536 == 65535) checked(PyErr_CheckSignals());
        PyList_SET_ITEM(list.ptr(), i, checked(list_along(x, d + 1, bytes + i * step)));
    }
    return new_reference(list.ptr());
}

PyObject* tolist(const Call& c) {
    check_has_value(c, c.tensor(0));
    Tensor x = c.tensor(0).detach();
    if (x.device() != Device::cpu) x = to(x, Device::cpu);
    return list_along(x, 0, static_cast<const char*>(x.data()));
}

PyObject* item(const Call& c) { return python_number(c.tensor(0).item_scalar(python_line())); }

const Function functions[] = {
    {"from_numpy(array)", from_numpy,
     "A tensor on the very bytes of a NumPy array: what one writes, the other sees.\n"
     "Raises TypeError for a dtype that tensors do not have, ValueError where bytes cannot be\n"
     "shared (negative strides, foreign byte order). A read-only array is copied, with a warning.",
     Place::function},
    {"as_tensor(data, dtype=None, device=None)", as_tensor,
     "data itself if it is such a tensor, a tensor on its bytes if it is such an array, else a\n"
     "new tensor.",
     Place::function},
    {"numpy(input, *, force=False)", numpy,
     "A NumPy array on the very bytes of the tensor. Raises RuntimeError if it requires a\n"
     "gradient, TypeError if it is not on the CPU; with force, copies or detaches instead.",
     Place::method},
    {"tolist(input)", tolist, "Nested lists of Python numbers; a number if there are no dims.",
     Place::method},
    {"item(input)", item, "The only element, as a Python number.", Place::method},
};

}  // namespace

bool is_numpy_array(PyObject* o) { return py::isinstance<py::array>(o); }

PyObject* python_number(const Scalar& scalar) {
    if (is_floating(scalar.dtype)) return PyFloat_FromDouble(scalar.real);
    if (scalar.dtype == DType::boolean) return PyBool_FromLong(scalar.integer != 0);
    return PyLong_FromLongLong(scalar.integer);
}

Tensor copied_from_numpy(const char* op, PyObject* object) {
    const auto array = py::reinterpret_borrow<py::array>(object);
    const DType dtype = supported_dtype(op, array);
    const Tensor t = empty(shape_of(op, array), {.dtype = dtype});
    const py::array plain =
        py::module_::import("numpy").attr("ascontiguousarray")(array, numpy_dtype(dtype));
    if (t.numel() > 0)
        std::memcpy(t.data(), plain.data(), static_cast<std::size_t>(plain.nbytes()));
    return t;
}

namespace {

// bfloat16, which NumPy does not have, travels as its bits.
py::array bits_of_bfloat16(const Tensor& x) {
    const Tensor row = contiguous(to(x.detach(), Device::cpu));
    std::vector<py::ssize_t> shape(row.shape().begin(), row.shape().end());
    return py::array(py::dtype::of<std::uint16_t>(), shape, row.data());
}

Tensor bfloat16_of_bits(const py::array& array) {
    const Tensor t = empty(shape_of("from_bits", array), {.dtype = DType::bfloat16});
    const auto row = py::array_t<std::uint16_t, py::array::c_style | py::array::forcecast>(array);
    if (t.numel() > 0) std::memcpy(t.data(), row.data(), static_cast<std::size_t>(row.nbytes()));
    return t;
}

}  // namespace

void bind_numpy(py::module_& m) {
    add_functions(m, functions);
    m.def("_bits_of_bfloat16", [](py::handle x) { return bits_of_bfloat16(tensor_in(x.ptr())); });
    m.def("_bfloat16_of_bits", [](const py::array& bits) {
        return py::reinterpret_steal<py::object>(wrap(bfloat16_of_bits(bits)));
    });
}

}  // namespace tg::python
