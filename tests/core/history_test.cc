// Views, in-place writes and detach, with their values stated: on the tape, and the same in a
// trace.
#include "core/history.h"

#include <doctest/doctest.h>

#include <cmath>

#include "graph/compile.h"
#include "tests/values.h"

using namespace tg;
using namespace tg::test;

namespace {

using Tensors = std::vector<Tensor>;

// f's result and the gradient of its sum, from the tape; a compiled f must give the same.
struct Both {
    Floats value, gradient;
};

Both both(const std::function<Tensor(const Tensor&)>& f, const Floats& start) {
    const auto run = [&](const Executor* executor) {
        const Tensor x = leaf(start);
        const Compiled::Function g = [&](const Tensors& in) { return Tensors{f(in[0])}; };
        Compiled compiled("f", g, {.executor = executor ? *executor : Executor::lines});
        const Tensor y = executor ? compiled({x})[0] : g({x})[0];
        const Tensor total = y.sum();
        if (total.requires_grad()) total.backward();
        return Both{numbers(y), x.grad().defined() ? numbers(x.grad()) : Floats{}};
    };
    const Both tape = run(nullptr);
    for (const Executor e : {Executor::lines, Executor::planned, Executor::fused}) {
        const Both program = run(&e);
        CHECK(program.value == tape.value);
        CHECK(program.gradient == tape.gradient);
    }
    return tape;
}

}  // namespace

TEST_CASE("a write through a view is seen by the base, and a write to the base by its views") {
    const Both b = both(
        [](const Tensor& x) {
            Tensor y = x * 1;
            Tensor v = y.slice(0, 0, 2);
            v.mul_(10);
            y.add_(1);
            return v * 1;
        },
        {1, 2, 3});
    CHECK(b.value == Floats{11, 21});
    CHECK(b.gradient == Floats{10, 10, 0});
}

TEST_CASE("a write through a view of a view reaches the base, and its gradient the base's maker") {
    const Both b = both(
        [](const Tensor& x) {
            Tensor y = x.reshape({2, 3}) * 1;
            Tensor cell = y.t()[1][0];
            cell.mul_(5);
            return y;
        },
        {1, 2, 3, 4, 5, 6});
    CHECK(b.value == Floats{1, 10, 3, 4, 5, 6});
    CHECK(b.gradient == Floats{1, 5, 1, 1, 1, 1});
}

TEST_CASE("a row of a transposed tensor is a view: what is written into it is not lost") {
    const Both b = both(
        [](const Tensor& x) {
            Tensor base = x.reshape({2, 2}) * 1;
            Tensor turned = base.t();
            Tensor row = turned[0];
            row.fill_(7);
            return base;
        },
        {1, 2, 3, 4});
    CHECK(b.value == Floats{7, 2, 7, 4});
    CHECK(b.gradient == Floats{0, 1, 0, 1});
}

TEST_CASE("reshape may copy: what is written into the copy does not reach the base") {
    Tensor base = tensor({{1, 2}, {3, 4}});
    Tensor copy = base.t().reshape({4});
    copy.fill_(0);
    CHECK(numbers(base) == Floats{1, 2, 3, 4});
    Tensor same = base.reshape({4});
    same.fill_(0);
    CHECK(numbers(base) == Floats{0, 0, 0, 0});
    CHECK(error_of([&] { view(base.t(), {4}); }).find("use reshape(), which copies") !=
          std::string::npos);
}

TEST_CASE("the gradient of an op in place needs what was there, and has it") {
    const Both b = both(
        [](const Tensor& x) {
            Tensor y = x * 1;
            y.mul_(x);  // x^2
            Tensor v = y.slice(0, 0, 2);
            in_place(v, sin, "sin_");
            return y * 1;
        },
        {1, 2, 3});
    CHECK(b.value[2] == 9);
    CHECK(b.gradient[0] == doctest::Approx(2 * std::cos(1.0)));
    CHECK(b.gradient[1] == doctest::Approx(4 * std::cos(4.0)));
    CHECK(b.gradient[2] == 6);
}

TEST_CASE("what a write overwrites gets no gradient, and what is written gets its own") {
    const Both b = both(
        [](const Tensor& x) {
            Tensor y = x * 3;
            Tensor part = y.slice(0, 1, 3);
            part.copy_(x[0] * 2);
            return y;
        },
        {1, 2, 3});
    CHECK(b.value == Floats{3, 2, 2});
    CHECK(b.gradient == Floats{7, 0, 0});
}

