// Every elementwise formula, written once. The CPU's kernels, the CUDA kernels and the fused
// executor all call these structs; none has a formula of its own. To add one: write its struct,
// and its name in the list `All` at the end; every table of kernels is made from that list.
// Read next: elementary.h (how exp is computed), kernels/cpu/levels/elementwise.cc (the loops).
#pragma once

#include <cmath>

#include "kernels/division.h"
#include "kernels/gamma.h"
#include "kernels/trigonometry.h"

namespace tg::formula {

// ---- the formulas -----------------------------------------------------------------------------
struct Add : Binary {  // on bools: or
    static constexpr const char* name = "add";
    template <class T>
    static TG_FORMULA_FN T of(T x, T y) {
        if constexpr (same<T, bool>)
            return x | y;
        else if constexpr (is_float<T>)
            return x + y;
        else
            return static_cast<T>(static_cast<Unsigned<T>>(x) + static_cast<Unsigned<T>>(y));
    }
};

struct Sub : NumberBinary {
    static constexpr const char* name = "sub";
    template <class T>
    static TG_FORMULA_FN T of(T x, T y) {
        if constexpr (is_float<T>)
            return x - y;
        else
            return static_cast<T>(static_cast<Unsigned<T>>(x) - static_cast<Unsigned<T>>(y));
    }
};

struct Mul : Binary {  // on bools: and
    static constexpr const char* name = "mul";
    template <class T>
    static TG_FORMULA_FN T of(T x, T y) {
        if constexpr (same<T, bool>)
            return x & y;
        else if constexpr (is_float<T>)
            return x * y;
        else
            return static_cast<T>(static_cast<Unsigned<T>>(x) * static_cast<Unsigned<T>>(y));
    }
};

struct Div : NumberBinary {
    static constexpr const char* name = "div";
    static constexpr bool floats_only = true;
    template <class T>
    static TG_FORMULA_FN T of(T x, T y) {
        return x / y;
    }
};

struct Neg : NumberUnary {
    static constexpr const char* name = "neg";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        if constexpr (is_float<T>)
            return -x;
        else
            return static_cast<T>(Unsigned<T>{0} - static_cast<Unsigned<T>>(x));
    }
};

struct Exp : FloatUnary {
    static constexpr const char* name = "exp";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return exp_of(x);
    }
};

struct Log : FloatUnary {
    static constexpr const char* name = "log";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return log_of(x);
    }
};

struct Log2 : FloatUnary {
    static constexpr const char* name = "log2";
    static TG_FORMULA_FN float of(float x) { return ::log2f(x); }
    static TG_FORMULA_FN double of(double x) { return ::log2(x); }
};

struct Log10 : FloatUnary {
    static constexpr const char* name = "log10";
    static TG_FORMULA_FN float of(float x) { return ::log10f(x); }
    static TG_FORMULA_FN double of(double x) { return ::log10(x); }
};

struct Tanh : FloatUnary {
    static constexpr const char* name = "tanh";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return tanh_of(x);
    }
};

struct Relu : NumberUnary {
    static constexpr const char* name = "relu";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return x < T(0) ? T(0) : x;
    }  // NaN < 0 fails: NaN stays
};

struct Maximum : Binary {  // NaN if either is NaN
    static constexpr const char* name = "maximum";
    template <class T>
    static TG_FORMULA_FN T of(T x, T y) {
        return ((x > y) | (x != x)) ? x : y;
    }
};

struct Minimum : Binary {
    static constexpr const char* name = "minimum";
    template <class T>
    static TG_FORMULA_FN T of(T x, T y) {
        return ((x < y) | (x != x)) ? x : y;
    }
};

struct Pow : NumberBinary {
    static constexpr const char* name = "pow";
    template <class T>
    static TG_FORMULA_FN T of(T x, T y) {
        if constexpr (same<T, float>)
            return float_power(x, y);
        else if constexpr (same<T, double>)
            return ::pow(x, y);
        else
            return integer_power(x, y);
    }
};

struct Sqrt : FloatUnary {
    static constexpr const char* name = "sqrt";
    static TG_FORMULA_FN float of(float x) { return ::sqrtf(x); }
    static TG_FORMULA_FN double of(double x) { return ::sqrt(x); }
};

struct Abs : NumberUnary {
    static constexpr const char* name = "abs";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        if constexpr (is_float<T>)
            return magnitude(x);
        else
            return x < T(0) ? Neg::of(x) : x;
    }
};

struct Sign : Unary {  // of NaN: 0, as in PyTorch
    static constexpr const char* name = "sign";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return static_cast<T>(static_cast<T>(x > T(0)) - static_cast<T>(x < T(0)));
    }
};

struct Rsqrt : FloatUnary {
    static constexpr const char* name = "rsqrt";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return T(1) / Sqrt::of(x);
    }
};

struct Expm1 : FloatUnary {
    static constexpr const char* name = "expm1";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return expm1_of(x);
    }
};

struct Log1p : FloatUnary {
    static constexpr const char* name = "log1p";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return log1p_of(x);
    }
};

