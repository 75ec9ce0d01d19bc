// Compiled and lockstep. What a call's arguments and captured values are is sorted out in
// tapegraph/compile.py, which hands tensors and one number for all else to Compiled::call.
#include "graph/compile.h"

#include <map>
#include <thread>
#include <utility>

#include "python/call.h"
#include "python/gil.h"
#include "python/program.h"

namespace tg::python {

Executor executor_from(const std::string& name);  // graph.cc

namespace {

py::object list_of(const std::vector<Tensor>& tensors) {
    py::list list(tensors.size());
    for (std::size_t i = 0; i < tensors.size(); ++i)
        PyList_SET_ITEM(list.ptr(), static_cast<Py_ssize_t>(i), wrap(tensors[i]));
    return list;
}

std::vector<Tensor> tensors_in(PyObject* list) {
    if (!PyList_Check(list) && !PyTuple_Check(list))
        fail(ErrorKind::type, "compile: a list of tensors, not ", type_name(list));
    std::vector<Tensor> tensors;
    tensors.reserve(static_cast<std::size_t>(PySequence_Fast_GET_SIZE(list)));
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list); ++i) {
        PyObject* o = PySequence_Fast_GET_ITEM(list, i);
        if (is_tensor(o))
            tensors.push_back(tensor_in(o));
        else if (o == Py_None)
            tensors.push_back(Tensor());
        else
            fail(ErrorKind::type, "compile: a tensor or None, not ", type_name(o));
    }
    return tensors;
}

// Calls a Python function that takes a list of tensors and returns one. It is called while the
// core runs without the interpreter's lock, on a line of its own.
Compiled::Function function_from(const py::object& callable) {
    const std::shared_ptr<void> kept = keep_alive(callable.ptr());
    return [kept](const std::vector<Tensor>& arguments) {
        const WithGil gil;
        const OwnLines lines;
        const py::object list = list_of(arguments);
        const py::object result = py::handle(static_cast<PyObject*>(kept.get()))(list);
        return tensors_in(result.ptr());
    };
}

// What one call hands to the function if it is traced, and gets back: the structures of the
// arguments and of the result, which only Python understands.
struct Structures {
    py::handle given;
    std::shared_ptr<void> returned;
};
thread_local Structures* structures = nullptr;

class UseStructures {
  public:
    explicit UseStructures(Structures* now) : before_(std::exchange(structures, now)) {}
    ~UseStructures() { structures = before_; }
    UseStructures(const UseStructures&) = delete;
    UseStructures& operator=(const UseStructures&) = delete;

  private:
    Structures* before_;
};

// trace(symbols, given) -> (list of tensors, returned)
Compiled::Function tracer_from(const py::object& callable) {
    const std::shared_ptr<void> kept = keep_alive(callable.ptr());
    return [kept](const std::vector<Tensor>& arguments) {
        const WithGil gil;
        const OwnLines lines;
        Structures& call = *structures;
        const py::object list = list_of(arguments);
        const py::tuple pair = py::handle(static_cast<PyObject*>(kept.get()))(list, call.given);
        std::vector<Tensor> results = tensors_in(py::object(pair[0]).ptr());
        call.returned = keep_alive(py::object(pair[1]).ptr());
        return results;
    };
}

struct PyCompiled {
    Compiled core;

    // (outputs, the structure of the results)
    py::tuple call(const py::object& arguments, std::int64_t extra, const std::string& why,
                   const py::object& given) {
        const std::vector<Tensor> tensors = tensors_in(arguments.ptr());
        const Where line = python_line();
        Structures here{given, {}};
        const UseStructures use(&here);
        std::vector<Tensor> outputs;
        {
            const WithoutGil released;
            outputs = core.call(tensors, extra, why, line, &here.returned);
        }
        return py::make_tuple(list_of(outputs),
                              py::handle(static_cast<PyObject*>(here.returned.get())));
    }
};

py::dict trace_dict(const Compiled::Trace& trace) {
    py::dict d;
    d["key"] = trace.key;
    d["why"] = trace.why;
    d["milliseconds"] = trace.milliseconds;
    d["calls"] = trace.calls;
    d["launches"] = trace.launches;
    d["written"] = program_object(trace.written);
    d["improved"] = program_object(trace.improved);
    d["reads"] = py::list();
    for (const std::string& s : trace.reads) d["reads"].cast<py::list>().append(s);
    d["writes"] = py::list();
    for (const std::string& s : trace.writes) d["writes"].cast<py::list>().append(s);
    return d;
}

// A trace in the making holds the lock that these take, and waits for the interpreter's.
py::list traces_of(const PyCompiled& compiled) {
    std::vector<Compiled::Trace> traces;
    {
        const WithoutGil released;
        traces = compiled.core.traces();
    }
    py::list all;
    for (const Compiled::Trace& trace : traces) all.append(trace_dict(trace));
    return all;
}

}  // namespace

void bind_compile(py::module_& m) {
    m.def("_compiled",
          [](const std::string& name, const py::object& trace, const std::string& executor) {
              const CompileOptions options{.executor = executor_from(executor)};
              return std::unique_ptr<PyCompiled>(
                  new PyCompiled{Compiled(name, tracer_from(trace), options, python_line())});
          });
    py::class_<PyCompiled> compiled(m, "_Compiled", py::is_final());
    constructed_by(compiled);
    compiled
        .def("call", [](PyCompiled& c, const py::object& arguments, std::int64_t extra,
                        const std::string& why,
                        const py::object& given) { return c.call(arguments, extra, why, given); })
        .def("traces", &traces_of)
        .def("explain",
             [](const PyCompiled& c) {
                 const WithoutGil released;
                 return c.core.explain();
             })
        .def("clear", [](PyCompiled& c) {
            const WithoutGil released;
            c.core.clear();
        });

    m.def("_is_symbolic", [](const py::object& o) {
        return is_tensor(o.ptr()) && tensor_in(o.ptr()).is_symbolic();
    });
    m.def("_lockstep",
          [](const py::object& function, const py::list& arguments, const std::string& executor) {
              const Executor runs = executor_from(executor);
              const std::vector<Tensor> tensors = tensors_in(arguments.ptr());
              const Compiled::Function f = function_from(function);
              Lockstep result;
              {
                  const WithoutGil released;
                  result = lockstep(f, tensors, runs);
              }
              return py::make_tuple(result.equal, result.lines, result.text);
          });
}

}  // namespace tg::python
