// Ops of the user's own, and checkpoints: what core calls back. Which argument is what is sorted
// out in tapegraph/autograd/function.py and tapegraph/utils/checkpoint.py.
#include "core/function.h"

#include "core/checkpoint.h"
#include "core/recording.h"
#include "python/call.h"
#include "python/gil.h"

namespace tg::python {
namespace {

std::vector<Tensor> tensors_in(const py::handle& list) {
    std::vector<Tensor> tensors;
    for (const py::handle item : list)
        tensors.push_back(item.is_none() ? Tensor() : tensor_in(item.ptr()));
    return tensors;
}

py::object list_of(const std::vector<Tensor>& tensors) {
    py::list list;
    for (const Tensor& t : tensors) list.append(py::reinterpret_steal<py::object>(wrap(t)));
    return list;
}

py::handle handle_in(const std::shared_ptr<void>& kept) {
    return py::handle(static_cast<PyObject*>(kept.get()));
}

// What a Python backward may ask while it runs.
struct PyPass {
    BackwardPass* pass = nullptr;  // null once it has ended
    BackwardPass& get() const {
        if (!pass)
            fail(ErrorKind::runtime,
                 "saved_tensors: they are there while backward runs, and no longer");
        return *pass;
    }
};

// run() -> (outputs, saved, fixed, materialize)
Forward forward_from(const std::shared_ptr<void>& run) {
    return [run](ForwardPass& pass, const std::vector<Tensor>&) {
        const WithGil gil;
        const py::tuple result = handle_in(run)();
        for (const Tensor& t : tensors_in(result[1])) pass.save(t);
        for (const Tensor& t : tensors_in(result[2])) pass.mark_non_differentiable(t);
        pass.set_materialize_grads(py::cast<bool>(result[3]));
        return tensors_in(result[0]);
    };
}

// rule(pass, gradients) -> gradients
tg::Function::Rule rule_from(const std::shared_ptr<void>& rule) {
    return [rule](BackwardPass& pass) {
        const WithGil gil;
        const OwnLines lines;
        std::vector<Tensor> gradients;
        for (int k = 0; k < pass.outputs(); ++k) gradients.push_back(pass.g(k));
        const py::object view = py::cast(PyPass{&pass});
        const struct End {
            const py::object& view;
            ~End() { py::cast<PyPass&>(view).pass = nullptr; }
        } end{view};
        return tensors_in(handle_in(rule)(view, list_of(gradients)));
    };
}

py::object apply_function(const std::string& name, const py::object& run, const py::object& rule,
                          const py::object& inputs) {
    const Where line = python_line();
    const std::vector<Tensor> given = tensors_in(inputs);
    return list_of(function(name, forward_from(keep_alive(run.ptr())),
                            rule_from(keep_alive(rule.ptr())), given, line));
}

py::object run_checkpoint(const py::object& run, const py::object& inputs, bool preserve) {
    const Where line = python_line();
    const std::shared_ptr<void> kept = keep_alive(run.ptr());
    const Part part = [kept](const std::vector<Tensor>&) {
        const WithGil gil;
        const OwnLines lines;
        return tensors_in(handle_in(kept)());
    };
    return list_of(checkpoint(part, tensors_in(inputs), preserve, line));
}

}  // namespace

void bind_function(py::module_& m) {
    py::class_<PyPass> pass(m, "_BackwardPass", py::is_final());
    constructed_by(pass);
    pass.def("saved",
             [](const PyPass& p) {
                 const BackwardPass& b = p.get();
                 std::vector<Tensor> tensors;
                 for (int k = 0; k < b.saved_count(); ++k) tensors.push_back(b.saved(k));
                 return list_of(tensors);
             })
        .def("needs", [](const PyPass& p, int i) { return p.get().needs_input_grad(i); });
    m.def("_apply_function", &apply_function);
    m.def("_checkpoint", &run_checkpoint);
    m.def("_is_recording", [] { return recording() != nullptr; });
}

}  // namespace tg::python
