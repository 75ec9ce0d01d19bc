#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <map>

#include "tests/kernels/cpu/arrays.h"

namespace tg::kernels::test {
namespace {

// The sum as cpu.h defines it: 16 lanes in blocks of 1024, then trees.
float tree(std::vector<float> x) {
    while (x.size() > 1) {
        std::vector<float> half;
        for (std::size_t i = 0; i + 1 < x.size(); i += 2) half.push_back(x[i] + x[i + 1]);
        if (x.size() % 2 == 1) half.push_back(x.back());
        x = half;
    }
    return x.empty() ? 0 : x[0];
}

float defined_sum(const std::vector<float>& x) {
    std::vector<float> blocks;
    for (std::size_t begin = 0; begin < x.size(); begin += 1024) {
        float lane[16] = {};
        for (std::size_t r = begin; r < std::min(x.size(), begin + 1024); ++r) lane[r % 16] += x[r];
        for (int half = 8; half > 0; half /= 2)
            for (int l = 0; l < half; ++l) lane[l] += lane[l + half];
        blocks.push_back(lane[0]);
    }
    return tree(blocks);
}

TEST_CASE("a sum has the bits that its definition says, for every level, threads and strides") {
    on_all_levels([] {
        for (std::int64_t n : {0, 1, 15, 16, 17, 1023, 1024, 1025, 5000, 70000}) {
            for (std::int64_t m : {1, 3, 129}) {
                if (n * m > 300000) continue;
                Owned<float> rows({m, n}), columns({n, m}), out({m, 1});
                rows.randomize(5);
                for (std::int64_t i = 0; i < m; ++i)
                    for (std::int64_t r = 0; r < n; ++r) columns[r * m + i] = rows[i * n + r];
                for (bool by_columns : {false, true}) {
                    cpu::sum(out.array, by_columns ? transposed(columns.array) : rows.array);
                    int wrong = 0;
                    for (std::int64_t i = 0; i < m; ++i) {
                        const float* row = &rows[i * n];
                        wrong += out[i] != defined_sum({row, row + n});
                    }
                    CHECK_MESSAGE(wrong == 0, cpu::level(), " ", m, " x ", n, " ", by_columns);
                }
            }
        }
    });
}

TEST_CASE("any subset of dims can be summed") {
    on_all_levels([] {
        Owned<std::int32_t> x({3, 4, 5, 6});
        x.randomize(6);
        for (int subset = 0; subset < 16; ++subset) {
            std::int64_t shape[4];
            for (int d = 0; d < 4; ++d) shape[d] = (subset >> d & 1) != 0 ? 1 : x.array.shape[d];
            Owned<std::int64_t> out({shape[0], shape[1], shape[2], shape[3]});
            cpu::sum(out.array, x.array);
            std::map<std::int64_t, std::int64_t> want;
            for (std::int64_t i = 0; i < x.size(); ++i) {
                std::int64_t place = 0, rest = i, step = 1;
                for (int d = 3; d >= 0; --d) {
                    place += rest % x.array.shape[d] % shape[d] * step;
                    rest /= x.array.shape[d];
                    step *= shape[d];
                }
                want[place] += x[i];
            }
            int wrong = 0;
            for (std::int64_t i = 0; i < out.size(); ++i) wrong += out[i] != want[i];
            CHECK_MESSAGE(wrong == 0, "subset ", subset);
        }
    });
}

TEST_CASE("integers are summed in int64, and bools are counted") {
    Owned<std::int8_t> x({300});
    Owned<bool> b({300});
    for (std::int64_t i = 0; i < 300; ++i) x[i] = 127, b[i] = i % 3 == 0;
    Owned<std::int64_t> out({1});
    cpu::sum(out.array, x.array);
    CHECK(out[0] == 300 * 127);
    cpu::sum(out.array, b.array);
    CHECK(out[0] == 100);
}

TEST_CASE("a sum of sixteen million tenths keeps its digits") {
    Owned<float> x({1 << 24}), out({1});
    cpu::fill(x.array, 0.1);
    cpu::sum(out.array, x.array);
    CHECK(out[0] == doctest::Approx(0.1 * (1 << 24)).epsilon(1e-6));
}

TEST_CASE("amax finds the largest, and NaN wins") {
    on_all_levels([] {
        Owned<float> x({7, 1500}), rows({7, 1}), columns({1, 1500});
        x.randomize(7);
        x[3 * 1500 + 1499] = NAN;
        cpu::amax(rows.array, x.array);
        cpu::amax(columns.array, x.array);
        CHECK(rows[0] == *std::max_element(&x[0], &x[0] + 1500));
        CHECK(std::isnan(rows[3]));
        CHECK(std::isnan(columns[1499]));
        float largest = x[5];
        for (std::int64_t i = 0; i < 7; ++i) largest = std::max(largest, x[i * 1500 + 5]);
        CHECK(columns[5] == largest);
        Owned<std::int8_t> negative({3}), most({1});
        negative[0] = -5, negative[1] = -128, negative[2] = -7;
        cpu::amax(most.array, negative.array);
        CHECK(most[0] == -5);
    });
}

TEST_CASE("argmax gives the first of equals, and NaN wins") {
    Owned<float> x({2, 4});
    const float values[] = {1, 3, 3, 2, 5, NAN, 9, NAN};
    std::copy(values, values + 8, x.values.begin());
    Owned<std::int64_t> rows({2, 1}), columns({1, 4});
    cpu::argmax(rows.array, x.array, 1);
    CHECK(rows[0] == 1);
    CHECK(rows[1] == 1);
    cpu::argmax(columns.array, x.array, 0);
    CHECK(columns[0] == 1);
    CHECK(columns[1] == 1);
    CHECK(columns[2] == 1);
}

}  // namespace
}  // namespace tg::kernels::test
