// Attention that `cuda` runs in one launch, and its gradient in two: kernels/attention.h. On the
// CPU scaled_dot_product_attention is made of other ops, which a compiler fuses.
#pragma once

#include "core/ops.h"

namespace tg::ops {

// q (B, L, E), k (B, S, E), v (B, S, V) -> y (B, L, V), lse (B, L, 1); scale, is_causal
extern const Op attention;
// q, k, v, lse, delta (B, L, 1), g (B, L, V) -> the gradients of q, k, v; scale, is_causal
extern const Op attention_gradient;

}  // namespace tg::ops
