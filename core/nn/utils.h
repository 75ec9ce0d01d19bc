// What is done to all parameters at once: gradients clipped, values as one vector.
#pragma once

#include <vector>

#include "core/ops.h"

namespace tg::nn::utils {

// g = g * min(max_norm / (norm + 1e-6), 1) for every gradient g; gives the norm before.
//
// The norm is of all gradients as one vector: (sum |g|^norm_type)^(1 / norm_type), or the largest
// |g| for infinity; no dims. It is scaled and never compared, so a compiled step clips without
// knowing it. error_if_nonfinite compares, outside of compiled functions only, and throws
// RuntimeError for nan or inf; no gradient has changed then. Throws ValueError for a norm_type that
// is not above 0.
// [Pascanu, Mikolov & Bengio 2013, On the difficulty of training recurrent neural networks, 3.2]
Tensor clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, double norm_type = 2,
                       bool error_if_nonfinite = false, Where where = Where::here());

// g = min(max(g, -clip_value), clip_value), element by element, for every gradient g.
void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value,
                      Where where = Where::here());

// All parameters, each row by row, as one vector (N,); it is on their tape.
Tensor parameters_to_vector(const std::vector<Tensor>& parameters, Where where = Where::here());

// Writes vector (N,) into the parameters, in that order. Throws RuntimeError, having written
// nothing, if the parameters have not N elements.
void vector_to_parameters(const Tensor& vector, const std::vector<Tensor>& parameters,
                          Where where = Where::here());

}  // namespace tg::nn::utils
