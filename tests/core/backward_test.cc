#include "core/backward.h"

#include <doctest/doctest.h>

#include <thread>

#include "graph/compile.h"
#include "tests/values.h"

using namespace tg;
using namespace tg::test;

namespace {

using Tensors = std::vector<Tensor>;

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the two operands of a sum do not share the memory of their gradients") {
    Tensor x = leaf({1}), y = leaf({2});
    (x + y).sum().backward();
    x.grad().add_(5);
    CHECK(numbers(x.grad()) == Floats{6});
    CHECK(numbers(y.grad()) == Floats{1});
}

TEST_CASE("a gradient that was passed in is not the memory of what is kept") {
    Tensor x = leaf({1, 2});
    Tensor seed = tensor(Floats{1, 1});
    (x * 1).backward(seed);
    x.clone().backward(seed);
    seed.fill_(50);
    CHECK(numbers(x.grad()) == Floats{2, 2});
}

TEST_CASE("retain_graph lets a tape be walked twice, and a freed one says who freed it") {
    Tensor w = leaf({3});
    const Tensor y = (w * w).sum();
    y.backward({}, true);
    y.backward();
    CHECK(numbers(w.grad()) == Floats{12});
    const std::string error = error_of([&] { y.backward(); });
    CHECK(contains(error, ": the values that mul (backward_test.cc:"));
    CHECK(contains(error, "kept were freed by the backward (backward_test.cc:"));
    CHECK(contains(error, "pass retain_graph=True the first time"));
}

TEST_CASE("backward on more than one number, or on what has no gradient, is an error") {
    Tensor w = leaf({3, 4});
    CHECK(contains(error_of([&] { (w * 2).backward(); }),
                   "a tensor of shape (2,) is not a single number; sum() it"));
    CHECK(contains(error_of([&] { ones({}).backward(); }), "does not require a gradient"));
    CHECK(contains(error_of([&] { (w * 2).backward(ones({3})); }),
                   "the gradient has shape (3,), but the tensor has shape (2,)"));
}

TEST_CASE("grad says which input was not used, unless that is allowed") {
    Tensor x = leaf({1}), unused = leaf({2});
    const Tensor y = (x * 2).sum();
    const Tensors inputs{x, unused};
    const Tensors g = grad({&y, 1}, inputs, {}, {.retain_graph = true});
    CHECK(numbers(g[0]) == Floats{2});
    CHECK_FALSE(g[1].defined());
    CHECK(contains(error_of([&] {
                       grad({&y, 1}, inputs, {}, {.allow_unused = false});
                   }),
                   "input 1 was not used"));
    CHECK_FALSE(x.grad().defined());
}

TEST_CASE("grad of a tensor in the middle leaves the tape behind it as it was") {
    Tensor w = leaf({2});
    const Tensor middle = w * w;
    CHECK(numbers(grad_of((middle * 3).sum(), middle)) == Floats{3});
    middle.sum().backward();
    CHECK(numbers(w.grad()) == Floats{4});
}

TEST_CASE("requires_grad_ makes a leaf, and only a leaf can be told to stop") {
    Tensor x = tensor(Floats{1});
    CHECK(x.is_leaf());
    x.requires_grad_();
    CHECK((x.is_leaf() && x.requires_grad()));
    Tensor y = x * 2;
    CHECK_FALSE(y.is_leaf());
    CHECK(contains(error_of([&] { y.requires_grad_(false); }), "only a leaf"));
    x.requires_grad_(false);
    CHECK_FALSE(x.requires_grad());
    Tensor n = ones({1}, {DType::int64});
    CHECK(contains(error_of([&] { n.requires_grad_(); }),
                   "): only floating tensors have gradients, and this is int64"));
}

TEST_CASE("a view of a leaf has a .grad beside the leaf's") {
    Tensor w = leaf({1, 2});
    w.sum().backward();
    const Tensor part = w.slice(0, 0, 1);
    part.set_grad({});
    CHECK(numbers(w.grad()) == Floats{1, 1});
    part.set_grad(ones({1}));
    CHECK(numbers(part.grad()) == Floats{1});
    CHECK(numbers(w.grad()) == Floats{1, 1});
}

TEST_CASE("a tensor keeps its .grad when it no longer requires one") {
    Tensor x = ones({2});
    x.set_grad(leaf({3, 4}).detach());
    CHECK(numbers(x.grad()) == Floats{3, 4});
    x.requires_grad_();
    (x * 2).sum().backward();
    CHECK(numbers(x.grad()) == Floats{5, 6});
    x.requires_grad_(false);
    CHECK(numbers(x.grad()) == Floats{5, 6});
}

