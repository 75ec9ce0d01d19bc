// Linear algebra, named as in PyTorch's torch.linalg, on float32 and float64. A matrix is the last
// two dims (M, N), and the dims before are a batch; K is the smaller of M and N.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/apply.h"

namespace tg::linalg {

struct Triangle {
    bool upper = false, left = true, unitriangular = false;
};
struct SignLog {
    Tensor sign, logabsdet;
};
struct LU {
    Tensor factors, pivots;
};
struct Permuted {
    Tensor p, l, u;
};
struct CholeskyInfo {
    Tensor factor, info;
};
struct QR {
    Tensor q, r;
};
struct SVD {
    Tensor u, s, vh;
};
struct Eigh {
    Tensor values, vectors;
};
// Singular values up to max(atol, rtol S_0) count as 0; rtol is by default max(M, N) epsilon, or 0
// where atol is given.
struct Tolerance {
    std::optional<double> atol, rtol;
};
struct LeastSquares {
    Tensor solution, residuals, rank, singular_values;
};

// ---- equations and determinants: core/ops/solving.cc -------------------------------------------
// Where a matrix is singular, solve and inv throw LinAlgError and say which of the batch it is.

// A X = B, or X A = B with left = false: A (..., N, N), B (..., N, K) -> (..., N, K); batches
// broadcast. B is a vector where it has one dim, or A's dims without the last.
Tensor solve(const Arg& a, const Arg& b, bool left = true);
// The same for the upper or lower triangle of A; with unitriangular its diagonal counts as 1.
// A 0 on the diagonal gives infinities.
Tensor solve_triangular(const Arg& a, const Arg& b, const Triangle& triangle);
Tensor inv(const Arg& a);  // (..., N, N) -> the same
Tensor det(const Arg& a);  // (..., N, N) -> (...); differentiable where it is 0 too
// det A = sign e^logabsdet; each (...)
SignLog slogdet(const Arg& a);
Tensor logdet(const Arg& a);  // ln det A, NaN where that is negative
// A X = B, given A's Cholesky factor: B (..., N, K), L (..., N, N) -> (..., N, K)
Tensor cholesky_solve(const Arg& b, const Arg& l, bool upper = false);
Tensor cholesky_inverse(const Arg& l, bool upper = false);  // A^-1, given A's factor

// ---- factorizations: core/ops/factorizations.cc ------------------------------------------------
// Of a symmetric matrix one triangle is read: the lower, unless upper is set.

// A (..., N, N) symmetric: A = L L^T, or A = L^T L with upper. Throws LinAlgError where A is not
// positive-definite.
Tensor cholesky(const Arg& a, bool upper = false);
// The same without the error: info (...) int32 is 0, or the order of the first leading minor that
// is not positive.
CholeskyInfo cholesky_ex(const Arg& a, bool upper = false, bool check_errors = false);
// A (..., M, N) = P L U, by the largest pivot of each column. factors (..., M, N) holds U, and L
// without its diagonal of ones below it; row k was swapped with row pivots_k, which count from 1,
// pivots (..., K) int32. Throws LinAlgError where U has a 0 on its diagonal; lu does not.
LU lu_factor(const Arg& a);
Permuted lu(const Arg& a);  // P (..., M, M), L (..., M, K), U (..., K, N)
// A X = B, or X A = B with left = false, given lu_factor's two: B (..., N, K)
Tensor lu_solve(const Arg& factors, const Arg& pivots, const Arg& b, bool left = true,
                bool transposed = false);
// A (..., M, N) = Q R, "reduced": Q (..., M, K), R (..., K, N); "complete": Q (..., M, M),
// R (..., M, N), with no gradient where M > N; "r": the reduced R, and an empty Q.
QR qr(const Arg& a, const std::string& mode = "reduced");
// A (..., M, N) = U diag(S) Vh, S (..., K) falling; full: U (..., M, M) and Vh (..., N, N), else
// U (..., M, K) and Vh (..., K, N). U and Vh have finite gradients where no two of S are equal.
SVD svd(const Arg& a, bool full_matrices = true);
Tensor svdvals(const Arg& a);  // S alone
// A (..., N, N) symmetric: A = V diag(w) V^T, w (..., N) rising. V has finite gradients where no
// two of w are equal.
Eigh eigh(const Arg& a, bool upper = false);
Tensor eigvalsh(const Arg& a, bool upper = false);  // w alone
// (..., M, N) -> (..., N, M): the pseudo-inverse
Tensor pinv(const Arg& a, const Tolerance& tolerance = {});

// ---- norms, ranks and products of matrices: core/ops/linalg.cc ---------------------------------

Tensor vector_norm(const Arg& x, double ord = 2, const DimList& dims = {}, bool keepdim = false);
// ord "fro", "nuc", or of a number 1, -1 (sums of columns), 2, -2 (singular values), infinity,
// -infinity (sums of rows): the largest, or the smallest where it is negative
Tensor matrix_norm(const Arg& a, const std::string& ord = "fro", const Dims& dims = {-2, -1},
                   bool keepdim = false);
Tensor matrix_norm(const Arg& a, double ord, const Dims& dims = {-2, -1}, bool keepdim = false);
// norm(A) norm(A^-1), in the 2-norm the ratio of the singular values; infinite where A is singular
Tensor cond(const Arg& a, const std::string& p);
Tensor cond(const Arg& a, double p = 2);
// (..., M, N) -> (...) int64: how many singular values count
Tensor matrix_rank(const Arg& a, const Tolerance& tolerance = {}, bool hermitian = false);
Tensor matrix_power(const Arg& a, std::int64_t n);  // (..., N, N) -> the same; n may be negative
// The product of two or more matrices in the order that takes the fewest steps; the first may be a
// row, the last a column.
Tensor multi_dot(const std::vector<Tensor>& tensors, Where where = Where::here());
Tensor cross(const Arg& a, const Arg& b, std::int64_t dim = -1);   // that dim has size 3
Tensor vecdot(const Arg& a, const Arg& b, std::int64_t dim = -1);  // (..., n, ...) -> without it
// (..., n) -> (..., n, N): the powers 0 .. N - 1 of each; N is by default n
Tensor vander(const Arg& x, std::optional<std::int64_t> n = {});
// The X (..., N, K) of the least |A X - B|, and among several the smallest: A (..., M, N),
// B (..., M, K) or (..., M). rcond is pinv's rtol. Whichever the driver, the way is the same, but
// as in PyTorch it says what else is given; the rest is empty: residuals (..., K), the squares of
// |A X - B| by column, not by gelsy nor unless M > N; rank (...) int64, not by gels;
// singular_values
// (..., min(M, N)), by gelsd and gelss.
LeastSquares lstsq(const Arg& a, const Arg& b, std::optional<double> rcond = {},
                   const std::string& driver = "gelsy");

}  // namespace tg::linalg
