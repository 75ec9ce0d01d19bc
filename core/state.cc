#include "core/state.h"

#include "core/op.h"

namespace tg {

// Never destroyed: tensors in other static objects may outlive any order we could choose.
ProcessState& state() {
    static ProcessState& process = *new ProcessState;
    return process;
}

ThreadState& thread_state() {
    thread_local ThreadState thread;
    return thread;
}

DType default_dtype() { return state().default_dtype; }

void set_default_dtype(DType dtype) {
    if (!is_floating(dtype))
        fail(ErrorKind::type, "set_default_dtype: ", name_of(dtype), " is not a floating dtype");
    state().default_dtype = dtype;
}

Device default_device() { return thread_state().default_device; }
void set_default_device(Device device) { thread_state().default_device = device; }

bool grad_enabled() { return thread_state().grad_enabled; }
void set_grad_enabled(bool on) { thread_state().grad_enabled = on; }

}  // namespace tg
