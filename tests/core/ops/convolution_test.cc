// Values that are not worked out by hand are what PyTorch 2.15 gives in float64.
#include <doctest/doctest.h>

#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

const Numbers image{{1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}};
const Numbers kernel{{1, 1, 2, 2}, {1, 0, -1, 2}};
const Numbers two{{2, 2, 2, 3},
                  {1, -2, 3, 0.5, 1, 4, 2, 0, -1, 3, 1, 2, -1, 2, 0, 1, 1.5, 3, 2, 2, 1, 0, -2, 1}};
const Numbers weight{{2, 1, 2, 2}, {1, 2, -1, 0.5, 3, 0, 1, -2}};

Tensor f_plain(const Tensors& t) { return conv2d(t[0], t[1]); }
Tensor f_bias(const Tensors& t) { return conv2d(t[0], t[1], t[2]); }
Tensor f_same(const Tensors& t) { return conv2d(t[0], t[1], {}, {.padding = "same"}); }
Tensor f_odd(const Tensors& t) {
    return conv2d(t[0], t[1], t[2],
                  {.stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}, .groups = 2});
}
Tensor f_one(const Tensors& t) { return conv1d(t[0], t[1], t[2], {.padding = 1}); }
Tensor f_transposed(const Tensors& t) { return conv_transpose2d(t[0], t[1]); }
Tensor f_transposed_odd(const Tensors& t) {
    return conv_transpose2d(
        t[0], t[1], t[2],
        {.stride = {2, 1}, .padding = {1, 0}, .groups = 2, .output_padding = {1, 0}});
}
// The gradient by the weight is a record of its own.
Tensor f_weight(const Tensors& t) {
    return apply(*find_op("convolution_weight"), {t[0], t[1]},
                 {Attr{Dims{1, 1}}, Attr{Dims{0, 0}}, Attr{Dims{1, 1}}, Attr{std::int64_t{1}},
                  Attr{Dims{2, 2}}});
}

Tensor f_pad(const Tensors& t) { return pad(t[0], {1, 0, -1, 1}, "constant", 7); }
Tensor f_reflect(const Tensors& t) { return pad(t[0], {2, 1, 0, -1}, "reflect"); }
Tensor f_replicate(const Tensors& t) { return pad(t[0], {2, 1}, "replicate"); }
Tensor f_circular(const Tensors& t) { return pad(t[0], {1, 2}, "circular"); }

}  // namespace

