#include <doctest/doctest.h>

#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

const Numbers x{{2, 3}, {3, 1, 2, 5, 6, 4}};

Tensor f_argsort(const Tensors& t) { return argsort(t[0]); }
Tensor f_sort(const Tensors& t) { return sort(t[0], 1, true).values; }
Tensor f_sort_down(const Tensors& t) { return sort(t[0], 0).values; }
Tensor f_topk(const Tensors& t) { return topk(t[0], 2).values; }
Tensor f_smallest(const Tensors& t) { return topk(t[0], 1, 0, false).indices; }

}  // namespace

std::vector<Row> sort_rows() {
    return {
        {.op = "argsort",
         .f = f_argsort,
         .inputs = {x},
         .expected = {{2, 3}, {1, 2, 0, 2, 0, 1}, DType::int64},
         .order = 0,
         .misuse = [] { argsort(ones({2}), 1); },
         .error = "argsort: dim 1 is outside -1..0 of a tensor with 1 dim"},
        {.op = "sort", .f = f_sort, .inputs = {x}, .expected = {{2, 3}, {3, 2, 1, 6, 5, 4}}},
        {.op = "sort", .f = f_sort_down, .inputs = {x}, .expected = {{2, 3}, {3, 1, 2, 5, 6, 4}}},
        {.op = "sort", .f = f_sort, .inputs = {{{2, 0}, {}}}, .expected = {{2, 0}, {}}},
        {.op = "topk",
         .f = f_topk,
         .inputs = {x},
         .expected = {{2, 2}, {3, 2, 6, 5}},
         .misuse = [] { topk(ones({2}), 3); },
         .error = "topk: k is 3, and must be between 0 and the size of dim -1 of (2,)"},
        {.op = "topk",
         .f = f_smallest,
         .inputs = {x},
         .expected = {{1, 3}, {0, 0, 0}, DType::int64},
         .order = 0},
    };
}

}  // namespace tg::test

TEST_CASE("order: values, gradients, programs, cuda and errors") {
    for (const tg::test::Row& row : tg::test::sort_rows()) tg::test::check(row);
}