struct Sigmoid : FloatUnary {
    static constexpr const char* name = "sigmoid";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return sigmoid_of(x);
    }
};

struct Sin : FloatUnary {
    static constexpr const char* name = "sin";
    static TG_FORMULA_FN float of(float x) { return ::sinf(x); }
    static TG_FORMULA_FN double of(double x) { return ::sin(x); }
};

struct Cos : FloatUnary {
    static constexpr const char* name = "cos";
    static TG_FORMULA_FN float of(float x) { return ::cosf(x); }
    static TG_FORMULA_FN double of(double x) { return ::cos(x); }
};

struct Erf : FloatUnary {
    static constexpr const char* name = "erf";
    static TG_FORMULA_FN float of(float x) { return ::erff(x); }
    static TG_FORMULA_FN double of(double x) { return ::erf(x); }
};

struct Rounding : NumberUnary {  // an integer is its own
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return x;
    }
};

struct Floor : Rounding {
    static constexpr const char* name = "floor";
    using Rounding::of;
    static TG_FORMULA_FN float of(float x) { return ::floorf(x); }
    static TG_FORMULA_FN double of(double x) { return ::floor(x); }
};

struct Ceil : Rounding {
    static constexpr const char* name = "ceil";
    using Rounding::of;
    static TG_FORMULA_FN float of(float x) { return ::ceilf(x); }
    static TG_FORMULA_FN double of(double x) { return ::ceil(x); }
};

struct Round : Rounding {  // halves to the even integer
    static constexpr const char* name = "round";
    using Rounding::of;
    static TG_FORMULA_FN float of(float x) { return ::rintf(x); }
    static TG_FORMULA_FN double of(double x) { return ::rint(x); }
};

struct Trunc : Rounding {
    static constexpr const char* name = "trunc";
    using Rounding::of;
    static TG_FORMULA_FN float of(float x) { return ::truncf(x); }
    static TG_FORMULA_FN double of(double x) { return ::trunc(x); }
};

struct Eq : Comparison {
    static constexpr const char* name = "eq";
    template <class T>
    static TG_FORMULA_FN bool of(T x, T y) {
        return x == y;
    }
};

struct Ne : Comparison {
    static constexpr const char* name = "ne";
    template <class T>
    static TG_FORMULA_FN bool of(T x, T y) {
        return x != y;
    }
};

struct Lt : Comparison {
    static constexpr const char* name = "lt";
    template <class T>
    static TG_FORMULA_FN bool of(T x, T y) {
        return x < y;
    }
};

struct Le : Comparison {
    static constexpr const char* name = "le";
    template <class T>
    static TG_FORMULA_FN bool of(T x, T y) {
        return x <= y;
    }
};

struct Gt : Comparison {
    static constexpr const char* name = "gt";
    template <class T>
    static TG_FORMULA_FN bool of(T x, T y) {
        return x > y;
    }
};

struct Ge : Comparison {
    static constexpr const char* name = "ge";
    template <class T>
    static TG_FORMULA_FN bool of(T x, T y) {
        return x >= y;
    }
};

struct Where : Binary {
    static constexpr const char* name = "where";
    static constexpr int inputs = 3;
    static constexpr bool selects = true;
    template <class T>
    static TG_FORMULA_FN T of(bool condition, T x, T y) {
        return condition ? x : y;
    }
};

struct LogicalNot : Unary {
    static constexpr const char* name = "logical_not";
    static constexpr bool compares = true;
    template <class T>
    static TG_FORMULA_FN bool of(T x) {
        return x == T(0);
    }
};

// ---- the list ---------------------------------------------------------------------------------
template <class... F>
struct List {
    static constexpr int count = sizeof...(F);
};

using All =
    List<Add, Sub, Mul, Div, Neg, Exp, Log, Tanh, Relu, Maximum, Minimum, Pow, Sqrt, Abs, Sign,
         Rsqrt, Expm1, Log1p, Sigmoid, Sin, Cos, Erf, Floor, Ceil, Round, Trunc, Eq, Ne, Lt, Le, Gt,
         Ge, Where, Log2, Log10, Fmod, Remainder, FloorDivide, BitwiseAnd, BitwiseOr, BitwiseXor,
         BitwiseNot, LogicalNot, LeftShift, RightShift, Exp2, Tan, Asin, Acos, Atan, Atan2, Sinh,
         Cosh, Asinh, Acosh, Atanh, Hypot, Copysign, Lgamma, Polygamma>;

constexpr int count = All::count;

template <class F, class... Each>
consteval int index_in(List<Each...>) {
    constexpr bool hits[] = {same<F, Each>...};
    for (int i = 0; i < count; ++i)
        if (hits[i]) return i;
    return -1;
}

// The number of a formula, by which the kernels' tables are indexed.
template <class F>
constexpr int id = index_in<F>(All{});

// Is formula F defined for inputs of type T?
template <class F, class T>
constexpr bool defined =
    is_float<T> ? !F::whole_only : !F::floats_only && (!same<T, bool> || F::bools);

}  // namespace tg::formula
