#include <doctest/doctest.h>

#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

Tensor f_full(const Tensors&) { return full({2, 2}, 1.5); }
Tensor f_full_int(const Tensors&) { return full({2}, 7, {DType::int64}); }
Tensor f_arange(const Tensors&) { return arange(4); }
Tensor f_arange_float(const Tensors&) { return arange(3, {DType::float64}); }
Tensor f_constant(const Tensors& x) {
    return mul(x[0], to(constant(tensor(std::vector<float>{2, 3})), x[0].device()));
}
Tensor f_to(const Tensors& x) { return to(to(x[0], Device::cuda), x[0].device()); }

// Numbers from a generator that is set anew at each call, so that a row can state them.
Tensor drawn(Tensor (*draw)(const Dims&, Options, const Generator&, Where)) {
    manual_seed(3);
    const Tensor t = draw({1000}, {}, default_generator(), {});
    return sum(cast(ge(t, 0), DType::int64));
}
Tensor f_rand(const Tensors&) { return drawn(rand); }
Tensor f_randn(const Tensors&) { return ge(drawn(randn), 400); }

}  // namespace

std::vector<Row> creation_rows() {
    return {
        {.op = "full",
         .f = f_full,
         .inputs = {},
         .expected = {{2, 2}, {1.5, 1.5, 1.5, 1.5}},
         .misuse =
             [] {
                 full({2, -1}, 0);
             },
         .error = "full: the shape (2, -1) has a negative size"},
        {.op = "full",
         .f = f_full_int,
         .inputs = {},
         .expected = {{2}, {7, 7}, DType::int64},
         .order = 0},
        {.op = "arange",
         .f = f_arange,
         .inputs = {},
         .expected = {{4}, {0, 1, 2, 3}, DType::int64},
         .order = 0,
         .misuse = [] { arange(-1); },
         .error = "arange: the end is -1, below 0"},
        {.op = "arange",
         .f = f_arange_float,
         .inputs = {},
         .expected = {{3}, {0, 1, 2}, DType::float64},
         .order = 0},
        {.op = "constant", .f = f_constant, .inputs = {{{2}, {1, -1}}}, .expected = {{2}, {2, -3}}},
        {.op = "rand",
         .f = f_rand,
         .inputs = {},
         .expected = {{}, {1000}, DType::int64},
         .order = 0,
         .misuse = [] { rand({2}, {DType::int64}); },
         .error = "rand: int64 is not a floating dtype"},
        {.op = "randn",
         .f = f_randn,
         .inputs = {},
         .expected = {{}, {1}, DType::boolean},
         .order = 0,
         .misuse = [] { randn({2}, {DType::uint8}); },
         .error = "randn: uint8 is not a floating dtype"},
        {.op = "to", .f = f_to, .inputs = {{{2}, {1, -1}}}, .expected = {{2}, {1, -1}}},
    };
}

}  // namespace tg::test

TEST_CASE("creation: values, programs and errors") {
    for (const tg::test::Row& row : tg::test::creation_rows()) tg::test::check(row);
}
