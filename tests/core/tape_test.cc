#include <doctest/doctest.h>

#include "core/backward.h"
#include "core/history.h"
#include "core/ops.h"

using namespace tg;

namespace {

float number(const Tensor& t) { return t.item<float>(); }

std::vector<float> numbers(const Tensor& t) {
    std::vector<float> out;
    const Tensor flat = reshape(t.detach(), {-1});
    for (std::int64_t i = 0; i < flat.numel(); ++i) out.push_back(number(flat[i]));
    return out;
}

Tensor leaf(std::vector<float> values) {
    Tensor t = tensor(values);
    t.requires_grad_();
    return t;
}

using Floats = std::vector<float>;

}  // namespace

TEST_CASE("a diamond sums both paths before it hands its gradient on") {
    Tensor a = scalar_tensor(1.0, {.requires_grad = true});
    const Tensor b = a + a;
    const Tensor c = b + b;
    c.backward();
    CHECK(number(a.grad()) == 4);
}

TEST_CASE("the gradient of a broadcast operand is summed back to its shape") {
    Tensor b = leaf({1, 2, 3});
    const Tensor x = ones({4, 3});
    (x * b).sum().backward();
    CHECK(numbers(b.grad()) == Floats{4, 4, 4});
}

TEST_CASE("the product rule, twice") {
    Tensor x = scalar_tensor(3.0, {.requires_grad = true});
    const Tensor y = x * x * x;
    const Tensor outputs[] = {y};
    const Tensor inputs[] = {x};
    const Tensor first = grad(outputs, inputs, {}, {.create_graph = true})[0];
    CHECK(number(first) == 27);
    const Tensor again[] = {first};
    CHECK(number(grad(again, inputs)[0]) == 18);
}

TEST_CASE("gradients accumulate over two backwards") {
    Tensor w = leaf({2});
    (w * 3).sum().backward();
    (w * 4).sum().backward();
    CHECK(numbers(w.grad()) == Floats{7});
}

TEST_CASE("a second backward over a freed tape says what to do") {
    Tensor w = leaf({2});
    const Tensor y = (w * w).sum();
    y.backward();
    CHECK_THROWS_AS(y.backward(), Error);
}

TEST_CASE("writing through a view changes the base, and its gradient") {
    Tensor x = leaf({1, 2, 3});
    Tensor y = x * 2;
    Tensor v = y[0];
    v.mul_(10);
    CHECK(numbers(y) == Floats{20, 4, 6});
    y.sum().backward();
    CHECK(numbers(x.grad()) == Floats{20, 2, 2});
}

TEST_CASE("a view taken before a write to its base sees the write") {
    Tensor x = leaf({1, 2});
    Tensor y = x * 3;
    const Tensor v = y[1];
    y.mul_(y.detach().clone());
    CHECK(number(v) == 36);
    v.backward();
    CHECK(numbers(x.grad()) == Floats{0, 18});
}

TEST_CASE("a saved value that was overwritten is an error with both lines") {
    Tensor x = leaf({1, 2});
    Tensor y = x * 1;
    const Tensor z = (y * y).sum();
    y.add_(1);
    try {
        z.backward();
        FAIL("no error");
    } catch (const Error& e) {
        const std::string text = e.what();
        CHECK(text.find("mul (tape_test.cc:") != std::string::npos);
        CHECK(text.find("add_ (tape_test.cc:") != std::string::npos);
    }
}

TEST_CASE("a leaf that requires a gradient is not written in place, but under no_grad it is") {
    Tensor w = leaf({1});
    CHECK_THROWS_AS(w.add_(1), Error);
    const NoGrad mode;
    w.add_(1);
    CHECK(numbers(w) == Floats{2});
    CHECK(w.is_leaf());
    CHECK(w.requires_grad());
}

TEST_CASE("detach shares the bytes and not the history") {
    Tensor x = leaf({1, 2});
    Tensor d = x.detach();
    CHECK_FALSE(d.requires_grad());
    d.add_(1);
    CHECK(numbers(x) == Floats{2, 3});
}

TEST_CASE("a tape of a million nodes is built, walked and freed") {
    const std::int64_t before = node_count();
    {
        Tensor x = scalar_tensor(1.0, {.requires_grad = true});
        Tensor y = x;
        for (int i = 0; i < 1'000'000; ++i) y = y + 0.0;
        CHECK(node_count() - before == 1'000'001);
        y.backward();
        CHECK(number(x.grad()) == 1);
    }
    CHECK(node_count() == before);
}
