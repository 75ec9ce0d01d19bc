// pybind11's classes, made safe: left to itself, `T.__new__(T)` (which copy and pickle call too)
// gives an object without its C++ part, and whatever uses that reads memory that is not there.
#include "python/bind.h"

namespace tg::python {
namespace {

PyObject* only_from_functions(PyTypeObject* type, PyObject*, PyObject*) {
    return guarded([&]() -> PyObject* {
        fail(ErrorKind::type, type->tp_name, ": is made by tapegraph's functions only");
    });
}

// The object comes complete from tp_new.
int nothing_to_do(PyObject*, PyObject*, PyObject*) { return 0; }

}  // namespace

void constructed_by(py::handle cls, newfunc make) {
    auto* type = reinterpret_cast<PyTypeObject*>(cls.ptr());
    type->tp_new = make ? make : only_from_functions;
    type->tp_init = nothing_to_do;
}

}  // namespace tg::python
