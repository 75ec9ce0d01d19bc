// Attention: each query looks at all keys, and takes the values that go with those it likes.
// L queries, S keys and values, E the size of a query and a key, V that of a value.
// [Vaswani et al. 2017, Attention is all you need, 3.2.1]
#include "core/ops/attention.h"

#include <cmath>
#include <limits>

#include "core/autocast.h"
#include "core/low_precision.h"
#include "core/ops/family.h"

namespace tg {
namespace {

// ---- of other ops -------------------------------------------------------------------------------

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

// softmax(scores), with -infinity where query i is before key j
Tensor causal(const Tensor& scores) {
    const std::int64_t rows = known_size("scaled_dot_product_attention", scores, scores.dims() - 2);
    const std::int64_t columns =
        known_size("scaled_dot_product_attention", scores, scores.dims() - 1);
    const Tensor i = unsqueeze(to(arange(rows), scores.device()), 1);
    const Tensor j = to(arange(columns), scores.device());
    return softmax(masked_fill(scores, gt(j, i), minus_infinity), -1);
}

Tensor masked(const Tensor& scores, const Tensor& mask) {
    const Tensor s = mask.dtype() == DType::boolean
                         ? masked_fill(scores, logical_not(mask), minus_infinity)
                         : add(scores, mask);
    // A row of -infinity alone would be 0 / 0.
    const Tensor nowhere = eq(amax(s.detach(), -1, true), minus_infinity);
    return masked_fill(softmax(masked_fill(s, nowhere, 0.0), -1), nowhere, 0.0);
}

// Each element 0 with probability p, or else made larger by 1 / (1 - p).
Tensor dropped(const Tensor& x, double p) {
    if (!(p >= 0 && p <= 1))
        fail(ErrorKind::runtime, "dropout: p is a probability, 0 to 1, and not ", p);
    if (p == 0) return x;
    const Tensor drawn = rand(x.shape(), {.dtype = x.dtype(), .device = x.device()});
    return mul(x, mul(cast(ge(drawn, p), x.dtype()), p < 1 ? 1 / (1 - p) : 0.0));
}

// softmax(scale query key.T) value
Attention composed(const Tensor& query, const Tensor& key, const Tensor& value, double scale,
                   const AttentionOptions& o) {
    const Tensor scores = matmul(mul(query, scale), transpose(key, -2, -1));
    Tensor weights;
    if (o.is_causal)
        weights = causal(scores);
    else
        weights = o.attn_mask.defined() ? masked(scores, o.attn_mask) : softmax(scores, -1);
    weights = dropped(weights, o.dropout_p);
    return {matmul(weights, value), weights};
}

// ---- in one pass --------------------------------------------------------------------------------

// Is this a call for ops::attention, that says nothing of a mask, of dropout, or of the weights?
bool takes_one_pass(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& o) {
    if (o.need_weights || o.attn_mask.defined() || o.dropout_p != 0) return false;
    for (const Tensor* x : {&q, &k, &v})
        if (x->device() != Device::cuda || any_unknown(x->shape()) || x->dims() != q.dims())
            return false;
    if (q.dtype() != DType::float32 && q.dtype() != DType::float64) return false;
    const int rows = q.dims() - 2, width = q.dims() - 1;
    for (int d = 0; d < rows; ++d)
        if (q.shape()[d] != k.shape()[d] || k.shape()[d] != v.shape()[d]) return false;
    return q.shape()[width] == k.shape()[width] && k.shape()[rows] == v.shape()[rows] &&
           q.shape()[width] > 0;
}

// (..., rows, width) -> (B, rows, width)
Tensor one_batch(const Tensor& x) {
    if (x.dims() == 3) return x;
    std::int64_t batch = 1;
    for (int d = 0; d < x.dims() - 2; ++d) batch *= x.shape()[d];
    return reshape(x, {batch, x.shape()[x.dims() - 2], x.shape()[x.dims() - 1]});
}

Tensor in_one_pass(const Tensor& query, const Tensor& key, const Tensor& value, double scale,
                   bool is_causal) {
    const Arg args[] = {one_batch(query), one_batch(key), one_batch(value)};
    const Tensor y =
        apply_all(ops::attention, args, {Attr{scale}, Attr{std::int64_t{is_causal}}})[0];
    if (query.dims() == 3) return y;
    Dims shape = query.shape();
    shape[shape.size() - 1] = value.shape()[value.dims() - 1];
    return reshape(y, shape);
}

}  // namespace

Attention attend(const Arg& query, const Arg& key, const Arg& value, const AttentionOptions& o) {
    const Here here(query.where, "scaled_dot_product_attention");
    if (lowers(query.tensor, key.tensor, value.tensor))
        return attend(lowered(query), lowered(key), lowered(value), o);
    if (o.is_causal && o.attn_mask.defined())
        fail(ErrorKind::runtime,
             "scaled_dot_product_attention: give attn_mask or is_causal, not both");
    for (const Arg* x : {&query, &key, &value})
        if (x->tensor.dims() < 2)
            fail(ErrorKind::runtime, "scaled_dot_product_attention: a tensor of shape ",
                 text(x->tensor.shape()), " has no rows to look at; it needs 2 dims or more");
    for (const Arg* x : {&key, &value})
        if (x->tensor.dtype() != query.tensor.dtype())
            fail(ErrorKind::runtime, "scaled_dot_product_attention: query is ",
                 name_of(query.tensor.dtype()), " and ", x == &key ? "key " : "value ",
                 name_of(x->tensor.dtype()), "; cast one of them");
    if (is_low(query)) {
        const AutocastScope off({});
        AttentionOptions wide = o;
        if (is_low(Arg(o.attn_mask))) wide.attn_mask = widened(o.attn_mask);
        const Attention y = attend(widened(query), widened(key), widened(value), wide);
        return {rounded(y.output, query),
                y.weights.defined() ? rounded(y.weights, query) : Tensor()};
    }
    double scale = 1;
    if (o.scale)
        scale = *o.scale;
    else
        scale = 1 / std::sqrt(static_cast<double>(known_size(
                        "scaled_dot_product_attention", query.tensor, query.tensor.dims() - 1)));
    if (takes_one_pass(query.tensor, key.tensor, value.tensor, o))
        return {in_one_pass(query.tensor, key.tensor, value.tensor, scale, o.is_causal), {}};
    return composed(query.tensor, key.tensor, value.tensor, scale, o);
}

Tensor scaled_dot_product_attention(const Arg& query, const Arg& key, const Arg& value,
                                    const AttentionOptions& options) {
    AttentionOptions only_output = options;
    only_output.need_weights = false;
    return attend(query, key, value, only_output).output;
}

}  // namespace tg
