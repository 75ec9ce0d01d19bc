#include <doctest/doctest.h>

#include "tests/kernels/cuda/against_cpu.h"

namespace tg::kernels::cuda {
namespace {

// Sums of n terms of up to 1, added in another order.
template <class T>
bool agrees(T got, T expected, std::int64_t n) {
    if constexpr (std::is_same_v<T, double>)
        return std::abs(got - expected) <=
               static_cast<double>(n) * std::numeric_limits<double>::epsilon();
    else
        return nearly(got, expected);  // floats are added as doubles
}

template <class T>
void check(const Dims& shape, const Dims& strides, int dim) {
    const std::int64_t n = shape[static_cast<std::size_t>(dim)];
    const auto near = [&](T got, T expected) { return agrees(got, expected, n); };
    Both<T> in(varied<T>(shape, strides, 1));
    for (const bool back : {false, true}) {
        for (const auto& rung : cumsum_rungs_here()) {
            CAPTURE(std::string(rung.name));
            Both<T> out(varied<T>(shape, contiguous(shape), 2));  // what was there must not matter
            cpu::cumsum(out.on_host(), in.on_host(), dim, back);
            REQUIRE(rung.run(out.device.array, in.device.array, dim, back));
            CHECK(out.differences(near) == 0);
        }
        Both<T> out(shape, first_dim_fastest(shape));
        cpu::cumsum(out.on_host(), in.on_host(), dim, back);
        REQUIRE(backend().cumsum(out.device.array, in.device.array, dim, back));
        CHECK(out.differences(near) == 0);
    }
}

}  // namespace

TEST_CASE_TEMPLATE("running sums are the CPU's, around the size of a piece", T, std::uint8_t,
                   std::int8_t, std::int16_t, std::int32_t, std::int64_t, float, double) {
    for (const std::int64_t n : {0, 1, 2, 255, 256, 257, 511, 512, 513, 2000}) {
        CAPTURE(n);
        check<T>({n}, {1}, 0);
    }
    check<T>({600}, {3}, 0);
}

TEST_CASE_TEMPLATE("running sums along any dim are the CPU's, in any layout", T, float,
                   std::int64_t) {
    const Dims shape = {3, 5, 66};
    for (const Dims& strides : strides_for(shape))
        for (int dim = 0; dim < 3; ++dim) check<T>(shape, strides, dim);
    check<T>({0, 3}, {3, 1}, 1);
    check<T>({3, 0}, {0, 1}, 0);
}

TEST_CASE("long lines are cut into stretches") {
    check<float>({2, 20000}, {20000, 1}, 1);
    check<std::int32_t>({20000, 2}, {2, 1}, 0);
}

TEST_CASE("a running sum of floats is exact where the CPU's is, and -0 stays what it is") {
    Numbers<float> x({1000});
    for (std::int64_t i = 0; i < 1000; ++i) x[i] = i % 2 == 0 ? 1e8f : 1.0f;
    for (const auto& rung : cumsum_rungs_here()) {
        CAPTURE(std::string(rung.name));
        Both<float> in(Numbers<float>{{1000}}), out({1000}, {1});
        in.host = Numbers<float>({1000});
        for (std::int64_t i = 0; i < 1000; ++i) in.host[i] = x[i];
        backend().to_device(in.device.array.data, x.data.get(), 4000);
        cpu::cumsum(out.on_host(), in.on_host(), 0, false);
        REQUIRE(rung.run(out.device.array, in.device.array, 0, false));
        CHECK(out.differences(same<float>) == 0);

        Numbers<float> zeros({3});
        for (std::int64_t i = 0; i < 3; ++i) zeros[i] = -0.0f;
        const OnDevice on_zeros(zeros);
        REQUIRE(rung.run(on_zeros.array, on_zeros.array, 0, false));
        on_zeros.fetch(zeros);
        for (std::int64_t i = 0; i < 3; ++i) CHECK(std::signbit(zeros[i]));
    }
}

TEST_CASE("a running sum of bools is refused: it is cast first") {
    Both<bool> in({3}, {1});
    CHECK_FALSE(backend().cumsum(in.device.array, in.device.array, 0, false));
}

}  // namespace tg::kernels::cuda
