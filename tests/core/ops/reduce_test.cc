#include <doctest/doctest.h>

#include <cmath>

#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

const Numbers x{{2, 3}, {1, 5, 2, 4, 3, 6}};
const Numbers cube{{2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 9}};
const Numbers empty_rows{{2, 0}, {}};

Tensor f_sum(const Tensors& t) { return sum(t[0]); }
Tensor f_sum_rows(const Tensors& t) { return sum(t[0], 0); }
Tensor f_sum_kept(const Tensors& t) { return sum(t[0], -1, true); }
Tensor f_sum_two(const Tensors& t) { return sum(t[0], {0, 2}); }
Tensor f_sum_to(const Tensors& t) { return sum_to(t[0], {3}); }
Tensor f_mean(const Tensors& t) { return mean(t[0]); }
Tensor f_mean_columns(const Tensors& t) { return mean(t[0], 1); }
Tensor f_amax(const Tensors& t) { return amax(t[0]); }
Tensor f_amax_rows(const Tensors& t) { return amax(t[0], 0, true); }
Tensor f_argmax(const Tensors& t) { return argmax(t[0]); }
Tensor f_argmax_columns(const Tensors& t) { return argmax(t[0], 1); }
Tensor f_max(const Tensors& t) { return max(t[0], 1).values; }
Tensor f_max_index(const Tensors& t) { return max(t[0], 0, true).indices; }

Tensor f_amin(const Tensors& t) { return amin(t[0], 0); }
Tensor f_argmin(const Tensors& t) { return argmin(t[0], 1); }
Tensor f_min(const Tensors& t) { return min(t[0], 1).values; }
Tensor f_any(const Tensors& t) { return any(gt(t[0], 4), 1); }
Tensor f_all(const Tensors& t) { return all(gt(t[0], 1), 1); }
Tensor f_var(const Tensors& t) { return var(t[0], 1); }
Tensor f_var_0(const Tensors& t) { return var(t[0], {}, 0); }
Tensor f_std(const Tensors& t) { return tg::std(t[0], 1, 1, true); }
Tensor f_logsumexp(const Tensors& t) { return logsumexp(t[0], 1); }
Tensor f_prod(const Tensors& t) { return prod(t[0]); }
Tensor f_prod_rows(const Tensors& t) { return prod(t[0], 1, true); }
Tensor f_cumsum(const Tensors& t) { return cumsum(t[0], 1); }
Tensor f_cumsum_rows(const Tensors& t) { return cumsum(t[0], 0); }

}  // namespace

