#include <doctest/doctest.h>

#include <cmath>

#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

const Numbers symmetric{{2, 2}, {2, 1, 1, 3}};
const Numbers pair{{2, 2, 2}, {2, 1, 1, 3, 4, 2, 2, 5}};

// The factors of symmetric matrices read one triangle; a gradient knows of both.
Tensor mirrored(const Tensor& a) { return (a + transpose(a, -2, -1)) * 0.5; }

Tensor f_solve(const Tensors& t) { return linalg::solve(t[0], t[1]); }
Tensor f_solve_right(const Tensors& t) { return linalg::solve(t[0], t[1], false); }
Tensor f_lower(const Tensors& t) { return linalg::solve_triangular(t[0], t[1], {}); }
Tensor f_unit(const Tensors& t) {
    return linalg::solve_triangular(t[0], t[1],
                                    {.upper = true, .left = false, .unitriangular = true});
}
Tensor f_inv(const Tensors& t) { return linalg::inv(t[0]); }
Tensor f_det(const Tensors& t) { return linalg::det(t[0]); }
Tensor f_cofactor(const Tensors& t) { return apply(*find_op("cofactor"), {t[0]}); }
Tensor f_slogdet(const Tensors& t) {
    const linalg::SignLog y = linalg::slogdet(t[0]);
    return stack({y.sign, y.logabsdet}, -1);
}
Tensor f_lu(const Tensors& t) { return linalg::lu_factor(t[0]).factors; }
Tensor f_lu_rows(const Tensors& t) {
    return apply(*find_op("lu_rows"), {t[0]}, {Attr{std::int64_t{3}}});
}
Tensor f_lu_product(const Tensors& t) {
    const linalg::Permuted y = linalg::lu(t[0]);
    return matmul(y.p, matmul(y.l, y.u));
}
Tensor f_cholesky(const Tensors& t) { return linalg::cholesky(mirrored(t[0])); }
Tensor f_cholesky_upper(const Tensors& t) { return linalg::cholesky(mirrored(t[0]), true); }
Tensor f_info(const Tensors& t) { return linalg::cholesky_ex(t[0]).info; }
Tensor f_qr(const Tensors& t) {
    const linalg::QR y = linalg::qr(t[0]);
    return cat({y.q, y.r}, -2);
}
Tensor f_r(const Tensors& t) { return linalg::qr(t[0], "r").r; }
// Squares, for the signs are anybody's.
Tensor f_svd(const Tensors& t) {
    const linalg::SVD y = linalg::svd(t[0]);
    return cat({y.u * y.u, y.vh * y.vh, unsqueeze(y.s, -2)}, -2);
}
Tensor f_svdvals(const Tensors& t) { return linalg::svdvals(t[0]); }
Tensor f_eigh(const Tensors& t) {
    const linalg::Eigh y = linalg::eigh(mirrored(t[0]));
    return cat({y.vectors * y.vectors, unsqueeze(y.values, -2)}, -2);
}
Tensor f_pinv(const Tensors& t) { return linalg::pinv(t[0]); }