std::vector<Row> convolution_rows() {
    return {
        {.op = "convolution",
         .f = f_plain,
         .inputs = {image, kernel},
         .expected = {{1, 1, 2, 2}, {7, 9, 13, 15}},
         .misuse =
             [] {
                 conv2d(ones({2, 3, 8, 8}), ones({16, 4, 3, 3}));
             },
         .error = "conv2d: input (2, 3, 8, 8) has 3 channels, but weight (16, 4, 3, 3) with groups "
                  "1 takes 4"},
        {.op = "convolution",
         .f = f_bias,
         .inputs = {{{1, 3, 3}, image.values}, kernel, {{1}, {10}}},
         .expected = {{1, 2, 2}, {17, 19, 23, 25}},
         .misuse =
             [] {
                 conv2d(ones({1, 1, 3, 3}), ones({1, 1, 5, 5}), {}, {.padding = {0, 1}});
             },
         .error = "conv2d: the kernel of weight (1, 1, 5, 5) spans 5 in dim 2, more than input (1, "
                  "1, 3, 3) with padding (0, 1) has"},
        {.op = "convolution",
         .f = f_same,
         .inputs = {image, kernel},
         .expected = {{1, 1, 3, 3}, {7, 9, -3, 13, 15, -3, 7, 8, 9}},
         .misuse =
             [] {
                 conv2d(ones({1, 1, 3, 3}), ones({1, 1, 2, 2}), {},
                        {.stride = {2}, .padding = "same"});
             },
         .error = "conv2d: padding 'same' needs stride 1, not (2, 2)"},
        {.op = "convolution",
         .f = f_odd,
         .inputs = {two, weight, {{2}, {0.5, -1}}},
         .expected = {{2, 2, 2, 1}, {1, 9, 3, 8, 1.5, 7.5, -1, -1}}},
        {.op = "convolution",
         .f = f_bias,
         .inputs = {{{0, 1, 3, 3}, {}}, kernel, {{1}, {10}}},
         .expected = {{0, 1, 2, 2}, {}},
         .misuse =
             [] {
                 conv2d(ones({1, 1, 3, 3}), ones({1, 1, 2, 2}), ones({2}));
             },
         .error = "conv2d: bias (2,) needs one number for each of 1 channels of the result"},
        {.op = "convolution",
         .f = f_plain,
         .inputs = {{{1, 1, 2, 2}, {1, 2, 3, 4}, DType::int64},
                    {{1, 1, 1, 2}, {2, -1}, DType::int64}},
         .expected = {{1, 1, 2, 1}, {0, 2}, DType::int64},
         .order = 0,
         .misuse =
             [] {
                 conv2d(ones({1, 1, 3, 3}), ones({1, 1, 2, 2}, {DType::float64}));
             },
         .error = "conv2d: input is float32 and weight is float64; cast one of them"},
        {.op = "conv1d",
         .f = f_one,
         .inputs = {{{1, 1, 3}, {1, 2, 3}}, {{2, 1, 3}, {1, 0, -1, 0, 2, 0}}, {{2}, {0, 10}}},
         .expected = {{1, 2, 3}, {-2, -2, 2, 12, 14, 16}},
         .misuse =
             [] {
                 conv1d(ones({1, 1, 3, 3}), ones({1, 1, 2}));
             },
         .error = "conv1d: input (1, 1, 3, 3) has 4 dims; it is (N, C, L) or without N"},
        {.op = "convolution_input",
         .f = f_transposed,
         .inputs = {{{1, 1, 2, 2}, {1, 2, 3, 4}}, kernel},
         .expected = {{1, 1, 3, 3}, {1, 2, 0, 2, 4, 4, -3, 2, 8}},
         .misuse =
             [] {
                 conv_transpose2d(ones({1, 1, 2, 2}), ones({1, 1, 2, 2}), {},
                                  {.stride = {2}, .output_padding = {2, 0}});
             },
         .error = "conv_transpose2d: output_padding (2, 0) must be smaller than stride (2, 2) or "
                  "dilation (1, 1)"},
        {.op = "convolution_input",
         .f = f_transposed_odd,
         .inputs = {two, weight, {{2}, {0.5, -1}}},
         .expected = {{2, 2, 3, 4},
                      {-0.5, 3,  -3.5, 2,   1,   2.5, 6.5, 8.5, 0,    -0.25, -3,    2.5,
                       1,    -5, -2,   1,   8,   2,   5,   -1,  2,    -6,    -1,    -5,
                       1.5,  -2, 1.5,  0.5, 1.5, 4,   6.5, 6.5, -0.5, -0.5,  -1.75, 2,
                       1,    -3, -4,   -3,  -1,  -7,  2,   -1,  -1,   -3,    4,     -3}},
         .misuse =
             [] {
                 conv_transpose2d(ones({1, 1, 2, 2}), ones({1, 1, 2, 2}), {}, {.padding = 2});
             },
         .error =
             "conv_transpose2d: input (1, 1, 2, 2) and weight (1, 1, 2, 2) with padding (2, 2) "
             "give no size in dim 2"},
        {.op = "convolution_weight",
         .f = f_weight,
         .inputs = {image, {{1, 1, 2, 2}, {1, 0, 0, 1}}},
         .expected = {{1, 1, 2, 2}, {6, 8, 12, 14}},
         .misuse =
             [] {
                 f_weight({ones({2, 1, 3, 3}), ones({1, 1, 2, 2})});
             },
         .error = "convolution_weight: x float32 (2, 1, 3, 3) does not fit y float32 (1, 1, 2, 2)"},
        {.op = "pad",
         .f = f_pad,
         .inputs = {{{2, 2}, {1, 2, 3, 4}}},
         .expected = {{2, 3}, {7, 3, 4, 7, 7, 7}},
         .misuse =
             [] {
                 pad(ones({2, 2}), {-1, -2});
             },
         .error = "pad: -1 and -2 leave nothing of dim 1 of (2, 2)"},
        {.op = "pad",
         .f = f_reflect,
         .inputs = {{{1, 2, 3}, {1, 2, 3, 4, 5, 6}}},
         .expected = {{1, 1, 6}, {3, 2, 1, 2, 3, 2}},
         .misuse =
             [] {
                 pad(ones({1, 3}), {3, 0}, "reflect");
             },
         .error = "pad: mode 'reflect' cannot put 3 and 0 around the 3 places of dim 1 of (1, 3)"},
        {.op = "pad",
         .f = f_replicate,
         .inputs = {{{1, 3}, {1, 2, 3}}},
         .expected = {{1, 6}, {1, 1, 1, 2, 3, 3}},
         .misuse =
             [] {
                 pad(ones({1, 3}), {1});
             },
         .error = "pad: 1 numbers for (1, 3); there are two for each dim, from the last dim on"},
        {.op = "pad",
         .f = f_circular,
         .inputs = {{{1, 3}, {1, 2, 3}}},
         .expected = {{1, 6}, {3, 1, 2, 3, 1, 2}},
         .misuse =
             [] {
                 pad(ones({1, 3}), {1, 1}, "mirror");
             },
         .error = "pad: mode is 'mirror'; there are constant, reflect, replicate and circular"},
    };
}

}  // namespace tg::test

TEST_CASE("convolutions: values, gradients, programs, cuda and errors") {
    for (const tg::test::Row& row : tg::test::convolution_rows()) tg::test::check(row);
}
