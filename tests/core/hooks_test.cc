#include "core/hooks.h"

#include <doctest/doctest.h>

#include "core/backward.h"
#include "graph/compile.h"
#include "tests/values.h"

using namespace tg;
using namespace tg::test;

using Tensors = std::vector<Tensor>;

TEST_CASE("hooks run in order on the complete gradient, and may replace it") {
    Tensor w = leaf({1, 2});
    Tensor y = w * 2;
    Floats seen;
    register_hook(y, [&](const Tensor& g) {
        seen = numbers(g);
        return g * 10;
    });
    HookHandle second = register_hook(y, [](const Tensor& g) { return g + 1; });
    const Tensor loss = (y * y + y).sum();
    loss.backward({}, true);
    CHECK(seen == Floats{5, 9});
    CHECK(numbers(w.grad()) == Floats{102, 182});
    second.remove();
    w.set_grad({});
    loss.backward();
    CHECK(numbers(w.grad()) == Floats{100, 180});
}

TEST_CASE("a leaf's hooks: before its .grad is added to, and after") {
    Tensor w = leaf({3});
    int after = 0;
    register_hook(w, [](const Tensor& g) { return -g; });
    register_post_accumulate_grad_hook(w, [&] { after += 1; });
    (w * w).sum().backward();
    CHECK(numbers(w.grad()) == Floats{-6});
    CHECK(numbers(grad_of((w * w).sum(), w)) == Floats{-6});
    CHECK(after == 1);
}

TEST_CASE("a hook's gradient must fit, and a tensor without one has no hooks") {
    Tensor w = leaf({3});
    register_hook(w, [](const Tensor&) { return ones({2}); });
    CHECK(error_of([&] { (w * w).sum().backward(); })
              .ends_with("a hook was given a gradient of float32 (1,) on cpu, and returned float32 "
                         "(2,) on cpu"));
    CHECK(error_of([] {
              register_hook(ones({2}), nullptr);
          }).ends_with("does not require a gradient, so none would ever come"));
    CHECK(error_of([&] {
              register_post_accumulate_grad_hook(w * 2, [] {});
          }).ends_with("and no leaf, so nothing is added to its .grad; use register_hook"));
}

TEST_CASE("a result that retains its gradient has a .grad, and no node outlives it for that") {
    const std::int64_t before = node_count();
    {
        Tensor w = leaf({1, 2});
        Tensor y = w * w;
        y.retain_grad();
        CHECK(y.retains_grad());
        (y * y).sum().backward({}, false, true);
        CHECK(numbers(y.grad()) == Floats{2, 8});
        CHECK(y.grad().requires_grad());
        w.set_grad({});
    }
    CHECK(node_count() == before);
}

TEST_CASE("a compiled function is traced again when a leaf's hooks change") {
    Tensor w = leaf({1, 2});
    Compiled step("step", [&](const Tensors& in) {
        (w * in[0]).sum().backward();
        return Tensors{w.grad()};
    });
    const Tensors x{tensor(Floats{3, 4})};
    CHECK(numbers(step(x)[0]) == Floats{3, 4});
    HookHandle hook = register_hook(w, [](const Tensor& g) { return g * 10; });
    w.set_grad({});
    CHECK(numbers(step(x)[0]) == Floats{30, 40});
    hook.remove();
    w.set_grad({});
    CHECK(numbers(step(x)[0]) == Floats{3, 4});
    CHECK(step.traces().size() == 2);
}
