#include "kernels/cpu/convolution.h"

#include <doctest/doctest.h>

#include "tests/kernels/cuda/against_cpu.h"

namespace tg::kernels::cuda {
namespace {

struct Case {
    std::int64_t images, channels, outs, height, width, taps[2];  // channels: a group's
    cpu::Windows windows;

    std::int64_t count(int d) const {
        const std::int64_t size = d == 0 ? height : width;
        return (size + 2 * windows.padding[d] - windows.dilation[d] * (taps[d] - 1) - 1) /
                   windows.stride[d] +
               1;
    }
};

const Case cases[] = {
    {3, 2, 4, 6, 6, {3, 3}, {.padding = {1, 1}}},
    {1, 1, 1, 1, 1, {1, 1}, {}},
    {2, 1, 3, 7, 5, {2, 3}, {.stride = {2, 1}, .padding = {0, 2}, .dilation = {1, 2}}},
    {2, 2, 4, 9, 8, {3, 2}, {.stride = {3, 2}, .padding = {2, 1}, .dilation = {2, 3}, .groups = 2}},
    {2, 33, 66, 7, 6, {3, 3}, {.padding = {1, 1}}},
    {12, 1, 2, 10, 10, {3, 3}, {.stride = {2, 2}}},
    {2, 1, 2, 2, 2, {5, 5}, {.padding = {3, 3}}},
    {0, 2, 4, 6, 6, {3, 3}, {.padding = {1, 1}}},
};

template <class T, class Rungs, class OnCpu>
void check(const Rungs& rungs, const OnCpu& on_cpu, const Dims& shape, Both<T>& a, Both<T>& b,
           const Case& c, bool bits) {
    for (const auto& rung : rungs) {
        CAPTURE(std::string(rung.name));
        Both<T> out(varied<T>(shape, contiguous(shape), 9));  // what was there must not matter
        on_cpu(out.on_host(), a.on_host(), b.on_host(), c.windows);
        REQUIRE(rung.run(out.device.array, a.device.array, b.device.array, c.windows));
        if (bits)
            CHECK(out.differences(same<T>) == 0);
        else
            CHECK(out.differences([](T got, T expected) {
                if (!std::is_floating_point_v<T>) return got == expected;
                return std::abs(got - expected) <= T(200) * std::numeric_limits<T>::epsilon();
            }) == 0);
    }
}

template <class T>
void check_all(const Case& c, bool spread) {
    const Dims x = {c.images, c.windows.groups * c.channels, c.height, c.width};
    const Dims w = {c.outs, c.channels, c.taps[0], c.taps[1]};
    const Dims y = {c.images, c.outs, c.count(0), c.count(1)};
    const auto strides = [&](const Dims& shape) {
        return spread ? first_dim_fastest(shape) : contiguous(shape);
    };
    Both<T> in(varied<T>(x, strides(x), 1)), weight(varied<T>(w, strides(w), 2)),
        out(varied<T>(y, strides(y), 3));
    // The emulator rounds twice in a multiply-add, as the CPU's lowest level does.
    const bool bits = backend().emulated && std::string(cpu::level()) == "x86-64-v1";
    check(convolution_rungs_here(), cpu::convolution, y, in, weight, c, bits);
    check(convolution_input_rungs_here(), cpu::convolution_input, x, weight, out, c, false);
    check(convolution_weight_rungs_here(), cpu::convolution_weight, w, in, out, c, false);
}

}  // namespace

TEST_CASE_TEMPLATE("convolutions and their gradients are the CPU's", T, float, double, std::int64_t,
                   std::int32_t, std::int16_t, std::int8_t, std::uint8_t) {
    const std::string level = cpu::level();
    if (backend().emulated) cpu::set_level("v1");
    int number = 0;
    for (const Case& c : cases) {
        CAPTURE(number);
        const bool large = c.channels > 10;
        if (!large || sizeof(T) == 4 || std::is_floating_point_v<T>) check_all<T>(c, false);
        if (!large) check_all<T>(c, true);
        ++number;
    }
    cpu::set_level(level.c_str());
}

TEST_CASE("the chosen rungs convolve and differentiate, few and many numbers") {
    for (const Case& c : {cases[0], cases[4]}) {
        Both<double> x({c.images, c.channels, c.height, c.width},
                       contiguous({c.images, c.channels, c.height, c.width}));
        Both<double> w(
            varied<double>({c.outs, c.channels, 3, 3}, contiguous({c.outs, c.channels, 3, 3}), 2));
        const Dims shape = {c.images, c.outs, c.height, c.width};
        Both<double> y(varied<double>(shape, contiguous(shape), 3));
        cpu::convolution_input(x.on_host(), w.on_host(), y.on_host(), c.windows);
        REQUIRE(
            backend().convolution_input(x.device.array, w.device.array, y.device.array, c.windows));
        const auto near = [](double a, double b) { return std::abs(a - b) < 1e-12; };
        CHECK(x.differences(near) == 0);
        cpu::convolution_weight(w.on_host(), x.on_host(), y.on_host(), c.windows);
        REQUIRE(backend().convolution_weight(w.device.array, x.device.array, y.device.array,
                                             c.windows));
        CHECK(w.differences([](double a, double b) { return std::abs(a - b) < 1e-10; }) == 0);
        cpu::convolution(y.on_host(), x.on_host(), w.on_host(), c.windows);
        REQUIRE(backend().convolution(y.device.array, x.device.array, w.device.array, c.windows));
        CHECK(y.differences([](double a, double b) {
            return std::abs(a - b) <= 1e-11 * (1 + std::abs(b));
        }) == 0);
    }
}

TEST_CASE("many pixels are cut into runs for the gradient of the weight") {
    const Case c = {4, 1, 2, 40, 40, {3, 3}, {.padding = {1, 1}}};
    check_all<float>(c, false);
}

TEST_CASE("a convolution of two dtypes or of bools is refused") {
    const Dims shape = {1, 1, 2, 2};
    Both<bool> b(shape, contiguous(shape));
    Both<float> f(shape, contiguous(shape));
    CHECK_FALSE(backend().convolution(b.device.array, b.device.array, b.device.array, {}));
    CHECK_FALSE(backend().convolution(f.device.array, b.device.array, f.device.array, {}));
}

}  // namespace tg::kernels::cuda
