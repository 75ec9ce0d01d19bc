// CUDA's functions on numbers that <cmath> lacks, as exact as what they call there. Those named ..f
// are computed as double, then rounded.
#pragma once

#include <cmath>
#include <concepts>
#include <limits>
#include <numbers>

namespace simt {

// ---- of multiples of pi -----------------------------------------------------------------------
// What is left of x behind whole turns is exact; its sine by the nearer of two zeros.
inline double sine_of_half_turns(double x) {
    const double turned = std::remainder(x, 2.0), size = std::fabs(turned);
    const double least = size > 0.5 ? 1.0 - size : size;
    const double sine = least > 0.25 ? std::cos(std::numbers::pi * (0.5 - least))
                                     : std::sin(std::numbers::pi * least);
    return std::copysign(sine, least == 0 ? x : turned);
}
inline double cosine_of_half_turns(double x) {
    const double size = std::fabs(std::remainder(x, 2.0));
    if (size < 0.25) return std::cos(std::numbers::pi * size);
    if (size > 0.75) return -std::cos(std::numbers::pi * (1.0 - size));
    return std::sin(std::numbers::pi * (0.5 - size));
}

// ---- of erf -----------------------------------------------------------------------------------
// The y whose erfc is z: for 0 < z < 0.5 a rough formula, then Halley's steps, each of which leaves
// about the cube of the error. [Press et al., Numerical Recipes, 6.2.2]
inline double inverse_erfc_of_small(double z) {
    const double t = std::sqrt(-2.0 * (std::log(z) - std::numbers::ln2));
    double y = t - (2.30753 + t * 0.27061) / (1.0 + t * (0.99229 + t * 0.04481));
    y /= std::numbers::sqrt2;
    for (int step = 0; step < 3; ++step) {
        const double error = std::erfc(y) - z;
        const double slope = 2.0 * std::numbers::inv_sqrtpi * std::exp(-y * y);
        if (slope < std::numeric_limits<double>::min()) break;  // z, too, is hardly a number
        y += error / (slope - y * error);
    }
    return y;
}
inline double inverse_erf(double x) {
    if (!(std::fabs(x) < 1.0))
        return std::fabs(x) == 1.0 ? std::copysign(std::numeric_limits<double>::infinity(), x)
                                   : std::numeric_limits<double>::quiet_NaN();
    if (std::fabs(x) > 0.5) return std::copysign(inverse_erfc_of_small(1.0 - std::fabs(x)), x);
    double y = x / (2.0 * std::numbers::inv_sqrtpi);
    for (int step = 0; step < 3; ++step) {
        const double error = std::erf(y) - x;
        y -= error / (2.0 * std::numbers::inv_sqrtpi * std::exp(-y * y) + y * error);
    }
    return y;
}
inline double inverse_erfc(double z) {
    if (!(z > 0.0 && z < 0.5))
        return z == 0.0 ? std::numeric_limits<double>::infinity() : inverse_erf(1.0 - z);
    return inverse_erfc_of_small(z);
}
// exp(x * x) * erfc(x): exp of the rounded square, and of what the rounding left; where erfc is
// small, a series in 1 / x^2.
inline double scaled_erfc(double x) {
    if (x < -30.0) return std::numeric_limits<double>::infinity();
    if (x > 10.0) {
        const double ratio = 0.5 / x / x;
        double term = 1.0, sum = 1.0;
        for (int n = 1; n < 12; ++n) sum += term *= -(2 * n - 1) * ratio;
        return std::numbers::inv_sqrtpi / x * sum;
    }
    const double square = x * x, left = std::fma(x, x, -square);
    const double value = std::exp(square) * std::erfc(x);
    return std::isinf(value) ? value : value + value * left;
}
// erfc(-x / sqrt(2)) / 2; where erfc is steep, what the quotient lost counts.
inline double normal_below(double x) {
    constexpr double root = 0.7071067811865476, left_of_root = -4.8336466567264567e-17;
    const double at = -x * root;
    const double left = std::isinf(at) ? 0.0 : std::fma(-x, root, -at) - x * left_of_root;
    const double slope = -2.0 * std::numbers::inv_sqrtpi * std::exp(-at * at);
    return (std::erfc(at) + slope * left) / 2.0;
}
inline double inverse_normal_below(double p) {
    return -std::numbers::sqrt2 * inverse_erfc(2.0 * p);
}

// ---- lengths ----------------------------------------------------------------------------------
// hypot neither overflows on the way nor takes an infinite length for NaN.
template <std::same_as<double>... T>
double length(T... x) {
    double all = 0.0;
    ((all = std::hypot(all, x)), ...);
    return all;
}
template <class T>
double length_of(int count, const T* x) {
    double all = 0.0;
    for (int i = 0; i < count; ++i) all = std::hypot(all, double{x[i]});
    return all;
}

inline double inverse_root(double x) { return 1.0 / std::sqrt(x); }
inline double inverse_cube_root(double x) { return 1.0 / std::cbrt(x); }

}  // namespace simt

