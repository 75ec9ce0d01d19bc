// From one type to another, comparisons, choices, and moves.
#include <algorithm>
#include <cmath>
#include <limits>

#include "apply.h"

namespace simt::ptx {
namespace {

// ---- cvt --------------------------------------------------------------------------------------
// What becomes of a fraction.
enum class Rounding : int { none, nearest, towards_zero, down, up };

Rounding take_rounding(Opcode& opcode) {
    if (opcode.take("rni")) return Rounding::nearest;
    if (opcode.take("rzi")) return Rounding::towards_zero;
    if (opcode.take("rmi")) return Rounding::down;
    if (opcode.take("rpi")) return Rounding::up;
    return Rounding::none;
}

template <class T>
T rounded(T x, Rounding rounding) {
    switch (rounding) {
        case Rounding::nearest:
            return std::nearbyint(x);
        case Rounding::towards_zero:
            return std::trunc(x);
        case Rounding::down:
            return std::floor(x);
        case Rounding::up:
            return std::ceil(x);
        case Rounding::none:
            break;
    }
    return x;
}

// What is too large becomes the largest number, NaN 0 or a lone highest bit. [PTX ISA 9.0, cvt]
template <class To, class From>
To to_integer(From x) {
    if (std::isnan(x)) {
        if (sizeof(From) < 8 && sizeof(To) < 8) return 0;
        return static_cast<To>(Word{1} << (8 * sizeof(To) - 1));
    }
    const From beyond = std::ldexp(From{1}, std::numeric_limits<To>::digits);
    if (x >= beyond) return std::numeric_limits<To>::max();
    if (x < static_cast<From>(std::numeric_limits<To>::min()))
        return std::numeric_limits<To>::min();
    return static_cast<To>(x);
}

// .sat: what is below 0, and NaN, is 0, what is above 1 is 1.
constexpr int saturates = 8;  // beside the rounding in an instruction's number

template <class To, class From>
void convert(Thread& t, const Instruction& i) {
    From x = t.get<From>(i[1]);
    if constexpr (std::is_floating_point_v<From>) {
        x = rounded(x, static_cast<Rounding>(i.number & ~saturates));
        if constexpr (std::is_integral_v<To>) return t.set(i[0], to_integer<To>(x));
    }
    To result = static_cast<To>(x);
    if (std::is_floating_point_v<To> && (i.number & saturates))
        result = result > To{0} ? std::min(result, To{1}) : To{0};
    t.set(i[0], result);
}

template <class To>
Step* convert_to(Type from) {
    return for_type<std::uint8_t, uint16_t, uint32_t, uint64_t, std::int8_t, int16_t, int32_t,
                    int64_t, float, double>(from,
                                            [](auto zero) { return &convert<To, decltype(zero)>; });
}

Step* cvt_step(Opcode& opcode, Instruction& i) {
    const Rounding rounding = take_rounding(opcode);
    i.number = static_cast<int>(rounding);
    opcode.take("rn");  // to a float: as C++ does it
    const Type to = opcode.take_type(), from = opcode.take_type();
    if ((to == Type::f32 || to == Type::f64) && opcode.take("sat")) i.number |= saturates;
    const auto try_one = [&](auto zero) { return convert_to<decltype(zero)>(from); };
    Step* step = nullptr;
    for_type<std::uint8_t, uint16_t, uint32_t, uint64_t, std::int8_t, int16_t, int32_t, int64_t,
             float, double>(to, [&](auto zero) { return step = try_one(zero); });
    return step;
}

// ---- setp, selp -------------------------------------------------------------------------------
template <class T>
bool unordered(T a, T b) {
    return a != a || b != b;
}
struct Equal {
    template <class T>
    bool operator()(T a, T b) const {
        return a == b;
    }
};
struct NotEqual {  // of two numbers, if these are floats
    template <class T>
    bool operator()(T a, T b) const {
        return a != b && !unordered(a, b);
    }
};
struct Less {
    template <class T>
    bool operator()(T a, T b) const {
        return a < b;
    }
};
struct LessOrEqual {
    template <class T>
    bool operator()(T a, T b) const {
        return a <= b;
    }
};
struct Greater {
    template <class T>
    bool operator()(T a, T b) const {
        return a > b;
    }
};
struct GreaterOrEqual {
    template <class T>
    bool operator()(T a, T b) const {
        return a >= b;
    }
};
struct Always {
    template <class T>
    bool operator()(T, T) const {
        return true;
    }
};
struct Never {
    template <class T>
    bool operator()(T, T) const {
        return false;
    }
};
// True of NaN too.
template <class F>
struct OrUnordered {
    template <class T>
    bool operator()(T a, T b) const {
        return unordered(a, b) || F{}(a, b);
    }
};
struct Ordered {
    template <class T>
    bool operator()(T a, T b) const {
        return !unordered(a, b);
    }
};

template <class F>
Step* compare(Opcode& opcode) {
    return of_numbers<F>(opcode.take_type());
}

Step* setp_step(Opcode& o) {
    if (o.take("eq")) return compare<Equal>(o);
    if (o.take("ne")) return compare<NotEqual>(o);
    if (o.take("lt") || o.take("lo")) return compare<Less>(o);
    if (o.take("le") || o.take("ls")) return compare<LessOrEqual>(o);
    if (o.take("gt") || o.take("hi")) return compare<Greater>(o);
    if (o.take("ge") || o.take("hs")) return compare<GreaterOrEqual>(o);
    if (o.take("equ")) return compare<OrUnordered<Equal>>(o);
    if (o.take("neu")) return compare<OrUnordered<NotEqual>>(o);
    if (o.take("ltu")) return compare<OrUnordered<Less>>(o);
    if (o.take("leu")) return compare<OrUnordered<LessOrEqual>>(o);
    if (o.take("gtu")) return compare<OrUnordered<Greater>>(o);
    if (o.take("geu")) return compare<OrUnordered<GreaterOrEqual>>(o);
    if (o.take("num")) return compare<Ordered>(o);
    if (o.take("nan")) return compare<OrUnordered<Never>>(o);
    return nullptr;
}

void choose(Thread& t, const Instruction& i) {
    t.frame[i[0]] = t.frame[t.frame[i[3]] ? i[1] : i[2]];
}

// ---- mov --------------------------------------------------------------------------------------
// mov.b64 %rd1, {%r1, %r2} puts two halves together, mov.b64 {%r1, %r2}, %rd1 takes them apart.
template <class Half>
void move(Thread& t, const Instruction& i) {
    constexpr int half = 8 * sizeof(Half);
    if (i.count == 2) {
        t.frame[i[0]] = t.frame[i[1]];
    } else if (i.first == 2) {
        const Word whole = t.frame[i[2]];
        t.set(i[0], static_cast<Half>(whole));
        t.set(i[1], static_cast<Half>(whole >> half));
    } else {
        t.frame[i[0]] = Word{t.get<Half>(i[1])} | Word{t.get<Half>(i[2])} << half;
    }
}

}  // namespace

Step* conversion_step(Opcode& opcode, Instruction& i) {
    const std::string& name = opcode.name();
    if (name == "cvt") return cvt_step(opcode, i);
    if (name == "setp") return setp_step(opcode);
    if (name == "selp") return opcode.take_type() == Type::none ? nullptr : choose;
    if (name != "mov") return nullptr;
    const Type type = opcode.take_type();
    return bytes_of(type) == 8 ? move<uint32_t> : type == Type::none ? nullptr : move<uint16_t>;
}

}  // namespace simt::ptx
