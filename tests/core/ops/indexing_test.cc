#include <doctest/doctest.h>

#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

const Numbers x{{2, 3}, {1, 2, 3, 4, 5, 6}};
const Numbers index{{2, 2}, {2, 0, 1, 1}, DType::int64};
const Numbers small_index{{2, 2}, {2, 0, 1, 1}, DType::int32};

Tensor f_gather(const Tensors& t) { return gather(t[0], 1, t[1]); }
Tensor f_gather_rows(const Tensors& t) { return gather(t[0], 0, t[1]); }
Tensor f_scatter(const Tensors& t) { return scatter_add(t[0], 1, t[1], t[2]); }
Tensor f_store(const Tensors& t) { return scatter(t[0], 1, t[1], t[2]); }
Tensor f_product(const Tensors& t) { return scatter_reduce(t[0], 1, t[1], t[2], "prod"); }
Tensor f_largest(const Tensors& t) { return scatter_reduce(t[0], 1, t[1], t[2], "amax"); }
Tensor f_smallest(const Tensors& t) { return scatter_reduce(t[0], 1, t[1], t[2], "amin", false); }
Tensor f_store_number(const Tensors& t) { return scatter(t[0], 1, t[1], 5); }
Tensor f_one_hot(const Tensors& t) { return one_hot(t[0], 3); }

}  // namespace

std::vector<Row> indexing_rows() {
    return {
        {.op = "gather",
         .f = f_gather,
         .inputs = {x, index},
         .expected = {{2, 2}, {3, 1, 5, 5}},
         .misuse =
             [] {
                 gather(ones({2, 3}), 1, tensor(std::vector<std::int64_t>{0}));
             },
         .error = "gather: the index (1,) and the tensor (2, 3) need the same number of dims; "
                  "index.unsqueeze(1)?"},
        {.op = "gather",
         .f = f_gather_rows,
         .inputs = {x, {{1, 3}, {1, 0, 1}, DType::int64}},
         .expected = {{1, 3}, {4, 2, 6}},
         .misuse = [] { gather(ones({3}), 0, tensor(std::vector<std::int64_t>{3})); },
         .error = "gather: index 3 is outside 0..2, the range of dim 0"},
        {.op = "gather",
         .f = f_gather,
         .inputs = {x, {{2, 0}, {}, DType::int64}},
         .expected = {{2, 0}, {}},
         .misuse = [] { gather(ones({3}), 0, ones({2})); },
         .error = "gather: the index is float32, not int64 or int32; cast it: index.long()"},
        {.op = "gather",
         .f = f_gather,
         .inputs = {x, small_index},
         .expected = {{2, 2}, {3, 1, 5, 5}},
         .misuse =
             [] {
                 gather(ones({2, 3}), 1, tensor(std::vector<std::int64_t>{0, 1}));
             },
         .error = "gather: the index (2,) and the tensor (2, 3) need the same number of dims; "
                  "index.unsqueeze(1)?"},
        {.op = "scatter_add",
         .f = f_scatter,
         .inputs = {x, index, {{2, 2}, {10, 20, 30, 40}}},
         .expected = {{2, 3}, {21, 2, 13, 4, 75, 6}},
         .misuse =
             [] {
                 scatter_add(ones({3}), 0, tensor(std::vector<std::int64_t>{0, 1, 2}), ones({2}));
             },
         .error = "scatter_add: src (2,) must be at least as large as the index (3,) in each dim"},
        {.op = "scatter_add",
         .f = f_scatter,
         .inputs = {x, small_index, {{3, 4}, {10, 20, 30, 40, 50, 60, 70, 80, 9, 9, 9, 9}}},
         .expected = {{2, 3}, {21, 2, 13, 4, 115, 6}},  // of src what has an index beside it
         .misuse =
             [] {
                 scatter_add(ones({3}), 0, tensor(std::vector<std::int64_t>{0}),
                             ones({1}, {DType::float64}));
             },
         .error = "scatter_add: src is float64, and the tensor float32; cast one of them"},
        {.op = "scatter",
         .f = f_store,
         .inputs = {x, {{2, 2}, {2, 0, 1, 0}, DType::int64}, {{2, 2}, {10, 20, 30, 40}}},
         .expected = {{2, 3}, {20, 2, 10, 40, 30, 6}},
         .misuse = [] { scatter(ones({3}), 0, tensor(std::vector<std::int64_t>{-1}), 2.0); },
         .error = "scatter: index -1 is outside 0..2, the range of dim 0"},
        {.op = "scatter",  // one value, also twice in one place
         .f = f_store_number,
         .inputs = {x, {{1, 3}, {1, 1, 0}, DType::int64}},
         .expected = {{2, 3}, {5, 5, 3, 4, 5, 6}}},
        {.op = "scatter_reduce",
         .f = f_product,
         .inputs = {x, index, {{2, 2}, {10, 20, 30, 40}}},
         .expected = {{2, 3}, {20, 2, 30, 4, 6000, 6}},
         .misuse =
             [] {
                 scatter_reduce(ones({3}), 0, tensor(std::vector<std::int64_t>{0}), ones({1}),
                                "most");
             },
         .error = "scatter_reduce: reduce is 'sum', 'prod', 'mean', 'amax' or 'amin', not 'most'"},
        {.op = "scatter_reduce",  // one factor is 0
         .f = f_product,
         .inputs = {{{2, 3}, {1, 2, 3, 0, 5, 6}},
                    {{2, 2}, {2, 0, 0, 1}, DType::int64},
                    {{2, 2}, {10, 0, 3, 4}}},
         .expected = {{2, 3}, {0, 2, 30, 0, 20, 6}}},
        {.op = "scatter_reduce",
         .f = f_largest,
         .inputs = {x, index, {{2, 2}, {10, 0.5, 30, 40}}},
         .expected = {{2, 3}, {1, 2, 10, 4, 40, 6}},
         .misuse =
             [] {
                 scatter_reduce(ones({3}), 0, tensor(std::vector<std::int64_t>{3}), ones({1}),
                                "amax");
             },
         .error = "scatter_reduce: index 3 is outside 0..2, the range of dim 0"},
        {.op = "scatter_reduce",
         .f = f_smallest,
         .inputs = {x, index, {{2, 2}, {10, 0.5, 30, 40}}},
         .expected = {{2, 3}, {0.5, 2, 10, 4, 30, 6}}},
        {.op = "one_hot",
         .f = f_one_hot,
         .inputs = {{{2}, {2, 0}, DType::int64}},
         .expected = {{2, 3}, {0, 0, 1, 1, 0, 0}, DType::int64},
         .order = 0,
         .misuse = [] { one_hot(tensor(std::vector<std::int64_t>{0}), 0); },
         .error = "one_hot: num_classes is 0, and must be at least 1"},
    };
}

}  // namespace tg::test

TEST_CASE("indexing: values, gradients, programs, cuda and errors") {
    for (const tg::test::Row& row : tg::test::indexing_rows()) tg::test::check(row);
}
