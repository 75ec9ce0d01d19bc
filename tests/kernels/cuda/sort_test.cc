#include <doctest/doctest.h>

#include <limits>

#include "tests/kernels/cuda/against_cpu.h"

namespace tg::kernels::cuda {
namespace {

// in has `n` elements along `dim`, of which the places of the first `wanted` are asked for.
template <class T>
void check(ArgSort* kernel, Numbers<T> x, int dim, std::int64_t wanted, bool descending) {
    Dims shape = x.shape;
    shape[static_cast<std::size_t>(dim)] = wanted;
    Both<T> in(std::move(x));
    for (const Dims& strides : {contiguous(shape), first_dim_fastest(shape)}) {
        Both<std::int64_t> out(shape, strides);
        cpu::argsort(out.on_host(), in.on_host(), dim, descending);
        REQUIRE(kernel(out.device.array, in.device.array, dim, descending));
        CHECK(out.differences(same<std::int64_t>) == 0);
    }
}

template <class T>
void check_all(const Dims& shape, const Dims& strides, int dim) {
    const std::int64_t n = shape[static_cast<std::size_t>(dim)];
    for (const auto& rung : argsort_rungs_here()) {
        CAPTURE(std::string(rung.name));
        for (const bool descending : {false, true})
            for (const std::int64_t wanted : {n, n / 3, std::int64_t{0}}) {
                CAPTURE(wanted);
                Numbers<T> x(shape, strides);
                fill(x, 3);  // 65 values: many are equal
                check(rung.run, std::move(x), dim, wanted, descending);
            }
    }
}

}  // namespace

TEST_CASE_TEMPLATE("a line is sorted, equals keep their order, around powers of two", T, bool,
                   std::uint8_t, std::int8_t, std::int16_t, std::int32_t, std::int64_t, float,
                   double) {
    for (const std::int64_t n : {1, 2, 3, 31, 33, 64, 65, 200}) check_all<T>({n}, {1}, 0);
}

TEST_CASE("lines along any dim, and longer than a block's tile, are sorted") {
    check_all<float>({1100}, {2}, 0);
    check_all<double>({2, 1030}, {1, 2}, 1);
    check_all<std::int32_t>({5, 70, 3}, {210, 3, 1}, 1);
    check_all<float>({70, 40}, {40, 1}, 0);
    check_all<float>({300, 5}, {5, 1}, 1);
    check_all<float>({0, 5}, {5, 1}, 1);
    check_all<std::int64_t>({4, 6, 7}, {0, 7, 1}, 2);
    for (const std::int64_t n : {2, 5000}) {
        Numbers<float> x({n});
        fill(x, 4);
        check(backend().argsort, std::move(x), 0, n, true);
    }
}

TEST_CASE_TEMPLATE("NaN is the largest, the zeros are equal, the ends of a type are ordered", T,
                   float, double, std::int64_t, std::int8_t) {
    using Limits = std::numeric_limits<T>;
    Numbers<T> x({40});
    fill(x, 1);
    x[1] = Limits::lowest();
    x[30] = Limits::max();
    x[3] = T(0);
    if constexpr (std::is_floating_point_v<T>) {
        x[7] = -T(0);
        x[8] = T(0);
        x[9] = -Limits::infinity();
        x[20] = Limits::quiet_NaN();
        x[10] = -Limits::quiet_NaN();
        x[4] = Limits::infinity();
        x[5] = Limits::denorm_min();
        x[6] = -Limits::denorm_min();
    }
    for (const auto& rung : argsort_rungs_here())
        for (const bool descending : {false, true}) {
            Numbers<T> again({40});
            for (std::int64_t i = 0; i < 40; ++i) again[i] = x[i];
            check(rung.run, std::move(again), 0, 40, descending);
        }
}

}  // namespace tg::kernels::cuda
