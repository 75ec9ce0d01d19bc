// Writes: x.add_(y), x[0] = v, copy_. history.h says what a write means, history.cc where it is
// kept.
#include <array>
#include <mutex>

#include "core/apply.h"
#include "core/checkpoint.h"
#include "core/history.h"
#include "core/hooks.h"
#include "core/lines.h"
#include "core/ops.h"
#include "core/ops/rows.h"
#include "core/ops/structural.h"
#include "core/recording.h"
#include "core/state.h"
#include "kernels/parallel.h"

namespace tg {
namespace {

// ---- may it be written? ------------------------------------------------------------------------

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
    if (r && r->kind == Recording::built && !(own && h.storage->symbol) && !h.storage->generator)
        fail(ErrorKind::runtime, op,
             ": a graph only reads tensors made outside of it; use assign(variable, value)");
    if (grad_enabled() && of_leaf(r, h.history) && target.requires_grad())
        fail(ErrorKind::runtime, op, ": this ", target.is_leaf() ? "" : "is a view of a ",
             "leaf that requires a gradient", target.is_leaf() ? "" : " and",
             " would be changed in place; write it under no_grad, or make a new tensor");
}

// A view that was made under no_grad has no gradient, and what it is cut from has one: written with
// gradients on, it would have to have one too. PyTorch does not guess either.
void check_view_of_no_grad(const Tensor& target, const char* op) {
    if (!grad_enabled() || target.requires_grad()) return;
    const Handle& h = target.handle();
    if (recording() ? recording()->wants_gradient(h.history) : static_cast<bool>(h.history->now))
        fail(ErrorKind::runtime, op, ": a view of shape ", text(target.shape()),
             " that was made under no_grad would be written with gradients on, and its base "
             "requires "
             "one; make the view with gradients on, or write under no_grad");
}

// ---- the value --------------------------------------------------------------------------------

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

// ---- the two ways to write --------------------------------------------------------------------

// A value of target's base, with target's elements replaced. `v` is the node of `value`.
Ref<Node> write_line(const Value& base, const Tensor& target, const Value& v, const Tensor& value) {
    const Handle& h = target.handle();
    const Desc desc = base_desc(*h.storage);
    return line(ops::write_view, layout_attrs(h.layout),
                {input(base, desc), input(v, desc_of(value))}, desc);
}

// In both ways to write, a value that covers the whole base takes its place, and what was there
// before is dropped from the gradient's path. Not so where the value has no gradient and the
// target has: y still requires one after y.fill_(0), as in PyTorch, so the base's old node stays
// below a write_view, and gets zeros.

void write_recorded(Recording& r, const Tensor& target, const Tensor& value, const char* op) {
    const Handle& h = target.handle();
    const bool with_bytes = r.made(*h.storage) && !h.storage->symbol;
    if (r.kind == Recording::traced && with_bytes) r.make_symbol(h.storage, op);
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

// Threads that write one tensor take turns: the block that one swaps away belongs to another tensor
// soon, and must not be written as if it were still here. It is held for one kernel, so it keeps
// memory whole and no more: where two threads run b.add_(1), both may read before either writes,
// and one sum is lost.
std::mutex& turn_to_write(const Storage& storage) {
    static auto& all = *new std::array<std::mutex, 64>;
    return all[reinterpret_cast<std::uintptr_t>(&storage) / 64 % all.size()];
}

void move_bytes(const Tensor& target, const Tensor& value, bool steal) {
    const std::lock_guard turn(turn_to_write(*target.handle().storage));
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

// What was written into a row belongs to x.
void put_back(Recording& r, const Ref<Storage>& storage, const char* op) {
    RowOf* row = r.state(storage).row.get();
    if (!row) return;
    write(row->of, apply(ops::index_put, {row->of, row->row, row->index}, row->put), op, true);
    row->version = r.state(row->of.handle().storage).version;
}

}  // namespace

void write(const Tensor& target, const Tensor& value, const char* op, bool steal) {
    check_writable(target, op);
    Tensor v = fitted(target, value, op);
    check_view_of_no_grad(target, op);
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
    check_view_of_no_grad(target, name);
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
    for (const Tensor& t : others)
        kept.push_back(t.handle().storage == target.handle().storage ? clone(t) : t);
    const kernels::Uninterrupted whole;
    const std::lock_guard turn(turn_to_write(*target.handle().storage));
    Inline<kernels::Array, 3> in{array_of(target)};
    for (const Tensor& t : kept) in.push_back(array_of(t));
    run_kernel(op, attrs, in, {&in[0], 1}, target.device());
    wrote(*target.handle().storage, name);
    return true;
}

// ---- rows --------------------------------------------------------------------------------------

void keep_up(const Tensor& row, const Tensor& x, const Tensor& index, const Attrs& read,
             const Attrs& put) {
    Recording& r = *recording();
    const std::uint32_t version = r.state(x.handle().storage).version;
    r.state(row.handle().storage).row =
        std::make_unique<RowOf>(RowOf{row, x, index, read, put, version});
}

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

}  // namespace tg
