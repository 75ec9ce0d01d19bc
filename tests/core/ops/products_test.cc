#include <doctest/doctest.h>

#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

const Numbers a{{2, 3}, {1, 2, 3, 4, 5, 6}};
const Numbers b{{3, 2}, {1, 0, 2, 1, 0, -1}};
const Numbers c{{2, 2}, {1, -1, 2, 0}};
const Numbers v{{3}, {1, -2, 3}};

Tensor f_mm(const Tensors& t) { return mm(t[0], t[1]); }
Tensor f_mv(const Tensors& t) { return mv(t[0], t[1]); }
Tensor f_dot(const Tensors& t) { return dot(t[0], t[1]); }
Tensor f_outer(const Tensors& t) { return outer(t[0], t[0]); }
Tensor f_addmm(const Tensors& t) { return addmm(t[0], t[1], t[2], 2, -1); }
Tensor f_tensordot(const Tensors& t) { return tensordot(t[0], t[1], {1}, {1}); }
Tensor f_einsum(const Tensors& t) { return einsum("ij,jk,kl->li", {t[0], t[1], t[2]}); }
Tensor f_trace(const Tensors& t) { return einsum("ii", {t[0]}); }
Tensor f_weighed(const Tensors& t) { return einsum("...j,j->...", {t[0], t[1]}); }
Tensor f_batch(const Tensors& t) { return einsum("bij,bjk->bik", {t[0], t[1]}); }
Tensor f_attention(const Tensors& t) {
    return scaled_dot_product_attention(t[0], t[1], t[2], {.is_causal = true, .scale = 0});
}

}  // namespace

std::vector<Row> product_rows() {
    return {
        {.op = "mm",
         .f = f_mm,
         .inputs = {a, b},
         .expected = {{2, 2}, {5, -1, 14, -1}},
         .misuse =
             [] {
                 mm(ones({2, 3}), ones({3}));
             },
         .error = "mm: b (3,) has 1 dim, not 2; matmul takes any"},
        {.op = "mv", .f = f_mv, .inputs = {a, v}, .expected = {{2}, {6, 12}}},
        {.op = "dot",
         .f = f_dot,
         .inputs = {v, v},
         .expected = {{}, {14}},
         .misuse = [] { dot(ones({2}), ones({3})); },
         .error = "dot: a (2,) and b (3,) have 2 and 3 elements"},
        {.op = "outer",
         .f = f_outer,
         .inputs = {{{2}, {2, -3}}},
         .expected = {{2, 2}, {4, -6, -6, 9}}},
        {.op = "addmm",
         .f = f_addmm,
         .inputs = {c, a, b},
         .expected = {{2, 2}, {-3, -1, -10, 1}},
         .misuse =
             [] {
                 addmm(ones({3, 3}), ones({2, 2}), ones({2, 2}));
             },
         .error = "addmm: shapes (3, 3) and (2, 2) do not broadcast: dim -1 is 3 and 2; make them "
                  "equal, or one of them 1"},
        {.op = "tensordot",
         .f = f_tensordot,
         .inputs = {a, {{2, 3}, {1, 0, 2, 1, 0, -1}}},
         .expected = {{2, 2}, {7, -2, 16, -2}},
         .misuse =
             [] {
                 tensordot(ones({2, 3}), ones({3, 2}), {0}, {0});
             },
         .error = "tensordot: dim 0 of a (2, 3) is 2, and dim 0 of b (3, 2) is 3"},
        {.op = "einsum",
         .f = f_einsum,
         .inputs = {a, b, c},
         .expected = {{2, 2}, {3, 12, -5, -14}},
         .misuse =
             [] {
                 einsum("ij,jk->il", {ones({2, 3}), ones({3, 2})});
             },
         .error = "einsum: the output 'il' names 'l', which no operand has"},
        {.op = "einsum",
         .f = f_trace,
         .inputs = {c},
         .expected = {{}, {1}},
         .misuse =
             [] {
                 einsum("ij,jk", {ones({2, 3}), ones({4, 2})});
             },
         .error = "einsum: 'j' is 3 in one operand and 4 in another, (4, 2)"},
        {.op = "einsum",
         .f = f_weighed,
         .inputs = {a, v},
         .expected = {{2}, {6, 12}},
         .misuse = [] { einsum("ij", {ones({2})}); },
         .error = "einsum: 'ij' names 2 dims, but operand 0 (2,) has 1"},
        {.op = "einsum",
         .f = f_batch,
         .inputs = {{{2, 1, 2}, {1, 2, 3, 4}}, {{2, 2, 1}, {1, 1, 0, -1}}},
         .expected = {{2, 1, 1}, {3, -4}},
         .misuse = [] { einsum("i,i", {ones({2})}); },
         .error = "einsum: 'i,i' is of 2 operands, and 1 are given"},
        {.op = "scaled_dot_product_attention",
         .f = f_attention,
         .inputs = {c, c, {{2, 2}, {2, 4, 6, 8}}},
         .expected = {{2, 2}, {2, 4, 4, 6}},
         .misuse = [] { attend(ones({2}), ones({2}), ones({2})); },
         .error = "scaled_dot_product_attention: a tensor of shape (2,) has no rows to look at; it "
                  "needs 2 dims or more"},
    };
}

}  // namespace tg::test

TEST_CASE("products: values, gradients, programs, cuda and errors") {
    for (const tg::test::Row& row : tg::test::product_rows()) tg::test::check(row);
}
