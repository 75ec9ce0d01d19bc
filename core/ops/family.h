// What the families of ops share: shape rules, kernels that need no code of their own, and each
// family's list. all_ops() is these lists, one after another.
#pragma once

#include <span>

#include "core/apply.h"
#include "core/backward.h"
#include "core/ops.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cuda/cuda.h"

namespace tg {

// ---- shape rules -------------------------------------------------------------------------------
// x, ... -> the shape to which the inputs broadcast
Descs broadcast_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs);
// x, ... -> bool, of the shape to which the inputs broadcast
Descs compare_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs);
// x, ... -> x's shape
Descs same_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs);

// ---- kernels -----------------------------------------------------------------------------------
// The kernels of every op that has a formula.
void elementwise_cpu(const Launch& launch);
bool elementwise_cuda(const Launch& launch);
kernels::Array broadcast_to(const kernels::Array& in, const kernels::Array& out);

// The size of a dim, where a graph that is still open must know it: the number of its lines, or
// what they do, depends on it.
std::int64_t known_size(const char* op, const Tensor& x, int dim);

void alias_cpu(const Launch& launch);  // copies: an alias asked for as a kernel
bool alias_cuda(const Launch& launch);

std::span<const Op* const> elementwise_ops();
std::span<const Op* const> trigonometry_ops();
std::span<const Op* const> reduce_ops();
std::span<const Op* const> matmul_ops();
std::span<const Op* const> solving_ops();
std::span<const Op* const> factorization_ops();
std::span<const Op* const> layout_ops();
std::span<const Op* const> slicing_ops();
std::span<const Op* const> indexing_ops();
std::span<const Op* const> row_ops();
std::span<const Op* const> sort_ops();
std::span<const Op* const> line_ops();
std::span<const Op* const> attention_ops();
std::span<const Op* const> search_ops();
std::span<const Op* const> unfold_ops();
std::span<const Op* const> convolution_ops();
std::span<const Op* const> pooling_ops();
std::span<const Op* const> division_ops();
std::span<const Op* const> arrange_ops();
std::span<const Op* const> diagonal_ops();
std::span<const Op* const> random_ops();
std::span<const Op* const> creation_ops();
std::span<const Op* const> optimizer_ops();
std::span<const Op* const> structural_ops();

}  // namespace tg
