// What several threads may do at once. `./dev tsan` runs the cases named after threads under the
// thread sanitizer.
#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "core/hooks.h"
#include "core/optim/optim.h"
#include "graph/compile.h"
#include "tests/values.h"

using namespace tg;
using namespace tg::test;

namespace {

using Tensors = std::vector<Tensor>;

void at_once(int threads, const std::function<void(int)>& work) {
    std::vector<std::thread> all;
    for (int k = 0; k < threads; ++k) all.emplace_back(work, k);
    for (std::thread& t : all) t.join();
}

Compiled added_to(const Tensor& w, float by) {
    return Compiled("add", [w, by](const Tensors&) {
        const NoGrad mode;
        Tensor target = w;
        target.add_(by);
        return Tensors{};
    });
}

}  // namespace

TEST_CASE("threads that step one weight by two functions lose no step") {
    for (int repeat = 0; repeat < 10; ++repeat) {
        const Tensor w = leaf({0, 0});
        Compiled one = added_to(w, 1);
        Compiled hundred = added_to(w, 100);
        at_once(4, [&](int k) {
            for (int i = 0; i < 50; ++i) (k % 2 ? one : hundred)({});
        });
        CHECK(numbers(w) == Floats{10100, 10100});
    }
}

TEST_CASE("threads free what other threads have made") {
    std::vector<Tensors> made(4);
    at_once(4, [&](int k) {
        for (int i = 0; i < 200; ++i)
            made[static_cast<std::size_t>(k)].push_back(leaf({1, 2}) * (k + 1));
    });
    std::atomic<int> wrong{0};
    at_once(4, [&](int k) {
        Tensors& mine = made[static_cast<std::size_t>((k + 1) % 4)];
        const auto factor = static_cast<float>((k + 1) % 4 + 1);
        for (const Tensor& t : mine)
            if (numbers(t) != Floats{factor, 2 * factor}) ++wrong;
        mine.clear();
    });
    CHECK(wrong == 0);
}

TEST_CASE("threads trace, run, explain and clear one function") {
    const Tensor w = leaf({3});
    Compiled f("f", [w](const Tensors& x) { return Tensors{(x[0] * w).sum()}; });
    std::atomic<int> wrong{0};
    at_once(4, [&](int k) {
        for (int i = 0; i < 30; ++i) {
            const std::int64_t n = (i + k) % 5 + 1;
            const Tensor y = f({ones({n})})[0];
            if (y.item<float>() != static_cast<float>(3 * n)) ++wrong;
            if (numbers(grad_of(y, w)) != Floats{static_cast<float>(n)}) ++wrong;
            if (f.explain().empty()) ++wrong;
            if (i % 10 == 9) f.clear();
        }
    });
    CHECK(wrong == 0);
}

TEST_CASE("threads draw different numbers from the one generator") {
    std::vector<Floats> drawn(4);
    at_once(4, [&](int k) {
        for (int i = 0; i < 50; ++i)
            drawn[static_cast<std::size_t>(k)].push_back(rand({1}).item<float>());
    });
    std::vector<float> all;
    for (const Floats& f : drawn) all.insert(all.end(), f.begin(), f.end());
    std::sort(all.begin(), all.end());
    CHECK(std::unique(all.begin(), all.end()) - all.begin() > 195);
}

TEST_CASE("threads hang hooks onto a weight while others walk to it") {
    const Tensor w = leaf({1, 2});
    std::atomic<int> calls{0};
    at_once(4, [&](int k) {
        for (int i = 0; i < 50; ++i) {
            if (k == 0) {
                HookHandle hook = register_hook(w, [&](const Tensor&) {
                    ++calls;
                    return Tensor();
                });
                hook.remove();
            } else {
                (w * k).sum().backward();
            }
        }
    });
    CHECK(numbers(w.grad()) == Floats{300, 300});
}

TEST_CASE("threads that train networks of their own do not meet") {
    const auto train = [] {
        Tensor w = leaf({1, -2, 3});
        optim::SGD sgd({w}, {.lr = 0.1, .momentum = 0.9});
        Compiled step("step", [&](const Tensors& x) {
            sgd.zero_grad();
            const Tensor loss = ((x[0] * w) * (x[0] * w)).sum();
            loss.backward();
            sgd.step();
            return Tensors{loss};
        });
        for (int i = 0; i < 20; ++i) step({ones({3})});
        return numbers(w);
    };
    const Floats expected = train();
    std::vector<Floats> found(4);
    at_once(4, [&](int k) { found[static_cast<std::size_t>(k)] = train(); });
    for (const Floats& f : found) CHECK(f == expected);
}
