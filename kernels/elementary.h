// The elementary functions: exp, log, tanh and pow, our own. They have no branches, so that a loop
// over them runs in vectors; each is within 2 ulp, in float and in double, and right at 0, at the
// infinities, at NaN and where results are denormal. Read next: math.h, the formulas.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

// nvcc needs to be told that a function runs on both sides. On the CPU each level of the processor
// compiles these anew, so no copy may be left for the linker to share between levels: hence always.
#if defined(__CUDACC__)
#define TG_FORMULA_FN __host__ __device__ __forceinline__
#else
#define TG_FORMULA_FN __attribute__((always_inline)) inline
#endif

namespace tg::formula {

// ---- types ------------------------------------------------------------------------------------
template <class A, class B>
constexpr bool same = false;
template <class A>
constexpr bool same<A, A> = true;
template <class T>
constexpr bool is_float = same<T, float> || same<T, double>;

// The unsigned integer of the same size: the bits of a float; integers that wrap on overflow.
template <int bytes>
struct UnsignedOf;
template <>
struct UnsignedOf<1> {
    using Type = std::uint8_t;
};
template <>
struct UnsignedOf<2> {
    using Type = std::uint16_t;
};
template <>
struct UnsignedOf<4> {
    using Type = std::uint32_t;
};
template <>
struct UnsignedOf<8> {
    using Type = std::uint64_t;
};
template <class T>
using Unsigned = typename UnsignedOf<sizeof(T)>::Type;

// How a float of type T is laid out, and two constants for rounding by addition: x + round_magic
// has no bits left for a fraction, so (x + round_magic) - round_magic is x rounded to nearest.
template <class T>
struct Layout;
template <>
struct Layout<float> {
    static constexpr int fraction_bits = 23;
    static constexpr float bias = 127, round_magic = 0x1.8p23f, integer_magic = 0x1p23f;
    static constexpr float smallest_normal = 0x1p-126f, log2_e = 0x1.715476p0f;
    // ln 2 in two parts; the first has so few bits that n times it is exact for any exponent n
    static constexpr float ln2_high = 0.693145751953125f, ln2_low = 1.42860682e-6f;
    static constexpr float exp_low = -105, exp_high = 89;  // beyond: 0 and infinity
};
template <>
struct Layout<double> {
    static constexpr int fraction_bits = 52;
    static constexpr double bias = 1023, round_magic = 0x1.8p52, integer_magic = 0x1p52;
    static constexpr double smallest_normal = 0x1p-1022, log2_e = 0x1.71547652b82fep0;
    static constexpr double ln2_high = 0.69314718055920820912, ln2_low = 7.3710025651677989e-13;
    static constexpr double exp_low = -746, exp_high = 710;
};

template <class T>
TG_FORMULA_FN Unsigned<T> bits_of(T x) {
    return __builtin_bit_cast(Unsigned<T>, x);
}

template <class T>
TG_FORMULA_FN T float_of(Unsigned<T> bits) {
    return __builtin_bit_cast(T, bits);
}

template <class T>
TG_FORMULA_FN T magnitude(T x) {
    return float_of<T>(bits_of(x) & (~Unsigned<T>{0} >> 1));
}

template <class T>
TG_FORMULA_FN T with_sign_of(T x, T sign) {
    constexpr Unsigned<T> rest = ~Unsigned<T>{0} >> 1;
    return float_of<T>((bits_of(x) & rest) | (bits_of(sign) & static_cast<Unsigned<T>>(~rest)));
}

// x to the nearest integer, for |x| < 2^22 (float), 2^51 (double)
template <class T>
TG_FORMULA_FN T nearest(T x) {
    return (x + Layout<T>::round_magic) - Layout<T>::round_magic;
}

// 2^n for an integer n between the smallest and the largest normal exponent: the addition leaves
// n + bias in the low bits, the shift moves it to where the exponent lies.
template <class T>
TG_FORMULA_FN T power_of_two(T n) {
    return float_of<T>(bits_of(n + (Layout<T>::round_magic + Layout<T>::bias))
                       << Layout<T>::fraction_bits);
}

// c0 + x (c1 + x (c2 + ...))
template <class T>
TG_FORMULA_FN T horner(T, T c0) {
    return c0;
}
template <class T, class... Rest>
TG_FORMULA_FN T horner(T x, T c0, Rest... rest) {
    return c0 + x * horner(x, rest...);
}

// ---- exp, log, tanh ---------------------------------------------------------------------------
// The polynomials are near-minimax fits at Chebyshev nodes, computed in 60 digits:
//   mpmath.chebyfit(lambda r: (expm1(r) - r) / r**2, [-ln2/2, ln2/2], terms)            exp_tail
//   mpmath.chebyfit(lambda z: (2*atanh(sqrt(z))/sqrt(z) - 2) / z, [0, s*s], terms)       log_tail
//   mpmath.chebyfit(lambda z: (tanh(sqrt(z))/sqrt(z) - 1) / z, [0, .27**2], terms)     tanh_tail

// exp(r) = 1 + r + r^2 exp_tail(r) for |r| <= ln(2)/2
template <class T>
TG_FORMULA_FN T exp_tail(T r) {
    if constexpr (same<T, float>)
        return horner(r, 0.5f, 0.166665767f, 0.0416665542f, 0.00836323288f, 0.00139262508f);
    else
        return horner(r, 0.5, 0.16666666666666667, 0.041666666666623821, 0.0083333333333300382,
                      0.0013888888917367081, 0.00019841269863171556, 2.4801521057868205e-05,
                      2.7557268276905696e-06, 2.7620201591031549e-07, 2.5100472505694996e-08);
}

// 2 atanh(s) = 2 s + s z log_tail(z) with z = s^2, for |s| <= (sqrt 2 - 1) / (sqrt 2 + 1)
template <class T>
TG_FORMULA_FN T log_tail(T z) {
    if constexpr (same<T, float>)
        return horner(z, 0.666666851f, 0.399887577f, 0.295809859f);
    else
        return horner(z, 0.66666666666666697, 0.39999999999898891, 0.28571428626253838,
                      0.22222211089379496, 0.18182892432536871, 0.15331611722055008,
                      0.14617807153417325);
}

// tanh(x) = x + x z tanh_tail(z) with z = x^2, for |x| <= 0.27
template <class T>
TG_FORMULA_FN T tanh_tail(T z) {
    if constexpr (same<T, float>)
        return horner(z, -0.333333331f, 0.133332523f, -0.0539123895f, 0.0206279508f);
    else
        return horner(z, -0.33333333333333262, 0.13333333333237661, -0.053968253757950084,
                      0.021869471173873656, -0.0088625513602306767, 0.0035782275924777805,
                      -0.0013142919270060968);
}

// exp x = 2^n exp r,  n = round(x / ln 2),  r = x - n ln 2.  Two factors of about 2^(n/2), as 2^n
// alone may overflow where the result does not, and so that small results round only once.
template <class T>
TG_FORMULA_FN T exp_of(T x) {
    using L = Layout<T>;
    x = x < L::exp_low ? L::exp_low : x;  // a NaN fails both comparisons and goes through
    x = x > L::exp_high ? L::exp_high : x;
    const T n = nearest(x * L::log2_e);
    const T r = (x - n * L::ln2_high) - n * L::ln2_low;
    const T half = nearest(n * T(0.5));
    const T exp_r = T(1) + (r + r * r * exp_tail(r));
    return exp_r * power_of_two(half) * power_of_two(n - half);
}

// log x = k ln 2 + log(1 + f),  x = 2^k (1 + f),  sqrt(1/2) <= 1 + f < sqrt 2.
// With s = f / (2 + f):  log(1 + f) = 2 atanh s = f - s (f - z log_tail(z)), as 2 s = f - s f;
// f is exact and the rest is small beside it, which is where the accuracy comes from.
template <class T>
TG_FORMULA_FN T log_of(T x) {
    using L = Layout<T>;
    using U = Unsigned<T>;
    constexpr U half_root = __builtin_bit_cast(U, static_cast<T>(0.70710678118654752));
    constexpr U one = __builtin_bit_cast(U, T(1));
    constexpr T denormal_scale = same<T, float> ? T(0x1p25) : T(0x1p54);
    const bool denormal = x < L::smallest_normal;
    const T normal = denormal ? x * denormal_scale : x;
    const U shifted = bits_of(normal) + (one - half_root);
    const U biased = shifted >> L::fraction_bits;
    // a small integer becomes a float by being put into the low bits of 2^fraction_bits
    const T exponent = float_of<T>(biased | bits_of(L::integer_magic)) - L::integer_magic;
    const T k = exponent - (L::bias + (denormal ? (same<T, float> ? T(25) : T(54)) : T(0)));
    constexpr U fraction = (U{1} << L::fraction_bits) - 1;
    const T f = float_of<T>((shifted & fraction) + half_root) - T(1);
    const T s = f / (T(2) + f), z = s * s;
    const T y = k * L::ln2_high + (f - (s * (f - z * log_tail(z)) - k * L::ln2_low));
    constexpr T infinity = static_cast<T>(__builtin_inf());
    const T finite = x < infinity ? y : x;  // infinity and NaN are their own logarithms
    const T positive = x < T(0) ? static_cast<T>(__builtin_nan("")) : finite;
    return x == T(0) ? -infinity : positive;
}

// tanh x = e / (e + 2) with e = exp(2|x|) - 1 = 2^n (exp(r) - 1) + (2^n - 1); below 0.27, where
// the division would cost a third ulp, a polynomial. From |x| = 20 on (10 in float) the result
// is 1.
template <class T>
TG_FORMULA_FN T tanh_of(T x) {
    using L = Layout<T>;
    constexpr T flat = same<T, float> ? T(10) : T(20);
    const T size = magnitude(x), z = size * size;
    const T small = size + size * z * tanh_tail(z);
    const T twice = T(2) * (size > flat ? flat : size);
    const T n = nearest(twice * L::log2_e);
    const T r = (twice - n * L::ln2_high) - n * L::ln2_low;
    const T scale = power_of_two(n);
    const T e = scale * (r + r * r * exp_tail(r)) + (scale - T(1));
    return with_sign_of(size < T(0.27) ? small : e / (e + T(2)), x);
}

// e^x - 1. Near 0 as in tanh, so that no digits cancel; beyond 30 the 1 is lost anyway.
template <class T>
TG_FORMULA_FN T expm1_of(T x) {
    using L = Layout<T>;
    const T near = x > T(30) ? T(30) : (x < T(-40) ? T(-40) : x);
    const T n = nearest(near * L::log2_e);
    const T r = (near - n * L::ln2_high) - n * L::ln2_low;
    const T scale = power_of_two(n);
    const T small = scale * (r + r * r * exp_tail(r)) + (scale - T(1));
    return x > T(30) ? exp_of(x) - T(1) : (x == T(0) ? x : small);
}

// log(1 + x) = log u + (x - (u - 1)) / u with u = 1 + x rounded: the second term puts back what
// the rounding took.
template <class T>
TG_FORMULA_FN T log1p_of(T x) {
    const T u = T(1) + x;
    const T lost = x - (u - T(1));
    const T y = log_of(u) + lost / u;
    constexpr T infinity = static_cast<T>(__builtin_inf());
    return ((x == T(0)) | (x == infinity)) ? x : (u == T(0) ? -infinity : y);
}

// 1 / (1 + e^-x), of e^-|x| so that nothing overflows. The last line takes off what 1 + e lost.
template <class T>
TG_FORMULA_FN T sigmoid_of(T x) {
    const T e = exp_of(-magnitude(x));
    const T sum = T(1) + e, lost = e - (sum - T(1));
    const T y = (x < T(0) ? e : T(1)) / sum;
    return y - y * (lost / sum);
}

// ---- casts ------------------------------------------------------------------------------------
// A float to an integer truncates; out of range it saturates, and NaN is 0. Integers wrap. To bool:
// is it not 0? (A cast in C++ has no defined result out of range: hence the two comparisons.)
template <class To, class From>
TG_FORMULA_FN To convert(From x) {
    if constexpr (same<To, bool>) {
        return x != From(0);
    } else if constexpr (is_float<From> && !is_float<To>) {
        using Wide = std::conditional_t<(sizeof(To) < 4), std::int32_t, To>;
        constexpr int bits = sizeof(To) * 8 - (static_cast<To>(-1) < To(0) ? 1 : 0);
        constexpr To largest = static_cast<To>(~std::uint64_t{0} >> (64 - bits));
        constexpr To smallest = static_cast<To>(static_cast<To>(-1) < To(0) ? -largest - 1 : 0);
        // the first float above the range: 2^bits
        constexpr From above = static_cast<From>(std::uint64_t{1} << (bits - 1)) * From(2);
        const bool inside = (x > static_cast<From>(smallest) - From(1)) & (x < above);
        const bool low = x <= static_cast<From>(smallest);
        const To edge = low ? smallest : (x >= above ? largest : To(0));
        const To inner = static_cast<To>(static_cast<Wide>((inside & !low) ? x : From(0)));
        return (inside & !low) ? inner : edge;
    } else {
        return static_cast<To>(x);
    }
}

// ---- powers -----------------------------------------------------------------------------------
// x^y in float: exp(y log|x|) in double, whose 29 spare bits outlast the product, and then the
// cases that C's pow fixes: x^0 = 1^y = 1, the sign of an odd power, NaN for roots of negatives.
TG_FORMULA_FN float float_power(float x, float y) {
    const double a = magnitude(static_cast<double>(x)), b = y;
    const double size = exp_of(b * log_of(a));
    const bool huge = magnitude(b) >= 0x1p24;  // such a float is an even integer; so is infinity
    const bool integer = huge | (nearest(b) == b);
    const bool odd = (!huge) & integer & (nearest(b * 0.5) != b * 0.5);
    const bool root = (x < 0) & (a < __builtin_inf()) & !integer;
    const double signed_size = odd ? with_sign_of(size, static_cast<double>(x)) : size;
    const double power = root ? __builtin_nan("") : signed_size;
    const bool one = (y == 0) | (x == 1) | ((a == 1) & (magnitude(b) == __builtin_inf()));
    return static_cast<float>(one ? 1.0 : power);
}

// x^y for integers by repeated squaring, wrapping; as in PyTorch, a negative y gives 1 and -1 for
// x of 1 and -1, else 0.
template <class T>
TG_FORMULA_FN T integer_power(T x, T y) {
    using U = Unsigned<T>;
    if (y < 0) {
        if (x == 1) return x;
        return x == static_cast<T>(-1) ? static_cast<T>(y % 2 == 0 ? 1 : -1) : T(0);
    }
    U result = 1, square = static_cast<U>(x);
    for (U left = static_cast<U>(y); left != 0; left = static_cast<U>(left >> 1)) {
        if (left & 1) result = static_cast<U>(result * square);
        square = static_cast<U>(square * square);
    }
    return static_cast<T>(result);
}

}  // namespace tg::formula
