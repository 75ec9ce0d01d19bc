// Where bytes and gradients part: views, in-place writes, detach, and reads by a recording.
//
// A handle remembers the node that made it (`seen`). Somebody may have written to its base since,
// through another view. Then the handle is stale: its value now is a view of the base's present
// value, and asking for it (`value_of`) writes that down.
//
//     y = x * 2          y's history: now = mul
//     v = y[0]           v shares y's storage and history; seen = select
//     y.add_(w)          the history's now = add, version 1; v is stale
//     v.sum()            value_of(v) writes down view(add, v's layout)
//     v.mul_(3)          now = write_view(add, mul, v's layout), version 2; both are stale
#pragma once

#include <initializer_list>

#include "core/op.h"

namespace tg {

// The node to which a gradient with respect to this handle flows; empty if none does. In a
// recording, the node that computes its value, always there.
Value value_of(const Tensor& tensor);

// The same on the tape, whatever is being recorded; and whether there is one.
Value value_outside(Handle& handle);
bool wanted_outside(const Handle& handle);

// Whom the gradient of a line goes to in the end: its numbers may have been bound to others since.
const Value& goes_to(const Value& value);

// A tensor for a value: its own storage (a symbol, in a recording) and history.
Tensor tensor_for(const Value& value, Ref<Storage> storage, const Layout& layout);

// Writes `value` into the elements of `target`, which keeps its dtype; `value` broadcasts.
// `op` names the writer in later errors. With `steal`, value is a temporary whose bytes may be
// taken over instead of copied.
void write(const Tensor& target, const Tensor& value, const char* op, bool steal = false);

// In a recording: row is x[index] for an index that is a symbol, and is to be kept up with x.
void keep_up(const Tensor& row, const Tensor& x, const Tensor& index, const Attrs& read,
             const Attrs& put);

// As write, of what op(target, others...) gives, for an op that changes few of target's elements:
// its kernel leaves all others where they are. False, and nothing is done, where that needs a line
// or a node: then apply the op, and write its result.
bool write_by(const Op& op, const Attrs& attrs, const Tensor& target,
              std::initializer_list<Tensor> others, const char* name);

// The node of a leaf; and a tensor becomes a leaf, with a node that was made before it or its own.
Value new_leaf(const Desc& desc, const Attrs& layout = {});
void make_leaf(const Tensor& tensor, const Ref<Node>& node = {});

// The same storage and layout with a history of its own.
Tensor detached(const Tensor& tensor);

// Is this layout the whole base, in order?
bool is_whole(const Layout& layout, const Storage& storage);
// Does the handle show its base just as that is? Then the base's node is its own.
bool shows_base(const Handle& handle);

}  // namespace tg
