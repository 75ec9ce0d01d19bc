#include <doctest/doctest.h>

#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

const Numbers x{{2, 3}, {1, 2, 3, 4, 5, 6}};
const Numbers narrow{{2, 1}, {1, 2}};
const Numbers none{{0, 3}, {}};

Tensor f_reshape(const Tensors& t) { return reshape(t[0], {3, -1}); }
Tensor f_flatten(const Tensors& t) { return flatten(t[0]); }
Tensor f_permute(const Tensors& t) { return permute(t[0], {1, 0}); }
Tensor f_permute3(const Tensors& t) { return permute(t[0], {2, 0, -2}); }
Tensor f_transpose(const Tensors& t) { return transpose(t[0], 0, -1); }
Tensor f_expand(const Tensors& t) { return expand(t[0], {2, 2, 3}); }
Tensor f_select(const Tensors& t) { return select(t[0], 1, -1); }
Tensor f_slice(const Tensors& t) { return slice(t[0], 1, 0, 3, 2); }
Tensor f_slice_back(const Tensors& t) { return slice(t[0], 0, -1, 100); }
Tensor f_slice_none(const Tensors& t) { return slice(t[0], 0, 2, 1); }
Tensor f_unsqueeze(const Tensors& t) { return unsqueeze(t[0], -1); }
Tensor f_squeeze(const Tensors& t) { return squeeze(t[0]); }
Tensor f_cat_empty(const Tensors& t) { return cat({t[0], t[1]}, 0); }
Tensor f_cat(const Tensors& t) { return cat({t[0], t[1], t[0]}, 1); }
Tensor f_stack(const Tensors& t) { return stack({t[0], t[1]}, 1); }
Tensor f_clone(const Tensors& t) { return clone(t[0]); }

}  // namespace

std::vector<Row> layout_rows() {
    return {
        {.op = "reshape",
         .f = f_reshape,
         .inputs = {x},
         .expected = {{3, 2}, {1, 2, 3, 4, 5, 6}},
         .misuse =
             [] {
                 reshape(ones({2, 3}), {4, 2});
             },
         .error = "reshape: (2, 3) has 6 elements, which do not fit (4, 2); reshape it to (3, 2)?"},
        {.op = "reshape",
         .f = f_flatten,
         .inputs = {x},
         .expected = {{6}, {1, 2, 3, 4, 5, 6}},
         .misuse =
             [] {
                 reshape(ones({0, 3}), {-1, 0});
             },
         .error = "reshape: the -1 in (-1, 0) could be any size, for (0, 3) has no elements"},
        {.op = "flatten",
         .f = f_flatten,
         .inputs = {{{}, {5}}},
         .expected = {{1}, {5}},
         .misuse =
             [] {
                 flatten(ones({2, 3}), 1, 0);
             },
         .error = "flatten: start_dim 1 comes after end_dim 0"},
        {.op = "permute",
         .f = f_permute,
         .inputs = {x},
         .expected = {{3, 2}, {1, 4, 2, 5, 3, 6}},
         .misuse =
             [] {
                 permute(ones({2, 3}), {0, 0});
             },
         .error = "permute: (0, 0) names dim 0 twice"},
        {.op = "permute",
         .f = f_permute3,
         .inputs = {{{1, 2, 3}, {1, 2, 3, 4, 5, 6}}},
         .expected = {{3, 1, 2}, {1, 4, 2, 5, 3, 6}},
         .misuse =
             [] {
                 permute(ones({2, 3}), {0});
             },
         .error = "permute: (0,) names 1 dims of 2"},
        {.op = "permute", .f = f_transpose, .inputs = {none}, .expected = {{3, 0}, {}}},
        {.op = "expand",
         .f = f_expand,
         .inputs = {narrow},
         .expected = {{2, 2, 3}, {1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2}},
         .misuse =
             [] {
                 expand(ones({2, 3}), {2, 4});
             },
         .error = "expand: (2, 3) does not expand to (2, 4): dim 1 is 3, not 1 or 4"},
        {.op = "select",
         .f = f_select,
         .inputs = {x},
         .expected = {{2}, {3, 6}},
         .misuse =
             [] {
                 select(ones({2, 3}), 0, 2);
             },
         .error = "select: index 2 is outside dim 0 of (2, 3)"},
        {.op = "slice",
         .f = f_slice,
         .inputs = {x},
         .expected = {{2, 2}, {1, 3, 4, 6}},
         .misuse =
             [] {
                 slice(ones({2, 3}), 0, 0, 1, 0);
             },
         .error = "slice: the step is 0, and must be at least 1"},
        {.op = "slice", .f = f_slice_back, .inputs = {x}, .expected = {{1, 3}, {4, 5, 6}}},
        {.op = "slice", .f = f_slice_none, .inputs = {x}, .expected = none},
        {.op = "unsqueeze",
         .f = f_unsqueeze,
         .inputs = {{{2}, {1, 2}}},
         .expected = narrow,
         .misuse = [] { unsqueeze(ones({2}), 2); },
         .error = "unsqueeze: dim 2 is outside -2..1, the places for a new dim of (2,)"},
        {.op = "squeeze",
         .f = f_squeeze,
         .inputs = {narrow},
         .expected = {{2}, {1, 2}},
         .misuse =
             [] {
                 squeeze(ones({2, 1}), 2);
             },
         .error = "squeeze: dim 2 is outside -2..1 of a tensor with 2 dims"},
        {.op = "cat",
         .f = f_cat,
         .inputs = {narrow, x},
         .expected = {{2, 5}, {1, 1, 2, 3, 1, 2, 4, 5, 6, 2}},
         .misuse =
             [] {
                 cat({ones({2, 3}), ones({2})});
             },
         .error = "cat: tensor 1 has shape (2,), but tensor 0 has (2, 3); all dims but dim 0 must "
                  "agree"},
        {.op = "cat",
         .f = f_cat,
         .inputs = {{{0}, {}}, x},  // an empty list fits everywhere
         .expected = x,
         .misuse =
             [] {
                 cat({ones({0}), ones({})});
             },
         .error = "cat: tensors of no dims cannot be joined; use stack()"},
        {.op = "cat", .f = f_cat_empty, .inputs = {{{0}, {}}, {{0}, {}}}, .expected = {{0}, {}}},
        {.op = "stack",
         .f = f_stack,
         .inputs = {{{2}, {1, 2}}, {{2}, {3, 4}}},
         .expected = {{2, 2}, {1, 3, 2, 4}},
         .misuse =
             [] {
                 stack({ones({2}), ones({3})});
             },
         .error = "stack: tensor 1 has shape (3,), but tensor 0 has (2,)"},
        {.op = "clone", .f = f_clone, .inputs = {x}, .expected = x},
    };
}

}  // namespace tg::test

TEST_CASE("layouts: values, gradients, programs, cuda and errors") {
    for (const tg::test::Row& row : tg::test::layout_rows()) tg::test::check(row);
}
