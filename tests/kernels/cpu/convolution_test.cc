#include "kernels/cpu/convolution.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "tests/kernels/cpu/arrays.h"

namespace tg::kernels::test {
namespace {

struct Case {
    std::int64_t images, channels, outs, height, width, tap_rows,
        tap_columns;  // channels: a group's
    cpu::Windows windows;

    std::int64_t count(int d) const {
        const std::int64_t size = d == 0 ? height : width, taps = d == 0 ? tap_rows : tap_columns;
        return (size + 2 * windows.padding[d] - windows.dilation[d] * (taps - 1) - 1) /
                   windows.stride[d] +
               1;
    }
};

// Tiles of one piece of a row, of rows, of a whole image, and of several.
const Case cases[] = {
    {3, 2, 4, 6, 6, 3, 3, {.padding = {1, 1}}},
    {1, 1, 1, 1, 1, 1, 1, {}},
    {2, 1, 3, 7, 5, 2, 3, {.stride = {2, 1}, .padding = {0, 2}, .dilation = {1, 2}}},
    {2, 2, 4, 9, 8, 3, 2, {.stride = {3, 2}, .padding = {2, 1}, .dilation = {2, 3}, .groups = 2}},
    {1, 2, 2, 40, 40, 3, 3, {.padding = {1, 1}}},
    {2, 1, 2, 2, 600, 1, 5, {.padding = {0, 2}}},
    {40, 3, 2, 5, 5, 3, 3, {.padding = {1, 1}}},
    {2, 1, 2, 2, 2, 5, 5, {.padding = {3, 3}}},
};

template <class T>
struct Operands {
    Owned<T> x, w, y;
    explicit Operands(const Case& c)
        : x({c.images, c.windows.groups * c.channels, c.height, c.width}),
          w({c.outs, c.channels, c.tap_rows, c.tap_columns}),
          y({c.images, c.outs, c.count(0), c.count(1)}) {
        x.randomize(1);
        w.randomize(2);
        y.randomize(3);
    }
};

// each(x, w, y) for every term of T(x, w, y): where its three numbers lie.
template <class Each>
void terms(const Case& c, const Each& each) {
    const cpu::Windows& v = c.windows;
    const std::int64_t in = v.groups * c.channels, rows = c.count(0), columns = c.count(1);
    for (std::int64_t n = 0; n < c.images; ++n)
        for (std::int64_t o = 0; o < c.outs; ++o)
            for (std::int64_t p = 0; p < rows * columns; ++p)
                for (std::int64_t t = 0; t < c.channels * c.tap_rows * c.tap_columns; ++t) {
                    const std::int64_t b = t % c.tap_columns, a = t / c.tap_columns % c.tap_rows;
                    const std::int64_t channel =
                        o / (c.outs / v.groups) * c.channels + t / c.tap_columns / c.tap_rows;
                    const std::int64_t row =
                        p / columns * v.stride[0] + a * v.dilation[0] - v.padding[0];
                    const std::int64_t column =
                        p % columns * v.stride[1] + b * v.dilation[1] - v.padding[1];
                    if (row < 0 || row >= c.height || column < 0 || column >= c.width) continue;
                    each(((n * in + channel) * c.height + row) * c.width + column,
                         o * c.channels * c.tap_rows * c.tap_columns + t,
                         (n * c.outs + o) * rows * columns + p);
                }
}

template <class T>
void check_near(Owned<T>& got, Owned<T>& want) {
    for (std::int64_t i = 0; i < want.size(); ++i)
        CHECK(std::abs(static_cast<double>(got[i] - want[i])) <= 1e-10);
}

TEST_CASE("the kernels of a convolution are the derivatives of one sum of triple products") {
    for (const Case& c : cases) {
        Operands<double> at(c), got(c), want(c);
        for (Owned<double>* o : {&want.x, &want.w, &want.y})
            for (std::int64_t i = 0; i < o->size(); ++i) (*o)[i] = 0;
        terms(c, [&](std::int64_t x, std::int64_t w, std::int64_t y) {
            want.y[y] += at.x[x] * at.w[w];
            want.x[x] += at.y[y] * at.w[w];
            want.w[w] += at.y[y] * at.x[x];
        });
        cpu::convolution(got.y.array, at.x.array, at.w.array, c.windows);
        cpu::convolution_input(got.x.array, at.w.array, at.y.array, c.windows);
        cpu::convolution_weight(got.w.array, at.x.array, at.y.array, c.windows);
        check_near(got.y, want.y);
        check_near(got.x, want.x);
        check_near(got.w, want.w);
    }
}

TEST_CASE("integers are convolved too, and wrap around") {
    const Case c{1, 1, 1, 3, 3, 2, 2, {}};
    Operands<std::int32_t> at(c);
    for (std::int64_t i = 0; i < 9; ++i) at.x[i] = static_cast<std::int32_t>(i);
    for (std::int64_t i = 0; i < 4; ++i) at.w[i] = 1 << 30;
    cpu::convolution(at.y.array, at.x.array, at.w.array, c.windows);
    CHECK(at.y[0] == 0);  // (0 + 1 + 3 + 4) 2^30 = 2^33
    CHECK(at.y[1] == 0);  // 12
    at.w[0] = 0;
    cpu::convolution(at.y.array, at.x.array, at.w.array, c.windows);
    CHECK(at.y[1] == -(1 << 30));  // (2 + 4 + 5) 2^30
}

TEST_CASE("strides and threads change no bit of a convolution") {
    for (const Case& c : cases) {
        Operands<float> at(c), wanted(c);
        on_all_levels([&] {
            if (num_threads() == 1) {
                cpu::convolution(wanted.y.array, at.x.array, at.w.array, c.windows);
                cpu::convolution_input(wanted.x.array, at.w.array, at.y.array, c.windows);
                cpu::convolution_weight(wanted.w.array, at.x.array, at.y.array, c.windows);
            }
            // the same numbers, with dims swapped in memory
            Owned<float> x({c.images, at.x.array.shape[1], c.width, c.height});
            Owned<float> w({c.channels, c.outs, c.tap_rows, c.tap_columns});
            Owned<float> y({c.outs, c.images, c.count(0), c.count(1)});
            const Array x_turned = transposed(x.array, 2, 3), w_turned = transposed(w.array);
            const Array y_turned = transposed(y.array);
            cpu::copy(x_turned, at.x.array);
            cpu::copy(w_turned, at.w.array);
            cpu::copy(y_turned, at.y.array);
            Operands<float> got(c);
            cpu::convolution(got.y.array, x_turned, w_turned, c.windows);
            cpu::convolution_input(got.x.array, w_turned, y_turned, c.windows);
            cpu::convolution_weight(got.w.array, x_turned, y_turned, c.windows);
            const auto same = [](Owned<float>& a, Owned<float>& b) {
                return std::memcmp(&a[0], &b[0], static_cast<std::size_t>(a.size()) * 4) == 0;
            };
            CHECK(same(got.y, wanted.y));
            CHECK(same(got.x, wanted.x));
            CHECK(same(got.w, wanted.w));
        });
    }
}

TEST_CASE("of no images come no pixels, and gradients of zeros") {
    Owned<float> x({0, 2, 4, 4}), w({3, 2, 3, 3}), y({0, 3, 2, 2});
    w.randomize(1);
    cpu::convolution(y.array, x.array, w.array, {});
    cpu::convolution_input(x.array, w.array, y.array, {});
    cpu::convolution_weight(w.array, x.array, y.array, {});
    for (std::int64_t i = 0; i < w.size(); ++i) CHECK(w[i] == 0);
}

}  // namespace
}  // namespace tg::kernels::test
