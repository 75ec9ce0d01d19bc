#include "core/nn/attention.h"

#include <limits>

#include "core/nn/init.h"

namespace tg::nn {
namespace {

std::int64_t checked(std::int64_t embed_dim, std::int64_t num_heads) {
    if (embed_dim < 1 || num_heads < 1 || embed_dim % num_heads)
        fail(ErrorKind::value, "MultiheadAttention: embed_dim ", embed_dim,
             " is no multiple of num_heads ", num_heads);
    return embed_dim;
}

// -inf where a mask of bool is true, else 0; a mask of floats as it is.
Tensor number_mask(const Tensor& mask, const Tensor& like) {
    if (mask.dtype() != DType::boolean) return mask;
    return masked_fill(zeros(mask.shape(), {.dtype = like.dtype(), .device = like.device()}), mask,
                       -std::numeric_limits<double>::infinity());
}

}  // namespace

MultiheadAttention::MultiheadAttention(std::int64_t e, std::int64_t heads,
                                       const MultiheadOptions& given)
    : embed_dim(checked(e, heads)),
      num_heads(heads),
      options(given),
      in_proj_weight(register_parameter("in_proj_weight",
                                        one_size() ? empty({3 * e, e}, given.tensors) : Tensor())),
      q_proj_weight(register_parameter("q_proj_weight",
                                       one_size() ? Tensor() : empty({e, e}, given.tensors))),
      k_proj_weight(register_parameter("k_proj_weight",
                                       one_size() ? Tensor() : empty({e, kdim()}, given.tensors))),
      v_proj_weight(register_parameter("v_proj_weight",
                                       one_size() ? Tensor() : empty({e, vdim()}, given.tensors))),
      in_proj_bias(register_parameter("in_proj_bias",
                                      given.bias ? empty({3 * e}, given.tensors) : Tensor())),
      out_proj(register_module("out_proj", Linear(e, e, given.bias, given.tensors))) {
    reset_parameters();
}

bool MultiheadAttention::one_size() const { return kdim() == embed_dim && vdim() == embed_dim; }

void MultiheadAttention::reset_parameters() {
    for (Tensor* w : {&in_proj_weight, &q_proj_weight, &k_proj_weight, &v_proj_weight})
        if (w->defined()) init::xavier_uniform_(*w);
    for (Tensor* b : {&in_proj_bias, &out_proj.bias})
        if (b->defined()) init::zeros_(*b);
}

Tensor MultiheadAttention::heads(const Tensor& x, int k) const {
    const auto third = [&](const Tensor& t) {
        return t.slice(0, k * embed_dim, (k + 1) * embed_dim);
    };
    const Tensor* own[] = {&q_proj_weight, &k_proj_weight, &v_proj_weight};
    const Tensor weight = in_proj_weight.defined() ? third(in_proj_weight) : *own[k];
    const Tensor y = linear(x, weight, in_proj_bias.defined() ? third(in_proj_bias) : Tensor());
    return y.reshape({y.shape()[0], y.shape()[1], num_heads, -1}).transpose(1, 2);
}

Attention MultiheadAttention::operator()(const Tensor& query, const Tensor& key,
                                         const Tensor& value, const AttentionCall& call,
                                         Where where) {
    const Here here(where);
    if (call.is_causal && !call.attn_mask.defined())
        fail(ErrorKind::runtime,
             "MultiheadAttention: is_causal needs the attn_mask that is causal");
    const bool batched = query.dims() == 3;
    Tensor given[] = {query, key, value};
    Tensor padding = call.key_padding_mask;
    for (Tensor& x : given) {
        if (!batched)
            x = x.unsqueeze(0);
        else if (!options.batch_first)
            x = x.transpose(0, 1);
    }
    if (!batched && padding.defined()) padding = padding.unsqueeze(0);
    check(given[0], given[1], given[2]);
    const Tensor q = heads(given[0], 0), k = heads(given[1], 1), v = heads(given[2], 2);
    const Tensor both = mask(q, k, padding, call.attn_mask);
    const bool causal = call.is_causal && !padding.defined() && !call.need_weights;
    auto [output, weights] = attend(q, k, v,
                                    {.attn_mask = causal ? Tensor() : both,
                                     .dropout_p = is_training() ? options.dropout : 0,
                                     .is_causal = causal,
                                     .need_weights = call.need_weights});
    const Dims shape = output.shape();
    output = out_proj(output.transpose(1, 2).reshape({shape[0], shape[2], embed_dim}));
    if (!batched)
        output = output.squeeze(0);
    else if (!options.batch_first)
        output = output.transpose(0, 1);
    if (!call.need_weights) return {output, {}};
    if (call.average_attn_weights) weights = weights.mean(1);
    return {output, batched ? weights : weights.squeeze(0)};
}

void MultiheadAttention::check(const Tensor& query, const Tensor& key, const Tensor& value) const {
    const Dims &q = query.shape(), &k = key.shape(), &v = value.shape();
    const bool fits = q.size() == 3 && k.size() == 3 && v.size() == 3 && q[2] == embed_dim &&
                      k[2] == kdim() && v[2] == vdim() && q[0] == k[0] && k[0] == v[0] &&
                      k[1] == v[1];
    if (!fits)
        fail(ErrorKind::runtime, "MultiheadAttention: as (N, L, E) query is ", tg::text(q),
             ", key ", tg::text(k), " and value ", tg::text(v), "; the last dims must be ",
             tg::text(Dims{embed_dim, kdim(), vdim()}),
             ", the first alike, and key and value of one length");
}

Tensor MultiheadAttention::mask(const Tensor& q, const Tensor& k, Tensor padding,
                                Tensor attn_mask) const {
    const std::int64_t n = q.shape()[0], length = q.shape()[2], size = k.shape()[2];
    std::vector<Tensor> masks;
    if (attn_mask.defined()) {
        const Dims each{n * num_heads, length, size}, all{length, size};
        if (attn_mask.shape() == each)
            attn_mask = attn_mask.reshape({n, num_heads, length, size});
        else if (attn_mask.shape() != all)
            fail(ErrorKind::runtime, "MultiheadAttention: attn_mask is ",
                 tg::text(attn_mask.shape()), ", and must be ", tg::text(all), " or ",
                 tg::text(each));
        masks.push_back(attn_mask);
    }
    if (padding.defined()) {
        if (padding.shape() != Dims{n, size})
            fail(ErrorKind::runtime, "MultiheadAttention: key_padding_mask is ",
                 tg::text(padding.shape()), ", and must be ", tg::text(Dims{n, size}));
        masks.push_back(padding.reshape({n, 1, 1, size}));
    }
    if (masks.empty()) return {};
    bool only_bools = true;
    for (const Tensor& m : masks) only_bools = only_bools && m.dtype() == DType::boolean;
    if (only_bools)
        return bitwise_not(masks.size() == 1 ? masks[0] : logical_or(masks[0], masks[1]));
    for (Tensor& m : masks) m = number_mask(m, q);
    return masks.size() == 1 ? masks[0] : masks[0] + masks[1];
}

// ---- the encoder
// ---------------------------------------------------------------------------------

TransformerEncoderLayer::TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead,
                                                 const TransformerOptions& o)
    : options(o),
      self_attn(register_module("self_attn", MultiheadAttention(d_model, nhead,
                                                                {.dropout = o.dropout,
                                                                 .bias = o.bias,
                                                                 .batch_first = o.batch_first,
                                                                 .tensors = o.tensors}))),
      linear1(register_module("linear1", Linear(d_model, o.dim_feedforward, o.bias, o.tensors))),
      dropout(register_module("dropout", Dropout(o.dropout))),
      linear2(register_module("linear2", Linear(o.dim_feedforward, d_model, o.bias, o.tensors))),
      norm1(register_module(
          "norm1",
          LayerNorm(d_model, {.eps = o.layer_norm_eps, .bias = o.bias, .tensors = o.tensors}))),
      norm2(register_module(
          "norm2",
          LayerNorm(d_model, {.eps = o.layer_norm_eps, .bias = o.bias, .tensors = o.tensors}))),
      dropout1(register_module("dropout1", Dropout(o.dropout))),
      dropout2(register_module("dropout2", Dropout(o.dropout))) {}

