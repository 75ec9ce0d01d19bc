// Losses, made of other ops.
#include <cmath>

#include "core/autocast.h"
#include "core/low_precision.h"
#include "core/ops/family.h"
#include "core/ops/lines.h"
#include "core/ops/reduced.h"

namespace tg {

Tensor weighed(const char* op, const Tensor& losses, const Arg& input, const Tensor& weight) {
    if (!weight.defined()) return losses;
    if (weight.shape() != input.tensor.shape())
        fail(ErrorKind::value, op, ": the weight's shape ", text(weight.shape()),
             " must be the input's, ", text(input.tensor.shape()));
    return mul(losses, weight);
}

Tensor reduced_as(const Tensor& losses, const std::string& reduction, const char* op) {
    if (reduction == "mean") return mean(losses);
    if (reduction == "sum") return sum(losses);
    if (reduction == "none") return losses;
    fail(ErrorKind::value, op, ": reduction is '", reduction, "'; there are mean, sum and none");
}

namespace {

bool agree(std::int64_t a, std::int64_t b) { return a == b || is_unknown(a) || is_unknown(b); }

// Is target's shape that of input without its classes, dim 1 (or 0, of one sample)?
bool fits_classes(const Dims& input, const Dims& target) {
    if (input.empty() || target.size() != input.size() - 1) return false;
    const int classes = input.size() == 1 ? 0 : 1;
    for (int d = 0; d < target.size(); ++d)
        if (!agree(target[d], input[d < classes ? d : d + 1])) return false;
    return true;
}

void check_classes(const char* op, const Arg& input, const Arg& target, const ClassLoss& o) {
    const Dims& x = input.tensor.shape();
    const Dims& t = target.tensor.shape();
    if (target.tensor.dtype() != DType::int64)
        fail(ErrorKind::runtime, op, ": the target is ", name_of(target.tensor.dtype()),
             ", not int64; cast it: target.long()");
    if (!fits_classes(x, t))
        fail(x.size() == 2 && t.size() <= 1 ? ErrorKind::value : ErrorKind::runtime, op, ": input ",
             text(x), " and target ", text(t),
             " do not fit; they are (N, C, ...) and (N, ...), or (C,) and ()");
    const std::int64_t classes = x[x.size() == 1 ? 0 : 1];
    if (o.weight.defined() && (o.weight.dims() != 1 || !agree(o.weight.shape()[0], classes)))
        fail(ErrorKind::runtime, op, ": the weight has shape ", text(o.weight.shape()),
             ", and needs one number for each of ", classes, " classes");
}

ClassLoss widened(const ClassLoss& o) {
    ClassLoss wide = o;
    wide.weight = tg::widened(o.weight);
    return wide;
}

// sum(losses) / sum(weights), or as the reduction says
Tensor over_weights(const Tensor& losses, const Tensor& weights, const std::string& reduction,
                    const char* op) {
    if (reduction != "mean" || !weights.defined()) return reduced_as(losses, reduction, op);
    return div(sum(losses), sum(weights));
}

}  // namespace

// |a - b|
Tensor l1_loss(const Arg& input, const Arg& target, const std::string& reduction,
               const Tensor& weight) {
    const char* op = "l1_loss";
    const Here here(input.where, op);
    if (is_low(input))
        return as_loss(l1_loss(widened(input), widened(target), reduction, widened(weight)), input,
                       target);
    const Tensor losses = weighed(op, abs(sub(input, target)), input, weight);
    return over_weights(losses, weight, reduction, op);
}

// d = |a - b|:  d^2 / (2 beta) below beta, d - beta / 2 from there on
Tensor smooth_l1_loss(const Arg& input, const Arg& target, const std::string& reduction,
                      double beta) {
    const Here here(input.where, "smooth_l1_loss");
    if (is_low(input))
        return as_loss(smooth_l1_loss(widened(input), widened(target), reduction, beta), input,
                       target);
    if (beta < 0) fail(ErrorKind::runtime, "smooth_l1_loss: beta is ", beta, ", below 0");
    if (beta == 0) return l1_loss(input, target, reduction);
    const Tensor d = abs(sub(input, target));
    const Tensor near = div(mul(mul(d, d), 0.5), beta);
    return reduced_as(where(lt(d, beta), near, sub(d, 0.5 * beta)), reduction, "smooth_l1_loss");
}

// (a - b)^2
Tensor mse_loss(const Arg& input, const Arg& target, const std::string& reduction,
                const Tensor& weight) {
    const char* op = "mse_loss";
    const Here here(input.where, op);
    if (is_low(input))
        return as_loss(mse_loss(widened(input), widened(target), reduction, widened(weight)), input,
                       target);
    const Tensor d = sub(input, target);
    return over_weights(weighed(op, mul(d, d), input, weight), weight, reduction, op);
}

// -(w_p t log s + (1 - t) log(1 - s)) with s = sigmoid(x), of log(1 + e^-|x|), so that no log sees
// 0
Tensor binary_cross_entropy_with_logits(const Arg& input, const Arg& target, const Tensor& weight,
                                        const std::string& reduction, const Tensor& pos_weight) {
    const char* op = "binary_cross_entropy_with_logits";
    const Here here(input.where, op);
    if (is_low(input))
        return as_loss(
            binary_cross_entropy_with_logits(widened(input), widened(target), widened(weight),
                                             reduction, widened(pos_weight)),
            input, target);
    if (input.tensor.shape() != target.tensor.shape())
        fail(ErrorKind::value, op, ": the target's shape ", text(target.tensor.shape()),
             " must be the input's, ", text(input.tensor.shape()));
    const Tensor softplus_neg = add(relu(neg(input)), log1p(exp(neg(abs(input)))));
    const Tensor off = mul(sub(1, target), input);
    Tensor losses;
    if (pos_weight.defined())
        losses = add(off, mul(add(mul(sub(pos_weight, 1), target), 1), softplus_neg));
    else
        losses = add(off, softplus_neg);
    if (weight.defined()) losses = mul(losses, weight);
    return reduced_as(losses, reduction, op);
}

// t (log t - x), 0 where t is 0
Tensor kl_div(const Arg& input, const Arg& target, const std::string& reduction, bool log_target) {
    const Here here(input.where, "kl_div");
    if (is_low(input))
        return as_loss(kl_div(widened(input), widened(target), reduction, log_target), input,
                       target);
    Tensor losses;
    if (log_target) {
        losses = mul(exp(target), sub(target, input));
    } else {
        const Tensor none = eq(target, 0);
        const Tensor entropy = mul(target, log(where(none, 1.0, target)));
        losses = sub(entropy, mul(target, input));
    }
    if (reduction != "batchmean") return reduced_as(losses, reduction, "kl_div");
    if (losses.dims() == 0) return losses;
    return div(sum(losses), static_cast<double>(losses.size(0)));
}

namespace {

// w[t] picked(t); where t is ignore_index, nothing
template <class Picked>
Tensor of_classes(const Arg& target, const ClassLoss& o, const Picked& loss) {
    const Tensor counts = ne(target, o.ignore_index);
    const Tensor safe = where(counts, target, 0);
    const Tensor picked = loss(safe);
    if (!o.weight.defined())
        return over_weights(where(counts, picked, 0.0), cast(counts, picked.dtype()), o.reduction,
                            "nll_loss");
    const Tensor by_class = reshape(gather(o.weight, 0, reshape(safe, {-1})), safe.shape());
    const Tensor w = where(counts, by_class, 0.0);
    return over_weights(mul(picked, w), w, o.reduction, "nll_loss");
}

}  // namespace

// -w[t] x[t]
Tensor nll_loss(const Arg& input, const Arg& target, const ClassLoss& o) {
    const Here here(input.where, "nll_loss");
    if (is_low(input)) return as_loss(nll_loss(widened(input), target, widened(o)), input);
    check_classes("nll_loss", input, target, o);
    const int classes = input.tensor.dims() == 1 ? 0 : 1;
    return of_classes(target, o, [&](const Tensor& t) {
        return neg(squeeze(gather(input, classes, unsqueeze(t, classes)), classes));
    });
}

// -sum_c t_c log softmax(x)_c. A class as target is 1 there and 0 elsewhere; label smoothing e
// makes it 1 - e there and e / C everywhere besides.
Tensor cross_entropy(const Arg& input, const Arg& target, const ClassLoss& o) {
    const Here here(input.where, "cross_entropy");
    if (is_low(input))
        return as_loss(cross_entropy(widened(input), widened(target), widened(o)), input, target);
    const double e = o.label_smoothing;
    if (!(e >= 0 && e <= 1))
        fail(ErrorKind::runtime, "cross_entropy: label_smoothing is ", e, ", outside 0..1");
    const int classes = input.tensor.dims() == 1 ? 0 : 1;
    const bool soft = is_floating(target.tensor.dtype()) && input.tensor.dims() > 0 &&
                      input.tensor.dims() == target.tensor.dims();
    if (!soft) check_classes("cross_entropy", input, target, o);
    if (soft && o.ignore_index >= 0)
        fail(ErrorKind::runtime, "cross_entropy: ignore_index is ", o.ignore_index,
             ", but the target has probabilities and no classes to ignore");
    if (!soft && e == 0 && takes_lines(input.tensor, classes))
        return of_classes(target, o, [&](const Tensor& t) {
            return cross_entropy_of_lines(input.tensor, t, classes);
        });
    const Tensor log_p = log_softmax(input, classes);
    const std::int64_t n = input.tensor.shape()[classes];
    Tensor by_class = o.weight;
    if (by_class.defined()) {
        Dims shape = Dims::of(input.tensor.dims(), 1);
        shape[classes] = by_class.shape()[0];
        by_class = reshape(by_class, shape);
    }
    const auto over_classes = [&](const Tensor& x) {
        return neg(sum(by_class.defined() ? mul(x, by_class) : x, classes));
    };
    if (soft) {
        const Tensor t =
            e > 0 ? add(mul(target, 1 - e), e / static_cast<double>(n)) : target.tensor;
        const Tensor losses = over_classes(mul(log_p, t));
        if (o.reduction != "mean") return reduced_as(losses, o.reduction, "cross_entropy");
        return mean(losses);
    }
    if (e == 0) return nll_loss(log_p, target, o);
    const Tensor counts = ne(target, o.ignore_index);
    ClassLoss each = o;
    each.reduction = "none";
    const Tensor at_target = nll_loss(log_p, target, each);
    const Tensor everywhere = where(counts, over_classes(log_p), 0.0);
    const Tensor losses = add(mul(at_target, 1 - e), mul(everywhere, e / static_cast<double>(n)));
    Tensor w = cast(counts, losses.dtype());
    if (o.weight.defined()) {
        const Tensor safe = where(counts, target, 0);
        w = mul(w, reshape(gather(o.weight, 0, reshape(safe, {-1})), safe.shape()));
    }
    return over_weights(losses, w, o.reduction, "cross_entropy");
}

}  // namespace tg
