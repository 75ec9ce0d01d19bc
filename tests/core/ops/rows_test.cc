#include <doctest/doctest.h>

#include "core/backward.h"
#include "graph/graph.h"
#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

const Numbers x{{2, 3}, {1, 2, 3, 4, 5, 6}};
const Numbers cube{{2, 3, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}};
const Numbers rows{{3}, {1, 0, -1}, DType::int64};
const Numbers mask{{2, 3}, {1, 0, 0, 1, 1, 0}, DType::boolean};

Tensor integers(std::vector<std::int64_t> list) { return tensor(list); }

Tensor f_rows(const Tensors& t) { return index(t[0], {t[1]}); }
Tensor f_columns(const Tensors& t) { return index(t[0], {Slice{}, t[1]}); }
Tensor f_pairs(const Tensors& t) { return index(t[0], {t[1], t[2]}); }
Tensor f_apart(const Tensors& t) { return index(t[0], {t[1], Slice{1, 3}, t[2]}); }
Tensor f_new_dim(const Tensors& t) { return index(t[0], {newaxis, 1, ellipsis, t[1]}); }
Tensor f_put(const Tensors& t) { return index_put(t[0], {t[1]}, t[2]); }
Tensor f_put_apart(const Tensors& t) { return index_put(t[0], {t[1], Slice{1, 3}, t[2]}, t[3]); }
Tensor f_accumulate(const Tensors& t) { return index_put(t[0], {t[1]}, t[2], true); }
Tensor f_put_masked(const Tensors& t) { return index_put(t[0], {t[1]}, t[2]); }
Tensor f_add_masked(const Tensors& t) { return index_put(t[0], {t[1]}, t[2], true); }
Tensor f_view(const Tensors& t) {  // y = 2 x, y[1][i] += w
    Tensor y = t[0] * 2;
    Tensor part = select(y, 0, 1);
    index_put_(part, {t[1]}, t[2], true);
    return y;
}
Tensor f_select(const Tensors& t) { return index_select(t[0], 1, t[1]); }
Tensor f_index_add(const Tensors& t) { return index_add(t[0], 1, t[1], t[2], 2); }
Tensor f_index_copy(const Tensors& t) { return index_copy(t[0], 1, t[1], t[2]); }
Tensor f_index_fill(const Tensors& t) { return index_fill(t[0], 1, t[1], 7); }
Tensor f_take(const Tensors& t) { return take(t[0], t[1]); }
Tensor f_along(const Tensors& t) { return take_along_dim(t[0], t[1], 1); }
Tensor f_masked_scatter(const Tensors& t) { return masked_scatter(t[0], t[1], t[2]); }

Numbers ints(Dims shape, std::vector<double> values) { return {shape, values, DType::int64}; }

}  // namespace

