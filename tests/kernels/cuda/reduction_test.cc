#include <doctest/doctest.h>

#include <limits>

#include "tests/kernels/cuda/against_cpu.h"

namespace tg::kernels::cuda {
namespace {

// The input with some NaN, or infinities, where T has them.
template <class T>
Numbers<T> with_specials(Numbers<T> x, int which) {
    if constexpr (std::is_floating_point_v<T>) {
        const T infinity = std::numeric_limits<T>::infinity();
        for (std::int64_t i = 0; i < x.stored; ++i) {
            T& to = x.data[static_cast<std::size_t>(i)];
            if (which == 1 && i % 97 == 50) to = std::numeric_limits<T>::quiet_NaN();
            if (which == 2) to = i % 2 == 0 ? infinity : -infinity;
            if (which == 3) to = -infinity;
        }
    }
    return x;
}

template <class T, class Rungs, class OnCpu>
void check(const Rungs& rungs, const OnCpu& on_cpu, Numbers<T> x, const Dims& out_shape) {
    Both<T> in(std::move(x));
    for (const auto& rung : rungs) {
        CAPTURE(std::string(rung.name));
        for (const Dims& strides : {contiguous(out_shape), first_dim_fastest(out_shape)}) {
            Both<T> out(varied<T>(out_shape, strides, 9));  // what was there must not matter
            on_cpu(out.on_host(), in.on_host());
            REQUIRE(rung.run(out.device.array, in.device.array));
            CHECK(out.differences(same<T>) == 0);
        }
    }
}

template <class T>
void check_extrema(const Dims& shape, const Dims& strides, const Dims& out_shape, int which) {
    const auto x = [&] { return with_specials(varied<T>(shape, strides, 1), which); };
    check(amax_rungs_here(), cpu::amax, x(), out_shape);
    check(amin_rungs_here(), cpu::amin, x(), out_shape);
}

template <class T, class Rungs, class OnCpu>
void check_place(const Rungs& rungs, const OnCpu& on_cpu, Numbers<T> x, int dim) {
    Dims out_shape = x.shape;
    out_shape[static_cast<std::size_t>(dim)] = 1;
    Both<T> in(std::move(x));
    for (const auto& rung : rungs) {
        CAPTURE(std::string(rung.name));
        Both<std::int64_t> out(out_shape, contiguous(out_shape));
        on_cpu(out.on_host(), in.on_host(), dim);
        REQUIRE(rung.run(out.device.array, in.device.array, dim));
        CHECK(out.differences(same<std::int64_t>) == 0);
    }
}

template <class T>
void check_places(const Dims& shape, const Dims& strides, int dim, int which) {
    const auto x = [&] { return with_specials(repeating<T>(shape, strides, 1), which); };
    check_place(argmax_rungs_here(), cpu::argmax, x(), dim);
    check_place(argmin_rungs_here(), cpu::argmin, x(), dim);
}

}  // namespace

TEST_CASE_TEMPLATE("the extrema of a line are the CPU's, around the size of a warp and a block", T,
                   bool, std::uint8_t, std::int8_t, std::int16_t, std::int32_t, std::int64_t, float,
                   double) {
    for (const std::int64_t n : {1, 2, 31, 32, 33, 63, 64, 65, 255, 256, 257, 1000}) {
        CAPTURE(n);
        for (int which = 0; which < 4; ++which) {
            check_extrema<T>({n}, {1}, {1}, which);
            check_places<T>({n}, {1}, 0, which);
            if (!std::is_floating_point_v<T>) break;
        }
        check_places<T>({n}, {3}, 0, 0);
    }
}

TEST_CASE_TEMPLATE("extrema over any subset of dims are the CPU's, in any layout", T, float,
                   std::int16_t) {
    const Dims shape = {3, 5, 66};
    for (const Dims& strides : strides_for(shape)) {
        for (int subset = 0; subset < 8; ++subset) {
            CAPTURE(subset);
            Dims out_shape = shape;
            for (std::size_t d = 0; d < 3; ++d)
                if (subset >> d & 1) out_shape[d] = 1;
            check_extrema<T>(shape, strides, out_shape, 1);
        }
        for (int dim = 0; dim < 3; ++dim) check_places<T>(shape, strides, dim, 1);
    }
    check_extrema<T>({}, {}, {}, 0);
    check_extrema<T>({0, 3}, {3, 1}, {0, 1}, 0);
}

TEST_CASE("extrema of bools with more outputs than blocks, and of nothing") {
    check_extrema<bool>({4100, 3}, {3, 1}, {4100, 1}, 0);
    check_places<bool>({3, 4100}, {4100, 1}, 0, 0);
    check_extrema<std::int32_t>({3, 0}, {0, 1}, {3, 1}, 0);  // the CPU's start
}

TEST_CASE("the chosen rungs find the same, for few outputs of many elements too") {
    Both<float> in(with_specials(varied<float>({3, 70000}, {70000, 1}, 4), 0));
    Both<float> most({3, 1}, {1, 1}), least({3, 1}, {1, 1});
    Both<std::int64_t> place({3, 1}, {1, 1});
    cpu::amax(most.on_host(), in.on_host());
    REQUIRE(backend().amax(most.device.array, in.device.array));
    CHECK(most.differences(same<float>) == 0);
    cpu::amin(least.on_host(), in.on_host());
    REQUIRE(backend().amin(least.device.array, in.device.array));
    CHECK(least.differences(same<float>) == 0);
    cpu::argmax(place.on_host(), in.on_host(), 1);
    REQUIRE(backend().argmax(place.device.array, in.device.array, 1));
    CHECK(place.differences(same<std::int64_t>) == 0);
    cpu::argmin(place.on_host(), in.on_host(), 1);
    REQUIRE(backend().argmin(place.device.array, in.device.array, 1));
    CHECK(place.differences(same<std::int64_t>) == 0);
}

TEST_CASE_TEMPLATE("sums of floats differ from the CPU's by their rounding alone", T, float,
                   double) {
    for (const Dims& shape : {Dims{2, 40000}, Dims{2000, 3}, Dims{60, 200}}) {
        for (const Dims& out_shape : {Dims{1, 1}, Dims{shape[0], 1}, Dims{1, shape[1]}}) {
            if (product(out_shape) > 2000) continue;
            Both<T> in(varied<T>(shape, contiguous(shape), 2));
            for (const auto& rung : sum_rungs_here()) {
                CAPTURE(std::string(rung.name));
                Both<T> out(out_shape, contiguous(out_shape));
                cpu::sum(out.on_host(), in.on_host());
                REQUIRE(rung.run(out.device.array, in.device.array));
                // of terms up to 1, partial sums reach some hundreds
                CHECK(out.differences([](T a, T b) {
                    return std::abs(a - b) <= 2000 * std::numeric_limits<T>::epsilon();
                }) == 0);
            }
        }
    }
}

TEST_CASE_TEMPLATE("short integers are summed, and wrap", T, std::uint8_t, std::int8_t,
                   std::int16_t) {
    Both<T> in(varied<T>({7, 300}, {300, 1}, 3));
    for (const auto& rung : sum_rungs_here()) {
        CAPTURE(std::string(rung.name));
        Both<T> out({7, 1}, {1, 1});
        for (std::int64_t row = 0; row < 7; ++row) {
            std::int64_t total = 0;
            for (std::int64_t i = 0; i < 300; ++i) total += in.host[row * 300 + i];
            out.host[row] = static_cast<T>(total);
        }
        REQUIRE(rung.run(out.device.array, in.device.array));
        CHECK(out.differences(same<T>) == 0);
    }
}

}  // namespace tg::kernels::cuda
