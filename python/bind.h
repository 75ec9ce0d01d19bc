// What the files of the Python module share: the tensor's Python object, errors, lines, the GIL.
//
// Classes that are made seldom (Graph, Session, Program) are pybind11's. The tensor and the
// functions on it are plain CPython types instead (tensor.cc, call.cc): an operator through
// pybind11 costs 210 ns before it does anything, through a number slot 28.
// Read next: call.h, then tensor.cc.
#pragma once

#include <pybind11/pybind11.h>
#include <structmember.h>

#include <cstdint>
#include <exception>
#include <utility>

#include "core/ops.h"

namespace tg::python {

namespace py = pybind11;

// ---- the tensor's Python object: tensor.cc ------------------------------------------------------
struct TensorObject {
    PyObject_HEAD PyObject* weak_references;
    PyObject* grad;  // what .grad gave last, so that x.grad is x.grad
    Tensor tensor;   // always defined
};
extern PyTypeObject* tensor_type;

inline bool is_tensor(PyObject* o) {
    return Py_TYPE(o) == tensor_type || PyType_IsSubtype(Py_TYPE(o), tensor_type);
}
inline Tensor& tensor_in(PyObject* o) { return reinterpret_cast<TensorObject*>(o)->tensor; }

// A new reference to a new Python object; None for an undefined tensor.
PyObject* wrap(Tensor tensor);
PyObject* wrap_as(Tensor tensor, PyTypeObject* type);
inline PyObject* new_reference(PyObject* o) {
    Py_INCREF(o);
    return o;
}
// x itself if the op gave back the very same tensor.
inline PyObject* wrap_or(PyObject* x, Tensor result) {
    return is_tensor(x) && tensor_in(x).same(result) ? new_reference(x) : wrap(std::move(result));
}

// ---- errors: errors.cc --------------------------------------------------------------------------

// Called in a catch block: makes the C++ exception Python's current error.
void raise_in_python() noexcept;

// Runs f, which returns a PyObject*, and turns what it throws into a Python error.
template <class F>
PyObject* guarded(F&& f) noexcept {
    try {
        return f();
    } catch (...) {
        raise_in_python();
        return nullptr;
    }
}

// For calls of the C API that return null or -1 with an error set.
[[noreturn]] inline void throw_python() { throw py::error_already_set(); }
inline PyObject* checked(PyObject* o) {
    if (!o) throw_python();
    return o;
}
inline void checked(int status) {
    if (status < 0) throw_python();
}

// ---- the user's line: where.cc -----------------------------------------------------------------

// The innermost frame outside of this package.
Where python_line();

// ---- classes of pybind11: classes.cc -----------------------------------------------------------

// What `cls(...)` does; null: it raises TypeError, and C++ functions make the objects.
void constructed_by(py::handle cls, newfunc make = nullptr);

// ---- the GIL: interrupt.cc ----------------------------------------------------------------------
class WithoutGil {
  public:
    WithoutGil() : state_(PyEval_SaveThread()) {}
    ~WithoutGil();
    WithoutGil(const WithoutGil&) = delete;
    WithoutGil& operator=(const WithoutGil&) = delete;

  private:
    PyThreadState* state_;
};

// Elements touched; a symbol's op touches none.
inline std::int64_t work_of(const Arg& x) {
    if (!x.is_tensor() || x.tensor.is_symbolic()) return 0;
    std::int64_t n = 1;
    for (std::int64_t d : x.tensor.shape()) n *= d;
    return n;
}

// Letting other threads in costs 0.1 us: only for work that takes 10 us or more.
constexpr std::int64_t gil_threshold = 1 << 15;
template <class F>
auto compute(std::int64_t work, F&& f) {
    if (work < gil_threshold) return f();
    WithoutGil released;
    return f();
}

// A reference to a Python object that may be dropped by a thread without the GIL.
std::shared_ptr<void> keep_alive(PyObject* o);

// ---- what module.cc puts together ---------------------------------------------------------------
void bind_errors(py::module_& m);
void bind_interrupts(py::module_& m);
void bind_lines(py::module_& m);
void bind_types(py::module_& m);
void bind_shapes(py::module_& m);
void bind_functions(py::module_& m);
void bind_tensor(py::module_& m);
void bind_elementwise(py::module_& m);
void bind_reductions(py::module_& m);
void bind_layout(py::module_& m);
void bind_windows(py::module_& m);
void bind_resize(py::module_& m);
void bind_criteria(py::module_& m);
void bind_arrange(py::module_& m);
void bind_products(py::module_& m);
void bind_linalg(py::module_& m);
void bind_matrices(py::module_& m);
void bind_blends(py::module_& m);
void bind_trigonometry(py::module_& m);
void bind_statistics(py::module_& m);
void bind_stacks(py::module_& m);
void bind_search(py::module_& m);
void bind_written(py::module_& m);
void bind_generator(py::module_& m);
void bind_sampling(py::module_& m);
void bind_indexing(py::module_& m);
void bind_in_place(py::module_& m);
void bind_creation(py::module_& m);
void bind_numpy(py::module_& m);
void bind_autograd(py::module_& m);
void bind_hooks(py::module_& m);
void bind_function(py::module_& m);
void bind_program(py::module_& m);
void bind_graph(py::module_& m);
void bind_compile(py::module_& m);
void bind_vmap(py::module_& m);
void bind_system(py::module_& m);
void bind_optim(py::module_& m);
void bind_cuda(py::module_& m);

}  // namespace tg::python

// So that pybind11's functions take and return tensors.
template <>
struct pybind11::detail::type_caster<tg::Tensor> {
    PYBIND11_TYPE_CASTER(tg::Tensor, const_name("tapegraph.Tensor"));
    bool load(handle source, bool) {
        if (!tg::python::is_tensor(source.ptr())) return false;
        value = tg::python::tensor_in(source.ptr());
        return true;
    }
    static handle cast(const tg::Tensor& tensor, return_value_policy, handle) {
        return tg::python::wrap(tensor);
    }
};
