#include <doctest/doctest.h>

#include <cmath>

#include "kernels/philox.h"
#include "tests/kernels/cpu/arrays.h"

namespace tg::kernels::test {
namespace {

TEST_CASE("Philox gives the words that its authors publish") {  // Random123, kat_vectors
    const philox::Words zero = philox::words(0, 0);
    CHECK(zero.word[0] == 0x6627e8d5);
    CHECK(zero.word[1] == 0xe169c58d);
    CHECK(zero.word[2] == 0xbc57ac4c);
    CHECK(zero.word[3] == 0x9b00dbd8);
}

template <class T>
void check_stream() {
    on_all_levels([] {
        for (std::uint64_t offset : {0, 1, 2, 3, 1001}) {
            for (std::int64_t n : {0, 1, 5, 511, 513, 40001}) {
                Owned<T> u({n}), g({n});
                cpu::uniform(u.array, 42, offset);
                cpu::normal(g.array, 42, offset);
                int wrong = 0;
                for (std::int64_t i = 0; i < n; ++i) {
                    const std::uint64_t place = offset + static_cast<std::uint64_t>(i);
                    wrong += u[i] != philox::uniform<T>(42, place);
                    wrong += !(std::fabs(g[i] - philox::normal<T>(42, place)) <= 1e-6);
                }
                CHECK_MESSAGE(wrong == 0, "offset ", offset, " n ", n);
            }
        }
    });
}

TEST_CASE("an element depends on the seed and its place alone") {
    check_stream<float>();
    check_stream<double>();
}

TEST_CASE("uniforms lie in [0, 1) and have the moments of uniforms; normals those of normals") {
    const std::int64_t n = 400000;
    Owned<float> u({n}), g({n});
    cpu::uniform(u.array, 7, 0);
    cpu::normal(g.array, 7, 0);
    double mean_u = 0, mean_g = 0, square_g = 0;
    bool inside = true;
    for (std::int64_t i = 0; i < n; ++i) {
        inside = inside && u[i] >= 0 && u[i] < 1;
        mean_u += u[i] / double(n);
        mean_g += g[i] / double(n);
        square_g += double{g[i]} * g[i] / double(n);
    }
    CHECK(inside);
    CHECK(mean_u == doctest::Approx(0.5).epsilon(0.005));
    CHECK(std::fabs(mean_g) < 0.01);
    CHECK(square_g == doctest::Approx(1).epsilon(0.01));
}

TEST_CASE("a transposed output gets the same numbers by row-major place") {
    Owned<float> straight({30, 40}), turned({40, 30});
    cpu::uniform(straight.array, 3, 5);
    cpu::uniform(transposed(turned.array), 3, 5);
    bool same = true;
    for (std::int64_t i = 0; i < 1200; ++i)
        same = same && straight[i] == turned[i % 40 * 30 + i / 40];
    CHECK(same);
}

}  // namespace
}  // namespace tg::kernels::test
