#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tests/kernels/cpu/arrays.h"

namespace tg::kernels::test {
namespace {

TEST_CASE("nonzero finds what is not 0, NaN too, in any layout") {
    Owned<float> x({2, 3});
    x[1] = 1, x[3] = std::nanf(""), x[4] = -0.0f;
    CHECK(cpu::count_nonzero(x.array) == 2);
    Owned<std::int64_t> where({2, 2});
    cpu::nonzero(where.array, x.array);
    CHECK(where[0] == 0);
    CHECK(where[1] == 1);
    CHECK(where[2] == 1);
    CHECK(where[3] == 0);
    cpu::nonzero(where.array, transposed(x.array));
    CHECK(where[0] == 0);
    CHECK(where[1] == 1);
    CHECK(where[2] == 1);
    CHECK(where[3] == 0);
}

TEST_CASE("argsort is stable, and NaN is larger than any number") {
    Owned<float> x({6});
    x[0] = 2, x[1] = std::nanf(""), x[2] = 1, x[3] = 2, x[4] = -1, x[5] = INFINITY;
    Owned<std::int64_t> up({6}), down({6});
    cpu::argsort(up.array, x.array, 0, false);
    cpu::argsort(down.array, x.array, 0, true);
    const std::int64_t want_up[] = {4, 2, 0, 3, 5, 1};
    const std::int64_t want_down[] = {1, 5, 0, 3, 2, 4};
    for (std::int64_t i = 0; i < 6; ++i) {
        CHECK(up[i] == want_up[i]);
        CHECK(down[i] == want_down[i]);
    }
}

TEST_CASE("long lines, few of many, and every dim of any layout are in the library's order") {
    for (const std::int64_t n : {std::int64_t{1}, std::int64_t{100}, std::int64_t{200000}}) {
        Owned<std::int32_t> x({n, 2});
        for (std::int64_t i = 0; i < 2 * n; ++i) x[i] = static_cast<std::int32_t>(i * 7919 % 1009);
        for (const std::int64_t wanted : {n, std::min<std::int64_t>(n, 5)}) {
            Owned<std::int64_t> out({wanted, 2});
            cpu::argsort(out.array, x.array, 0, true);
            std::vector<std::int64_t> order(static_cast<std::size_t>(n));
            std::iota(order.begin(), order.end(), 0);
            std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
                return x[2 * a + 1] > x[2 * b + 1];
            });
            bool same = true;
            for (std::int64_t i = 0; i < wanted; ++i)
                same = same && out[2 * i + 1] == order[static_cast<std::size_t>(i)];
            CHECK(same);
        }
    }
}

}  // namespace
}  // namespace tg::kernels::test
