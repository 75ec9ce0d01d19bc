// Pooling.
#pragma once

#include <optional>

#include "core/ops/reduce.h"

namespace tg {

// ---- pooling: core/ops/pooling.cc --------------------------------------------------------------
// x (N, C, H, W) or (C, H, W) -> (N, C, I, J)
struct Pooling {
    Dims kernel = {};
    Dims stride = {};  // empty: kernel
    Dims padding = {0};
    Dims dilation = {1};            // of max_pool2d
    bool ceil_mode = false;         // also a last window that reaches beyond the padding
    bool count_include_pad = true;  // of avg_pool2d
    std::optional<std::int64_t> divisor_override = {};  // of avg_pool2d
};
// indices int64: of each largest number in its image, row W + column
ValuesIndices max_pool2d_with_indices(const Arg& x, const Pooling& options);
Tensor max_pool2d(const Arg& x, const Pooling& options);
Tensor avg_pool2d(const Arg& x, const Pooling& options);
// size: one number or two; -1 keeps x's
Tensor adaptive_avg_pool2d(const Arg& x, const Dims& size);
Tensor adaptive_max_pool2d(const Arg& x, const Dims& size);
ValuesIndices adaptive_max_pool2d_with_indices(const Arg& x, const Dims& size);
// x (N, C, L) or (C, L) -> (N, C, I), as of a picture with one row
ValuesIndices max_pool1d_with_indices(const Arg& x, const Pooling& options);
Tensor max_pool1d(const Arg& x, const Pooling& options);
Tensor avg_pool1d(const Arg& x, const Pooling& options);
Tensor adaptive_avg_pool1d(const Arg& x, std::int64_t size);
ValuesIndices adaptive_max_pool1d_with_indices(const Arg& x, std::int64_t size);
Tensor adaptive_max_pool1d(const Arg& x, std::int64_t size);
// (sum x^p)^(1/p) over each window
Tensor lp_pool1d(const Arg& x, double p, const Pooling& options);
Tensor lp_pool2d(const Arg& x, double p, const Pooling& options);

}  // namespace tg
