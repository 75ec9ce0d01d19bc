// Losses, softmax, linear layers and attention.
#pragma once

#include <optional>
#include <string>

#include "core/apply.h"

namespace tg {

// ---- losses: core/ops/losses.cc ----------------------------------------------------------------
// reduction: "mean", "sum" or "none".
// weight: of input's shape; the mean is then sum(weight losses) / sum(weight).
Tensor l1_loss(const Arg& input, const Arg& target, const std::string& reduction = "mean",
               const Tensor& weight = {});
Tensor smooth_l1_loss(const Arg& input, const Arg& target, const std::string& reduction = "mean",
                      double beta = 1);
Tensor mse_loss(const Arg& input, const Arg& target, const std::string& reduction = "mean",
                const Tensor& weight = {});
Tensor binary_cross_entropy_with_logits(const Arg& input, const Arg& target,
                                        const Tensor& weight = {},
                                        const std::string& reduction = "mean",
                                        const Tensor& pos_weight = {});
// input log-probabilities, target probabilities; "batchmean" divides by the first size
Tensor kl_div(const Arg& input, const Arg& target, const std::string& reduction = "mean",
              bool log_target = false);
struct ClassLoss {
    Tensor weight = {};  // (C,), by class
    std::int64_t ignore_index = -100;
    std::string reduction = "mean";
    double label_smoothing = 0;
};
// log-probabilities (N, C, ...), target (N, ...) int64
Tensor nll_loss(const Arg& input, const Arg& target, const ClassLoss& options = {});
// logits (N, C, ...), target (N, ...) int64, or probabilities (N, C, ...)
Tensor cross_entropy(const Arg& input, const Arg& target, const ClassLoss& options = {});

// ---- compositions: core/ops/composite.cc -------------------------------------------------------
Tensor softmax(const Arg& x, std::int64_t dim);
Tensor log_softmax(const Arg& x, std::int64_t dim);
// (x - mean) / sqrt(variance + eps), over so many of the last dims: core/ops/lines.cc
Tensor standardized(const Arg& x, int last_dims, double eps);
Tensor linear(const Arg& x, const Arg& weight, const Tensor& bias = {});  // x @ weight.T + bias

// ---- attention: core/ops/attention.cc ----------------------------------------------------------
struct AttentionOptions {
    Tensor attn_mask = {};  // of bool: where to look; of floats: added
    double dropout_p = 0;
    bool is_causal = false;
    std::optional<double> scale = {};  // 1 / sqrt(E)
    bool need_weights = true;          // without them `cuda` makes one pass over keys and values
};
struct Attention {
    Tensor output, weights;  // (..., L, V), (..., L, S) or undefined
};
// query (..., L, E), key (..., S, E), value (..., S, V)
Attention attend(const Arg& query, const Arg& key, const Arg& value,
                 const AttentionOptions& options = {});
Tensor scaled_dot_product_attention(const Arg& query, const Arg& key, const Arg& value,
                                    const AttentionOptions& options = {});

}  // namespace tg
