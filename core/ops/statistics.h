// Reductions that leave NaN out, go along a dim, or ask for an element by its rank.
#pragma once

#include <optional>
#include <string>

#include "core/ops/reduce.h"

namespace tg {

// ---- statistics: core/ops/statistics.cc ---------------------------------------------------------
Tensor nansum(const Arg& x, const DimList& dims = {}, bool keepdim = false);  // NaN counts as 0
// NaN does not count; of floats
Tensor nanmean(const Arg& x, const DimList& dims = {}, bool keepdim = false);
struct Spread {
    Tensor spread, mean;
};
Spread var_mean(const Arg& x, const DimList& dims = {}, double correction = 1,
                bool keepdim = false);
Spread std_mean(const Arg& x, const DimList& dims = {}, double correction = 1,
                bool keepdim = false);
struct Extremes {
    Tensor min, max;
};
Extremes aminmax(const Arg& x, std::optional<std::int64_t> dim = {}, bool keepdim = false);
// the largest (smallest) so far, and where the last of them is; a NaN stays
ValuesIndices cummax(const Arg& x, std::int64_t dim);
ValuesIndices cummin(const Arg& x, std::int64_t dim);
Tensor logcumsumexp(const Arg& x, std::int64_t dim);  // log(e^x0 + ... + e^xi), of floats
Tensor trace(const Arg& x);                           // (M, N) -> the sum of its diagonal
// x[i + 1] - x[i] along dim, n times, of x with `prepend` before and `append` after it
Tensor diff(const Arg& x, std::int64_t n = 1, std::int64_t dim = -1, const Tensor& prepend = {},
            const Tensor& append = {});

// ---- ranks: core/ops/ranks.cc -------------------------------------------------------------------
// Of an even number of elements the median is the lower one. NaN is larger than any number; median
// and quantile are NaN where there is one, the nan... leave it out.
Tensor median(const Arg& x);
ValuesIndices median(const Arg& x, std::int64_t dim, bool keepdim = false);
Tensor nanmedian(const Arg& x);
ValuesIndices nanmedian(const Arg& x, std::int64_t dim, bool keepdim = false);
// the k-th smallest, from 1 on
ValuesIndices kthvalue(const Arg& x, std::int64_t k, std::int64_t dim = -1, bool keepdim = false);
// the commonest element, the smallest of several, and where its last is
ValuesIndices mode(const Arg& x, std::int64_t dim = -1, bool keepdim = false);
// q in [0, 1], a number or (Q,) of x's dtype -> x without dim, or (Q, ...). Between two elements:
// "linear", "lower", "higher", "midpoint" or "nearest". Without dim of all elements.
Tensor quantile(const Arg& x, const Arg& q, std::optional<std::int64_t> dim = {},
                bool keepdim = false, const std::string& interpolation = "linear");
Tensor nanquantile(const Arg& x, const Arg& q, std::optional<std::int64_t> dim = {},
                   bool keepdim = false, const std::string& interpolation = "linear");

}  // namespace tg
