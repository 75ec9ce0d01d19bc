// Attention, and the layer of a transformer that is made of it.
//
// The letters: L the length of the queries, S that of the keys, N the batch, E the embedding's
// size, H the heads.
#pragma once

#include "core/nn/containers.h"
#include "core/nn/dropout.h"
#include "core/nn/linear.h"
#include "core/nn/normalization.h"

namespace tg::nn {

struct MultiheadOptions {
    double dropout = 0;
    bool bias = true;
    std::optional<std::int64_t> kdim = {}, vdim = {};  // none: embed_dim
    bool batch_first = false;
    Options tensors = {};
};

// What a call may say beside query, key and value. attn_mask (L, S) or (N H, L, S) and
// key_padding_mask (N, S) are of bool, true where *not* to look (the opposite of
// scaled_dot_product_attention), or of floats to add. is_causal says that attn_mask is causal:
// without need_weights and key_padding_mask it is not looked at then.
struct AttentionCall {
    Tensor key_padding_mask = {};
    bool need_weights = true;
    Tensor attn_mask = {};
    bool average_attn_weights = true;
    bool is_causal = false;
};

// H times scaled_dot_product_attention, each on its own E / H columns of projections.
//
// query (L, N, E), key (S, N, kdim), value (S, N, vdim), or with batch_first N before L and S, or
// without N. The result is output, as query, and weights (N, L, S), the mean over the heads, or
// (N, H, L, S) without average_attn_weights, or undefined without need_weights. A query that may
// look nowhere gets zeros. Throws RuntimeError for shapes that do not fit.
// [Vaswani et al. 2017, Attention is all you need, 3.2.2]
class MultiheadAttention final : public Module {
  public:
    MultiheadAttention(std::int64_t embed_dim, std::int64_t num_heads,
                       const MultiheadOptions& given = {});
    void reset_parameters();
    Attention operator()(const Tensor& query, const Tensor& key, const Tensor& value,
                         const AttentionCall& call = {}, Where where = Where::here());

    std::int64_t embed_dim, num_heads;
    MultiheadOptions options;
    Tensor& in_proj_weight;  // (3 E, E), or undefined where kdim or vdim is another: then
    Tensor& q_proj_weight;   // (E, E),
    Tensor& k_proj_weight;   // (E, kdim),
    Tensor& v_proj_weight;   // (E, vdim)
    Tensor& in_proj_bias;    // (3 E,)
    Linear& out_proj;

  private:
    bool one_size() const;
    std::int64_t kdim() const { return options.kdim.value_or(embed_dim); }
    std::int64_t vdim() const { return options.vdim.value_or(embed_dim); }
    // x (N, L, ...) by the k-th of query, key and value's projections -> (N, H, L, E / H)
    Tensor heads(const Tensor& x, int k) const;
    void check(const Tensor& query, const Tensor& key, const Tensor& value) const;
    // Both masks as one for scaled_dot_product_attention, that goes with (N, H, L, S).
    Tensor mask(const Tensor& q, const Tensor& k, Tensor padding, Tensor attn_mask) const;
};

struct TransformerOptions {
    std::int64_t dim_feedforward = 2048;
    double dropout = 0.1;
    std::function<Tensor(const Tensor&)> activation = [](const Tensor& x) { return relu(x); };
    double layer_norm_eps = 1e-5;
    bool batch_first = false;
    bool norm_first = false;
    bool bias = true;
    Options tensors = {};
};

// The masks of a call, which are those of MultiheadAttention.
struct EncoderCall {
    Tensor mask = {};
    Tensor key_padding_mask = {};
    bool is_causal = false;
};

// x = norm1(x + attention(x)); x = norm2(x + linear2(activation(linear1(x)))), with dropout.
//
// With norm_first: x = x + attention(norm1(x)); x = x + feed_forward(norm2(x)). src is (L, N, E),
// or (N, L, E) with batch_first, or (L, E).
// [Vaswani et al. 2017, 3.1; norm_first: Xiong et al. 2020]
class TransformerEncoderLayer final : public Layer {
  public:
    TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead,
                            const TransformerOptions& given = {});
    Tensor forward(const Tensor& src) override { return encoded(src, {}); }
    using Layer::operator();
    Tensor operator()(const Tensor& src, const EncoderCall& call, Where where = Where::here());
    // Another one of the same numbers; it draws none.
    TransformerEncoderLayer copy() const;

    TransformerOptions options;
    MultiheadAttention& self_attn;
    Linear& linear1;
    Dropout& dropout;
    Linear& linear2;
    LayerNorm& norm1;
    LayerNorm& norm2;
    Dropout& dropout1;
    Dropout& dropout2;

  private:
    Tensor encoded(const Tensor& src, const EncoderCall& call);
    Tensor attention(const Tensor& x, const EncoderCall& call);
    Tensor feed_forward(const Tensor& x);
};

// num_layers copies of layer, one after another, and norm, if given, at the end. All copies start
// with the same weights.
class TransformerEncoder final : public Layer {
  public:
    TransformerEncoder(const TransformerEncoderLayer& layer, std::int64_t num_layers,
                       std::shared_ptr<Layer> norm = nullptr);
    Tensor forward(const Tensor& src) override { return encoded(src, {}); }
    using Layer::operator();
    Tensor operator()(const Tensor& src, const EncoderCall& call, Where where = Where::here());

    ModuleList<TransformerEncoderLayer>& layers;

  private:
    Tensor encoded(const Tensor& src, const EncoderCall& call);
    std::shared_ptr<Layer> norm_;
};

}  // namespace tg::nn
