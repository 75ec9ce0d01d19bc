// A recording: what is open while ops are written down instead of run. Here is only its plain
// state and what `apply` and history.cc ask of it; graph/ turns a finished one into a Program.
//
// A recording never writes into a storage, history or handle older than itself. What it would have
// changed there it keeps in maps of its own. So an exception in the middle has nothing to undo, and
// the variables change when the program runs, not when it is written.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/given.h"
#include "core/gradient.h"
#include "core/op.h"

namespace tg {

// What a program will ask for when it runs.
struct RecordedInput {
    enum Kind : std::uint8_t { variable, argument, placeholder, slot } kind = variable;
    Ref<Storage> storage;  // variable: the one to read. Given: the tensor's, at tracing
    Value value;           // the read node
    std::string name;
};

// x[i] where i is a symbol: which row it is is not known yet, so it is copied out, and where a user
// takes it for a view, it is kept up with x: a write into it is put back, and after one into x it
// is taken again.
struct RowOf {
    Tensor row;
    Tensor of;
    Tensor index;
    Attrs read, put;            // of ops::index and ops::index_put
    std::uint32_t version = 0;  // of x, when the two were alike
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
    bool given = false;          // of a stand-in
    bool captured = false;       // given, and the function has met it by its real storage too
    std::unique_ptr<RowOf> row;  // null: it is no row
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
    int given = -1;             // and at a call: the value of the given tensor of this number,
    Ref<Handle> named = {};     // of this tensor,
    Ref<History> base_of = {};  // or of the base of this history
    bool goes_on = false;       // a backward inside of the recording goes on along the tape outside
    Ref<Node> line = {};
};

// A .grad that was asked for or set. What it is at the start is a fact that the program relies on
// only if it was read before it was set.
struct GradState {
    GradientRef gradient;
    int of = -1;  // the given tensor whose it is; -1: the function names it
    Tensor now;   // undefined: none
    bool read = false;
    bool written = false;
    int given = -1;          // the number of what was there at the start
    Ref<Handle> named = {};  // or that tensor, if the function names it too
};

// A number beside the tensors that lines rest on, such as whether a module is in training: a trace
// is run only while it is what it was.
using Watched = std::shared_ptr<std::atomic<std::int64_t>>;
struct Fact {
    Watched now;
    std::int64_t then = 0;
    const char* changed = "";  // in words, if it has
};

struct Recording {
    enum Kind : std::uint8_t { built, traced } kind = built;
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
    std::unordered_map<const Gradient*, GradState*> grad_by_place;
    std::vector<LeafLine> leaves;
    std::vector<Fact> facts;
    // What tensors older than the recording show in it; they themselves are left as they are.
    struct Older {
        Ref<Handle> handle;
        bool requires_grad = false;  // outside
        Value seen = {};
        std::uint32_t version = 0;
    };
    std::unordered_map<const Handle*, Older> older;
    // The tensors that are given at each call: the arguments, then each .grad that the function
    // has found where it looked for one. For each a symbol stands in.
    std::vector<Tensor> given;
    std::vector<GivenKey> given_keys;
    std::vector<Tensor> stand_ins;
    bool whole_storages = false;  // no windows: see GivenKey
    bool wants_whole_storages = false;
    // A stand-in's history, and the caller's that it stands for.
    std::unordered_map<const History*, Ref<History>> standing_for;

    StorageState& state(const Ref<Storage>& storage);  // reads it if it is new here
    HistoryState& state(const Ref<History>& history, const Ref<Storage>& storage);
    Tensor gradient(const GradientRef& place);
    void set_gradient(const GradientRef& place, const Tensor& value);

    // Does a gradient flow through this handle, as things stand in this recording?
    bool wants_gradient(const Handle& handle) const;
    bool wants_gradient(const Ref<History>& history) const;  // and to its base
    // A symbol in place of a tensor that is given at each call, with its layout over a base of its
    // own. Those that share a storage or a history share it here too.
    Tensor stand_in(const Tensor& outer, RecordedInput::Kind what, const GivenKey& key);
    // The leaf line for a value of the tape; written with these numbers if there is none yet.
    Value leaf_line(LeafLine leaf, const Value& numbers);
    const LeafLine* leaf_of(const Node& line) const;  // null: no leaf line of this recording
    // Was it made here? If it has bytes, they are what it begins with at each call.
    bool made(const Storage& storage) const { return storage.born == id; }
    // What was made here with bytes and is now written is a symbol from here on.
    void make_symbol(const Ref<Storage>& storage, const char* op);
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
    Value part_of(const Value& base, const Attrs& layout, const Dims& shape);
    GradState& grad_state(const GradientRef& place);
    void find_gradient(GradState& state);
};

// The innermost open recording of this thread; null outside of all.
Recording* recording();
// What is open rests on this number from here on.
void rest_on(const Watched& now, const char* changed);
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
