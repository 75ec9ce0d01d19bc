#include <doctest/doctest.h>

#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

const Numbers a{{2, 3}, {1, 2, 3, 4, 5, 6}};
const Numbers b{{3, 2}, {1, 0, -1, 2, 0.5, 1}};
const Numbers v{{3}, {1, -1, 2}};
const Numbers batch{{2, 2, 3}, {1, 2, 3, 4, 5, 6, 1, 0, 0, 0, 1, 0}};

Tensor f(const Tensors& x) { return matmul(x[0], x[1]); }
Tensor f_linear(const Tensors& x) { return linear(x[0], x[1], x[2]); }

}  // namespace

std::vector<Row> matmul_rows() {
    return {
        {.op = "matmul",
         .f = f,
         .inputs = {a, b},
         .expected = {{2, 2}, {0.5, 7, 2, 16}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 matmul(ones({2, 3}), ones({2, 3}));
             },
         .error = "matmul: a (2, 3) has 3 columns, but b (2, 3) has 2 rows; transpose a or b?"},
        {.op = "matmul",
         .f = f,
         .inputs = {a, v},
         .expected = {{2}, {5, 11}},
         .misuse =
             [] {
                 matmul(ones({}), ones({2, 3}));
             },
         .error = "matmul: a () and b (2, 3) must both have at least one dim"},
        {.op = "matmul",
         .f = f,
         .inputs = {v, b},
         .expected = {{2}, {3, 0}},
         .misuse =
             [] {
                 matmul(ones({2, 3}), ones({3, 2}, {DType::float64}));
             },
         .error = "matmul: a is float32 and b is float64; cast one of them"},
        {.op = "matmul", .f = f, .inputs = {v, v}, .expected = {{}, {6}}},
        {.op = "matmul",
         .f = f,
         .inputs = {batch, b},
         .expected = {{2, 2, 2}, {0.5, 7, 2, 16, 1, 0, -1, 2}},
         .tolerance = 1e-6},
        {.op = "matmul",
         .f = f,
         .inputs = {a, {{2, 3, 1}, {1, 0, 0, 0, 1, 0}}},
         .expected = {{2, 2, 1}, {1, 4, 2, 5}}},
        {.op = "matmul",
         .f = f,
         .inputs = {{{2, 0}, {}}, {{0, 2}, {}}},
         .expected = {{2, 2}, {0, 0, 0, 0}}},
        {.op = "linear",
         .f = f_linear,
         .inputs = {a, {{2, 3}, {1, 0, 0, 0, 1, -1}}, {{2}, {10, 20}}},
         .expected = {{2, 2}, {11, 19, 14, 19}},
         .misuse =
             [] {
                 linear(ones({2, 4}), ones({5, 3}));
             },
         .error =
             "linear: x (2, 4) does not fit weight (5, 3) (out, in): the last dim of x must be in"},
    };
}

}  // namespace tg::test

TEST_CASE("products: values, gradients, programs, cuda and errors") {
    for (const tg::test::Row& row : tg::test::matmul_rows()) tg::test::check(row);
}
