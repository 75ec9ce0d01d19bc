// CUDA's small functions on numbers. Those named _rn round to nearest, as plain C++ does; those
// that are fast and rough on a GPU (__expf and its kin) are as exact here as <cmath>.
#pragma once

#include <math.h>  // for isnan() and its kin, and abs() of a float, without std::

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "vector_types.h"

// ---- bits -------------------------------------------------------------------------------------
inline int __popc(unsigned x) { return std::popcount(x); }
inline int __popcll(unsigned long long x) { return std::popcount(x); }
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline int __clzll(long long x) { return std::countl_zero(static_cast<unsigned long long>(x)); }
// The position of the lowest bit that is set, counted from 1; 0 if none is.
inline int __ffs(int x) { return x == 0 ? 0 : std::countr_zero(static_cast<unsigned>(x)) + 1; }
inline int __ffsll(long long x) {
    return x == 0 ? 0 : std::countr_zero(static_cast<unsigned long long>(x)) + 1;
}
// The bits in reverse order.
inline unsigned __brev(unsigned x) {
    unsigned result = 0;
    for (int i = 0; i < 32; ++i) result |= (x >> i & 1u) << (31 - i);
    return result;
}
inline unsigned long long __brevll(unsigned long long x) {
    return static_cast<unsigned long long>(__brev(static_cast<unsigned>(x))) << 32 |
           __brev(static_cast<unsigned>(x >> 32));
}
// The upper (_l) or lower (_r) 32 bits of high:low, shifted by `shift` modulo 32.
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
    const std::uint64_t both = std::uint64_t{high} << 32 | low;
    return static_cast<unsigned>(both << (shift & 31) >> 32);
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
    const std::uint64_t both = std::uint64_t{high} << 32 | low;
    return static_cast<unsigned>(both >> (shift & 31));
}
// The same, but a shift by more than 32 is one by 32.
inline unsigned __funnelshift_lc(unsigned low, unsigned high, unsigned shift) {
    return shift < 32 ? __funnelshift_l(low, high, shift) : low;
}
inline unsigned __funnelshift_rc(unsigned low, unsigned high, unsigned shift) {
    return shift < 32 ? __funnelshift_r(low, high, shift) : high;
}
// Four bytes of b:a, each chosen by 4 bits of `selector`: 0 is a's lowest, 7 b's highest.
inline unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
    const std::uint64_t both = std::uint64_t{b} << 32 | a;
    unsigned result = 0;
    for (unsigned i = 0; i < 4; ++i) {
        const unsigned choice = selector >> 4 * i & 15;
        unsigned byte = static_cast<unsigned>(both >> 8 * (choice & 7)) & 255;
        if (choice & 8) byte = byte & 128 ? 255 : 0;  // only its sign, eight times
        result |= byte << 8 * i;
    }
    return result;
}
// The upper half of a product.
inline unsigned __umulhi(unsigned a, unsigned b) {
    return static_cast<unsigned>(std::uint64_t{a} * b >> 32);
}
inline int __mulhi(int a, int b) { return static_cast<int>(std::int64_t{a} * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    const std::uint64_t half = 0xffffffff;
    const std::uint64_t low = (a & half) * (b & half),
                        middle = (a >> 32) * (b & half) + (low >> 32);
    const std::uint64_t other = (a & half) * (b >> 32) + (middle & half);
    return (a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32);
}

inline long long __mul64hi(long long a, long long b) {
    const auto high =
        __umul64hi(static_cast<unsigned long long>(a), static_cast<unsigned long long>(b));
    return static_cast<long long>(high) - (a < 0 ? b : 0) - (b < 0 ? a : 0);
}
inline int __mul24(int a, int b) {  // of the lower 24 bits, with their sign
    const std::int64_t x = a << 8 >> 8, y = b << 8 >> 8;
    return static_cast<int>(x * y);
}
inline unsigned __umul24(unsigned a, unsigned b) { return (a & 0xffffff) * (b & 0xffffff); }
// The mean of two, rounded down, or (_r) up, without overflow; and |a - b| + c.
inline int __hadd(int a, int b) { return static_cast<int>((std::int64_t{a} + b) >> 1); }
inline int __rhadd(int a, int b) { return static_cast<int>((std::int64_t{a} + b + 1) >> 1); }
inline unsigned __uhadd(unsigned a, unsigned b) {
    return static_cast<unsigned>((std::uint64_t{a} + b) >> 1);
}
inline unsigned __urhadd(unsigned a, unsigned b) {
    return static_cast<unsigned>((std::uint64_t{a} + b + 1) >> 1);
}
inline unsigned __sad(int a, int b, unsigned c) {
    return static_cast<unsigned>(a < b ? std::int64_t{b} - a : std::int64_t{a} - b) + c;
}
inline unsigned __usad(unsigned a, unsigned b, unsigned c) { return (a < b ? b - a : a - b) + c; }

// c and the products of four bytes (dp2a: of a's two halves with the lower or upper two bytes of
// b).
inline int __dp4a(char4 a, char4 b, int c) {
    const int sum = a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
    return static_cast<int>(static_cast<unsigned>(sum) + static_cast<unsigned>(c));  // wraps
}
inline unsigned __dp4a(uchar4 a, uchar4 b, unsigned c) {
    return static_cast<unsigned>(a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w) + c;
}
inline int __dp4a(int a, int b, int c) {
    return __dp4a(std::bit_cast<char4>(a), std::bit_cast<char4>(b), c);
}
inline unsigned __dp4a(unsigned a, unsigned b, unsigned c) {
    return __dp4a(std::bit_cast<uchar4>(a), std::bit_cast<uchar4>(b), c);
}
inline int __dp2a_lo(short2 a, char4 b, int c) {
    const std::int64_t sum = std::int64_t{a.x} * b.x + std::int64_t{a.y} * b.y + c;
    return static_cast<int>(sum);
}
inline unsigned __dp2a_lo(ushort2 a, uchar4 b, unsigned c) {
    return unsigned{a.x} * b.x + unsigned{a.y} * b.y + c;
}
inline int __dp2a_hi(short2 a, char4 b, int c) { return __dp2a_lo(a, {b.z, b.w, 0, 0}, c); }
inline unsigned __dp2a_hi(ushort2 a, uchar4 b, unsigned c) {
    return __dp2a_lo(a, {b.z, b.w, 0, 0}, c);
}
inline int __dp2a_lo(int a, int b, int c) {
    return __dp2a_lo(std::bit_cast<short2>(a), std::bit_cast<char4>(b), c);
}
inline unsigned __dp2a_lo(unsigned a, unsigned b, unsigned c) {
    return __dp2a_lo(std::bit_cast<ushort2>(a), std::bit_cast<uchar4>(b), c);
}
inline int __dp2a_hi(int a, int b, int c) {
    return __dp2a_hi(std::bit_cast<short2>(a), std::bit_cast<char4>(b), c);
}
inline unsigned __dp2a_hi(unsigned a, unsigned b, unsigned c) {
    return __dp2a_hi(std::bit_cast<ushort2>(a), std::bit_cast<uchar4>(b), c);
}

// ---- the same bits as another type ------------------------------------------------------------
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline long long __double_as_longlong(double x) { return std::bit_cast<long long>(x); }
inline double __longlong_as_double(long long x) { return std::bit_cast<double>(x); }
inline double __hiloint2double(int high, int low) {
    const std::uint64_t upper = static_cast<unsigned>(high), lower = static_cast<unsigned>(low);
    return std::bit_cast<double>(upper << 32 | lower);
}
inline int __double2hiint(double x) {
    return static_cast<int>(std::bit_cast<std::uint64_t>(x) >> 32);
}
inline int __double2loint(double x) { return static_cast<int>(std::bit_cast<std::uint64_t>(x)); }

// ---- arithmetic rounded once, never fused with its neighbours ---------------------------------
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __fsqrt_rn(float a) { return std::sqrt(a); }
inline float __frcp_rn(float a) { return 1.0f / a; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
inline double __dsqrt_rn(double a) { return std::sqrt(a); }
inline double __drcp_rn(double a) { return 1.0 / a; }

// ---- numbers of another type ------------------------------------------------------------------
namespace simt {
// What has no place in To becomes the nearest that has; NaN is 0.
template <class To, class From>
To saturated(From x) {
    constexpr To least = std::numeric_limits<To>::min(), most = std::numeric_limits<To>::max();
    if (!(x == x)) return 0;
    if (x <= static_cast<From>(least)) return least;
    if (x >= static_cast<From>(most)) return most;
    return static_cast<To>(x);
}
}  // namespace simt
// _rn rounds to the nearest, a tie to the even one; _rz towards 0, _rd down, _ru up.
#define SIMT_TO_INTEGER(from, word, To)                                                         \
    inline To __##from##2##word##_rn(from x) { return simt::saturated<To>(std::nearbyint(x)); } \
    inline To __##from##2##word##_rz(from x) { return simt::saturated<To>(std::trunc(x)); }     \
    inline To __##from##2##word##_rd(from x) { return simt::saturated<To>(std::floor(x)); }     \
    inline To __##from##2##word##_ru(from x) { return simt::saturated<To>(std::ceil(x)); }
SIMT_TO_INTEGER(float, int, int)
SIMT_TO_INTEGER(float, uint, unsigned)
SIMT_TO_INTEGER(float, ll, long long)
SIMT_TO_INTEGER(float, ull, unsigned long long)
SIMT_TO_INTEGER(double, int, int)
SIMT_TO_INTEGER(double, uint, unsigned)
SIMT_TO_INTEGER(double, ll, long long)
SIMT_TO_INTEGER(double, ull, unsigned long long)
#undef SIMT_TO_INTEGER
inline float __int2float_rn(int x) { return static_cast<float>(x); }
inline float __uint2float_rn(unsigned x) { return static_cast<float>(x); }
inline float __ll2float_rn(long long x) { return static_cast<float>(x); }
inline float __ull2float_rn(unsigned long long x) { return static_cast<float>(x); }
inline double __int2double_rn(int x) { return x; }
inline double __uint2double_rn(unsigned x) { return x; }
inline double __ll2double_rn(long long x) { return static_cast<double>(x); }
inline double __ull2double_rn(unsigned long long x) { return static_cast<double>(x); }
inline float __double2float_rn(double x) { return static_cast<float>(x); }

// ---- fast on a GPU ----------------------------------------------------------------------------
namespace simt {
inline void sine_and_cosine(float x, float* sine, float* cosine) {
    *sine = std::sin(x);
    *cosine = std::cos(x);
}
}  // namespace simt
// Macros, because some C libraries declare functions of these names.
#define __expf(x) std::exp(static_cast<float>(x))
#define __exp10f(x) std::pow(10.0f, static_cast<float>(x))
#define __logf(x) std::log(static_cast<float>(x))
#define __log2f(x) std::log2(static_cast<float>(x))
#define __log10f(x) std::log10(static_cast<float>(x))
#define __sinf(x) std::sin(static_cast<float>(x))
#define __cosf(x) std::cos(static_cast<float>(x))
#define __tanf(x) std::tan(static_cast<float>(x))
#define __powf(x, y) std::pow(static_cast<float>(x), static_cast<float>(y))
#define __sincosf(x, sine, cosine) ::simt::sine_and_cosine(x, sine, cosine)
inline float __fdividef(float a, float b) { return a / b; }
inline float fdividef(float a, float b) { return a / b; }
inline float __saturatef(float x) { return x > 0 ? (x < 1 ? x : 1.0f) : 0.0f; }
inline float __frsqrt_rn(float x) { return static_cast<float>(1.0 / std::sqrt(double{x})); }

// The smaller and the larger of two numbers; if one is NaN, the other.
template <class A, class B>
requires std::is_arithmetic_v<A> && std::is_arithmetic_v<B>
auto min(A a, B b) {
    using T = std::common_type_t<A, B>;
    if constexpr (std::is_floating_point_v<T>)
        return std::fmin(static_cast<T>(a), static_cast<T>(b));
    else
        return static_cast<T>(a) < static_cast<T>(b) ? static_cast<T>(a) : static_cast<T>(b);
}
template <class A, class B>
requires std::is_arithmetic_v<A> && std::is_arithmetic_v<B>
auto max(A a, B b) {
    using T = std::common_type_t<A, B>;
    if constexpr (std::is_floating_point_v<T>)
        return std::fmax(static_cast<T>(a), static_cast<T>(b));
    else
        return static_cast<T>(a) > static_cast<T>(b) ? static_cast<T>(a) : static_cast<T>(b);
}

// The same by C's names.
inline unsigned umin(unsigned a, unsigned b) { return min(a, b); }
inline unsigned umax(unsigned a, unsigned b) { return max(a, b); }
inline long long llmin(long long a, long long b) { return min(a, b); }
inline long long llmax(long long a, long long b) { return max(a, b); }
inline unsigned long long ullmin(unsigned long long a, unsigned long long b) { return min(a, b); }
inline unsigned long long ullmax(unsigned long long a, unsigned long long b) { return max(a, b); }

// ---- loads and stores with advice for the caches ----------------------------------------------
#define SIMT_LOAD(name)        \
    template <class T>         \
    T name(const T* address) { \
        return *address;       \
    }
SIMT_LOAD(__ldg)
SIMT_LOAD(__ldca)
SIMT_LOAD(__ldcg)
SIMT_LOAD(__ldcs)
SIMT_LOAD(__ldcv)
SIMT_LOAD(__ldlu)
#undef SIMT_LOAD
#define SIMT_STORE(name)                                   \
    template <class T>                                     \
    void name(T* address, std::type_identity_t<T> value) { \
        *address = value;                                  \
    }
SIMT_STORE(__stcg)
SIMT_STORE(__stcs)
SIMT_STORE(__stwb)
SIMT_STORE(__stwt)
#undef SIMT_STORE
