// backward and grad, the modes, and the tape as Python sees it: x.grad_fn.
#include <memory>

#include "core/autocast.h"
#include "core/backward.h"
#include "core/function.h"
#include "core/history.h"
#include "core/hooks.h"
#include "core/recording.h"
#include "python/call.h"

namespace tg::python {
namespace {

// ---- nodes --------------------------------------------------------------------------------------

struct PyNode {
    Ref<Node> node;
};

py::object node_object(const Ref<Node>& node) {
    return node ? py::cast(PyNode{node}) : py::object(py::none());
}

std::string node_repr(const PyNode& n) { return "<" + name_of(*n.node) + at(n.node->where) + ">"; }

py::tuple next_functions(const PyNode& n) {
    py::list all;
    const auto [first, end] = applied_to(*n.node);
    for (int i = first; i < end; ++i) {
        const Input& input = n.node->inputs[i];
        if (!input.is_scalar)
            all.append(py::make_tuple(node_object(input.value.node), input.value.index));
    }
    return py::tuple(all);
}

PyObject* get_grad_fn(PyObject* self, void*) {
    return guarded([&]() -> PyObject* {
        const Tensor& x = tensor_in(self);
        if (!x.requires_grad() || x.is_leaf()) Py_RETURN_NONE;
        return node_object(value_of(x).node).release().ptr();
    });
}

PyGetSetDef grad_fn = {"grad_fn", get_grad_fn, nullptr,
                       "The node that made this value; None for a leaf.", nullptr};

// ---- backward and grad --------------------------------------------------------------------------

// A tensor, or several; None among gradients is an undefined one.
std::vector<Tensor> several(const Call& c, int i, bool none_too) {
    std::vector<Tensor> list;
    const auto add = [&](PyObject* o) {
        if (is_tensor(o))
            list.push_back(tensor_in(o));
        else if (none_too && o == Py_None)
            list.push_back(Tensor());
        else
            c.wrong(i, "a tensor or several");
    };
    if (!c.given(i)) return list;
    if (!PyList_Check(c[i]) && !PyTuple_Check(c[i])) {
        add(c[i]);
        return list;
    }
    for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(c[i]); ++k)
        add(PySequence_Fast_GET_ITEM(c[i], k));
    return list;
}

void fit(const Call& c, std::vector<Tensor>& gradients, std::size_t outputs) {
    if (gradients.empty()) gradients.resize(outputs);
    if (gradients.size() != outputs)
        fail(ErrorKind::runtime, c.name(), ": ", outputs, outputs == 1 ? " tensor" : " tensors",
             " to start from, but ", gradients.size(), " gradients");
}

// Both retain the graph if they create one, unless told otherwise.
BackwardOptions options(const Call& c, int retain, int create) {
    const bool creates = c.flag(create);
    return {.retain_graph = c.flag(retain, creates), .create_graph = creates};
}

// A walk along the tape may be long whatever its tensors' sizes: others may run meanwhile.
void walk(const std::vector<Tensor>& roots, const std::vector<Tensor>& gradients,
          BackwardOptions options) {
    const WithoutGil released;
    tg::backward(roots, gradients, options);
}

// Adds into the .grad of these tensors only, be they leaves or results.
void walk_to(const std::vector<Tensor>& inputs, const std::vector<Tensor>& roots,
             const std::vector<Tensor>& gradients, BackwardOptions options) {
    const WithoutGil released;
    const std::vector<Tensor> found = tg::grad(roots, inputs, gradients, options);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (!found[i].defined()) continue;
        add_gradient(gradient_of(inputs[i]), found[i]);
        const Value leaf = inputs[i].is_leaf() ? value_of(inputs[i]) : Value{};
        if (leaf && leaf.node->extras) run_after_hooks(*leaf.node->extras);
    }
}

void walk_back(const Call& c, const std::vector<Tensor>& roots) {
    std::vector<Tensor> gradients = several(c, 1, true);
    fit(c, gradients, roots.size());
    const std::vector<Tensor> inputs = several(c, 4, false);
    if (inputs.empty() && c.given(4)) fail(ErrorKind::runtime, "backward: inputs is empty");
    if (inputs.empty())
        walk(roots, gradients, options(c, 2, 3));
    else
        walk_to(inputs, roots, gradients, options(c, 2, 3));
}

PyObject* backward_method(const Call& c) {
    walk_back(c, {c.tensor(0)});
    Py_RETURN_NONE;
}

PyObject* backward_function(const Call& c) {
    walk_back(c, several(c, 0, false));
    Py_RETURN_NONE;
}

