// Gradients that flow through a compiled call: where they go, and where they do not.
#include "graph/call.h"

#include <doctest/doctest.h>

#include "graph/compile.h"
#include "tests/values.h"

using namespace tg;
using namespace tg::test;

namespace {

using Tensors = std::vector<Tensor>;

// The gradient of x that f's first output gives, summed; the same for each executor and the tape.
Floats gradient(const Compiled::Function& f, const std::function<Tensors(const Tensor&)>& arguments,
                const Floats& start) {
    Floats tape;
    for (int mode = 0; mode < 4; ++mode) {
        const Tensor x = leaf(start);
        Compiled compiled("f", f, {.executor = static_cast<Executor>(mode == 3 ? 0 : mode)});
        const Tensors in = arguments(x);
        (mode == 3 ? f(in)[0] : compiled(in)[0]).sum().backward();
        if (mode == 0) tape = numbers(x.grad());
        CHECK(numbers(x.grad()) == tape);
    }
    return tape;
}

Tensors squared(const Tensors& x) { return {x[0] * x[0]}; }

}  // namespace

TEST_CASE("a gradient goes through an argument that is a view, a strided one, or computed") {
    CHECK(gradient(squared, [](const Tensor& x) { return Tensors{x.slice(0, 1, 3)}; }, {1, 2, 3}) ==
          Floats{0, 4, 6});
    CHECK(gradient(squared, [](const Tensor& x) { return Tensors{x.slice(0, 0, 3, 2)}; },
                   {1, 2, 3}) == Floats{2, 0, 6});
    CHECK(gradient(squared,
                   [](const Tensor& x) {
                       return Tensors{x.reshape({2, 2}).t()};
                   },
                   {1, 2, 3, 4}) == Floats{2, 4, 6, 8});
    CHECK(gradient(squared, [](const Tensor& x) { return Tensors{x * 3}; }, {1, 2}) ==
          Floats{18, 36});
    CHECK(gradient(squared,
                   [](const Tensor& x) {
                       return Tensors{x.expand({3, 2})};
                   },
                   {1, 2}) == Floats{6, 12});
}

TEST_CASE("a leaf that is a part of its storage, and two leaves on one storage") {
    Tensor base = tensor({{1, 2}, {3, 4}});
    Tensor turned = base.t();
    turned.requires_grad_();
    Tensor first = base[0].detach();
    first.requires_grad_();
    for (const Executor e : {Executor::lines, Executor::planned, Executor::fused}) {
        Compiled f("f", [](const Tensors& x) { return Tensors{(x[0] * x[0]).sum(0) + x[1] * 10}; },
                   {.executor = e});
        Compiled captures(
            "f", [&](const Tensors&) { return Tensors{(turned * turned).sum(0) + first * 10}; },
            {.executor = e});
        for (Compiled* g : {&f, &captures}) {
            turned.set_grad({});
            first.set_grad({});
            const Tensor y = (*g)({turned, first})[0];
            CHECK(numbers(y) == Floats{15, 45});
            y.sum().backward();
            CHECK(numbers(turned.grad()) == Floats{2, 6, 4, 8});
            CHECK(numbers(first.grad()) == Floats{10, 10});
        }
    }
}

TEST_CASE("an output that nobody uses gives no gradient, as on the tape") {
    Tensor a = leaf({1}), b = leaf({2});
    Compiled f("f", [](const Tensors& x) { return Tensors{x[0] * 2, x[1] * 3}; });
    f({a, b})[0].backward();
    CHECK(numbers(a.grad()) == Floats{2});
    CHECK_FALSE(b.grad().defined());
}

TEST_CASE("a backward over a freed call says who freed it") {
    Tensor x = leaf({1, 2});
    Compiled f("f", [](const Tensors& in) { return Tensors{(in[0] * in[0]).sum()}; });
    const Tensor y = f({x})[0];
    y.backward();
    CHECK(error_of([&] { y.backward(); }).find("kept were freed by the backward (call_test.cc:") !=
          std::string::npos);
}

TEST_CASE("detach and no_grad inside stop a gradient that a call passes on") {
    CHECK(gradient([](const Tensors& x) { return Tensors{x[0] * x[0].detach()}; },
                   [](const Tensor& x) { return Tensors{x}; }, {3, 4}) == Floats{3, 4});
    Compiled f("f", [](const Tensors& x) {
        const NoGrad mode;
        return Tensors{x[0] * 2};
    });
    CHECK_FALSE(f({leaf({1})})[0].requires_grad());
}

TEST_CASE("a written argument's gradient goes on through the call") {
    const Floats g = gradient(
        [](const Tensors& x) {
            Tensor y = x[0];
            y.mul_(3);
            return Tensors{y * y};
        },
        [](const Tensor& x) { return Tensors{x * 1}; }, {1, 2});
    CHECK(g == Floats{18, 36});
}
