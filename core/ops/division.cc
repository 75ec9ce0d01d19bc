// Division with a rest, bits, and logarithms of other bases. Formulas: kernels/division.h.
#include <cmath>

#include "core/batching.h"
#include "core/ops/formula.h"

namespace tg {
namespace {

// y = a - q b, q = trunc(a / b)  =>  da = g, db = -g q
void fmod_gradient(Backward& n) {
    n.give(0, n.g());
    if (n.wants(1)) n.give(1, neg(mul(n.g(), trunc(div(n.input(0), n.input(1))))));
}

// y = a - q b, q = floor(a / b)  =>  da = g, db = -g q
void remainder_gradient(Backward& n) {
    n.give(0, n.g());
    if (n.wants(1)) n.give(1, neg(mul(n.g(), floor_divide(n.input(0), n.input(1)))));
}

// y = log2 x  =>  dx = g / (x ln 2)
void log2_gradient(Backward& n) { n.give(0, div(n.g(), mul(n.input(0), 0.69314718055994531))); }

// y = log10 x  =>  dx = g / (x ln 10)
void log10_gradient(Backward& n) { n.give(0, div(n.g(), mul(n.input(0), 2.3025850929940457))); }

// Passes integers on that are to divide by, if there is no 0 among them.
void refuse_zero(bool found) {
    if (found) fail(ErrorKind::runtime, "divisor: an integer is divided by 0");
}

void divisor_cpu(const Launch& l) {
    refuse_zero(kernels::cpu::holds_zero(l.in[0]));
    kernels::cpu::copy(l.out[0], l.in[0]);
}

bool divisor_cuda(const Launch& l) {
    const kernels::cuda::Backend& device = kernels::cuda::backend();
    bool found = false;
    if (!device.holds_zero(l.in[0], found)) return false;
    refuse_zero(found);
    return device.copy(l.out[0], l.in[0]);
}

bool is_whole(const Arg& x) {
    return !is_floating(x.is_tensor() ? x.tensor.dtype() : x.scalar.dtype);
}

}  // namespace

namespace ops {

constexpr Need a = Need::a;
constexpr Need b = Need::b;

const Op fmod = elementwise<formula::Fmod>(fmod_gradient, {{}, {a, b}});
const Op remainder = elementwise<formula::Remainder>(remainder_gradient, {{}, {a, b}});
const Op floor_divide = elementwise<formula::FloorDivide>();
const Op bitwise_and = elementwise<formula::BitwiseAnd>();
const Op bitwise_or = elementwise<formula::BitwiseOr>();
const Op bitwise_xor = elementwise<formula::BitwiseXor>();
const Op bitwise_not = elementwise<formula::BitwiseNot>();
const Op bitwise_left_shift = elementwise<formula::LeftShift>();
const Op bitwise_right_shift = elementwise<formula::RightShift>();
const Op log2 = elementwise<formula::Log2>(log2_gradient, {{a}});
const Op log10 = elementwise<formula::Log10>(log10_gradient, {{a}});
const Op divisor = {.name = "divisor",
                    .inputs = 1,
                    .shape = same_shape,
                    .cpu = divisor_cpu,
                    .cuda = divisor_cuda,
                    .batch = batch_aligned};

}  // namespace ops

std::span<const Op* const> division_ops() {
    static const Op* const list[] = {
        &ops::fmod,       &ops::remainder,   &ops::floor_divide,       &ops::bitwise_and,
        &ops::bitwise_or, &ops::bitwise_xor, &ops::bitwise_not,        &ops::log2,
        &ops::log10,      &ops::divisor,     &ops::bitwise_left_shift, &ops::bitwise_right_shift};
    return list;
}

namespace {

// A formula cannot refuse a number, so integer divisors are looked at before.
Tensor divided(const Op& op, const Arg& a, const Arg& b) {
    const Here here(a.where, op.name);
    if (!is_whole(a) || !is_whole(b)) return apply(op, {a, b});
    if (b.is_tensor()) return apply(op, {a, apply(ops::divisor, {b})});
    if (b.scalar.as_integer() == 0)
        fail(ErrorKind::runtime, op.name, ": an integer is divided by 0");
    return apply(op, {a, b});
}

}  // namespace

Tensor fmod(const Arg& a, const Arg& b) { return divided(ops::fmod, a, b); }
Tensor remainder(const Arg& a, const Arg& b) { return divided(ops::remainder, a, b); }
Tensor floor_divide(const Arg& a, const Arg& b) { return divided(ops::floor_divide, a, b); }

Tensor div_rounded(const Arg& a, const Arg& b, const std::string& mode) {
    const Here here(a.where, "div");
    if (mode == "floor") return floor_divide(a, b);
    if (mode != "trunc")
        fail(ErrorKind::runtime, "div: rounding_mode is None, 'trunc' or 'floor', not '", mode,
             "'");
    const auto whole = [](const Arg& x) {
        return !is_floating(x.is_tensor() ? x.tensor.dtype() : x.scalar.dtype);
    };
    if (!whole(a) || !whole(b)) return trunc(div(a, b));
    return floor_divide(sub(a, fmod(a, b)), b);  // without a rest there is nothing to round
}

// round(10 x) / 10 for one decimal, as PyTorch computes it
Tensor round(const Arg& x, std::int64_t decimals) {
    const Here here(x.where, "round");
    if (decimals == 0) return round(x);
    if (!is_floating(x.tensor.dtype()))
        fail(ErrorKind::unsupported, "round: decimals is ", decimals, ", for a tensor of ",
             name_of(x.tensor.dtype()), "; x.double() has decimals");
    const double scale = std::pow(10.0, std::abs(static_cast<double>(decimals)));
    return decimals > 0 ? div(round(mul(x, scale)), scale) : mul(round(div(x, scale)), scale);
}
Tensor bitwise_and(const Arg& a, const Arg& b) { return apply(ops::bitwise_and, {a, b}); }
Tensor bitwise_or(const Arg& a, const Arg& b) { return apply(ops::bitwise_or, {a, b}); }
Tensor bitwise_xor(const Arg& a, const Arg& b) { return apply(ops::bitwise_xor, {a, b}); }
Tensor bitwise_not(const Arg& x) { return apply(ops::bitwise_not, {x}); }
Tensor bitwise_left_shift(const Arg& a, const Arg& b) {
    return apply(ops::bitwise_left_shift, {a, b});
}
Tensor bitwise_right_shift(const Arg& a, const Arg& b) {
    return apply(ops::bitwise_right_shift, {a, b});
}
Tensor log2(const Arg& x) { return apply(ops::log2, {x}); }
Tensor log10(const Arg& x) { return apply(ops::log10, {x}); }

}  // namespace tg
