#include "kernels/cpu/pooling.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "tests/kernels/cpu/arrays.h"

namespace tg::kernels::test {
namespace {

cpu::Pool both(const cpu::PoolDim& d) { return {d, d}; }

TEST_CASE("the first of equals is the largest, and NaN wins") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    Owned<double> x({1, 1, 2, 4});
    const double values[] = {1, 3, -INFINITY, -INFINITY, 3, 2, -INFINITY, nan};
    for (std::int64_t i = 0; i < 8; ++i) x[i] = values[i];
    Owned<std::int64_t> index({1, 1, 1, 2});
    const cpu::Pool pool{{.size = 2, .windows = 1, .taps = 2, .stride = 2},
                         {.size = 4, .windows = 2, .taps = 2, .stride = 2}};
    REQUIRE(cpu::pool_argmax(index.array, x.array, pool));
    CHECK(index[0] == 1);
    CHECK(index[1] == 7);
    x[7] = -INFINITY;
    REQUIRE(cpu::pool_argmax(index.array, x.array, pool));
    CHECK(index[1] == 2);
}

TEST_CASE("a window with no place inside is refused") {
    Owned<float> x({1, 1, 1, 1});
    Owned<std::int64_t> index({1, 1, 2, 2});
    const cpu::PoolDim apart{.size = 1, .windows = 2, .taps = 2, .padding = 2, .dilation = 3};
    CHECK_FALSE(cpu::pool_argmax(index.array, x.array, both(apart)));
}

TEST_CASE("means divide by the places inside, by those with padding, or by a number") {
    Owned<double> x({1, 1, 2, 2}), y({1, 1, 2, 2});
    for (std::int64_t i = 0; i < 4; ++i) x[i] = static_cast<double>(i + 1);
    // windows of 2 from -1 and from 1 on: of each dim one place is inside
    const cpu::Pool pool = both({.size = 2, .windows = 2, .taps = 2, .stride = 2, .padding = 1});
    const struct {
        std::int64_t divisor;
        double over;
    } ways[] = {{cpu::places_inside, 1}, {cpu::places_padded, 4}, {3, 3}};
    for (const auto& way : ways) {
        cpu::pool_mean(y.array, x.array, pool, way.divisor);
        for (std::int64_t i = 0; i < 4; ++i) CHECK(y[i] == static_cast<double>(i + 1) / way.over);
    }
}

TEST_CASE("adaptive windows share the places, and overlap where they must") {
    Owned<double> x({1, 1, 1, 5}), y({1, 1, 1, 3});
    for (std::int64_t i = 0; i < 5; ++i) x[i] = static_cast<double>(i);
    const cpu::Pool pool{{.size = 1, .windows = 1}, {.size = 5, .windows = 3}};
    cpu::pool_mean(y.array, x.array, pool, cpu::places_inside);
    CHECK(y[0] == 0.5);  // 0 1
    CHECK(y[1] == 2);    // 1 2 3
    CHECK(y[2] == 3.5);  // 3 4
}

TEST_CASE("spreading is the transpose of the mean, whatever the threads") {
    const cpu::Pool pools[] = {
        {{.size = 7, .windows = 3, .taps = 3, .stride = 2}, {.size = 6, .windows = 4}},
        both({.size = 70, .windows = 71, .taps = 2, .stride = 1, .padding = 1})};
    for (const cpu::Pool& p : pools) {
        const std::int64_t h = p.rows.size, w = p.columns.size;
        Owned<double> x({9, 3, w, h}), y({9, 3, p.rows.windows, p.columns.windows});
        Owned<double> mean({9, 3, p.rows.windows, p.columns.windows}), spread({9, 3, h, w});
        x.randomize(1);
        y.randomize(2);
        double first = 0;
        on_all_levels([&] {
            const Array turned = transposed(x.array, 2, 3);
            cpu::pool_mean(mean.array, turned, p, cpu::places_padded);
            cpu::pool_spread(spread.array, y.array, p, cpu::places_padded);
            double a = 0, b = 0;
            for (std::int64_t i = 0; i < y.size(); ++i) a += y[i] * mean[i];
            for (std::int64_t i = 0; i < spread.size(); ++i)
                b += spread[i] * element<double>(turned, i);
            CHECK(std::abs(a - b) < 1e-9);
            if (first == 0) first = b;
            CHECK(b == first);
        });
    }
}

}  // namespace
}  // namespace tg::kernels::test
