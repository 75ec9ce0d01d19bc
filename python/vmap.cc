// vmap as Python calls it; the shapes of arguments and results are python/tapegraph/func's
// business.
#include "graph/vmap.h"

#include <pybind11/stl.h>

#include <algorithm>

#include "core/history.h"
#include "core/ops/structural.h"
#include "core/recording.h"
#include "core/tape.h"
#include "python/call.h"
#include "python/gil.h"

namespace tg::python {
namespace {

Randomness randomness_named(const std::string& name) {
    if (name == "error") return Randomness::error;
    if (name == "same") return Randomness::same;
    if (name == "different") return Randomness::different;
    fail(ErrorKind::runtime, "vmap: randomness is 'error', 'same' or 'different', not '", name,
         "'");
}

std::vector<Tensor> tensors_in(py::handle list) {
    std::vector<Tensor> tensors;
    for (py::handle o : list) {
        if (!is_tensor(o.ptr()))
            fail(ErrorKind::value, "vmap: the function must return tensors, not ",
                 type_name(o.ptr()));
        tensors.push_back(tensor_in(o.ptr()));
    }
    return tensors;
}

py::list list_of(const std::vector<Tensor>& tensors) {
    py::list list;
    for (const Tensor& x : tensors) list.append(py::reinterpret_steal<py::object>(wrap(x)));
    return list;
}

// (function of a list, tensors, which are batched, name, randomness) -> (results, which are the
// same for all)
py::tuple vmapped(const py::object& function, const py::list& arguments,
                  const std::vector<bool>& batched, const std::string& name,
                  const std::string& randomness) {
    const VmapOptions options{
        .randomness = randomness_named(randomness), .where = python_line(), .name = name};
    const std::vector<Tensor> given = tensors_in(arguments);
    const std::shared_ptr<void> kept = keep_alive(function.ptr());
    const auto call = [&](const std::vector<Tensor>& inside) {
        const WithGil gil;
        return tensors_in(py::handle(static_cast<PyObject*>(kept.get()))(list_of(inside)));
    };
    Vmapped out;
    {
        const py::gil_scoped_release free;
        out = vmap(call, given, batched, options);
    }
    return py::make_tuple(list_of(out.results), out.same);
}

// Does the tape of x lead to no leaves but these?
bool ends_at(const py::object& x, const py::list& leaves) {
    const Tensor& root = tensor_in(x.ptr());
    if (!root.requires_grad()) return false;
    std::vector<Value> own;
    for (const Tensor& leaf : tensors_in(leaves)) own.push_back(goes_to(value_of(leaf)));
    const Value from = goes_to(value_of(root));
    for (const Node* node : tape({&from, 1}, Follow::gradients).nodes) {
        const bool is_own = std::any_of(own.begin(), own.end(),
                                        [&](const Value& v) { return v.node.get() == node; });
        if (node->op == &ops::leaf && !is_own) return false;
    }
    return true;
}

}  // namespace

void bind_vmap(py::module_& m) {
    m.def("_vmap", &vmapped);
    m.def("_ends_at", &ends_at);
    m.def("_recording", [] { return recording() ? recording()->id : 0; });
}

}  // namespace tg::python
