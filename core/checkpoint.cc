#include "core/checkpoint.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "core/function.h"
#include "core/history.h"
#include "core/hooks.h"
#include "core/ops.h"
#include "core/recording.h"
#include "core/state.h"

namespace tg {
namespace {

// Lets go of the storages that only these nodes hold.
void drop_values(const std::vector<Ref<Node>>& nodes) {
    std::unordered_map<const Storage*, int> held;
    for (const Ref<Node>& node : nodes)
        for (const Saved& saved : node->saved) held[saved.storage.get()] += 1;
    for (const Ref<Node>& node : nodes)
        for (Saved& saved : node->saved) {
            const Storage* storage = saved.storage.get();
            if (storage && storage->references == held[storage]--) saved.storage = nullptr;
        }
}

std::string said(const Node& node) {
    std::string s = name_of(node) + at(node.where);
    for (const Desc& d : node.outputs) s += " of " + text(d);
    return s;
}

bool same_work(const Node& a, const Node& b) {
    if (a.op != b.op || a.outputs.size() != b.outputs.size() || a.saved.size() != b.saved.size())
        return false;
    for (int k = 0; k < a.outputs.size(); ++k)
        if (!(a.outputs[k] == b.outputs[k])) return false;
    return true;
}

// Lets go of what the second run has for a node.
void forget(Checkpoint& checkpoint, std::size_t place) {
    if (place >= checkpoint.recomputed.size() || !checkpoint.recomputed[place]) return;
    checkpoint.recomputed[place]->saved.clear();
    checkpoint.recomputed[place] = nullptr;
}

bool has_dropped(const Node& node) {
    return std::any_of(node.saved.begin(), node.saved.end(),
                       [](const Saved& saved) { return !saved.storage; });
}

void run_again(Checkpoint& checkpoint) {
    if (checkpoint.running_again)
        fail(ErrorKind::runtime,
             "checkpoint: the function needs its own gradient while it is computed again");
    const RecordingScope now(nullptr);
    const GradMode mode(true);
    const struct Forward {  // an anomaly found here is not in a gradient rule
        const Differentiating* before = std::exchange(thread_state().differentiating, nullptr);
        ~Forward() { thread_state().differentiating = before; }
    } forward;
    checkpoint.running_again = true;
    const struct Done {
        Checkpoint& checkpoint;
        ~Done() {
            checkpoint.running_again = false;
            checkpoint.nodes.clear();
        }
    } done{checkpoint};
    {
        const CheckpointScope scope(&checkpoint);
        checkpoint.again();
    }
    if (checkpoint.nodes.size() != checkpoint.wanted.size())
        fail(ErrorKind::runtime, "checkpoint: the function made ", checkpoint.wanted.size(),
             " nodes of the tape the first time, and ", checkpoint.nodes.size(),
             " when it was computed again for the backward; it must do the same both times");
    checkpoint.recomputed = std::move(checkpoint.nodes);
    for (std::size_t place = 0; place < checkpoint.wanted.size(); ++place)
        if (!checkpoint.wanted[place]) forget(checkpoint, place);
}

}  // namespace

namespace {

using Generators = std::vector<std::pair<Tensor, Tensor>>;  // their numbers, and what to set

// Puts generators where they were, for as long as it lives.
class GeneratorsAt {
  public:
    explicit GeneratorsAt(const Generators& places) {
        const NoGrad mode;
        for (const auto& [numbers, place] : places) {
            before_.emplace_back(numbers, clone(numbers));
            write(numbers, place, "checkpoint");
        }
    }
    ~GeneratorsAt() {
        const NoGrad mode;
        for (const auto& [numbers, place] : before_) write(numbers, place, "checkpoint");
    }
    GeneratorsAt(const GeneratorsAt&) = delete;
    GeneratorsAt& operator=(const GeneratorsAt&) = delete;

