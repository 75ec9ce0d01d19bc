#include <doctest/doctest.h>

#include <cmath>

#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

const Numbers x32{{2, 3}, {-1.5, 0.5, 2, -0.25, 1, 3}};
const Numbers y32{{2, 3}, {0.5, -2, 1.5, 4, -0.75, 2.5}};
const Numbers row3{{3}, {2, -1, 0.5}};
const Numbers one{{}, {2}};
const Numbers above0{{2, 2}, {0.5, 1, 2, 4}};
const Numbers none{{0, 3}, {}};

Tensor ones_of(const Dims& shape, DType dtype = DType::float32) { return ones(shape, {dtype}); }
const auto misfit = [](Tensor (*f)(const Arg&, const Arg&)) { f(ones_of({2, 3}), ones_of({4})); };

Tensor f_add(const Tensors& x) { return add(x[0], x[1]); }
Tensor f_sub(const Tensors& x) { return sub(x[0], x[1]); }
Tensor f_mul(const Tensors& x) { return mul(x[0], x[1]); }
Tensor f_div(const Tensors& x) { return div(x[0], x[1]); }
Tensor f_pow(const Tensors& x) { return pow(x[0], x[1]); }
Tensor f_square(const Tensors& x) { return pow(x[0], 2); }
Tensor f_two_to(const Tensors& x) { return pow(2.0, x[0]); }
Tensor f_maximum(const Tensors& x) { return maximum(x[0], x[1]); }
Tensor f_minimum(const Tensors& x) { return minimum(x[0], x[1]); }
Tensor f_neg(const Tensors& x) { return neg(x[0]); }
Tensor f_exp(const Tensors& x) { return exp(x[0]); }
Tensor f_log(const Tensors& x) { return log(x[0]); }
Tensor f_tanh(const Tensors& x) { return tanh(x[0]); }
Tensor f_sqrt(const Tensors& x) { return sqrt(x[0]); }
Tensor f_abs(const Tensors& x) { return abs(x[0]); }
Tensor f_sign(const Tensors& x) { return sign(x[0]); }
Tensor f_relu(const Tensors& x) { return relu(x[0]); }
Tensor f_where(const Tensors& x) { return where(gt(x[0], 0), x[0], x[1]); }
Tensor f_where_number(const Tensors& x) { return where(lt(x[0], 1), x[0], 7); }
Tensor f_cast(const Tensors& x) { return cast(x[0], DType::float64); }
Tensor f_to_int(const Tensors& x) { return cast(x[0], DType::int32); }
Tensor f_twice(const Tensors& x) { return mul(x[0], x[0]); }
Tensor f_number(const Tensors& x) { return sub(3, mul(x[0], 0.5)); }

Tensor f_rsqrt(const Tensors& x) { return rsqrt(x[0]); }
Tensor f_expm1(const Tensors& x) { return expm1(x[0]); }
Tensor f_log1p(const Tensors& x) { return log1p(x[0]); }
Tensor f_sigmoid(const Tensors& x) { return sigmoid(x[0]); }
Tensor f_sin(const Tensors& x) { return sin(x[0]); }
Tensor f_cos(const Tensors& x) { return cos(x[0]); }
Tensor f_erf(const Tensors& x) { return erf(x[0]); }
Tensor f_floor(const Tensors& x) { return tg::floor(x[0]); }
Tensor f_ceil(const Tensors& x) { return tg::ceil(x[0]); }
Tensor f_trunc(const Tensors& x) { return tg::trunc(x[0]); }
Tensor f_round(const Tensors& x) { return tg::round(x[0]); }

std::string clash(const std::string& op) {
    return op +
           ": shapes (2, 3) and (4,) do not broadcast: dim -1 is 3 and 4; make them equal, or one "
           "of them 1";
}

std::string undefined(const std::string& op) {
    return op + ": is not defined for bool; cast the tensor first";
}

}  // namespace

