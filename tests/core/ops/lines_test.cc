// The ops that `cuda` runs a line at a time. Users reach them through softmax, cross_entropy and
// layer_norm; here each is applied to a matrix itself, on the CPU too.
#include "core/ops/lines.h"

#include <doctest/doctest.h>

#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

const Numbers x{{2, 3}, {1, 2, 0.5, -1, 0, 3}};
const Numbers g{{2, 3}, {0.5, -1, 2, 1, 0, -2}};
const Numbers by_line{{2}, {2, -1}};
const Numbers scale{{2, 1}, {2, 0.5}};
const Numbers target{{2}, {2, 0}, DType::int64};

template <int log>
Tensor f_softmax(const Tensors& t) {
    return apply(ops::softmax, {t[0]}, {Attr{std::int64_t{log}}});
}
template <int log>
Tensor f_softmax_gradient(const Tensors& t) {
    return apply(ops::softmax_gradient, {t[0], t[1]}, {Attr{std::int64_t{log}}});
}
Tensor f_cross_entropy(const Tensors& t) { return apply(ops::cross_entropy, {t[0], t[1]}); }
Tensor f_cross_entropy_gradient(const Tensors& t) {
    return apply(ops::cross_entropy_gradient, {t[0], t[1], t[2]});
}
template <int output>
Tensor f_layer_norm(const Tensors& t) {
    const Arg args[] = {t[0]};
    return apply_all(ops::layer_norm, args, {Attr{0.1}})[output];
}
Tensor f_layer_norm_gradient(const Tensors& t) {
    return apply(ops::layer_norm_gradient, {t[0], t[1], t[2]});
}

}  // namespace

std::vector<Row> line_rows() {
    constexpr double near = 1e-6;
    return {
        {.op = "softmax",
         .f = f_softmax<0>,
         .inputs = {x},
         .expected = {{2, 3},
                      {0.231223898, 0.628531719, 0.140244383, 0.0171478255, 0.0466126226,
                       0.936239552}},
         .tolerance = near,
         .misuse = [] { apply(ops::softmax, {ones({2})}, {Attr{std::int64_t{0}}}); },
         .error = "softmax: float32 (2,) is no floating (lines, n)"},
        {.op = "softmax",
         .f = f_softmax<1>,
         .inputs = {x},
         .expected = {{2, 3},
                      {-1.46436878, -0.464368784, -1.96436878, -4.0658839, -3.0658839,
                       -0.0658839038}},
         .tolerance = near},
        {.op = "softmax", .f = f_softmax<0>, .inputs = {{{0, 3}, {}}}, .expected = {{0, 3}, {}}},
        {.op = "softmax_gradient",
         .f = f_softmax_gradient<0>,
         .inputs = {g, x},
         .expected = {{2, 3}, {1, -1, 1.25, -8, 0, 15}},
         .tolerance = near,
         .misuse =
             [] {
                 apply(ops::softmax_gradient, {ones({2}), ones({2})}, {Attr{std::int64_t{0}}});
             },
         .error = "softmax_gradient: float32 (2,) is no floating (lines, n)"},
        {.op = "softmax_gradient",
         .f = f_softmax_gradient<1>,
         .inputs = {g, x},
         .expected = {{2, 3}, {-3.57742274, -12.0835841, -0.473081906, 1.36787944, 1, 18.0855369}},
         .tolerance = near},
        {.op = "cross_entropy",
         .f = f_cross_entropy,
         .inputs = {x, target},
         .expected = {{2}, {1.96436878, 4.0658839}},
         .tolerance = near,
         .misuse =
             [] {
                 apply(ops::cross_entropy, {ones({2, 3}), ones({2})});
             },
         .error = "cross_entropy: float32 (2, 3) and float32 (2,) are no (lines, n) and int64 "
                  "(lines,)"},
        {.op = "cross_entropy",
         .f = f_cross_entropy,
         .inputs = {x, target},
         .expected = {{2}, {1.96436878, 4.0658839}},
         .tolerance = near,
         .misuse =
             [] {
                 f_cross_entropy({ones({2, 3}), full({2}, 3, {.dtype = DType::int64})});
             },
         .error = "cross_entropy: index 3 is outside 0..2, the range of dim 1"},
        {.op = "cross_entropy_gradient",
         .f = f_cross_entropy_gradient,
         .inputs = {by_line, x, target},
         .expected = {{2, 3},
                      {0.462447795, 1.25706344, -1.71951123, 0.982852174, -0.0466126226,
                       -0.936239552}},
         .tolerance = near,
         .misuse =
             [] {
                 apply(ops::cross_entropy_gradient, {ones({2}), ones({2}), ones({2})});
             },
         .error = "cross_entropy_gradient: float32 (2,) and float32 (2,) are no (lines, n) and "
                  "int64 (lines,)"},
        {.op = "layer_norm",
         .f = f_layer_norm<0>,
         .inputs = {x},
         .expected = {{2, 3},
                      {-0.238365647, 1.19182824, -0.953462589, -0.964037359, -0.385614944,
                       1.3496523}},
         .tolerance = near,
         .misuse = [] { f_layer_norm<0>({ones({2})}); },
         .error = "layer_norm: float32 (2,) is no floating (lines, n)"},
        {.op = "layer_norm",
         .f = f_layer_norm<1>,
         .inputs = {x},
         .expected = {{2, 1}, {1.43019388, 0.578422415}},
         .tolerance = near},
        {.op = "layer_norm_gradient",
         .f = f_layer_norm_gradient,
         .inputs = {g, x, scale},
         .expected = {{2, 3},
                      {0.333333333, -2.33333333, 3.16666667, -0.5, 0.166666667, 2.66666667}},
         .tolerance = near,
         .misuse =
             [] {
                 f_layer_norm_gradient({ones({2}), ones({2}), ones({2})});
             },
         .error = "layer_norm_gradient: float32 (2,) is no floating (lines, n)"},
    };
}

}  // namespace tg::test

TEST_CASE("lines: values, gradients, programs, cuda and errors") {
    for (const tg::test::Row& row : tg::test::line_rows()) tg::test::check(row);
}
