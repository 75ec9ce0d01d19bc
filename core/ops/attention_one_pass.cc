// The records of attention in one pass: see attention.h. kernels/attention.h has the formulas.
#include <limits>

#include "core/ops/attention.h"
#include "core/ops/family.h"
#include "core/ops/lines.h"
#include "kernels/attention.h"

namespace tg {
namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

using kernels::attention::GradientInputs;
using kernels::attention::Inputs;
using kernels::attention::Rows;

// ---- shapes -------------------------------------------------------------------------------------

void check_rows(const Op& op, std::span<const Desc> in) {
    const Dims &q = in[0].shape, &k = in[1].shape, &v = in[2].shape;
    const bool fit = q.size() == 3 && k.size() == 3 && v.size() == 3 && q[0] == k[0] &&
                     k[0] == v[0] && q[2] == k[2] && k[1] == v[1] && is_floating(in[0].dtype);
    if (!fit)
        fail(ErrorKind::runtime, op.name, ": ", text(in[0]), ", ", text(in[1]), " and ",
             text(in[2]), " are no floating (B, L, E), (B, S, E) and (B, S, V)");
}

// q (B, L, E), k (B, S, E), v (B, S, V) -> (B, L, V), (B, L, 1)
Descs attention_shape(const Op& op, std::span<const Desc> in, const Attrs&) {
    check_rows(op, in);
    const Dims &q = in[0].shape, &v = in[2].shape;
    const auto of_width = [&](std::int64_t width) {
        return Desc{{q[0], q[1], width}, in[0].dtype, in[0].device};
    };
    return {of_width(v[2]), of_width(1)};
}

// q, k, v, lse (B, L, 1), delta (B, L, 1), g (B, L, V) -> the shapes of q, k and v
Descs attention_gradient_shape(const Op& op, std::span<const Desc> in, const Attrs&) {
    check_rows(op, in);
    return {in[0], in[1], in[2]};
}

// ---- kernels ------------------------------------------------------------------------------------

template <class T>
Inputs<T> inputs(const Launch& l) {
    return {Rows<const T>(l.in[0]), Rows<const T>(l.in[1]), Rows<const T>(l.in[2]),
            static_cast<T>(l.attrs.real(0)), l.attrs.integer(1) != 0};
}

// run(b, i) for each row of x
template <class Run>
void each_row(const kernels::Array& x, const Run& run) {
    for (std::int64_t b = 0; b < x.shape[0]; ++b)
        for (std::int64_t i = 0; i < x.shape[1]; ++i) run(b, i);
}

template <class T>
void attend_on_cpu(const Launch& l) {
    const Inputs<T> in = inputs<T>(l);
    const Rows<T> y(l.out[0]), lse(l.out[1]);
    each_row(l.out[0], [&](std::int64_t b, std::int64_t i) {
        lse(b, i)[0] = kernels::attention::attend(in, b, i, y(b, i));
    });
}

template <class T>
void gradient_on_cpu(const Launch& l) {
    const GradientInputs<T> in = {inputs<T>(l), Rows<const T>(l.in[3]), Rows<const T>(l.in[4]),
                                  Rows<const T>(l.in[5])};
    const Rows<T> dq(l.out[0]), dk(l.out[1]), dv(l.out[2]);
    each_row(l.out[0], [&](std::int64_t b, std::int64_t i) {
        kernels::attention::query_gradient(in, b, i, dq(b, i));
    });
    each_row(l.out[1], [&](std::int64_t b, std::int64_t j) {
        kernels::attention::key_gradient(in, b, j, dk(b, j), dv(b, j));
    });
}

void attention_cpu(const Launch& l) {
    l.in[0].dtype == DType::float32 ? attend_on_cpu<float>(l) : attend_on_cpu<double>(l);
}
void attention_gradient_cpu(const Launch& l) {
    l.in[0].dtype == DType::float32 ? gradient_on_cpu<float>(l) : gradient_on_cpu<double>(l);
}
bool attention_cuda(const Launch& l) {
    return kernels::cuda::backend().attention(l.out[0], l.out[1], l.in[0], l.in[1], l.in[2],
                                              l.attrs.real(0), l.attrs.integer(1) != 0);
}
bool attention_gradient_cuda(const Launch& l) {
    return kernels::cuda::backend().attention_gradient(
        l.out[0], l.out[1], l.out[2], {l.in[0], l.in[1], l.in[2], l.in[3], l.in[4], l.in[5]},
        l.attrs.real(0), l.attrs.integer(1) != 0);
}

// ---- gradients ----------------------------------------------------------------------------------

Tensor turned(const Tensor& x) { return x.defined() ? transpose(x, -2, -1) : x; }
Tensor row_sum(const Tensor& x) { return sum(x, 2, true); }

// y = p v with p = softmax(scale q k.T)  =>  delta = sum(g y), ds = p (g v.T - delta), dq = scale
// ds k, dk = scale ds.T q, dv = p.T g; where lse has a gradient g1, delta is less by g1.
void attention_rule(Backward& n) {
    Tensor delta = row_sum(n.g(0) * n.output(0));
    if (n.has(1)) delta = delta - n.g(1);
    const Arg args[] = {n.input(0), n.input(1), n.input(2), n.output(1), delta, n.g(0)};
    const Outputs d = apply_all(ops::attention_gradient, args, n.attrs());
    for (int i = 0; i < 3; ++i) n.give(i, d[i]);
}

// The weights p_ij, in full: 0 where query i comes before key j, if attention is causal.
Tensor weights(const Tensor& q, const Tensor& k, const Tensor& lse, const Attrs& attrs) {
    Tensor scores = matmul(q * attrs.real(0), turned(k)) - lse;
    if (attrs.integer(1) != 0) {
        // Before exp: of one that overflows no 0 can be made again.
        const Tensor seen = tril(ones(Dims{q.shape()[1], k.shape()[1]}, {.device = q.device()}));
        scores = masked_fill(scores, eq(seen, 0), minus_infinity);
    }
    return exp(scores);
}

// Of what may be undefined, which stands for zeros.
Tensor product(const Tensor& x, const Tensor& y) {
    return x.defined() && y.defined() ? matmul(x, y) : Tensor();
}
Tensor times(const Tensor& x, const Arg& y) { return x.defined() ? mul(x, y) : x; }
Tensor plus(const Tensor& x, const Tensor& y) {
    return x.defined() && y.defined() ? x + y : x.defined() ? x : y;
}

// dq = scale ds k, dk = scale ds.T q, dv = p.T g with ds = p a, a = g v.T - delta  =>  of hq, hk,
// hv, the gradients of these, ds gets h = scale (hq k.T + q hk.T), and p gets h a + g hv.T.
void attention_gradient_rule(Backward& n) {
    const double scale = n.attrs().real(0);
    const Tensor q = n.input(0).tensor, k = n.input(1).tensor, v = n.input(2).tensor,
                 lse = n.input(3).tensor, delta = n.input(4).tensor, g = n.input(5).tensor;
    const auto gradient = [&](int output) { return n.has(output) ? n.g(output) : Tensor(); };
    const Tensor hq = gradient(0), hk = gradient(1), hv = gradient(2);
    const Tensor p = weights(q, k, lse, n.attrs());
    const Tensor a = matmul(g, turned(v)) - delta, ds = p * a;
    const Tensor h = times(plus(product(hq, turned(k)), product(q, turned(hk))), scale);
    const Tensor of_a = times(h, p);
    const Tensor of_s = times(plus(times(h, a), product(g, turned(hv))), p);
    if (n.wants(0)) n.give(0, times(plus(product(of_s, k), product(ds, hk)), scale));
    if (n.wants(1))
        n.give(1, times(plus(product(turned(of_s), q), product(turned(ds), hq)), scale));
    if (n.wants(2)) n.give(2, product(turned(of_a), g));
    if (n.wants(3)) n.give(3, neg(row_sum(of_s)));
    if (n.wants(4) && of_a.defined()) n.give(4, neg(row_sum(of_a)));
    if (n.wants(5)) n.give(5, plus(product(of_a, v), product(p, hv)));
}

}  // namespace