std::vector<Row> reduce_rows() {
    return {
        {.op = "amin",
         .f = f_amin,
         .inputs = {x},
         .expected = {{3}, {1, 3, 2}},
         .misuse = [] { amin(ones({0})); },
         .error = "amin: dim 0 of (0,) has no elements to choose from"},
        {.op = "amin",
         .f = f_amin,
         .inputs = {{{2}, {-128, 127}, DType::int8}},
         .expected = {{}, {-128}, DType::int8},
         .order = 0},
        {.op = "argmin",
         .f = f_argmin,
         .inputs = {x},
         .expected = {{2}, {0, 1}, DType::int64},
         .order = 0,
         .misuse = [] { argmin(ones({2}), 4); },
         .error = "argmin: dim 4 is outside -1..0 of a tensor with 1 dim"},
        {.op = "min",
         .f = f_min,
         .inputs = {x},
         .expected = {{2}, {1, 3}},
         .misuse = [] { min(ones({0})); },
         .error = "min: amin: dim 0 of (0,) has no elements to choose from"},
        {.op = "any",
         .f = f_any,
         .inputs = {x},
         .expected = {{2}, {1, 1}, DType::boolean},
         .order = 0},
        {.op = "any",
         .f = f_any,
         .inputs = {empty_rows},
         .expected = {{2}, {0, 0}, DType::boolean},
         .order = 0},
        {.op = "all",
         .f = f_all,
         .inputs = {x},
         .expected = {{2}, {0, 1}, DType::boolean},
         .order = 0},
        {.op = "all",
         .f = f_all,
         .inputs = {empty_rows},
         .expected = {{2}, {1, 1}, DType::boolean},
         .order = 0},
        {.op = "var",
         .f = f_var,
         .inputs = {x},
         .expected = {{2}, {13.0 / 3, 7.0 / 3}},
         .tolerance = 1e-6},
        {.op = "var",
         .f = f_var_0,
         .inputs = {x},
         .expected = {{}, {35.0 / 12}},
         .tolerance = 1e-6},
        {.op = "std",
         .f = f_std,
         .inputs = {x},
         .expected = {{2, 1}, {std::sqrt(13.0 / 3), std::sqrt(7.0 / 3)}},
         .tolerance = 1e-6},
        {.op = "logsumexp",
         .f = f_logsumexp,
         .inputs = {x},
         .expected = {{2},
                      {std::log(std::exp(1) + std::exp(5) + std::exp(2)),
                       std::log(std::exp(4) + std::exp(3) + std::exp(6))}},
         .tolerance = 1e-6},
        {.op = "prod", .f = f_prod, .inputs = {x}, .expected = {{}, {720}}},
        {.op = "prod",
         .f = f_prod_rows,
         .inputs = {{{2, 3}, {0, 5, 2, 4, 0, 0}}},
         .expected = {{2, 1}, {0, 0}},
         .misuse = [] { prod(ones({2}), 3); },
         .error = "prod: dim 3 is outside -1..0 of a tensor with 1 dim"},
        {.op = "prod", .f = f_prod_rows, .inputs = {empty_rows}, .expected = {{2, 1}, {1, 1}}},
        {.op = "cumsum",
         .f = f_cumsum,
         .inputs = {x},
         .expected = {{2, 3}, {1, 6, 8, 4, 7, 13}},
         .misuse = [] { cumsum(ones({2}), 1); },
         .error = "cumsum: dim 1 is outside -1..0 of a tensor with 1 dim"},
        {.op = "cumsum",
         .f = f_cumsum_rows,
         .inputs = {x},
         .expected = {{2, 3}, {1, 5, 2, 5, 8, 8}}},
        {.op = "cumsum", .f = f_cumsum, .inputs = {empty_rows}, .expected = empty_rows},
        {.op = "sum",
         .f = f_sum,
         .inputs = {x},
         .expected = {{}, {21}},
         .misuse =
             [] {
                 sum(ones({2, 3}), 2);
             },
         .error = "sum: dim 2 is outside -2..1 of a tensor with 2 dims"},
        {.op = "sum",
         .f = f_sum_rows,
         .inputs = {x},
         .expected = {{3}, {5, 8, 8}},
         .misuse =
             [] {
                 sum(ones({2, 3}), {0, -2});
             },
         .error = "sum: dim -2 appears twice"},
        {.op = "sum", .f = f_sum_kept, .inputs = {x}, .expected = {{2, 1}, {8, 13}}},
        {.op = "sum", .f = f_sum_two, .inputs = {cube}, .expected = {{2}, {14, 23}}},
        {.op = "sum", .f = f_sum_kept, .inputs = {empty_rows}, .expected = {{2, 1}, {0, 0}}},
        {.op = "sum",
         .f = f_sum,
         .inputs = {{{3}, {1, 1, 1}, DType::boolean}},
         .expected = {{}, {3}, DType::int64}},
        {.op = "sum", .f = f_sum, .inputs = {{{}, {4}}}, .expected = {{}, {4}}},
        {.op = "sum_to", .f = f_sum_to, .inputs = {x}, .expected = {{3}, {5, 8, 8}}},
        {.op = "mean",
         .f = f_mean,
         .inputs = {x},
         .expected = {{}, {3.5}},
         .misuse = [] { mean(ones({2}, {DType::int64})); },
         .error = "mean: needs a floating dtype, and this tensor is int64; cast it first"},
        {.op = "mean",
         .f = f_mean_columns,
         .inputs = {x},
         .expected = {{2}, {8.0 / 3, 13.0 / 3}},
         .tolerance = 1e-6},
        {.op = "amax",
         .f = f_amax,
         .inputs = {x},
         .expected = {{}, {6}},
         .misuse =
             [] {
                 amax(ones({2, 0}), 1);
             },
         .error = "amax: dim 1 of (2, 0) has no elements to choose from"},
        {.op = "amax", .f = f_amax_rows, .inputs = {x}, .expected = {{1, 3}, {4, 5, 6}}},
        {.op = "argmax",
         .f = f_argmax,
         .inputs = {x},
         .expected = {{}, {5}, DType::int64},
         .order = 0,
         .misuse =
             [] {
                 argmax(ones({2, 0}), 1);
             },
         .error = "argmax: dim 1 of (2, 0) has no elements to choose from"},
        {.op = "argmax",
         .f = f_argmax_columns,
         .inputs = {{{2, 3}, {1, 5, 5, 4, 3, 1}}},
         .expected = {{2}, {1, 0}, DType::int64},
         .order = 0},
        {.op = "max",
         .f = f_max,
         .inputs = {x},
         .expected = {{2}, {5, 6}},
         .misuse = [] { max(ones({0})); },
         .error = "max: amax: dim 0 of (0,) has no elements to choose from"},
        {.op = "max",
         .f = f_max_index,
         .inputs = {x},
         .expected = {{1, 3}, {1, 0, 1}, DType::int64},
         .order = 0},
    };
}

}  // namespace tg::test

TEST_CASE("reductions: values, gradients, programs, cuda and errors") {
    for (const tg::test::Row& row : tg::test::reduce_rows()) tg::test::check(row);
}

TEST_CASE("the elements that tie for a maximum share its gradient") {
    tg::Tensor x = tg::tensor(std::vector<float>{3, 1, 3, 3});
    x.requires_grad_();
    tg::amax(x).backward();
    const tg::Tensor g = x.grad();
    for (int i = 0; i < 4; ++i) CHECK(g[i].item<float>() == (i == 1 ? 0.0f : 1.0f / 3));
}
