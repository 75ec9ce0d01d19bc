// Angles, hyperbolas, and functions made of logarithms and signs. Inputs broadcast; dtypes promote.
#pragma once

#include <optional>

#include "core/apply.h"

namespace tg {

// ---- angles and hyperbolas: core/ops/trigonometry.cc --------------------------------------------
// Of radians; integers become floating.
Tensor tan(const Arg& x);
Tensor asin(const Arg& x);
Tensor acos(const Arg& x);
Tensor atan(const Arg& x);
Tensor atan2(const Arg& a, const Arg& b);  // the angle of the point (b, a), in [-pi, pi]
Tensor sinh(const Arg& x);
Tensor cosh(const Arg& x);
Tensor asinh(const Arg& x);
Tensor acosh(const Arg& x);
Tensor atanh(const Arg& x);
Tensor exp2(const Arg& x);                    // 2^x
Tensor hypot(const Arg& a, const Arg& b);     // sqrt(a^2 + b^2), of floats
Tensor copysign(const Arg& a, const Arg& b);  // |a| with b's sign

// ---- functions of logarithms and signs: core/ops/special.cc -------------------------------------
Tensor frac(const Arg& x);                      // x - trunc(x), of floats
Tensor signbit(const Arg& x);                   // bool: below 0, or -0
Tensor sinc(const Arg& x);                      // sin(pi x) / (pi x), and 1 at 0
Tensor rad2deg(const Arg& x);                   // 180 / pi x
Tensor deg2rad(const Arg& x);                   // pi / 180 x
Tensor logaddexp(const Arg& a, const Arg& b);   // log(e^a + e^b), of floats
Tensor logaddexp2(const Arg& a, const Arg& b);  // log2(2^a + 2^b), of floats
Tensor fmax(const Arg& a, const Arg& b);        // maximum, but of a NaN and a number the number
Tensor fmin(const Arg& a, const Arg& b);        // minimum, likewise
Tensor isposinf(const Arg& x);                  // bool
Tensor isneginf(const Arg& x);                  // bool
Tensor ldexp(const Arg& a, const Arg& b);       // a 2^b
// log(x / (1 - x)), of x kept within [eps, 1 - eps] if eps is given
Tensor logit(const Arg& x, std::optional<double> eps = {});
Tensor lgamma(const Arg& x);                     // log |gamma(x)|
Tensor digamma(const Arg& x);                    // lgamma's derivative
Tensor polygamma(std::int64_t n, const Arg& x);  // digamma's derivative of order n
Tensor xlogy(const Arg& a, const Arg& b);        // a log b, and 0 where a is 0 and b no NaN
Tensor float_power(const Arg& a, const Arg& b);  // pow in float64
// 0 below 0, 1 above, `values` at 0; both of one dtype, and no gradients
Tensor heaviside(const Arg& x, const Arg& values);

}  // namespace tg
