// Copies, casts, fills and sums into repeated places, each against the CPU's kernel of that name.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "kernels/cpu/cpu.h"
#include "tests/kernels/cuda/on_device.h"

namespace tg::kernels::cuda {
namespace {

struct Layouts {
    std::string what;
    Dims shape, out, in;
};

std::vector<Layouts> layouts() {
    std::vector<Layouts> all;
    for (const std::int64_t n : {0, 1, 3, 15, 16, 17, 255, 256, 257, 1100})
        all.push_back({"contiguous", {n}, {1}, {1}});
    all.push_back({"a scalar", {}, {}, {}});
    all.push_back({"with gaps", {40}, {2}, {3}});
    all.push_back({"one number repeated", {3, 5}, {5, 1}, {0, 0}});
    all.push_back({"a row repeated", {7, 40}, {40, 1}, {0, 1}});
    all.push_back({"a column repeated", {7, 40}, {40, 1}, {1, 0}});
    all.push_back({"both transposed", {40, 33}, {1, 40}, {1, 40}});
    for (const std::int64_t n : {1, 15, 16, 31, 32, 33, 70}) {
        all.push_back({"in transposed", {n, 33}, {33, 1}, {1, n}});
        all.push_back({"out transposed", {n, 33}, {1, n}, {33, 1}});
    }
    all.push_back({"wide rows", {33, 40}, {50, 1}, {1, 60}});
    all.push_back({"batched", {3, 33, 20}, {660, 20, 1}, {660, 1, 33}});
    all.push_back({"a batch with gaps", {3, 33, 20}, {660, 20, 1}, {700, 1, 33}});
    all.push_back({"permuted", {20, 3, 40}, {120, 40, 1}, {1, 800, 20}});
    all.push_back({"a batch without a tile", {300, 2, 2}, {4, 2, 1}, {4, 1, 2}});
    all.push_back({"many tiles", {70, 64, 65}, {4160, 65, 1}, {1, 4550, 70}});
    all.push_back({"an empty dim", {3, 0, 4}, {0, 4, 1}, {1, 3, 3}});
    return all;
}

template <class T>
void check_copy(Copy* kernel, const Layouts& layout, bool must_run) {
    Numbers<T> out(layout.shape, layout.out), in(layout.shape, layout.in);
    fill(out, 1);
    fill(in, 2);
    const OnDevice on_out(out), on_in(in);
    const bool ran = kernel(on_out.array, on_in.array);
    REQUIRE((ran || !must_run));
    REQUIRE(std::string(backend().last_error()) == "");
    Numbers<T> expected = copied(out);
    if (ran) cpu::copy(on_host(expected), on_host(in));
    on_out.fetch(out);
    CHECK(same_memory(out, expected));  // a refusal has written nothing
}

template <class To, class From>
void check_cast(Cast* kernel, const Layouts& layout, bool must_run) {
    Numbers<To> out(layout.shape, layout.out);
    Numbers<From> in(layout.shape, layout.in);
    fill(out, 1);
    fill(in, 2);
    if constexpr (std::is_floating_point_v<From>) {
        const From hard[] = {std::numeric_limits<From>::infinity(),
                             std::numeric_limits<From>::quiet_NaN(),
                             From(-1e30),
                             From(2147483648.0),
                             From(300.5),
                             From(-0.9)};
        for (std::int64_t i = 0; i < std::min<std::int64_t>(in.count(), 6); ++i) in[i] = hard[i];
    }
    const OnDevice on_out(out);
    const OnDevice on_in(in);
    const bool ran = kernel(on_out.array, on_in.array);
    REQUIRE((ran || !must_run));
    REQUIRE(std::string(backend().last_error()) == "");
    Numbers<To> expected = copied(out);
    if (ran) cpu::cast(on_host(expected), on_host(in));
    on_out.fetch(out);
    CHECK(same_memory(out, expected));
}

template <class To>
void check_casts_to(Cast* kernel, const Layouts& layout, bool must_run) {
    check_cast<To, bool>(kernel, layout, must_run);
    check_cast<To, std::uint8_t>(kernel, layout, must_run);
    check_cast<To, std::int8_t>(kernel, layout, must_run);
    check_cast<To, std::int16_t>(kernel, layout, must_run);
    check_cast<To, std::int32_t>(kernel, layout, must_run);
    check_cast<To, std::int64_t>(kernel, layout, must_run);
    check_cast<To, formula::Float16>(kernel, layout, must_run);
    check_cast<To, formula::BFloat16>(kernel, layout, must_run);
    check_cast<To, float>(kernel, layout, must_run);
    check_cast<To, double>(kernel, layout, must_run);
}

template <class T>
void check_fill(Fill* kernel, const Layouts& layout, bool must_run) {
    Numbers<T> out(layout.shape, layout.out);
    fill(out, 1);
    const T value = static_cast<T>(77);
    const OnDevice on_out(out);
    const bool ran = kernel(on_out.array, &value);
    REQUIRE((ran || !must_run));
    REQUIRE(std::string(backend().last_error()) == "");
    Numbers<T> expected = copied(out);
    for (std::int64_t i = 0; ran && i < out.count(); ++i) expected[i] = value;
    on_out.fetch(out);
    CHECK(same_memory(out, expected));
}

template <class T>
void check_add_to(const Dims& shape, const Dims& out_strides, const Dims& src_strides) {
    Numbers<T> out(shape, out_strides), src(shape, src_strides);
    fill(out, 1);
    fill(src, 2);
    if constexpr (std::is_floating_point_v<T>)  // sums that depend on their order
        for (std::int64_t i = 0; i < src.stored; ++i)
            src.data[static_cast<std::size_t>(i)] /= static_cast<T>(3 + i % 7);
    Numbers<T> expected = copied(out);
    const OnDevice on_out(out), on_src(src);
    REQUIRE(backend().add_to(on_out.array, on_src.array));
    REQUIRE(std::string(backend().last_error()) == "");
    cpu::add_to(on_host(expected), on_host(src));
    on_out.fetch(out);
    CHECK(same_memory(out, expected));
}

}  // namespace

TEST_CASE_TEMPLATE("elements of every size are copied in every layout, by every rung", T,
                   std::uint8_t, std::int16_t, float, double) {
    for (const Layouts& layout : layouts()) {
        CAPTURE(layout.what);
        CAPTURE(layout.shape);
        for (const auto& rung : copy_rungs_here()) {
            CAPTURE(std::string(rung.name));
            check_copy<T>(rung.run, layout, std::string(rung.name) == "strided");
        }
        check_copy<T>(backend().copy, layout, true);
    }
}

TEST_CASE("words take whole lines, and tiles what is transposed") {
    const auto takes = [](std::string_view name, const Dims& shape, const Dims& in_strides) {
        Numbers<float> out(shape), in(shape, in_strides);
        const OnDevice on_out(out), on_in(in);
        for (const auto& rung : copy_rungs_here())
            if (rung.name == name) return rung.run(on_out.array, on_in.array);
        return false;
    };
    CHECK(takes("words", {40, 33}, {33, 1}));
    CHECK_FALSE(takes("words", {40, 33}, {34, 1}));
    CHECK(takes("tiles", {40, 33}, {1, 40}));
    CHECK(takes("tiles", {3, 40, 33}, {1320, 1, 40}));
    CHECK_FALSE(takes("tiles", {40, 33}, {34, 1}));
    CHECK_FALSE(takes("tiles", {40, 33}, {2, 80}));
}

TEST_CASE("a block takes one tile after another where there are more tiles than blocks") {
    const Layouts layout = {"5000 tiles", {5000, 2, 2}, {4, 2, 1}, {4, 1, 2}};
    for (const auto& rung : copy_rungs_here())
        if (std::string_view(rung.name) == "tiles") check_copy<float>(rung.run, layout, true);
}

TEST_CASE("a copy of other bytes than whole words leaves its neighbours alone") {
    Numbers<std::uint8_t> out({100}), in({100});
    fill(out, 1);
    fill(in, 2);
    for (const std::int64_t start : {0, 1, 16, 17})
        for (const std::int64_t n : {1, 15, 16, 31, 47}) {
            const OnDevice on_out(out), on_in(in);
            Numbers<std::uint8_t> expected = copied(out);
            Array to = on_out.array, from = on_in.array;
            to.data = static_cast<char*>(to.data) + start;
            from.data = static_cast<char*>(from.data) + start;
            to.shape[0] = from.shape[0] = n;
            REQUIRE(backend().copy(to, from));
            for (std::int64_t i = 0; i < n; ++i) expected[start + i] = in[start + i];
            Numbers<std::uint8_t> got({100});
            on_out.fetch(got);
            CHECK(same_memory(got, expected));
        }
}

TEST_CASE("a copy between dtypes is refused: that is a cast") {
    Numbers<float> out({2});
    Numbers<std::int32_t> in({2});
    const OnDevice on_out(out);
    const OnDevice on_in(in);
    CHECK_FALSE(backend().copy(on_out.array, on_in.array));
}

TEST_CASE("dims are turned round, one, some and all") {
    const std::vector<std::pair<Dims, Dims>> cases = {
        {{5, 7, 66}, contiguous({5, 7, 66})},
        {{40, 35, 2}, first_dim_fastest({40, 35, 2})},
        {{3, 4, 5}, {0, 5, 1}},
        {{2, 0, 3}, {3, 3, 1}},
        {{1, 1, 1}, {1, 1, 1}},
    };
    for (const auto& [shape, strides] : cases)
        for (int subset = 0; subset < 8; ++subset) {
            bool flipped[max_dims] = {};
            for (int d = 0; d < 3; ++d) flipped[d] = (subset >> d & 1) != 0;
            Numbers<float> out(shape), in(shape, strides);
            fill(in, 2);
            const OnDevice on_out(out), on_in(in);
            REQUIRE(backend().flip(on_out.array, on_in.array, flipped));
            REQUIRE(std::string(backend().last_error()) == "");
            Numbers<float> expected = copied(out);
            cpu::flip(on_host(expected), on_host(in), flipped);
            on_out.fetch(out);
            CHECK(same_memory(out, expected));
        }
}

TEST_CASE_TEMPLATE("every dtype is cast to every other, as on the CPU", To, bool, std::uint8_t,
                   std::int8_t, std::int16_t, std::int32_t, std::int64_t, formula::Float16,
                   formula::BFloat16, float, double) {
    const std::vector<Layouts> some = {{"contiguous", {257}, {1}, {1}},
                                       {"a scalar", {}, {}, {}},
                                       {"empty", {0}, {1}, {1}},
                                       {"in transposed", {17, 9}, {9, 1}, {1, 17}},
                                       {"a row repeated", {7, 40}, {40, 1}, {0, 1}}};
    for (const Layouts& layout : some) {
        CAPTURE(layout.what);
        for (const auto& rung : cast_rungs_here()) {
            CAPTURE(std::string(rung.name));
            check_casts_to<To>(rung.run, layout, std::string(rung.name) == "strided");
        }
        check_casts_to<To>(backend().cast, layout, true);
    }
}

TEST_CASE_TEMPLATE("every element is filled, in every layout, by every rung", T, bool, std::int16_t,
                   float, std::int64_t) {
    for (const Layouts& layout : layouts()) {
        CAPTURE(layout.what);
        for (const auto& rung : fill_rungs_here()) {
            CAPTURE(std::string(rung.name));
            check_fill<T>(rung.run, layout, std::string(rung.name) == "elements");
        }
        check_fill<T>(backend().fill, layout, true);
    }
}

TEST_CASE_TEMPLATE("arange counts in every dtype", T, std::uint8_t, std::int8_t, std::int16_t,
                   std::int32_t, std::int64_t, float, double) {
    for (const std::int64_t n : {0, 1, 256, 300})
        for (const std::int64_t step : {1, 3}) {
            Numbers<T> out({n}, {step});
            fill(out, 1);
            Numbers<T> expected = copied(out);
            const OnDevice on_out(out);
            REQUIRE(backend().arange(on_out.array));
            cpu::arange(on_host(expected));
            on_out.fetch(out);
            CHECK(same_memory(out, expected));
        }
}

TEST_CASE_TEMPLATE("what is added to one place several times is added in the CPU's order", T, bool,
                   std::uint8_t, std::int32_t, float, double) {
    check_add_to<T>({300}, {1}, {1});
    check_add_to<T>({}, {}, {});
    check_add_to<T>({300}, {0}, {2});
    check_add_to<T>({7, 300}, {0, 1}, {300, 1});
    check_add_to<T>({300, 7}, {1, 0}, {1, 300});
    check_add_to<T>({3, 5, 4, 6}, {0, 6, 0, 1}, {120, 24, 6, 1});
    check_add_to<T>({5, 4}, {1, 5}, {0, 0});
    check_add_to<T>({5, 0}, {0, 1}, {0, 1});
}

TEST_CASE("windows that overlap are left to the CPU") {
    Numbers<float> out({5, 3}, {1, 1}), src({5, 3});
    const OnDevice on_out(out), on_src(src);
    CHECK_FALSE(backend().add_to(on_out.array, on_src.array));
}

}  // namespace tg::kernels::cuda
