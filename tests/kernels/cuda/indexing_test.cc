// Reads, writes and searches by index on the device, against the CPU's kernels of the same names.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "kernels/cpu/cpu.h"
#include "tests/kernels/cuda/on_device.h"

namespace tg::kernels::cuda {
namespace {

using Index = Numbers<std::int64_t>;

// Indices in [0, size), or from -size on, of which some come twice; `most` different ones.
void fill_index(Index& index, std::int64_t size, std::int64_t most, bool wraps) {
    for (std::int64_t i = 0; i < index.stored; ++i) {
        const std::int64_t k = i * 7919 % 104729 % std::min(size, most);
        index.data[static_cast<std::size_t>(i)] = wraps && i % 3 == 0 ? k - size : k;
    }
}

// Values whose sums depend on the order.
template <class T>
void fill_uneven(Numbers<T>& x, std::uint64_t seed) {
    fill(x, seed);
    if constexpr (std::is_floating_point_v<T>)
        for (std::int64_t i = 0; i < x.stored; ++i)
            x.data[static_cast<std::size_t>(i)] /= static_cast<T>(3 + i % 7);
}

template <class T>
bool nearly_same(const Numbers<T>& x, const Numbers<T>& y) {
    for (std::int64_t i = 0; i < x.stored; ++i) {
        const auto k = static_cast<std::size_t>(i);
        const double a = static_cast<double>(x.data[k]), b = static_cast<double>(y.data[k]);
        if (std::abs(a - b) > 1e-4 * (1 + std::abs(b))) return false;
    }
    return true;
}

bool is_atomic(const char* name) { return std::string(name) == "atomics"; }

// ---- along a dim --------------------------------------------------------------------------------
struct Case {
    Dims x, x_strides, index, index_strides;
    int dim;
};

std::vector<Case> cases() {
    std::vector<Case> all;
    for (const std::int64_t n : {0, 1, 2, 8, 9, 31, 257, 600})
        all.push_back({{40}, {1}, {n}, {1}, 0});
    for (int dim = 0; dim < 3; ++dim) {
        all.push_back({{5, 6, 7}, {42, 7, 1}, {5, 6, 7}, {42, 7, 1}, dim});
        all.push_back({{5, 6, 7}, {1, 5, 30}, {3, 4, 5}, {1, 3, 12}, dim});
        all.push_back({{5, 6, 7}, {42, 7, 1}, {4, 5, 6}, {0, 0, 1}, dim});
        all.push_back({{5, 6, 7}, {84, 14, 2}, {5, 1, 7}, {7, 7, 1}, dim == 1 ? 0 : dim});
    }
    all.push_back({{2, 300}, {300, 1}, {2, 100}, {100, 1}, 1});
    return all;
}

template <class T>
void check_gather(const Case& c) {
    Numbers<T> in(c.x, c.x_strides), out(c.index);
    Index index(c.index, c.index_strides);
    fill(in, 1);
    fill_index(index, c.x[static_cast<std::size_t>(c.dim)], 1000, false);
    const OnDevice on_in(in), on_out(out);
    const OnDevice on_index(index);
    Outside outside;
    REQUIRE(backend().gather(on_out.array, on_in.array, on_index.array, c.dim, outside));
    REQUIRE(std::string(backend().last_error()) == "");
    CHECK_FALSE(outside);
    Numbers<T> expected(c.index);
    cpu::gather(on_host(expected), on_host(in), on_host(index), c.dim);
    on_out.fetch(out);
    CHECK(same_memory(out, expected));
}

template <class T>
void check_scatter(Scatter* kernel, const Case& c, bool adds, bool any_order = false) {
    for (const std::int64_t most : {1, 3, 1000}) {
        Numbers<T> out(c.x, c.x_strides), src(c.index);
        Index index(c.index, c.index_strides);
        fill_uneven(out, 1);
        fill_uneven(src, 2);
        fill_index(index, c.x[static_cast<std::size_t>(c.dim)], most, false);
        Numbers<T> expected = copied(out);
        const OnDevice on_out(out), on_src(src);
        const OnDevice on_index(index);
        Outside outside;
        REQUIRE(kernel(on_out.array, on_index.array, on_src.array, c.dim, outside));
        REQUIRE(std::string(backend().last_error()) == "");
        CHECK_FALSE(outside);
        (adds ? cpu::scatter_add : cpu::scatter)(on_host(expected), on_host(index), on_host(src),
                                                 c.dim);
        on_out.fetch(out);
        const bool same = any_order ? nearly_same(out, expected) : same_memory(out, expected);
        CHECK(same);
    }
}

// ---- rows ---------------------------------------------------------------------------------------
struct RowsCase {
    Dims x, x_strides, dims, index, index_strides;
};

std::vector<RowsCase> rows_cases() {
    return {
        {{10, 33}, {33, 1}, {0}, {25}, {1}},
        {{10, 32}, {32, 1}, {0}, {5, 5}, {5, 1}},
        {{10, 33}, {1, 10}, {0}, {0}, {1}},
        {{10, 0}, {1, 1}, {0}, {5}, {1}},
        {{10}, {3}, {0}, {300}, {2}},
        {{4, 5, 6}, {30, 6, 1}, {1}, {7, 2}, {1, 7}},
        {{4, 5, 6}, {30, 6, 1}, {0, 1}, {9}, {1}},
        {{4, 5, 6}, {1, 4, 20}, {1, 2}, {3, 4}, {4, 1}},
        {{4, 5, 6}, {30, 6, 1}, {0, 2}, {3, 4}, {0, 1}},
        {{4, 5, 6}, {30, 6, 1}, {0, 1, 2}, {200}, {1}},
        {{4, 5, 6}, {30, 6, 1}, {2}, {}, {}},
    };
}

Dims shape_of_rows(const RowsCase& c) {
    Dims shape;
    for (std::size_t d = 0; d < c.x.size(); ++d)
        if (std::find(c.dims.begin(), c.dims.end(), static_cast<std::int64_t>(d)) == c.dims.end())
            shape.push_back(c.x[d]);
    shape.insert(shape.begin() + place_of(c.dims), c.index.begin(), c.index.end());
    return shape;
}

std::int64_t count_of_rows(const RowsCase& c) {
    std::int64_t n = 1;
    for (const std::int64_t d : c.dims) n *= c.x[static_cast<std::size_t>(d)];
    return n;
}

template <class T>
void check_index_rows(IndexRows* kernel, const RowsCase& c, bool wraps) {
    const Dims shape = shape_of_rows(c);
    Numbers<T> in(c.x, c.x_strides), out(shape);
    Index index(c.index, c.index_strides);
    fill(in, 1);
    fill_index(index, count_of_rows(c), 1000, wraps);
    const OnDevice on_in(in), on_out(out);
    const OnDevice on_index(index);
    const Rows rows = {c.dims, wraps};
    Outside outside;
    REQUIRE(kernel(on_out.array, on_in.array, on_index.array, rows, outside));
    REQUIRE(std::string(backend().last_error()) == "");
    CHECK_FALSE(outside);
    Numbers<T> expected(shape);
    cpu::index_rows(on_host(expected), on_host(in), on_host(index), rows);
    on_out.fetch(out);
    CHECK(same_memory(out, expected));
}

template <class T>
void check_put_rows(PutRows* kernel, const RowsCase& c, const Dims& src_strides, bool adds,
                    bool any_order = false) {
    for (const std::int64_t most : {1, 3, 1000}) {
        Numbers<T> out(c.x, c.x_strides), src(shape_of_rows(c), src_strides);
        Index index(c.index, c.index_strides);
        fill_uneven(out, 1);
        fill_uneven(src, 2);
        fill_index(index, count_of_rows(c), most, true);
        Numbers<T> expected = copied(out);
        const OnDevice on_out(out), on_src(src);
        const OnDevice on_index(index);
        const Rows rows = {c.dims, true};
        Outside outside;
        REQUIRE(kernel(on_out.array, on_index.array, on_src.array, rows, adds, outside));
        REQUIRE(std::string(backend().last_error()) == "");
        CHECK_FALSE(outside);
        cpu::put_rows(on_host(expected), on_host(index), on_host(src), rows, adds);
        on_out.fetch(out);
        const bool same = any_order ? nearly_same(out, expected) : same_memory(out, expected);
        CHECK(same);
    }
}

template <class T>
void check_every_put(const RowsCase& c) {
    const Dims shape = shape_of_rows(c);
    for (const Dims& strides : {contiguous(shape), Dims(shape.size(), 0)}) {
        for (const auto& rung : put_rows_rungs_here()) {
            CAPTURE(std::string(rung.name));
            if (!is_atomic(rung.name)) {
                check_put_rows<T>(rung.run, c, strides, false);
                check_put_rows<T>(rung.run, c, strides, true);
            } else if (sizeof(T) >= 4) {
                check_put_rows<T>(rung.run, c, strides, true, std::is_floating_point_v<T>);
            }
        }
        check_put_rows<T>(backend().put_rows, c, strides, false);
        check_put_rows<T>(backend().put_rows, c, strides, true);
    }
}

// ---- searches -----------------------------------------------------------------------------------
template <class T>
void check_search(SearchSorted* kernel, const Numbers<T>& sorted, const Numbers<T>& values,
                  bool must_run) {
    for (const bool right : {false, true}) {
        Index out(values.shape), expected(values.shape);
        const OnDevice on_sorted(sorted), on_values(values);
        const OnDevice on_out(out);
        const bool ran = kernel(on_out.array, on_sorted.array, on_values.array, right);
        REQUIRE((ran || !must_run));
        REQUIRE(std::string(backend().last_error()) == "");
        if (!ran) return;
        cpu::searchsorted(on_host(expected), on_host(sorted), on_host(values), right);
        on_out.fetch(out);
        CHECK(same_memory(out, expected));
    }
}

template <class T>
void check_every_search(const Dims& sorted_shape, const Dims& sorted_strides, const Dims& shape,
                        const Dims& strides) {
    Numbers<T> sorted(sorted_shape, sorted_strides), values(shape, strides);
    fill(values, 3);
    const std::int64_t n = sorted_shape.back();
    for (std::int64_t i = 0; i < sorted.count(); ++i)  // each line ascends
        sorted[i] = static_cast<T>(-4 + 8.0 * static_cast<double>(i % n) / static_cast<double>(n));
    if constexpr (std::is_floating_point_v<T>)
        if (values.count() > 2 && n > 2) {
            values[0] = std::numeric_limits<T>::quiet_NaN();
            values[1] = std::numeric_limits<T>::infinity();
            for (std::int64_t i = n - 1; i < sorted.count(); i += n)
                sorted[i] = std::numeric_limits<T>::quiet_NaN();
        }
    for (const auto& rung : searchsorted_rungs_here()) {
        CAPTURE(std::string(rung.name));
        check_search<T>(rung.run, sorted, values, std::string(rung.name) == "values");
    }
    check_search<T>(backend().searchsorted, sorted, values, true);
}

}  // namespace

TEST_CASE_TEMPLATE("elements of every size are gathered", T, std::uint8_t, std::int16_t, float,
                   double) {
    for (const Case& c : cases()) {
        CAPTURE(c.x);
        CAPTURE(c.index);
        CAPTURE(c.dim);
        check_gather<T>(c);
    }
}

TEST_CASE_TEMPLATE("of several stored in one place the last stays, by every rung", T, std::uint8_t,
                   std::int16_t, float, double) {
    for (const Case& c : cases()) {
        CAPTURE(c.index);
        CAPTURE(c.dim);
        for (const auto& rung : scatter_rungs_here()) {
            CAPTURE(std::string(rung.name));
            check_scatter<T>(rung.run, c, false);
        }
        check_scatter<T>(backend().scatter, c, false);
    }
}

TEST_CASE_TEMPLATE("all that goes to one place is added, in the CPU's order", T, bool, std::uint8_t,
                   std::int32_t, std::int64_t, float, double) {
    for (const Case& c : cases()) {
        CAPTURE(c.index);
        CAPTURE(c.dim);
        for (const auto& rung : scatter_add_rungs_here()) {
            CAPTURE(std::string(rung.name));
            if (!is_atomic(rung.name))
                check_scatter<T>(rung.run, c, true);
            else if (sizeof(T) >= 4)
                check_scatter<T>(rung.run, c, true, std::is_floating_point_v<T>);
        }
        check_scatter<T>(backend().scatter_add, c, true);
    }
}

TEST_CASE_TEMPLATE("rows are read by every rung", T, std::uint8_t, float, double) {
    for (const RowsCase& c : rows_cases())
        for (const bool wraps : {false, true}) {
            CAPTURE(c.x);
            CAPTURE(c.dims);
            for (const auto& rung : index_rows_rungs_here()) {
                CAPTURE(std::string(rung.name));
                check_index_rows<T>(rung.run, c, wraps);
            }
            check_index_rows<T>(backend().index_rows, c, wraps);
        }
}

TEST_CASE_TEMPLATE("rows are written and added by every rung, from rows and from one number", T,
                   bool, std::int16_t, std::int32_t, float, double) {
    for (const RowsCase& c : rows_cases()) {
        CAPTURE(c.x);
        CAPTURE(c.dims);
        check_every_put<T>(c);
    }
}

TEST_CASE("more keys than a block sorts are in order") {
    for (const std::int64_t n : {1023, 1024, 1025, 2048, 5000}) {
        CAPTURE(n);
        const Case c = {{300}, {1}, {n}, {1}, 0};
        for (const auto& rung : scatter_add_rungs_here())
            if (std::string(rung.name) == "sorted") check_scatter<float>(rung.run, c, true);
    }
}

TEST_CASE("the first index outside is told, and nothing is written") {
    Numbers<float> x({5, 6}), other({4, 6});
    fill(x, 1);
    fill(other, 2);
    for (const std::int64_t bad : {5, 100, -1, -6}) {
        Index index({4, 6}, {1, 4}), line({4});
        index[8] = bad;
        index[20] = 1000;
        line[1] = bad;
        line[2] = 1000;
        const bool wraps = bad != -1;  // -1 is a row where the index wraps
        const OnDevice on_x(x), on_other(other);
        const OnDevice on_index(index), on_line(line);
        const std::int64_t first[] = {0};
        const Rows rows = {first, wraps};
        const Backend& device = backend();
        Outside outside;
        const auto told = [&](bool done) {
            CHECK(done);
            REQUIRE(outside);
            CHECK(*outside == bad);
            Numbers<float> now = copied(x);
            on_x.fetch(now);
            CHECK(same_memory(now, x));
            on_other.fetch(now = copied(other));
            CHECK(same_memory(now, other));
            outside.reset();
        };
        told(device.gather(on_other.array, on_x.array, on_index.array, 0, outside));
        told(device.scatter(on_x.array, on_index.array, on_other.array, 0, outside));
        told(device.scatter_add(on_x.array, on_index.array, on_other.array, 0, outside));
        told(device.index_rows(on_other.array, on_x.array, on_line.array, rows, outside));
        told(device.put_rows(on_x.array, on_line.array, on_other.array, rows, false, outside));
        told(device.put_rows(on_x.array, on_line.array, on_other.array, rows, true, outside));
        if (bad == -1) continue;
        Index position({4});
        const OnDevice on_position(position);
        told(device.add_position(on_position.array, on_line.array, 5, outside));
    }
}

TEST_CASE("an index of none names nothing outside of a dim of none") {
    Numbers<float> x({0, 3}), out({0, 3});
    Index index({0});
    const OnDevice on_x(x), on_out(out);
    const OnDevice on_index(index);
    const std::int64_t first[] = {0};
    Outside outside;
    CHECK(backend().index_rows(on_out.array, on_x.array, on_index.array, {first, true}, outside));
    CHECK_FALSE(outside);
}

TEST_CASE("the indices of several dims become one") {
    Index out({3, 50}), a({3, 50}, {1, 3}), b({3, 50}, {0, 1});
    fill_index(a, 7, 1000, true);
    fill_index(b, 90, 1000, true);
    Index expected = copied(out);
    const OnDevice on_out(out), on_a(a), on_b(b);
    Outside outside;
    REQUIRE(backend().add_position(on_out.array, on_a.array, 7, outside));
    REQUIRE(backend().add_position(on_out.array, on_b.array, 90, outside));
    cpu::add_position(on_host(expected), on_host(a), 7);
    cpu::add_position(on_host(expected), on_host(b), 90);
    on_out.fetch(out);
    CHECK(same_memory(out, expected));
}

TEST_CASE_TEMPLATE("values are found in sorted lines of any length, by every rung", T, bool,
                   std::uint8_t, std::int32_t, std::int64_t, float, double) {
    for (const std::int64_t n : {0, 1, 2, 3, 255, 256, 257, 1000})
        for (const std::int64_t m : {0, 1, 300}) check_every_search<T>({n}, {1}, {m}, {1});
    check_every_search<T>({400}, {2}, {20, 30}, {1, 20});
    check_every_search<T>({400}, {1}, {}, {});
    check_every_search<T>({3, 50}, {50, 1}, {3, 40}, {40, 1});
    check_every_search<T>({3, 50}, {1, 3}, {3, 40}, {1, 3});
}

TEST_CASE("a line that is not sorted is searched in the same steps as on the CPU") {
    Numbers<float> line({1000}), values({600});
    fill(line, 1);
    fill(values, 2);
    for (const auto& rung : searchsorted_rungs_here()) check_search(rung.run, line, values, true);
}

}  // namespace tg::kernels::cuda
