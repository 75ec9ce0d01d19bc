// Angles, hyperbolas and the gamma function. Formulas: kernels/trigonometry.h, gamma.h. Above each
// rule its gradient in one line.
#include <cmath>

#include "core/ops/formula.h"

namespace tg {

namespace ops {
extern const Op polygamma;  // k, x -> y
}

namespace {

// y = tan x  =>  dx = g (1 + y^2)
void tan_gradient(Backward& n) {
    const Tensor y = n.output();
    n.give(0, mul(n.g(), add(mul(y, y), 1)));
}

// (1 - x)(1 + x), which keeps the digits of 1 - x^2 near 1
Tensor one_less_square(const Arg& x) { return mul(sub(1, x), add(x, 1)); }

// y = asin x  =>  dx = g / sqrt(1 - x^2)
void asin_gradient(Backward& n) { n.give(0, mul(n.g(), rsqrt(one_less_square(n.input(0))))); }

// y = acos x  =>  dx = -g / sqrt(1 - x^2)
void acos_gradient(Backward& n) { n.give(0, mul(neg(n.g()), rsqrt(one_less_square(n.input(0))))); }

// y = atan x  =>  dx = g / (1 + x^2)
void atan_gradient(Backward& n) {
    const Arg x = n.input(0);
    n.give(0, div(n.g(), add(mul(x, x), 1)));
}

// y = atan2(a, b), s = a^2 + b^2  =>  da = g b / s, db = -g a / s, both 0 where s is 0
void atan2_gradient(Backward& n) {
    const Arg a = n.input(0);
    const Arg b = n.input(1);
    const auto square = [](const Arg& x) -> Arg {
        if (x.is_tensor()) return mul(x, x);
        return x.scalar.as_real() * x.scalar.as_real();
    };
    const Tensor s = add(square(a), square(b));
    const Tensor share = div(n.g(), where(eq(s, 0), 1.0, s));
    if (n.wants(0)) n.give(0, mul(share, b));
    if (n.wants(1)) n.give(1, neg(mul(share, a)));
}

// y = sinh x  =>  dx = g cosh x
void sinh_gradient(Backward& n) { n.give(0, mul(n.g(), cosh(n.input(0)))); }

// y = cosh x  =>  dx = g sinh x
void cosh_gradient(Backward& n) { n.give(0, mul(n.g(), sinh(n.input(0)))); }

// y = asinh x  =>  dx = g / sqrt(x^2 + 1)
void asinh_gradient(Backward& n) {
    const Arg x = n.input(0);
    n.give(0, mul(n.g(), rsqrt(add(mul(x, x), 1))));
}

// y = acosh x  =>  dx = g / sqrt(x^2 - 1)
void acosh_gradient(Backward& n) {
    const Arg x = n.input(0);
    n.give(0, mul(n.g(), rsqrt(mul(sub(x, 1), add(x, 1)))));
}

// y = atanh x  =>  dx = g / (1 - x^2)
void atanh_gradient(Backward& n) { n.give(0, div(n.g(), one_less_square(n.input(0)))); }

// y = 2^x  =>  dx = g y ln 2
void exp2_gradient(Backward& n) { n.give(0, mul(n.g(), mul(n.output(), 0.69314718055994531))); }

// y = sqrt(a^2 + b^2)  =>  da = g a / y, db = g b / y
void hypot_gradient(Backward& n) {
    if (n.wants(0)) n.give(0, mul(n.g(), div(n.input(0), n.output())));
    if (n.wants(1)) n.give(1, mul(n.g(), div(n.input(1), n.output())));
}

// y = |a| with b's sign  =>  da = g sign(a) times b's sign, 0 where a = 0;  db = 0
void copysign_gradient(Backward& n) {
    if (n.wants(0)) {
        const Arg b = n.input(1);
        const Arg way =
            b.is_tensor() ? Arg(copysign(1.0, b)) : Arg(std::copysign(1.0, b.scalar.as_real()));
        n.give(0, mul(n.g(), mul(sign(n.input(0)), way)));
    }
    if (n.wants(1)) n.give(1, mul(n.g(), 0));
}

// y = lgamma x  =>  dx = g digamma(x)
void lgamma_gradient(Backward& n) { n.give(0, mul(n.g(), digamma(n.input(0)))); }

// y = polygamma(k, x), k a number  =>  dx = g polygamma(k + 1, x)
void polygamma_gradient(Backward& n) {
    const Arg k = n.input(0);
    const Arg next = k.is_tensor() ? Arg(add(k, 1)) : Arg(k.scalar.as_real() + 1);
    if (n.wants(1)) n.give(1, mul(n.g(), apply(ops::polygamma, {next, n.input(1)})));
}

}  // namespace

namespace ops {

constexpr Need a = Need::a;
constexpr Need b = Need::b;
constexpr Need y = Need::y;

const Op tan = elementwise<formula::Tan>(tan_gradient, {{y}});
const Op asin = elementwise<formula::Asin>(asin_gradient, {{a}});
const Op acos = elementwise<formula::Acos>(acos_gradient, {{a}});
const Op atan = elementwise<formula::Atan>(atan_gradient, {{a}});
const Op atan2 = elementwise<formula::Atan2>(atan2_gradient, {{a, b}, {a, b}});
const Op sinh = elementwise<formula::Sinh>(sinh_gradient, {{a}});
const Op cosh = elementwise<formula::Cosh>(cosh_gradient, {{a}});
const Op asinh = elementwise<formula::Asinh>(asinh_gradient, {{a}});
const Op acosh = elementwise<formula::Acosh>(acosh_gradient, {{a}});
const Op atanh = elementwise<formula::Atanh>(atanh_gradient, {{a}});
const Op exp2 = elementwise<formula::Exp2>(exp2_gradient, {{y}});
const Op hypot = elementwise<formula::Hypot>(hypot_gradient, {{a, y}, {b, y}});
const Op copysign = elementwise<formula::Copysign>(copysign_gradient, {{a, b}});
const Op lgamma = elementwise<formula::Lgamma>(lgamma_gradient, {{a}});
const Op polygamma = elementwise<formula::Polygamma>(polygamma_gradient, {{}, {a, b}});

}  // namespace ops

std::span<const Op* const> trigonometry_ops() {
    static const Op* const list[] = {&ops::tan,      &ops::asin,   &ops::acos,     &ops::atan,
                                     &ops::atan2,    &ops::sinh,   &ops::cosh,     &ops::asinh,
                                     &ops::acosh,    &ops::atanh,  &ops::exp2,     &ops::hypot,
                                     &ops::copysign, &ops::lgamma, &ops::polygamma};
    return list;
}

namespace {

void check_floats(const char* op, const Arg& x) {
    if (!is_floating(x.is_tensor() ? x.tensor.dtype() : x.scalar.dtype))
        fail(ErrorKind::unsupported, op, ": is not defined for ",
             name_of(x.is_tensor() ? x.tensor.dtype() : x.scalar.dtype), "; cast the tensor first");
}

}  // namespace

Tensor tan(const Arg& x) { return apply(ops::tan, {x}); }
Tensor asin(const Arg& x) { return apply(ops::asin, {x}); }
Tensor acos(const Arg& x) { return apply(ops::acos, {x}); }
Tensor atan(const Arg& x) { return apply(ops::atan, {x}); }
Tensor atan2(const Arg& a, const Arg& b) { return apply(ops::atan2, {a, b}); }
Tensor sinh(const Arg& x) { return apply(ops::sinh, {x}); }
Tensor cosh(const Arg& x) { return apply(ops::cosh, {x}); }
Tensor asinh(const Arg& x) { return apply(ops::asinh, {x}); }
Tensor acosh(const Arg& x) { return apply(ops::acosh, {x}); }
Tensor atanh(const Arg& x) { return apply(ops::atanh, {x}); }
Tensor exp2(const Arg& x) { return apply(ops::exp2, {x}); }
Tensor copysign(const Arg& a, const Arg& b) { return apply(ops::copysign, {a, b}); }

Tensor hypot(const Arg& a, const Arg& b) {
    const Here here(a.where);
    if (!is_floating(a.is_tensor() ? a.tensor.dtype() : a.scalar.dtype)) check_floats("hypot", b);
    return apply(ops::hypot, {a, b});
}

Tensor lgamma(const Arg& x) { return apply(ops::lgamma, {x}); }

Tensor digamma(const Arg& x) {
    const Here here(x.where, "digamma");
    return polygamma(0, x);
}

Tensor polygamma(std::int64_t n, const Arg& x) {
    const Here here(x.where, "polygamma");
    if (n < 0) fail(ErrorKind::runtime, "polygamma: the order is ", n, ", and must not be below 0");
    return apply(ops::polygamma, {static_cast<double>(n), x});
}

}  // namespace tg
