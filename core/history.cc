#include "core/history.h"

#include "core/ops.h"
#include "core/ops/structural.h"
#include "core/recording.h"
#include "core/state.h"
#include "kernels/parallel.h"

namespace tg {
namespace {

// A node by hand, for the lines that no user wrote: a stale view's, a write's.
Ref<Node> line(const Op& op, const Attrs& attrs, std::initializer_list<Input> inputs,
               const Desc& output) {
    Ref<Node> node = new_node(op, attrs);
    node->recording = recording() ? recording()->id : 0;
    for (const Input& input : inputs) {
        node->inputs.push_back(input);
        node->requires_grad |= input.value && input.value.node->requires_grad;
    }
    node->outputs.push_back(output);
    return node;
}

Desc desc_of(const Tensor& t) { return {t.shape(), t.dtype(), t.device()}; }

Desc base_desc(const Storage& s) { return {s.shape, s.dtype, s.device}; }

// On the tape: the node of a handle whose base was written to since it was made.
Value refreshed(const Tensor& t) {
    Handle& h = t.handle();
    const History& history = *h.history;
    if (!history.now) return {};
    if (is_whole(h.layout, *h.storage) && h.layout.shape == h.storage->shape) {
        h.seen = history.now;
    } else {
        const Input base{history.now, base_desc(*h.storage), false, {}};
        h.seen = Value{line(ops::as_view, layout_attrs(h.layout), {base}, desc_of(t)), 0};
    }
    h.version = history.version;
    h.seen_in = 0;
    return h.seen;
}

// A leaf that is only a part of its storage, by its own line; empty if the handle is none. Its
// bytes may have been written since (under no_grad): they are then cut out of the storage anew,
// and the gradient still goes to the leaf.
Value leaf_part(Recording& r, const Tensor& t) {
    const Handle& h = t.handle();
    const HistoryState& history = r.state(h.history, h.storage);
    if (!history.leaf) return {};
    const Node& part = *history.leaf->inputs[0].value.node;
    if (part.op != &ops::as_view || !(layout_from(part.attrs) == h.layout)) return {};
    const StorageState& s = r.state(h.storage);
    const Value leaf{history.leaf, 0};
    if (!s.written()) return leaf;
    const Input whole{s.now, base_desc(*h.storage), false, {}};
    const Value now{line(ops::as_view, layout_attrs(h.layout), {whole}, desc_of(t)), 0};
    return Value{line(ops::rebind, {},
                      {{now, desc_of(t), false, {}}, {leaf, desc_of(t), false, {}}}, desc_of(t)),
                 0};
}

// In a recording: the line that computes a handle's value.
Value recorded(Recording& r, const Tensor& t) {
    Handle& h = t.handle();
    const StorageState& s = r.state(h.storage);
    if (h.seen_in == r.id && h.version == s.version) return h.seen;
    const bool older = h.born < r.id;
    if (older)
        if (const auto view = r.views.find(&h);
            view != r.views.end() && view->second.version == s.version)
            return view->second.value;
    const bool whole = is_whole(h.layout, *h.storage) && h.layout.shape == h.storage->shape;
    Value value = leaf_part(r, t);
    if (!value) {
        value = r.base(h.storage, h.history);
        const Input base{value, base_desc(*h.storage), false, {}};
        if (!whole)
            value = Value{line(ops::as_view, layout_attrs(h.layout), {base}, desc_of(t)), 0};
    }
    if (older && h.storage->born == 0) {
        HistoryState& state = r.state(h.history, h.storage);
        if (!state.handle) state.handle = t.ref();
    }
    if (older) {
        r.views[&h] = {t.ref(), value, s.version};
    } else {
        h.seen = value;
        h.seen_in = r.id;
        h.version = s.version;
    }
    return value;
}

// Is the history that of a leaf? An argument's stand-in says no for a view of a leaf, which
// is computed outside; its caller's history knows.
bool of_leaf(const Recording* r, const Ref<History>& history) {
    if (!r) return history->leaf;
    const auto stands = r->standing_for.find(history.get());
    return stands == r->standing_for.end() ? history->leaf : stands->second->leaf;
}

void check_writable(const Tensor& target, const char* op) {
    const Handle& h = target.handle();
    if (h.layout.overlaps())
        fail(ErrorKind::runtime, op, ": ", text(target.shape()), " with strides ",
             text(target.strides()),
             " has several indices for one element (it was expanded); clone() it first");
    const Recording* r = recording();
    if (r && r->kind == Recording::graph && h.storage->born != r->id)
        fail(ErrorKind::runtime, op,
             ": a graph only reads tensors made outside of it; use assign(variable, value)");
    if (grad_enabled() && of_leaf(r, h.history) && target.requires_grad())
        fail(ErrorKind::runtime, op, ": this ", target.is_leaf() ? "" : "is a view of a ",
             "leaf that requires a gradient", target.is_leaf() ? "" : " and",
             " would be changed in place; write it under no_grad, or make a new tensor");
}

// The value as target's elements want it: dtype, device, shape.
Tensor fitted(const Tensor& target, const Tensor& value, const char* op) {
    Tensor v = value.dtype() == target.dtype() ? value : cast(value, target.dtype());
    if (v.device() != target.device()) v = to(v, target.device());
    if (v.shape() == target.shape()) return v;
    if (!any_unknown(target.shape()) && broadcast(op, target.shape(), v.shape()) != target.shape())
        fail(ErrorKind::runtime, op, ": a value of shape ", text(v.shape()), " does not fit into ",
             text(target.shape()));
    return expand(v, target.shape());
}

// The value's node when it stands for the whole base: in the base's shape, contiguous.
Value whole_value(const Tensor& value, const Storage& base) {
    Tensor v = value;
    const Handle& h = v.handle();
    if (!(h.layout == Layout::contiguous(h.storage->shape))) v = recording() ? clone(v) : v;
    if (v.shape() != base.shape) v = reshape(v, base.shape);
    return value_of(v);
}

void write_recorded(Recording& r, const Tensor& target, const Tensor& value, const char* op) {
    Handle& h = target.handle();
    const bool target_wanted = target.requires_grad();
    Value v = value_of(value);
    Value next;
    const bool gradients = grad_enabled() && (target_wanted || v.node->requires_grad);
    if (is_whole(h.layout, *h.storage) && (v.node->requires_grad || !target_wanted || !gradients)) {
        next = whole_value(value, *h.storage);
    } else {
        const Value base = gradients ? r.base(h.storage, h.history) : r.state(h.storage).now;
        const Desc desc = base_desc(*h.storage);
        Ref<Node> node = line(ops::write_view, layout_attrs(h.layout),
                              {{base, desc, false, {}}, {v, desc_of(value), false, {}}}, desc);
        node->requires_grad = node->requires_grad && gradients;
        next = Value{node, 0};
    }
    StorageState& s = r.state(h.storage);
    HistoryState& state = r.state(h.history, h.storage);
    if (h.storage->born == 0 && h.born < r.id && !state.handle) state.handle = target.ref();
    s.now = next;
    s.version += 1;
    s.writer = current_line();
    s.written_by = op;
    if (gradients) {
        state.now = next;
        state.version = s.version;
        state.touched = true;
        state.written = true;
    }
}

void move_bytes(const Tensor& target, const Tensor& value, bool steal) {
    Storage& to = *target.handle().storage;
    Storage& from = *value.handle().storage;
    const bool swaps = steal && !to.foreign && !from.foreign && value.handle().storage.alone() &&
                       is_whole(target.handle().layout, to) &&
                       is_whole(value.handle().layout, from) && to.data != to.small &&
                       to.bytes == from.bytes;
    if (swaps) {
        std::swap(to.data, from.data);
        return;
    }
    const kernels::Uninterrupted whole;  // Ctrl-C waits: a weight is never half written
    const kernels::Array in = array_of(value);
    const kernels::Array out = array_of(target);
    run_kernel(ops::clone, {}, {&in, 1}, {&out, 1}, target.device());
}

void write_now(const Tensor& target, const Tensor& value, const char* op, bool steal) {
    Handle& h = target.handle();
    History& history = *h.history;
    const bool value_wanted = value.requires_grad();
    const bool differentiable =
        grad_enabled() && is_floating(target.dtype()) && (value_wanted || target.requires_grad());
    Value next;
    Value seen;
    if (differentiable) {
        seen = value_wanted ? value_of(value) : Value{};
        if (is_whole(h.layout, *h.storage) && value_wanted) {
            next = whole_value(value, *h.storage);
        } else {
            const Desc desc = base_desc(*h.storage);
            // A sibling view may be stale; the base's present value is what is written over.
            next = Value{
                line(ops::write_view, layout_attrs(h.layout),
                     {{history.now, desc, false, {}}, {seen, desc_of(value), false, {}}}, desc),
                0};
        }
    }
    move_bytes(target, value, steal);
    Storage& s = *h.storage;
    const std::uint32_t version = s.version.fetch_add(1) + 1;
    s.writer = current_line();
    s.written_by = op;
    if (!differentiable) return;
    history.now = next;
    history.version = version;
    if (value_wanted) {
        h.seen = seen;
        h.version = version;
    }
}

}  // namespace

bool is_whole(const Layout& layout, const Storage& storage) {
    if (layout.offset != 0 || !layout.is_contiguous()) return false;
    if (any_unknown(layout.shape) || any_unknown(storage.shape))
        return layout.shape == storage.shape;
    return element_count(layout.shape) == element_count(storage.shape);
}

Value value_of(const Tensor& tensor) {
    if (Recording* r = recording()) return recorded(*r, tensor);
    const Handle& h = tensor.handle();
    if (h.storage->born != 0) tensor.data();  // throws, and says where it is from
    if (h.seen_in == 0 && h.version == h.history->version) return h.seen;
    return refreshed(tensor);
}

Tensor tensor_for(const Value& value, Ref<Storage> storage, const Layout& layout) {
    Tensor t = tensor_of(std::move(storage), layout);
    t.handle().history->now = value;
    t.handle().seen = value;
    return t;
}

void write(const Tensor& target, const Tensor& value, const char* op, bool steal) {
    check_writable(target, op);
    const Tensor v = fitted(target, value, op);
    if (Recording* r = recording()) return write_recorded(*r, target, v, op);
    if (target.is_symbolic()) target.data();  // throws
    // A value that reads what is about to be written is taken out of harm's way first.
    const bool shares = v.handle().storage == target.handle().storage;
    const bool same = shares && v.handle().layout == target.handle().layout;
    write_now(target, shares && !same ? clone(v) : v, op, steal && v.same(value));
}

Tensor detached(const Tensor& tensor) {
    Ref<Handle> handle(new Handle);
    handle->storage = tensor.handle().storage;
    handle->layout = tensor.handle().layout;
    handle->history = Ref<History>(new History);
    handle->history->version = tensor.handle().history->version;
    handle->version = handle->history->version;
    handle->born = recording() ? recording()->id : 0;
    handle->history->born = handle->born;
    return Tensor(handle);
}

}  // namespace tg
