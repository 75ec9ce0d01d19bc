// Ops on the lines of a matrix (lines, n), which `cuda` runs in one launch each: see softmax,
// cross_entropy and layer_norm, which are made of other ops on the CPU, where a compiler fuses
// those.
#pragma once

#include "core/batching.h"
#include "core/ops.h"

namespace tg {

namespace ops {
extern const Op softmax;                 // x (lines, n) -> its shape; log: the logarithm
extern const Op softmax_gradient;        // g, y (lines, n); log
extern const Op cross_entropy;           // x (lines, n), target (lines,) int64 -> (lines,)
extern const Op cross_entropy_gradient;  // g (lines,), x, target -> x's shape
extern const Op layer_norm;              // x (lines, n) -> y, 1 / sqrt(variance + eps) (lines, 1)
extern const Op layer_norm_gradient;     // g, y, r (lines, 1) -> y's shape
}  // namespace ops

// Would the device take x along this dim as lines? Of float32 or float64 on "cuda", with at least
// one number a line, and no more than one size that is not known yet.
bool takes_lines(const Tensor& x, int dim);

// vmap's rule of an op of which each input's dim 0 counts what has nothing to do with each other.
Outputs batch_lines(const Batch& b);

// y = softmax(x) along dim, or its logarithm
Tensor softmax_of_lines(const Tensor& x, int dim, bool log);
// -log softmax(x) along dim, at the target's classes, which are all inside
Tensor cross_entropy_of_lines(const Tensor& x, const Tensor& target, int dim);

}  // namespace tg