std::vector<Row> row_rows() {
    return {
        {.op = "index",
         .f = f_rows,
         .inputs = {x, rows},
         .expected = {{3, 3}, {4, 5, 6, 1, 2, 3, 4, 5, 6}},
         .misuse =
             [] {
                 index(ones({2, 3}), {Slice{}, integers({0, 3})});
             },
         .error = "index: index 3 is outside -3..2, the range of dim 1"},
        {.op = "index",
         .f = f_columns,
         .inputs = {x, ints({2, 2}, {2, 0, 1, -3})},
         .expected = {{2, 2, 2}, {3, 1, 2, 1, 6, 4, 5, 4}},
         .misuse =
             [] {
                 index(ones({2, 3}), {integers({0, 1}), integers({0, 1, 2})});
             },
         .error = "index: the index tensors do not broadcast: (2,) and (3,), dim -1 is 2 and 3"},
        {.op = "positions",
         .f = f_pairs,
         .inputs = {cube, ints({2, 1}, {1, 0}), ints({3}, {2, 0, -2})},
         .expected = {{2, 3, 2}, {10, 11, 6, 7, 8, 9, 4, 5, 0, 1, 2, 3}},
         .misuse =
             [] {
                 index(ones({2, 3}), {integers({0}), integers({-4})});
             },
         .error = "index: index -4 is outside -3..2, the range of dim 1"},
        {.op = "index",  // the tensors are apart: their dims come first
         .f = f_apart,
         .inputs = {cube, ints({3}, {1, 0, 1}), ints({1}, {1})},
         .expected = {{3, 2}, {9, 11, 3, 5, 9, 11}},
         .misuse =
             [] {
                 index(ones({2, 3}), {0, 0, integers({0})});
             },
         .error = "index: 3 indices for a tensor of shape (2, 3), which has 2 dims"},
        {.op = "index",
         .f = f_new_dim,
         .inputs = {cube, ints({0}, {})},
         .expected = {{1, 3, 0}, {}},
         .misuse =
             [] {
                 index(ones({2, 3}), {ones({2})});
             },
         .error = "index: a tensor of float32 is no index; it must be int64 or int32, or bool for "
                  "a mask"},
        {.op = "index_put",
         .f = f_put,
         .inputs = {x, ints({1}, {1}), {{1}, {9}}},
         .expected = {{2, 3}, {1, 2, 3, 9, 9, 9}},
         .misuse =
             [] {
                 index_put(ones({2, 3}), {integers({0, 1})}, ones({2}));
             },
         .error = "index_put: the value (2,) does not fit what is indexed (2, 3)"},
        {.op = "index_put",
         .f = f_put_apart,
         .inputs = {cube, ints({2}, {1, 0}), ints({1}, {1}), {{2, 1}, {50, 60}}},
         .expected = {{2, 3, 2}, {0, 1, 2, 60, 4, 60, 6, 7, 8, 50, 10, 50}},
         .misuse =
             [] {
                 index_put(ones({2, 3}), {integers({2})}, 1);
             },
         .error = "index_put: index 2 is outside -2..1, the range of dim 0"},
        {.op = "index_put",  // repeated indices add up
         .f = f_accumulate,
         .inputs = {x, rows, {{3, 1}, {10, 20, 30}}},
         .expected = {{2, 3}, {21, 22, 23, 44, 45, 46}}},
        {.op = "index_put",  // a mask and what broadcasts over it
         .f = f_put_masked,
         .inputs = {x, mask, {{}, {9}}},
         .expected = {{2, 3}, {9, 2, 3, 9, 9, 6}},
         .misuse =
             [] {
                 index_put(ones({2, 3}), {ones({3}, {DType::boolean})}, 1);
             },
         .error = "index_put: index: a mask of shape (3,) does not fit the dims from 0 on of (2, "
                  "3): its dim "
                  "0 is 3, not 2"},
        {.op = "index_put",
         .f = f_add_masked,
         .inputs = {x, {{2}, {0, 1}, DType::boolean}, {{1, 3}, {10, 20, 30}}},
         .expected = {{2, 3}, {1, 2, 3, 14, 25, 36}}},
        {.op = "index_put",
         .f = f_view,
         .inputs = {x, ints({3}, {0, 0, -1}), {{3}, {10, 20, 30}}},
         .expected = {{2, 3}, {2, 4, 6, 38, 10, 42}}},
        {.op = "index_select",
         .f = f_select,
         .inputs = {x, ints({2}, {2, 2})},
         .expected = {{2, 2}, {3, 3, 6, 6}},
         .misuse =
             [] {
                 index_select(ones({2, 3}), 0, integers({-1}));
             },
         .error = "index_select: index: index -1 is outside 0..1, the range of dim 0"},
        {.op = "index_add",
         .f = f_index_add,
         .inputs = {x, ints({3}, {2, 0, 2}), {{2, 3}, {1, 2, 3, 4, 5, 6}}},
         .expected = {{2, 3}, {5, 2, 11, 14, 5, 26}},
         .misuse =
             [] {
                 index_add(ones({2, 3}), 0, integers({0, 0, 1}), ones({2, 3}));
             },
         .error = "index_add: the source has shape (2, 3), and must have (3, 3): as the tensor (2, "
                  "3), but one in dim 0 for each of the (3,) indices"},
        {.op = "index_copy",
         .f = f_index_copy,
         .inputs = {x, ints({2}, {2, 0}), {{2, 2}, {10, 20, 30, 40}}},
         .expected = {{2, 3}, {20, 2, 10, 40, 5, 30}}},
        {.op = "index_fill",
         .f = f_index_fill,
         .inputs = {x, ints({2}, {-1, 0})},
         .expected = {{2, 3}, {7, 2, 7, 7, 5, 7}}},
        {.op = "take",
         .f = f_take,
         .inputs = {x, ints({2, 2}, {5, 0, -1, 3})},
         .expected = {{2, 2}, {6, 1, 6, 4}}},
        {.op = "take_along_dim",
         .f = f_along,
         .inputs = {x, ints({1, 2}, {2, 0})},
         .expected = {{2, 2}, {3, 1, 6, 4}}},
        {.op = "masked_scatter",
         .f = f_masked_scatter,
         .inputs = {x, mask, {{4}, {10, 20, 30, 40}}},
         .expected = {{2, 3}, {10, 2, 3, 20, 30, 6}}},
    };
}

}  // namespace tg::test

