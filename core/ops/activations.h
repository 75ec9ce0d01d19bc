// Activations, and other elementwise compositions.
#pragma once

#include <optional>
#include <string>

#include "core/apply.h"

namespace tg {

// ---- elementwise compositions: core/ops/activations.cc -----------------------------------------
Tensor square(const Arg& x);
Tensor reciprocal(const Arg& x);
Tensor isnan(const Arg& x);
Tensor isinf(const Arg& x);
Tensor isfinite(const Arg& x);
Tensor logical_and(const Arg& a, const Arg& b);
Tensor logical_or(const Arg& a, const Arg& b);
Tensor logical_xor(const Arg& a, const Arg& b);
// x kept within [low, high]; the gradient passes inside, and not at the borders
Tensor clamp(const Arg& x, const std::optional<Arg>& low, const std::optional<Arg>& high);
Tensor masked_fill(const Arg& x, const Arg& mask, const Arg& value);  // in x's dtype
Tensor silu(const Arg& x);                                            // x sigmoid(x)
Tensor gelu(const Arg& x, const std::string& approximate = "none");   // or "tanh"
Tensor softplus(const Arg& x, double beta = 1, double threshold = 20);
Tensor leaky_relu(const Arg& x, double negative_slope = 0.01);
Tensor elu(const Arg& x, double alpha = 1);

// ---- more activations: core/ops/gates.cc -------------------------------------------------------
Tensor logsigmoid(const Arg& x);
Tensor hardtanh(const Arg& x, double min_val = -1, double max_val = 1);
Tensor relu6(const Arg& x);                       // x within [0, 6]
Tensor hardsigmoid(const Arg& x);                 // relu6(x + 3) / 6
Tensor hardswish(const Arg& x);                   // x hardsigmoid(x)
Tensor mish(const Arg& x);                        // x tanh(softplus(x))
Tensor softsign(const Arg& x);                    // x / (1 + |x|)
Tensor tanhshrink(const Arg& x);                  // x - tanh x
Tensor prelu(const Arg& x, const Arg& weight);    // weight of one number, or one a channel
Tensor glu(const Arg& x, std::int64_t dim = -1);  // one half times the sigmoid of the other
Tensor softmin(const Arg& x, std::int64_t dim);

}  // namespace tg
