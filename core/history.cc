// history.h tells what is kept of views and writes; here is where.
//
//     field              what it says                           who writes it
//     Storage::version   how often the bytes were written       write_now
//     History::now       the node that made the base's value    apply, call, requires_grad_;
//                                                                write_now, with gradients
//     History::version   Storage::version after the write that  write_now, with `now`
//                        made `now`; 0: no write did
//     Handle::seen       the node that made this view's value   apply; value_of
//     Handle::version    History::version when `seen` was made  whoever writes `seen`
//     Handle::seen_in    the recording that `seen` is a line    whoever writes `seen`
//                        of; 0: the tape
//     born               the recording in which the object was  once, when it is made
//                        made; 0: outside of all
//
// One storage, its history, and two handles; @ is the version beside each node:
//
//     (x and w are leaves)  Storage   History         y               v
//                           version   now             seen            seen
//     y = x * 2                0      mul        @0   mul        @0
//     v = y[0:1]               0      mul        @0   mul        @0   slice   @0
//     y.add_(w)                1      add        @1   add        @1   slice   @0   v is stale
//     v.sum()                  1      add        @1   add        @1   as_view @1
//     v.mul_(3)                2      write_view @2   add        @1   as_view @1   both are stale
//     y.sum()                  2      write_view @2   write_view @2   as_view @1
//     no_grad: y.add_(1)       3      write_view @2   write_view @2   as_view @1
//
// So two versions that differ mean:
//
//     Handle and History    the base was written since `seen` was made, through this handle or
//                           another: the handle is stale, and its value is now a view of the base's
//     History and Storage   the last write went past this history: it was under no_grad, or through
//                           detach(), which has the bytes and another history. On the tape no
//                           gradient's path changes by that, so nobody is stale
//
// A recording keeps the first three rows of what it touches in its own StorageState and
// HistoryState (recording.h), and what an older handle has seen in Recording::older: nothing older
// than itself changes before its program runs. In it Handle::version is the StorageState's, and a
// handle needs another line after every write, also one without gradients, since a line carries
// the numbers too and not only the gradient: `rebind` gives it the new numbers, and leaves its
// gradient where the tape has it.
#include "core/history.h"

#include "core/apply.h"
#include "core/checkpoint.h"
#include "core/hooks.h"
#include "core/ops.h"
#include "core/ops/rows.h"
#include "core/ops/structural.h"
#include "core/recording.h"
#include "core/state.h"
#include "kernels/parallel.h"

