#include <doctest/doctest.h>

#include <cmath>

#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

Tensor f_eq(const Tensors& x) { return eq(x[0], x[1]); }
Tensor f_ne(const Tensors& x) { return ne(x[0], x[1]); }
Tensor f_lt(const Tensors& x) { return lt(x[0], x[1]); }
Tensor f_le(const Tensors& x) { return le(x[0], x[1]); }
Tensor f_gt(const Tensors& x) { return gt(x[0], x[1]); }
Tensor f_ge(const Tensors& x) { return ge(x[0], x[1]); }
Tensor f_not(const Tensors& x) { return logical_not(x[0]); }

using Compare = Tensor (*)(const Arg&, const Arg&);

Row row(const char* op, Tensor (*f)(const Tensors&), std::vector<double> expected,
        std::function<void()> misuse) {
    return {.op = op,
            .f = f,
            .inputs = {{{4}, {1, 2, NAN, -0.0}}, {{2, 4}, {1, 1, 1, 0, 3, 2, NAN, 1}}},
            .expected = {{2, 4}, std::move(expected), DType::boolean},
            .order = 0,
            .misuse = std::move(misuse),
            .error = std::string(op) +
                     ": shapes (2,) and (3,) do not broadcast: dim -1 is 2 and 3; make them equal, "
                     "or one of them 1"};
}

template <Compare op>
void misfit() {
    op(ones({2}), ones({3}));
}

}  // namespace

std::vector<Row> comparison_rows() {
    return {
        row("eq", f_eq, {1, 0, 0, 1, 0, 1, 0, 0}, misfit<eq>),
        row("ne", f_ne, {0, 1, 1, 0, 1, 0, 1, 1}, misfit<ne>),
        row("lt", f_lt, {0, 0, 0, 0, 1, 0, 0, 1}, misfit<lt>),
        row("le", f_le, {1, 0, 0, 1, 1, 1, 0, 1}, misfit<le>),
        row("gt", f_gt, {0, 1, 0, 0, 0, 0, 0, 0}, misfit<gt>),
        row("ge", f_ge, {1, 1, 0, 1, 0, 1, 0, 0}, misfit<ge>),
        {.op = "eq",
         .f = f_eq,
         .inputs = {{{2}, {1, 0}, DType::boolean}, {{2}, {1, 1}, DType::int64}},
         .expected = {{2}, {1, 0}, DType::boolean},
         .order = 0},
        {.op = "logical_not",
         .f = f_not,
         .inputs = {{{3}, {0, 2, -1}}},
         .expected = {{3}, {1, 0, 0}, DType::boolean},
         .order = 0,
         .misuse = [] { sub(logical_not(ones({2})), logical_not(ones({2}))); },
         .error = "sub: two bool tensors cannot be subtracted; use ne(a, b) or logical_not"},
    };
}

}  // namespace tg::test

TEST_CASE("comparisons: values with NaN and -0, programs, cuda and errors") {
    for (const tg::test::Row& row : tg::test::comparison_rows()) tg::test::check(row);
}
