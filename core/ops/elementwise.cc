// Elementwise ops: y[i] = f(a[i], b[i], ...). The formulas are in kernels/math.h; here are the
// records and, above each, its gradient in one line (g is dL/dy).
#include <cmath>

#include "core/batching.h"
#include "core/ops/family.h"
#include "core/ops/formula.h"
#include "core/ops/integers.h"
#include "core/ops/structural.h"

namespace tg {

// ---- gradients ---------------------------------------------------------------------------------
namespace {

// y = a + b  =>  da = g, db = g
void add_gradient(Backward& n) {
    n.give(0, n.g());
    n.give(1, n.g());
}

// y = a - b  =>  da = g, db = -g
void sub_gradient(Backward& n) {
    n.give(0, n.g());
    if (n.wants(1)) n.give(1, neg(n.g()));
}

// y = a b  =>  da = g b, db = g a
void mul_gradient(Backward& n) {
    if (n.wants(0)) n.give(0, mul(n.g(), n.input(1)));
    if (n.wants(1)) n.give(1, mul(n.g(), n.input(0)));
}

// y = a / b  =>  da = g / b, db = -g a / b^2
void div_gradient(Backward& n) {
    if (n.wants(0)) n.give(0, div(n.g(), n.input(1)));
    if (n.wants(1)) n.give(1, div(div(mul(neg(n.g()), n.input(0)), n.input(1)), n.input(1)));
}

// Of a number these are numbers too: as tensors they would be of the default dtype, perhaps narrow.
Arg one_less(const Arg& b) {
    if (b.is_tensor()) return sub(b, 1);
    return is_floating(b.scalar.dtype) ? Arg(b.scalar.real - 1)
                                       : Arg(static_cast<double>(b.scalar.integer) - 1);
}
Arg log_of(const Arg& a) { return a.is_tensor() ? Arg(log(a)) : Arg(std::log(a.scalar.as_real())); }

// y = a^b  =>  da = g b a^(b-1), 0 where b = 0;  db = g y ln a, 0 where a = 0 and b >= 0
void pow_gradient(Backward& n) {
    const Arg b = n.input(1);
    if (n.wants(0)) {
        const Tensor da = mul(n.g(), mul(b, pow(n.input(0), one_less(b))));
        n.give(0, where(eq(b, 0), 0.0, da));
    }
    if (n.wants(1)) {
        const Arg a = n.input(0);
        const Tensor db = mul(mul(n.g(), n.output()), log_of(a));
        n.give(1, where(mul(eq(a, 0), ge(b, 0)), 0.0, db));
    }
}

// g to the one that wins, half to each where they are equal; to both where one is NaN, as in
// PyTorch: neither loses
void extremum_gradient(Backward& n, Tensor (*wins)(const Arg&, const Arg&)) {
    const Arg a = n.input(0);
    const Arg b = n.input(1);
    const Tensor half = mul(n.g(), 0.5);
    const Tensor tie = eq(a, b);
    if (n.wants(0)) n.give(0, where(tie, half, where(wins(b, a), 0.0, n.g())));
    if (n.wants(1)) n.give(1, where(tie, half, where(wins(a, b), 0.0, n.g())));
}

// y = max(a, b)  =>  g to the larger; half to each where they are equal
void maximum_gradient(Backward& n) { extremum_gradient(n, gt); }

// y = min(a, b)  =>  g to the smaller; half to each where they are equal
void minimum_gradient(Backward& n) { extremum_gradient(n, lt); }

// y = -x  =>  dx = -g
void neg_gradient(Backward& n) { n.give(0, neg(n.g())); }

// y = e^x  =>  dx = g y
void exp_gradient(Backward& n) { n.give(0, mul(n.g(), n.output())); }

// y = ln x  =>  dx = g / x
void log_gradient(Backward& n) { n.give(0, div(n.g(), n.input(0))); }

// y = tanh x  =>  dx = g (1 - y^2)
void tanh_gradient(Backward& n) {
    const Tensor y = n.output();
    n.give(0, mul(n.g(), sub(1, mul(y, y))));
}

// y = sqrt x  =>  dx = g / (2 y)
void sqrt_gradient(Backward& n) { n.give(0, div(n.g(), mul(n.output(), 2))); }

// y = |x|  =>  dx = g sign(x)
void abs_gradient(Backward& n) { n.give(0, mul(n.g(), sign(n.input(0)))); }

// y = sign(x), or x rounded  =>  dx = 0
void step_gradient(Backward& n) { n.give(0, mul(n.g(), 0)); }

// y = 1 / sqrt x  =>  dx = -g y^3 / 2
void rsqrt_gradient(Backward& n) {
    const Tensor y = n.output();
    n.give(0, mul(mul(n.g(), -0.5), mul(y, mul(y, y))));
}

// y = e^x - 1  =>  dx = g e^x: y + 1 would have lost its digits where e^x is small
void expm1_gradient(Backward& n) { n.give(0, mul(n.g(), exp(n.input(0)))); }

// y = ln(1 + x)  =>  dx = g / (1 + x)
void log1p_gradient(Backward& n) { n.give(0, div(n.g(), add(n.input(0), 1))); }

// y = 1 / (1 + e^-x)  =>  dx = g y (1 - y)
void sigmoid_gradient(Backward& n) {
    const Tensor y = n.output();
    n.give(0, mul(n.g(), mul(y, sub(1, y))));
}

// y = sin x  =>  dx = g cos x
void sin_gradient(Backward& n) { n.give(0, mul(n.g(), cos(n.input(0)))); }

// y = cos x  =>  dx = -g sin x
void cos_gradient(Backward& n) { n.give(0, mul(neg(n.g()), sin(n.input(0)))); }

// y = erf x  =>  dx = g 2/sqrt(pi) e^(-x^2)
void erf_gradient(Backward& n) {
    const Arg x = n.input(0);
    n.give(0, mul(n.g(), mul(exp(neg(mul(x, x))), 1.1283791670955126)));
}

// y = max(x, 0)  =>  dx = 0 where y <= 0, else g
void relu_gradient(Backward& n) { n.give(0, where(le(n.output(), 0), 0.0, n.g())); }

// y = c ? a : b  =>  da = c ? g : 0, db = c ? 0 : g
void where_gradient(Backward& n) {
    if (n.wants(1)) n.give(1, where(n.input(0), n.g(), 0.0));
    if (n.wants(2)) n.give(2, where(n.input(0), 0.0, n.g()));
}

// y = x as another dtype  =>  dx = g as x's dtype, which the walk sees to
void cast_gradient(Backward& n) { n.give(0, n.g()); }

// x -> x's shape, of the dtype asked for
Descs cast_shape(const Op&, std::span<const Desc> in, const Attrs& attrs) {
    return {Desc{in[0].shape, attrs.dtype(0), in[0].device}};
}

void cast_cpu(const Launch& l) { kernels::cpu::cast(l.out[0], broadcast_to(l.in[0], l.out[0])); }
bool cast_cuda(const Launch& l) {
    const kernels::cuda::Backend& device = kernels::cuda::backend();
    const bool same = l.out[0].dtype == l.in[0].dtype;  // then of any dtype
    return (same ? device.copy : device.cast)(l.out[0], broadcast_to(l.in[0], l.out[0]));
}

}  // namespace

// ---- records -----------------------------------------------------------------------------------
namespace ops {

constexpr Need a = Need::a;
constexpr Need b = Need::b;
constexpr Need y = Need::y;

const Op add = elementwise<formula::Add>(add_gradient);
const Op sub = elementwise<formula::Sub>(sub_gradient);
const Op mul = elementwise<formula::Mul>(mul_gradient, {{b}, {a}});
const Op div = elementwise<formula::Div>(div_gradient, {{b}, {a, b}});
const Op pow = elementwise<formula::Pow>(pow_gradient, {{a, b}, {a, b, y}});
const Op maximum = elementwise<formula::Maximum>(maximum_gradient, {{a, b}, {a, b}});
const Op minimum = elementwise<formula::Minimum>(minimum_gradient, {{a, b}, {a, b}});
const Op neg = elementwise<formula::Neg>(neg_gradient);
const Op exp = elementwise<formula::Exp>(exp_gradient, {{y}});
const Op log = elementwise<formula::Log>(log_gradient, {{a}});
const Op tanh = elementwise<formula::Tanh>(tanh_gradient, {{y}});
const Op sqrt = elementwise<formula::Sqrt>(sqrt_gradient, {{y}});
const Op abs = elementwise<formula::Abs>(abs_gradient, {{a}});
const Op sign = elementwise<formula::Sign>(step_gradient);
const Op relu = elementwise<formula::Relu>(relu_gradient, {{y}});
const Op rsqrt = elementwise<formula::Rsqrt>(rsqrt_gradient, {{y}});
const Op expm1 = elementwise<formula::Expm1>(expm1_gradient, {{a}});
const Op log1p = elementwise<formula::Log1p>(log1p_gradient, {{a}});
const Op sigmoid = elementwise<formula::Sigmoid>(sigmoid_gradient, {{y}});
const Op sin = elementwise<formula::Sin>(sin_gradient, {{a}});
const Op cos = elementwise<formula::Cos>(cos_gradient, {{a}});
const Op erf = elementwise<formula::Erf>(erf_gradient, {{a}});
const Op floor = elementwise<formula::Floor>(step_gradient);
const Op ceil = elementwise<formula::Ceil>(step_gradient);
const Op round = elementwise<formula::Round>(step_gradient);
const Op trunc = elementwise<formula::Trunc>(step_gradient);
const Op eq = elementwise<formula::Eq>();
const Op ne = elementwise<formula::Ne>();
const Op lt = elementwise<formula::Lt>();
const Op le = elementwise<formula::Le>();
const Op gt = elementwise<formula::Gt>();
const Op ge = elementwise<formula::Ge>();
const Op logical_not = elementwise<formula::LogicalNot>();
const Op where = elementwise<formula::Where>(where_gradient, {{}, {a}, {a}});
const Op cast = {.name = "cast",
                 .inputs = 1,
                 .shape = cast_shape,
                 .gradient = cast_gradient,
                 .cpu = cast_cpu,
                 .cuda = cast_cuda,
                 .attributes = {{"dtype", AttrKind::dtype}},
                 .low_precision = true,
                 .batch = batch_aligned};

}  // namespace ops

std::span<const Op* const> elementwise_ops() {
    static const Op* const list[] = {
        &ops::add,     &ops::sub,   &ops::mul,         &ops::div,   &ops::pow,   &ops::maximum,
        &ops::minimum, &ops::neg,   &ops::exp,         &ops::log,   &ops::tanh,  &ops::sqrt,
        &ops::abs,     &ops::sign,  &ops::relu,        &ops::rsqrt, &ops::expm1, &ops::log1p,
        &ops::sigmoid, &ops::sin,   &ops::cos,         &ops::erf,   &ops::floor, &ops::ceil,
        &ops::round,   &ops::trunc, &ops::eq,          &ops::ne,    &ops::lt,    &ops::le,
        &ops::gt,      &ops::ge,    &ops::logical_not, &ops::where, &ops::cast};
    return list;
}

// ---- what users call ---------------------------------------------------------------------------

Tensor add(const Arg& a, const Arg& b) { return apply(ops::add, {a, b}); }
Tensor mul(const Arg& a, const Arg& b) { return apply(ops::mul, {a, b}); }
Tensor div(const Arg& a, const Arg& b) { return apply(ops::div, {a, b}); }
Tensor maximum(const Arg& a, const Arg& b) { return apply(ops::maximum, {a, b}); }
Tensor minimum(const Arg& a, const Arg& b) { return apply(ops::minimum, {a, b}); }
Tensor exp(const Arg& x) { return apply(ops::exp, {x}); }
Tensor log(const Arg& x) { return apply(ops::log, {x}); }
Tensor tanh(const Arg& x) { return apply(ops::tanh, {x}); }
Tensor sqrt(const Arg& x) { return apply(ops::sqrt, {x}); }
Tensor abs(const Arg& x) { return apply(ops::abs, {x}); }
Tensor sign(const Arg& x) { return apply(ops::sign, {x}); }
Tensor rsqrt(const Arg& x) { return apply(ops::rsqrt, {x}); }
Tensor expm1(const Arg& x) { return apply(ops::expm1, {x}); }
Tensor log1p(const Arg& x) { return apply(ops::log1p, {x}); }
Tensor sigmoid(const Arg& x) { return apply(ops::sigmoid, {x}); }
Tensor sin(const Arg& x) { return apply(ops::sin, {x}); }
Tensor cos(const Arg& x) { return apply(ops::cos, {x}); }
Tensor erf(const Arg& x) { return apply(ops::erf, {x}); }
Tensor floor(const Arg& x) { return apply(ops::floor, {x}); }
Tensor ceil(const Arg& x) { return apply(ops::ceil, {x}); }
Tensor round(const Arg& x) { return apply(ops::round, {x}); }
Tensor trunc(const Arg& x) { return apply(ops::trunc, {x}); }
Tensor relu(const Arg& x) { return apply(ops::relu, {x}); }
Tensor eq(const Arg& a, const Arg& b) { return apply(ops::eq, {a, b}); }
Tensor ne(const Arg& a, const Arg& b) { return apply(ops::ne, {a, b}); }
Tensor lt(const Arg& a, const Arg& b) { return apply(ops::lt, {a, b}); }
Tensor le(const Arg& a, const Arg& b) { return apply(ops::le, {a, b}); }
Tensor gt(const Arg& a, const Arg& b) { return apply(ops::gt, {a, b}); }
Tensor ge(const Arg& a, const Arg& b) { return apply(ops::ge, {a, b}); }
Tensor logical_not(const Arg& x) { return apply(ops::logical_not, {x}); }

namespace {

bool is_bool(const Arg& x) {
    return x.is_tensor() ? x.tensor.dtype() == DType::boolean : x.scalar.dtype == DType::boolean;
}

}  // namespace

Tensor pow(const Arg& a, const Arg& b) {
    const Here here(a.where);
    if (a.is_tensor() && is_integral(a.tensor.dtype()) && !b.is_tensor() &&
        is_integral(b.scalar.dtype) && b.scalar.integer < 0)
        fail(ErrorKind::runtime, "pow: integers to the power of ", b.scalar.integer,
             " are no integers; cast the tensor to a floating dtype first");
    // Of a number that is too long other ops keep the low bits; of an exponent those mean nothing.
    const bool counts = a.is_tensor() && is_integral(a.tensor.dtype()) && !is_bool(a);
    if (counts && !b.is_tensor() && is_integral(b.scalar.dtype))
        check_fits("pow", b.scalar, a.tensor.dtype());
    return apply(ops::pow, {a, b});
}

Tensor sub(const Arg& a, const Arg& b) {
    const Here here(a.where);
    if (is_bool(a) && is_bool(b))
        fail(ErrorKind::unsupported,
             "sub: two bool tensors cannot be subtracted; use ne(a, b) or logical_not");
    if (is_bool(a) || is_bool(b))
        fail(ErrorKind::unsupported,
             "sub: a bool cannot be subtracted, nor subtracted from; cast "
             "it first, or use logical_not");
    return apply(ops::sub, {a, b});
}

namespace {

// alpha b
Arg scaled(const char* op, const Arg& a, const Arg& b, const Arg& alpha) {
    const auto whole = [](const Arg& x) {
        return !is_floating(x.is_tensor() ? x.tensor.dtype() : x.scalar.dtype);
    };
    if (whole(a) && whole(b) && !whole(alpha))
        fail(ErrorKind::runtime, op, ": alpha is ", text(alpha.scalar),
             ", but the tensors are of integers; cast one of them, or use a whole alpha");
    if (!alpha.is_tensor() && alpha.scalar == Scalar(1)) return b;
    if (alpha.is_tensor() || b.is_tensor()) return mul(b, alpha);
    const bool real = !whole(b) || !whole(alpha);
    return real ? Arg(b.scalar.as_real() * alpha.scalar.as_real())
                : Arg(b.scalar.as_integer() * alpha.scalar.as_integer());
}

}  // namespace

Tensor add(const Arg& a, const Arg& b, const Arg& alpha) {
    const Here here(a.where);
    return add(a, scaled("add", a, b, alpha));
}

Tensor sub(const Arg& a, const Arg& b, const Arg& alpha) {
    const Here here(a.where);
    return sub(a, scaled("sub", a, b, alpha));
}

Tensor neg(const Arg& x) {
    const Here here(x.where);
    if (is_bool(x))
        fail(ErrorKind::unsupported, "neg: a bool tensor has no negative; use logical_not");
    return apply(ops::neg, {x});
}

Tensor where(const Arg& condition, const Arg& a, const Arg& b) {
    const Here here(condition.where);
    if (!is_bool(condition))
        fail(ErrorKind::runtime, "where: the condition is ", name_of(condition.tensor.dtype()),
             ", not bool; compare it: x != 0");
    return apply(ops::where, {condition, a, b});
}

Tensor cast(const Arg& x, DType dtype) {
    if (x.is_tensor() && x.tensor.dtype() == dtype) return x.tensor;
    return apply(ops::cast, {x}, {Attr{dtype}});
}

}  // namespace tg
