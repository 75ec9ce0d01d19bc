#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "tests/kernels/cpu/arrays.h"

namespace tg::kernels::test {
namespace {

// The chains of 512 that the kernels promise, one number at a time: fused on levels that have it.
template <class T>
T chain(const Array& a, const Array& b, std::int64_t batch, std::int64_t i, std::int64_t j) {
    const std::int64_t m = a.shape[1], k = a.shape[2], n = b.shape[2];
    const bool fused = std::string(cpu::level()) != "x86-64-v1";
    T total = 0, sum = 0;
    for (std::int64_t p = 0; p < k; ++p) {
        if (p > 0 && p % 512 == 0) total = static_cast<T>(total + std::exchange(sum, T(0)));
        const T x = element<T>(a, (batch * m + i) * k + p),
                y = element<T>(b, (batch * k + p) * n + j);
        if constexpr (std::is_floating_point_v<T>)
            sum = fused ? std::fma(x, y, sum) : sum + x * y;
        else
            sum = static_cast<T>(sum + x * y);
    }
    return static_cast<T>(total + sum);
}

template <class T>
int wrong_numbers(const Array& a, const Array& b) {
    const std::int64_t batch = a.shape[0], m = a.shape[1], n = b.shape[2];
    Owned<T> out({batch, m, n});
    cpu::matmul(out.array, a, b);
    int wrong = 0;
    for (std::int64_t i = 0; i < out.size(); ++i)
        wrong += out[i] != chain<T>(a, b, i / (m * n), i / n % m, i % n);
    return wrong;
}

template <class T>
void check_sizes(std::int64_t m, std::int64_t n, std::int64_t k) {
    Owned<T> a({1, m, k}), b({1, k, n}), at({1, k, m}), bt({1, n, k});
    a.randomize(1), b.randomize(2), at.randomize(3), bt.randomize(4);
    const Array a2 = transposed(at.array, 1, 2), b2 = transposed(bt.array, 1, 2);
    const int wrong = wrong_numbers<T>(a.array, b.array) + wrong_numbers<T>(a2, b.array) +
                      wrong_numbers<T>(a.array, b2) + wrong_numbers<T>(a2, b2);
    CHECK_MESSAGE(wrong == 0, cpu::level(), " ", m, " x ", n, " x ", k);
}

TEST_CASE("each number of a product is a chain over k, at every size around a tile") {
    on_all_levels([] {
        for (std::int64_t m : {1, 5, 6, 7, 8, 17})
            for (std::int64_t n : {1, 3, 7, 8, 9, 16, 17, 31, 33, 49})
                for (std::int64_t k : {1, 2, 13}) {
                    check_sizes<float>(m, n, k);
                    check_sizes<double>(m, n, k);
                }
    });
}

TEST_CASE("large products, cut in blocks and packed, keep the same chains") {
    on_all_levels([] {
        check_sizes<float>(100, 130, 600);
        check_sizes<double>(50, 67, 1030);
        check_sizes<float>(101, 577, 70);
        check_sizes<float>(450, 20, 33);
    });
}

TEST_CASE("a long product keeps its digits") {
    on_all_levels([] {
        constexpr std::int64_t k = 1000000;
        Owned<float> a({1, 1, k}), b({1, k, 1}), out({1, 1, 1});
        for (std::int64_t i = 0; i < k; ++i) a[i] = 0.1f, b[i] = 1.0f;
        cpu::matmul(out.array, a.array, b.array);
        CHECK(std::abs(out[0] / (double{0.1f} * k) - 1) < 2e-5);
    });
}

TEST_CASE("integers multiply by the naive rung") {
    on_all_levels([] {
        check_sizes<std::int64_t>(9, 7, 11);
        check_sizes<std::int32_t>(3, 20, 5);
    });
}

TEST_CASE("a product over no k is zero, and one without rows is nothing") {
    Owned<float> a({1, 2, 0}), b({1, 0, 3}), out({1, 2, 3});
    out.randomize(1);
    cpu::matmul(out.array, a.array, b.array);
    for (std::int64_t i = 0; i < 6; ++i) CHECK(out[i] == 0);
    Owned<float> none({1, 0, 4}), right({1, 4, 3}), nothing({1, 0, 3});
    cpu::matmul(nothing.array, none.array, right.array);
}

TEST_CASE("batches: each its own, one operand shared, and both") {
    on_all_levels([] {
        Owned<float> a({5, 7, 19}), b({5, 19, 23});
        a.randomize(1), b.randomize(2);
        Array shared_a = a.array, shared_b = b.array;
        shared_a.strides[0] = shared_b.strides[0] = 0;
        CHECK(wrong_numbers<float>(a.array, b.array) == 0);
        CHECK(wrong_numbers<float>(shared_a, b.array) == 0);
        CHECK(wrong_numbers<float>(a.array, shared_b) == 0);
        CHECK(wrong_numbers<float>(shared_a, shared_b) == 0);
        Owned<float> rows({6, 1, 19});
        Array turned = describe(rows.randomize(3).array.data, DType::float32, {6, 1, 19});
        Array b6 = shared_b;
        b6.shape[0] = 6;
        CHECK(wrong_numbers<float>(turned, b6) == 0);
    });
}

}  // namespace
}  // namespace tg::kernels::test
