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
Tensor f_cross_none(const Tensors& t) { return cross_entropy(t[0], t[1], {.reduction = "none"}); }
Tensor f_mse(const Tensors& t) { return mse_loss(t[0], t[1]); }
Tensor f_mse_sum(const Tensors& t) { return mse_loss(t[0], t[1], "sum"); }

const Numbers v{{2, 3}, {-1.5, 0.5, 2, -0.25, 1, 3}};
const Numbers odd{{4}, {1, NAN, INFINITY, -INFINITY}};
Tensor f_square(const Tensors& t) { return square(t[0]); }
Tensor f_silu(const Tensors& t) { return silu(t[0]); }
Tensor f_gelu(const Tensors& t) { return gelu(t[0]); }
Tensor f_softplus(const Tensors& t) { return softplus(t[0]); }
Tensor f_leaky_relu(const Tensors& t) { return leaky_relu(t[0]); }
Tensor f_elu(const Tensors& t) { return elu(t[0]); }
Tensor f_reciprocal(const Tensors& t) { return reciprocal(t[0]); }
Tensor f_gelu_tanh(const Tensors& t) { return gelu(t[0], "tanh"); }
Tensor f_clamp(const Tensors& t) { return clamp(t[0], Arg(-1), Arg(1)); }
Tensor f_masked_fill(const Tensors& t) { return masked_fill(t[0], gt(t[0], 1.5), 7); }
Tensor f_isnan(const Tensors& t) { return isnan(t[0]); }
Tensor f_isinf(const Tensors& t) { return isinf(t[0]); }
Tensor f_isfinite(const Tensors& t) { return isfinite(t[0]); }
Tensor f_and(const Tensors& t) { return logical_and(t[0], t[1]); }
Tensor f_or(const Tensors& t) { return logical_or(t[0], t[1]); }
Tensor f_xor(const Tensors& t) { return logical_xor(t[0], t[1]); }
Tensor f_l1(const Tensors& t) { return l1_loss(t[0], t[1], "sum"); }
Tensor f_smooth(const Tensors& t) { return smooth_l1_loss(t[0], t[1], "none"); }
Tensor f_bce(const Tensors& t) {
    return binary_cross_entropy_with_logits(t[0], t[1], {}, "none", t[2]);
}
Tensor f_kl(const Tensors& t) { return kl_div(t[0], t[1], "batchmean"); }
Tensor f_nll(const Tensors& t) { return nll_loss(t[0], t[1], {.weight = t[2], .ignore_index = 0}); }
Tensor f_smoothed(const Tensors& t) { return cross_entropy(t[0], t[1], {.label_smoothing = 0.25}); }
Tensor f_soft(const Tensors& t) { return cross_entropy(t[0], softmax(t[1], 1)); }

}  // namespace

