// Losses beside those of reductions.cc, distances, and activations that shrink: what
// tapegraph.nn.functional offers of core/ops/criteria.h and shrinks.h.
#include "python/pointwise.h"

namespace tg::python {
namespace {

std::string reduction(const Call& c, int i) { return c.given(i) ? c.string(i) : "mean"; }
Tensor optional(const Call& c, int i) { return c.given(i) ? c.tensor(i) : Tensor(); }

template <class F>
PyObject* computed(const Arg& x, F&& f) {
    return wrap(compute(work_of(x), f));
}

PyObject* cosine_similarity(const Call& c) {
    const Arg a(c.tensor(0)), b(c.tensor(1));
    const std::int64_t dim = c.integer(2, 1);
    const double eps = c.real(3, 1e-8);
    return computed(a, [&] { return tg::cosine_similarity(a, b, dim, eps); });
}

PyObject* pairwise_distance(const Call& c) {
    const Arg a(c.tensor(0)), b(c.tensor(1));
    const double p = c.real(2, 2), eps = c.real(3, 1e-6);
    const bool keepdim = c.flag(4);
    return computed(a, [&] { return tg::pairwise_distance(a, b, p, eps, keepdim); });
}

PyObject* normalize(const Call& c) {
    const Arg x(c.tensor(0));
    const double p = c.real(1, 2), eps = c.real(3, 1e-12);
    const DimList dims = c[2] ? c.dim_list(2) : DimList(1);
    return computed(x, [&] { return tg::normalize(x, p, dims, eps); });
}

PyObject* bilinear(const Call& c) {
    const Arg a(c.tensor(0)), b(c.tensor(1)), weight(c.tensor(2));
    const Tensor bias = optional(c, 3);
    return computed(weight, [&] { return tg::bilinear(a, b, weight, bias); });
}

PyObject* huber_loss(const Call& c) {
    const Arg x(c.tensor(0)), target(c.tensor(1));
    const std::string how = reduction(c, 2);
    const double delta = c.real(3, 1);
    const Tensor weight = optional(c, 4);
    return computed(x, [&] { return tg::huber_loss(x, target, how, delta, weight); });
}

PyObject* binary_cross_entropy(const Call& c) {
    const Arg x(c.tensor(0)), target(c.tensor(1));
    const Tensor weight = optional(c, 2);
    const std::string how = reduction(c, 3);
    return computed(x, [&] { return tg::binary_cross_entropy(x, target, weight, how); });
}

PyObject* poisson_nll_loss(const Call& c) {
    const Arg x(c.tensor(0)), target(c.tensor(1));
    const PoissonLoss options{.log_input = c.flag(2, true),
                              .full = c.flag(3),
                              .eps = c.real(4, 1e-8),
                              .reduction = reduction(c, 5)};
    return computed(x, [&] { return tg::poisson_nll_loss(x, target, options); });
}

PyObject* gaussian_nll_loss(const Call& c) {
    const Arg x(c.tensor(0)), target(c.tensor(1)), var = c.operand(2);
    const GaussianLoss options{
        .full = c.flag(3), .eps = c.real(4, 1e-6), .reduction = reduction(c, 5)};
    return computed(x, [&] { return tg::gaussian_nll_loss(x, target, var, options); });
}

PyObject* soft_margin_loss(const Call& c) {
    const Arg x(c.tensor(0)), target(c.tensor(1));
    const std::string how = reduction(c, 2);
    return computed(x, [&] { return tg::soft_margin_loss(x, target, how); });
}

PyObject* hinge_embedding_loss(const Call& c) {
    const Arg x(c.tensor(0)), target(c.tensor(1));
    const double margin = c.real(2, 1);
    const std::string how = reduction(c, 3);
    return computed(x, [&] { return tg::hinge_embedding_loss(x, target, margin, how); });
}

template <Tensor (*op)(const Arg&, const Arg&, const Arg&, double, const std::string&)>
PyObject* of_pairs(const Call& c) {
    const Arg a(c.tensor(0)), b(c.tensor(1)), target(c.tensor(2));
    const double margin = c.real(3, 0);
    const std::string how = reduction(c, 4);
    return computed(a, [&] { return op(a, b, target, margin, how); });
}

PyObject* triplet_margin_loss(const Call& c) {
    const Arg anchor(c.tensor(0)), positive(c.tensor(1)), negative(c.tensor(2));
    const TripletLoss options{.margin = c.real(3, 1),
                              .p = c.real(4, 2),
                              .eps = c.real(5, 1e-6),
                              .swap = c.flag(6),
                              .reduction = reduction(c, 7)};
    return computed(anchor,
                    [&] { return tg::triplet_margin_loss(anchor, positive, negative, options); });
}

PyObject* multi_margin_loss(const Call& c) {
    const Arg x(c.tensor(0)), target(c.tensor(1));
    const MarginLoss options{.p = c.integer(2, 1),
                             .margin = c.real(3, 1),
                             .weight = optional(c, 4),
                             .reduction = reduction(c, 5)};
    return computed(x, [&] { return tg::multi_margin_loss(x, target, options); });
}

PyObject* multilabel_soft_margin_loss(const Call& c) {
    const Arg x(c.tensor(0)), target(c.tensor(1));
    const Tensor weight = optional(c, 2);
    const std::string how = reduction(c, 3);
    return computed(x, [&] { return tg::multilabel_soft_margin_loss(x, target, weight, how); });
}

// A tensor, or a list of ints as one.
Tensor lengths(const Call& c, int i) {
    if (c[i] && is_tensor(c[i])) return c.tensor(i);
    if (!c[i] || (!PyTuple_Check(c[i]) && !PyList_Check(c[i])))
        c.wrong(i, "a tensor or a tuple of ints");
    std::vector<std::int64_t> list;
    for (const py::handle item : py::reinterpret_borrow<py::sequence>(c[i])) {
        std::int64_t n = 0;
        if (!to_integer(item.ptr(), n)) c.wrong(i, "a tensor or a tuple of ints");
        list.push_back(n);
    }
    return constant(tensor(list));
}

PyObject* ctc_loss(const Call& c) {
    const Arg x(c.tensor(0)), targets(c.tensor(1));
    const Arg input_lengths(lengths(c, 2)), target_lengths(lengths(c, 3));
    const CtcLoss options{
        .blank = c.integer(4, 0), .reduction = reduction(c, 5), .zero_infinity = c.flag(6)};
    return computed(
        x, [&] { return tg::ctc_loss(x, targets, input_lengths, target_lengths, options); });
}

constexpr Place function = Place::function;
const Function losses[] = {
    {"cosine_similarity(x1, x2, dim=1, eps=1e-08)", cosine_similarity,
     "x1 . x2 / (|x1| |x2|) along dim, each norm at least eps. Broadcasts.", function},
    {"pairwise_distance(x1, x2, p=2.0, eps=1e-06, keepdim=False)", pairwise_distance,
     "|x1 - x2 + eps|_p over the last dim. Broadcasts.", function},
    {"normalize(input, p=2.0, dim=1, eps=1e-12)", normalize,
     "input / |input|_p over dim, an int or several; a norm below eps counts as eps.", function},
    {"bilinear(input1, input2, weight, bias=None)", bilinear,
     "input1 (..., I), input2 (..., J), weight (O, I, J), bias (O,) -> (..., O): for each o\n"
     "input1 weight[o] input2 + bias[o]. Raises RuntimeError for what does not fit.",
     function},
    {"huber_loss(input, target, reduction='mean', delta=1.0, weight=None)", huber_loss,
     "d^2 / 2 where d = |input - target| is up to delta, else delta (d - delta / 2), times "
     "weight,\n"
     "of input's shape. Raises RuntimeError for a delta of 0 or below.",
     function},
    {"binary_cross_entropy(input, target, weight=None, reduction='mean')", binary_cross_entropy,
     "-(target log input + (1 - target) log(1 - input)) of probabilities; a log is at least\n"
     "-100. Raises ValueError for two shapes, RuntimeError for an input outside of 0..1.",
     function},
    {"poisson_nll_loss(input, target, log_input=True, full=False, eps=1e-08, reduction='mean')",
     poisson_nll_loss,
     "rate - target log rate, where input is log rate, or with log_input=False the rate, to\n"
     "which eps is added in the log. full: also log target!, by Stirling, where target > 1.",
     function},
    {"gaussian_nll_loss(input, target, var, full=False, eps=1e-06, reduction='mean')",
     gaussian_nll_loss,
     "(log var + (input - target)^2 / var) / 2, and with full + log(2 pi) / 2. var, a number or\n"
     "a tensor of input's shape, without its last dim, or with 1 there, counts as eps at least.\n"
     "Raises ValueError if it does not fit or has an element below 0.",
     function},
    {"soft_margin_loss(input, target, reduction='mean')", soft_margin_loss,
     "log(1 + exp(-target input)); target is 1 or -1.", function},
    {"hinge_embedding_loss(input, target, margin=1.0, reduction='mean')", hinge_embedding_loss,
     "input where target is 1, max(0, margin - input) where it is -1.", function},
    {"margin_ranking_loss(input1, input2, target, margin=0, reduction='mean')",
     of_pairs<tg::margin_ranking_loss>,
     "max(0, margin - target (input1 - input2)): target 1 ranks input1 first, -1 input2.",
     function},
    {"cosine_embedding_loss(input1, input2, target, margin=0, reduction='mean')",
     of_pairs<tg::cosine_embedding_loss>,
     "1 - c where target is 1, max(0, c - margin) where it is -1; c is the cosine of inputs\n"
     "(N, D), with target (N,), or of (D,) with (). Raises RuntimeError for other shapes.",
     function},
    {"triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2.0, eps=1e-06, swap=False, "
     "reduction='mean')",
     triplet_margin_loss,
     "max(0, margin + |anchor - positive| - |anchor - negative|), pairwise distances of norm p.\n"
     "swap: |positive - negative| where that is less. Raises ValueError for a margin of 0.",
     function},
    {"multi_margin_loss(input, target, p=1, margin=1.0, weight=None, reduction='mean')",
     multi_margin_loss,
     "sum over the classes c but t of weight[t] max(0, margin - input[t] + input[c])^p / C:\n"
     "input (N, C), target (N,) int64, or (C,) and (). p is 1 or 2.",
     function},
    {"multilabel_soft_margin_loss(input, target, weight=None, reduction='mean')",
     multilabel_soft_margin_loss,
     "The mean over the classes of the cross entropy of each: input of logits and target of 0\n"
     "and 1 (N, C) -> (N,), or (C,) -> ().",
     function},
    {"ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction='mean', "
     "zero_infinity=False)",
     ctc_loss,
     "-log of the probability that log_probs spells targets, when letters may be repeated and\n"
     "blanks lie between: log_probs (T, N, C) or (T, C), log-softmax over C; targets (N, S)\n"
     "filled up, or those of all rows one after the other; input_lengths, up to T, and\n"
     "target_lengths (N,), tensors or tuples. 'mean' divides by the target's length first.\n"
     "Where no way spells the target the loss is inf, or 0 with zero_infinity; its gradient is\n"
     "0. The gradient by log_probs is the derivative; PyTorch's is that by the logits before a\n"
     "log_softmax, and behind one they are equal.\n"
     "[Graves et al. 2006, Connectionist temporal classification]",
     function},
};

PyObject* celu(const Call& c) {
    const Arg x(c.tensor(0));
    const double alpha = c.real(1, 1);
    return computed(x, [&] { return tg::celu(x, alpha); });
}

template <Tensor (*op)(const Arg&, double)>
PyObject* shrunk(const Call& c) {
    const Arg x(c.tensor(0));
    const double lambd = c.real(1, 0.5);
    return computed(x, [&] { return op(x, lambd); });
}

PyObject* threshold(const Call& c) {
    const Arg x(c.tensor(0));
    const double least = c.number(1).as_real(), value = c.number(2).as_real();
    return computed(x, [&] { return tg::threshold(x, least, value); });
}

const Function activations[] = {
    {"selu(input)", unary<tg::selu>,
     "scale * elu(input, alpha), with the two for which mean 0 and variance 1 stay so.", function},
    {"celu(input, alpha=1.0)", celu, "input above 0, alpha * (exp(input / alpha) - 1) below.",
     function},
    {"hardshrink(input, lambd=0.5)", shrunk<tg::hardshrink>,
     "input, and 0 within -lambd and lambd."},
    {"softshrink(input, lambd=0.5)", shrunk<tg::softshrink>,
     "input nearer to 0 by lambd, and 0 within -lambd and lambd. Raises RuntimeError for a\n"
     "negative lambd.",
     function},
    {"threshold(input, threshold, value)", threshold,
     "input where it is above threshold, value elsewhere.", function},
};

}  // namespace

void bind_criteria(py::module_& m) {
    add_functions(m, losses);
    add_functions(m, activations);
}

}  // namespace tg::python
