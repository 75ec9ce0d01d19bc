#include <doctest/doctest.h>

#include <string>

#include "tests/kernels/cuda/on_device.h"

namespace tg::kernels::cuda {
namespace {

// The numbers are eighths between -4 and 4, so every sum here is exact in any order.
template <class T>
Numbers<T> sum_on_host(Numbers<T>& in, const Dims& out_shape) {
    Numbers<T> out(out_shape);
    for (std::int64_t i = 0; i < in.count(); ++i) {
        std::int64_t o = 0, rest = i;
        for (std::size_t d = in.shape.size(); d-- > 0; rest /= in.shape[d])
            if (out_shape[d] == in.shape[d]) o += rest % in.shape[d] * out.strides[d];
        out[o] += in[i];
    }
    return out;
}

template <class T>
void check(Sum* kernel, const Dims& shape, const Dims& strides, const Dims& out_shape,
           const Dims& out_strides) {
    Numbers<T> in(shape, strides), out(out_shape, out_strides);
    fill(in, 1);
    fill(out, 2);  // what was there must not matter
    Numbers<T> expected = sum_on_host(in, out_shape);
    const OnDevice on_in(in), on_out(out);
    REQUIRE(kernel(on_out.array, on_in.array));
    REQUIRE(std::string(backend().last_error()) == "");
    on_out.fetch(out);
    std::int64_t wrong = 0;
    for (std::int64_t o = 0; o < out.count(); ++o)
        if (out[o] != expected[o]) ++wrong;
    CHECK(wrong == 0);
}

template <class T>
void check_every_rung(const Dims& shape, const Dims& strides, const Dims& out_shape) {
    for (const auto& rung : sum_rungs_here()) {
        CAPTURE(std::string(rung.name));
        check<T>(rung.run, shape, strides, out_shape, contiguous(out_shape));
        check<T>(rung.run, shape, strides, out_shape, first_dim_fastest(out_shape));
    }
    check<T>(backend().sum, shape, strides, out_shape, contiguous(out_shape));
}

}  // namespace

TEST_CASE_TEMPLATE("a line of any length is summed, around the size of a block", T, float, double,
                   std::int64_t, std::int32_t) {
    for (const std::int64_t n : {0, 1, 2, 3, 63, 64, 65, 255, 256, 257, 1000}) {
        CAPTURE(n);
        check_every_rung<T>({n}, {1}, {1});
        check_every_rung<T>({n}, {3}, {1});
    }
}

TEST_CASE_TEMPLATE("any subset of dims is summed, in any layout", T, float, std::int64_t) {
    const Dims shape = {3, 5, 66};
    for (int subset = 0; subset < 8; ++subset) {
        CAPTURE(subset);
        Dims out_shape = shape;
        for (std::size_t d = 0; d < 3; ++d)
            if (subset >> d & 1) out_shape[d] = 1;
        check_every_rung<T>(shape, contiguous(shape), out_shape);
        check_every_rung<T>(shape, first_dim_fastest(shape), out_shape);
        check_every_rung<T>(shape, {66, 0, 1}, out_shape);
        check_every_rung<T>(shape, {0, 0, 0}, out_shape);
    }
}

TEST_CASE("more outputs than blocks of a grid are all summed") {
    check_every_rung<float>({4100, 3}, {3, 1}, {4100, 1});
    check_every_rung<float>({3, 4100}, {4100, 1}, {1, 4100});
}

TEST_CASE("a sum over nothing is 0, and a sum without outputs does nothing") {
    check_every_rung<float>({3, 0}, {0, 1}, {3, 1});
    check_every_rung<float>({0, 3}, {3, 1}, {0, 1});
    check_every_rung<float>({}, {}, {});
}

TEST_CASE("sums of integers wrap") {
    Numbers<std::int32_t> in({2}), out({1});
    in[0] = 2147483647;
    in[1] = 1;
    const OnDevice on_in(in), on_out(out);
    REQUIRE(backend().sum(on_out.array, on_in.array));
    on_out.fetch(out);
    CHECK(out[0] == -2147483647 - 1);
}

TEST_CASE("a sum of bools is refused: it is cast first") {
    Numbers<bool> in({2}), out({1});
    const OnDevice on_in(in), on_out(out);
    CHECK_FALSE(backend().sum(on_out.array, on_in.array));
}

}  // namespace tg::kernels::cuda
