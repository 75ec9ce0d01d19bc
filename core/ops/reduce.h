// Reductions: x (..., n, ...) over dims -> those dims gone, or 1 with keepdim.
#pragma once

#include <optional>

#include "core/apply.h"

namespace tg {

// ---- reductions: core/ops/reduce.cc ------------------------------------------------------------
// x (..., n, ...) over dims -> those dims gone, or 1 with keepdim.
Tensor sum(const Arg& x, const DimList& dims = {}, bool keepdim = false);
Tensor sum_to(const Arg& x, const Dims& shape);  // sums what broadcasting to x's shape repeated
Tensor mean(const Arg& x, const DimList& dims = {}, bool keepdim = false);
Tensor amax(const Arg& x, const DimList& dims = {}, bool keepdim = false);  // ties share g
Tensor amin(const Arg& x, const DimList& dims = {}, bool keepdim = false);
Tensor argmax(const Arg& x, std::optional<std::int64_t> dim = {}, bool keepdim = false);
Tensor argmin(const Arg& x, std::optional<std::int64_t> dim = {}, bool keepdim = false);
struct ValuesIndices {
    Tensor values, indices;
};
Tensor max(const Arg& x);
ValuesIndices max(const Arg& x, std::int64_t dim, bool keepdim = false);
Tensor min(const Arg& x);
ValuesIndices min(const Arg& x, std::int64_t dim, bool keepdim = false);
Tensor any(const Arg& x, const DimList& dims = {}, bool keepdim = false);  // bool
Tensor all(const Arg& x, const DimList& dims = {}, bool keepdim = false);
Tensor var(const Arg& x, const DimList& dims = {}, double correction = 1, bool keepdim = false);
Tensor std(const Arg& x, const DimList& dims = {}, double correction = 1, bool keepdim = false);
Tensor cumsum(const Arg& x, std::int64_t dim);  // (..., n, ...) -> the same

// ---- more reductions: core/ops/norms.cc --------------------------------------------------------
// (sum |x|^ord)^(1/ord); ord may be 0 (how many are not 0) and +-infinity
Tensor norm(const Arg& x, double ord = 2, const DimList& dims = {}, bool keepdim = false);
Tensor count_nonzero(const Arg& x, const DimList& dims = {});  // int64
Tensor logsumexp(const Arg& x, const DimList& dims = {}, bool keepdim = false);
Tensor prod(const Arg& x, std::optional<std::int64_t> dim = {}, bool keepdim = false);
Tensor cumprod(const Arg& x, std::int64_t dim);

}  // namespace tg