namespace tg {
namespace {

// ---- lines that no user wrote ------------------------------------------------------------------

Desc desc_of(const Tensor& t) { return {t.shape(), t.dtype(), t.device()}; }

Desc base_desc(const Storage& s) { return {s.shape, s.dtype, s.device}; }

Input input(const Value& value, const Desc& desc) { return {value, desc, false, {}}; }

Ref<Node> line(const Op& op, const Attrs& attrs, std::initializer_list<Input> inputs,
               const Desc& output) {
    Ref<Node> node = new_node(op, attrs);
    node->recording = recording() ? recording()->id : 0;
    for (const Input& in : inputs) {
        node->inputs.push_back(in);
        node->requires_grad |= op.gradient && in.value && in.value.node->requires_grad;
    }
    node->outputs.push_back(output);
    return node;
}

// A handle's elements, out of a value of its base.
Value view_line(const Value& base, const Handle& h) {
    const Desc desc{h.layout.shape, h.storage->dtype, h.storage->device};
    return {line(ops::as_view, layout_attrs(h.layout), {input(base, base_desc(*h.storage))}, desc),
            0};
}

// A value of target's base, with target's elements replaced. `v` is the node of `value`.
Ref<Node> write_line(const Value& base, const Tensor& target, const Value& v, const Tensor& value) {
    const Handle& h = target.handle();
    const Desc desc = base_desc(*h.storage);
    return line(ops::write_view, layout_attrs(h.layout),
                {input(base, desc), input(v, desc_of(value))}, desc);
}

void write_recorded(Recording& r, const Tensor& target, const Tensor& value, const char* op);

// ---- reading -----------------------------------------------------------------------------------

// On the tape: the node of a stale handle.
Value refreshed(Handle& h) {
    const History& history = *h.history;
    if (!history.now) return {};
    h.seen = shows_base(h) ? history.now : view_line(history.now, h);
    h.version = history.version;
    h.seen_in = 0;
    if (h.retained) retain_from(Tensor(Ref<Handle>(&h)));
    return h.seen;
}

// What a recording knows of a tensor that is older than itself, from its first line with it on: a
// compiled function's guards ask at each call whether that still holds.
Recording::Older& met(Recording& r, const Tensor& t) {
    const auto found = r.older.find(&t.handle());
    if (found != r.older.end()) return found->second;
    return r.older[&t.handle()] = {t.ref(), wanted_outside(t.handle())};
}

// From here on the handle shows this value, until its base is written again. What an older handle
// shows is no business of others: the recording keeps it to itself.
void show(Recording& r, const Tensor& t, const Value& value, std::uint32_t version) {
    Handle& h = t.handle();
    if (h.born < r.id) {
        Recording::Older& older = met(r, t);
        older.seen = value;
        older.version = version;
        return;
    }
    h.seen = value;
    h.seen_in = r.id;
    h.version = version;
}

// The elements of a handle as numbers that no gradient follows.
Value numbers_of(const Value& base, const Handle& h) {
    const Desc desc = base_desc(*h.storage);
    const Value plain = base.node->requires_grad
                            ? Value{line(ops::detach, {}, {input(base, desc)}, desc), 0}
                            : base;
    return shows_base(h) ? plain : view_line(plain, h);
}

// Takes a row again that x has left behind: see RowOf.
void catch_up(Recording& r, const Ref<Storage>& storage) {
    RowOf* row = r.state(storage).row.get();
    if (!row) return;
    const GradMode mode(true);
    value_of(row->of);  // which may be a row too
    const std::uint32_t version = r.state(row->of.handle().storage).version;
    if (row->version == version) return;
    row->version = version;
    write_recorded(r, row->row, apply(ops::index, {row->of, row->index}, row->read), "index");
}

// In a recording: the line that computes a handle's value. Three cases, as on the tape:
//
//     it has a value, or had one outside, and no   its numbers are those of the bytes now, and its
//     write with gradients came after that         gradient goes where it went
//     one came                                     a view of its base's present value
//     it never had one (made by detach)            likewise
Value recorded(Recording& r, const Tensor& t) {
    Handle& h = t.handle();
    catch_up(r, h.storage);
    const StorageState& s = r.state(h.storage);
    const bool older = h.born < r.id;
    const HistoryState& history = r.state(h.history, h.storage);
    const Recording::Older* known = older ? &met(r, t) : nullptr;
    Value before = known ? known->seen : h.seen_in == r.id ? h.seen : Value{};
    const std::uint32_t version = known ? known->version : h.version;
    if (before && version == s.version) return before;
    bool current = before && version >= history.written_at;
    if (!before && older && !r.enclosing && history.written_at == 0) {
        current = true;
        const Value outside = value_outside(h);
        LeafLine leaf{.outside = outside, .named = t.ref(), .goes_on = true};
        before = outside ? r.leaf_line(leaf, numbers_of(s.first, h)) : numbers_of(s.now, h);
    }
    Value value = before;
    if (!current) {
        value = r.base(h.storage, h.history);
        if (!shows_base(h)) value = view_line(value, h);
    } else if (!before.node->requires_grad) {
        value = numbers_of(s.now, h);
    } else if (shows_base(h) && goes_to(before) == goes_to(history.now)) {
        value = r.base(h.storage, h.history);
    } else if (s.written()) {
        const Desc desc = desc_of(t);
        const Value now = numbers_of(s.now, h);
        value = {line(ops::rebind, {}, {input(now, desc), input(before, desc)}, desc), 0};
    }
    show(r, t, value, s.version);
    return value;
}

// ---- writing -----------------------------------------------------------------------------------

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
    const bool own = r && h.storage->born == r->id;
    if (r && r->kind == Recording::graph && !(own && h.storage->symbol) && !h.storage->generator)
        fail(ErrorKind::runtime, op,
             ": a graph only reads tensors made outside of it; use assign(variable, value)");
    if (grad_enabled() && of_leaf(r, h.history) && target.requires_grad())
        fail(ErrorKind::runtime, op, ": this ", target.is_leaf() ? "" : "is a view of a ",
             "leaf that requires a gradient", target.is_leaf() ? "" : " and",
             " would be changed in place; write it under no_grad, or make a new tensor");
}

// A view that was made under no_grad has no gradient, and what it is cut from has one: written with
// a gradient on, it would have to have one too. PyTorch does not guess either.
void check_view_of_no_grad(const Tensor& target, const Tensor& value, const char* op) {
    if (!grad_enabled() || !value.requires_grad() || target.requires_grad()) return;
    const Handle& h = target.handle();
    if (recording() ? recording()->wants_gradient(h.history) : static_cast<bool>(h.history->now))
        fail(ErrorKind::runtime, op, ": a view of shape ", text(target.shape()),
             " that was made under no_grad would be written with a value that requires a gradient, "
             "and its base requires one; make the view with gradients on, or write under no_grad");
}

// A value that goes on elsewhere: the target becomes one that has its numbers, but is not it, and
// may have hooks of its own.
Tensor as_another(const Tensor& value) {
    if (!grad_enabled() || !value.requires_grad()) return value;
    const Desc desc = desc_of(value);
    const Value own{line(ops::clone, {}, {input(value_of(value), desc)}, desc), 0};
    if (Recording* r = recording()) return r->symbol(own, desc);
    return tensor_for(own, value.handle().storage, value.handle().layout);
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

// The node of a value that is written over a whole base, and from then on stands for it.
Value whole_value(const Tensor& value, const Storage& base) {
    Tensor v = value;
    const Handle& h = v.handle();
    // Views are cut out of a base by offset and strides, so a line that stands for one must leave
    // its elements in order: a transposed or expanded value is copied. On the tape the node only
    // carries gradients; move_bytes puts the elements in order there.
    const bool in_order = h.layout == Layout::contiguous(h.storage->shape);
    if (!in_order && recording()) v = clone(v);
    // The target may be the whole base in another shape: y.reshape({4}).copy_(value).
    if (v.shape() != base.shape) v = reshape(v, base.shape);
    return value_of(v);
}

// In both ways to write, a value that covers the whole base takes its place, and what was there
// before is dropped from the gradient's path. Not so where the value has no gradient and the
// target has: y still requires one after y.fill_(0), as in PyTorch, so the base's old node stays
// below a write_view, and gets zeros.

void write_recorded(Recording& r, const Tensor& target, const Tensor& value, const char* op) {
    const Handle& h = target.handle();
    const bool with_bytes = r.made(*h.storage) && !h.storage->symbol;
    if (r.kind == Recording::trace && with_bytes) r.make_symbol(h.storage, op);
    const bool target_wanted = target.requires_grad();
    const Value v = value_of(value);
    const bool value_wanted = v.node->requires_grad;
    const bool gradients = grad_enabled() && (target_wanted || value_wanted);
    Value next;
    if (is_whole(h.layout, *h.storage) && (value_wanted || !gradients)) {
        next = whole_value(value, *h.storage);
    } else {
        // Without gradients the write is one of numbers only: it goes on from the bytes, and asks
        // for no line that would tie them to the history.
        const Value base = gradients ? r.base(h.storage, h.history) : r.state(h.storage).now;
        const Ref<Node> node = write_line(base, target, v, value);
        node->requires_grad = node->requires_grad && gradients;
        next = {node, 0};
    }
    StorageState& s = r.state(h.storage);
    HistoryState& state = r.state(h.history, h.storage);
    if (h.born < r.id) met(r, target);
    s.now = next;
    s.version += 1;
    s.writer = current_line();
    s.written_by = op;
    // Else the history stays behind its storage, and the next read of it finds that: see
    // Recording::base.
    if (gradients) {
        state.now = next;
        state.version = s.version;
        state.touched = true;
        state.written_at = s.version;
    }
}

// A temporary's block of bytes is taken over instead of copied, if nobody can tell: no other
// tensor and no saved value holds it (alone), NumPy holds no pointer into either (foreign), each
// fills its block (whole), and the bytes are not inside the Storage object itself (small).
bool may_swap(const Tensor& target, const Tensor& value) {
    const Storage& to = *target.handle().storage;
    const Storage& from = *value.handle().storage;
    return !to.foreign && !from.foreign && value.handle().storage.alone() &&
           is_whole(target.handle().layout, to) && is_whole(value.handle().layout, from) &&
           to.data != to.small && to.bytes == from.bytes;
}

void move_bytes(const Tensor& target, const Tensor& value, bool steal) {
    if (steal && may_swap(target, value)) {
        std::swap(target.handle().storage->data, value.handle().storage->data);
        return;
    }
    const kernels::Uninterrupted whole;  // Ctrl-C waits: a weight is never half written
    const kernels::Array in = array_of(value);
    const kernels::Array out = array_of(target);
    run_kernel(ops::clone, {}, {&in, 1}, {&out, 1}, target.device());
}

// Notes down that the bytes were written; gives their version.
std::uint32_t wrote(Storage& s, const char* op) {
    const std::uint32_t version = s.version.fetch_add(1) + 1;
    s.writer = current_line();
    s.written_by = op;
    return version;
}

void write_now(const Tensor& target, const Tensor& value, const char* op, bool steal) {
    Handle& h = target.handle();
    History& history = *h.history;
    const bool value_wanted = value.requires_grad();
    const bool differentiable =
        grad_enabled() && is_floating(target.dtype()) && (value_wanted || target.requires_grad());
    Value next;
    // The lines come first: they may still read the value's bytes, which are about to move.
    if (differentiable) {
        if (is_whole(h.layout, *h.storage) && value_wanted)
            next = whole_value(value, *h.storage);
        else  // over the base's present value, also where target itself is stale
            next = {
                write_line(history.now, target, value_wanted ? value_of(value) : Value{}, value),
                0};
    }
    move_bytes(target, value, steal);
    const std::uint32_t version = wrote(*h.storage, op);
    if (!differentiable) return;
    history.now = next;
    history.version = version;
}

}  // namespace

bool is_whole(const Layout& layout, const Storage& storage) {
    if (layout.offset != 0 || !layout.is_contiguous()) return false;
    if (any_unknown(layout.shape) || any_unknown(storage.shape))
        return layout.shape == storage.shape;
    return element_count(layout.shape) == element_count(storage.shape);
}

bool shows_base(const Handle& h) {
    return is_whole(h.layout, *h.storage) && h.layout.shape == h.storage->shape;
}

Value value_of(const Tensor& tensor) {
    if (Recording* r = recording()) return recorded(*r, tensor);
    Handle& h = tensor.handle();
    if (h.storage->symbol) tensor.data();  // throws, and says where it is from
    return value_outside(h);
}

const Value& goes_to(const Value& value) {
    const Value* v = &value;
    while (*v && v->node->op == &ops::rebind) v = &v->node->inputs[1].value;
    return *v;
}

bool wanted_outside(const Handle& h) {
    const bool current = h.seen_in == 0 && h.version == h.history->version;
    return static_cast<bool>(current ? h.seen : h.history->now);
}

Value value_outside(Handle& h) {
    if (h.seen_in == 0 && h.version == h.history->version) return h.seen;
    const RecordingScope outside(nullptr);
    return refreshed(h);
}

Tensor tensor_for(const Value& value, Ref<Storage> storage, const Layout& layout) {
    Tensor t = tensor_of(std::move(storage), layout);
    t.handle().history->now = value;
    t.handle().seen = value;
    return t;
}

void keep_up(const Tensor& row, const Tensor& x, const Tensor& index, const Attrs& read,
             const Attrs& put) {
    Recording& r = *recording();
    const std::uint32_t version = r.state(x.handle().storage).version;
    r.state(row.handle().storage).row =
        std::make_unique<RowOf>(RowOf{row, x, index, read, put, version});
}

// What was written into a row belongs to x.
static void put_back(Recording& r, const Ref<Storage>& storage, const char* op) {
    RowOf* row = r.state(storage).row.get();
    if (!row) return;
    write(row->of, apply(ops::index_put, {row->of, row->row, row->index}, row->put), op, true);
    row->version = r.state(row->of.handle().storage).version;
}

void write(const Tensor& target, const Tensor& value, const char* op, bool steal) {
    check_writable(target, op);
    Tensor v = fitted(target, value, op);
    check_view_of_no_grad(target, v, op);
    const bool temporary = steal && v.same(value);
    const Handle& h = target.handle();
    if (!steal && v.same(value) && is_whole(h.layout, *h.storage)) v = as_another(v);
    if (Recording* r = recording()) {
        catch_up(*r, h.storage);
        write_recorded(*r, target, v, op);
        put_back(*r, h.storage, op);
    } else {
        if (target.is_symbolic()) target.data();  // throws
        if (h.storage->generator) note_generator_in_checkpoint(h.storage);
        // A value that reads what is about to be written is taken out of harm's way first.
        const bool shares = v.handle().storage == h.storage;
        const bool same = shares && v.handle().layout == h.layout;
        write_now(target, shares && !same ? clone(v) : v, op, temporary);
    }
    const bool older = recording() && h.born != recording()->id;
    if (h.retained && !older && target.requires_grad()) retain_from(target);
}

bool write_by(const Op& op, const Attrs& attrs, const Tensor& target,
              std::initializer_list<Tensor> others, const char* name) {
    check_writable(target, name);
    bool plain = !recording() && !thread_state().observer && !target.is_symbolic();
    bool wanted = target.requires_grad();
    Descs descs{desc_of(target)};
    for (const Tensor& t : others) {
        plain = plain && !t.is_symbolic();
        wanted = wanted || t.requires_grad();
        descs.push_back(desc_of(t));
    }
    if (!plain || (wanted && grad_enabled())) return false;
    op.shape(op, descs, attrs);  // throws where they do not fit
    Inline<Tensor, 3> kept;
    Inline<kernels::Array, 3> in{array_of(target)};
    for (const Tensor& t : others) {
        kept.push_back(t.handle().storage == target.handle().storage ? clone(t) : t);
        in.push_back(array_of(kept[kept.size() - 1]));
    }
    const kernels::Uninterrupted whole;
    run_kernel(op, attrs, in, {&in[0], 1}, target.device());
    wrote(*target.handle().storage, name);
    return true;
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
