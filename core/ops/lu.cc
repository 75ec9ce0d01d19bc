// A = P L U: Gaussian elimination, kept for later. Two records: the elimination, and which row
// went where.
#include <algorithm>

#include "core/autocast.h"
#include "core/batching.h"
#include "core/low_precision.h"
#include "core/ops/matrices.h"

namespace tg {
namespace {

// ---- shapes -------------------------------------------------------------------------------------

// A (..., M, N) -> L and U (..., M, N), pivots (..., K) int32
Descs lu_shape(const Op& op, std::span<const Desc> in, const Attrs&) {
    check_matrix(op.name, in[0]);
    Dims shape = batch_of(in[0].shape, 1);
    shape[shape.size() - 1] = smaller(op.name, in[0]);
    return {in[0], Desc{shape, DType::int32, in[0].device}};
}

// pivots (..., K) int32 -> rows (..., M) int64
Descs lu_rows_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    Dims shape = in[0].shape;
    const std::int64_t rows = attrs.integer(0);
    if (in[0].dtype != DType::int32 || shape.size() == 0 || rows < 0)
        fail(ErrorKind::runtime, op.name, ": pivots ", text(shape), " of ", name_of(in[0].dtype),
             " must be (..., K) of int32");
    shape[shape.size() - 1] = rows;
    return {Desc{shape, DType::int64, in[0].device}};
}

// ---- kernels ------------------------------------------------------------------------------------

void lu_cpu(const Launch& l) {
    check_found(l, kernels::cpu::lu(l.out[0], l.out[1], l.in[0], l.attrs.integer(0) != 0),
                "is singular: a number on U's diagonal is 0");
}

void lu_rows_cpu(const Launch& l) {
    if (kernels::cpu::lu_rows(l.out[0], l.in[0]))
        fail(ErrorKind::runtime, l.op.name, ": a pivot is outside 1..",
             l.out[0].shape[l.out[0].dims - 1], ", the rows of the factors");
}

// ---- rows in another order ----------------------------------------------------------------------

// Which row of A each row of L U is.
Tensor order_of(const Tensor& pivots, const Tensor& factors) {
    const Desc f = desc_of(factors);
    const std::int64_t k = smaller("lu_solve", f);
    if (pivots.dims() == 0 || pivots.size(-1) != k)
        fail(ErrorKind::runtime, "lu_solve: pivots ", text(pivots.shape()),
             " do not fit the factors ", text(f.shape), ", which have ", k);
    return apply(ops::lu_rows, {pivots},
                 {Attr{known_size("lu_solve", factors, factors.dims() - 2)}});
}

Tensor with_dims(Tensor x, int dims) {
    while (x.dims() < dims) x = unsqueeze(x, 0);
    return x;
}

// x (..., M, N), rows (..., M) -> row i is x's row rows_i; batches broadcast
Tensor rows_of(const Tensor& x, const Tensor& rows) {
    const int dims = std::max(x.dims(), rows.dims() + 1);
    return take_along_dim(with_dims(x, dims), with_dims(unsqueeze(rows, -1), dims), -2);
}
Tensor rows_back(const Tensor& x, const Tensor& rows) { return rows_of(x, argsort(rows, -1)); }

Tensor triangular(const Tensor& a, const Tensor& b, bool upper, bool unit) {
    return linalg::solve_triangular(a, b, {.upper = upper, .unitriangular = unit});
}
Tensor first_rows(const Tensor& x, std::int64_t n) { return slice(x, -2, 0, n); }
Tensor first_columns(const Tensor& x, std::int64_t n) { return slice(x, -1, 0, n); }

// ---- gradients ----------------------------------------------------------------------------------

// P^T A = (L1; L2) (U1 U2) with L1 and U1 square, one of L2 and U2 empty. Of A1 = L1 U1 it is
// dA1 = L1^-T (tril(L1^T g_L1, -1) + triu(g_U1 U1^T)) U1^-T; L2 = A2 U1^-1 adds - L2^T g_L2 U1^-T
// to g_U1, and U2 = L1^-1 A2 adds - L1^-T g_U2 U2^T to g_L1 [Walter and Lehmann 2010]. A = P L U =>
// dA = P L^-T (tril(L^T g_L, -1) + triu(g_U U^T)) U^-T, of A square
void lu_gradient(Backward& n) {
    const Tensor y = n.output(0), g = n.g(0);
    const std::int64_t rows = y.size(-2), columns = y.size(-1), k = std::min(rows, columns);
    const Tensor square = first_rows(first_columns(y, k), k), turned_square = turned(square);
    Tensor gl = tril(first_rows(first_columns(g, k), k), -1);
    Tensor gu = triu(first_rows(first_columns(g, k), k));
    const Tensor l = add(tril(square, -1), eye_like(square, k)), u = triu(square);
    // X U^-T, and L^-T X
    const auto by_upper = [&](const Tensor& x) {
        return turned(triangular(square, turned(x), true, false));
    };
    const auto by_lower = [&](const Tensor& x) { return triangular(turned_square, x, true, true); };
    Tensor rest;
    if (rows > k) {
        rest = by_upper(slice(g, -2, k, rows));
        gu = sub(gu, triu(matmul(turned(slice(y, -2, k, rows)), rest)));
    }
    if (columns > k) {
        rest = by_lower(slice(g, -1, k, columns));
        gl = sub(gl, tril(matmul(rest, turned(slice(y, -1, k, columns))), -1));
    }
    const Tensor inner = add(tril(matmul(turned(l), gl), -1), triu(matmul(gu, turned(u))));
    Tensor da = by_upper(by_lower(inner));
    if (rest.defined()) da = cat({da, rest}, rows > k ? -2 : -1);
    n.give(0, rows_back(da, order_of(n.output(1), y)));
}

}  // namespace

