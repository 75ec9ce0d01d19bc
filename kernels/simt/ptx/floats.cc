// What PTX has for floats only. Numbers round to nearest; NaN has no particular bits.
#include <bit>
#include <cmath>
#include <limits>

#include "apply.h"

namespace simt::ptx {
namespace {

struct Fma {
    template <class T>
    T operator()(T a, T b, T c) const {
        return std::fma(a, b, c);
    }
};
struct SquareRoot {
    template <class T>
    T operator()(T a) const {
        return std::sqrt(a);
    }
};
struct Reciprocal {
    template <class T>
    T operator()(T a) const {
        return 1 / a;
    }
};
// The sign of a, all else of b.
struct CopySign {
    template <class T>
    T operator()(T a, T b) const {
        return std::copysign(b, a);
    }
};

// .approx says how far a GPU may be off, not which number it gives: here the right one, rounded.
// .ftz makes numbers too small to be normal 0, before and after.
template <class T>
T flushed(T x) {
    return std::fabs(x) < std::numeric_limits<T>::min() ? std::copysign(T{0}, x) : x;
}
template <double formula(double)>
struct Approximate {
    template <class T>
    T operator()(T a) const {
        return flushed(static_cast<T>(formula(flushed(a))));
    }
};
double exp2_of(double x) { return std::exp2(x); }
double log2_of(double x) { return std::log2(x); }
double sine_of(double x) { return std::sin(x); }
double cosine_of(double x) { return std::cos(x); }
double tanh_of(double x) { return std::tanh(x); }
double inverse_of(double x) { return 1 / x; }
double root_of(double x) { return std::sqrt(x); }
double inverse_root_of(double x) { return 1 / std::sqrt(x); }
// rcp and rsqrt of a double give, and look at, its upper half only.
template <double formula(double)>
struct UpperHalf {
    double operator()(double a) const {
        const auto cut = [](double x) {
            return std::bit_cast<double>(std::bit_cast<Word>(x) & 0xffffffff00000000u);
        };
        return flushed(cut(formula(flushed(cut(a)))));
    }
};
template <double formula(double)>
Step* approximate_step(Opcode& opcode) {
    opcode.take("ftz");
    const Type type = opcode.take_type();
    return type == Type::f64 ? of_types<UpperHalf<formula>, double>(type)
                             : of_types<Approximate<formula>, float>(type);
}

}  // namespace

Step* float_step(Opcode& opcode) {
    const std::string& name = opcode.name();
    if (name == "fma") {
        if (Step* step = rounded_step<Fma>(opcode)) return step;
        return opcode.take("rn") ? of_floats<Fma>(opcode.take_type()) : nullptr;
    }
    if (name == "copysign") return of_floats<CopySign>(opcode.take_type());
    if (name == "rcp" || name == "sqrt") {
        Step* step =
            name == "rcp" ? rounded_step<Reciprocal>(opcode) : rounded_step<SquareRoot>(opcode);
        if (step) return step;
    }
    if (name == "rcp" && opcode.take("rn")) return of_floats<Reciprocal>(opcode.take_type());
    if (name == "sqrt" && opcode.take("rn")) return of_floats<SquareRoot>(opcode.take_type());
    if (!opcode.take("approx")) return nullptr;
    if (name == "sqrt") return approximate_step<root_of>(opcode);
    if (name == "rcp") return approximate_step<inverse_of>(opcode);
    if (name == "ex2") return approximate_step<exp2_of>(opcode);
    if (name == "lg2") return approximate_step<log2_of>(opcode);
    if (name == "sin") return approximate_step<sine_of>(opcode);
    if (name == "cos") return approximate_step<cosine_of>(opcode);
    if (name == "tanh") return approximate_step<tanh_of>(opcode);
    return name == "rsqrt" ? approximate_step<inverse_root_of>(opcode) : nullptr;
}

}  // namespace simt::ptx
