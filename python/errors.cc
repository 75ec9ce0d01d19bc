// tg::Error in Python: the kinds of exception that PyTorch raises.
#include <new>

#include "python/bind.h"

namespace tg::python {
namespace {

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
        case ErrorKind::memory:
            return PyExc_MemoryError;
        case ErrorKind::unsupported:
            return PyExc_NotImplementedError;
        case ErrorKind::interrupt:
            return PyExc_KeyboardInterrupt;
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
        PyErr_SetString(type_of(e.kind), e.what());
    } catch (const py::builtin_exception& e) {
        e.set_error();
    } catch (const std::bad_alloc&) {
        PyErr_SetString(PyExc_MemoryError, "out of memory");
    } catch (const std::exception& e) {
        PyErr_SetString(PyExc_RuntimeError, e.what());
    } catch (...) {
        PyErr_SetString(PyExc_RuntimeError, "an error of an unknown kind");
    }
}

void bind_errors(py::module_&) {
    py::register_local_exception_translator([](std::exception_ptr error) {
        try {
            if (error) std::rethrow_exception(error);
        } catch (const Error&) {
            raise_in_python();
        }
    });
}

}  // namespace tg::python
