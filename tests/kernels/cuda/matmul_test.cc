#include <doctest/doctest.h>

#include <string>

#include "tests/kernels/cuda/against_cpu.h"

namespace tg::kernels::cuda {
namespace {

constexpr std::int64_t TILE = 16, SIDE = 64;

struct Case {
    std::int64_t B, M, K, N;
    Dims a, b;  // strides
};

// The numbers are eighths between -4 and 4, so every product here is exact in any order.
template <class T>
void check(Matmul* kernel, const Case& c, const Dims& out_strides) {
    Numbers<T> a({c.B, c.M, c.K}, c.a), b({c.B, c.K, c.N}, c.b), out({c.B, c.M, c.N}, out_strides);
    fill(a, 1);
    fill(b, 2);
    fill(out, 3);  // what was there must not matter
    const OnDevice on_a(a), on_b(b), on_out(out);
    REQUIRE(kernel(on_out.array, on_a.array, on_b.array));
    REQUIRE(std::string(backend().last_error()) == "");
    on_out.fetch(out);
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < out.count(); ++i) {
        const std::int64_t batch = i / c.N / c.M, m = i / c.N % c.M, n = i % c.N;
        T expected = 0;
        for (std::int64_t k = 0; k < c.K; ++k)
            expected += a[(batch * c.M + m) * c.K + k] * b[(batch * c.K + k) * c.N + n];
        if (out[i] != expected) ++wrong;
    }
    CHECK(wrong == 0);
}

template <class T>
void check_every_rung(const Case& c) {
    CAPTURE(c.M);
    CAPTURE(c.K);
    CAPTURE(c.N);
    const Dims shape = {c.B, c.M, c.N};
    for (const auto& rung : matmul_rungs_here()) {
        CAPTURE(std::string(rung.name));
        check<T>(rung.run, c, contiguous(shape));
        check<T>(rung.run, c, first_dim_fastest(shape));
    }
    check<T>(backend().matmul, c, contiguous(shape));
}

}  // namespace

TEST_CASE_TEMPLATE("products of every size around a tile are right", T, float, double) {
    const std::int64_t sizes[] = {0, 1, TILE - 1, TILE, TILE + 1};
    for (const std::int64_t M : sizes)
        for (const std::int64_t K : sizes)
            for (const std::int64_t N : sizes)
                check_every_rung<T>({1, M, K, N, {M * K, K, 1}, {K * N, N, 1}});
}

TEST_CASE("products of every size around a large tile are right") {
    for (const std::int64_t M : {SIDE - 1, SIDE, SIDE + 1})
        for (const std::int64_t N : {SIDE - 1, SIDE + 1})
            check_every_rung<float>({1, M, 17, N, {M * 17, 17, 1}, {17 * N, N, 1}});
}

TEST_CASE_TEMPLATE("transposed, batched and repeated operands are read in place", T, float,
                   double) {
    const std::int64_t B = 3, M = 20, K = 35, N = 18;
    check_every_rung<T>({B, M, K, N, {M * K, K, 1}, {K * N, N, 1}});
    check_every_rung<T>({B, M, K, N, {M * K, 1, M}, {K * N, 1, K}});
    check_every_rung<T>({B, M, K, N, {M * K, K, 1}, {0, N, 1}});
    check_every_rung<T>({B, M, K, N, {0, K, 1}, {0, 1, K}});
    check_every_rung<T>({B, M, K, N, {0, 0, 0}, {0, 0, 1}});
    check_every_rung<T>({0, M, K, N, {M * K, K, 1}, {K * N, N, 1}});
}

TEST_CASE("a product without a batch dim is right") {
    Numbers<float> a({2, 3}), b({3, 2}), out({2, 2});
    for (std::int64_t i = 0; i < 6; ++i) a[i] = b[i] = static_cast<float>(i + 1);
    const OnDevice on_a(a), on_b(b), on_out(out);
    REQUIRE(backend().matmul(on_out.array, on_a.array, on_b.array));
    on_out.fetch(out);
    CHECK(out[0] == 22);
    CHECK(out[1] == 28);
    CHECK(out[2] == 49);
    CHECK(out[3] == 64);
}

TEST_CASE_TEMPLATE("a large product has the bits of the CPU's level that rounds twice", T, float,
                   double, std::int32_t, std::int8_t) {
    const std::string level = cpu::level();
    if (backend().emulated) cpu::set_level("v1");
    for (const std::int64_t K : {511, 512, 513, 1040}) {
        const Dims a_shape = {2, 17, K}, b_shape = {2, K, 19}, shape = {2, 17, 19};
        Both<T> a(varied<T>(a_shape, contiguous(a_shape), 1));
        Both<T> b(varied<T>(b_shape, {K * 19, 1, K}, 2));
        for (const auto& rung : matmul_rungs_here()) {
            CAPTURE(std::string(rung.name));
            Both<T> out(shape, contiguous(shape));
            cpu::matmul(out.on_host(), a.on_host(), b.on_host());
            REQUIRE(rung.run(out.device.array, a.device.array, b.device.array));
            if (backend().emulated && std::string(cpu::level()) == "x86-64-v1")
                CHECK(out.differences(same<T>) == 0);
            else
                CHECK(out.differences([](T got, T expected) {
                    return std::abs(got - expected) <= T(1000) * std::numeric_limits<T>::epsilon();
                }) == 0);
        }
    }
    cpu::set_level(level.c_str());
}

TEST_CASE("a product of bools is refused") {
    Both<bool> a({2, 2}, {2, 1}), out({2, 2}, {2, 1});
    CHECK_FALSE(backend().matmul(out.device.array, a.device.array, a.device.array));
}

}  // namespace tg::kernels::cuda
