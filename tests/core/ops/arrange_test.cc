#include <doctest/doctest.h>

#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

const Numbers x{{2, 3}, {1, 2, 3, 4, 5, 6}};
const Numbers square{{3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}};

Tensor f_flip(const Tensors& t) { return flip(t[0], {0, -1}); }
Tensor f_flip_columns(const Tensors& t) { return flip(t[0], {1}); }
Tensor f_roll(const Tensors& t) { return roll(t[0], {1}, 1); }
Tensor f_repeat(const Tensors& t) { return repeat(t[0], {2, 1, 2}); }
Tensor f_interleave(const Tensors& t) { return repeat_interleave(t[0], 2, 1); }
Tensor f_split(const Tensors& t) {
    const std::vector<Tensor> parts = split(t[0], 2, 1);
    return mul(parts[0], parts[1]);
}
Tensor f_unbind(const Tensors& t) { return sub(unbind(t[0])[1], unbind(t[0])[0]); }
Tensor f_narrow(const Tensors& t) { return narrow(t[0], 1, -2, 2); }
Tensor f_meshgrid(const Tensors& t) { return meshgrid({t[0], t[1]}, "xy")[1]; }
Tensor f_movedim(const Tensors& t) { return movedim(unsqueeze(t[0], 0), {0, 1}, {2, 0}); }
Tensor f_unflatten(const Tensors& t) { return unflatten(t[0], 1, {3, -1}); }
Tensor f_diagonal(const Tensors& t) { return diagonal(t[0], 1); }
Tensor f_diagonal_below(const Tensors& t) { return diagonal(t[0], -1, 1, 0); }
Tensor f_no_diagonal(const Tensors& t) { return diagonal(t[0], 7); }
Tensor f_diag(const Tensors& t) { return diag(t[0], -1); }
Tensor f_tril(const Tensors& t) { return tril(t[0]); }
Tensor f_triu(const Tensors& t) { return triu(t[0], 1); }

}  // namespace

