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
    bool touched = false;  // has a value been asked for yet?
    bool written = false;  // by a line of this recording, with gradients on
    Ref<Node> leaf;        // where the gradients of an older history stop
    Ref<Handle> handle;    // the older tensor through which it was first met
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
    // The lines of older views, which are left as they are: one line for each, as on the tape.
    struct SeenView {
        Ref<Handle> handle;
        Value value;
        std::uint32_t version = 0;
    };
    std::unordered_map<const Handle*, SeenView> views;
    // An argument's history here, and the caller's that it stands for.
    std::unordered_map<const History*, Ref<History>> standing_for;

    StorageState& state(const Ref<Storage>& storage);  // reads it if it is new here
    HistoryState& state(const Ref<History>& history, const Ref<Storage>& storage);
    GradState& grad_state(const Ref<History>& history);

    // Does a gradient flow through this handle, as things stand in this recording?
    bool wants_gradient(const Handle& handle) const;
    // A stand-in for a caller's tensor: a symbol with the given layout over a base of its own.
    // Arguments that share a storage or a history share it here too: pass the earlier stand-in.
    Tensor argument(const Tensor& outer, const Layout& layout, const Dims& base, int number,
                    const Tensor* same_storage, const Tensor* same_history);
    // A symbol for a value made here.
    Tensor symbol(const Value& value, const Desc& desc);
    // The whole base of a history, with the bytes' numbers and the history's gradient.
    Value base(const Ref<Storage>& storage, const Ref<History>& history);
    Value new_input(RecordedInput input, const Desc& desc);
    ~Recording();

  private:
    Value leaf_of(const StorageState& storage, HistoryState& history, const Value& outer);
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
