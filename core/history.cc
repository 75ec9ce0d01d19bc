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
#include "core/hooks.h"
#include "core/lines.h"
#include "core/ops.h"
#include "core/ops/structural.h"
#include "core/recording.h"
#include "core/state.h"

namespace tg {
namespace {

// A handle's elements, out of a value of its base.
Value view_line(const Value& base, const Handle& h) {
    const Desc desc{h.layout.shape, h.storage->dtype, h.storage->device};
    return {line(ops::as_view, layout_attrs(h.layout), {input(base, base_desc(*h.storage))}, desc),
            0};
}

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

// In a recording: the line that computes a handle's value, which the handle may have already. Else
// there are three cases, as on the tape:
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

}  // namespace

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

Recording::Older& met(Recording& r, const Tensor& t) {
    const auto found = r.older.find(&t.handle());
    if (found != r.older.end()) return found->second;
    return r.older[&t.handle()] = {t.ref(), wanted_outside(t.handle())};
}

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
