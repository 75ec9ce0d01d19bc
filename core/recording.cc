#include "core/recording.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "core/history.h"
#include "core/hooks.h"
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

void rest_on(const Watched& now, const char* changed) {
    for (Recording* r = recording(); r; r = r->enclosing) {
        const bool known = std::any_of(r->facts.begin(), r->facts.end(),
                                       [&](const Fact& f) { return f.now == now; });
        if (!known) r->facts.push_back({now, *now, changed});
    }
}

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
        return seen.node->requires_grad && is_floating(seen.node->outputs[seen.index].dtype);
    const bool as_outside = handle.born < id && !enclosing && written_at == 0;
    if (as_outside) return wanted_outside(handle);
    return wants_gradient(handle.history);
}

bool Recording::wants_gradient(const Ref<History>& history) const {
    const auto found = by_history.find(history.get());
    if (found != by_history.end() && found->second->touched)
        return found->second->now.node->requires_grad;
    return history->born != id && wanted_outside(this, history);
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
    if (storage->symbol && !is_enclosing(enclosing, storage->born))
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

void Recording::make_symbol(const Ref<Storage>& storage, const char* op) {
    if (storage->foreign)
        fail(ErrorKind::runtime, op,
             ": this tensor shares its memory with an array, and was made in ", name,
             ", which is not made again at each call; use tg.tensor(array), which copies");
    const Value& first = state(storage).first;
    inputs[static_cast<std::size_t>(first.node->attrs.integer(0))].storage =
        part_from_bytes(*storage);
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

// A view of a base.
Value Recording::part_of(const Value& base, const Attrs& layout, const Dims& shape) {
    Ref<Node> view = written_line(*this, ops::as_view, layout, {base}, false);
    view->outputs[0].shape = shape;
    return Value{view, 0};
}

// The leaf line of a base. A leaf that is itself only a part of its storage is that part, put back
// into the whole.
Value Recording::base_leaf(const StorageState& s, const LeafLine& leaf) {
    const Node* node = leaf.outside.node.get();
    const bool part = node && node->op == &ops::leaf && node->attrs.size() > 0 && leaf.base_of;
    if (!part) return leaf_line(leaf, s.first);
    const Value own = leaf_line(leaf, part_of(s.first, node->attrs, node->attrs.dims(0)));
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
    Ref<Storage> storage = symbol_storage(desc.shape, desc.dtype, desc.device);
    storage->born = id;
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

Tensor Recording::stand_in(const Tensor& outer, RecordedInput::Kind what, const GivenKey& key) {
    Handle& real = outer.handle();
    const auto number = static_cast<int>(given.size());
    if (key.tensor_of < number) {
        given.push_back(outer);
        given_keys.push_back(key);
        stand_ins.push_back(Tensor(stand_ins[static_cast<std::size_t>(key.tensor_of)]));
        return stand_ins.back();
    }
    const auto sharing = [&](int first) {
        return first < number ? &stand_ins[static_cast<std::size_t>(first)].handle() : nullptr;
    };
    const bool leaf = real.history->leaf && outer.is_leaf();
    const Value outside = value_outside(real);  // before the two are known as one
    const bool has_base = key.base == real.storage->shape;
    const Ref<Handle> handle(new Handle);
    handle->born = id;
    handle->layout = key.layout;
    handle->leaf = leaf;
    handle->gradient = gradient_of(outer);
    if (const Handle* first = sharing(key.storage_of)) {
        handle->storage = first->storage;
        wants_whole_storages |= first->storage->shape != key.base;
    } else {
        RecordedInput input;
        input.kind = what;
        input.storage = real.storage;
        if (what == RecordedInput::argument) input.name = "x" + std::to_string(number);
        const Desc desc{key.base, outer.dtype(), outer.device()};
        handle->storage = symbol(new_input(input, desc), desc).handle().storage;
        StorageState& s = *by_storage[handle->storage.get()];
        s.given = true;
        // The function may name the same tensor itself; it then means this one.
        if (has_base) by_storage[real.storage.get()] = &s;
    }
    const StorageState& s = *by_storage[handle->storage.get()];
    LeafLine own{.outside = outside, .given = number, .goes_on = leaf};
    if (const Handle* first = sharing(key.history_of)) {
        handle->history = first->history;
        handle->history->leaf |= leaf;  // the first may be a view of this one
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
        h->version = s.first_version;
        by_history[handle->history.get()] = h.get();
        if (has_base) by_history[real.history.get()] = h.get();
        // A window is a base of its own: its value is the tensor's, not its storage's.
        LeafLine base = own;
        if (!key.window) {
            base = LeafLine{.outside = real.history->now, .goes_on = real.history->leaf};
            base.base_of = handle->history;
        }
        if (base.outside) h->now = base_leaf(s, base);
        histories.push_back(std::move(h));
    }
    Value numbers = s.first;
    if (!(key.layout == Layout::contiguous(key.base)))
        numbers = part_of(numbers, layout_attrs(key.layout), key.layout.shape);
    handle->seen = outside ? leaf_line(own, numbers) : numbers;
    handle->seen_in = id;
    handle->version = s.first_version;
    given.push_back(outer);
    given_keys.push_back(key);
    stand_ins.push_back(Tensor(handle));
    return stand_ins.back();
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
    extras_of(*own->now.node).leaf = gradient_of(tensor);
    h.history = own->history;
    h.leaf = true;
    h.seen = own->now;
    h.seen_in = id;
    h.version = own->version;
    by_history[own->history.get()] = own.get();
    histories.push_back(std::move(own));
    return true;
}

GradState& Recording::grad_state(const GradientRef& place) {
    const auto found = grad_by_place.find(place.get());
    if (found != grad_by_place.end()) return *found->second;
    auto g = std::make_unique<GradState>();
    g->gradient = place;
    for (std::size_t i = 0; i < given.size() && g->of < 0; ++i)
        if (gradient_of(given[i]) == place) g->of = static_cast<int>(i);
    grad_by_place[place.get()] = g.get();
    grads.push_back(std::move(g));
    return *grads.back();
}

// At each call it may be another tensor that is there, so it is given to the program as an argument
// is: unless the function names that very tensor itself.
void Recording::find_gradient(GradState& g) {
    g.read = true;
    const Tensor outer = enclosing ? enclosing->gradient(g.gradient) : g.gradient->get();
    if (!outer.defined()) return;
    const auto known = by_storage.find(outer.handle().storage.get());
    if (enclosing || (known != by_storage.end() && !known->second->given)) {
        g.named = outer.ref();
        g.now = outer;
        return;
    }
    g.given = static_cast<int>(given.size());
    std::vector<Tensor> all = given;
    all.push_back(outer);
    g.now = stand_in(outer, RecordedInput::slot, key_of(all, given.size(), whole_storages));
}

Tensor Recording::gradient(const GradientRef& place) {
    GradState& g = grad_state(place);
    if (!g.read && !g.written && place->born != id) find_gradient(g);
    return g.now;
}

void Recording::set_gradient(const GradientRef& place, const Tensor& value) {
    GradState& g = grad_state(place);
    g.now = value;
    g.written = true;
}

}  // namespace tg
