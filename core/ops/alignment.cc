// The CTC loss: how likely a network's letters, one a time step, are to spell a target. The network
// may repeat a letter and say nothing, the blank: aa-b and -abb both spell ab.
//
// [Graves et al. 2006, Connectionist temporal classification, 4.1]
#include <limits>

#include "core/history.h"
#include "core/low_precision.h"
#include "core/ops/listed.h"
#include "core/ops/reduced.h"

namespace tg {
namespace {

// The log of nothing: so low that no sum of logs comes near, and finite, so that all gradients are.
constexpr double nothing = -1e30;

struct Ctc {
    const char* op = "ctc_loss";
    Tensor log_probs;                      // (T, N, C)
    Tensor labels;                         // (N, S)
    Tensor input_lengths, target_lengths;  // (N,)
    std::int64_t steps = 0, rows = 0, classes = 0, longest = 0;
};

Tensor whole(const Ctc& c, const Arg& x, const char* what) {
    const DType dtype = x.tensor.dtype();
    if (dtype != DType::int64 && dtype != DType::int32)
        fail(ErrorKind::runtime, c.op, ": ", what, " is ", name_of(dtype),
             ", and must be int64 or int32");
    return cast(x, DType::int64);
}

// The lengths, where they are known: not those that a recording will be given.
std::vector<std::int64_t> numbers(const Ctc& c, const Tensor& given, const char* what) {
    Tensor value = given;
    if (recording() || given.is_symbolic()) {
        const Ref<Node> node = given.is_symbolic() ? value_of(given).node : nullptr;
        if (!node || node->op != find_op("constant")) return {};
        const RecordingScope now(nullptr);
        value = apply(*node->op, std::span<const Arg>{}, node->attrs);
    }
    const RecordingScope now(nullptr);
    const NoGrad mode;
    value = contiguous(to(cast(value.detach(), DType::int64), Device::cpu));
    const auto* first = static_cast<const std::int64_t*>(value.data());
    const std::vector<std::int64_t> list(first, first + value.numel());
    for (const std::int64_t n : list)
        if (n < 0) fail(ErrorKind::runtime, c.op, ": ", what, " has ", n, ", below 0");
    return list;
}

// Targets one after the other, (sum of their lengths,) -> (N, S), filled up with the first label.
Tensor side_by_side(const Ctc& c, const Tensor& targets, const std::vector<std::int64_t>& lengths) {
    std::int64_t total = 0;
    for (const std::int64_t n : lengths)
        if (__builtin_add_overflow(total, n, &total)) total = -1;
    if (targets.dims() != 1 || (!is_unknown(targets.shape()[0]) && targets.shape()[0] != total))
        fail(ErrorKind::runtime, c.op, ": targets ", text(targets.shape()),
             " must be (N, S), or of all rows one after the other, which have ", total);
    std::vector<std::int64_t> places;
    std::int64_t begin = 0;
    for (const std::int64_t n : lengths) {
        for (std::int64_t s = 0; s < c.longest; ++s) places.push_back(s < n ? begin + s : 0);
        begin += n;
    }
    if (places.empty()) return reshape(slice(targets, 0, 0, 0), {c.rows, c.longest});
    return reshape(index_select(targets, 0, listed(places, targets)), {c.rows, c.longest});
}

Ctc checked(const Arg& log_probs, const Arg& targets, const Arg& input_lengths,
            const Arg& target_lengths, const CtcLoss& o) {
    Ctc c;
    const Dims& x = log_probs.tensor.shape();
    if (!is_floating(log_probs.tensor.dtype()))
        fail(ErrorKind::unsupported, c.op, ": needs a floating dtype, and log_probs is ",
             name_of(log_probs.tensor.dtype()));
    if (x.size() != 2 && x.size() != 3)
        fail(ErrorKind::runtime, c.op, ": log_probs ", text(x), " must be (T, N, C) or (T, C)");
    c.log_probs = x.size() == 3 ? log_probs.tensor : unsqueeze(log_probs, 1);
    c.steps = known_size(c.op, c.log_probs, 0);
    c.rows = known_size(c.op, c.log_probs, 1);
    c.classes = known_size(c.op, c.log_probs, 2);
    if (o.blank < 0 || o.blank >= c.classes)
        fail(ErrorKind::runtime, c.op, ": blank is ", o.blank, ", and there are ", c.classes,
             " classes");
    const auto lengths = [&](const Arg& given, const char* what) {
        const Tensor l = reshape(whole(c, given, what), {-1});
        if (l.shape()[0] != c.rows && !is_unknown(l.shape()[0]))
            fail(ErrorKind::runtime, c.op, ": ", what, " has ", l.shape()[0],
                 " numbers, and log_probs ", text(x), " has ", c.rows, " rows");
        return to(l, log_probs.tensor.device());  // they may be on the CPU, as in PyTorch
    };
    c.input_lengths = lengths(input_lengths, "input_lengths");
    c.target_lengths = lengths(target_lengths, "target_lengths");
    for (const std::int64_t n : numbers(c, input_lengths.tensor, "input_lengths"))
        if (n > c.steps)
            fail(ErrorKind::runtime, c.op, ": an input length is ", n, ", and log_probs ", text(x),
                 " has ", c.steps, " steps");
    const std::vector<std::int64_t> known = numbers(c, target_lengths.tensor, "target_lengths");
    const Tensor t = whole(c, targets, "targets");
    if (t.dims() == 2) {
        c.longest = known_size(c.op, t, 1);
        if (t.shape()[0] != c.rows && !is_unknown(t.shape()[0]))
            fail(ErrorKind::runtime, c.op, ": targets ", text(t.shape()), " has not the ", c.rows,
                 " rows of log_probs ", text(x));
        for (const std::int64_t n : known)
            if (n > c.longest)
                fail(ErrorKind::runtime, c.op, ": a target length is ", n, ", and targets ",
                     text(t.shape()), " has ", c.longest, " places");
        c.labels = t;
        return c;
    }
    if (known.empty() && c.rows > 0)
        fail(ErrorKind::runtime, c.op,
             ": where lengths are symbols, targets are (N, S), filled up");
    for (const std::int64_t n : known) c.longest = std::max(c.longest, n);
    c.labels = side_by_side(c, t, known);
    return c;
}

// log(e^a + e^b + e^c)
Tensor added_up(const Tensor& a, const Tensor& b, const Tensor& c) {
    const Tensor top = maximum(maximum(a, b), c).detach();
    return add(top, log(add(add(exp(sub(a, top)), exp(sub(b, top))), exp(sub(c, top)))));
}

// x (N, L) -> (N, L), moved on by n places
Tensor later(const Tensor& x, std::int64_t n) {
    const std::int64_t length = x.shape()[1], by = std::min(n, length);
    const Tensor before = full({x.shape()[0], by}, nothing, {x.dtype(), x.device()});
    return cat({before, slice(x, 1, 0, length - by)}, 1);
}

// With blanks between, before and after, a target l of S labels is l' of 2 S + 1. alpha[s] is the
// log of what all ways add up to that end at l'[s] at a step:
//     alpha[s] = log(e^alpha[s] + e^alpha[s-1] + e^alpha[s-2]) + log p[l'[s]],
// the third only where l'[s] is no blank and not l'[s-2]: else a blank must lie between.
Tensor log_likelihood(const Ctc& c, std::int64_t blank) {
    const Options labels{DType::int64, c.labels.device()};
    const Options logs{c.log_probs.dtype(), c.log_probs.device()};
    const std::int64_t length = 2 * c.longest + 1;
    const Tensor ends = unsqueeze(c.target_lengths, 1);  // (N, 1)
    const Tensor real = where(lt(to(arange(c.longest), labels.device), ends), c.labels, blank);
    const Tensor blanks = full({c.rows, c.longest}, blank, labels);
    const Tensor first = full({c.rows, 1}, blank, labels);
    const Tensor pairs = reshape(stack({real, blanks}, 2), {c.rows, length - 1});
    const Tensor spelled = cat({first, pairs}, 1);  // l' (N, L)
    const Tensor before = cat({full({c.rows, std::min<std::int64_t>(2, length)}, blank, labels),
                               slice(spelled, 1, 0, std::max<std::int64_t>(length - 2, 0))},
                              1);
    const Tensor skips = mul(ne(spelled, blank), ne(spelled, before));
    const Tensor index = expand(unsqueeze(spelled, 0), {c.steps, c.rows, length});
    const Tensor said = gather(where(lt(c.log_probs, nothing), nothing, c.log_probs), 2, index);
    const Tensor begin = lt(to(arange(length), labels.device), 2);
    // Before the first step a way stands before l'[0], from where it comes to l'[0] or l'[1].
    Tensor alpha = full({c.rows, length}, nothing, logs);
    for (std::int64_t t = 0; t < c.steps; ++t) {
        const Tensor p = select(said, 0, t);
        const Tensor next =
            t == 0
                ? where(begin, p, nothing)
                : add(added_up(alpha, later(alpha, 1), where(skips, later(alpha, 2), nothing)), p);
        alpha = where(gt(unsqueeze(c.input_lengths, 1), t), next, alpha);
    }
    if (c.steps == 0) alpha = add(alpha, 0.0);
    const Tensor last = gather(alpha, 1, mul(ends, 2));
    const Tensor label = gather(alpha, 1, relu(sub(mul(ends, 2), 1)));
    const Tensor none = full({c.rows, 1}, nothing, logs);
    const Tensor at_label = where(eq(ends, 0), nothing, label);
    // With no step at all, only nothing was spelled.
    const Tensor empty = where(eq(ends, 0), 0.0, none);
    const Tensor spelt = added_up(last, at_label, none);
    return squeeze(where(eq(unsqueeze(c.input_lengths, 1), 0), cast(empty, logs.dtype), spelt), 1);
}

}  // namespace

Tensor ctc_loss(const Arg& log_probs, const Arg& targets, const Arg& input_lengths,
                const Arg& target_lengths, const CtcLoss& o) {
    const Here here(log_probs.where, "ctc_loss");
    if (is_low(log_probs))
        return as_loss(ctc_loss(widened(log_probs), targets, input_lengths, target_lengths, o),
                       log_probs);
    const Ctc c = checked(log_probs, targets, input_lengths, target_lengths, o);
    const Tensor likely = log_likelihood(c, o.blank);
    const double without = o.zero_infinity ? 0.0 : std::numeric_limits<double>::infinity();
    Tensor losses = where(lt(likely, nothing / 2), without, neg(likely));
    if (log_probs.tensor.dims() == 2) losses = squeeze(losses, 0);
    if (o.reduction == "mean") {
        const Tensor lengths = cast(maximum(c.target_lengths, 1), losses.dtype());
        losses = div(losses, reshape(lengths, losses.shape()));
    }
    return reduced_as(losses, o.reduction, c.op);
}

}  // namespace tg
