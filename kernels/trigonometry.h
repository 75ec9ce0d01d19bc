// Formulas of angles, hyperbolas and signs. The functions are the C library's; for floats they are
// computed in double and rounded once, as its own for floats are up to 3 ulp off.
#pragma once

#include <cmath>

#include "kernels/formula.h"

namespace tg::formula {

struct FloatBinary : Binary {
    static constexpr bool floats_only = true, bools = false;
};

struct Exp2 : FloatUnary {
    static constexpr const char* name = "exp2";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return static_cast<T>(::exp2(static_cast<double>(x)));
    }
};

struct Tan : FloatUnary {
    static constexpr const char* name = "tan";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return static_cast<T>(::tan(static_cast<double>(x)));
    }
};

struct Asin : FloatUnary {
    static constexpr const char* name = "asin";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return static_cast<T>(::asin(static_cast<double>(x)));
    }
};

struct Acos : FloatUnary {
    static constexpr const char* name = "acos";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return static_cast<T>(::acos(static_cast<double>(x)));
    }
};

struct Atan : FloatUnary {
    static constexpr const char* name = "atan";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return static_cast<T>(::atan(static_cast<double>(x)));
    }
};

struct Atan2 : FloatBinary {  // the angle of the point (y, x)
    static constexpr const char* name = "atan2";
    template <class T>
    static TG_FORMULA_FN T of(T x, T y) {
        return static_cast<T>(::atan2(static_cast<double>(x), static_cast<double>(y)));
    }
};

struct Sinh : FloatUnary {
    static constexpr const char* name = "sinh";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return static_cast<T>(::sinh(static_cast<double>(x)));
    }
};

struct Cosh : FloatUnary {
    static constexpr const char* name = "cosh";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return static_cast<T>(::cosh(static_cast<double>(x)));
    }
};

struct Asinh : FloatUnary {
    static constexpr const char* name = "asinh";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return static_cast<T>(::asinh(static_cast<double>(x)));
    }
};

struct Acosh : FloatUnary {
    static constexpr const char* name = "acosh";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return static_cast<T>(::acosh(static_cast<double>(x)));
    }
};

struct Atanh : FloatUnary {
    static constexpr const char* name = "atanh";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return static_cast<T>(::atanh(static_cast<double>(x)));
    }
};

struct Hypot : FloatBinary {  // sqrt(x^2 + y^2), whose squares must not overflow
    static constexpr const char* name = "hypot";
    template <class T>
    static TG_FORMULA_FN T of(T x, T y) {
        return static_cast<T>(::hypot(static_cast<double>(x), static_cast<double>(y)));
    }
};

struct Copysign : FloatBinary {  // |x| with the sign of y, which may be that of -0
    static constexpr const char* name = "copysign";
    template <class T>
    static TG_FORMULA_FN T of(T x, T y) {
        return with_sign_of(x, y);
    }
};

}  // namespace tg::formula