namespace ops {

const Op lu_factor = {.name = "lu_factor",
                      .inputs = 1,
                      .shape = lu_shape,
                      .gradient = lu_gradient,
                      .needs = {{Need::y, Need::y1}},
                      .cpu = lu_cpu,
                      .attributes = {{"check", AttrKind::integer}},
                      .batch = batch_aligned};
const Op lu_rows = {.name = "lu_rows",
                    .inputs = 1,
                    .shape = lu_rows_shape,
                    .cpu = lu_rows_cpu,
                    .attributes = {{"rows", AttrKind::integer}},
                    .batch = batch_aligned};

}  // namespace ops

// ---- what users call ----------------------------------------------------------------------------
namespace linalg {

namespace {

LU factored(const char* op, const Arg& a, bool check) {
    check_tensor(op, "A", a);
    const Outputs found = apply_all(ops::lu_factor, {&a, 1}, {Attr{std::int64_t{check}}});
    return {found[0], found[1]};
}

}  // namespace

LU lu_factor(const Arg& a) {
    const Here here(a.where, "lu_factor");
    if (autocast().enabled) return without_autocast([&] { return lu_factor(widened(a)); });
    return factored("lu_factor", a, true);
}

Permuted lu(const Arg& a) {
    const Here here(a.where, "lu");
    if (autocast().enabled) return without_autocast([&] { return lu(widened(a)); });
    const auto [factors, pivots] = factored("lu", a, false);
    const std::int64_t rows = factors.size(-2), k = std::min(rows, factors.size(-1));
    const Tensor order = order_of(pivots, factors);
    const Tensor ones = eye_like(factors, rows);
    Dims shape = order.shape();
    shape.push_back(rows);
    const Tensor l = add(tril(first_columns(factors, k), -1), first_columns(ones, k));
    return {rows_back(expand(ones, shape), order), l, triu(first_rows(factors, k))};
}

// P L U X = B. Turned: U^T L^T P^T X = B. From the right, X A = B is A^T X^T = B^T.
Tensor lu_solve(const Arg& factors, const Arg& pivots, const Arg& b, bool left, bool transposed) {
    const Here here(factors.where, "lu_solve");
    check_tensor("lu_solve", "LU", factors);
    check_tensor("lu_solve", "pivots", pivots);
    check_tensor("lu_solve", "B", b);
    check_square("lu_solve", desc_of(factors.tensor));
    check_matrix("lu_solve", desc_of(b.tensor));
    if (!left) return turned(lu_solve(factors, pivots, turned(b), true, !transposed));
    const Tensor& lu = factors.tensor;
    const Tensor order = order_of(pivots.tensor, lu);
    if (b.tensor.size(-2) != lu.size(-1))
        fail(ErrorKind::runtime, "lu_solve: B ", text(b.tensor.shape()), " has ", b.tensor.size(-2),
             " rows, and the factors ", text(lu.shape()), " have ", lu.size(-1));
    if (transposed) {
        const Tensor middle = triangular(turned(lu), b.tensor, false, false);
        return rows_back(triangular(turned(lu), middle, true, true), order);
    }
    return triangular(lu, triangular(lu, rows_of(b.tensor, order), false, true), true, false);
}

}  // namespace linalg
}  // namespace tg
