// Graph, placeholder, assign and Session: the TensorFlow 1 style. What feeds and fetches may be in
// Python is sorted out in tapegraph/graph.py.
#include "graph/graph.h"

#include <memory>
#include <vector>

#include "python/call.h"
#include "python/program.h"

namespace tg::python {
namespace {

// The `with graph:` blocks of this thread, outermost first. Each keeps its graph alive, and they
// close only in the reverse order: a recording never stays open after its graph is gone.
struct Open {
    PyObject* graph;
    std::unique_ptr<GraphScope> scope;
};
std::vector<Open>& open_graphs() {
    // Never destroyed: a thread may end without the interpreter's lock.
    thread_local auto* all = new std::vector<Open>;
    return *all;
}

py::object enter(const py::object& graph) {
    Graph& entered = py::cast<Graph&>(graph);
    std::unique_ptr<GraphScope> scope;
    {
        const WithoutGil released;  // it takes a lock, and asks for lines
        scope = std::make_unique<GraphScope>(entered);
    }
    open_graphs().push_back({new_reference(graph.ptr()), std::move(scope)});
    return graph;
}

void leave(const py::object& graph, const py::args&) {
    std::vector<Open>& all = open_graphs();
    if (all.empty() || all.back().graph != graph.ptr() ||
        recording() != &py::cast<Graph&>(graph).recording())
        fail(ErrorKind::runtime,
             "Graph: graphs must be left in the reverse of the order in which they were entered, "
             "on the same thread");
    all.pop_back();
    Py_DECREF(graph.ptr());
}

// Graph(name="graph")
PyObject* new_graph(PyTypeObject*, PyObject* arguments, PyObject* keywords) {
    return guarded([&] {
        static const char* const names[] = {"name", nullptr};
        PyObject* name = nullptr;
        if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|O:Graph", const_cast<char**>(names),
                                         &name))
            throw_python();
        if (name && !PyUnicode_Check(name))
            fail(ErrorKind::type, "Graph: name must be a string, not ", type_name(name));
        const std::string word = name ? py::cast<std::string>(py::handle(name)) : "graph";
        return py::cast(std::make_unique<Graph>(word, python_line())).release().ptr();
    });
}

// pybind11 passes None for a pointer's null, and a member's `this` is a pointer; so all that it
// binds are functions of references.
std::string graph_text(const Graph& graph) { return graph.text(); }

Executor executor_named(const std::string& name) {
    for (Executor e : {Executor::lines, Executor::planned, Executor::fused})
        if (name == name_of(e)) return e;
    fail(ErrorKind::value, "executor: 'lines', 'planned' or 'fused', not '", name, "'");
}

Dims shape_with_unknown(const py::object& shape) {
    if (!PyList_Check(shape.ptr()) && !PyTuple_Check(shape.ptr()))
        fail(ErrorKind::type, "placeholder: shape must be a list as [None, 64], not ",
             type_name(shape.ptr()));
    Dims dims;
    for (const py::handle& d : shape) {
        const std::int64_t size = d.is_none() ? None : to_dim("placeholder", d.ptr());
        if (!d.is_none() && size < 0 && !is_unknown(size))
            fail(ErrorKind::value, "placeholder: a size is None or at least 0, not ", size);
        dims.push_back(size);
    }
    return dims;
}

PyObject* placeholder_function(const Call& c) {
    const Dims shape = shape_with_unknown(py::reinterpret_borrow<py::object>(c[1]));
    const Device device = c.given(3) ? c.device(3) : default_device();
    return wrap(placeholder(c.string(0), shape, c.dtype(2, DType::float32), python_line(), device));
}

PyObject* assign_function(const Call& c) { return wrap(assign(c.tensor(0), c.operand(1))); }

PyObject* gradients_function(const Call& c) {
    const std::vector<Tensor> inputs =
        is_tensor(c[1]) ? std::vector<Tensor>{c.tensor(1)} : c.tensors(1);
    const std::vector<Tensor> found = gradients(c.tensor(0), inputs, python_line());
    py::list list;
    for (const Tensor& t : found) list.append(py::cast(t));
    return list.release().ptr();
}

std::vector<Tensor> tensors_in(const py::list& list) {
    std::vector<Tensor> tensors;
    for (const py::handle& o : list) tensors.push_back(py::cast<Tensor>(o));
    return tensors;
}

py::list run_session(Session& session, const py::list& fetches, const py::list& feeds) {
    const std::vector<Tensor> wanted = tensors_in(fetches);
    std::vector<Feed> fed;
    for (const py::handle& pair : feeds)
        fed.emplace_back(py::cast<Tensor>(pair[py::int_(0)]), py::cast<Tensor>(pair[py::int_(1)]));
    const Where line = python_line();
    std::vector<Tensor> found;
    {
        const WithoutGil released;
        found = session.run(wanted, fed, line);
    }
    py::list result;
    for (const Tensor& t : found) result.append(py::cast(t));
    return result;
}

py::object program_of(Session& session, const py::list& fetches) {
    const std::vector<Tensor> wanted = tensors_in(fetches);
    Ref<Program> program;
    {
        const WithoutGil released;
        program = session.program(wanted);
    }
    return program_object(program);
}

const Function functions[] = {
    {"placeholder(name, shape, dtype=None, device=None)", placeholder_function,
     "A tensor whose value each run is fed. shape is a list; None is a size that is known only\n"
     "then. dtype is float32 if not given.",
     Place::function},
    {"assign(variable, value)", assign_function,
     "The value that variable, a tensor from outside of the graph, has after a run that fetched\n"
     "this. Within the run, reads see the value at its start.",
     Place::function},
    {"gradients(loss, inputs)", gradients_function,
     "d loss / d input for each of inputs, written down as lines of the graph.", Place::function},
};

}  // namespace

Executor executor_from(const std::string& name) { return executor_named(name); }

void bind_graph(py::module_& m) {
    add_functions(m, functions);
    py::class_<Graph> cls(
        m, "Graph", "Inside `with graph:` ops are written down, not run. A Session runs them.",
        py::is_final());
    constructed_by(cls, new_graph);
    cls.def("__enter__", &enter)
        .def("__exit__", &leave)
        .def("text", &graph_text, "Every line written so far, as a program.")
        .def("__repr__", &graph_text);

    // A session refers to its graph.
    m.def(
        "_session",
        [](Graph& graph, const std::string& executor) {
            return std::make_unique<Session>(graph, executor_named(executor));
        },
        py::keep_alive<0, 1>());
    py::class_<Session> session(m, "_Session", py::is_final());
    constructed_by(session);
    session.def("run", &run_session)
        .def(
            "placeholder",
            [](const Session& s, const Tensor& input) {
                const Here here(python_line());
                return s.placeholder_text(input);
            },
            "\"placeholder 'x' (train.py:12) has shape (?, 2)\", for errors about its feed.")
        .def("program", &program_of)
        .def("last", [](const Session& s) { return program_object(s.last()); })
        .def("lines_run", [](const Session& s) { return s.lines_run(); });
}

}  // namespace tg::python
