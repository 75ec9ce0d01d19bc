// The ops that no user calls: the lines by which views, in-place writes and recordings are said.
#pragma once

#include "core/op.h"

namespace tg {

Attrs layout_attrs(const Layout& layout);
Layout layout_from(const Attrs& attrs);

namespace ops {
extern const Op as_view;     // base -> the elements at a layout; gradient: add into zeros there
extern const Op write_view;  // base, value -> base with the value at a layout
extern const Op add_view;    // base, g -> base with g added at a layout (stride 0 adds many times)
extern const Op read;        // a recording's input: a variable, argument, placeholder or slot
extern const Op leaf;        // gradients stop here, and are kept in a history's .grad
extern const Op rebind;      // numbers of the first, gradient to the second
extern const Op tied;        // numbers of the first; to the second a gradient of zeros
extern const Op detach;      // numbers only
extern const Op function;    // numbers of the first, gradient by a rule of the user's: function.h
extern const Op assign;      // a variable's next value, committed when the program ends
extern const Op clone;
extern const Op cast;
extern const Op relu, where, gather;
}  // namespace ops

}  // namespace tg
