// One trace of a compiled function: its key, its program, and how the program's inputs and outputs
// are tied to the tensors outside (bindings, commits). The program itself holds no tensor.
// trace.cc begins with a picture and an example.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/autocast.h"
#include "core/recording.h"
#include "graph/call.h"
#include "graph/capture.h"
#include "graph/compile.h"

namespace tg {

struct CallKey {
    std::vector<GivenKey> arguments;
    std::int64_t extra = 0;
    bool whole_storages = false;  // no windows: see GivenKey
    bool grad_enabled = true;
    DType default_dtype = DType::float32;
    Device default_device = Device::cpu;
    Autocast autocast;
    bool operator==(const CallKey& other) const = default;
};

CallKey key_of(const std::vector<Tensor>& arguments, std::int64_t extra, bool whole_storages);
std::string text(const CallKey& key);
std::string why_new(const CallKey& now, const CallKey& before);

// ---- ties to the tensors outside ---------------------------------------------------------------
//
// An argument, or a .grad that the function has read, is another tensor at each call, so it is
// known by its number among those that are given. A tensor that the function names itself is always
// the same one, and is held.

using Given = std::vector<Tensor>;
Handle& handle_of(const Given& given, int number);

struct OuterStorage {
    int number = -1;     // this given tensor's,
    Ref<Storage> named;  // or, without a number, this one
    const Ref<Storage>& in(const Given& given) const;
    bool operator==(const OuterStorage& other) const = default;
};

struct OuterHistory {
    int number = -1;
    Ref<History> named;
    const Ref<History>& in(const Given& given) const;
};

struct OuterGradient {
    int number = -1;
    GradientRef named;
    GradientRef in(const Given& given) const;
};

// A given tensor, or a named one.
struct OuterTensor {
    int number = -1;
    Ref<Handle> named = {};
    Tensor in(const Given& given) const;
};

// A tensor that the function has made and left. Its parts are where others of the call may find
// them too: see results.h.
struct NewTensor {
    int bytes = -1;        // the storage is this output's,
    OuterStorage storage;  // or one outside
    Layout layout;
    int history = -1;                                  // the history is this output's,
    int shares = -1;                                   // or that of an earlier new tensor,
    std::optional<OuterHistory> outer;                 // or one outside; or its own
    enum { nothing, base, own_node } shows = nothing;  // the node to which its gradient goes
    int node = -1;                                     // own: of this output
    bool leaf = false;
    int variable = -1;  // a leaf that the program uses: which of its variables it is
    bool retains = false;
};

// What a function has returned or made somebody's .grad: an output of the program, a tensor that is
// made of several, or one that is there already.
struct Result {
    int output = -1;
    int made = -1;
    std::optional<OuterTensor> is = {};  // none of these: no tensor
};

// Which value gets the gradient that arrives at a leaf line: see LeafLine.
struct VariableBinding {
    int number = -1;
    Ref<Handle> named = {};
    bool is_base = false;
    OuterHistory base_of = {};
};

// What the end of a call does with one output of the program: it writes it into a storage,
struct Commit {
    OuterStorage to;
    int output = -1;
    // Written with gradients on: this history continues with the call's node.
    bool differentiable = false;
    OuterHistory history;
    Where writer;
    const char* written_by = "";
};

// or makes it somebody's .grad.
struct GradientCommit {
    OuterGradient to;
    int of_made = -1;  // or of this new tensor
    Result value;
};

// A tensor that the function has written or looked at after a write goes on from the node that it
// has shown there, as on the tape, and not from its base's.
struct HandleCommit {
    OuterTensor of;  // given or named
    int output = -1;
};

// Something seen in a trace, as the caller knows it. What is given has two storages and two
// histories: the caller's, and those of its stand-in. Each is listed here under its number; where
// several share one, under the first's.
class Outside {
  public:
    explicit Outside(const Recording& recording);
    int number_of(const Storage* storage) const;  // -1: not given
    int number_of(const History* history) const;
    OuterStorage outside(const Ref<Storage>& storage) const;
    OuterHistory outside(const Ref<History>& history) const;

  private:
    std::unordered_map<const Storage*, int> by_storage_;
    std::unordered_map<const History*, int> by_history_;
};

// ---- a trace -----------------------------------------------------------------------------------

struct TraceState {
    CallKey key;
    std::string why;
    double milliseconds = 0;
    std::atomic<std::int64_t> calls{0};

    Ref<Callable> callable;                  // the program
    std::vector<GivenKey> given;             // the key's arguments, and each .grad that is read
    std::vector<OuterStorage> inputs;        // by input of the program: its bytes
    std::vector<VariableBinding> variables;  // by leaf line
    std::vector<Result> results;             // by result of the function
    std::vector<NewTensor> made;
    std::vector<Commit> commits;
    std::vector<HandleCommit> views;
    std::vector<GradientCommit> gradients;
    bool changes_variables() const { return !commits.empty() || !gradients.empty(); }

    // What must still hold at a call for this trace to be right. The key says the rest.
    struct SlotGuard {  // this .grad is None, or the given tensor of that number, or this tensor
        OuterGradient gradient;
        int number = -1;
        Ref<Handle> named;
    };
    struct HandleGuard {  // this tensor still has this history, its requires_grad and hooks
        Ref<Handle> handle;
        Ref<History> history;
        bool requires_grad = false;
        std::uint64_t hooks = 0;
    };
    struct CaptureGuard {  // this storage, which the function names, is that of this given tensor
        Ref<Storage> storage;
        int number = -1;  // -1: of none
    };
    std::vector<SlotGuard> slots;
    std::vector<HandleGuard> handles;
    std::vector<CaptureGuard> captures;
    std::vector<Fact> facts;  // these numbers beside the tensors are what they were

    // Not a trace at all: the function met more of an argument's storage than its window, and
    // wants to be traced with a key of whole storages.
    bool wants_whole_storages = false;

    std::shared_ptr<void> attachment;             // see Compiled::call
    std::vector<std::string> reads, write_names;  // in words, for explain()
};

std::unique_ptr<TraceState> new_trace(const std::string& name, const Where& where,
                                      const Compiled::Function& function, Executor executor,
                                      const std::vector<Tensor>& arguments, const CallKey& key);
// How a program captured from a trace finds its inputs at a call, and what it finds.
std::vector<OuterStorage> inputs_of(const Recording& recording, const Captured& captured,
                                    const Outside& outside);
Tensor base_of(const OuterStorage& storage, const std::vector<GivenKey>& keys, const Given& given);
std::vector<Tensor> bound_inputs(const std::vector<OuterStorage>& inputs,
                                 const std::vector<GivenKey>& keys, const Given& given);
// What a call leaves when its lines have run and its writes are committed.
struct CallEnd {
    const TraceState& trace;
    const Given& given;
    const std::vector<Tensor>& outputs;   // of the program
    const std::vector<Value>& variables;  // none: no gradient is wanted
    std::vector<Tensor> made = {};        // by new tensor

    void make_tensors();
    Tensor result(const Result& result) const;
    GradientRef place(const GradientCommit& commit) const;
};
// In words, what no longer holds; empty if the trace is good. `given` has the arguments, and then
// each .grad too.
std::string broken_guard(const TraceState& trace, Given& given);
// `given` is what broken_guard has made of it. None if another thread's step has broken a guard in
// the meantime.
std::optional<std::vector<Tensor>> run_trace(TraceState& trace,
                                             const std::vector<Tensor>& arguments, Given given);

}  // namespace tg
