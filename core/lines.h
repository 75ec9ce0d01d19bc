// What history.cc, which reads views, and write.cc, which writes them, have in common: the lines
// that no user wrote.
#pragma once

#include <initializer_list>

#include "core/op.h"
#include "core/recording.h"

namespace tg {

inline Desc desc_of(const Tensor& t) { return {t.shape(), t.dtype(), t.device()}; }
inline Desc base_desc(const Storage& s) { return {s.shape, s.dtype, s.device}; }
inline Input input(const Value& value, const Desc& desc) { return {value, desc, false, {}}; }

// A line of what is open, or a node of the tape, with one output.
Ref<Node> line(const Op& op, const Attrs& attrs, std::initializer_list<Input> inputs,
               const Desc& output);

// What a recording knows of a tensor that is older than itself, from its first line with it on: a
// compiled function's guards ask at each call whether that still holds.
Recording::Older& met(Recording& r, const Tensor& tensor);

// Takes a row again that x has left behind: see RowOf.
void catch_up(Recording& r, const Ref<Storage>& storage);

}  // namespace tg
