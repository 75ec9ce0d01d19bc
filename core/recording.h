// A recording: what is open while ops are written down instead of run. Here is only its plain
// state and what `apply` and history.cc ask of it; graph/ turns a finished one into a Program.
//
// A recording never writes into a storage, history or handle older than itself. What it would have
// changed there it keeps in two maps. So an exception in the middle has nothing to undo, and the
// variables change when the program runs, not when it is written.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/op.h"

namespace tg {

// What a program will ask for when it runs.
struct RecordedInput {
    enum Kind : std::uint8_t { variable, argument, placeholder, slot } kind = variable;
    Ref<Storage> storage;  // variable: the one to read. argument: the caller's, at tracing
    Ref<History> history;  // slot: whose .grad
    Value value;           // the read node
    std::string name;
};

// Per storage: what it held when first seen, and what the lines so far have made of it.
struct StorageState {
    Ref<Storage> storage;
    Value first;
    Value now;
    std::uint32_t version = 0;  // writes so far, counted from the storage's own
    std::uint32_t first_version = 0;
    Where writer;
    const char* written_by = "";
    bool argument = false;  // a stand-in for a caller's tensor
    bool captured = false;  // an argument that the function also named itself
    bool written() const { return version != first_version; }
};

// Per history: the value whose gradient it keeps, and the storage's version at which the two were
// in step. A write under no_grad moves the bytes on and leaves this behind; the next read emits
// `rebind`, which takes its numbers from the bytes and sends its gradient here.
struct HistoryState {
    Ref<History> history;
    Ref<Storage> storage;
    Value now;
    std::uint32_t version = 0;
    bool touched = false;          // has a value been asked for yet?
    std::uint32_t written_at = 0;  // the storage's version after the last write here with
                                   // gradients on; 0: none
};

// A line at which the gradients of a recording leave it. Outside it is a value of the tape, and
// each such value has one line: so all that flows to it is added up in one place, as on the tape.
// A leaf that was made in the recording has no outside.
struct LeafLine {
    Value outside = {};         // what it is at the recording
    int argument = -1;          // and at a call: the value of this argument,
    Ref<Handle> named = {};     // of this tensor,
    Ref<History> base_of = {};  // or of the base of this history
    bool goes_on = false;       // a backward inside of the recording goes on along the tape outside
    Ref<Node> line = {};
};

// Per history whose .grad was asked for or set. Presence is a fact about the start that the
// program relies on only if it was read before it was set.
struct GradState {
    Ref<History> history;
    Tensor now;  // undefined: no gradient
    bool present_at_start = false;
    bool read = false;
    bool written = false;
    const Tensor& get() {
        read = read || !written;
        return now;
    }
};

struct Recording {
    enum Kind : std::uint8_t { graph, trace } kind = graph;
    std::uint64_t id = 0;
    std::string name;  // of the function or the graph, for errors
    Where opened;
    Recording* enclosing = nullptr;

    std::vector<RecordedInput> inputs;
    std::vector<std::unique_ptr<StorageState>> storages;  // in order of first touch
    std::vector<std::unique_ptr<HistoryState>> histories;
    std::vector<std::unique_ptr<GradState>> grads;
    std::vector<Ref<Node>> effects;  // assignments and prints, in order
    std::unordered_map<const Storage*, StorageState*> by_storage;
    std::unordered_map<const History*, HistoryState*> by_history;
    std::unordered_map<const History*, GradState*> grad_by_history;
    std::vector<LeafLine> leaves;
    // What tensors older than the recording show in it; they themselves are left as they are.
    struct Older {
        Ref<Handle> handle;
        bool requires_grad = false;  // outside
        Value seen = {};
        std::uint32_t version = 0;
    };
    std::unordered_map<const Handle*, Older> older;
    // An argument's history here, and the caller's that it stands for.
    std::unordered_map<const History*, Ref<History>> standing_for;

    StorageState& state(const Ref<Storage>& storage);  // reads it if it is new here
    HistoryState& state(const Ref<History>& history, const Ref<Storage>& storage);
    GradState& grad_state(const Ref<History>& history);

    // Does a gradient flow through this handle, as things stand in this recording?
    bool wants_gradient(const Handle& handle) const;
    // A stand-in for a caller's tensor: a symbol with the given layout over a base of its own.
    // Arguments that share a storage or a history share it here too: pass the earlier stand-in.
    struct Place {
        int number = 0;
        bool window = false;  // the base is the tensor's own part of its storage
        Layout layout;
        Dims base;
        const Tensor* same_storage = nullptr;
        const Tensor* same_history = nullptr;
    };
    Tensor argument(const Tensor& outer, const Place& place);
    // The leaf line for a value of the tape; written with these numbers if there is none yet.
    Value leaf_line(LeafLine leaf, const Value& numbers);
    const LeafLine* leaf_of(const Node& line) const;  // null: no leaf line of this recording
    // A symbol for a value made here.
    Tensor symbol(const Value& value, const Desc& desc);
    // The whole base of a history, with the bytes' numbers and the history's gradient.
    Value base(const Ref<Storage>& storage, const Ref<History>& history);
    Value new_input(RecordedInput input, const Desc& desc);
    // A tensor that was made here becomes a leaf here. False if it is older, a caller's argument,
    // or a part of its storage.
    bool make_leaf(const Tensor& tensor);

  private:
    Value base_leaf(const StorageState& storage, const LeafLine& leaf);
};

// The innermost open recording of this thread; null outside of all.
Recording* recording();
std::uint64_t new_recording_id();

// Opens one for as long as it lives.
class RecordingScope {
  public:
    explicit RecordingScope(Recording* recording);
    ~RecordingScope();
    RecordingScope(const RecordingScope&) = delete;
    RecordingScope& operator=(const RecordingScope&) = delete;

  private:
    Recording* before_;
};

// Names of recordings that have been closed, so that a leaked symbol can say where it is from.
std::string recording_name(std::uint64_t id);

// Throws that x is a symbol, of what, and what to do. `who` wanted its value.
[[noreturn]] void no_value(const Tensor& x, const char* who);

}  // namespace tg
