#include <doctest/doctest.h>

#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

const Numbers image{{1, 2, 3, 3}, {1, 5, 2, 4, 3, 6, 9, 8, 7, -1, -2, -3, -4, -5, -6, -7, -8, -9}};

Tensor f_max(const Tensors& t) { return max_pool2d(t[0], {.kernel = {2}, .stride = {1}}); }
Tensor f_max_apart(const Tensors& t) {
    return max_pool2d(t[0], {.kernel = {2, 1},
                             .stride = {2, 3},
                             .padding = {1, 0},
                             .dilation = {2, 1},
                             .ceil_mode = true});
}
Tensor f_indices(const Tensors& t) {
    return max_pool2d_with_indices(t[0], {.kernel = {2}, .ceil_mode = true}).indices;
}
Tensor f_argmax(const Tensors& t) { return adaptive_max_pool2d_with_indices(t[0], {1, 2}).indices; }
Tensor f_adaptive_max(const Tensors& t) { return adaptive_max_pool2d(t[0], {2}); }
Tensor f_mean(const Tensors& t) {
    return avg_pool2d(t[0], {.kernel = {2}, .padding = {1}, .ceil_mode = true});
}
Tensor f_mean_inside(const Tensors& t) {
    return avg_pool2d(t[0], {.kernel = {2}, .padding = {1}, .count_include_pad = false});
}
Tensor f_mean_by(const Tensors& t) {
    return avg_pool2d(t[0], {.kernel = {3, 1}, .divisor_override = 2});
}
Tensor f_adaptive(const Tensors& t) { return adaptive_avg_pool2d(t[0], {2, -1}); }
Tensor f_spread(const Tensors& t) {
    return apply(*find_op("pool_spread"), {t[0]},
                 {Attr{Dims{2, 2}}, Attr{Dims{1, 1}}, Attr{Dims{0, 0}}, Attr{std::int64_t{0}},
                  Attr{Dims{2, 3}}});
}

}  // namespace

std::vector<Row> pooling_rows() {
    return {
        {.op = "pool_argmax",
         .f = f_indices,
         .inputs = {image},
         .expected = {{1, 2, 2, 2}, {1, 5, 6, 8, 0, 2, 6, 8}, DType::int64},
         .order = 0,
         .misuse =
             [] {
                 max_pool2d(ones({1, 1, 3, 3}), {.kernel = {4, 2}});
             },
         .error =
             "max_pool2d: a window spans 4 in dim 2, more than input (1, 1, 3, 3) with padding "
             "(0, 0) has"},
        {.op = "pool_argmax",
         .f = f_argmax,
         .inputs = {{{1, 2, 3}, {1, 5, 2, 4, 3, 6}}},
         .expected = {{1, 1, 2}, {1, 5}, DType::int64},
         .order = 0,
         .misuse =
             [] {
                 max_pool2d(ones({1, 1, 3, 3}), {.kernel = {2}, .padding = {2}});
             },
         .error = "max_pool2d: padding (2, 2) is more than half of kernel_size (2, 2)"},
        {.op = "max_pool2d",
         .f = f_max,
         .inputs = {image},
         .expected = {{1, 2, 2, 2}, {5, 6, 9, 8, -1, -2, -4, -5}},
         .misuse =
             [] {
                 max_pool2d(ones({1, 1, 3, 3}), {.kernel = {2}, .stride = {0}});
             },
         .error = "max_pool2d: stride (0,) must be at least 1 and at most 2147483647"},
        {.op = "max_pool2d",
         .f = f_max_apart,
         .inputs = {image},
         .expected = {{1, 2, 2, 1}, {4, 4, -4, -4}},
         .misuse =
             [] {
                 max_pool2d(ones({1, 1, 2, 2}), {.kernel = {2}, .padding = {1}, .dilation = {3}});
             },
         .error = "max_pool2d: pool_argmax: a window has no place inside of the input; use less "
                  "padding or dilation"},
        {.op = "max_pool2d",
         .f = f_max,
         .inputs = {{{0, 1, 2, 2}, {}}},
         .expected = {{0, 1, 1, 1}, {}},
         .misuse =
             [] {
                 max_pool2d(ones({2, 2}), {.kernel = {2}});
             },
         .error = "max_pool2d: input (2, 2) has 2 dims; it is (N, C, H, W) or without N"},
        {.op = "adaptive_max_pool2d",
         .f = f_adaptive_max,
         .inputs = {image},
         .expected = {{1, 2, 2, 2}, {5, 6, 9, 8, -1, -2, -4, -5}}},
        {.op = "pool_mean",
         .f = f_mean,
         .inputs = {{{1, 1, 2, 3}, {4, 8, 12, 16, 20, 24}}},
         .expected = {{1, 1, 2, 2}, {1, 5, 4, 11}},
         .misuse =
             [] {
                 avg_pool2d(ones({1, 1, 3, 3}), {.kernel = {2}, .divisor_override = 0});
             },
         .error = "avg_pool2d: divisor_override is 0, and must be at least 1"},
        {.op = "pool_mean",
         .f = f_mean_inside,
         .inputs = {{{1, 1, 2, 3}, {4, 8, 12, 16, 20, 24}}},
         .expected = {{1, 1, 2, 2}, {4, 10, 16, 22}},
         .misuse =
             [] {
                 avg_pool2d(ones({1, 2, 2}, {DType::int64}), {.kernel = {2}});
             },
         .error = "avg_pool2d: needs a floating dtype, and this tensor is int64; cast it first"},
        {.op = "pool_mean",
         .f = f_mean_by,
         .inputs = {image},
         .expected = {{1, 2, 1, 3}, {7, 8, 7.5, -6, -7.5, -9}},
         .misuse =
             [] {
                 avg_pool2d(ones({1, 1, 3, 3}), {.kernel = {1, 2, 3}});
             },
         .error = "avg_pool2d: kernel_size (1, 2, 3) is neither one number nor 2"},
        {.op = "pool_mean",
         .f = f_adaptive,
         .inputs = {image},
         .expected = {{1, 2, 2, 3}, {2.5, 4, 4, 6.5, 5.5, 6.5, -2.5, -3.5, -4.5, -5.5, -6.5, -7.5}},
         .misuse =
             [] {
                 adaptive_avg_pool2d(ones({1, 1, 0, 3}), {2});
             },
         .error = "adaptive_avg_pool2d: input (1, 1, 0, 3) has no places"},
        {.op = "pool_spread",
         .f = f_spread,
         .inputs = {{{1, 1, 1, 2}, {4, 8}}},
         .expected = {{1, 1, 2, 3}, {1, 3, 2, 1, 3, 2}},
         .misuse =
             [] {
                 avg_pool2d(ones({1, 1, 3, 3}), {.kernel = {0}});
             },
         .error = "avg_pool2d: kernel_size (0,) must be at least 1 and at most 2147483647"},
    };
}

}  // namespace tg::test

TEST_CASE("pooling: values, gradients, programs, cuda and errors") {
    for (const tg::test::Row& row : tg::test::pooling_rows()) tg::test::check(row);
}
