#include "kernels/cpu/pooling.h"

#include <doctest/doctest.h>

#include "tests/kernels/cuda/against_cpu.h"

namespace tg::kernels::cuda {
namespace {

cpu::PoolDim windows(std::int64_t size, std::int64_t taps, std::int64_t stride,
                     std::int64_t padding, std::int64_t dilation = 1) {
    const std::int64_t count = (size + 2 * padding - dilation * (taps - 1) - 1) / stride + 1;
    return {size, count, taps, stride, padding, dilation};
}
cpu::PoolDim adaptive(std::int64_t size, std::int64_t count) { return {size, count, 0, 1, 0, 1}; }

// As with ceil_mode: one window more, which begins inside and ends beyond the padding.
cpu::PoolDim beyond(std::int64_t size, std::int64_t taps, std::int64_t stride,
                    std::int64_t padding) {
    cpu::PoolDim d = windows(size, taps, stride, padding);
    ++d.windows;
    return d;
}

const cpu::Pool plain[] = {
    {windows(6, 2, 2, 0), windows(8, 2, 2, 0)},  {windows(7, 3, 1, 1), windows(5, 2, 3, 1)},
    {windows(9, 3, 2, 1), windows(9, 5, 1, 2)},  {windows(1, 1, 1, 0), windows(1, 1, 1, 0)},
    {windows(10, 2, 5, 0), windows(7, 3, 4, 1)}, {windows(3, 2, 1, 0), windows(70, 2, 1, 1)},
    {beyond(6, 3, 2, 1), beyond(8, 3, 2, 0)},
};
const cpu::Pool shared[] = {
    {adaptive(7, 3), adaptive(5, 5)},
    {adaptive(5, 1), adaptive(3, 8)},
    {adaptive(1, 1), adaptive(10, 4)},
};

Dims of_x(const cpu::Pool& p) { return {2, 3, p.rows.size, p.columns.size}; }
Dims of_y(const cpu::Pool& p) { return {2, 3, p.rows.windows, p.columns.windows}; }

template <class T>
constexpr T nothing = T(-77);  // that no window has

template <class T>
void check_means(const cpu::Pool& pool) {
    for (const std::int64_t divisor :
         {std::int64_t{cpu::places_inside}, std::int64_t{cpu::places_padded}, std::int64_t{3}}) {
        CAPTURE(divisor);
        for (const Dims& strides : {contiguous(of_x(pool)), first_dim_fastest(of_x(pool))}) {
            Both<T> x(varied<T>(of_x(pool), strides, 1)), y(of_y(pool), contiguous(of_y(pool)));
            cpu::pool_mean(y.on_host(), x.on_host(), pool, divisor);
            for (const auto& rung : pool_mean_rungs_here()) {
                CAPTURE(std::string(rung.name));
                Both<T> got(copied(y.host));
                backend().fill(got.device.array, &nothing<T>);
                REQUIRE(rung.run(got.device.array, x.device.array, pool, divisor));
                CHECK(got.differences([](T a, T b) { return agree(a, b); }) == 0);
            }
            REQUIRE(backend().pool_mean(y.device.array, x.device.array, pool, divisor));
            CHECK(y.differences([](T a, T b) { return agree(a, b); }) == 0);
        }
        for (const Dims& strides : {contiguous(of_y(pool)), first_dim_fastest(of_y(pool))}) {
            Both<T> y(varied<T>(of_y(pool), strides, 2)), x(of_x(pool), contiguous(of_x(pool)));
            cpu::pool_spread(x.on_host(), y.on_host(), pool, divisor);
            for (const auto& rung : pool_spread_rungs_here()) {
                CAPTURE(std::string(rung.name));
                Both<T> got(copied(x.host));
                backend().fill(got.device.array, &nothing<T>);
                REQUIRE(rung.run(got.device.array, y.device.array, pool, divisor));
                CHECK(got.differences([](T a, T b) { return agree(a, b); }) == 0);
            }
            REQUIRE(backend().pool_spread(x.device.array, y.device.array, pool, divisor));
            CHECK(x.differences([](T a, T b) { return agree(a, b); }) == 0);
        }
    }
}

template <class T>
void check_places(const cpu::Pool& pool, bool with_nan) {
    for (const Dims& strides : {contiguous(of_x(pool)), first_dim_fastest(of_x(pool))}) {
        Numbers<T> numbers = repeating<T>(of_x(pool), strides, 1);
        if constexpr (std::is_floating_point_v<T>)
            for (std::int64_t i = 5; with_nan && i < numbers.count(); i += 9)
                numbers[i] = std::numeric_limits<T>::quiet_NaN();
        Both<T> x(std::move(numbers));
        Both<std::int64_t> index(of_y(pool), contiguous(of_y(pool)));
        REQUIRE(cpu::pool_argmax(index.on_host(), x.on_host(), pool));
        for (const auto& rung : pool_argmax_rungs_here()) {
            CAPTURE(std::string(rung.name));
            backend().fill(index.device.array, &nothing<std::int64_t>);
            REQUIRE(rung.run(index.device.array, x.device.array, pool));
            CHECK(index.differences(same<std::int64_t>) == 0);
        }
        REQUIRE(backend().pool_argmax(index.device.array, x.device.array, pool));
    }
}

}  // namespace

TEST_CASE_TEMPLATE("means of windows and their gradients have the CPU's bits", T, float, double) {
    for (const cpu::Pool& pool : plain) check_means<T>(pool);
    for (const cpu::Pool& pool : shared) check_means<T>(pool);
}

TEST_CASE_TEMPLATE("the place of a window's largest is the CPU's", T, bool, std::uint8_t,
                   std::int8_t, std::int16_t, std::int32_t, std::int64_t, float, double) {
    for (const cpu::Pool& pool : plain)
        for (const bool with_nan : {false, true}) check_places<T>(pool, with_nan);
    for (const cpu::Pool& pool : shared) check_places<T>(pool, false);
    check_places<T>({windows(9, 3, 2, 1, 2), windows(8, 2, 1, 0, 5)}, false);
}

TEST_CASE("a window without a place inside is refused, and no images are no work") {
    const cpu::Pool beyond = {windows(2, 1, 1, 2), windows(2, 1, 1, 0)};
    Both<float> x(of_x(beyond), contiguous(of_x(beyond)));
    Both<std::int64_t> index(of_y(beyond), contiguous(of_y(beyond)));
    CHECK_FALSE(backend().pool_argmax(index.device.array, x.device.array, beyond));
    CHECK_FALSE(cpu::pool_argmax(index.on_host(), x.on_host(), beyond));
    Both<float> none({0, 3, 6, 8}, {144, 48, 8, 1}), means({0, 3, 3, 4}, {36, 12, 4, 1});
    CHECK(backend().pool_mean(means.device.array, none.device.array, plain[0], 1));
    CHECK(backend().pool_spread(none.device.array, means.device.array, plain[0], 1));
}

TEST_CASE("means of integers are refused") {
    Both<std::int32_t> x(of_x(plain[0]), contiguous(of_x(plain[0]))),
        y(of_y(plain[0]), contiguous(of_y(plain[0])));
    CHECK_FALSE(backend().pool_mean(y.device.array, x.device.array, plain[0], 1));
    CHECK_FALSE(backend().pool_spread(x.device.array, y.device.array, plain[0], 1));
}

}  // namespace tg::kernels::cuda
