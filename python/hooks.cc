// Hooks on gradients, retain_grad, and detect_anomaly.
#include "core/hooks.h"

#include "core/anomaly.h"
#include "core/recording.h"
#include "python/call.h"
#include "python/gil.h"

namespace tg::python {
namespace {

std::shared_ptr<void> function_in(const Call& c, int i) {
    if (!PyCallable_Check(c[i])) c.wrong(i, "a function");
    return keep_alive(c[i]);
}

// Where the hooks that run while this thread traces are noted down, a list; null: nowhere.
thread_local PyObject* hooks_run = nullptr;

// A hook's ops are on the hook's own lines.
py::object called(const std::shared_ptr<void>& function, const py::object& argument) {
    const OwnLines lines;
    const py::handle hook(static_cast<PyObject*>(function.get()));
    if (recording() && hooks_run && PyList_Append(hooks_run, hook.ptr()) != 0)
        throw py::error_already_set();
    return hook(argument);
}

py::object taken(PyObject* o) { return py::reinterpret_steal<py::object>(o); }

Tensor replacement(const py::object& result) {
    if (result.is_none()) return {};
    if (!is_tensor(result.ptr()))
        fail(ErrorKind::type, "backward: a hook returned ", type_name(result.ptr()),
             ", not a tensor or None");
    return tensor_in(result.ptr());
}

PyObject* handle_object(HookHandle handle) { return py::cast(std::move(handle)).release().ptr(); }

PyObject* register_hook_method(const Call& c) {
    const std::shared_ptr<void> function = function_in(c, 1);
    return handle_object(register_hook(c.tensor(0), [function](const Tensor& g) {
        const WithGil gil;
        return replacement(called(function, taken(wrap(g))));
    }));
}

// The hook gets the very object that it was registered on, which the hook does not keep alive.
PyObject* register_after_method(const Call& c) {
    const std::shared_ptr<void> function = function_in(c, 1);
    const py::object weak = taken(checked(PyWeakref_NewRef(c.self(), nullptr)));
    const std::shared_ptr<void> tensor = keep_alive(weak.ptr());
    return handle_object(register_post_accumulate_grad_hook(c.tensor(0), [function, tensor] {
        const WithGil gil;
        const py::object leaf = py::handle(static_cast<PyObject*>(tensor.get()))();
        if (!leaf.is_none()) called(function, leaf);
    }));
}

PyObject* retain_grad_method(const Call& c) {
    c.tensor(0).retain_grad();
    Py_RETURN_NONE;
}

PyObject* set_anomaly(const Call& c) {
    set_detect_anomaly(c.flag(0));
    Py_RETURN_NONE;
}

// The caller keeps the list until it says None.
PyObject* note_hooks(const Call& c) {
    hooks_run = c[0] == Py_None ? nullptr : c[0];
    Py_RETURN_NONE;
}

PyObject* get_anomaly(const Call&) { return PyBool_FromLong(detects_anomaly()); }

PyObject* get_retains(PyObject* self, void*) {
    return guarded([&] { return PyBool_FromLong(tensor_in(self).retains_grad()); });
}

PyGetSetDef retains_grad = {"retains_grad", get_retains, nullptr,
                            "Is the gradient of this result kept? See retain_grad().", nullptr};

const Function functions[] = {
    {"register_hook(input, hook)", register_hook_method,
     "Calls hook(gradient) in each backward, once the gradient of input is complete and before\n"
     "it goes on; a tensor that it returns goes on instead. Hooks run in the order in which they\n"
     "were registered. Returns a handle whose remove() takes the hook off. In a compiled function\n"
     "a hook runs once, on symbols, and what it does becomes lines of the program. Raises\n"
     "RuntimeError if input requires no gradient, and in the backward if the hook returns another\n"
     "shape, dtype or device.",
     Place::method},
    {"register_post_accumulate_grad_hook(input, hook)", register_after_method,
     "Calls hook(input) in each backward, after the .grad of this leaf has been added to.\n"
     "Returns a handle as register_hook does. Raises RuntimeError for what is no leaf.",
     Place::method},
    {"retain_grad(input)", retain_grad_method,
     "From here on backward adds the gradient of this result into its .grad, as into a leaf's.\n"
     "Raises RuntimeError if it requires no gradient.",
     Place::method},
    {"_set_detect_anomaly(mode)", set_anomaly, "Is every result looked over?", Place::function},
    {"_note_hooks(list)", note_hooks, "Has each hook that runs in a trace put into the list.",
     Place::function},
    {"is_anomaly_enabled()", get_anomaly,
     "Is every kernel's result looked over for NaN and infinity?", Place::function},
};

}  // namespace

void bind_hooks(py::module_& m) {
    add_functions(m, functions);
    const auto property =
        py::reinterpret_steal<py::object>(PyDescr_NewGetSet(tensor_type, &retains_grad));
    py::handle(reinterpret_cast<PyObject*>(tensor_type)).attr("retains_grad") = property;
    py::class_<HookHandle> handle(m, "HookHandle", "What registering a hook returns.",
                                  py::is_final());
    constructed_by(handle);
    handle.def("remove", &HookHandle::remove, "Takes the hook off.")
        .def("__enter__", [](const py::object& self) { return self; })
        .def("__exit__", [](HookHandle& self, const py::args&) { self.remove(); });
}

}  // namespace tg::python
