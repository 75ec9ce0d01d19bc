// Products of vectors and of matrices by their older names.
#pragma once

#include <optional>

#include "core/apply.h"

namespace tg {

// ---- more products: core/ops/vectors.cc ---------------------------------------------------------
// The first four: beta x + alpha product; x broadcasts to the product's shape, and is not looked at
// where beta is 0.
// a (B, M, K) @ b (B, K, N) -> (B, M, N)
Tensor baddbmm(const Arg& x, const Arg& a, const Arg& b, const Arg& beta = 1, const Arg& alpha = 1);
// the sum of these over B -> (M, N)
Tensor addbmm(const Arg& x, const Arg& a, const Arg& b, const Arg& beta = 1, const Arg& alpha = 1);
// a (M, K) @ b (K,) -> (M,)
Tensor addmv(const Arg& x, const Arg& a, const Arg& b, const Arg& beta = 1, const Arg& alpha = 1);
// a (M,), b (N,) -> (M, N), their outer product
Tensor addr(const Arg& x, const Arg& a, const Arg& b, const Arg& beta = 1, const Arg& alpha = 1);
// (..., M), (..., N) -> (..., M N): b times each element of a, in the places of a
Tensor kron(const Arg& a, const Arg& b);
// a x b, of 3 elements along dim; without dim the first of size 3
Tensor cross(const Arg& a, const Arg& b, std::optional<std::int64_t> dim = {});
Tensor vdot(const Arg& a, const Arg& b);   // (K,) (K,) -> ()
Tensor inner(const Arg& a, const Arg& b);  // (..., K) (..., K) -> a's other dims, then b's

}  // namespace tg