  private:
    Generators before_;
};

bool holds(const Generators& generators, const Ref<Storage>& numbers) {
    return std::any_of(generators.begin(), generators.end(),
                       [&](const auto& g) { return g.first.handle().storage == numbers; });
}

void check_unwritten(const std::vector<Tensor>& inputs,
                     const std::vector<std::uint32_t>& versions) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (!inputs[i].defined()) continue;
        const Storage& s = *inputs[i].handle().storage;
        if (s.version != versions[i])
            fail(ErrorKind::runtime, "checkpoint: argument ", i,
                 " is needed again for the backward, but ", s.written_by, at(s.writer),
                 " changed it in place; clone() it first");
    }
}

}  // namespace

std::vector<Tensor> checkpoint(const Part& part, const std::vector<Tensor>& inputs,
                               bool preserve_rng_state, Where where) {
    if (recording() || !grad_enabled()) return part(inputs);
    Where line;
    {
        const Here here(where);
        line = current_line();
    }
    std::vector<std::uint32_t> versions;
    for (const Tensor& x : inputs) versions.push_back(x.defined() ? x.version() : 0);
    Ref<Checkpoint> made(new Checkpoint);
    CheckpointScope scope(made.get());
    std::vector<Tensor> outputs = part(inputs);
    const Generators places = preserve_rng_state ? made->generators : Generators{};
    made->again = [part, inputs, versions, places, line] {
        const Elsewhere place(line);
        check_unwritten(inputs, versions);
        const GeneratorsAt generators(places);
        part(inputs);
    };
    scope.finish();
    return outputs;
}

CheckpointScope::CheckpointScope(Checkpoint* checkpoint)
    : mine_(checkpoint), before_(thread_state().checkpoint) {
    thread_state().checkpoint = checkpoint;
}

CheckpointScope::~CheckpointScope() {
    thread_state().checkpoint = before_;
    if (before_ && !before_->running_again && !mine_->running_again)
        for (const auto& [numbers, place] : mine_->generators)
            if (!holds(before_->generators, numbers.handle().storage))
                before_->generators.emplace_back(numbers, place);
    mine_ = nullptr;
}

void CheckpointScope::finish() {
    thread_state().checkpoint = before_;
    Checkpoint& c = *mine_;
    drop_values(c.nodes);
    int place = 0;
    for (const Ref<Node>& node : c.nodes) {
        c.wanted.push_back(has_dropped(*node));
        if (c.wanted.back()) {
            NodeExtras& extras = extras_of(*node);
            extras.checkpoint = Ref<Checkpoint>(mine_);
            extras.place = place;
        }
        ++place;
    }
    c.nodes.clear();
}

void note_in_checkpoint(const Ref<Node>& node) {
    if (Checkpoint* open = thread_state().checkpoint) open->nodes.push_back(node);
}

void note_generator_in_checkpoint(const Ref<Storage>& numbers) {
    Checkpoint* open = thread_state().checkpoint;
    if (!open || open->running_again || holds(open->generators, numbers)) return;
    const NoGrad mode;
    const Tensor whole = tensor_of(numbers, Layout::contiguous(numbers->shape));
    open->generators.emplace_back(whole, clone(whole));
}

const Saved& saved_again(const Node& node, int k) {
    const NodeExtras& extras = *node.extras;
    Checkpoint& checkpoint = *extras.checkpoint;
    const auto place = static_cast<std::size_t>(extras.place);
    if (checkpoint.recomputed.empty() || !checkpoint.recomputed[place]) run_again(checkpoint);
    const Node& twin = *checkpoint.recomputed[place];
    if (!same_work(node, twin))
        fail(ErrorKind::runtime, "checkpoint: the function did something else when it was ",
             "computed again for the backward: ", said(twin), ", and the first time ", said(node));
    return twin.saved[k];
}

void forget_again(const Node& node) {
    if (!node.extras || !node.extras->checkpoint) return;
    Checkpoint& checkpoint = *node.extras->checkpoint;
    const auto place = static_cast<std::size_t>(node.extras->place);
    checkpoint.wanted[place] = 0;
    forget(checkpoint, place);
}

}  // namespace tg
