// Formulas of division with a rest, and of bits. The rest of them: math.h.
#pragma once

#include <cmath>

#include "kernels/formula.h"

namespace tg::formula {

// Integers must not trap the processor: division by 0 gives 0 here (the op refuses it before), and
// by -1, where the least integer has no quotient, it is a negation that wraps.
template <class T>
TG_FORMULA_FN bool is_minus_one(T y) {
    return T(-1) < T(0) && y == T(-1);
}

// -x, which wraps
template <class T>
TG_FORMULA_FN T negative(T x) {
    return static_cast<T>(Unsigned<T>{0} - static_cast<Unsigned<T>>(x));
}

struct Fmod : NumberBinary {  // what is left of x after dividing, with the sign of x
    static constexpr const char* name = "fmod";
    static TG_FORMULA_FN float of(float x, float y) { return ::fmodf(x, y); }
    static TG_FORMULA_FN double of(double x, double y) { return ::fmod(x, y); }
    template <class T>
    static TG_FORMULA_FN T of(T x, T y) {
        return y == T(0) || is_minus_one(y) ? T(0) : static_cast<T>(x % y);
    }
};

struct Remainder : NumberBinary {  // the same with the sign of y, as Python's %
    static constexpr const char* name = "remainder";
    template <class T>
    static TG_FORMULA_FN T of(T x, T y) {
        const T rest = Fmod::of(x, y);
        return rest != T(0) && (rest < T(0)) != (y < T(0)) ? static_cast<T>(rest + y) : rest;
    }
};

// floor(x / y), by way of the exact rest: x / y may round up to the next integer.
struct FloorDivide : NumberBinary {
    static constexpr const char* name = "floor_divide";
    static TG_FORMULA_FN float rounded(float x) { return ::rintf(x); }
    static TG_FORMULA_FN double rounded(double x) { return ::rint(x); }
    template <class T>
    static TG_FORMULA_FN T of(T x, T y) {
        const T rest = Fmod::of(x, y);
        const bool below = rest != T(0) && (rest < T(0)) != (y < T(0));
        if constexpr (is_float<T>) {
            if (y == T(0)) return x / y;
            const T whole = rounded((x - rest) / y) - (below ? T(1) : T(0));
            return whole == T(0) ? x / y * T(0) : whole;  // with the quotient's sign
        } else {
            if (y == T(0)) return T(0);
            return is_minus_one(y) ? negative(x) : static_cast<T>(x / y - (below ? 1 : 0));
        }
    }
};

struct Bits : Binary {
    static constexpr bool whole_only = true;
};

struct BitwiseAnd : Bits {
    static constexpr const char* name = "bitwise_and";
    template <class T>
    static TG_FORMULA_FN T of(T x, T y) {
        return static_cast<T>(x & y);
    }
};

struct BitwiseOr : Bits {
    static constexpr const char* name = "bitwise_or";
    template <class T>
    static TG_FORMULA_FN T of(T x, T y) {
        return static_cast<T>(x | y);
    }
};

struct BitwiseXor : Bits {
    static constexpr const char* name = "bitwise_xor";
    template <class T>
    static TG_FORMULA_FN T of(T x, T y) {
        return static_cast<T>(x ^ y);
    }
};

struct BitwiseNot : Unary {  // on bools: not
    static constexpr const char* name = "bitwise_not";
    static constexpr bool whole_only = true;
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        if constexpr (same<T, bool>)
            return !x;
        else
            return static_cast<T>(~x);
    }
};

// Is y a number of places that a T can be shifted by? Where it is not, all bits are gone.
template <class T>
TG_FORMULA_FN bool has_place(T y) {
    return y >= T(0) && y < T(8 * sizeof(T));
}

struct Shift : NumberBinary {
    static constexpr bool whole_only = true;
};

struct LeftShift : Shift {  // 0 comes in from the right
    static constexpr const char* name = "bitwise_left_shift";
    template <class T>
    static TG_FORMULA_FN T of(T x, T y) {
        using U = Unsigned<T>;
        return has_place(y) ? static_cast<T>(static_cast<U>(static_cast<U>(x) << y)) : T(0);
    }
};

struct RightShift : Shift {  // the sign's bit comes in from the left
    static constexpr const char* name = "bitwise_right_shift";
    template <class T>
    static TG_FORMULA_FN T of(T x, T y) {
        const T none = x < T(0) ? static_cast<T>(-1) : T(0);
        return has_place(y) ? static_cast<T>(x >> y) : none;
    }
};

}  // namespace tg::formula
