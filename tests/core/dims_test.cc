#include "core/dims.h"

#include <doctest/doctest.h>

#include <limits>

#include "tests/values.h"

using namespace tg;
using namespace tg::test;

TEST_CASE("a shape prints as a tuple, and an unknown dim as a question mark") {
    CHECK(text(Dims{}) == "()");
    CHECK(text(Dims{5}) == "(5,)");
    CHECK(text(Dims{32, 10}) == "(32, 10)");
    CHECK(text(Dims{new_unknown(), 3}) == "(?, 3)");
}

TEST_CASE("sizes that overflow are an error, unless a dim is 0") {
    const std::int64_t big = std::int64_t{1} << 32;
    CHECK(error_of([&] {
              (void)element_count({big, big});
          }) == "shape: (4294967296, 4294967296) has more elements than an int64 counts");
    CHECK(element_count({big, big, 0}) == 0);
    CHECK(element_count({}) == 1);
    CHECK(error_of([&] {
              zeros({big, big});
          }).find("more elements than an int64 counts") != std::string::npos);
    CHECK(error_of([&] {
              empty({big, std::int64_t{1} << 30});
          }) == "shape: (4294967296, 1073741824) of float32 has more bytes than an int64 counts");
    CHECK(error_of([&] {
              empty({std::int64_t{1} << 50});
          }).find("out of memory: on cpu, 4503599627370496 bytes were asked for") == 0);
    CHECK(error_of([&] { empty({2, -1}); }) == "a shape with the negative size -1: (2, -1)");
    CHECK(error_of([&] {
              ones({1}).expand({big, big}).sum();
          }).find("more elements than an int64 counts") != std::string::npos);
}

TEST_CASE("a tensor has at most so many dims") {
    Tensor x = ones({});
    for (int d = 0; d < max_dims; ++d) x = x.unsqueeze(0);
    CHECK(x.dims() == max_dims);
    CHECK(error_of([&] { x.unsqueeze(0); }).find("): a tensor has at most 8 dims") !=
          std::string::npos);
}

TEST_CASE("shapes broadcast from the right, where sizes are equal or 1") {
    CHECK(broadcast("add", {2, 3}, {3}) == Dims{2, 3});
    CHECK(broadcast("add", {2, 1}, {1, 4}) == Dims{2, 4});
    CHECK(broadcast("add", {}, {5}) == Dims{5});
    CHECK(broadcast("add", {0, 3}, {1, 3}) == Dims{0, 3});
    CHECK(error_of([] { broadcast("add", {0}, {2}); }) ==
          "add: shapes (0,) and (2,) do not broadcast: dim -1 is 0 and 2; make them equal, or one "
          "of them 1");
    const std::int64_t n = new_unknown();
    CHECK(broadcast("add", {n, 3}, {1, 3}) == Dims{n, 3});
    CHECK(broadcast("add", {n}, {4}) == Dims{4});
    CHECK(broadcast("add", {n}, {n}) == Dims{n});
}

TEST_CASE("a negative dim counts from the back") {
    CHECK(wrap_dim("sum", -1, 3) == 2);
    CHECK(wrap_dim("sum", 0, 0) == 0);
    CHECK(error_of([] { wrap_dim("sum", 3, 3); }) ==
          "sum: dim 3 is outside -3..2 of a tensor with 3 dims");
    CHECK(error_of([] { wrap_dim("sum", 1, 0); }) ==
          "sum: dim 1 is outside -1..0 of a tensor with 0 dims");
    CHECK(error_of([] {
              wrap_dim("sum", std::numeric_limits<std::int64_t>::min(), 2);
          }).find("sum: dim -9223372036854775808") == 0);
}

TEST_CASE("a layout is contiguous whatever the strides of dims of size 1, and if it is empty") {
    CHECK(Layout::contiguous({2, 3}).strides == Dims{3, 1});
    CHECK(Layout{{2, 1, 3}, {3, 99, 1}, 0}.is_contiguous());
    CHECK(Layout{{2, 0}, {7, 7}, 0}.is_contiguous());
    CHECK_FALSE(Layout{{2, 3}, {1, 2}, 0}.is_contiguous());
    CHECK_FALSE(Layout{{2}, {2}, 0}.is_contiguous());
}

TEST_CASE("a layout overlaps where two indices name one element") {
    CHECK_FALSE(Layout{{2, 3}, {3, 1}, 0}.overlaps());
    CHECK_FALSE(Layout{{3, 2}, {1, 3}, 0}.overlaps());
    CHECK_FALSE(Layout{{2, 2}, {6, 2}, 1}.overlaps());
    CHECK(Layout{{2, 3}, {0, 1}, 0}.overlaps());
    CHECK(Layout{{2, 3}, {1, 1}, 0}.overlaps());
    CHECK(Layout{{3, 3}, {2, 1}, 0}.overlaps());
    CHECK_FALSE(Layout{{1, 3}, {0, 1}, 0}.overlaps());
    CHECK_FALSE(Layout{{0, 3}, {0, 0}, 0}.overlaps());
    CHECK_FALSE(Layout{{}, {}, 0}.overlaps());
}

TEST_CASE("reshape of a strided tensor is a view exactly where its runs allow one") {
    Tensor x = zeros({2, 3, 4});
    const auto shares = [&](const Tensor& a, const Dims& shape) {
        return reshape(a, shape).handle().storage == a.handle().storage;
    };
    CHECK(shares(x.permute({1, 0, 2}), {3, 2, 2, 2}));
    CHECK_FALSE(shares(x.permute({1, 0, 2}), {6, 4}));
    CHECK(shares(x.permute({2, 0, 1}), {4, 6}));
    CHECK(shares(x.slice(1, 0, 2), {2, 8}));
    CHECK_FALSE(shares(x.slice(1, 0, 2), {16}));
    CHECK(shares(x.slice(2, 0, 4, 2), {6, 2}));
    CHECK(shares(ones({3, 1}).expand({3, 4}), {3, 2, 2}));
    CHECK_FALSE(shares(ones({3, 1}).expand({3, 4}), {12}));
    CHECK(shares(zeros({0, 3}).t(), {0}));
}