TEST_CASE("a .grad must fit its tensor") {
    Tensor x = leaf({1, 2});
    CHECK(error_of([&] { x.set_grad(ones({3})); }) ==
          "grad: a gradient of shape (3,) does not fit a tensor of shape (2,)");
    CHECK(contains(error_of([&] { x.set_grad(ones({2}, {DType::float64})); }),
                   "a gradient of float64 on cpu"));
    CHECK(error_of([&] { x.set_grad(x); }) == "grad: a tensor cannot be its own gradient");
    x.set_grad(ones({2}));
    (x * 2).sum().backward();
    CHECK(numbers(x.grad()) == Floats{3, 3});
    x.set_grad({});
    CHECK_FALSE(x.grad().defined());
}

TEST_CASE("a gradient has its tensor's dtype, whatever the op promoted it to") {
    Tensor x = leaf({1, 2});
    const Tensor y = (x * ones({2}, {DType::float64})).sum();
    CHECK(y.dtype() == DType::float64);
    y.backward();
    CHECK(x.grad().dtype() == DType::float32);
}

TEST_CASE("an overwritten value that a rule needs is named, with the line that wrote it") {
    Tensor x = leaf({1, 2});
    Tensor y = exp(x);
    const Tensor z = y.sum();
    y.mul_(2);
    const std::string error = error_of([&] { z.backward(); });
    CHECK(contains(error, ": exp (backward_test.cc:"));
    CHECK(contains(error, "needs its old output, but mul_ (backward_test.cc:"));
    CHECK(contains(error,
                   "changed it in place (version 0, now 1); write y = y * 1 instead of y *= 1, or "
                   "clone first"));
}

TEST_CASE("an overwritten value inside a trace is the same error") {
    Compiled f("f", [](const Tensors& in) {
        Tensor y = exp(in[0]);
        const Tensor z = y.sum();
        y.mul_(2);
        z.backward();
        return Tensors{z};
    });
    Tensor x = leaf({1, 2});
    CHECK(contains(error_of([&] { f({x}); }), "needs its old output, but mul_ (backward_test.cc:"));
    CHECK_FALSE(x.grad().defined());
}

TEST_CASE("no nodes are left behind, in whatever order tensors go") {
    const std::int64_t before = node_count();
    {
        Tensor x = leaf({1, 2, 3});
        Tensor y = x * 2;
        Tensor v = y[0];
        v.mul_(3);
        const Tensor g = grad_of(y.sum(), x, true);
        y = Tensor{};
        CHECK(v.item<float>() == 6);
        x = Tensor{};
        CHECK(node_count() > before);
    }
    CHECK(node_count() == before);
    {
        auto f = std::make_unique<Compiled>(
            "f", [](const Tensors& in) { return Tensors{(in[0] * in[0]).sum()}; });
        Tensor x = leaf({1, 2});
        Tensor y = (*f)({x})[0];
        grad_of(grad_of(y, x, true).sum(), x);
        f.reset();
        y.backward();
        CHECK(numbers(x.grad()) == Floats{2, 4});
    }
    CHECK(node_count() == before);
}

TEST_CASE("a compiled loop of two thousand ops has the tape's value and gradient") {
    const auto f = [](const Tensors& in) {
        Tensor y = in[0];
        for (int i = 0; i < 2000; ++i) y = y * 1.0001 + 0.001;
        return Tensors{y.sum()};
    };
    Tensor x = leaf({1, 2});
    const Tensor tape = f({x})[0];
    const Tensor expected = grad_of(tape, x);
    for (const Executor e : {Executor::lines, Executor::planned, Executor::fused}) {
        Compiled compiled("f", f, {.executor = e});
        const Tensor y = compiled({x})[0];
        CHECK(y.item<float>() == tape.item<float>());
        CHECK(numbers(grad_of(y, x)) == numbers(expected));
    }
}

TEST_CASE("threads walk tapes of their own over shared weights") {
    Tensor w = leaf({1, 2, 3});
    std::vector<Floats> found(4);
    std::vector<std::thread> threads;
    for (std::size_t k = 0; k < found.size(); ++k)
        threads.emplace_back([&, k] {
            for (int i = 0; i < 200; ++i) {
                const Tensor y = (w * w * static_cast<int>(k + 1)).sum();
                found[k] = numbers(grad_of(y, w));
            }
        });
    for (std::thread& t : threads) t.join();
    for (std::size_t k = 0; k < found.size(); ++k) {
        const auto n = static_cast<float>(k + 1);
        CHECK(found[k] == Floats{2 * n, 4 * n, 6 * n});
    }
}