Tensor TransformerEncoderLayer::operator()(const Tensor& src, const EncoderCall& call,
                                           Where where) {
    const Here here(where);
    return encoded(src, call);
}

Tensor TransformerEncoderLayer::encoded(const Tensor& src, const EncoderCall& call) {
    if (options.norm_first) {
        const Tensor x = src + attention(norm1(src), call);
        return x + feed_forward(norm2(x));
    }
    const Tensor x = norm1(src + attention(src, call));
    return norm2(x + feed_forward(x));
}

Tensor TransformerEncoderLayer::attention(const Tensor& x, const EncoderCall& call) {
    const auto [y, weights] = self_attn(x, x, x,
                                        {.key_padding_mask = call.key_padding_mask,
                                         .need_weights = false,
                                         .attn_mask = call.mask,
                                         .is_causal = call.is_causal});
    return dropout1(y);
}

Tensor TransformerEncoderLayer::feed_forward(const Tensor& x) {
    return dropout2(linear2(dropout(options.activation(linear1(x)))));
}

TransformerEncoderLayer TransformerEncoderLayer::copy() const {
    const Tensor generator = rng_state();
    TransformerEncoderLayer made(self_attn.embed_dim, self_attn.num_heads, options);
    set_rng_state(generator);
    made.load_state_dict(state_dict());
    made.train(is_training());
    return made;
}

TransformerEncoder::TransformerEncoder(const TransformerEncoderLayer& layer,
                                       std::int64_t num_layers, std::shared_ptr<Layer> norm)
    : layers(register_module("layers", ModuleList<TransformerEncoderLayer>())),
      norm_(std::move(norm)) {
    for (std::int64_t k = 0; k < num_layers; ++k) layers.append(layer.copy());
    if (norm_) register_module("norm", norm_);
}

Tensor TransformerEncoder::operator()(const Tensor& src, const EncoderCall& call, Where where) {
    const Here here(where);
    return encoded(src, call);
}

Tensor TransformerEncoder::encoded(const Tensor& src, const EncoderCall& call) {
    Tensor x = src;
    for (TransformerEncoderLayer* layer : layers.list()) x = (*layer)(x, call);
    return norm_ ? (*norm_)(x) : x;
}

}  // namespace tg::nn
