// Products of matrices, and sums of products.
#pragma once

#include <string>
#include <vector>

#include "core/apply.h"

namespace tg {

// ---- products: core/ops/matmul.cc --------------------------------------------------------------
// a (..., M, K) @ b (..., K, N) -> (..., M, N); one-dimensional operands as in PyTorch.
Tensor matmul(const Arg& a, const Arg& b);

// ---- products: core/ops/products.cc, einsum.cc --------------------------------------------------
Tensor mm(const Arg& a, const Arg& b);   // (M, K) (K, N) -> (M, N)
Tensor bmm(const Arg& a, const Arg& b);  // (B, M, K) (B, K, N) -> (B, M, N)
Tensor mv(const Arg& a, const Arg& b);   // (M, K) (K,) -> (M,)
Tensor dot(const Arg& a, const Arg& b);  // (K,) (K,) -> ()
// beta x + alpha a @ b; x broadcasts to (M, N), and is not looked at where beta is 0
Tensor addmm(const Arg& x, const Arg& a, const Arg& b, const Arg& beta = 1, const Arg& alpha = 1);
Tensor outer(const Arg& a, const Arg& b);  // (M,) (N,) -> (M, N)
// sums over a's dims_a times b's dims_b; the rest of a's dims, then of b's
Tensor tensordot(const Arg& a, const Arg& b, const Dims& dims_a, const Dims& dims_b);
// "ij,jk->ik", as in PyTorch: repeated letters, "...", an output left out
Tensor einsum(const std::string& equation, const std::vector<Tensor>& operands,
              Where where = Where::here());

}  // namespace tg
