// The machine: threads, instruction level, memory, CUDA; and what the process has counted.
#include "core/op.h"
#include "core/profiler.h"
#include "core/storage.h"
#include "kernels/cpu/cpu.h"
#include "kernels/parallel.h"
#include "python/call.h"

namespace tg::python {
namespace {

PyObject* set_threads(const Call& c) {
    const std::int64_t n = c.integer(0);
    if (n < 1 || n > 4096) fail(ErrorKind::runtime, "set_num_threads: from 1 to 4096, not ", n);
    kernels::set_num_threads(static_cast<int>(n));
    Py_RETURN_NONE;
}
PyObject* get_threads(const Call&) { return PyLong_FromLong(kernels::num_threads()); }

PyObject* set_dtype(const Call& c) {
    const DType dtype = c.dtype(0, DType::float32);
    if (!is_floating(dtype))
        fail(ErrorKind::type, "set_default_dtype: float32 or float64, not ", name_of(dtype));
    set_default_dtype(dtype);
    Py_RETURN_NONE;
}
PyObject* get_dtype(const Call&) { return dtype_object(default_dtype()); }

PyObject* set_device(const Call& c) {
    set_default_device(c.given(0) ? c.device(0) : Device::cpu);
    Py_RETURN_NONE;
}
PyObject* get_device(const Call&) { return device_object(default_device()); }

PyObject* level(const Call&) { return PyUnicode_FromString(kernels::cpu::level()); }
PyObject* set_level(const Call& c) {
    const std::string name = c.string(0);
    if (!kernels::cpu::set_level(name.c_str())) {
        std::string known;
        for (const char* l : kernels::cpu::levels())
            known += (known.empty() ? "" : ", ") + std::string(l);
        fail(ErrorKind::value, "set_cpu_level: this machine runs ", known, ", not '", name, "'");
    }
    Py_RETURN_NONE;
}

constexpr Place function = Place::function;
const Function functions[] = {
    {"set_num_threads(n)", set_threads, "How many threads share a kernel's work.", function},
    {"get_num_threads()", get_threads, "How many threads share a kernel's work.", function},
    {"set_default_dtype(dtype)", set_dtype, "The dtype of floats: float32 or float64.", function},
    {"get_default_dtype()", get_dtype, "The dtype of floats.", function},
    {"set_default_device(device)", set_device,
     "Where new tensors of this thread are that name no device; None is the CPU.", function},
    {"get_default_device()", get_device, "Where new tensors are that name no device.", function},
    {"cpu_level()", level, "Which of the compiled kernels run, as \"x86-64-v3\".", function},
    {"set_cpu_level(name)", set_level, "Chooses other kernels; ValueError if they cannot run here.",
     function},
};

py::dict statistics(const std::string& device) {
    const allocator::Statistics s = allocator::statistics(device_named(device));
    py::dict d;
    d["live"] = s.live;
    d["peak"] = s.peak;
    d["kept"] = s.kept;
    d["requests"] = s.requests;
    d["limit"] = s.limit == allocator::no_limit ? py::object(py::none()) : py::int_(s.limit);
    return d;
}

// What ran: (op, line, start, duration, thread), times in nanoseconds.
py::list profiled() {
    py::list list;
    for (const KernelEvent& e : stop_profiling())
        list.append(py::make_tuple(e.name, text(e.where), e.start, e.duration, e.thread));
    return list;
}

}  // namespace

void bind_system(py::module_& m) {
    add_functions(m, functions);
    m.def("_level_error", [] { return std::string(kernels::cpu::level_error()); });
    m.def("_cpu_levels", [] {
        py::list all;
        for (const char* l : kernels::cpu::levels()) all.append(l);
        return all;
    });
    m.def("_statistics", &statistics);
    m.def("_reset_peak",
          [](const std::string& device) { allocator::reset_peak(device_named(device)); });
    m.def("_set_limit", [](const py::object& bytes, const std::string& device) {
        std::int64_t limit = allocator::no_limit;
        if (!bytes.is_none() && !to_integer(bytes.ptr(), limit))
            fail(ErrorKind::type, "set_limit: the limit is an int of bytes or None");
        allocator::set_limit(limit, device_named(device));
    });
    m.def("_start_profiling", &start_profiling);
    m.def("_stop_profiling", &profiled);
    m.def("_release_kept", &allocator::release_kept);
    m.def("node_count", &node_count, "Nodes of tapes and recordings that are alive.");
    m.def("nodes_made", &nodes_made, "Nodes made since the start.");
    m.def("ops_run", &ops_run, "Kernels and views run since the start.");
}

}  // namespace tg::python
