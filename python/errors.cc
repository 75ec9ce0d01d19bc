// tg::Error in Python: the kinds of exception that PyTorch raises.
#include <new>

#include "python/bind.h"

namespace tg::python {
namespace {

PyObject* out_of_range = nullptr;
PyObject* out_of_memory = nullptr;
PyObject* linalg_error = nullptr;

PyObject* type_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::runtime:
            return PyExc_RuntimeError;
        case ErrorKind::value:
            return PyExc_ValueError;
        case ErrorKind::type:
            return PyExc_TypeError;
        case ErrorKind::index:
            return PyExc_IndexError;
        case ErrorKind::range:
            return out_of_range;
        case ErrorKind::memory:
            return out_of_memory;
        case ErrorKind::unsupported:
            return PyExc_NotImplementedError;
        case ErrorKind::interrupt:
            return PyExc_KeyboardInterrupt;
        case ErrorKind::linalg:
            return linalg_error;
    }
    return PyExc_RuntimeError;
}

}  // namespace

// What the poll found when a signal's handler raised: that is the error to give. interrupt.cc
bool restore_interrupt();

void raise_in_python() noexcept {
    try {
        throw;
    } catch (py::error_already_set& e) {
        e.restore();
    } catch (const Error& e) {
        if (e.kind == ErrorKind::interrupt && restore_interrupt()) return;
        const std::string text =
            e.placed ? e.what() : placed_text(e.what(), python_line(), nullptr);
        PyErr_SetString(type_of(e.kind), text.c_str());
    } catch (const py::builtin_exception& e) {
        e.set_error();
    } catch (const std::bad_alloc&) {
        PyErr_SetString(out_of_memory, ("out of memory" + at(python_line())).c_str());
    } catch (const std::exception& e) {
        PyErr_SetString(PyExc_RuntimeError, e.what());
    } catch (...) {
        PyErr_SetString(PyExc_RuntimeError, "an error of an unknown kind");
    }
}

void bind_errors(py::module_& m) {
    const auto both = [&](const char* name, PyObject* a, PyObject* b) {
        const py::tuple bases = py::make_tuple(py::handle(a), py::handle(b));
        PyObject* type =
            PyErr_NewException((std::string("tapegraph.") + name).c_str(), bases.ptr(), nullptr);
        m.attr(name) = py::handle(checked(type));
        return type;
    };
    out_of_range = both("OutOfRangeError", PyExc_IndexError, PyExc_RuntimeError);
    out_of_memory = both("OutOfMemoryError", PyExc_RuntimeError, PyExc_MemoryError);
    linalg_error =
        checked(PyErr_NewException("tapegraph.linalg.LinAlgError", PyExc_RuntimeError, nullptr));
    m.attr("LinAlgError") = py::handle(linalg_error);
    py::register_local_exception_translator([](std::exception_ptr error) {
        try {
            if (error) std::rethrow_exception(error);
        } catch (const Error&) {
            raise_in_python();
        }
    });
}

}  // namespace tg::python
