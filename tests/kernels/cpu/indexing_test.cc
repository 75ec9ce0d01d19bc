#include <doctest/doctest.h>

#include "tests/kernels/cpu/arrays.h"

namespace tg::kernels::test {
namespace {

// An index (rows,) that is repeated along the columns of a (rows, columns) array.
Array rows_index(Owned<std::int64_t>& index, std::int64_t columns) {
    Array a = describe(index.array.data, DType::int64, {index.size(), columns});
    a.strides[0] = 1;
    a.strides[1] = 0;
    return a;
}

TEST_CASE("gather picks rows, as an embedding does, and single elements") {
    Owned<float> table({5, 3}), out({4, 3}), picked({4, 1});
    table.randomize(1);
    Owned<std::int64_t> index({4});
    index[0] = 4, index[1] = 0, index[2] = 4, index[3] = 2;
    REQUIRE_FALSE(cpu::gather(out.array, table.array, rows_index(index, 3), 0));
    for (std::int64_t i = 0; i < 12; ++i) CHECK(out[i] == table[index[i / 3] * 3 + i % 3]);
    const Array one = describe(index.array.data, DType::int64, {4, 1});
    index[0] = 2, index[1] = 0, index[2] = 1, index[3] = 2;
    Owned<float> first({4, 3});
    first.randomize(2);
    REQUIRE_FALSE(cpu::gather(picked.array, first.array, one, 1));
    for (std::int64_t i = 0; i < 4; ++i) CHECK(picked[i] == first[i * 3 + index[i]]);
}

TEST_CASE("gather from a transposed array into a transposed one") {
    Owned<std::int32_t> in({3, 4}), out({3, 2});
    in.randomize(3);
    Owned<std::int64_t> index({2, 3});
    for (std::int64_t i = 0; i < 6; ++i) index[i] = (i * 3) % 4;
    REQUIRE_FALSE(cpu::gather(transposed(out.array), transposed(in.array), index.array, 0));
    for (std::int64_t i = 0; i < 2; ++i)
        for (std::int64_t j = 0; j < 3; ++j) CHECK(out[j * 2 + i] == in[j * 4 + index[i * 3 + j]]);
}

TEST_CASE("an index outside is refused and nothing is written") {
    Owned<float> table({5, 3}), out({2, 3});
    table.randomize(1);
    Owned<std::int64_t> index({2});
    for (std::int64_t bad : {-1, 5}) {
        index[1] = bad;
        cpu::fill(out.array, 7.0);
        CHECK(cpu::gather(out.array, table.array, rows_index(index, 3), 0) == bad);
        CHECK(out[0] == 7);
        CHECK(cpu::scatter_add(table.array, rows_index(index, 3), out.array, 0) == bad);
        CHECK(cpu::scatter(table.array, rows_index(index, 3), out.array, 0) == bad);
    }
    Owned<std::int64_t> none({0});
    Owned<float> nothing({0, 3});
    CHECK_FALSE(cpu::gather(nothing.array, table.array, rows_index(none, 3), 0));
}

TEST_CASE("scatter_add adds all that go to the same place") {
    Owned<double> out({3, 2}), src({4, 2});
    for (std::int64_t i = 0; i < 8; ++i) src[i] = static_cast<double>(i);
    Owned<std::int64_t> index({4});
    index[0] = 1, index[1] = 1, index[2] = 0, index[3] = 1;
    REQUIRE_FALSE(cpu::scatter_add(out.array, rows_index(index, 2), src.array, 0));
    const double want[] = {4, 5, 0 + 2 + 6, 1 + 3 + 7, 0, 0};
    for (std::int64_t i = 0; i < 6; ++i) CHECK(out[i] == want[i]);
}

TEST_CASE("add_to sums into an output that overlaps itself") {
    Owned<std::int64_t> total({3}), src({4, 3}), whole({4, 3});
    src.randomize(5);
    Array repeated = describe(total.array.data, DType::int64, {4, 3});
    repeated.strides[0] = 0;
    cpu::add_to(repeated, src.array);
    for (std::int64_t j = 0; j < 3; ++j)
        CHECK(total[j] == src[j] + src[3 + j] + src[6 + j] + src[9 + j]);
    cpu::add_to(whole.array, src.array);
    cpu::add_to(whole.array, src.array);
    CHECK(whole[11] == 2 * src[11]);
}

TEST_CASE("scatter stores, and of several in one place the last") {
    Owned<float> out({4}), src({3});
    src[0] = 1, src[1] = 2, src[2] = 3;
    Owned<std::int64_t> index({3});
    index[0] = 2, index[1] = 0, index[2] = 2;
    REQUIRE_FALSE(cpu::scatter(out.array, index.array, src.array, 0));
    CHECK(out[0] == 2);
    CHECK(out[2] == 3);
}

TEST_CASE("rows are found by a number that counts over several dims") {
    Owned<float> in({2, 3, 4}), out({5, 3});
    for (std::int64_t i = 0; i < 24; ++i) in[i] = static_cast<float>(i);
    Owned<std::int64_t> index({5});
    index[0] = 0, index[1] = 7, index[2] = -1, index[3] = 4, index[4] = 3;
    const std::int64_t apart[] = {0, 2};
    REQUIRE_FALSE(cpu::index_rows(out.array, in.array, index.array, {apart, true}));
    for (std::int64_t k = 0; k < 5; ++k)
        for (std::int64_t j = 0; j < 3; ++j) {
            const std::int64_t i = index[k] < 0 ? index[k] + 8 : index[k];
            CHECK(out[k * 3 + j] == in[i / 4 * 12 + j * 4 + i % 4]);
        }
    CHECK(cpu::index_rows(out.array, in.array, index.array, {apart, false}) == -1);
    index[3] = 8;
    CHECK(cpu::index_rows(out.array, in.array, index.array, {apart, true}) == 8);
}

TEST_CASE("rows are stored or added in order, or none if one is outside") {
    Owned<double> table({3, 2}), src({4, 2});
    for (std::int64_t i = 0; i < 8; ++i) src[i] = static_cast<double>(i);
    Owned<std::int64_t> index({4});
    index[0] = 1, index[1] = -2, index[2] = 0, index[3] = 1;
    const std::int64_t rows[] = {0};
    REQUIRE_FALSE(cpu::put_rows(table.array, index.array, src.array, {rows, true}, true));
    const double sums[] = {4, 5, 0 + 2 + 6, 1 + 3 + 7, 0, 0};
    for (std::int64_t i = 0; i < 6; ++i) CHECK(table[i] == sums[i]);
    REQUIRE_FALSE(cpu::put_rows(table.array, index.array, src.array, {rows, true}, false));
    const double last[] = {4, 5, 6, 7, 0, 0};
    for (std::int64_t i = 0; i < 6; ++i) CHECK(table[i] == last[i]);
    index[3] = 3;
    CHECK(cpu::put_rows(table.array, index.array, src.array, {rows, true}, true) == 3);
    CHECK(table[0] == 4);
}

TEST_CASE("sums into rows are the same bits with one thread and with two") {
    Owned<float> one({7, 64}), two({7, 64}), src({3000, 64});
    src.randomize(3);
    Owned<std::int64_t> index({3000});
    for (std::int64_t i = 0; i < 3000; ++i) index[i] = i * i % 7;
    const std::int64_t rows[] = {0};
    const int before = num_threads();
    set_num_threads(1);
    cpu::put_rows(one.array, index.array, src.array, {rows, true}, true);
    set_num_threads(2);
    cpu::put_rows(two.array, index.array, src.array, {rows, true}, true);
    set_num_threads(before);
    for (std::int64_t i = 0; i < 7 * 64; ++i) CHECK(one[i] == two[i]);
}

TEST_CASE("the indices of several dims become one") {
    Owned<std::int64_t> out({2}), index({2});
    index[0] = 1, index[1] = -1;
    REQUIRE_FALSE(cpu::add_position(out.array, index.array, 2));
    REQUIRE_FALSE(cpu::add_position(out.array, index.array, 5));
    CHECK(out[0] == 6);
    CHECK(out[1] == 9);
    index[1] = 3;
    CHECK(cpu::add_position(out.array, index.array, 3) == 3);
}

}  // namespace
}  // namespace tg::kernels::test
