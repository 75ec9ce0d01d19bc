#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "kernels/math.h"
#include "tests/kernels/cpu/arrays.h"

namespace tg::kernels::test {
namespace {

template <class F>
void run(const Array& out, std::initializer_list<Array> in) {
    cpu::elementwise(formula::id<F>, out, {in.begin(), in.size()});
}

TEST_CASE("add is right for every size around a tile, on every level") {
    on_all_levels([] {
        for (std::int64_t n : {0, 1, 3, 15, 16, 17, 511, 512, 513, 32767, 32768, 32769, 100000}) {
            Owned<float> a({n}), b({n}), c({n});
            a.randomize(1), b.randomize(2);
            run<formula::Add>(c.array, {a.array, b.array});
            bool right = true;
            for (std::int64_t i = 0; i < n; ++i) right = right && c[i] == a[i] + b[i];
            CHECK_MESSAGE(right, cpu::level(), " n = ", n);
        }
    });
}

TEST_CASE("operands may be transposed, sliced or repeated, and so may the output") {
    on_all_levels([] {
        for (std::int64_t m : {1, 2, 33, 200}) {
            for (std::int64_t n : {1, 5, 32, 257}) {
                Owned<double> a({n, m}), wide({m, 2 * n}), row({n}), c({n, m});
                a.randomize(1), wide.randomize(2), row.randomize(3);
                Array sliced = describe(wide.array.data, DType::float64, {m, n});
                sliced.strides[0] = 2 * n;
                sliced.strides[1] = 2;
                Array repeated_row = describe(row.array.data, DType::float64, {m, n});
                repeated_row.strides[0] = 0;
                const Array out = transposed(c.array);
                run<formula::Mul>(out, {transposed(a.array), sliced});
                run<formula::Sub>(out, {out, repeated_row});
                bool right = true;
                for (std::int64_t i = 0; i < m; ++i)
                    for (std::int64_t j = 0; j < n; ++j)
                        right = right &&
                                c[j * m + i] == a[j * m + i] * wide[i * 2 * n + 2 * j] - row[j];
                CHECK_MESSAGE(right, cpu::level(), " ", m, " x ", n);
            }
        }
    });
}

// Every formula that T has, elementwise against the formula itself, for all steps.
template <class T, class F>
void check_formula() {
    if constexpr (formula::defined<F, T>) {
        constexpr std::int64_t n = 1037;
        Owned<T> x({n}), y({n});
        Owned<bool> condition({n});
        x.randomize(1), y.randomize(2), condition.randomize(3);
        using R = std::conditional_t<F::compares, bool, T>;
        Owned<R> out({n});
        for (int steps = 0; steps < 1 << F::inputs; ++steps) {
            Array in[] = {x.array, y.array, y.array};
            if constexpr (F::selects) in[0] = condition.array, in[1] = x.array;
            for (int i = 0; i < F::inputs; ++i) in[i].strides[0] = steps >> i & 1;
            cpu::elementwise(formula::id<F>, out.array, {in, F::inputs});
            int wrong = 0;
            for (std::int64_t i = 0; i < n; ++i) {
                const auto at = [&](int k) { return i * in[k].strides[0]; };
                R want;
                if constexpr (F::selects)
                    want = F::of(condition[at(0)], x[at(1)], y[at(2)]);
                else if constexpr (F::inputs == 2)
                    want = F::of(x[at(0)], y[at(1)]);
                else
                    want = F::of(x[at(0)]);
                wrong += !(out[i] == want || (want != want && out[i] != out[i]));
            }
            CHECK_MESSAGE(wrong == 0, F::name, " of dtype ", int(dtype_of<T>), " steps ", steps,
                          " on ", cpu::level());
        }
    } else {
        const bool none = cpu::block(formula::id<F>, dtype_of<T>) == nullptr;
        CHECK_MESSAGE(none, F::name);
    }
}

template <class T, class... F>
void check_formulas(formula::List<F...>) {
    (check_formula<T, F>(), ...);
}

TEST_CASE("every formula runs for every dtype that it is defined for, with the same bits") {
    on_all_levels([] {
        check_formulas<bool>(formula::All{});
        check_formulas<std::uint8_t>(formula::All{});
        check_formulas<std::int8_t>(formula::All{});
        check_formulas<std::int32_t>(formula::All{});
        check_formulas<std::int64_t>(formula::All{});
        check_formulas<float>(formula::All{});
        check_formulas<double>(formula::All{});
    });
}

template <class From, class To>
void check_cast(std::initializer_list<From> from, std::initializer_list<To> want) {
    const auto n = static_cast<std::int64_t>(from.size());
    Owned<From> x({n});
    Owned<To> y({n});
    std::copy(from.begin(), from.end(), x.values.begin());
    cpu::cast(y.array, x.array);
    for (std::int64_t i = 0; i < n; ++i) CHECK(y[i] == want.begin()[i]);
}

TEST_CASE("casts truncate, saturate, and make NaN 0 or true") {
    const float nan = std::numeric_limits<float>::quiet_NaN(), inf = 1 / 0.0f;
    on_all_levels([&] {
        check_cast<float, std::int32_t>({1.9f, -1.9f, 3e9f, -3e9f, nan, inf, -inf, -0.5f},
                                        {1, -1, INT32_MAX, INT32_MIN, 0, INT32_MAX, INT32_MIN, 0});
        check_cast<double, std::int32_t>({2147483647.5, 2147483648.0, -2147483648.9},
                                         {INT32_MAX, INT32_MAX, INT32_MIN});
        check_cast<double, std::int64_t>({1e300, -1e300, double{nan}, 4503599627370497.0},
                                         {INT64_MAX, INT64_MIN, 0, 4503599627370497});
        check_cast<float, std::int64_t>({1e30f, -0x1p63f, 7.5f}, {INT64_MAX, INT64_MIN, 7});
        check_cast<float, std::uint8_t>({255.9f, 256, -1, 200, -0.5f}, {255, 255, 0, 200, 0});
        check_cast<float, std::int8_t>({127.5f, -128.5f, -129, 128}, {127, -128, -128, 127});
        check_cast<float, bool>({0, -0.0f, 1e-45f, nan}, {false, false, true, true});
        check_cast<std::int64_t, std::int8_t>({257, -129}, {1, 127});
        check_cast<bool, double>({true, false}, {1, 0});
    });
}

TEST_CASE("fill and arange write through any strides") {
    Owned<std::int64_t> a({3, 4});
    Array column = describe(a.array.data, DType::int64, {3});
    column.strides[0] = 4;
    cpu::fill(a.array, std::int64_t{INT64_MAX});
    cpu::arange(column);
    CHECK(a[0] == 0);
    CHECK(a[4] == 1);
    CHECK(a[8] == 2);
    CHECK(a[1] == INT64_MAX);
    Owned<bool> b({3});
    cpu::fill(b.array, 0.5);
    CHECK(b[2]);
}

TEST_CASE("copy transposes") {
    on_all_levels([] {
        Owned<std::int32_t> a({70, 130}), b({130, 70});
        cpu::copy(b.array, transposed(a.randomize(4).array));
        bool right = true;
        for (std::int64_t i = 0; i < a.size(); ++i)
            right = right && b[i] == a[i % 70 * 130 + i / 70];
        CHECK(right);
    });
}

TEST_CASE("copy turns three dims around, in every order") {
    Owned<float> a({20, 33, 70}), b({20 * 33 * 70});
    a.randomize(9);
    const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (const auto& order : orders) {
        Array from = a.array;
        for (int d = 0; d < 3; ++d) {
            from.shape[d] = a.array.shape[order[d]];
            from.strides[d] = a.array.strides[order[d]];
        }
        const Array to =
            describe(b.array.data, DType::float32, {from.shape[0], from.shape[1], from.shape[2]});
        cpu::copy(to, from);
        int wrong = 0;
        for (std::int64_t i = 0; i < b.size(); ++i) wrong += b[i] != element<float>(from, i);
        CHECK(wrong == 0);
    }
}

TEST_CASE("an unknown level is refused, and those that run can be set") {
    CHECK_FALSE(cpu::set_level("v99"));
    REQUIRE(cpu::levels().size() >= 1);
    for (const char* name : cpu::levels()) {
        CHECK(cpu::set_level(name));
        CHECK(std::string(cpu::level()) == name);
    }
    CHECK(cpu::set_level(cpu::levels()[0]));
}

}  // namespace
}  // namespace tg::kernels::test