std::vector<Row> solving_rows() {
    return {
        {.op = "solve",
         .f = f_solve,
         .inputs = {symmetric, {{2, 1}, {3, 5}}},
         .expected = {{2, 1}, {0.8, 1.4}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 linalg::solve(zeros({2, 2}), ones({2, 1}));
             },
         .error = "solve: the matrix (2, 2) is singular"},
        {.op = "solve",
         .f = f_solve,
         .inputs = {pair, {{2}, {3, 5}}},
         .expected = {{2, 2}, {0.8, 1.4, 0.3125, 0.875}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 linalg::solve(ones({3, 2, 2}), ones({3, 4, 1}));
             },
         .error = "solve: A (3, 2, 2) has 2 rows, but B (3, 4, 1) has 4"},
        {.op = "solve",
         .f = f_solve_right,
         .inputs = {symmetric, {{1, 2}, {3, 5}}},
         .expected = {{1, 2}, {0.8, 1.4}},
         .tolerance = 1e-6},
        {.op = "solve",
         .f = f_solve,
         .inputs = {{{0, 0}, {}}, {{0, 3}, {}}},
         .expected = {{0, 3}, {}}},
        {.op = "solve_triangular",
         .f = f_lower,
         .inputs = {{{2, 2}, {2, 7, 1, 4}}, {{2, 1}, {2, 9}}},
         .expected = {{2, 1}, {1, 2}},
         .misuse =
             [] {
                 linalg::solve_triangular(ones({2, 3}), ones({2, 1}), {});
             },
         .error = "solve_triangular: A (2, 3) has 2 rows and 3 columns, and must be square"},
        {.op = "solve_triangular",
         .f = f_unit,
         .inputs = {{{2, 2}, {9, 2, 9, 9}}, {{1, 2}, {1, 5}}},
         .expected = {{1, 2}, {1, 3}}},
        {.op = "lu_factor",
         .f = f_lu,
         .inputs = {{{2, 2}, {1, 2, 4, 2}}},
         .expected = {{2, 2}, {4, 2, 0.25, 1.5}},
         .misuse =
             [] {
                 linalg::lu_factor(zeros({3, 2, 2}));
             },
         .error = "lu_factor: matrix 0 of (3, 2, 2) is singular: a number on U's diagonal is 0"},
        {.op = "lu_factor",
         .f = f_lu,
         .inputs = {{{3, 2}, {1, 2, 4, 2, 2, 4}}},
         .expected = {{3, 2}, {4, 2, 0.5, 3, 0.25, 0.5}}},
        {.op = "lu_factor",
         .f = f_lu,
         .inputs = {{{2, 3}, {1, 2, 3, 4, 2, 0}}},
         .expected = {{2, 3}, {4, 2, 0, 0.25, 1.5, 3}}},
        {.op = "lu_factor", .f = f_lu_product, .inputs = {pair}, .expected = pair},
        {.op = "lu_rows",
         .f = f_lu_rows,
         .inputs = {{{3}, {2, 3, 3}, DType::int32}},
         .expected = {{3}, {1, 2, 0}, DType::int64},
         .order = 0,
         .misuse =
             [] {
                 const Tensor pivots = tensor(std::vector<std::int64_t>{9, 1});
                 linalg::lu_solve(eye(2), cast(pivots, DType::int32), ones({2, 1}));
             },
         .error = "lu_solve: lu_rows: a pivot is outside 1..2, the rows of the factors"},
        {.op = "inv",
         .f = f_inv,
         .inputs = {symmetric},
         .expected = {{2, 2}, {0.6, -0.2, -0.2, 0.4}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 linalg::inv(stack({eye(2), zeros({2, 2})}));
             },
         .error = "inv: solve: matrix 1 of (2, 2, 2) is singular"},
        {.op = "det",
         .f = f_det,
         .inputs = {pair},
         .expected = {{2}, {5, 16}},
         .tolerance = 1e-6,
         .misuse = [] { linalg::det(ones({3})); },
         .error = "det: a tensor of shape (3,) is no matrix: it needs two dims or more"},
        {.op = "det",
         .f = f_det,
         .inputs = {{{2, 2}, {1, 2, 2, 4}}},  // and of a singular one
         .expected = {{}, {0}},
         .order = 1},
        {.op = "det", .f = f_det, .inputs = {{{2, 0, 0}, {}}}, .expected = {{2}, {1, 1}}},
        {.op = "cofactor",
         .f = f_cofactor,
         .inputs = {symmetric},
         .expected = {{2, 2}, {3, -1, -1, 2}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 apply(*find_op("cofactor"), {ones({2, 3})});
             },
         .error = "cofactor: A (2, 3) has 2 rows and 3 columns, and must be square"},
        {.op = "slogdet",
         .f = f_slogdet,
         .inputs = {symmetric},
         .expected = {{2}, {1, std::log(5.0)}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 linalg::slogdet(ones({2, 2}, {DType::int64}));
             },
         .error = "slogdet: needs float32 or float64, and this tensor is int64; cast it first"},
    };
}

