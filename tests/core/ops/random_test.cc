#include <doctest/doctest.h>

#include <set>

#include "graph/compile.h"
#include "tests/core/ops/table.h"

namespace tg::test {
namespace {

std::vector<std::int64_t> whole(const Tensor& t) {
    const Tensor flat = contiguous(cast(reshape(t, {-1}), DType::int64));
    const auto* p = static_cast<const std::int64_t*>(flat.data());
    return {p, p + flat.numel()};
}

// Numbers from a generator that is set anew at each call, so that a row can state them.
Tensor f_randperm(const Tensors&) {
    manual_seed(5);
    const Tensor p = randperm(100);  // each of 0 .. 99 once, and not in order
    const Tensor there = sum(eq(unsqueeze(p, 1), arange(100)), 0);
    return stack({amin(there), amax(there), cast(all(eq(p, arange(100))), DType::int64)});
}
Tensor f_probability(const Tensors& t) {
    manual_seed(5);
    return bernoulli(t[0]);
}
Tensor f_multinomial(const Tensors& t) {
    manual_seed(5);
    return multinomial(t[0], 2, true);
}
Tensor f_all_columns(const Tensors& t) {
    manual_seed(5);
    return sum(multinomial(t[0], 3), 1);
}

}  // namespace

std::vector<Row> random_rows() {
    return {
        {.op = "randperm",
         .f = f_randperm,
         .inputs = {},
         .expected = {{3}, {1, 1, 0}, DType::int64},
         .order = 0,
         .misuse = [] { randperm(-1); },
         .error = "randperm: n is -1, and must be at least 0"},
        {.op = "probability",
         .f = f_probability,
         .inputs = {{{2, 2}, {0, 1, 1, 0}}},
         .expected = {{2, 2}, {0, 1, 1, 0}},
         .order = 0,
         .misuse = [] { bernoulli(full({2}, 1.5)); },
         .error = "bernoulli: probability: an element is below 0, above 1 or NaN"},
        {.op = "multinomial",
         .f = f_multinomial,
         .inputs = {{{2, 3}, {0, 7, 0, 0, 0, 0.5}}},
         .expected = {{2, 2}, {1, 1, 2, 2}, DType::int64},
         .order = 0,
         .misuse = [] { multinomial(full({2}, -1.0), 1); },
         .error = "multinomial: a weight is negative, infinite or NaN"},
        {.op = "multinomial",
         .f = f_all_columns,
         .inputs = {{{2, 3}, {1, 7, 2, 0, 0, 0.5}}},
         .expected = {{2}, {3, 3}, DType::int64},
         .order = 0,
         .misuse = [] { multinomial(ones({2}), 3); },
         .error = "multinomial: 3 samples of 2 columns without replacement"},
    };
}

}  // namespace tg::test

TEST_CASE("random numbers: values, programs and errors") {
    for (const tg::test::Row& row : tg::test::random_rows()) tg::test::check(row);
}

using namespace tg;

TEST_CASE("columns are drawn as often as their weights say, each at most once if so asked") {
    manual_seed(1);
    const Tensor weights = mul(tensor({1.f, 0.f, 2.f, 5.f}), 3);
    for (bool replacement : {true, false}) {
        const Tensor first = select(
            multinomial(expand(weights, {40000, 4}), replacement ? 2 : 3, replacement), 1, 0);
        const double expected[] = {0.125, 0, 0.25, 0.625};
        for (int k = 0; k < 4; ++k)
            CHECK(sum(eq(first, k)).item<double>() / 40000 ==
                  doctest::Approx(expected[k]).epsilon(0.05));
    }
    const Tensor pair = multinomial(expand(weights, {2000, 4}), 2);
    CHECK(sum(eq(select(pair, 1, 0), select(pair, 1, 1))).item<int>() == 0);
    // the second of two: sum over the first of p_i p_j / (1 - p_i)
    const double second = sum(eq(select(pair, 1, 1), 3)).item<double>() / 2000;
    CHECK(second == doctest::Approx(0.125 * 0.625 / 0.875 + 0.25 * 0.625 / 0.75).epsilon(0.15));
}

TEST_CASE("whole numbers at random stay within their range, and reach all of it") {
    manual_seed(2);
    const std::vector<std::int64_t> drawn = test::whole(randint(-3, 4, {2000}));
    const std::set<std::int64_t> found(drawn.begin(), drawn.end());
    CHECK(found == std::set<std::int64_t>{-3, -2, -1, 0, 1, 2, 3});
    const std::int64_t big = std::int64_t{1} << 52;
    for (std::int64_t n : test::whole(randint(INT64_MAX - big, INT64_MAX, {500})))
        CHECK(n >= INT64_MAX - big);
    CHECK_THROWS_WITH_AS(randint(3, 3, {2}), doctest::Contains("low must be below high"), Error);
}

TEST_CASE("a program draws what the tape draws, and at each run something new") {
    const auto f = [](const std::vector<Tensor>& x) {
        return std::vector<Tensor>{randint(0, 1000, {8}), randperm(8), bernoulli(x[0]),
                                   multinomial(x[0], 3), normal(x[0], 2.0)};
    };
    const std::vector<Tensor> x{full({8}, 0.5)};
    Compiled compiled("draws", f);
    manual_seed(9);
    std::vector<std::vector<Tensor>> tape{f(x), f(x)};
    manual_seed(9);
    for (const std::vector<Tensor>& want : tape) {
        const std::vector<Tensor> got = compiled(x);
        for (std::size_t k = 0; k < want.size(); ++k) CHECK(equal(got[k], want[k]));
    }
    CHECK(compiled.traces().size() == 1);
    CHECK_FALSE(equal(tape[0][0], tape[1][0]));
    CHECK_FALSE(equal(tape[0][1], tape[1][1]));
}