std::vector<Row> composite_rows() {
    return {
        {.op = "softmax",
         .f = f_softmax,
         .inputs = {x},
         .expected = {{2, 3}, {0.125, 0.25, 0.625, 0.375, 0.375, 0.25}},
         .tolerance = 1e-6,
         .misuse = [] { softmax(ones({2}, {DType::int64}), 0); },
         .error = "softmax: needs a floating dtype, and this tensor is int64; cast it first"},
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
         .error =
             "cross_entropy: input (2, 3) and target (1,) do not fit; they are (N, C, ...) and "
             "(N, ...), or (C,) and ()"},
        {.op = "square",
         .f = f_square,
         .inputs = {v},
         .expected = {{2, 3}, {2.25, 0.25, 4, 0.0625, 1, 9}},
         .tolerance = 1e-6},
        {.op = "silu",
         .f = f_silu,
         .inputs = {v},
         .expected = {{2, 3},
                      {-0.2736382857095345, 0.3112296656009273, 1.7615941559557646,
                       -0.10945587477855048, 0.7310585786300049, 2.8577223804672998}},
         .tolerance = 1e-6},
        {.op = "gelu",
         .f = f_gelu,
         .inputs = {v},
         .expected = {{2, 3},
                      {-0.10021080190328713, 0.34573123063700656, 1.9544997361036416,
                       -0.10032341857926907, 0.8413447460685429, 2.99595030590511}},
         .tolerance = 1e-6},
        {.op = "softplus",
         .f = f_softplus,
         .inputs = {v},
         .expected = {{2, 3},
                      {0.2014132779827524, 0.9740769841801067, 2.1269280110429727,
                       0.5759394198788436, 1.3132616875182228, 3.048587351573742}},
         .tolerance = 1e-6},
        {.op = "leaky_relu",
         .f = f_leaky_relu,
         .inputs = {v},
         .expected = {{2, 3}, {-0.015, 0.5, 2, -0.0025, 1, 3}},
         .tolerance = 1e-6},
        {.op = "elu",
         .f = f_elu,
         .inputs = {v},
         .expected = {{2, 3}, {-0.7768698398515702, 0.5, 2, -0.22119921692859512, 1, 3}},
         .tolerance = 1e-6},
        {.op = "reciprocal",
         .f = f_reciprocal,
         .inputs = {v},
         .expected = {{2, 3}, {-0.6666666666666666, 2, 0.5, -4, 1, 0.3333333333333333}},
         .tolerance = 1e-6},
        {.op = "gelu",
         .f = f_gelu_tanh,
         .inputs = {v},
         .expected = {{2, 3},
                      {-0.10042842301976707, 0.34571400982514394, 1.954597694087775,
                       -0.100324649298315, 0.8411919906082768, 2.996362607918227}},
         .tolerance = 1e-6,
         .misuse = [] { gelu(ones({2}), "erf"); },
         .error = "gelu: approximate is 'none' or 'tanh', not 'erf'"},
        {.op = "clamp",
         .f = f_clamp,
         .inputs = {{{4}, {-2, -0.5, 0.5, 3}}},
         .expected = {{4}, {-1, -0.5, 0.5, 1}},
         .misuse = [] { clamp(ones({2}), {}, {}); },
         .error = "clamp: give min, max or both"},
        {.op = "masked_fill",
         .f = f_masked_fill,
         .inputs = {v},
         .expected = {{2, 3}, {-1.5, 0.5, 7, -0.25, 1, 7}},
         .misuse = [] { masked_fill(ones({2}), ones({2}), 1); },
         .error = "masked_fill: the mask must be a tensor of bool; compare: x != 0"},
        {.op = "isnan",
         .f = f_isnan,
         .inputs = {odd},
         .expected = {{4}, {0, 1, 0, 0}, DType::boolean},
         .order = 0},
        {.op = "isinf",
         .f = f_isinf,
         .inputs = {odd},
         .expected = {{4}, {0, 0, 1, 1}, DType::boolean},
         .order = 0},
        {.op = "isfinite",
         .f = f_isfinite,
         .inputs = {odd},
         .expected = {{4}, {1, 0, 0, 0}, DType::boolean},
         .order = 0},
        {.op = "logical_and",
         .f = f_and,
         .inputs = {{{4}, {0, 0, 2, 3}}, {{4}, {0, 1, 0, 5}}},
         .expected = {{4}, {0, 0, 0, 1}, DType::boolean},
         .order = 0},
        {.op = "logical_or",
         .f = f_or,
         .inputs = {{{4}, {0, 0, 2, 3}}, {{4}, {0, 1, 0, 5}}},
         .expected = {{4}, {0, 1, 1, 1}, DType::boolean},
         .order = 0},
        {.op = "logical_xor",
         .f = f_xor,
         .inputs = {{{4}, {0, 0, 2, 3}}, {{4}, {0, 1, 0, 5}}},
         .expected = {{4}, {0, 1, 1, 0}, DType::boolean},
         .order = 0},
        {.op = "l1_loss",
         .f = f_l1,
         .inputs = {{{2}, {1, 2}}, {{2}, {3, 5}}},
         .expected = {{}, {5}}},
        {.op = "smooth_l1_loss",
         .f = f_smooth,
         .inputs = {{{2}, {1, 2}}, {{2}, {1.5, 5}}},
         .expected = {{2}, {0.125, 2.5}}},
        {.op = "binary_cross_entropy_with_logits",
         .f = f_bce,
         .inputs = {{{3}, {-2, 0.5, 3}}, {{3}, {0, 1, 0.25}}, {{3}, {2, 3, 0.5}}},
         .expected = {{3}, {0.1269280110429727, 1.42223095254032, 2.2925139326270245}},
         .tolerance = 1e-6,
         .misuse = [] { binary_cross_entropy_with_logits(ones({2}), ones({3})); },
         .error =
             "binary_cross_entropy_with_logits: the target's shape (3,) must be the input's, (2,)"},
        {.op = "kl_div",
         .f = f_kl,
         .inputs = {{{2, 2}, {-1, -2, -0.5, -3}}, {{2, 2}, {0.5, 0.5, 1, 0.25}}},
         .expected = {{}, {0.855139614580041}},
         .tolerance = 1e-6},
        {.op = "nll_loss",
         .f = f_nll,
         .inputs = {{{3, 2}, {-1, -2, -3, -4, -5, -6}},
                    {{3}, {1, 0, 1}, DType::int64},
                    {{2}, {1, 0.5}}},
         .expected = {{}, {4}},
         .order = 0,
         .misuse =
             [] {
                 nll_loss(ones({2, 3}), tensor(std::vector<std::int64_t>{1, 2}),
                          {.weight = ones({2})});
             },
         .error =
             "nll_loss: the weight has shape (2,), and needs one number for each of 3 classes"},
        {.op = "cross_entropy",
         .f = f_smoothed,
         .inputs = {x, target},
         .expected = {{}, {0.8475495141460817}},
         .tolerance = 1e-6},
        {.op = "cross_entropy",
         .f = f_soft,
         .inputs = {x, x},
         .expected = {{}, {0.9912257906536521}},
         .tolerance = 1e-6},
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
