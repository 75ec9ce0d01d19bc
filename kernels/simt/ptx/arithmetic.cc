// What PTX has for integers, and for floats alike: sums, products, extrema, bits. Integers wrap.
// Read next: floats.cc, conversion.cc.
#include <algorithm>
#include <bit>
#include <cmath>

#include "../intrinsics.h"
#include "apply.h"

namespace simt::ptx {
namespace {

// ---- integers and floats ----------------------------------------------------------------------
// An integer's arithmetic in 64 bits; what set() keeps of it is what wrapping leaves.
template <class T>
T wrapped(Word value) {
    return static_cast<T>(value);
}

struct Add {
    template <class T>
    T operator()(T a, T b) const {
        if constexpr (std::is_floating_point_v<T>)
            return a + b;
        else
            return wrapped<T>(static_cast<Word>(a) + static_cast<Word>(b));
    }
};
struct Subtract {
    template <class T>
    T operator()(T a, T b) const {
        if constexpr (std::is_floating_point_v<T>)
            return a - b;
        else
            return wrapped<T>(static_cast<Word>(a) - static_cast<Word>(b));
    }
};
struct Multiply {
    template <class T>
    T operator()(T a, T b) const {
        if constexpr (std::is_floating_point_v<T>)
            return a * b;
        else
            return wrapped<T>(static_cast<Word>(a) * static_cast<Word>(b));
    }
};
struct Divide {
    template <class T>
    T operator()(T a, T b) const {
        if constexpr (std::is_floating_point_v<T>) {
            return a / b;
        } else {
            if (b == 0) return wrapped<T>(~Word{0});  // nothing stops; not specified
            if (std::is_signed_v<T> && b == wrapped<T>(~Word{0}))
                return Subtract{}(T{0}, a);  // -1: of the smallest number C++ has no quotient
            return static_cast<T>(a / b);
        }
    }
};
struct Remainder {
    template <class T>
    T operator()(T a, T b) const {
        if (b == 0) return a;  // not specified
        if (std::is_signed_v<T> && b == wrapped<T>(~Word{0})) return 0;
        return static_cast<T>(a % b);
    }
};
// Of NaN and a number, the number; -0 is below 0.
struct Minimum {
    template <class T>
    T operator()(T a, T b) const {
        if constexpr (std::is_floating_point_v<T>) {
            if (std::isnan(a)) return b;
            if (a == b) return std::signbit(a) ? a : b;
        }
        return b < a ? b : a;
    }
};
struct Maximum {
    template <class T>
    T operator()(T a, T b) const {
        if constexpr (std::is_floating_point_v<T>) {
            if (std::isnan(a)) return b;
            if (a == b) return std::signbit(a) ? b : a;
        }
        return a < b ? b : a;
    }
};
struct Negate {
    template <class T>
    T operator()(T a) const {
        if constexpr (std::is_floating_point_v<T>)
            return -a;
        else
            return Subtract{}(T{0}, a);
    }
};
struct Absolute {
    template <class T>
    T operator()(T a) const {
        if constexpr (std::is_floating_point_v<T>)
            return std::fabs(a);
        else
            return a < 0 ? Subtract{}(T{0}, a) : a;
    }
};

// ---- integers ---------------------------------------------------------------------------------
struct MultiplyAdd {
    template <class T>
    T operator()(T a, T b, T c) const {
        return Add{}(Multiply{}(a, b), c);
    }
};
// The upper half of a product.
struct MultiplyHigh {
    template <class T>
    T operator()(T a, T b) const {
        if constexpr (sizeof(T) < 8) {
            return static_cast<T>(
                static_cast<int64_t>(static_cast<Word>(a) * static_cast<Word>(b)) >> 8 * sizeof(T));
        } else {
            Word high = __umul64hi(static_cast<Word>(a), static_cast<Word>(b));
            if (std::is_signed_v<T> && a < 0) high -= static_cast<Word>(b);
            if (std::is_signed_v<T> && b < 0) high -= static_cast<Word>(a);
            return static_cast<T>(high);
        }
    }
};
struct MultiplyHighAdd {
    template <class T>
    T operator()(T a, T b, T c) const {
        return Add{}(MultiplyHigh{}(a, b), c);
    }
};
// A product of twice the width; mad.wide adds a third number of that width.
template <class T, bool adds>
void multiply_wide(Thread& t, const Instruction& i) {
    const auto wide = [](T x) { return static_cast<Word>(x); };  // with its sign, if it has one
    Word product = wide(t.get<T>(i[1])) * wide(t.get<T>(i[2]));
    if (adds) product += t.get<Word>(i[3]);
    if constexpr (sizeof(T) == 2)
        t.set(i[0], static_cast<uint32_t>(product));
    else
        t.set(i[0], product);
}
template <bool adds>
Step* wide_step(Type type) {
    return for_type<uint16_t, uint32_t, int16_t, int32_t>(
        type, [](auto zero) { return &multiply_wide<decltype(zero), adds>; });
}

// Numbers longer than a register: add.cc leaves its carry to addc, mad.lo.cc to madc, sub.cc its
// borrow to subc.
enum class Carried { add, subtract, multiply_low, multiply_high };
enum : int { carry_in = 1, carry_out = 2 };

template <class T, Carried operation>
void with_carry(Thread& t, const Instruction& i) {
    T a = t.get<T>(i[1]), b = t.get<T>(i[2]);
    if (operation == Carried::multiply_low || operation == Carried::multiply_high) {
        a = operation == Carried::multiply_low ? Multiply{}(a, b) : MultiplyHigh{}(a, b);
        b = t.get<T>(i[3]);
    }
    const T in = (i.number & carry_in) && t.carry ? 1 : 0;
    const bool subtracts = operation == Carried::subtract;
    const T first = subtracts ? a - b : a + b;
    const T second = subtracts ? first - in : first + in;
    if (i.number & carry_out)
        t.carry = subtracts ? b > a || in > first : first < a || second < first;
    t.set(i[0], second);
}
template <Carried operation>
Step* carried_step(Type type) {
    if (type == Type::s32) type = Type::u32;
    if (type == Type::s64) type = Type::u64;
    return for_type<uint32_t, uint64_t>(
        type, [](auto zero) { return &with_carry<decltype(zero), operation>; });
}

// ---- bits -------------------------------------------------------------------------------------
struct And {
    template <class T>
    T operator()(T a, T b) const {
        return static_cast<T>(a & b);
    }
};
struct Or {
    template <class T>
    T operator()(T a, T b) const {
        return static_cast<T>(a | b);
    }
};
struct ExclusiveOr {
    template <class T>
    T operator()(T a, T b) const {
        return static_cast<T>(a ^ b);
    }
};
struct Not {
    template <class T>
    T operator()(T a) const {
        return std::is_same_v<T, bool> ? !a : static_cast<T>(~static_cast<Word>(a));
    }
};
struct CountZeros {
    template <class T>
    uint32_t operator()(T a) const {
        return static_cast<uint32_t>(std::countl_zero(a));
    }
};
struct CountOnes {
    template <class T>
    uint32_t operator()(T a) const {
        return static_cast<uint32_t>(std::popcount(a));
    }
};
struct Reverse {
    template <class T>
    T operator()(T a) const {
        return sizeof(T) == 4 ? static_cast<T>(__brev(static_cast<uint32_t>(a))) : __brevll(a);
    }
};

// The place of the highest bit that is not the sign's, or its distance from the highest.
template <bool distance>
struct FindBit {
    template <class T>
    uint32_t operator()(T a) const {
        constexpr uint32_t width = 8 * sizeof(T);
        const auto bits = static_cast<std::make_unsigned_t<T>>(a < 0 ? ~a : a);
        const auto zeros = static_cast<uint32_t>(std::countl_zero(bits));
        return zeros == width ? ~0u : distance ? zeros : width - 1 - zeros;
    }
};
struct AddDifference {
    template <class T>
    T operator()(T a, T b, T c) const {
        return Add{}(c, a < b ? Subtract{}(b, a) : Subtract{}(a, b));
    }
};
struct ChooseBytes {
    uint32_t operator()(uint32_t a, uint32_t b, uint32_t selector) const {
        return __byte_perm(a, b, selector);
    }
};
template <auto formula>
struct Funnel {
    uint32_t operator()(uint32_t low, uint32_t high, uint32_t distance) const {
        return formula(low, high, distance);
    }
};
struct ByteProducts {
    template <class T>
    T operator()(T a, T b, T c) const {
        return __dp4a(a, b, c);
    }
};
Step* funnel_step(Opcode& opcode) {
    const bool left = opcode.take("l"), clamp = opcode.take("clamp");
    if (!left && !opcode.take("r")) return nullptr;
    if (!clamp && !opcode.take("wrap")) return nullptr;
    const Type type = opcode.take_type();
    if (left)
        return clamp ? of_types<Funnel<__funnelshift_lc>, uint32_t>(type)
                     : of_types<Funnel<__funnelshift_l>, uint32_t>(type);
    return clamp ? of_types<Funnel<__funnelshift_rc>, uint32_t>(type)
                 : of_types<Funnel<__funnelshift_r>, uint32_t>(type);
}

// Whatever the type, the distance is a u32; beyond the width all bits are gone.
template <class T, bool left>
void shift(Thread& t, const Instruction& i) {
    const T a = t.get<T>(i[1]);
    const uint32_t most = 8 * sizeof(T), distance = std::min(t.get<uint32_t>(i[2]), most);
    if (left)
        t.set(i[0], distance == most ? T{0} : wrapped<T>(static_cast<Word>(a) << distance));
    else if (distance == most)
        t.set(i[0], a < 0 ? wrapped<T>(~Word{0}) : T{0});
    else
        t.set(i[0], static_cast<T>(a >> distance));
}
template <bool left>
Step* shift_step(Type type) {
    return for_type<uint16_t, uint32_t, uint64_t, int16_t, int32_t, int64_t>(
        type, [](auto zero) { return &shift<decltype(zero), left>; });
}

// bfi d, a, b, position, length: b with the lowest bits of a in it.
template <class T>
void insert_bits(Thread& t, const Instruction& i) {
    const uint32_t width = 8 * sizeof(T), position = t.get<uint32_t>(i[3]) & 255,
                   length = std::min(t.get<uint32_t>(i[4]) & 255, width);
    Word mask = length == 64 ? ~Word{0} : (Word{1} << length) - 1;
    mask = position >= width ? 0 : mask << position;
    const Word a = position >= width ? 0 : t.get<Word>(i[1]) << position;
    t.set(i[0], static_cast<T>((a & mask) | (t.get<Word>(i[2]) & ~mask)));
}

// ---- by name ----------------------------------------------------------------------------------
Step* product_step(Opcode& opcode, Instruction& i, bool adds, bool carries) {
    if (opcode.take("wide")) {
        const Type type = opcode.take_type();
        return adds ? wide_step<true>(type) : wide_step<false>(type);
    }
    const bool high = opcode.take("hi");
    if (!high) opcode.take("lo");
    if (opcode.take("cc")) i.number |= carry_out;
    if (carries) i.number |= carry_in;
    const Type type = opcode.take_type();
    if (i.number != 0)
        return high ? carried_step<Carried::multiply_high>(type)
                    : carried_step<Carried::multiply_low>(type);
    if (high) return adds ? of_integers<MultiplyHighAdd>(type) : of_integers<MultiplyHigh>(type);
    return adds ? of_integers<MultiplyAdd>(type) : of_integers<Multiply>(type);
}

template <class F, Carried carried>
Step* sum_step(Opcode& opcode, Instruction& i, bool carries) {
    if (opcode.take("cc")) i.number |= carry_out;
    if (carries) i.number |= carry_in;
    const Type type = opcode.take_type();
    return i.number != 0 ? carried_step<carried>(type) : of_numbers<F>(type);
}

}  // namespace

Step* arithmetic_step(Opcode& opcode, Instruction& i) {
    const std::string& name = opcode.name();
    if (name == "mul" || name == "mad" || name == "madc") {
        if (Step* step = name == "mul" ? rounded_step<Multiply>(opcode) : nullptr) return step;
        if (opcode.take("rn")) return of_floats<Multiply>(opcode.take_type());
        return product_step(opcode, i, name != "mul", name == "madc");
    }
    if (name == "add" || name == "addc") {
        if (Step* step = rounded_step<Add>(opcode)) return step;
        opcode.take("rn");
        return sum_step<Add, Carried::add>(opcode, i, name == "addc");
    }
    if (name == "sub" || name == "subc") {
        if (Step* step = rounded_step<Subtract>(opcode)) return step;
        opcode.take("rn");
        return sum_step<Subtract, Carried::subtract>(opcode, i, name == "subc");
    }
    if (name == "div") {
        if (Step* step = rounded_step<Divide>(opcode)) return step;
        if (!opcode.take("rn")) opcode.take("approx");
        return of_numbers<Divide>(opcode.take_type());
    }
    if (name == "rem") return of_integers<Remainder>(opcode.take_type());
    if (name == "min") return of_numbers<Minimum>(opcode.take_type());
    if (name == "max") return of_numbers<Maximum>(opcode.take_type());
    if (name == "neg") return of_numbers<Negate>(opcode.take_type());
    if (name == "abs") return of_numbers<Absolute>(opcode.take_type());
    if (name == "and") return of_bits<And>(opcode.take_type());
    if (name == "or") return of_bits<Or>(opcode.take_type());
    if (name == "xor") return of_bits<ExclusiveOr>(opcode.take_type());
    if (name == "not") return of_bits<Not>(opcode.take_type());
    if (name == "shl") return shift_step<true>(opcode.take_type());
    if (name == "shr") return shift_step<false>(opcode.take_type());
    if (name == "clz") return of_types<CountZeros, uint32_t, uint64_t>(opcode.take_type());
    if (name == "popc") return of_types<CountOnes, uint32_t, uint64_t>(opcode.take_type());
    if (name == "brev") return of_types<Reverse, uint32_t, uint64_t>(opcode.take_type());
    if (name == "bfind") {
        const bool distance = opcode.take("shiftamt");
        const Type type = opcode.take_type();
        return distance ? of_integers<FindBit<true>>(type) : of_integers<FindBit<false>>(type);
    }
    if (name == "sad") return of_integers<AddDifference>(opcode.take_type());
    if (name == "prmt") return of_types<ChooseBytes, uint32_t>(opcode.take_type());
    if (name == "shf") return funnel_step(opcode);
    if (name == "dp4a") {
        const Type a = opcode.take_type(), b = opcode.take_type();
        return a == b ? of_types<ByteProducts, uint32_t, int32_t>(a) : nullptr;
    }
    if (name == "bfi")
        return for_type<uint32_t, uint64_t>(opcode.take_type(),
                                            [](auto zero) { return &insert_bits<decltype(zero)>; });
    return nullptr;
}

}  // namespace simt::ptx
