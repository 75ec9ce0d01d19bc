// Attention that `cuda` runs in one pass. Users reach it through scaled_dot_product_attention; here
// it is applied itself, on the CPU too.
#include "core/ops/attention.h"

#include <doctest/doctest.h>

#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

const Numbers q{{2, 2, 3}, {0, 1.75, -1.5, 1.75, -0.75, -0.25, 1.25, -0.25, 0.25, -2, 1, 0.25}};
const Numbers k{{2, 4, 3},
                {-1,    -0.75, 1.25,  -1.75, 0.5,  1,    -1.25, -1.75, -1,   0.75, 0.25, -1.5,
                 -0.25, 0.75,  -0.25, 0.5,   1.75, 0.75, -0.5,  -1.25, -0.5, 0,    1.5,  1}};
const Numbers v{
    {2, 4, 2},
    {-1.75, -1, 1.25, 0.25, -1.5, -0.25, -0, -1.25, 1, -1.5, -0.5, 0, -0.25, 0.25, 1, 1.75}};
const Numbers g{{2, 2, 2}, {1.75, 0, 2, -1.75, 0.5, -0.5, 1.25, -1.25}};
const Numbers lse{{2, 2, 1}, {3.25, 3.25, 2, 1.25}};
const Numbers delta{{2, 2, 1}, {0.25, -0.75, -0.5, -0.5}};

template <int causal, int output>
Tensor f_attention(const Tensors& t) {
    const Arg args[] = {t[0], t[1], t[2]};
    return apply_all(ops::attention, args, {Attr{0.5}, Attr{std::int64_t{causal}}})[output];
}
template <int causal, int output>
Tensor f_gradient(const Tensors& t) {
    const Arg args[] = {t[0], t[1], t[2], t[3], t[4], t[5]};
    return apply_all(ops::attention_gradient, args,
                     {Attr{0.5}, Attr{std::int64_t{causal}}})[output];
}

}  // namespace

std::vector<Row> attention_rows() {
    constexpr double near = 1e-6;
    return {
        {.op = "attention",
         .f = f_attention<0, 0>,
         .inputs = {q, k, v},
         .expected = {{2, 2, 2},
                      {-0.0244478559, -0.94268151, -0.496172575, -0.937560326, 0.240349778,
                       0.192384731, 0.482680068, 0.254516342}},
         .tolerance = near,
         .misuse =
             [] {
                 f_attention<0, 0>({ones({2, 3, 4}), ones({2, 3, 5}), ones({2, 3, 4})});
             },
         .error = "attention: float32 (2, 3, 4), float32 (2, 3, 5) and float32 (2, 3, 4) are no "
                  "floating (B, L, E), (B, S, E) and (B, S, V)"},
        {.op = "attention",
         .f = f_attention<0, 1>,
         .inputs = {q, k, v},
         .expected = {{2, 2, 1}, {1.65364676, 1.24680387, 1.3094148, 1.89260972}},
         .tolerance = near},
        {.op = "attention_gradient",
         .f = f_gradient<0, 0>,
         .inputs = {q, k, v, lse, delta, g},
         .expected = {{2, 2, 3},
                      {-0.017081616, 0.0635387351, 0.0645605901, 0.116617214, 0.0863121851,
                       -0.157955151, -0.0189404345, 0.0976776896, -0.00589302895, -0.24196292,
                       0.448198455, -0.399461096}},
         .tolerance = near,
         .misuse =
             [] {
                 f_gradient<0, 0>(
                     {ones({2}), ones({2}), ones({2}), ones({2}), ones({2}), ones({2})});
             },
         .error = "attention_gradient: float32 (2,), float32 (2,) and float32 (2,) are no floating "
                  "(B, L, E), (B, S, E) and (B, S, V)"},
        {.op = "attention_gradient",
         .f = f_gradient<0, 1>,
         .inputs = {q, k, v, lse, delta, g},
         .expected = {{2, 4, 3},
                      {-0.016026184,    -0.0159639555,  0.0218600149,   0.0150977791, 0.0416218371,
                       -0.0433788089,   -0.0449895839,  -0.0253764415,  0.0447051049, 0.210984098,
                       -0.122936041,    -0.00227119846, -1.76889163,    0.917965893,  0.257424873,
                       0.0827362815,    -0.0337160074,  -0.00205222401, 0.0466815016, -0.018243331,
                       -0.000312982952, 0.310621539,    -0.152331026,   -0.0355996366}},
         .tolerance = near},
        {.op = "attention_gradient",
         .f = f_gradient<0, 2>,
         .inputs = {q, k, v, lse, delta, g},
         .expected = {{2, 4, 2},
                      {0.0504168295, -0.0320523681, 0.0619136199, -0.0107361985, 0.0878018533,
                       -0.0496436788, 0.424284276, -0.143648748, 0.699569673, -0.699569673,
                       0.653914458, -0.653914458, 0.351273501, -0.351273501, 0.922679465,
                       -0.922679465}},
         .tolerance = near},
        {.op = "attention",
         .f = f_attention<1, 0>,
         .inputs = {q, k, v},
         .expected = {{2, 2, 2},
                      {-1.75, -1, -0.997261639, -0.686359016, 1, -1.5, 0.29681406, -0.79681406}},
         .tolerance = near},
        {.op = "attention",
         .f = f_attention<1, 1>,
         .inputs = {q, k, v},
         .expected = {{2, 2, 1}, {-1.59375, -0.461100137, -0.28125, 1.22634904}},
         .tolerance = near},
        {.op = "attention_gradient",
         .f = f_gradient<1, 0>,
         .inputs = {q, k, v, lse, delta, g},
         .expected = {{2, 2, 3},
                      {0.01304704, 0.00978528002, -0.0163088, -0.00593995966, 0.0111820158,
                       -0.00281997196, -0.0223467194, 0.0670401581, -0.0223467194, -0.249385446,
                       0.655158936, -0.256539092}},
         .tolerance = near},
        {.op = "attention_gradient",
         .f = f_gradient<1, 1>,
         .inputs = {q, k, v, lse, delta, g},
         .expected = {{2, 4, 3},
                      {-0.016026184,
                       -0.0159639555,
                       0.0218600149,
                       0.0150977791,
                       -0.00647047676,
                       -0.00215682559,
                       0,
                       0,
                       0,
                       0,
                       0,
                       0,
                       -1.76889163,
                       0.917965893,
                       0.257424873,
                       0.0572291702,
                       -0.0286145851,
                       -0.00715364628,
                       0,
                       0,
                       0,
                       0,
                       0,
                       0}},
         .tolerance = near},
        {.op = "attention_gradient",
         .f = f_gradient<1, 2>,
         .inputs = {q, k, v, lse, delta, g},
         .expected = {{2, 4, 2},
                      {0.0504168295, -0.0320523681, 0.0122699411, -0.0107361985, 0, 0, 0, 0,
                       0.699569673, -0.699569673, 0.572291702, -0.572291702, 0, 0, 0, 0}},
         .tolerance = near},
    };
}

}  // namespace tg::test

TEST_CASE("attention: values, gradients, programs, cuda and errors") {
    for (const tg::test::Row& row : tg::test::attention_rows()) tg::test::check(row);
}
