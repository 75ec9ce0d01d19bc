#include <doctest/doctest.h>

#include <cmath>

#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

const Numbers small{{2, 2}, {-0.5, 0.25, 0.75, -0.125}};
const Numbers above1{{3}, {1.25, 2, 5}};
const Numbers a{{2, 3}, {3, -3, 4, -4, 0.5, -5}};
const Numbers b{{3}, {4, 1.5, -3}};
const Numbers i{{4}, {5, -5, 1, -1}, DType::int64};
const Numbers places{{4}, {1, 1, 63, 64}, DType::int64};

// The values are the C library's, in double, of the numbers that f32 holds.
Row curve(const char* op, Tensor (*f)(const Tensors&), const Numbers& x, double (*wanted)(double)) {
    Numbers y{x.shape, {}};
    for (double v : x.values) y.values.push_back(wanted(v));
    return {.op = op, .f = f, .inputs = {x}, .expected = y, .tolerance = 1e-7};
}

Row refuses(Row row, std::function<void()> misuse, const std::string& error) {
    row.misuse = std::move(misuse);
    row.error = error;
    return row;
}

// Whoever misuses a function of one tensor does so with the next op.
template <Tensor (*op)(const Arg&)>
Row with_misfit(Row row) {
    return refuses(
        std::move(row), [] { sub(op(ones({2})), ones({3})); },
        "sub: shapes (2,) and (3,) do not broadcast: dim -1 is 2 and 3; make them equal, or one of "
        "them 1");
}

template <Tensor (*op)(const Arg&)>
Tensor one(const Tensors& t) {
    return op(t[0]);
}
template <Tensor (*op)(const Arg&, const Arg&)>
Tensor two(const Tensors& t) {
    return op(t[0], t[1]);
}

Tensor f_digamma(const Tensors& t) { return digamma(t[0]); }
Tensor f_trigamma(const Tensors& t) { return polygamma(1, t[0]); }
Tensor f_windows(const Tensors& t) { return unfold(t[0], 1, 2, 1); }
Tensor f_apart(const Tensors& t) { return unfold(t[0], -1, 1, 3); }
Tensor f_search(const Tensors& t) { return searchsorted(t[0], t[1]); }
Tensor f_search_right(const Tensors& t) { return searchsorted(t[0], t[1], true); }

Row whole(const char* op, Tensor (*f)(const Tensors&), std::vector<double> expected) {
    return {.op = op,
            .f = f,
            .inputs = {i, places},
            .expected = {{4}, expected, DType::int64},
            .order = 0};
}

}  // namespace

