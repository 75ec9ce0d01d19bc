// Ctrl-C, and the interpreter's lock while long work runs.
//
// Python only notes that a signal has come; its handler runs when the main thread next asks. A long
// kernel polls now and then (kernels/parallel.h), and this is what its poll does: take the lock,
// run the handlers, and stop the work if one of them raised.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "kernels/parallel.h"
#include "python/gil.h"

namespace tg::python {
namespace {

unsigned long main_thread = 0;  // as Python's threading numbers it
// The handler's exception, on its way past C++ that knows nothing of Python. Main thread only.
py::error_already_set* raised = nullptr;

bool on_main_thread() { return PyThread_get_thread_ident() == main_thread; }

// When Python ends, it ends the other threads where they wait for its lock, which C++ between them
// and their start cannot bear. So before it does, those that wait are let through, and those that
// come later sleep until the process is gone.
std::atomic<bool> ending{false};
std::atomic<int> waiting{0};

template <class F>
auto take_lock(F&& take) {
    if (on_main_thread()) return take();
    waiting.fetch_add(1);
    if (ending.load()) {
        waiting.fetch_sub(1);
        for (;;) pause();
    }
    auto state = take();
    waiting.fetch_sub(1);
    return state;
}

void end() {
    ending = true;
    PyThreadState* state = PyEval_SaveThread();
    while (waiting.load() > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    PyEval_RestoreThread(state);
}

bool poll() {
    if (!on_main_thread()) return false;
    const WithGil gil;
    const bool stop = PyErr_CheckSignals() != 0;
    if (stop) {
        delete raised;
        raised = new py::error_already_set();
    }
    return stop;
}

struct DropReference {
    void operator()(void* o) const {
        if (!Py_IsInitialized()) return;
        const WithGil gil;
        Py_DECREF(static_cast<PyObject*>(o));
    }
};

}  // namespace

WithGil::WithGil() : state_(take_lock([] { return PyGILState_Ensure(); })) {}

WithoutGil::~WithoutGil() {
    take_lock([this] {
        PyEval_RestoreThread(state_);
        return 0;
    });
}

std::shared_ptr<void> keep_alive(PyObject* o) {
    return std::shared_ptr<void>(new_reference(o), DropReference());
}

bool restore_interrupt() {
    if (!raised || !on_main_thread()) return false;
    raised->restore();
    delete raised;
    raised = nullptr;
    return true;
}

void bind_interrupts(py::module_&) {
    const auto thread = py::module_::import("threading").attr("main_thread")();
    main_thread = py::cast<unsigned long>(thread.attr("ident"));
    kernels::set_poll(poll);
    py::module_::import("atexit").attr("register")(py::cpp_function(&end));
}

}  // namespace tg::python
