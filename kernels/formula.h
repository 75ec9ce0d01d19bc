// What a formula says of itself: how many inputs it takes, and of which types.
#pragma once

#include "kernels/elementary.h"

namespace tg::formula {

// Each formula overrides what differs.
struct Unary {
    static constexpr int inputs = 1;
    static constexpr bool compares = false;     // the result is bool
    static constexpr bool selects = false;      // the first input is bool
    static constexpr bool floats_only = false;  // integers are cast before they come here
    static constexpr bool whole_only = false;   // defined for bool and integers alone
    static constexpr bool bools = true;         // defined for bool
};
struct Binary : Unary {
    static constexpr int inputs = 2;
};
struct Comparison : Binary {
    static constexpr bool compares = true;
};
struct FloatUnary : Unary {
    static constexpr bool floats_only = true, bools = false;
};
struct NumberUnary : Unary {
    static constexpr bool bools = false;
};
struct NumberBinary : Binary {
    static constexpr bool bools = false;
};

}  // namespace tg::formula
