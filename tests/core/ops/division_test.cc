#include <doctest/doctest.h>

#include <cmath>

#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

const Numbers a{{4}, {5.5, -5.5, 7.25, -7.25}};
const Numbers b{{4}, {2, 2, -3, -3}};
const Numbers i{{4}, {7, -7, 7, -7}, DType::int64};
const Numbers j{{4}, {2, 2, -2, -2}, DType::int64};
const Numbers bytes{{3}, {6, 12, 255}, DType::uint8};
const Numbers truths{{3}, {1, 0, 1}, DType::boolean};

Tensor f_fmod(const Tensors& t) { return fmod(t[0], t[1]); }
Tensor f_remainder(const Tensors& t) { return remainder(t[0], t[1]); }
Tensor f_floor_divide(const Tensors& t) { return floor_divide(t[0], t[1]); }
Tensor f_and(const Tensors& t) { return bitwise_and(t[0], 5); }
Tensor f_or(const Tensors& t) { return bitwise_or(t[0], t[1]); }
Tensor f_xor(const Tensors& t) { return bitwise_xor(t[0], t[1]); }
Tensor f_not(const Tensors& t) { return bitwise_not(t[0]); }
Tensor f_log2(const Tensors& t) { return log2(t[0]); }
Tensor f_log10(const Tensors& t) { return log10(t[0]); }

Row whole(const char* op, Tensor (*f)(const Tensors&), std::vector<double> expected) {
    return {
        .op = op, .f = f, .inputs = {i, j}, .expected = {{4}, expected, DType::int64}, .order = 0};
}

}  // namespace

std::vector<Row> division_rows() {
    return {
        {.op = "fmod",
         .f = f_fmod,
         .inputs = {a, b},
         .expected = {{4}, {1.5, -1.5, 1.25, -1.25}},
         .misuse = [] { fmod(ones({2}, {DType::int64}), 0); },
         .error = "fmod: an integer is divided by 0"},
        {.op = "remainder",
         .f = f_remainder,
         .inputs = {a, b},
         .expected = {{4}, {1.5, 0.5, -1.75, -1.25}},
         .misuse = [] { remainder(ones({2}, {DType::boolean}), true); },
         .error = "remainder: is not defined for bool; cast the tensor first"},
        {.op = "floor_divide",
         .f = f_floor_divide,
         .inputs = {a, b},
         .expected = {{4}, {2, -3, -3, 2}},
         .order = 0,
         .misuse = [] { floor_divide(7, zeros({2}, {DType::int64})); },
         .error = "floor_divide: divisor: an integer is divided by 0"},
        whole("fmod", f_fmod, {1, -1, 1, -1}),
        whole("remainder", f_remainder, {1, 1, -1, -1}),
        whole("floor_divide", f_floor_divide, {3, -4, -4, 3}),
        whole("divisor", f_remainder, {1, 1, -1, -1}),
        {.op = "divisor",
         .f = f_fmod,
         .inputs = {{{0}, {}, DType::int32}, {{0}, {}, DType::int32}},
         .expected = {{0}, {}, DType::int32},
         .order = 0,
         .misuse = [] { fmod(ones({2}, {DType::int64}), zeros({}, {DType::int64})); },
         .error = "fmod: divisor: an integer is divided by 0"},
        {.op = "bitwise_and",
         .f = f_and,
         .inputs = {bytes},
         .expected = {{3}, {4, 4, 5}, DType::uint8},
         .order = 0,
         .misuse = [] { bitwise_and(ones({2}), 1); },
         .error = "bitwise_and: is not defined for float32; cast the tensor first"},
        {.op = "bitwise_or",
         .f = f_or,
         .inputs = {bytes, truths},
         .expected = {{3}, {7, 12, 255}, DType::uint8},
         .order = 0,
         .misuse = [] { bitwise_or(ones({2}, {DType::int64}), ones({3}, {DType::int64})); },
         .error = "bitwise_or: shapes (2,) and (3,) do not broadcast: dim -1 is 2 and 3; make them "
                  "equal, or one of them 1"},
        {.op = "bitwise_xor",
         .f = f_xor,
         .inputs = {truths, {{1}, {1}, DType::boolean}},
         .expected = {{3}, {0, 1, 0}, DType::boolean},
         .order = 0,
         .misuse = [] { bitwise_xor(ones({2}, {DType::int64}), 0.5); },
         .error = "bitwise_xor: is not defined for float32; cast the tensor first"},
        {.op = "bitwise_not",
         .f = f_not,
         .inputs = {bytes},
         .expected = {{3}, {249, 243, 0}, DType::uint8},
         .order = 0,
         .misuse = [] { bitwise_not(ones({2})); },
         .error = "bitwise_not: is not defined for float32; cast the tensor first"},
        {.op = "bitwise_not",
         .f = f_not,
         .inputs = {truths},
         .expected = {{3}, {0, 1, 0}, DType::boolean},
         .order = 0},
        {.op = "log2",
         .f = f_log2,
         .inputs = {{{3}, {0.5, 1, 8}}},
         .expected = {{3}, {-1, 0, 3}},
         .misuse = [] { sub(log2(ones({2})), ones({3})); },
         .error = "sub: shapes (2,) and (3,) do not broadcast: dim -1 is 2 and 3; make them equal, "
                  "or one of them 1"},
        {.op = "log10",
         .f = f_log10,
         .inputs = {{{3}, {0.1, 1, 1000}}},
         .expected = {{3}, {-1, 0, 3}},
         .tolerance = 1e-6,
         .misuse = [] { sub(log10(ones({2})), ones({3})); },
         .error = "sub: shapes (2,) and (3,) do not broadcast: dim -1 is 2 and 3; make them equal, "
                  "or one of them 1"},
    };
}

}  // namespace tg::test

TEST_CASE("division and bits: values, gradients, programs, cuda and errors") {
    for (const tg::test::Row& row : tg::test::division_rows()) tg::test::check(row);
}

TEST_CASE("integers are divided without a trap, whatever they are") {
    using namespace tg;
    const Tensor least = full({1}, std::int64_t{INT64_MIN}, {DType::int64});
    CHECK(floor_divide(least, -1).item<std::int64_t>() == INT64_MIN);  // wraps
    CHECK(remainder(least, -1).item<std::int64_t>() == 0);
    CHECK(fmod(least, full({1}, -1, {DType::int64})).item<std::int64_t>() == 0);
    const Tensor small = full({1}, -128, {DType::int8});
    CHECK(floor_divide(small, -1).item<std::int64_t>() == -128);
    CHECK(floor_divide(full({1}, 255, {DType::uint8}), 255).item<std::int64_t>() == 1);
}