std::vector<Row> arrange_rows() {
    return {
        {.op = "flip",
         .f = f_flip,
         .inputs = {x},
         .expected = {{2, 3}, {6, 5, 4, 3, 2, 1}},
         .misuse =
             [] {
                 flip(ones({2, 3}), {0, -2});
             },
         .error = "flip: dim -2 appears twice in (0, -2)"},
        {.op = "flip",
         .f = f_flip_columns,
         .inputs = {x},
         .expected = {{2, 3}, {3, 2, 1, 6, 5, 4}}},
        {.op = "flip", .f = f_flip, .inputs = {{{0, 3}, {}}}, .expected = {{0, 3}, {}}},
        {.op = "roll",
         .f = f_roll,
         .inputs = {x},
         .expected = {{2, 3}, {3, 1, 2, 6, 4, 5}},
         .misuse =
             [] {
                 roll(ones({2, 3}), {1, 2}, 0);
             },
         .error = "roll: 2 shifts, (1, 2), and 1 dims, (0,)"},
        {.op = "repeat",
         .f = f_repeat,
         .inputs = {{{1, 2}, {1, 2}}},
         .expected = {{2, 1, 4}, {1, 2, 1, 2, 1, 2, 1, 2}},
         .misuse =
             [] {
                 repeat(ones({2, 3}), {2});
             },
         .error = "repeat: (2,) says nothing of some dims of (2, 3); it needs 2 numbers or more"},
        {.op = "repeat_interleave",
         .f = f_interleave,
         .inputs = {{{1, 2}, {1, 2}}},
         .expected = {{1, 4}, {1, 1, 2, 2}},
         .misuse = [] { repeat_interleave(ones({2}), -1); },
         .error = "repeat_interleave: -1 times, in (-1,)"},
        {.op = "split",
         .f = f_split,
         .inputs = {x},
         .expected = {{2, 2}, {3, 6, 24, 30}},
         .misuse = [] { split(ones({3}), 0); },
         .error = "split: parts of 0 elements do not make up dim 0 of (3,)"},
        {.op = "unbind", .f = f_unbind, .inputs = {x}, .expected = {{3}, {3, 3, 3}}},
        {.op = "narrow",
         .f = f_narrow,
         .inputs = {x},
         .expected = {{2, 2}, {2, 3, 5, 6}},
         .misuse = [] { narrow(ones({3}), 0, 1, 3); },
         .error = "narrow: 3 elements from 1 on reach past dim 0 of (3,)"},
        {.op = "meshgrid",
         .f = f_meshgrid,
         .inputs = {{{2}, {1, 2}}, {{3}, {3, 4, 5}}},
         .expected = {{3, 2}, {3, 3, 4, 4, 5, 5}}},
        {.op = "movedim",
         .f = f_movedim,
         .inputs = {x},
         .expected = {{2, 3, 1}, {1, 2, 3, 4, 5, 6}},
         .misuse =
             [] {
                 movedim(ones({2, 3}), {0, 0}, {0, 1});
             },
         .error = "movedim: (0, 0) to (0, 1) names a dim twice"},
        {.op = "unflatten",
         .f = f_unflatten,
         .inputs = {x},
         .expected = {{2, 3, 1}, {1, 2, 3, 4, 5, 6}},
         .misuse =
             [] {
                 unflatten(ones({2, 3}), 1, {2, -1});
             },
         .error = "unflatten: sizes (2, -1) do not make up the 3 of dim 1 of (2, 3)"},
        {.op = "diagonal",
         .f = f_diagonal,
         .inputs = {x},
         .expected = {{2}, {2, 6}},
         .misuse =
             [] {
                 diagonal(ones({2, 3}), 0, 1, -1);
             },
         .error = "diagonal: dim1 and dim2 are both dim 1 of (2, 3)"},
        {.op = "diagonal", .f = f_diagonal_below, .inputs = {square}, .expected = {{2}, {2, 6}}},
        {.op = "diagonal", .f = f_no_diagonal, .inputs = {x}, .expected = {{0}, {}}},
        {.op = "diagonal_scatter",
         .f = f_diag,
         .inputs = {{{2}, {1, 2}}},
         .expected = {{3, 3}, {0, 0, 0, 1, 0, 0, 0, 2, 0}},
         .misuse =
             [] {
                 diag(ones({2, 3, 4}));
             },
         .error = "diag: a tensor of shape (2, 3, 4) is neither a vector nor a matrix"},
        {.op = "tril",
         .f = f_tril,
         .inputs = {x},
         .expected = {{2, 3}, {1, 0, 0, 4, 5, 0}},
         .misuse = [] { tril(ones({3})); },
         .error = "tril: a tensor of shape (3,) is no matrix; it needs 2 dims or more"},
        {.op = "triu",
         .f = f_triu,
         .inputs = {square},
         .expected = {{3, 3}, {0, 2, 3, 0, 0, 6, 0, 0, 0}}},
    };
}

}  // namespace tg::test

TEST_CASE("arrangements: values, gradients, programs, cuda and errors") {
    for (const tg::test::Row& row : tg::test::arrange_rows()) tg::test::check(row);
}

TEST_CASE("a write to a part, or to a diagonal, is seen in the whole, and has a gradient") {
    using namespace tg;
    Tensor w = tensor({1.f, 2.f, 3.f}).requires_grad_();
    Tensor x = zeros({3, 3});
    Tensor on_it = diagonal(x);
    on_it.copy_(w);
    Tensor last = split(x, 2)[1];
    last.mul_(10.f);
    CHECK(text(x.detach()) ==
          "tensor([[ 1.,  0.,  0.],\n        [ 0.,  2.,  0.],\n        [ 0.,  0., 30.]])");
    sum(x).backward();
    CHECK(text(w.grad()) == "tensor([ 1.,  1., 10.])");
}
