#include "core/dtype.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/values.h"

using namespace tg;
using namespace tg::test;

namespace {

constexpr DType b = DType::boolean, u8 = DType::uint8, i8 = DType::int8, i16 = DType::int16,
                i32 = DType::int32, i64 = DType::int64, f16 = DType::float16,
                bf16 = DType::bfloat16, f32 = DType::float32, f64 = DType::float64;

DType sum_of(const Arg& x, const Arg& y) { return add(x, y).dtype(); }

}  // namespace

TEST_CASE("two tensors with dims promote as PyTorch's do") {
    // Rows and columns: bool, uint8, int8, int16, int32, int64, float16, bfloat16, float32,
    // float64, as torch.promote_types gave them.
    const DType table[dtype_count][dtype_count] = {
        {b, u8, i8, i16, i32, i64, f16, bf16, f32, f64},
        {u8, u8, i16, i16, i32, i64, f16, bf16, f32, f64},
        {i8, i16, i8, i16, i32, i64, f16, bf16, f32, f64},
        {i16, i16, i16, i16, i32, i64, f16, bf16, f32, f64},
        {i32, i32, i32, i32, i32, i64, f16, bf16, f32, f64},
        {i64, i64, i64, i64, i64, i64, f16, bf16, f32, f64},
        {f16, f16, f16, f16, f16, f16, f16, f32, f32, f64},
        {bf16, bf16, bf16, bf16, bf16, bf16, f32, bf16, f32, f64},
        {f32, f32, f32, f32, f32, f32, f32, f32, f32, f64},
        {f64, f64, f64, f64, f64, f64, f64, f64, f64, f64},
    };
    for (int x = 0; x < dtype_count; ++x)
        for (int y = 0; y < dtype_count; ++y) {
            CAPTURE(x);
            CAPTURE(y);
            CHECK(sum_of(ones({2}, {static_cast<DType>(x)}), ones({2}, {static_cast<DType>(y)})) ==
                  table[x][y]);
        }
}

TEST_CASE("a number beside a tensor changes the category of the result, and never its width") {
    CHECK(sum_of(ones({2}, {u8}), 1) == u8);
    CHECK(sum_of(ones({2}, {i8}), true) == i8);
    CHECK(sum_of(ones({2}, {b}), 1) == i64);
    CHECK(sum_of(ones({2}, {b}), true) == b);
    CHECK(sum_of(ones({2}, {i32}), 1.5) == f32);
    CHECK(sum_of(ones({2}, {f64}), 1.5) == f64);
    CHECK(sum_of(ones({2}, {f32}), 1e300) == f32);
    set_default_dtype(f64);
    CHECK(sum_of(ones({2}, {i32}), 1.5) == f64);
    CHECK(sum_of(ones({2}, {f32}), 1.5) == f32);
    set_default_dtype(f32);
}

TEST_CASE("a tensor without dims yields to one with dims of its category, and not to a lower one") {
    CHECK(sum_of(ones({2}, {f32}), ones({}, {f64})) == f32);
    CHECK(sum_of(ones({2}, {i32}), ones({}, {i64})) == i32);
    CHECK(sum_of(ones({2}, {i64}), ones({}, {f32})) == f32);
    CHECK(sum_of(ones({2}, {i64}), ones({}, {f64})) == f64);
    CHECK(sum_of(ones({2}, {b}), ones({}, {u8})) == u8);
    CHECK(sum_of(ones({}, {f32}), ones({}, {f64})) == f64);
    CHECK(sum_of(ones({}, {i32}), 1.0) == f32);
    CHECK(sum_of(ones({}, {f64}), 1) == f64);
}

TEST_CASE("division and exp make integers floating, comparisons make everything bool") {
    CHECK(div(ones({2}, {i64}), 2).dtype() == f32);
    CHECK(numbers(div(tensor(std::vector<std::int64_t>{7, -7}), 2)) == Floats{3.5f, -3.5f});
    CHECK(exp(ones({2}, {b})).dtype() == f32);
    CHECK(exp(ones({2}, {f64})).dtype() == f64);
    CHECK(gt(ones({2}, {u8}), ones({2}, {f64})).dtype() == b);
    CHECK(sum(ones({2}, {b})).dtype() == i64);
    CHECK(sum(ones({2}, {u8})).dtype() == i64);
    CHECK(where(ones({2}, {b}), ones({2}, {i32}), 0.5).dtype() == f32);
}

TEST_CASE("integers wrap around, and floats that become integers are cut and kept in range") {
    CHECK(numbers(add(full({1}, 250, {u8}), 10)) == Floats{4});
    CHECK(numbers(add(full({1}, 120, {i8}), 10)) == Floats{-126});
    CHECK(numbers(cast(tensor(Floats{-1.9f, 300, NAN}), u8)) == Floats{0, 255, 0});
    CHECK(numbers(cast(tensor(Floats{0, -0.5f, NAN}), b)) == Floats{0, 1, 1});
    CHECK(numbers(ne(full({2}, 16777217, {i64}), 16777216)) == Floats{1, 1});
}

TEST_CASE("a number prints as Python prints it") {
    CHECK(text(Scalar(true)) == "True");
    CHECK(text(Scalar(3)) == "3");
    CHECK(text(Scalar(3.0)) == "3.0");
    CHECK(text(Scalar(0.1)) == "0.1");
    CHECK(text(Scalar(-INFINITY)) == "-inf");
    CHECK(text(Scalar(NAN)) == "nan");
}
