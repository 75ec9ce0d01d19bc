// tg.dtype and tg.device: small immutable objects, one for each value.
#include "python/call.h"

namespace tg::python {
namespace {

struct PyDType {
    DType dtype;
};
struct PyDevice {
    Device device;
};

PyObject* dtype_objects[dtype_count] = {};
PyObject* device_objects[2] = {};

// `with tg.device("cuda"):` makes it the default; what was so before waits here.
thread_local std::vector<Device> outer_devices;

py::object enter_device(const py::object& self) {
    outer_devices.push_back(default_device());
    set_default_device(py::cast<const PyDevice&>(self).device);
    return self;
}

void leave_device(const PyDevice&, const py::args&) {
    if (outer_devices.empty()) fail(ErrorKind::runtime, "device: left more often than entered");
    set_default_device(outer_devices.back());
    outer_devices.pop_back();
}

std::string device_repr(const PyDevice& d) {
    return std::string("device(type='") + name_of(d.device) + "')";
}

// device(type="cpu"): the one object there is for each.
PyObject* new_device(PyTypeObject*, PyObject* arguments, PyObject* keywords) {
    return guarded([&]() -> PyObject* {
        static const char* const names[] = {"type", nullptr};
        PyObject* type = nullptr;
        if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O:device", const_cast<char**>(names),
                                         &type))
            throw_python();
        Device device = Device::cpu;
        if (!to_device(type, device))
            fail(ErrorKind::type, "device: type must be \"cpu\" or \"cuda\", not ",
                 type_name(type));
        return device_object(device);
    });
}

}  // namespace

PyObject* dtype_object(DType dtype) {
    return new_reference(dtype_objects[static_cast<int>(dtype)]);
}
PyObject* device_object(Device device) {
    return new_reference(device_objects[static_cast<int>(device)]);
}

bool to_dtype(PyObject* o, DType& out) {
    for (int i = 0; i < dtype_count; ++i) {
        if (dtype_objects[i] != o) continue;
        out = static_cast<DType>(i);
        return true;
    }
    // Python's own types, as PyTorch takes them.
    if (o == reinterpret_cast<PyObject*>(&PyFloat_Type))
        out = DType::float64;
    else if (o == reinterpret_cast<PyObject*>(&PyLong_Type))
        out = DType::int64;
    else if (o == reinterpret_cast<PyObject*>(&PyBool_Type))
        out = DType::boolean;
    else
        return false;
    return true;
}

bool to_device(PyObject* o, Device& out) {
    for (int i = 0; i < 2; ++i) {
        if (device_objects[i] != o) continue;
        out = static_cast<Device>(i);
        return true;
    }
    if (!PyUnicode_Check(o)) return false;
    out = device_named(py::cast<std::string>(py::handle(o)));
    return true;
}

void bind_types(py::module_& m) {
    py::class_<PyDType> dtype(m, "dtype", "The type of a tensor's elements, as tg.float32.",
                              py::is_final());
    constructed_by(dtype);
    dtype.def("__repr__", [](PyDType d) { return std::string("tapegraph.") + name_of(d.dtype); })
        .def("__reduce__", [](PyDType d) { return std::string(name_of(d.dtype)); })
        .def_property_readonly(
            "itemsize", [](PyDType d) { return size_of(d.dtype); }, "Bytes of one element.")
        .def_property_readonly("is_floating_point", [](PyDType d) { return is_floating(d.dtype); });
    for (int i = 0; i < dtype_count; ++i) {
        const DType d = static_cast<DType>(i);
        dtype_objects[i] = py::cast(PyDType{d}).release().ptr();
        m.attr(name_of(d)) = py::handle(dtype_objects[i]);
    }
    m.attr("float") = m.attr("float32");
    m.attr("double") = m.attr("float64");
    m.attr("long") = m.attr("int64");
    m.attr("int") = m.attr("int32");
    m.attr("short") = m.attr("int16");
    m.attr("half") = m.attr("float16");

    py::class_<PyDevice> device(
        m, "device", "Where a tensor's bytes are: device(\"cpu\") or (\"cuda\").", py::is_final());
    constructed_by(device, new_device);
    device.def_property_readonly("type", [](PyDevice d) { return name_of(d.device); })
        .def_property_readonly("index",
                               [](PyDevice d) -> py::object {
                                   return d.device == Device::cpu ? py::object(py::none())
                                                                  : py::object(py::int_(0));
                               })
        .def("__repr__", &device_repr)
        .def("__str__", [](PyDevice d) { return std::string(name_of(d.device)); })
        .def("__enter__", &enter_device)
        .def("__exit__", &leave_device)
        .def("__hash__", [](PyDevice d) { return static_cast<int>(d.device); })
        .def("__reduce__", [m](PyDevice d) {
            return py::make_tuple(m.attr("device"), py::make_tuple(name_of(d.device)));
        });
    for (int i = 0; i < 2; ++i)
        device_objects[i] = py::cast(PyDevice{static_cast<Device>(i)}).release().ptr();
}

}  // namespace tg::python