using namespace tg;
using namespace tg::test;

TEST_CASE("rows by index: values, gradients, programs, cuda and errors") {
    for (const Row& row : row_rows()) check(row);
}

TEST_CASE("a key without tensors gives a view, and one with tensors a copy") {
    Tensor y = zeros({2, 3});
    index(y, {1, Slice{0, 2}}).fill_(1);
    index(y, {0, tensor(std::vector<std::int64_t>{0})}).fill_(5);
    CHECK(text(y) == text(tensor({{0, 0, 0}, {1, 1, 0}})));
    index_put_(y, {0}, tensor({{7, 8, 9}}));
    CHECK(text(y) == text(tensor({{7, 8, 9}, {1, 1, 0}})));
}

TEST_CASE("masks pick what is true, and true and false are masks of no dims") {
    const Tensor y = tensor({{1, 2, 3}, {4, 5, 6}});
    CHECK(text(index(y, {gt(y, 3)})) == text(tensor({4, 5, 6})));
    CHECK(index(y, {true}).shape() == Dims{1, 2, 3});
    CHECK(index(y, {false}).shape() == Dims{0, 2, 3});
    CHECK(text(masked_select(y, eq(y, 2))) == text(tensor({2})));
    CHECK(nonzero(gt(y, 4)).shape() == Dims{2, 2});
    CHECK(text(nonzero(ne(y, 0)).shape()) == "(6, 2)");
}

TEST_CASE("a write without gradients leaves the other elements where they are") {
    Tensor y = zeros({1000});
    const void* bytes = y.data();
    index_put_(y, {tensor(std::vector<std::int64_t>{5, 5})}, 1, true);
    CHECK(y.data() == bytes);
    CHECK(y.version() == 1);
    CHECK(sum(y).item<double>() == 2);
    Tensor part = slice(y, 0, 0, 1000, 2);
    index_put_(part, {tensor(std::vector<std::int64_t>{1, 0})}, slice(y, 0, 4, 6));
    CHECK(y[0].item<double>() == 2);
    CHECK(y[2].item<double>() == 0);
}

TEST_CASE("counts and different elements") {
    const Tensor i = tensor(std::vector<std::int64_t>{3, 1, 3});
    CHECK(text(bincount(i)) == text(tensor(std::vector<std::int64_t>{0, 1, 0, 2})));
    CHECK(text(bincount(i, tensor({1, 2, 4}), 5)) == text(tensor({0, 2, 0, 5, 0})));
    const Unique u = unique(i);
    CHECK(text(u.values) == text(tensor(std::vector<std::int64_t>{1, 3})));
    CHECK(text(u.inverse) == text(tensor(std::vector<std::int64_t>{1, 0, 1})));
    CHECK(text(u.counts) == text(tensor(std::vector<std::int64_t>{1, 2})));
}

TEST_CASE("what depends on a mask's values is refused in a graph, with the way out") {
    Graph graph("g");
    const GraphScope open(graph);
    const Tensor y = placeholder("y", {3});
    CHECK_THROWS_WITH_AS(index(y, {gt(y, 0)}), doctest::Contains("write where(mask, x, 0)"), Error);
    CHECK_THROWS_WITH_AS(nonzero(y), doctest::Contains("depends on the data"), Error);
    Tensor z = y * 2;
    CHECK_THROWS_WITH_AS(index_put_(z, {gt(y, 0)}, ones({2})), doctest::Contains("masked_scatter"),
                         Error);
    const Tensor known = constant(tensor({1, 0, 1}, {DType::boolean}));
    CHECK(index(y, {known}).shape() == Dims{2});
}