std::vector<Row> angle_rows() {
    return {
        with_misfit<tan>(curve("tan", one<tan>, small, std::tan)),
        with_misfit<asin>(curve("asin", one<asin>, small, std::asin)),
        with_misfit<acos>(curve("acos", one<acos>, small, std::acos)),
        with_misfit<atan>(curve("atan", one<atan>, a, std::atan)),
        with_misfit<sinh>(curve("sinh", one<sinh>, small, std::sinh)),
        with_misfit<cosh>(curve("cosh", one<cosh>, small, std::cosh)),
        with_misfit<asinh>(curve("asinh", one<asinh>, a, std::asinh)),
        with_misfit<acosh>(curve("acosh", one<acosh>, above1, std::acosh)),
        with_misfit<atanh>(curve("atanh", one<atanh>, small, std::atanh)),
        with_misfit<exp2>(curve("exp2", one<exp2>, small, std::exp2)),
        with_misfit<tan>(curve("tan", one<tan>, {{0, 2}, {}}, std::tan)),
        with_misfit<sinh>(curve("sinh", one<sinh>, {{}, {0.5}}, std::sinh)),
        {.op = "exp2",
         .f = one<exp2>,
         .inputs = {{{3}, {3, -1, 0}, DType::int32}},
         .expected = {{3}, {8, 0.5, 1}},
         .order = 0},
        {.op = "atan2",
         .f = two<atan2>,
         .inputs = {a, b},
         .expected = {{2, 3},
                      {std::atan2(3, 4), std::atan2(-3, 1.5), std::atan2(4, -3), std::atan2(-4, 4),
                       std::atan2(0.5, 1.5), std::atan2(-5, -3)}},
         .tolerance = 1e-7,
         .misuse = [] { atan2(ones({2}), ones({3})); },
         .error = "atan2: shapes (2,) and (3,) do not broadcast: dim -1 is 2 and 3; make them "
                  "equal, or one of them 1"},
        {.op = "hypot",
         .f = two<hypot>,
         .inputs = {a, b},
         .expected = {{2, 3},
                      {5, std::hypot(3, 1.5), 5, std::hypot(4, 4), std::hypot(0.5, 1.5),
                       std::hypot(5, 3)}},
         .tolerance = 1e-7,
         .misuse = [] { hypot(ones({2}, {DType::int64}), ones({2}, {DType::int64})); },
         .error = "hypot: is not defined for int64; cast the tensor first"},
        {.op = "copysign",
         .f = two<copysign>,
         .inputs = {a, b},
         .expected = {{2, 3}, {3, 3, -4, 4, 0.5, -5}},
         .misuse = [] { copysign(ones({2}), ones({3})); },
         .error = "copysign: shapes (2,) and (3,) do not broadcast: dim -1 is 2 and 3; make them "
                  "equal, or one of them 1"},
        with_misfit<lgamma>(curve("lgamma", one<lgamma>, above1, std::lgamma)),
        {.op = "polygamma",
         .f = f_digamma,
         .inputs = {above1},
         .expected = {{3}, {-0.2274535333762654, 0.42278433509846714, 1.5061176684318003}},
         .tolerance = 1e-6,
         .misuse = [] { polygamma(-1, ones({2})); },
         .error = "polygamma: the order is -1, and must not be below 0"},
        {.op = "polygamma",
         .f = f_trigamma,
         .inputs = {{{4}, {1, 2, 0.5, -0.5}}},
         .expected = {{4},
                      {1.6449340668482264, 0.6449340668482264, 4.934802200544679,
                       8.934802200544679}},
         .tolerance = 1e-6},
        refuses(
            whole("bitwise_left_shift", two<bitwise_left_shift>, {10, -10, -0x1p63, 0}),
            [] { bitwise_left_shift(ones({2}), 1); },
            "bitwise_left_shift: is not defined for float32; cast the tensor first"),
        refuses(
            whole("bitwise_right_shift", two<bitwise_right_shift>, {2, -3, 0, -1}),
            [] { bitwise_right_shift(ones({2}, {DType::boolean}), true); },
            "bitwise_right_shift: is not defined for bool; cast the tensor first"),
        {.op = "unfold",
         .f = f_windows,
         .inputs = {{{2, 3}, {1, 2, 3, 4, 5, 6}}},
         .expected = {{2, 2, 2}, {1, 2, 2, 3, 4, 5, 5, 6}},
         .misuse =
             [] {
                 unfold(ones({2, 3}), 1, 4, 1);
             },
         .error = "unfold: windows of 4 elements do not fit dim 1 of (2, 3), which has 3"},
        {.op = "unfold",
         .f = f_apart,
         .inputs = {{{2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}}},
         .expected = {{2, 2, 1}, {1, 4, 5, 8}},
         .misuse = [] { unfold(ones({3}), 0, 2, 0); },
         .error = "unfold: the step is 0, and must be 1 or more"},
        {.op = "searchsorted",
         .f = f_search,
         .inputs = {{{4}, {1, 2, 2, 5}}, {{2, 3}, {0, 2, 9, 5, 1, 3}}},
         .expected = {{2, 3}, {0, 1, 4, 3, 0, 3}, DType::int64},
         .order = 0,
         .misuse =
             [] {
                 searchsorted(ones({2, 3}), ones({3, 1}));
             },
         .error = "searchsorted: the sorted (2, 3) and the values (3, 1) do not fit; the sorted "
                  "ones have 1 dim, or the values' dims but the last"},
        {.op = "searchsorted",
         .f = f_search_right,
         .inputs = {{{2, 2}, {1, 3, 2, 4}, DType::int32}, {{2, 3}, {0, 1, 3, 2, 4, 9}}},
         .expected = {{2, 3}, {0, 1, 2, 1, 2, 2}, DType::int64},
         .order = 0},
    };
}

}  // namespace tg::test

TEST_CASE("angles, shifts, windows and places: values, gradients, programs, cuda and errors") {
    for (const tg::test::Row& row : tg::test::angle_rows()) tg::test::check(row);
}

TEST_CASE("a number is shifted by any number of places without a trap") {
    using namespace tg;
    for (DType dtype : {DType::uint8, DType::int8, DType::int32, DType::int64})
        for (std::int64_t by : {0, 1, 7, 8, 31, 63, 64, 100}) {
            const Tensor x = full({1}, 5, {dtype});
            const bool gone = by >= 8 * size_of(dtype);
            CHECK(bitwise_right_shift(x, by).item<std::int64_t>() == (gone ? 0 : 5 >> by));
            if (gone) CHECK(bitwise_left_shift(x, by).item<std::int64_t>() == 0);
        }
    CHECK(bitwise_left_shift(full({1}, 5, {DType::int64}), -1).item<std::int64_t>() == 0);
    CHECK(bitwise_right_shift(full({1}, -5, {DType::int64}), -1).item<std::int64_t>() == -1);
}

TEST_CASE("angles at the ends of the line, and signs of zeros") {
    using namespace tg;
    const double inf = HUGE_VAL;
    const auto at = [](Tensor (*f)(const Arg&), double x) {
        return f(full({1}, x, {DType::float64})).item<double>();
    };
    CHECK(at(atan, inf) == std::atan(inf));
    CHECK(at(atanh, 1) == inf);
    CHECK(std::isnan(at(acosh, 0.5)));
    CHECK(std::isnan(at(asin, 1.5)));
    CHECK(at(cosh, -inf) == inf);
    CHECK(std::signbit(at(sinh, -0.0)));
    const Tensor zero = full({1}, 0.0, {DType::float64});
    CHECK(atan2(zero, full({1}, -0.0, {DType::float64})).item<double>() == std::atan2(0.0, -0.0));
    CHECK(std::signbit(copysign(zero, -0.0).item<double>()));
    CHECK(hypot(full({1}, 3e200, {DType::float64}), full({1}, 4e200, {DType::float64}))
              .item<double>() == doctest::Approx(5e200));
}
