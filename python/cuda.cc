// What python/tapegraph/cuda.py is made of: the device's properties, memory and events.
#include "kernels/cuda/cuda.h"

#include "core/storage.h"
#include "python/call.h"

namespace tg::python {
namespace {

const kernels::cuda::Backend& backend() { return kernels::cuda::backend(); }

// The error that waits, as an exception.
void check(const char* op) {
    const std::string error = backend().last_error();
    if (!error.empty()) fail(ErrorKind::runtime, op, ": CUDA: ", error);
}

void synchronize() {
    const Here here(python_line(), "synchronize");
    {
        const WithoutGil released;
        backend().synchronize();
    }
    check("synchronize");
}

py::dict properties() {
    const kernels::cuda::Properties p = backend().properties();
    py::dict d;
    d["name"] = p.name;
    d["major"] = p.major;
    d["minor"] = p.minor;
    d["total_memory"] = p.total_memory;
    d["multi_processor_count"] = p.multi_processor_count;
    d["warp_size"] = p.warp_size;
    d["max_threads_per_block"] = p.max_threads_per_block;
    d["shared_memory_per_block"] = p.shared_memory_per_block;
    return d;
}

// An order of launches; see Stream in cuda.py. Without one it is the default.
class PyStream {
  public:
    PyStream() : stream_(backend().make_stream(), drop) {
        if (!stream_) fail(ErrorKind::memory, "Stream: no memory for one");
    }
    static PyStream usual() { return PyStream(nullptr); }
    void use() const { backend().use_stream(stream_.get()); }
    std::int64_t address() const { return reinterpret_cast<std::intptr_t>(stream_.get()); }

  private:
    explicit PyStream(kernels::cuda::Stream* stream) : stream_(stream, drop) {}
    static void drop(kernels::cuda::Stream* stream) {
        if (stream == nullptr) return;
        if (backend().stream() == stream) backend().use_stream(nullptr);
        backend().drop_stream(stream);
        allocator::forget_stream(stream);
    }
    std::unique_ptr<kernels::cuda::Stream, void (*)(kernels::cuda::Stream*)> stream_;
};

void synchronize_stream() {
    const Here here(python_line(), "synchronize");
    {
        const WithoutGil released;
        backend().synchronize_stream();
    }
    check("synchronize");
}

class PyEvent {
  public:
    explicit PyEvent(bool timed)
        : timed_(timed), event_(backend().make_event(), backend().drop_event) {
        if (!event_) fail(ErrorKind::memory, "Event: no memory for one");
    }

    void record() {
        backend().record(event_.get());
        recorded_ = true;
        check("record");
    }
    void hold() const {
        if (recorded_) backend().hold_for(event_.get());
        check("wait");
    }
    bool query() const { return !recorded_ || backend().has_ended(event_.get()); }
    void synchronize() const {
        const Here here(python_line(), "synchronize");
        if (recorded_) {
            const WithoutGil released;
            backend().wait_for(event_.get());
        }
        check("synchronize");
    }
    float elapsed_time(const PyEvent& end) const {
        const Here here(python_line(), "elapsed_time");
        if (!timed_ || !end.timed_)
            fail(ErrorKind::value, "elapsed_time: make both events with enable_timing=True");
        if (!recorded_ || !end.recorded_)
            fail(ErrorKind::value, "elapsed_time: the ", recorded_ ? "second" : "first",
                 " event was not recorded; call its record()");
        if (!query() || !end.query())
            fail(ErrorKind::runtime,
                 "elapsed_time: the launches before the events still run; synchronize() first");
        return backend().milliseconds(event_.get(), end.event_.get());
    }

  private:
    bool timed_;
    bool recorded_ = false;
    std::unique_ptr<kernels::cuda::Event, void (*)(kernels::cuda::Event*)> event_;
};

}  // namespace

void bind_cuda(py::module_& m) {
    m.def("_cuda_is_emulated", [] { return backend().emulated; });
    m.def("_cuda_name", [] { return backend().name; });
    m.def("_cuda_synchronize", &synchronize);
    m.def("_cuda_properties", &properties);
    m.def("_cuda_free_memory", [] { return backend().free_memory(); });
    m.def("_cuda_synchronize_stream", &synchronize_stream);
    py::class_<PyStream>(m, "_CudaStream", py::is_final())
        .def(py::init<>())
        .def_static("usual", &PyStream::usual)
        .def("use", &PyStream::use)
        .def("address", &PyStream::address);
    py::class_<PyEvent>(m, "_CudaEvent", py::is_final())
        .def(py::init<bool>())
        .def("record", &PyEvent::record)
        .def("hold", &PyEvent::hold)
        .def("query", &PyEvent::query)
        .def("synchronize", &PyEvent::synchronize)
        .def("elapsed_time", &PyEvent::elapsed_time);
}

}  // namespace tg::python
