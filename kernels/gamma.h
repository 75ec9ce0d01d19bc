// The gamma function's logarithm, and its derivatives of every order. All are computed in double.
#pragma once

#include <cmath>

#include "kernels/trigonometry.h"

namespace tg::formula {

struct Lgamma : FloatUnary {  // log |gamma(x)|, the C library's
    static constexpr const char* name = "lgamma";
    template <class T>
    static TG_FORMULA_FN T of(T x) {
        return static_cast<T>(::lgamma(static_cast<double>(x)));
    }
};

// zeta(s, q) = q^-s + (q + 1)^-s + ..., for q > 0 and a whole s > 1: the first terms one by one,
// the rest from w on by Euler and Maclaurin,
// w^(1-s)/(s-1) + w^-s/2 + sum over j of B_2j/(2j)! s (s+1) ... (s+2j-2) w^(-s-2j+1)
TG_FORMULA_FN double hurwitz_zeta(double s, double q) {
    constexpr double bernoulli[] = {1.0 / 12,
                                    -1.0 / 720,
                                    1.0 / 30240,
                                    -1.0 / 1209600,
                                    1.0 / 47900160,
                                    -691.0 / 1307674368000,
                                    1.0 / 74724249600,
                                    -3617.0 / 10670622842880000,
                                    43867.0 / 5109094217170944000};
    const double enough = 10 + (s < 50 ? s : 50);
    double sum = 0, w = q;
    for (; w < enough; w += 1) sum += ::pow(w, -s);
    const double last = ::pow(w, -s);
    sum += last * (w / (s - 1) + 0.5);
    double term = last * s / w;
    for (int j = 0; j < 9; ++j) {
        sum += bernoulli[j] * term;
        term *= (s + 2 * j + 1) / w * ((s + 2 * j + 2) / w);
    }
    return sum;
}

// The derivative of lgamma, for x > 0: from x >= 10 on by Stirling's series
// log x - 1/(2x) - sum over j of B_2j / (2j x^2j), and digamma(x) = digamma(x + 1) - 1/x before.
TG_FORMULA_FN double digamma_of_positive(double x) {
    double sum = 0;
    for (; x < 10; x += 1) sum -= 1 / x;
    const double z = 1 / (x * x);
    double series = 1.0 / 12;
    series = series * z - 691.0 / 32760;
    series = series * z + 1.0 / 132;
    series = series * z - 1.0 / 240;
    series = series * z + 1.0 / 252;
    series = series * z - 1.0 / 120;
    series = series * z + 1.0 / 12;
    return sum + (::log(x) - 0.5 / x - series * z);
}

// The derivative of lgamma, by digamma(x) = digamma(1 - x) - pi / tan(pi x) below 0. At 0 it goes
// to both infinities: x's sign says which; at -1, -2, ... it is NaN.
TG_FORMULA_FN double digamma(double x) {
    if (x > 0) return digamma_of_positive(x);
    if (x == 0) return -1 / x;
    const double beyond = x - ::floor(x);
    if (!(beyond > 0)) return (x - x) / (x - x);
    constexpr double pi = 3.14159265358979323846;
    return digamma_of_positive(1 - x) - pi / ::tan(pi * (beyond < 0.5 ? beyond : x - ::ceil(x)));
}

// zeta(s, q) for a whole s and any q. Below 0 it is the sum of all (q + k)^-s, which is
// zeta(s, f) + (-1)^s zeta(s, 1 - f) with f what q has after the point, without those of k < 0.
TG_FORMULA_FN double hurwitz_zeta_of_any(double s, double q) {
    if (q > 0) return q < 1e300 ? hurwitz_zeta(s, q) : 0;
    const double f = q - ::floor(q), rest = ::ceil(q) - q;  // 1 - f, of which no digit is lost
    if (!(f >= 0)) return q - q;
    if (f == 0) return 1 / f;
    const double sign = ::fmod(s, 2.0) == 0 ? 1 : -1;
    return hurwitz_zeta(s, f) + sign * (hurwitz_zeta(s, rest) - hurwitz_zeta(s, 1 - q));
}

// The derivative of digamma of a whole order n: (-1)^(n+1) n! zeta(n + 1, x), and digamma itself
// for n = 0.
struct Polygamma : FloatBinary {
    static constexpr const char* name = "polygamma";
    template <class T>
    static TG_FORMULA_FN T of(T order, T x) {
        const double n = static_cast<double>(order);
        if (n == 0) return static_cast<T>(digamma(static_cast<double>(x)));
        const double sign = ::fmod(n, 2.0) == 0 ? -1 : 1;
        const double factorial = ::tgamma(n + 1);
        return static_cast<T>(sign * factorial *
                              hurwitz_zeta_of_any(n + 1, static_cast<double>(x)));
    }
};

}  // namespace tg::formula