std::vector<Row> elementwise_rows() {
    return {
        {.op = "add",
         .f = f_add,
         .inputs = {x32, y32},
         .expected = {{2, 3}, {-1, -1.5, 3.5, 3.75, 0.25, 5.5}},
         .misuse = [] { misfit(add); },
         .error = clash("add")},
        {.op = "add",
         .f = f_add,
         .inputs = {x32, row3},
         .expected = {{2, 3}, {0.5, -0.5, 2.5, 1.75, 0, 3.5}}},
        {.op = "add",
         .f = f_add,
         .inputs = {{{2, 1}, {1, 2}}, {{1, 3}, {10, 20, 30}}},
         .expected = {{2, 3}, {11, 21, 31, 12, 22, 32}}},
        {.op = "add", .f = f_add, .inputs = {none, row3}, .expected = none},
        {.op = "add", .f = f_add, .inputs = {one, one}, .expected = {{}, {4}}},
        {.op = "sub",
         .f = f_sub,
         .inputs = {x32, y32},
         .expected = {{2, 3}, {-2, 2.5, 0.5, -4.25, 1.75, 0.5}},
         .misuse = [] { misfit(sub); },
         .error = clash("sub")},
        {.op = "sub",
         .f = f_number,
         .inputs = {row3},
         .expected = {{3}, {2, 3.5, 2.75}},
         .misuse = [] { sub(ones_of({2}, DType::boolean), true); },
         .error = "sub: two bool tensors cannot be subtracted; use ne(a, b) or logical_not"},
        {.op = "mul",
         .f = f_mul,
         .inputs = {x32, one},
         .expected = {{2, 3}, {-3, 1, 4, -0.5, 2, 6}},
         .misuse = [] { misfit(mul); },
         .error = clash("mul")},
        {.op = "mul", .f = f_twice, .inputs = {row3}, .expected = {{3}, {4, 1, 0.25}}},
        {.op = "div",
         .f = f_div,
         .inputs = {x32, row3},
         .expected = {{2, 3}, {-0.75, -0.5, 4, -0.125, -1, 6}},
         .misuse = [] { misfit(div); },
         .error = clash("div")},
        {.op = "div",
         .f = f_div,
         .inputs = {{{2}, {1, -7}, DType::int64}, {{2}, {2, 2}, DType::int32}},
         .expected = {{2}, {0.5, -3.5}}},
        {.op = "pow",
         .f = f_pow,
         .inputs = {above0, {{2, 2}, {2, 3, -1, 0.5}}},
         .expected = {{2, 2}, {0.25, 1, 0.5, 2}},
         .tolerance = 1e-6,
         .misuse = [] { pow(ones_of({2}, DType::boolean), true); },
         .error = undefined("pow")},
        {.op = "pow",
         .f = f_square,
         .inputs = {x32},
         .expected = {{2, 3}, {2.25, 0.25, 4, 0.0625, 1, 9}},
         .tolerance = 1e-6},
        {.op = "pow",
         .f = f_two_to,
         .inputs = {row3},
         .expected = {{3}, {4, 0.5, std::sqrt(2.0)}},
         .tolerance = 1e-6},
        {.op = "maximum",
         .f = f_maximum,
         .inputs = {x32, y32},
         .expected = {{2, 3}, {0.5, 0.5, 2, 4, 1, 3}},
         .misuse = [] { misfit(maximum); },
         .error = clash("maximum")},
        {.op = "minimum",
         .f = f_minimum,
         .inputs = {x32, y32},
         .expected = {{2, 3}, {-1.5, -2, 1.5, -0.25, -0.75, 2.5}},
         .misuse = [] { misfit(minimum); },
         .error = clash("minimum")},
        {.op = "neg",
         .f = f_neg,
         .inputs = {row3},
         .expected = {{3}, {-2, 1, -0.5}},
         .misuse = [] { neg(ones_of({2}, DType::boolean)); },
         .error = "neg: a bool tensor has no negative; use logical_not"},
        {.op = "exp",
         .f = f_exp,
         .inputs = {row3},
         .expected = {{3}, {std::exp(2.0), std::exp(-1.0), std::exp(0.5)}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 Tensor n = ones_of({2}, DType::int64);
                 in_place(n, exp, "exp_");
             },
         .error = "exp_: the result is float32 and cannot be kept in a tensor of int64"},
        {.op = "exp",
         .f = f_exp,
         .inputs = {{{2}, {0, 1}, DType::int64}},
         .expected = {{2}, {1, std::exp(1.0)}},
         .tolerance = 1e-6},
        {.op = "log",
         .f = f_log,
         .inputs = {above0},
         .expected = {{2, 2}, {std::log(0.5), 0, std::log(2.0), std::log(4.0)}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 Tensor n = ones_of({2}, DType::uint8);
                 in_place(n, log, "log_");
             },
         .error = "log_: the result is float32 and cannot be kept in a tensor of uint8"},
        {.op = "tanh",
         .f = f_tanh,
         .inputs = {x32},
         .expected = {{2, 3},
                      {std::tanh(-1.5), std::tanh(0.5), std::tanh(2.0), std::tanh(-0.25),
                       std::tanh(1.0), std::tanh(3.0)}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 Tensor n = ones_of({2}, DType::int32);
                 in_place(n, tanh, "tanh_");
             },
         .error = "tanh_: the result is float32 and cannot be kept in a tensor of int32"},
        {.op = "sqrt",
         .f = f_sqrt,
         .inputs = {above0},
         .expected = {{2, 2}, {std::sqrt(0.5), 1, std::sqrt(2.0), 2}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 Tensor n = ones_of({2}, DType::int8);
                 in_place(n, sqrt, "sqrt_");
             },
         .error = "sqrt_: the result is float32 and cannot be kept in a tensor of int8"},
        {.op = "abs",
         .f = f_abs,
         .inputs = {x32},
         .expected = {{2, 3}, {1.5, 0.5, 2, 0.25, 1, 3}},
         .misuse = [] { abs(ones_of({2}, DType::boolean)); },
         .error = undefined("abs")},
        {.op = "sign",
         .f = f_sign,
         .inputs = {x32},
         .expected = {{2, 3}, {-1, 1, 1, -1, 1, 1}},
         .misuse =
             [] {
                 Tensor n = ones_of({2});
                 add_(n, sign(ones_of({3})));
             },
         .error = "add: shapes (2,) and (3,) do not broadcast: dim -1 is 2 and 3; make them equal, "
                  "or one of them 1"},
        {.op = "relu",
         .f = f_relu,
         .inputs = {x32},
         .expected = {{2, 3}, {0, 0.5, 2, 0, 1, 3}},
         .misuse = [] { relu(ones_of({2}, DType::boolean)); },
         .error = undefined("relu")},
        {.op = "relu", .f = f_relu, .inputs = {none}, .expected = none},
        {.op = "where",
         .f = f_where,
         .inputs = {x32, row3},
         .expected = {{2, 3}, {2, 0.5, 2, 2, 1, 3}},
         .misuse = [] { where(ones_of({2}), 1, 0); },
         .error = "where: the condition is float32, not bool; compare it: x != 0"},
        {.op = "where", .f = f_where_number, .inputs = {row3}, .expected = {{3}, {7, -1, 0.5}}},
        {.op = "rsqrt",
         .f = f_rsqrt,
         .inputs = {{{2, 2}, {0.25, 1, 4, 16}}},
         .expected = {{2, 2}, {2, 1, 0.5, 0.25}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 Tensor n = ones_of({2}, DType::int64);
                 in_place(n, rsqrt, "rsqrt_");
             },
         .error = "rsqrt_: the result is float32 and cannot be kept in a tensor of int64"},
        {.op = "expm1",
         .f = f_expm1,
         .inputs = {{{2, 3}, {-1.5, 0.5, 2, -0.25, 1, 3}}},
         .expected = {{2, 3},
                      {-0.7768698398515702, 0.6487212707001282, 6.38905609893065,
                       -0.22119921692859512, 1.718281828459045, 19.085536923187668}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 Tensor n = ones_of({2}, DType::int64);
                 in_place(n, expm1, "expm1_");
             },
         .error = "expm1_: the result is float32 and cannot be kept in a tensor of int64"},
        {.op = "log1p",
         .f = f_log1p,
         .inputs = {{{2, 2}, {0.5, 1, 2, -0.25}}},
         .expected = {{2, 2},
                      {0.4054651081081644, 0.6931471805599453, 1.0986122886681096,
                       -0.2876820724517809}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 Tensor n = ones_of({2}, DType::int64);
                 in_place(n, log1p, "log1p_");
             },
         .error = "log1p_: the result is float32 and cannot be kept in a tensor of int64"},
        {.op = "sigmoid",
         .f = f_sigmoid,
         .inputs = {{{2, 3}, {-1.5, 0.5, 2, -0.25, 1, 3}}},
         .expected = {{2, 3},
                      {0.18242552380635635, 0.6224593312018546, 0.8807970779778823,
                       0.43782349911420193, 0.7310585786300049, 0.9525741268224334}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 Tensor n = ones_of({2}, DType::int64);
                 in_place(n, sigmoid, "sigmoid_");
             },
         .error = "sigmoid_: the result is float32 and cannot be kept in a tensor of int64"},
        {.op = "sin",
         .f = f_sin,
         .inputs = {{{2, 3}, {-1.5, 0.5, 2, -0.25, 1, 3}}},
         .expected = {{2, 3},
                      {-0.9974949866040544, 0.479425538604203, 0.9092974268256817,
                       -0.24740395925452294, 0.8414709848078965, 0.1411200080598672}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 Tensor n = ones_of({2}, DType::int64);
                 in_place(n, sin, "sin_");
             },
         .error = "sin_: the result is float32 and cannot be kept in a tensor of int64"},
        {.op = "cos",
         .f = f_cos,
         .inputs = {{{2, 3}, {-1.5, 0.5, 2, -0.25, 1, 3}}},
         .expected = {{2, 3},
                      {0.0707372016677029, 0.8775825618903728, -0.4161468365471424,
                       0.9689124217106447, 0.5403023058681398, -0.9899924966004454}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 Tensor n = ones_of({2}, DType::int64);
                 in_place(n, cos, "cos_");
             },
         .error = "cos_: the result is float32 and cannot be kept in a tensor of int64"},
        {.op = "erf",
         .f = f_erf,
         .inputs = {{{2, 3}, {-1.5, 0.5, 2, -0.25, 1, 3}}},
         .expected = {{2, 3},
                      {-0.9661051464753108, 0.5204998778130465, 0.9953222650189527,
                       -0.2763263901682369, 0.8427007929497149, 0.9999779095030014}},
         .tolerance = 1e-6,
         .misuse =
             [] {
                 Tensor n = ones_of({2}, DType::int64);
                 in_place(n, erf, "erf_");
             },
         .error = "erf_: the result is float32 and cannot be kept in a tensor of int64"},
        {.op = "floor",
         .f = f_floor,
         .inputs = {{{2, 3}, {-1.7, 0.3, 2.6, -0.2, 1.2, 3.8}}},
         .expected = {{2, 3}, {-2, 0, 2, -1, 1, 3}},
         .misuse = [] { tg::floor(ones_of({2}, DType::boolean)); },
         .error = undefined("floor")},
        {.op = "ceil",
         .f = f_ceil,
         .inputs = {{{2, 3}, {-1.7, 0.3, 2.6, -0.2, 1.2, 3.8}}},
         .expected = {{2, 3}, {-1, 1, 3, 0, 2, 4}},
         .misuse = [] { tg::ceil(ones_of({2}, DType::boolean)); },
         .error = undefined("ceil")},
        {.op = "trunc",
         .f = f_trunc,
         .inputs = {{{2, 3}, {-1.7, 0.3, 2.6, -0.2, 1.2, 3.8}}},
         .expected = {{2, 3}, {-1, 0, 2, 0, 1, 3}},
         .misuse = [] { tg::trunc(ones_of({2}, DType::boolean)); },
         .error = undefined("trunc")},
        {.op = "round",
         .f = f_round,
         .inputs = {{{2, 3}, {-1.7, 0.3, 2.6, -0.2, 1.2, 3.8}}},
         .expected = {{2, 3}, {-2, 0, 3, 0, 1, 4}},
         .misuse = [] { tg::round(ones_of({2}, DType::boolean)); },
         .error = undefined("round")},
        {.op = "round",
         .f = f_round,
         .inputs = {{{4}, {0.5, 1.5, 2.5, -0.5}}},
         .expected = {{4}, {0, 2, 2, 0}},
         .order = 0},
        {.op = "floor",
         .f = f_floor,
         .inputs = {{{2}, {3, -4}, DType::int64}},
         .expected = {{2}, {3, -4}, DType::int64},
         .order = 0},
        {.op = "cast",
         .f = f_cast,
         .inputs = {row3},
         .expected = {{3}, {2, -1, 0.5}, DType::float64}},
        {.op = "cast",
         .f = f_to_int,
         .inputs = {{{4}, {2.9, -2.9, 3e10, NAN}}},
         .expected = {{4}, {2, -2, 2147483647, 0}, DType::int32},
         .order = 0},
    };
}

}  // namespace tg::test

TEST_CASE("elementwise ops: values, gradients, programs, cuda and errors") {
    for (const tg::test::Row& row : tg::test::elementwise_rows()) tg::test::check(row);
}

TEST_CASE("relu lets NaN and its gradient through") {
    tg::Tensor x = tg::tensor(std::vector<float>{-1, 0, 2, std::nanf("")});
    x.requires_grad_();
    relu(x).sum().backward();
    const tg::Tensor g = x.grad();
    for (int i = 0; i < 4; ++i) CHECK(g[i].item<float>() == (i < 2 ? 0.0f : 1.0f));
}
