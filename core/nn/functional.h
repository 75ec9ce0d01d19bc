// Layers without parameters of their own, as functions; core/ops.h has the others.
#pragma once

#include "core/ops.h"

namespace tg::nn::functional {

// Throws ValueError for a p outside of 0..1.
void check_probability(const std::string& op, double p);

// Each element 0 with probability p, or else x / (1 - p); x itself if not training, or for p = 0.
// The numbers are those of rand, so a compiled function draws the tape's.
Tensor dropout(const Tensor& x, double p = 0.5, bool training = true, bool inplace = false);

// The rows of weight (V, D) that index (...) names, int64 or int32 -> (..., D). The row padding_idx
// gets no gradient. Throws IndexError for an index outside of 0..V-1.
Tensor embedding(const Tensor& index, const Tensor& weight,
                 std::optional<std::int64_t> padding_idx = {});
// padding_idx from the front. Throws ValueError if there is no such row.
std::int64_t row_of(const std::string& op, std::int64_t padding_idx, std::int64_t rows);

// (x - mean) / sqrt(var + eps) * weight + bias over the last dims, normalized_shape, which is also
// the shape of weight and bias. Throws RuntimeError if x does not end in it.
Tensor layer_norm(const Tensor& x, const Dims& normalized_shape, const Tensor& weight = {},
                  const Tensor& bias = {}, double eps = 1e-5);

// x (N, C, ...) in num_groups groups of channels, each with mean 0 and variance 1; weight and bias
// are (C,). Throws RuntimeError if num_groups does not divide C.
Tensor group_norm(const Tensor& x, std::int64_t num_groups, const Tensor& weight = {},
                  const Tensor& bias = {}, double eps = 1e-5);

// x (N, C, ...) with, in each channel, the batch's mean and variance or the running ones (C,).
// In training the batch's, and then the running ones, if given, are written in place:
// r = (1 - momentum) r + momentum s. Throws ValueError in training for one value a channel.
struct BatchNormalization {
    Tensor running_mean = {}, running_var = {};
    Tensor weight = {}, bias = {};  // (C,)
    bool training = false;
    Arg momentum = 0.1;
    double eps = 1e-5;
};
Tensor batch_norm(const Tensor& x, const BatchNormalization& options);

}  // namespace tg::nn::functional
