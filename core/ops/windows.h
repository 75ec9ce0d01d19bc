// Windows over images: what convolutions and pooling ask of their arguments.
#pragma once

#include <string>

#include "core/batching.h"
#include "core/ops/family.h"

namespace tg {

// No stride, padding or dilation is larger, so that no place of a window overflows.
constexpr std::int64_t largest_step = (std::int64_t{1} << 31) - 1;

// A number for each of `n` dims, from one for all or one each; each at least `least`.
Dims one_each(const char* op, const char* what, const Dims& given, int n, std::int64_t least);

// How many windows of `span` places fit into a dim of that size with padding on both sides; with
// ceil_mode also one more that reaches beyond it, if it begins inside or in the padding before.
std::int64_t windows_in(std::int64_t size, std::int64_t padding, std::int64_t span,
                        std::int64_t stride, bool ceil_mode = false);

// For shape rules, which also meet programs that somebody wrote by hand: two numbers, each in its
// range; a size may be unknown. And the input has four dims.
void check_pair(const Op& op, const char* what, const Dims& pair, std::int64_t least);
void check_size(const Op& op, const Dims& size);
void check_image(const Op& op, const Desc& desc);

// x with a batch dim in front: x itself, or a view if it is one sample.
Tensor batched(const char* op, const Tensor& x, int dims);

// vmap's rules of the three convolutions: convolution_batched.cc.
Outputs batch_convolved(const Batch& b);
Outputs batch_convolution_weight(const Batch& b);

}  // namespace tg
