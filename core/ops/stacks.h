// Tensors joined, cut and turned by NumPy's names; pairs, grids and windows.
#pragma once

#include <optional>
#include <vector>

#include "core/apply.h"

namespace tg {

// ---- NumPy's stacks: core/ops/stacks.cc ---------------------------------------------------------
Tensor ravel(const Arg& x);       // (n,), a view where it can be
Tensor atleast_1d(const Arg& x);  // () -> (1,); all three are views
Tensor atleast_2d(const Arg& x);  // (n,) -> (1, n)
Tensor atleast_3d(const Arg& x);  // (n,) -> (1, n, 1), (m, n) -> (m, n, 1)
// joined along dim 2, and vectors as columns
Tensor dstack(const std::vector<Tensor>& tensors, Where where = Where::here());
Tensor column_stack(const std::vector<Tensor>& tensors, Where where = Where::here());
// views: parts as even as can be, the first ones larger; or cut at the indices
std::vector<Tensor> tensor_split(const Arg& x, std::int64_t sections, std::int64_t dim = 0);
std::vector<Tensor> tensor_split(const Arg& x, const std::vector<std::int64_t>& indices,
                                 std::int64_t dim = 0);
// turned by k quarters, from the first of two dims to the second
Tensor rot90(const Arg& x, std::int64_t k = 1, const Dims& dims = {0, 1});
// matrices (or vectors, as rows, and numbers) on a diagonal, and 0 elsewhere
Tensor block_diag(const std::vector<Tensor>& tensors, Where where = Where::here());
// views: the windows of `size` elements, `step` apart, along dim; a window is the last dim
Tensor unfold(const Arg& x, std::int64_t dim, std::int64_t size, std::int64_t step);

// ---- pairs and grids: core/ops/pairs.cc ---------------------------------------------------------
// (2, count) int64: rows and columns of the elements that tril, triu keeps of (row, col)
Tensor tril_indices(std::int64_t row, std::int64_t col, std::int64_t offset = 0,
                    Options options = {.dtype = DType::int64});
Tensor triu_indices(std::int64_t row, std::int64_t col, std::int64_t offset = 0,
                    Options options = {.dtype = DType::int64});
// x (n,) -> (count, r): each choice of r of its elements, in order
Tensor combinations(const Arg& x, std::int64_t r = 2, bool with_replacement = false);
// n vectors -> (count, n): each choice of one of each; of one vector itself
Tensor cartesian_prod(const std::vector<Tensor>& tensors, Where where = Where::here());

}  // namespace tg
