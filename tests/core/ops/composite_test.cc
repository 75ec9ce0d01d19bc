#include <doctest/doctest.h>

#include <cmath>

#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

// With logs of whole numbers, softmax gives fractions.
const Numbers x{
    {2, 3},
    {std::log(1.0), std::log(2.0), std::log(5.0), std::log(3.0), std::log(3.0), std::log(2.0)}};
const Numbers target{{2}, {2, 0}, DType::int64};

Tensor f_softmax(const Tensors& t) { return softmax(t[0], 1); }
Tensor f_softmax_rows(const Tensors& t) { return softmax(t[0], 0); }
Tensor f_log_softmax(const Tensors& t) { return log_softmax(t[0], -1); }
Tensor f_cross(const Tensors& t) { return cross_entropy(t[0], t[1]); }
Tensor f_cross_none(const Tensors& t) { return cross_entropy(t[0], t[1], "none"); }
Tensor f_mse(const Tensors& t) { return mse_loss(t[0], t[1]); }
Tensor f_mse_sum(const Tensors& t) { return mse_loss(t[0], t[1], "sum"); }

}  // namespace

std::vector<Row> composite_rows() {
    return {
        {.op = "softmax",
         .f = f_softmax,
         .inputs = {x},
         .expected = {{2, 3}, {0.125, 0.25, 0.625, 0.375, 0.375, 0.25}},
         .tolerance = 1e-6,
         .misuse = [] { softmax(ones({2}, {DType::int64}), 0); },
         .error = "softmax: needs a floating dtype, and this tensor is int64"},
        {.op = "softmax",
         .f = f_softmax_rows,
         .inputs = {{{2, 1}, {1000, 1000}}},
         .expected = {{2, 1}, {0.5, 0.5}}},
        {.op = "softmax", .f = f_softmax, .inputs = {{{2, 0}, {}}}, .expected = {{2, 0}, {}}},
        {.op = "log_softmax",
         .f = f_log_softmax,
         .inputs = {x},
         .expected = {{2, 3},
                      {std::log(0.125), std::log(0.25), std::log(0.625), std::log(0.375),
                       std::log(0.375), std::log(0.25)}},
         .tolerance = 1e-6,
         .misuse = [] { log_softmax(ones({2}), 1); },
         .error = "log_softmax: dim 1 is outside -1..0 of a tensor with 1 dim"},
        {.op = "cross_entropy",
         .f = f_cross,
         .inputs = {x, target},
         .expected = {{}, {-0.5 * (std::log(0.625) + std::log(0.375))}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 cross_entropy(ones({2, 3}), ones({2}));
             },
         .error = "cross_entropy: the target is float32, not int64; cast it: target.long()"},
        {.op = "cross_entropy",
         .f = f_cross_none,
         .inputs = {x, target},
         .expected = {{2}, {-std::log(0.625), -std::log(0.375)}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 cross_entropy(ones({2, 3}), tensor(std::vector<std::int64_t>{1}));
             },
         .error = "cross_entropy: logits (2, 3) and target (1,) do not fit; they are (N, C) and "
                  "(N,), or (C,) and ()"},
        {.op = "mse_loss",
         .f = f_mse,
         .inputs = {{{2}, {1, 2}}, {{2}, {3, 5}}},
         .expected = {{}, {6.5}},
         .misuse = [] { mse_loss(ones({2}), ones({2}), "avg"); },
         .error = "mse_loss: reduction is 'avg'; there are mean, sum and none"},
        {.op = "mse_loss",
         .f = f_mse_sum,
         .inputs = {{{2}, {1, 2}}, {{2}, {3, 5}}},
         .expected = {{}, {13}}},
    };
}

}  // namespace tg::test

TEST_CASE("compositions: values, gradients, programs, cuda and errors") {
    for (const tg::test::Row& row : tg::test::composite_rows()) tg::test::check(row);
}
