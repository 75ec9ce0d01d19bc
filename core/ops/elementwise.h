// Ops that work element by element. Inputs broadcast; dtypes promote.
#pragma once

#include <optional>

#include "core/apply.h"

namespace tg {

// ---- elementwise: core/ops/elementwise.cc ------------------------------------------------------
// Inputs broadcast; dtypes promote. (Any shapes) -> the broadcast shape.
Tensor add(const Arg& a, const Arg& b);
Tensor add(const Arg& a, const Arg& b, const Arg& alpha);  // a + alpha b
Tensor sub(const Arg& a, const Arg& b);
Tensor sub(const Arg& a, const Arg& b, const Arg& alpha);
Tensor mul(const Arg& a, const Arg& b);
Tensor div(const Arg& a, const Arg& b);  // true division: integers become floating
Tensor pow(const Arg& a, const Arg& b);
Tensor maximum(const Arg& a, const Arg& b);
Tensor minimum(const Arg& a, const Arg& b);
Tensor neg(const Arg& x);
Tensor exp(const Arg& x);
Tensor log(const Arg& x);
Tensor tanh(const Arg& x);
Tensor sqrt(const Arg& x);
Tensor abs(const Arg& x);
Tensor sign(const Arg& x);
Tensor relu(const Arg& x);
Tensor rsqrt(const Arg& x);  // 1 / sqrt(x)
Tensor expm1(const Arg& x);  // e^x - 1, exact near 0
Tensor log1p(const Arg& x);  // ln(1 + x), exact near 0
Tensor sigmoid(const Arg& x);
Tensor sin(const Arg& x);
Tensor cos(const Arg& x);
Tensor erf(const Arg& x);
Tensor floor(const Arg& x);
Tensor ceil(const Arg& x);
Tensor round(const Arg& x);  // halves to the even integer
Tensor trunc(const Arg& x);
Tensor eq(const Arg& a, const Arg& b);  // comparisons give bool
Tensor ne(const Arg& a, const Arg& b);
Tensor lt(const Arg& a, const Arg& b);
Tensor le(const Arg& a, const Arg& b);
Tensor gt(const Arg& a, const Arg& b);
Tensor ge(const Arg& a, const Arg& b);
Tensor logical_not(const Arg& x);
Tensor where(const Arg& condition, const Arg& a, const Arg& b);  // condition bool
Tensor cast(const Arg& x, DType dtype);

// C++'s own operators. `==` compares elements, as in PyTorch.
inline Tensor operator+(const Arg& a, const Arg& b) { return add(a, b); }
inline Tensor operator-(const Arg& a, const Arg& b) { return sub(a, b); }
inline Tensor operator*(const Arg& a, const Arg& b) { return mul(a, b); }
inline Tensor operator/(const Arg& a, const Arg& b) { return div(a, b); }
inline Tensor operator-(const Arg& a) { return neg(a); }
inline Tensor operator==(const Arg& a, const Arg& b) { return eq(a, b); }
inline Tensor operator!=(const Arg& a, const Arg& b) { return ne(a, b); }
inline Tensor operator<(const Arg& a, const Arg& b) { return lt(a, b); }
inline Tensor operator<=(const Arg& a, const Arg& b) { return le(a, b); }
inline Tensor operator>(const Arg& a, const Arg& b) { return gt(a, b); }
inline Tensor operator>=(const Arg& a, const Arg& b) { return ge(a, b); }

// ---- division and bits: core/ops/division.cc ---------------------------------------------------
// Integers divided by 0 are an error; floats give NaN or infinity.
Tensor fmod(const Arg& a, const Arg& b);          // the rest, with the sign of a
Tensor remainder(const Arg& a, const Arg& b);     // the rest, with the sign of b: Python's %
Tensor floor_divide(const Arg& a, const Arg& b);  // floor(a / b): Python's //
// div, its quotient rounded by the mode: "trunc" to 0, "floor" down; integers stay integers
Tensor div_rounded(const Arg& a, const Arg& b, const std::string& mode);
// to so many digits after the point, or, below 0, before it; of floats
Tensor round(const Arg& x, std::int64_t decimals);
Tensor bitwise_and(const Arg& a, const Arg& b);  // of bools and integers
Tensor bitwise_or(const Arg& a, const Arg& b);
Tensor bitwise_xor(const Arg& a, const Arg& b);
Tensor bitwise_not(const Arg& x);
// of integers; where b is below 0 or no smaller than the number of bits, all of them are gone
Tensor bitwise_left_shift(const Arg& a, const Arg& b);
Tensor bitwise_right_shift(const Arg& a, const Arg& b);
Tensor log2(const Arg& x);
Tensor log10(const Arg& x);

// ---- more elementwise compositions: core/ops/blends.cc -----------------------------------------
Tensor lerp(const Arg& start, const Arg& end, const Arg& weight);
Tensor addcmul(const Arg& x, const Arg& a, const Arg& b, const Arg& value = 1);  // x + value a b
Tensor addcdiv(const Arg& x, const Arg& a, const Arg& b, const Arg& value = 1);  // x + value a / b
// infinities become posinf and neginf, or else the largest numbers of the dtype
Tensor nan_to_num(const Arg& x, double nan = 0, std::optional<double> posinf = {},
                  std::optional<double> neginf = {});
struct Closeness {
    double rtol = 1e-5, atol = 1e-8;
    bool equal_nan = false;
};
Tensor isclose(const Arg& a, const Arg& b, const Closeness& c = {});  // |a - b| <= atol + rtol |b|
bool allclose(const Arg& a, const Arg& b, const Closeness& c = {});
bool equal(const Arg& a, const Arg& b);  // of one shape, and with equal elements

}  // namespace tg
