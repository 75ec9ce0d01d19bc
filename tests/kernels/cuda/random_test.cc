// Random numbers on the device, against the CPU's.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "kernels/cpu/cpu.h"
#include "tests/kernels/cuda/on_device.h"

namespace tg::kernels::cuda {
namespace {

using CpuDraw = void(const Array&, std::uint64_t, std::uint64_t);

template <class T>
void check_draw(Draw* kernel, CpuDraw* on_cpu, const Dims& shape, const Dims& strides,
                std::uint64_t offset) {
    Numbers<T> out(shape, strides);
    fill(out, 1);
    Numbers<T> expected = copied(out);
    const OnDevice on_out(out);
    REQUIRE(kernel(on_out.array, 0x123456789abcdefu, offset));
    REQUIRE(std::string(backend().last_error()) == "");
    on_cpu(on_host(expected), 0x123456789abcdefu, offset);
    on_out.fetch(out);
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < out.stored; ++i) {
        const auto k = static_cast<std::size_t>(i);
        if (!agree(out.data[k], expected.data[k])) ++wrong;
    }
    CHECK(wrong == 0);
}

template <class T>
void check_everywhere(Draw* kernel, CpuDraw* on_cpu) {
    for (const std::uint64_t offset : {0u, 1u, 2u, 3u, 7u, 1000u}) {
        for (const std::int64_t n : {0, 1, 2, 3, 4, 5, 1023, 1024, 1030})
            check_draw<T>(kernel, on_cpu, {n}, {1}, offset);
        check_draw<T>(kernel, on_cpu, {}, {}, offset);
        check_draw<T>(kernel, on_cpu, {100}, {3}, offset);
        check_draw<T>(kernel, on_cpu, {17, 9}, {1, 17}, offset);
    }
    check_draw<T>(kernel, on_cpu, {50}, {1}, ~std::uint64_t{0} - 200);  // a counter near its end
}

}  // namespace

TEST_CASE_TEMPLATE("uniform numbers are the CPU's, from any place of the stream", T, float,
                   double) {
    for (const auto& rung : uniform_rungs_here()) {
        CAPTURE(std::string(rung.name));
        check_everywhere<T>(rung.run, cpu::uniform);
    }
    check_everywhere<T>(backend().uniform, cpu::uniform);
}

TEST_CASE_TEMPLATE("normal numbers are the CPU's, from any place of the stream", T, float, double) {
    for (const auto& rung : normal_rungs_here()) {
        CAPTURE(std::string(rung.name));
        check_everywhere<T>(rung.run, cpu::normal);
    }
    check_everywhere<T>(backend().normal, cpu::normal);
}

TEST_CASE("a draw of low precision is refused") {
    Numbers<std::int16_t> out({2});
    OnDevice on_out(out);
    on_out.array.dtype = DType::bfloat16;
    CHECK_FALSE(backend().uniform(on_out.array, 1, 0));
    CHECK_FALSE(backend().normal(on_out.array, 1, 0));
}

TEST_CASE("a shuffle is the CPU's, whichever swaps come at once") {
    for (const std::int64_t n : {0, 1, 2, 3, 10, 255, 256, 257, 3000})
        for (const std::int64_t step : {1, 2})
            for (const std::uint64_t offset : {0u, 5u})
                for (const auto& rung : shuffle_rungs_here()) {
                    CAPTURE(std::string(rung.name));
                    CAPTURE(n);
                    check_draw<std::int64_t>(rung.run, cpu::shuffle, {n}, {step}, offset);
                }
    check_draw<std::int64_t>(backend().shuffle, cpu::shuffle, {4000}, {1}, 0);
    check_draw<std::int64_t>(backend().shuffle, cpu::shuffle, {5000}, {1}, 0);
}

TEST_CASE_TEMPLATE("a 0 is found wherever it is, and nowhere else", T, bool, std::uint8_t,
                   std::int64_t, float, double) {
    for (const std::int64_t n : {0, 1, 256, 700}) {
        Numbers<T> x({n}, {2});
        for (std::int64_t i = 0; i < x.stored; ++i)
            x.data[static_cast<std::size_t>(i)] = static_cast<T>(i % 2 == 0);  // 0 in the gaps
        bool found = true;
        {
            const OnDevice on_x(x);
            REQUIRE(backend().holds_zero(on_x.array, found));
            CHECK_FALSE(found);
        }
        if (n == 0) continue;
        x[n - 1] = T(0);
        const OnDevice on_x(x);
        REQUIRE(backend().holds_zero(on_x.array, found));
        CHECK(found);
        CHECK(std::string(backend().last_error()) == "");
    }
}

TEST_CASE_TEMPLATE("what is no probability is found", T, float, double) {
    for (const double one : {0.0, 1.0, 0.5, -1e-30, 1.0001, std::nan("")}) {
        Numbers<T> x({300});
        x[200] = static_cast<T>(one);
        const OnDevice on_x(x);
        bool found = false;
        REQUIRE(backend().holds_no_probability(on_x.array, found));
        CHECK(found == cpu::holds_no_probability(on_host(x)));
    }
}

}  // namespace tg::kernels::cuda