std::vector<Row> factorization_rows() {
    const double root = std::sqrt(5.0);
    return {
        {.op = "cholesky",
         .f = f_cholesky,
         .inputs = {{{2, 2}, {4, 2, 2, 5}}},
         .expected = {{2, 2}, {2, 0, 1, 2}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 linalg::cholesky(tensor({{1, 2}, {2, 1}}));
             },
         .error = "cholesky: the matrix (2, 2) is not positive-definite: its leading minor of "
                  "order 2 is not positive"},
        {.op = "cholesky",
         .f = f_cholesky_upper,
         .inputs = {{{2, 2}, {4, 2, 2, 5}}},
         .expected = {{2, 2}, {2, 1, 0, 2}},
         .tolerance = 1e-6},
        {.op = "cholesky",
         .f = f_info,
         .inputs = {{{3, 2, 2}, {4, 2, 2, 5, 1, 2, 2, 1, -1, 0, 0, 1}}},
         .expected = {{3}, {0, 2, 1}, DType::int32},
         .order = 0},
        {.op = "qr",
         .f = f_qr,
         .inputs = {{{2, 2}, {3, 5, 4, 0}}},
         .expected = {{4, 2}, {-0.6, -0.8, -0.8, 0.6, -5, -3, 0, -4}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 linalg::qr(ones({2, 2}), "full");
             },
         .error = "qr: mode is 'reduced', 'complete' or 'r', not 'full'"},
        {.op = "qr",
         .f = f_qr,
         .inputs = {{{2, 1}, {3, 4}}},
         .expected = {{3, 1}, {-0.6, -0.8, -5}},
         .tolerance = 1e-6},
        {.op = "qr",
         .f = f_r,
         .inputs = {{{2, 3}, {3, 5, 1, 4, 0, 2}}},
         .expected = {{2, 3}, {-5, -3, -2.2, 0, -4, 0.4}},
         .tolerance = 1e-6},
        {.op = "svd",
         .f = f_svd,
         .inputs = {{{2, 2}, {3, 0, 4, 5}}},
         .expected = {{5, 2}, {0.1, 0.9, 0.9, 0.1, 0.5, 0.5, 0.5, 0.5, 3 * root, root}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 linalg::svd(full({2, 2}, std::nan("")));
             },
         .error = "svd: the matrix (2, 2) has an infinite or NaN element, or the iteration does "
                  "not end"},
        {.op = "svd",
         .f = f_svdvals,
         .inputs = {{{2, 3}, {3, 0, 0, 0, 0, 4}}},
         .expected = {{2}, {4, 3}},
         .tolerance = 1e-6},
        {.op = "eigh",
         .f = f_eigh,
         .inputs = {{{2, 2}, {2, 1, 1, 2}}},
         .expected = {{3, 2}, {0.5, 0.5, 0.5, 0.5, 1, 3}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 linalg::eigh(full({1, 2, 2}, INFINITY));
             },
         .error = "eigh: matrix 0 of (1, 2, 2) has an infinite or NaN element, or the iteration "
                  "does not end"},
        {.op = "pinv",
         .f = f_pinv,
         .inputs = {{{2, 1}, {1, 2}}},
         .expected = {{1, 2}, {0.2, 0.4}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 linalg::pinv(full({2, 1}, INFINITY));
             },
         .error = "pinv: the matrix (2, 1) has an infinite or NaN element, or the iteration does "
                  "not end"},
    };
}

}  // namespace

std::vector<Row> linalg_rows() {
    std::vector<Row> rows = solving_rows();
    for (const Row& row : factorization_rows()) rows.push_back(row);
    return rows;
}

}  // namespace tg::test

TEST_CASE("linear algebra: values, gradients, programs, cuda and errors") {
    for (const tg::test::Row& row : tg::test::linalg_rows()) tg::test::check(row);
}
