// One trace of a compiled function: its key, its program, and how the program's inputs and outputs
// are tied to the tensors outside (bindings, commits). The program itself holds no tensor.
// trace.cc begins with a picture and an example.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
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
    std::uint64_t hooks = 0;  // on a leaf's gradient
    // A contiguous argument that shares memory with no other is a window: the program sees its
    // elements as a base of its own, wherever in a larger storage they lie. So the batches
    // x[0:32], x[32:64], ... have one key.
    bool window = true;
    int storage_of = 0;  // the first argument with this storage, this history, and this value:
    int history_of = 0;  // gradients of the same value are added up in one place
    int value_of = 0;
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

// ---- ties to the tensors outside ---------------------------------------------------------------
//
// An argument is another tensor at each call, so it is known by its number. A tensor that the
// function names itself is always the same one, and is held.

Handle& handle_of(const std::vector<Tensor>& arguments, int number);

struct OuterStorage {
    int argument = -1;   // this argument's,
    Ref<Storage> named;  // or, without an argument, this one
    const Ref<Storage>& in(const std::vector<Tensor>& arguments) const;
};

struct OuterHistory {
    int argument = -1;
    Ref<History> named;
    const Ref<History>& in(const std::vector<Tensor>& arguments) const;
};

// Where a program's input comes from, or where an output goes to.
struct Binding {
    bool slot = false;     // a .grad, or else bytes
    OuterStorage bytes;    // whose bytes; of a window, its part of them
    OuterHistory grad_of;  // whose .grad
};

// Which value gets the gradient that arrives at a leaf line: see LeafLine.
struct VariableBinding {
    int argument = -1;
    Ref<Handle> named = {};
    bool is_base = false;
    OuterHistory base_of = {};
};

// What the end of a call does with one output of the program.
struct Commit {
    Binding to;
    int output = -1;        // -1: the slot becomes empty
    bool in_place = false;  // the slot's tensor gets new numbers, and stays that tensor
    // Written with gradients on: this history continues with the call's node.
    bool differentiable = false;
    OuterHistory history;
    Where writer;
    const char* written_by = "";
};

// Something seen in a trace, as the caller knows it. An argument has two storages and two
// histories: the caller's, and those of its stand-in. Each is listed here under its argument's
// number; where several arguments share one, under the first's.
class ArgumentTable {
  public:
    ArgumentTable() = default;
    ArgumentTable(const std::vector<Tensor>& arguments, const std::vector<Tensor>& stand_ins);
    int number_of(const Storage* storage) const;  // -1: no argument's
    int number_of(const History* history) const;
    OuterStorage outside(const Ref<Storage>& storage) const;
    OuterHistory outside(const Ref<History>& history) const;

  private:
    std::unordered_map<const Storage*, int> by_storage_;
    std::unordered_map<const History*, int> by_history_;
};

// ---- a trace -----------------------------------------------------------------------------------

// Steps that change variables follow each other: one lock for all traces of a function.
struct CommitLock {
    std::mutex mutex;
    std::atomic<std::thread::id> holder{};
};

struct TraceState {
    CallKey key;
    std::string why;
    double milliseconds = 0;
    std::atomic<std::int64_t> calls{0};

    Ref<Callable> callable;                  // the program
    std::vector<Binding> inputs;             // by input of the program
    std::vector<VariableBinding> variables;  // by leaf line
    std::vector<int> results;  // by result of the function: the output, or -1 for none
    std::vector<Commit> commits;

    // What must still hold at a call for this trace to be right. The key says the rest.
    struct SlotGuard {  // this .grad is there, or is not
        OuterHistory grad_of;
        bool present = false;
    };
    struct HandleGuard {  // this tensor still has this history, its requires_grad and hooks
        Ref<Handle> handle;
        Ref<History> history;
        bool requires_grad = false;
        std::uint64_t hooks = 0;
    };
    struct CaptureGuard {  // this storage, which the function names, is this argument's
        Ref<Storage> storage;
        int argument = -1;  // -1: no argument's
    };
    std::vector<SlotGuard> slots;
    std::vector<HandleGuard> handles;
    std::vector<CaptureGuard> captures;

    // Not a trace at all: the function met more of an argument's storage than its window, and
    // wants to be traced with a key of whole storages.
    bool wants_whole_storages = false;

    std::shared_ptr<void> attachment;             // see Compiled::call
    std::vector<std::string> reads, write_names;  // in words, for explain()
    std::shared_ptr<CommitLock> commit_lock;
};

std::unique_ptr<TraceState> new_trace(const std::string& name, const Where& where,
                                      const Compiled::Function& function, Executor executor,
                                      const std::vector<Tensor>& arguments, const CallKey& key);
// How a program captured from a trace finds its inputs at a call, and what it finds.
std::vector<Binding> bindings_of(const Recording& recording, const Captured& captured,
                                 const ArgumentTable& table);
std::vector<Tensor> bound_inputs(const CallKey& key, const std::vector<Binding>& bindings,
                                 const std::vector<Tensor>& arguments);
// In words, what no longer holds; empty if the trace is good.
std::string broken_guard(const TraceState& trace, const std::vector<Tensor>& arguments);
// None if another thread's step has broken a guard in the meantime.
std::optional<std::vector<Tensor>> run_trace(TraceState& trace,
                                             const std::vector<Tensor>& arguments);

}  // namespace tg
