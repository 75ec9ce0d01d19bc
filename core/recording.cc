#include "core/recording.h"

#include <map>
#include <mutex>

#include "core/history.h"
#include "core/ops/structural.h"
#include "core/state.h"

namespace tg {
namespace {

struct Names {
    std::mutex mutex;
    std::map<std::uint64_t, std::string> names;
};

Names& names() {
    static Names& all = *new Names;
    return all;
}

Ref<Node> written_line(Recording& r, const Op& op, const Attrs& attrs,
                       std::initializer_list<Value> inputs, bool requires_grad) {
    Ref<Node> node = new_node(op, attrs);
    node->recording = r.id;
    for (const Value& v : inputs)
        node->inputs.push_back(Input{v, v.node->outputs[v.index], false, {}});
    if (inputs.size() > 0) {
        const Value& first = *inputs.begin();
        node->outputs.push_back(first.node->outputs[first.index]);
    }
    node->requires_grad = requires_grad;
    return node;
}

bool is_enclosing(const Recording* r, std::uint64_t id) {
    for (; r; r = r->enclosing)
        if (r->id == id) return true;
    return false;
}

// Did this tensor's history carry a gradient before `r` was opened?
bool wanted_outside(const Recording* r, const Ref<History>& history) {
    for (const Recording* outer = r->enclosing; outer; outer = outer->enclosing) {
        const auto found = outer->by_history.find(history.get());
        if (found != outer->by_history.end() && found->second->touched)
            return found->second->now.node->requires_grad;
    }
    return static_cast<bool>(history->now);
}

}  // namespace

Recording* recording() { return thread_state().recording; }

std::uint64_t new_recording_id() { return state().next_recording.fetch_add(1); }

RecordingScope::RecordingScope(Recording* r) : before_(thread_state().recording) {
    if (r) {
        if (!is_enclosing(before_, r->id)) r->enclosing = before_;
        // Resolving a line may need Python's lock, so it is done before ours is taken.
        const std::string name = r->name + at(r->opened);
        std::lock_guard lock(names().mutex);
        names().names[r->id] = name;
    }
    thread_state().recording = r;
}

RecordingScope::~RecordingScope() { thread_state().recording = before_; }

std::string recording_name(std::uint64_t id) {
    std::lock_guard lock(names().mutex);
    const auto found = names().names.find(id);
    return found == names().names.end() ? "a graph" : found->second;
}

bool Recording::wants_gradient(const Handle& handle) const {
    const auto found = by_history.find(handle.history.get());
    const HistoryState* h = found == by_history.end() ? nullptr : found->second;
    const std::uint32_t written_at = h ? h->written_at : 0;
    const auto met = older.find(&handle);
    const bool own = handle.seen_in == id;
    const Value& seen = met == older.end() ? handle.seen : met->second.seen;
    const std::uint32_t version = met == older.end() ? handle.version : met->second.version;
    if (seen && (own || met != older.end()) && version >= written_at)
        return seen.node->requires_grad;
    const bool as_outside = handle.born < id && !enclosing && written_at == 0;
    if (as_outside) return wanted_outside(handle);
    if (h && h->touched) return h->now.node->requires_grad;
    return handle.history->born != id && wanted_outside(this, handle.history);
}

Value Recording::new_input(RecordedInput input, const Desc& desc) {
    Ref<Node> node = new_node(ops::read, {Attr{static_cast<std::int64_t>(inputs.size())}});
    node->recording = id;
    node->outputs.push_back(desc);
    input.value = Value{node, 0};
    inputs.push_back(input);
    return inputs.back().value;
}

StorageState& Recording::state(const Ref<Storage>& storage) {
    const auto found = by_storage.find(storage.get());
    if (found != by_storage.end()) {
        found->second->captured |= found->second->storage.get() != storage.get();
        return *found->second;
    }
    if (storage->born != 0 && !is_enclosing(enclosing, storage->born))
        fail(ErrorKind::runtime, "a symbol of ", recording_name(storage->born), " is used in ",
             name, "; it means something only where it was made: return it from there instead");
    auto s = std::make_unique<StorageState>();
    s->storage = storage;
    RecordedInput input;
    input.kind = RecordedInput::variable;
    input.storage = storage;
    s->first = new_input(input, Desc{storage->shape, storage->dtype, storage->device});
    s->now = s->first;
    s->version = s->first_version = storage->version;
    by_storage[storage.get()] = s.get();
    storages.push_back(std::move(s));
    return *storages.back();
}

HistoryState& Recording::state(const Ref<History>& history, const Ref<Storage>& storage) {
    const auto found = by_history.find(history.get());
    if (found != by_history.end()) return *found->second;
    const StorageState& s = state(storage);
    auto h = std::make_unique<HistoryState>();
    h->history = history;
    h->storage = storage;
    // A history made in this recording (by detach) starts out of step: it has numbers to find.
    if (history->born != id && wanted_outside(this, history)) {
        LeafLine leaf{.outside = history->now};
        leaf.base_of = history;
        leaf.goes_on = !enclosing || history->leaf;
        h->now = base_leaf(s, leaf);
        h->version = s.first_version;
        h->touched = true;
    }
    by_history[history.get()] = h.get();
    histories.push_back(std::move(h));
    return *histories.back();
}

const LeafLine* Recording::leaf_of(const Node& line) const {
    for (const LeafLine& leaf : leaves)
        if (leaf.line.get() == &line) return &leaf;
    return nullptr;
}

Value Recording::leaf_line(LeafLine leaf, const Value& numbers) {
    for (const LeafLine& other : leaves)
        if (leaf.outside && other.outside == leaf.outside) return Value{other.line, 0};
    leaf.line = written_line(*this, ops::leaf, {}, {numbers}, true);
    leaves.push_back(leaf);
    return Value{leaf.line, 0};
}

// The leaf line of a base. A leaf that is itself only a part of its storage is that part, put back
// into the whole.
Value Recording::base_leaf(const StorageState& s, const LeafLine& leaf) {
    const Node* node = leaf.outside.node.get();
    const bool part = node && node->op == &ops::leaf && node->attrs.size() > 0 && leaf.base_of;
    if (!part) return leaf_line(leaf, s.first);
    Ref<Node> view = written_line(*this, ops::as_view, node->attrs, {s.first}, false);
    view->outputs[0].shape = node->attrs.dims(0);
    const Value own = leaf_line(leaf, Value{view, 0});
    return Value{written_line(*this, ops::write_view, node->attrs, {s.first, own}, true), 0};
}

Value Recording::base(const Ref<Storage>& storage, const Ref<History>& history) {
    const StorageState& s = state(storage);
    HistoryState& h = state(history, storage);
    if (h.touched && h.version == s.version) return h.now;
    // In step with the bytes or not: rebind, detach and the plain value are the whole vocabulary.
    const bool wanted = h.touched && h.now.node->requires_grad;
    if (wanted)
        h.now = Value{written_line(*this, ops::rebind, {}, {s.now, h.now}, true), 0};
    else if (s.now.node->requires_grad)
        h.now = Value{written_line(*this, ops::detach, {}, {s.now}, false), 0};
    else
        h.now = s.now;
    h.version = s.version;
    h.touched = true;
    return h.now;
}

Tensor Recording::symbol(const Value& value, const Desc& desc) {
    Ref<Storage> storage = symbol_storage(desc.shape, desc.dtype, desc.device, id);
    Tensor t = tensor_for(value, storage, Layout::contiguous(desc.shape));
    Handle& handle = t.handle();
    handle.seen_in = id;
    handle.born = id;
    handle.history->born = id;
    handle.history->now = {};  // kept in the recording's own map, as for all tensors
    auto s = std::make_unique<StorageState>();
    s->storage = storage;
    s->first = s->now = value;
    by_storage[storage.get()] = s.get();
    storages.push_back(std::move(s));
    auto h = std::make_unique<HistoryState>();
    h->history = handle.history;
    h->storage = storage;
    h->now = value;
    h->touched = true;
    by_history[handle.history.get()] = h.get();
    histories.push_back(std::move(h));
    return t;
}

Tensor Recording::argument(const Tensor& outer, const Place& place) {
    Handle& real = outer.handle();
    const bool leaf = real.history->leaf && outer.is_leaf();
    const Value outside = value_outside(real);  // before the two are known as one
    Ref<Handle> handle(new Handle);
    handle->born = id;
    handle->layout = place.layout;
    handle->leaf = leaf;
    if (place.same_storage) {
        handle->storage = place.same_storage->handle().storage;
    } else {
        RecordedInput input;
        input.kind = RecordedInput::argument;
        input.storage = real.storage;
        input.name = "x" + std::to_string(place.number);
        const Desc desc{place.base, outer.dtype(), outer.device()};
        handle->storage = symbol(new_input(input, desc), desc).handle().storage;
        StorageState& s = *by_storage[handle->storage.get()];
        s.argument = true;
        // The function may name the same tensor itself; it then means this argument.
        if (place.base == real.storage->shape) by_storage[real.storage.get()] = &s;
    }
    const StorageState& s = *by_storage[handle->storage.get()];
    LeafLine own{.outside = outside, .argument = place.number, .goes_on = leaf};
    if (place.same_history) {
        handle->history = place.same_history->handle().history;
    } else {
        handle->history = Ref<History>(new History);
        handle->history->born = id;
        handle->history->leaf = leaf;
        standing_for[handle->history.get()] = real.history;
        auto h = std::make_unique<HistoryState>();
        h->history = handle->history;
        h->storage = handle->storage;
        h->touched = true;
        h->now = s.first;
        by_history[handle->history.get()] = h.get();
        if (place.base == real.storage->shape) by_history[real.history.get()] = h.get();
        // A window is a base of its own: its value is the argument's, not its storage's.
        LeafLine base = own;
        if (!place.window) {
            base = LeafLine{.outside = real.history->now, .goes_on = real.history->leaf};
            base.base_of = handle->history;
        }
        if (base.outside) h->now = base_leaf(s, base);
        histories.push_back(std::move(h));
    }
    const bool whole = place.layout == Layout::contiguous(place.base);
    Value numbers = s.first;
    if (!whole) {
        Ref<Node> view =
            written_line(*this, ops::as_view, layout_attrs(place.layout), {numbers}, false);
        view->outputs[0].shape = place.layout.shape;
        numbers = Value{view, 0};
    }
    handle->seen = outside ? leaf_line(own, numbers) : numbers;
    handle->seen_in = id;
    handle->version = s.version;
    return Tensor(handle);
}

bool Recording::make_leaf(const Tensor& tensor) {
    Handle& h = tensor.handle();
    const bool mine = h.history->born == id && !standing_for.count(h.history.get());
    if (!mine || !(h.layout == Layout::contiguous(h.storage->shape))) return false;
    auto own = std::make_unique<HistoryState>();
    own->history = Ref<History>(new History);
    own->history->born = id;
    own->history->leaf = true;
    own->storage = h.storage;
    own->now = leaf_line({}, value_of(tensor));
    own->version = state(h.storage).version;
    own->touched = true;
    own->history->now = own->now;  // so that its end is the end of the way to it
    own->now.node->leaf = own->history.get();
    h.history = own->history;
    h.leaf = true;
    h.seen = own->now;
    h.seen_in = id;
    h.version = own->version;
    by_history[own->history.get()] = own.get();
    histories.push_back(std::move(own));
    return true;
}

GradState& Recording::grad_state(const Ref<History>& asked) {
    // An argument's history goes by two names: the stand-in's and the caller's.
    Ref<History> history = asked;
    for (const auto& [stand_in, real] : standing_for)
        if (real == asked) history = by_history.at(stand_in)->history;
    const auto found = grad_by_history.find(history.get());
    if (found != grad_by_history.end()) return *found->second;
    auto g = std::make_unique<GradState>();
    g->history = history;
    const auto stands = standing_for.find(history.get());
    const Ref<History> real = stands == standing_for.end() ? history : stands->second;
    const Tensor outer = enclosing ? enclosing->grad_state(real).now : Tensor(real->gradient());
    if (outer.defined()) {
        g->present_at_start = true;
        RecordedInput input;
        input.kind = RecordedInput::slot;
        input.history = history;
        input.storage = outer.handle().storage;
        const Desc desc{outer.shape(), outer.dtype(), outer.device()};
        g->now = symbol(new_input(input, desc), desc);
    }
    grad_by_history[history.get()] = g.get();
    grads.push_back(std::move(g));
    return *grads.back();
}

}  // namespace tg