PyObject* grad_function(const Call& c) {
    const std::vector<Tensor> outputs = several(c, 0, false);
    const std::vector<Tensor> inputs = several(c, 1, false);
    std::vector<Tensor> gradients = several(c, 2, true);
    fit(c, gradients, outputs.size());
    BackwardOptions asked = options(c, 3, 4);
    asked.allow_unused = c.flag(5);
    std::vector<Tensor> found;
    {
        const WithoutGil released;
        found = tg::grad(outputs, inputs, gradients, asked);
    }
    py::tuple result(found.size());
    for (std::size_t i = 0; i < found.size(); ++i)
        PyTuple_SET_ITEM(result.ptr(), static_cast<Py_ssize_t>(i), wrap(found[i]));
    return result.release().ptr();
}

PyObject* detach(const Call& c) { return wrap(c.tensor(0).detach()); }

PyObject* requires_grad_(const Call& c) {
    c.tensor(0).requires_grad_(c.flag(1, true), python_line());
    return new_reference(c.self());
}

PyObject* tape_text_function(const Call& c) {
    const std::string s = tape_text(c.tensor(0));
    return PyUnicode_FromStringAndSize(s.data(), static_cast<Py_ssize_t>(s.size()));
}

PyObject* set_mode(const Call& c) {
    set_grad_enabled(c.flag(0));
    Py_RETURN_NONE;
}

// This thread's autocast, (enabled, dtype), as it was before this call set it.
py::tuple autocast_state() {
    const Autocast& now = autocast();
    return py::make_tuple(now.enabled, py::reinterpret_steal<py::object>(dtype_object(now.dtype)));
}
py::tuple set_autocast(bool enabled, const py::object& dtype) {
    const py::tuple before = autocast_state();
    Autocast next = autocast();
    next.enabled = enabled;
    if (!dtype.is_none() && !to_dtype(dtype.ptr(), next.dtype))
        fail(ErrorKind::type, "autocast: dtype is bfloat16 or float16, not ",
             type_name(dtype.ptr()));
    autocast() = next;
    return before;
}

PyObject* get_mode(const Call&) { return PyBool_FromLong(grad_enabled()); }

const Function functions[] = {
    {"backward(input, gradient=None, retain_graph=None, create_graph=False, inputs=None)",
     backward_method,
     "Adds d input / d leaf into the .grad of every leaf that input was made of; or, with inputs,\n"
     "a tensor or several, into the .grad of those and of no others.\n"
     "gradient has input's shape; it may be left out if input has one element. Raises\n"
     "RuntimeError if nothing requires a gradient, or the tape has been freed by a backward.",
     Place::method},
    {"_backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, inputs=None)",
     backward_function, "tapegraph.autograd.backward.", Place::function},
    {"_grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, "
     "allow_unused=False)",
     grad_function, "tapegraph.autograd.grad.", Place::function},
    {"detach(input)", detach, "The same bytes, apart from the tape."},
    {"requires_grad_(input, requires_grad=True)", requires_grad_,
     "From here on gradients flow to this tensor (or not); gives it back.", Place::method},
    {"tape_text(input)", tape_text_function,
     "The tape that made input, one line a node, oldest first.", Place::function},
    {"_set_grad_enabled(mode)", set_mode, "Is what runs recorded on the tape?", Place::function},
    {"is_grad_enabled()", get_mode, "Is what runs recorded on the tape?", Place::function},
};

}  // namespace

void bind_autograd(py::module_& m) {
    add_functions(m, functions);
    m.def("_autocast", &autocast_state);
    m.def("_autocast", &set_autocast, py::arg("enabled"), py::arg("dtype") = py::none());
    const auto property =
        py::reinterpret_steal<py::object>(PyDescr_NewGetSet(tensor_type, &grad_fn));
    py::handle(reinterpret_cast<PyObject*>(tensor_type)).attr("grad_fn") = property;

    py::class_<PyNode> node(m, "Node", "One application of an op on the tape.", py::is_final());
    constructed_by(node);
    node.def(
            "name", [](const PyNode& n) { return name_of(*n.node); },
            "The op's name, as \"add\"; of a Function its class's name.")
        .def_property_readonly(
            "line", [](const PyNode& n) { return text(n.node->where); },
            "Where the user wrote it, as \"train.py:12\".")
        .def_property_readonly(
            "where", [](const PyNode& n) { return text(n.node->where); }, "The same as line.")
        .def_property_readonly(
            "id", [](const PyNode& n) { return n.node->id; },
            "Nodes are numbered in the order in which they were made.")
        .def_property_readonly("next_functions", &next_functions,
                               "For each tensor that it was applied to, its node (None if no "
                               "gradient flows there) and which of that node's outputs it is.")
        .def("__repr__", &node_repr)
        .def("__hash__",
             [](const PyNode& n) { return reinterpret_cast<std::uintptr_t>(n.node.get()) >> 4; })
        .def("__eq__", [](const PyNode& n, const py::object& other) {
            return py::isinstance<PyNode>(other) && py::cast<PyNode&>(other).node == n.node;
        });
}

}  // namespace tg::python
