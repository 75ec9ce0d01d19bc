// Reading and writing at places that a tensor of indices names; order.
#pragma once

#include <optional>
#include <string>

#include "core/ops/reduce.h"

namespace tg {

// ---- indexing: core/ops/indexing.cc ------------------------------------------------------------
// An index is int64 or int32. gather's result has the index's shape; the others give x, with src
// added or stored at the index, which is nowhere larger than src, nor than x but in dim. Of several
// stored in one place the last stays. src of scatter may be a number.
Tensor gather(const Arg& x, std::int64_t dim, const Arg& index);
Tensor scatter_add(const Arg& x, std::int64_t dim, const Arg& index, const Arg& src);
Tensor scatter(const Arg& x, std::int64_t dim, const Arg& index, const Arg& src);
// x with what of src is at an index combined into that place, by "sum", "prod", "mean", "amax" or
// "amin"; without include_self x's own number does not count where there is any.
Tensor scatter_reduce(const Arg& x, std::int64_t dim, const Arg& index, const Arg& src,
                      const std::string& reduce, bool include_self = true);
Tensor one_hot(const Arg& index, std::int64_t num_classes);  // (..., num_classes) int64

// ---- rows by index: core/ops/rows.cc ------------------------------------------------------------
// x (..., n, ...), index (k,) -> (..., k, ...): the slices of x with these numbers, 0..n-1
Tensor index_select(const Arg& x, std::int64_t dim, const Arg& index);
// x with the slices alpha source (..., k, ...) added, or replaced by source or one value
Tensor index_add(const Arg& x, std::int64_t dim, const Arg& index, const Arg& source,
                 const Arg& alpha = 1);
Tensor index_copy(const Arg& x, std::int64_t dim, const Arg& index, const Arg& source);
Tensor index_fill(const Arg& x, std::int64_t dim, const Arg& index, const Arg& value);
Tensor take(const Arg& x, const Arg& index);  // of x's elements in order -> index's shape
// index broadcasts against x but in dim; without dim, both are flattened
Tensor take_along_dim(const Arg& x, const Arg& index, std::optional<std::int64_t> dim = {});

// ---- order: core/ops/sort.cc --------------------------------------------------------------------
// Always stable; NaN is larger than any number. Indices are int64.
ValuesIndices sort(const Arg& x, std::int64_t dim = -1, bool descending = false);
Tensor argsort(const Arg& x, std::int64_t dim = -1, bool descending = false);
ValuesIndices topk(const Arg& x, std::int64_t k, std::int64_t dim = -1, bool largest = true);

// ---- places in an order: core/ops/search.cc -----------------------------------------------------
// sorted (n,), or (..., n) with values (..., m): how many of the sorted ones are below the value,
// or with right not above it -> values' shape, int64. sorter: sorted's own argsort, if it is not.
Tensor searchsorted(const Arg& sorted, const Arg& values, bool right = false,
                    const Tensor& sorter = {});
Tensor bucketize(const Arg& x, const Arg& boundaries, bool right = false);  // boundaries (n,)
Tensor isin(const Arg& elements, const Arg& test, bool invert = false);     // bool
// How many elements are in each of the bins, as many equal parts of low..high; equal ones stand for
// the least and the largest element
Tensor histc(const Arg& x, std::int64_t bins = 100, double low = 0, double high = 0);

}  // namespace tg