TEST_CASE("a source that overlaps its target is read before it is written") {
    const Both b = both(
        [](const Tensor& x) {
            Tensor y = x * 1;
            Tensor later = y.slice(0, 1, 4);
            later.copy_(y.slice(0, 0, 3));
            return y;
        },
        {1, 2, 3, 4});
    CHECK(b.value == Floats{1, 1, 2, 3});
    CHECK(b.gradient == Floats{2, 1, 1, 0});
}

TEST_CASE("a detached alias shares bytes, and what it writes has no gradient") {
    const Both b = both(
        [](const Tensor& x) {
            Tensor y = x * 2;
            Tensor d = y.detach();
            d.mul_(10);
            return y * 1;
        },
        {1, 2});
    CHECK(b.value == Floats{20, 40});
    CHECK(b.gradient == Floats{2, 2});
}

TEST_CASE("a write under no_grad changes the numbers and leaves the gradient's path") {
    const Both b = both(
        [](const Tensor& x) {
            Tensor y = x * 2;
            {
                const NoGrad mode;
                y.add_(100);
            }
            return y + 1;
        },
        {1, 2});
    CHECK(b.value == Floats{103, 105});
    CHECK(b.gradient == Floats{2, 2});
}

TEST_CASE("an expanded tensor is not written: one element has several indices") {
    Tensor x = ones({3}).expand({2, 3});
    CHECK(error_of([&] { x.add_(1); })
              .find("): (2, 3) with strides (0, 1) has several indices for one element (it was "
                    "expanded); clone() it first") != std::string::npos);
}

TEST_CASE("a leaf that requires a gradient is not written in place, nor is a view of it") {
    Tensor w = leaf({1, 2});
    CHECK(error_of([&] {
              w.mul_(2);
          }).find("this leaf that requires a gradient would be changed in place") !=
          std::string::npos);
    Tensor v = w[0];
    CHECK(error_of([&] { v.mul_(2); }).find("this is a view of a leaf that requires a gradient") !=
          std::string::npos);
    Compiled f("f", [](const Tensors& x) {
        Tensor part = x[0];
        part.mul_(2);
        return Tensors{};
    });
    CHECK(error_of([&] { f({v}); }).find("this is a view of a leaf that requires a gradient") !=
          std::string::npos);
    CHECK(numbers(w) == Floats{1, 2});
}

TEST_CASE("each write counts once in the storage's version, which all of its tensors show") {
    Tensor x = tensor(Floats{1, 2, 3});
    Tensor v = x[0];
    const Tensor d = x.detach();
    v.add_(1);
    x.mul_(2);
    CHECK(x.version() == 2);
    CHECK(v.version() == 2);
    CHECK(d.version() == 2);
    CHECK(x.clone().version() == 0);
}

TEST_CASE("bytes that somebody else holds are written in place and never swapped for others") {
    std::vector<float> bytes(100, 1);
    const auto kept = allocator::statistics().kept;
    tensor_of(borrow(bytes.data(), 100, DType::float32, nullptr), Layout::contiguous({100}));
    CHECK(allocator::statistics().kept == kept);  // it was not given to the allocator
    const Tensor x =
        tensor_of(borrow(bytes.data(), 100, DType::float32, nullptr), Layout::contiguous({100}));
    Tensor y = x;
    y.mul_(3);
    CHECK(x.data() == bytes.data());
    CHECK(bytes[0] == 3);
    CHECK(bytes[99] == 3);
    Compiled f("f", [](const Tensors& in) {
        Tensor t = in[0];
        t.add_(1);
        return Tensors{};
    });
    f({x});
    CHECK(x.data() == bytes.data());
    CHECK(bytes[50] == 4);
}

TEST_CASE("a value of a higher category, or of a shape that does not fit, is not written") {
    Tensor n = ones({2}, {DType::int64});
    CHECK(error_of([&] {
              n.add_(0.5);
          }).find("): the result is float32 and cannot be kept in a tensor of int64") !=
          std::string::npos);
    Tensor x = ones({2});
    CHECK(error_of([&] {
              x.add_(ones({3, 2}));
          }).find("): the result has shape (3, 2)") != std::string::npos);
    CHECK(error_of([&] { x.copy_(ones({3})); }).find("copy_") == 0);
    n.copy_(2.9);
    CHECK(numbers(n) == Floats{2, 2});
}