namespace ops {

const Op attention = {.name = "attention",
                      .inputs = 3,
                      .shape = attention_shape,
                      .gradient = attention_rule,
                      .needs = {{Need::a, Need::b, Need::c, Need::y, Need::y1},
                                {Need::a, Need::b, Need::c, Need::y, Need::y1},
                                {Need::a, Need::b, Need::c, Need::y, Need::y1}},
                      .cpu = attention_cpu,
                      .cuda = attention_cuda,
                      .attributes = {{"scale", AttrKind::real}, {"is_causal", AttrKind::integer}},
                      .batch = batch_lines};
const Op attention_gradient = {
    .name = "attention_gradient",
    .inputs = 6,
    .shape = attention_gradient_shape,
    .gradient = attention_gradient_rule,
    .needs = {{Need::a, Need::b, Need::c, Need::d, Need::e, Need::f},
              {Need::a, Need::b, Need::c, Need::d, Need::e, Need::f},
              {Need::a, Need::b, Need::c, Need::d, Need::e, Need::f}},
    .cpu = attention_gradient_cpu,
    .cuda = attention_gradient_cuda,
    .attributes = {{"scale", AttrKind::real}, {"is_causal", AttrKind::integer}},
    .batch = batch_lines};

}  // namespace ops

std::span<const Op* const> attention_ops() {
    static const Op* const list[] = {&ops::attention, &ops::attention_gradient};
    return list;
}

}  // namespace tg
