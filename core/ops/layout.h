// Ops that arrange elements: most of them are views.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/apply.h"

namespace tg {

// ---- layout: core/ops/layout.cc -----------------------------------------------------------------

// All but contiguous, clone, cat and stack are views: they share x's bytes.
Tensor reshape(const Arg& x, const Dims& shape);  // a view where it can be, else a copy
Tensor view(const Arg& x, const Dims& shape);     // a view, or an error
Tensor flatten(const Arg& x, std::int64_t from = 0, std::int64_t to = -1);
Tensor permute(const Arg& x, const Dims& order);
Tensor transpose(const Arg& x, std::int64_t a, std::int64_t b);
Tensor squeeze(const Arg& x, const DimList& dims = {});
Tensor unsqueeze(const Arg& x, std::int64_t dim);
Tensor expand(const Arg& x, const Dims& shape);  // -1 keeps a size
Tensor select(const Arg& x, std::int64_t dim, std::int64_t index);
Tensor slice(const Arg& x, std::int64_t dim, std::int64_t begin, std::int64_t end,
             std::int64_t step = 1);  // as Python's x[begin:end:step]
Tensor contiguous(const Arg& x);      // x itself if it is contiguous
Tensor clone(const Arg& x);
Tensor cat(const std::vector<Tensor>& tensors, std::int64_t dim = 0, Where where = Where::here());
Tensor stack(const std::vector<Tensor>& tensors, std::int64_t dim = 0, Where where = Where::here());

// ---- parts: core/ops/parts.cc ------------------------------------------------------------------
// All but the stacks are views.
Tensor narrow(const Arg& x, std::int64_t dim, std::int64_t start, std::int64_t length);
std::vector<Tensor> split(const Arg& x, std::int64_t size, std::int64_t dim = 0);
std::vector<Tensor> split(const Arg& x, const std::vector<std::int64_t>& sizes,
                          std::int64_t dim = 0);
std::vector<Tensor> chunk(const Arg& x, std::int64_t chunks, std::int64_t dim = 0);  // at most
std::vector<Tensor> unbind(const Arg& x, std::int64_t dim = 0);
Tensor hstack(const std::vector<Tensor>& tensors, Where where = Where::here());
Tensor vstack(const std::vector<Tensor>& tensors, Where where = Where::here());
// n vectors -> n tensors of n dims; indexing "ij", or "xy" with the first two dims swapped
std::vector<Tensor> meshgrid(const std::vector<Tensor>& tensors, const std::string& indexing = "ij",
                             Where where = Where::here());

// ---- arrangements: core/ops/arrange.cc ---------------------------------------------------------
// Views:
Tensor movedim(const Arg& x, const Dims& source, const Dims& destination);
Tensor unflatten(const Arg& x, std::int64_t dim, const Dims& sizes);
Tensor broadcast_to(const Arg& x, const Dims& shape);
// Copies:
Tensor repeat(const Arg& x, const Dims& times);  // by dim, from the front; times may have more dims
Tensor tile(const Arg& x, const Dims& times);    // the same; times may have fewer dims
Tensor repeat_interleave(const Arg& x, std::int64_t times, std::optional<std::int64_t> dim = {});
// Each slice of dim so often as `times` (n,) says; of x flattened without a dim. (total, ...); a
// recording must know the total. Throws where a number is below 0 or they do not add up to it.
Tensor repeat_interleave(const Arg& x, const Arg& times, std::optional<std::int64_t> dim,
                         std::optional<std::int64_t> total = {});
Tensor flip(const Arg& x, const Dims& dims);
Tensor roll(const Arg& x, const Dims& shifts, const DimList& dims = {});  // all: flattened

// ---- diagonals: core/ops/diagonal.cc -----------------------------------------------------------
// Diagonal k of a matrix is where column - row = k.
Tensor diagonal(const Arg& x, std::int64_t offset = 0, std::int64_t dim1 = 0,
                std::int64_t dim2 = 1);  // a view; the diagonal is its last dim
// (..., n) -> zeros with x on the diagonal of dim1 and dim2
Tensor diag_embed(const Arg& x, std::int64_t offset = 0, std::int64_t dim1 = -2,
                  std::int64_t dim2 = -1);
Tensor diagflat(const Arg& x, std::int64_t offset = 0);  // diag of x as one vector
Tensor diag(const Arg& x, std::int64_t diagonal = 0);    // (N,) -> (M, M), (N, M) -> (K,); a copy
Tensor tril(const Arg& x, std::int64_t diagonal = 0);    // 0 above the diagonal
Tensor triu(const Arg& x, std::int64_t diagonal = 0);    // 0 below

}  // namespace tg