// ---- by CUDA's names --------------------------------------------------------------------------
// Templates, because some C libraries declare functions of these names, which then are taken.
#define SIMT_FUNCTION(name, formula)                 \
    template <std::floating_point T>                 \
    T name(T x) {                                    \
        return static_cast<T>(simt::formula(x));     \
    }                                                \
    template <class = void>                          \
    float name##f(float x) {                         \
        return static_cast<float>(simt::formula(x)); \
    }
SIMT_FUNCTION(sinpi, sine_of_half_turns)
SIMT_FUNCTION(cospi, cosine_of_half_turns)
SIMT_FUNCTION(erfinv, inverse_erf)
SIMT_FUNCTION(erfcinv, inverse_erfc)
SIMT_FUNCTION(erfcx, scaled_erfc)
SIMT_FUNCTION(normcdf, normal_below)
SIMT_FUNCTION(normcdfinv, inverse_normal_below)
SIMT_FUNCTION(rsqrt, inverse_root)
SIMT_FUNCTION(rcbrt, inverse_cube_root)
#undef SIMT_FUNCTION

template <class = void>
void sincospi(double x, double* sine, double* cosine) {
    *sine = sinpi(x);
    *cosine = cospi(x);
}
template <class = void>
void sincospif(float x, float* sine, float* cosine) {
    *sine = sinpif(x);
    *cosine = cospif(x);
}

inline double norm3d(double a, double b, double c) { return simt::length(a, b, c); }
inline double norm4d(double a, double b, double c, double d) { return simt::length(a, b, c, d); }
inline double rhypot(double a, double b) { return 1.0 / simt::length(a, b); }
inline double rnorm3d(double a, double b, double c) { return 1.0 / simt::length(a, b, c); }
inline double rnorm4d(double a, double b, double c, double d) {
    return 1.0 / simt::length(a, b, c, d);
}
inline double norm(int count, const double* x) { return simt::length_of(count, x); }
inline double rnorm(int count, const double* x) { return 1.0 / simt::length_of(count, x); }

inline float norm3df(float a, float b, float c) { return static_cast<float>(norm3d(a, b, c)); }
inline float norm4df(float a, float b, float c, float d) {
    return static_cast<float>(norm4d(a, b, c, d));
}
inline float rhypotf(float a, float b) { return static_cast<float>(rhypot(a, b)); }
inline float rnorm3df(float a, float b, float c) { return static_cast<float>(rnorm3d(a, b, c)); }
inline float rnorm4df(float a, float b, float c, float d) {
    return static_cast<float>(rnorm4d(a, b, c, d));
}
inline float normf(int count, const float* x) {
    return static_cast<float>(simt::length_of(count, x));
}
inline float rnormf(int count, const float* x) {
    return static_cast<float>(1.0 / simt::length_of(count, x));
}
