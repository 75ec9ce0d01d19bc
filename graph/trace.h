// One trace of a compiled function: its key, its program, and how the program's inputs and outputs
// are tied to the tensors outside (bindings, commits). The program itself holds no tensor.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "graph/call.h"
#include "graph/capture.h"
#include "graph/compile.h"

namespace tg {

struct ArgumentKey {
    DType dtype = DType::float32;
    Device device = Device::cpu;
    bool requires_grad = false;
    bool leaf = true;
    // A contiguous argument that shares memory with no other is a window: the program sees its
    // elements as a base of its own, wherever in a larger storage they lie. So the batches
    // x[0:32], x[32:64], ... have one key.
    bool window = true;
    int storage_of = 0;  // the first argument with this storage, and this history
    int history_of = 0;
    Layout layout;
    Dims base;
    bool operator==(const ArgumentKey& other) const = default;
};

struct CallKey {
    std::vector<ArgumentKey> arguments;
    std::int64_t extra = 0;
    bool grad_enabled = true;
    DType default_dtype = DType::float32;
    bool operator==(const CallKey& other) const = default;
};

CallKey key_of(const std::vector<Tensor>& arguments, std::int64_t extra, bool whole_storages);
std::string text(const CallKey& key);
std::string why_new(const CallKey& now, const CallKey& before);

// Where a program's input comes from, or where an output goes to.
struct Binding {
    int argument = -1;     // this argument (its window, or its whole storage)
    Ref<Storage> storage;  // else this variable
    Ref<History> history;  // a slot: whose .grad; with an argument, that one's
    bool slot = false;
};

struct VariableBinding {  // of a leaf line: whose node gets the gradient
    int argument = -1;
    Ref<Handle> handle;  // a captured tensor
};

struct Commit {
    Binding to;
    int output = -1;              // -1: the slot becomes empty
    bool differentiable = false;  // written with gradients on: the call is its history now
    int history_of = -1;          // then: the argument whose history, or -1: to.history
    Where writer;
    const char* written_by = "";
};

struct TraceState {
    CallKey key;
    std::string why;
    double milliseconds = 0;
    std::atomic<std::int64_t> calls{0};
    Ref<Callable> callable;
    std::vector<Binding> inputs;
    std::vector<VariableBinding> variables;
    std::vector<int> results;  // by result of the function: the output, or -1 for none
    std::vector<Commit> commits;

    // What must still hold for this trace to be right.
    struct SlotGuard {
        int argument = -1;
        Ref<History> history;
        bool present = false;
    };
    struct HandleGuard {
        Ref<Handle> handle;
        Ref<History> history;
        bool requires_grad = false;
    };
    std::vector<SlotGuard> slots;
    std::vector<HandleGuard> handles;
    // A storage that the function names itself: it must be this argument's, or (-1) no argument's.
    struct CaptureGuard {
        Ref<Storage> storage;
        int argument = -1;
    };
    std::vector<CaptureGuard> captures;

    bool wants_whole_storages = false;
    std::vector<std::string> reads, write_names;
    std::mutex commit_mutex;
};

std::unique_ptr<TraceState> new_trace(const std::string& name, const Where& where,
                                      const Compiled::Function& function, Executor executor,
                                      const std::vector<Tensor>& arguments, const CallKey& key);
// How a program captured from a trace finds its inputs at a call.
std::vector<Binding> bindings_of(const Recording& recording, const Captured& captured,
                                 const std::vector<Tensor>& arguments);
std::vector<Tensor> bound_inputs(const CallKey& key, const std::vector<Binding>& bindings,
                                 const std::vector<Tensor>& arguments);
// In words, what no longer holds; empty if the trace is good.
std::string broken_guard(const TraceState& trace, const std::vector<Tensor>& arguments);
std::vector<Tensor> run_trace(TraceState& trace, const std::vector<Tensor>& arguments);

}  // namespace tg
