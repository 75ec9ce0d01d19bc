// float16 and bfloat16: numbers of two bytes, stored only. Whoever computes with them widens them
// to float32, which is exact, and rounds the result to the nearest, of two equally near to the
// even.
//
//              sign  exponent  fraction   largest    digits
//   float16      1       5        10      65504      3.3
//   bfloat16     1       8         7      3.4e38     2.4      the upper half of a float32
//   float32      1       8        23      3.4e38     7.2
#pragma once

#include <bit>
#include <cstdint>

#include "kernels/elementary.h"

namespace tg::formula {

struct Float16 {
    std::uint16_t bits;
};
struct BFloat16 {
    std::uint16_t bits;
};
template <class T>
constexpr bool is_low = same<T, Float16> || same<T, BFloat16>;

TG_FORMULA_FN std::uint32_t bits_of(float x) { return __builtin_bit_cast(std::uint32_t, x); }
TG_FORMULA_FN float float_of(std::uint32_t bits) { return __builtin_bit_cast(float, bits); }

TG_FORMULA_FN float widen(BFloat16 x) { return float_of(static_cast<std::uint32_t>(x.bits) << 16); }

// The exponent's bias is 15 where float32's is 127: moved to its place, the number is 2^112 too
// small, which a product mends, in numbers below the normal range too.
TG_FORMULA_FN float widen(Float16 x) {
    const std::uint32_t size = (x.bits & 0x7fffu) << 13;
    const std::uint32_t sign = (x.bits & 0x8000u) << 16;
    const std::uint32_t finite = bits_of(float_of(size) * 0x1p112f);
    const bool special = size >= 0x0f800000u;  // infinity or NaN
    return float_of((special ? size | 0x7f800000u : finite) | sign);
}

template <class Low>
TG_FORMULA_FN Low narrow(float x);

// Adding just under half of the last place that stays, and one more if that place is odd, carries
// into it exactly where it must be rounded up.
template <>
TG_FORMULA_FN BFloat16 narrow<BFloat16>(float x) {
    const std::uint32_t bits = bits_of(x);
    const std::uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    const std::uint32_t nan = (bits >> 16) | 0x40u;
    return {static_cast<std::uint16_t>(x != x ? nan : rounded)};
}

// Below 2^-14 the places are fixed, 2^-24 each: adding 0.5, whose float32 has just these places,
// lets the processor round. Above, as bfloat16.
template <>
TG_FORMULA_FN Float16 narrow<Float16>(float x) {
    const std::uint32_t sign = (bits_of(x) >> 16) & 0x8000u;
    const std::uint32_t size = bits_of(x) & 0x7fffffffu;
    const std::uint32_t small = bits_of(float_of(size) + 0.5f) - bits_of(0.5f);
    const std::uint32_t normal = (size - 0x38000000u + 0x0fffu + ((size >> 13) & 1u)) >> 13;
    const std::uint32_t finite = size < 0x38800000u ? small : normal;
    const std::uint32_t inside = size >= 0x47800000u ? 0x7c00u : finite;  // 2^16 and above
    return {static_cast<std::uint16_t>((x != x ? 0x7e00u : inside) | sign)};
}

// A cast to or from low precision goes by way of float32; within one type it keeps the bits.
template <class To, class From>
TG_FORMULA_FN To converted(From x) {
    if constexpr (same<To, From>)
        return x;
    else if constexpr (is_low<From>)
        return converted<To>(widen(x));
    else if constexpr (is_low<To>)
        return narrow<To>(static_cast<float>(x));
    else
        return convert<To>(x);
}

}  // namespace tg::formula
