// Linear algebra on batches of matrices, float32 or float64, by Eigen. Only linalg.cc knows Eigen:
// it copies one matrix, lets Eigen work on it, and copies what it finds.
#pragma once

#include <cstdint>
#include <optional>

#include "kernels/array.h"

namespace tg::kernels::cpu {

// Arrays are (..., M, N) of any strides; the dims before are the batch. Outputs have the whole
// batch, and inputs broadcast to it. K is the smaller of M and N. What a kernel gives is the number
// of the first matrix on which it failed: outputs are worth nothing then.
using Failed = std::optional<std::int64_t>;

// a (N, N) x (N, K) = b (N, K). Fails where a is singular, or fills x with infinity.
Failed solve(const Array& x, const Array& a, const Array& b, bool may_be_singular);
// The same for a triangle of a; with `unit` its diagonal counts as 1. Divides by 0 as it comes.
Failed solve_triangular(const Array& x, const Array& a, const Array& b, bool upper, bool unit);
Failed det(const Array& y, const Array& a);                                 // (N, N) -> ()
Failed slogdet(const Array& sign, const Array& logabsdet, const Array& a);  // (), ()
// What multiplies each element of a in det a: det(a) a^-T where there is an inverse. NaN where an
// element is infinite or NaN.
Failed cofactor(const Array& y, const Array& a);  // (N, N) -> (N, N)

// a = l l^T from a's lower triangle. info (), int32: 0, or the order of the first leading minor
// that is not positive; where `must` is set, that fails.
Failed cholesky(const Array& l, const Array& info, const Array& a, bool must);
// a (M, N) = p l u, by the largest pivot of a column: y (M, N) holds u, and below it l without its
// diagonal of ones; pivots (K) int32 says with which row, counted from 1, each was swapped. Where
// `must` is set, a 0 on u's diagonal fails.
Failed lu(const Array& y, const Array& pivots, const Array& a, bool must);
// pivots (K) int32 -> rows (M) int64: which row of a each row of l u is. Fails where a pivot is no
// row.
Failed lu_rows(const Array& rows, const Array& pivots);
// a (M, N) = q (M, K) r (K, N), or complete: q (M, M) r (M, N)
Failed qr(const Array& q, const Array& r, const Array& a);
// a (M, N) = u (M, K) diag(s) vh (K, N), s (K) falling, or full: u (M, M), vh (N, N). Fails where
// an element is infinite or NaN.
Failed svd(const Array& u, const Array& s, const Array& vh, const Array& a);
// a (N, N) = v diag(w) v^T from a's lower triangle, w (N) rising. Fails as svd does.
Failed eigh(const Array& w, const Array& v, const Array& a);
// a (M, N) -> (N, M), where singular values up to max(atol, rtol s_0) count as 0. Fails as svd
// does.
Failed pinv(const Array& y, const Array& a, double atol, double rtol);

}  // namespace tg::kernels::cpu
