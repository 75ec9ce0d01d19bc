// More losses, made of other ops; each has its formula above its body.
#include <cmath>
#include <numbers>

#include "core/low_precision.h"
#include "core/ops/reduced.h"

namespace tg {
namespace {

bool agree(std::int64_t a, std::int64_t b) { return a == b || is_unknown(a) || is_unknown(b); }

void check_same_shape(const char* op, const Arg& input, const Arg& target) {
    if (input.tensor.shape() != target.tensor.shape())
        fail(ErrorKind::value, op, ": the target's shape ", text(target.tensor.shape()),
             " must be the input's, ", text(input.tensor.shape()));
}

}  // namespace

// d = |a - b|:  d^2 / 2 up to delta, delta (d - delta / 2) from there on
Tensor huber_loss(const Arg& input, const Arg& target, const std::string& reduction, double delta,
                  const Tensor& weight) {
    const Here here(input.where, "huber_loss");
    if (is_low(input))
        return as_loss(
            huber_loss(widened(input), widened(target), reduction, delta, widened(weight)), input);
    if (!(delta > 0)) fail(ErrorKind::runtime, "huber_loss: delta is ", delta, ", not above 0");
    const Tensor d = abs(sub(input, target));
    const Tensor far = mul(sub(d, 0.5 * delta), delta);
    const Tensor losses = where(le(d, delta), mul(mul(d, d), 0.5), far);
    return reduced_as(weighed("huber_loss", losses, input, weight), reduction, "huber_loss");
}

// -(t log p + (1 - t) log(1 - p)), a log at least -100. Where p (1 - p) < 1e-12 the slope is held
// at (p - t) / 1e-12: there the logs are of constants, and a line of that slope and value 0 is
// added.
Tensor binary_cross_entropy(const Arg& input, const Arg& target, const Tensor& weight,
                            const std::string& reduction) {
    const char* op = "binary_cross_entropy";
    const Here here(input.where, op);
    if (is_low(input))
        return as_loss(
            binary_cross_entropy(widened(input), widened(target), widened(weight), reduction),
            input, target);
    check_same_shape(op, input, target);
    if (!is_floating(input.tensor.dtype()))
        fail(ErrorKind::unsupported, op, ": needs a floating dtype, and the input is ",
             name_of(input.tensor.dtype()), "; cast it first");
    const Tensor& p = input.tensor;
    const Tensor& t = target.tensor;
    const Tensor fixed = apply(*find_op("probability"), {p.detach()});
    const Tensor edge = lt(mul(fixed, sub(1, fixed)), 1e-12);
    const Tensor inside = where(edge, 0.5, p);
    const Tensor log_p = where(edge, maximum(log(fixed), -100.0), log(inside));
    const Tensor log_q = where(edge, maximum(log1p(neg(fixed)), -100.0), log1p(neg(inside)));
    const Tensor line = mul(sub(p, fixed), div(sub(fixed, t.detach()), 1e-12));
    Tensor losses = sub(mul(sub(t, 1), log_q), mul(t, log_p));
    losses = add(losses, where(edge, line, 0.0));
    if (weight.defined()) losses = mul(losses, weight);
    return reduced_as(losses, reduction, op);
}

// r - t log r of a rate r = e^x, or x itself; full: also log t! by Stirling, t log t - t +
// log(2 pi t) / 2, where t > 1
Tensor poisson_nll_loss(const Arg& input, const Arg& target, const PoissonLoss& o) {
    const Here here(input.where, "poisson_nll_loss");
    if (is_low(input))
        return as_loss(poisson_nll_loss(widened(input), widened(target), o), input, target);
    Tensor losses = o.log_input ? sub(exp(input), mul(target, input))
                                : sub(input, mul(target, log(add(input, o.eps))));
    if (o.full) {
        const Tensor none = le(target, 1);
        const Tensor t = where(none, 1.0, target);
        const Tensor stirling =
            add(sub(mul(t, log(t)), t), mul(log(mul(t, 2 * std::numbers::pi)), 0.5));
        losses = add(losses, where(none, 0.0, stirling));
    }
    return reduced_as(losses, o.reduction, "poisson_nll_loss");
}

// (log v + (x - t)^2 / v) / 2, and full: + log(2 pi) / 2; v is at least eps
Tensor gaussian_nll_loss(const Arg& input, const Arg& target, const Arg& var,
                         const GaussianLoss& o) {
    const char* op = "gaussian_nll_loss";
    const Here here(input.where, op);
    if (is_low(input))  // not of autocast's list
        return rounded(gaussian_nll_loss(widened(input), widened(target), widened(var), o), input,
                       target, var);
    const Dims& x = input.tensor.shape();
    Tensor v = var.is_tensor() ? var.tensor
                               : full(x, var.scalar, {input.tensor.dtype(), input.tensor.device()});
    if (v.shape() != x) {
        bool fits = !x.empty() && (v.dims() == x.size() || v.dims() == x.size() - 1);
        for (int d = 0; fits && d < x.size() - 1; ++d) fits = agree(v.shape()[d], x[d]);
        if (fits && v.dims() == x.size()) fits = v.shape()[x.size() - 1] == 1;
        if (!fits)
            fail(ErrorKind::value, op, ": var ", text(v.shape()), " does not fit input ", text(x),
                 "; it is of input's shape, or without its last dim, or with 1 there");
        if (v.dims() < x.size()) v = unsqueeze(v, -1);
    }
    const Tensor below = any(lt(v.detach(), 0));
    if (!below.is_symbolic() && below.item<double>() != 0)
        fail(ErrorKind::value, op, ": var has an element below 0");
    v = raised(v, o.eps);
    const Tensor d = sub(input, target);
    Tensor losses = mul(add(log(v), div(mul(d, d), v)), 0.5);
    if (o.full) losses = add(losses, 0.5 * std::log(2 * std::numbers::pi));
    return reduced_as(losses, o.reduction, op);
}

// log(1 + e^(-t x))
Tensor soft_margin_loss(const Arg& input, const Arg& target, const std::string& reduction) {
    const Here here(input.where, "soft_margin_loss");
    if (is_low(input))
        return as_loss(soft_margin_loss(widened(input), widened(target), reduction), input);
    return reduced_as(neg(logsigmoid(mul(target, input))), reduction, "soft_margin_loss");
}

// x where t is 1, max(0, margin - x) where it is -1
Tensor hinge_embedding_loss(const Arg& input, const Arg& target, double margin,
                            const std::string& reduction) {
    const Here here(input.where, "hinge_embedding_loss");
    if (is_low(input))
        return as_loss(hinge_embedding_loss(widened(input), widened(target), margin, reduction),
                       input);
    const Tensor apart = where(ne(target, 1), relu(sub(margin, input)), 0.0);
    const Tensor alike = where(ne(target, -1), input, 0.0);
    return reduced_as(add(apart, alike), reduction, "hinge_embedding_loss");
}

// max(0, margin - t (x1 - x2))
Tensor margin_ranking_loss(const Arg& input1, const Arg& input2, const Arg& target, double margin,
                           const std::string& reduction) {
    const char* op = "margin_ranking_loss";
    const Here here(input1.where, op);
    if (is_low(input1))
        return as_loss(margin_ranking_loss(widened(input1), widened(input2), widened(target),
                                           margin, reduction),
                       input1, input2);
    if (input1.tensor.dims() != input2.tensor.dims() ||
        input1.tensor.dims() != target.tensor.dims())
        fail(ErrorKind::runtime, op, ": input1 ", text(input1.tensor.shape()), ", input2 ",
             text(input2.tensor.shape()), " and target ", text(target.tensor.shape()),
             " must have as many dims");
    const Tensor ahead = mul(neg(target), sub(input1, input2));
    return reduced_as(relu(add(ahead, margin)), reduction, op);
}

// 1 - c where t is 1, max(0, c - margin) where it is -1; c = a b / sqrt((a a + e) (b b + e))
Tensor cosine_embedding_loss(const Arg& input1, const Arg& input2, const Arg& target, double margin,
                             const std::string& reduction) {
    const char* op = "cosine_embedding_loss";
    const Here here(input1.where, op);
    if (is_low(input1))
        return as_loss(cosine_embedding_loss(widened(input1), widened(input2), widened(target),
                                             margin, reduction),
                       input1, input2);
    const int rows = target.tensor.dims();
    if (rows > 1 || input1.tensor.dims() != rows + 1 || input2.tensor.dims() != rows + 1)
        fail(ErrorKind::runtime, op, ": inputs ", text(input1.tensor.shape()), " and ",
             text(input2.tensor.shape()), " do not fit target ", text(target.tensor.shape()),
             "; they are (N, D), (N, D) and (N,), or (D,), (D,) and ()");
    const auto square = [&](const Arg& x) { return add(sum(mul(x, x), rows), 1e-12); };
    const Tensor c = div(sum(mul(input1, input2), rows), sqrt(mul(square(input1), square(input2))));
    const Tensor alike = where(eq(target, 1), sub(1, c), 0.0);
    const Tensor apart = where(eq(target, -1), relu(sub(c, margin)), 0.0);
    return reduced_as(add(alike, apart), reduction, op);
}

// max(0, margin + |a - p| - |a - n|); swap: |p - n| instead of |a - n| where it is less
Tensor triplet_margin_loss(const Arg& anchor, const Arg& positive, const Arg& negative,
                           const TripletLoss& o) {
    const char* op = "triplet_margin_loss";
    const Here here(anchor.where, op);
    if (is_low(anchor))
        return as_loss(
            triplet_margin_loss(widened(anchor), widened(positive), widened(negative), o), anchor,
            positive, negative);
    if (!(o.margin > 0)) fail(ErrorKind::value, op, ": margin is ", o.margin, ", not above 0");
    const int dims = anchor.tensor.dims();
    if (positive.tensor.dims() != dims || negative.tensor.dims() != dims)
        fail(ErrorKind::runtime, op, ": anchor ", text(anchor.tensor.shape()), ", positive ",
             text(positive.tensor.shape()), " and negative ", text(negative.tensor.shape()),
             " must have as many dims");
    const Tensor near = pairwise_distance(anchor, positive, o.p, o.eps);
    Tensor far = pairwise_distance(anchor, negative, o.p, o.eps);
    if (o.swap) far = minimum(far, pairwise_distance(positive, negative, o.p, o.eps));
    return reduced_as(relu(sub(add(near, o.margin), far)), o.reduction, op);
}

// sum over the classes c but t of w[t] max(0, margin - x[t] + x[c])^p / C
Tensor multi_margin_loss(const Arg& input, const Arg& target, const MarginLoss& o) {
    const char* op = "multi_margin_loss";
    const Here here(input.where, op);
    if (is_low(input)) {
        MarginLoss wide = o;
        wide.weight = widened(o.weight);
        return as_loss(multi_margin_loss(widened(input), target, wide), input);
    }
    const Dims& x = input.tensor.shape();
    const Dims& t = target.tensor.shape();
    if (o.p != 1 && o.p != 2) fail(ErrorKind::value, op, ": p is ", o.p, ", and must be 1 or 2");
    const bool single = x.size() == 1 && (t.empty() || (t.size() == 1 && agree(t[0], 1)));
    if (!single && (x.size() != 2 || t.size() != 1 || !agree(x[0], t[0])))
        fail(ErrorKind::value, op, ": input ", text(x), " and target ", text(t),
             " do not fit; they are (N, C) and (N,), or (C,) and ()");
    if (target.tensor.dtype() != DType::int64)
        fail(ErrorKind::runtime, op, ": the target is ", name_of(target.tensor.dtype()),
             ", not int64; cast it: target.long()");
    const int classes = x.size() - 1;
    const std::int64_t n = known_size(op, input.tensor, classes);
    if (o.weight.defined() && (o.weight.dims() != 1 || !agree(o.weight.shape()[0], n)))
        fail(ErrorKind::runtime, op, ": the weight has shape ", text(o.weight.shape()),
             ", and needs one number for each of ", n, " classes");
    const Tensor index = single ? reshape(target, {1}) : unsqueeze(target, 1);
    Tensor over = relu(add(sub(input, gather(input, classes, index)), o.margin));
    if (o.p == 2) over = mul(over, over);
    if (o.weight.defined())
        over = mul(over, reshape(gather(o.weight, 0, reshape(index, {-1})), index.shape()));
    const Tensor others = ne(to(arange(n), index.device()), index);
    const Tensor losses = div(sum(where(others, over, 0.0), classes), static_cast<double>(n));
    return reduced_as(losses, o.reduction, op);
}

// the mean over the classes of -(t log s(x) + (1 - t) log s(-x)), s the sigmoid
Tensor multilabel_soft_margin_loss(const Arg& input, const Arg& target, const Tensor& weight,
                                   const std::string& reduction) {
    const char* op = "multilabel_soft_margin_loss";
    const Here here(input.where, op);
    if (is_low(input))  // not of autocast's list
        return rounded(multilabel_soft_margin_loss(widened(input), widened(target), widened(weight),
                                                   reduction),
                       input, target);
    if (input.tensor.dims() == 0)
        fail(ErrorKind::index, op, ": a tensor of no dims has no classes");
    Tensor losses =
        neg(add(mul(target, logsigmoid(input)), mul(sub(1, target), logsigmoid(neg(input)))));
    if (weight.defined()) losses = mul(losses, weight);
    return reduced_as(mean(losses, losses.dims() - 1), reduction, op);
}

}  // namespace tg
