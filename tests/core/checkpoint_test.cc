#include "core/checkpoint.h"

#include <doctest/doctest.h>

#include "core/backward.h"
#include "tests/values.h"

using namespace tg;
using namespace tg::test;

using Tensors = std::vector<Tensor>;

namespace {

Tensors chain(const Tensors& in) {
    Tensor y = in[0];
    for (int i = 0; i < 8; ++i) y = tanh(y * rand(y.shape()) + 1);
    return {y};
}

}  // namespace

TEST_CASE("a checkpoint has the same values and gradients, and the generator goes on alike") {
    Tensor x = leaf({1, 2, 3});
    manual_seed(5);
    const Tensor plain = chain({x})[0];
    const Floats next = numbers(rand({2}));
    const Floats expected = numbers(grad_of(plain.sum(), x));
    manual_seed(5);
    const Tensor y = checkpoint(chain, {x})[0];
    CHECK(numbers(y) == numbers(plain));
    CHECK(numbers(rand({2})) == next);
    CHECK(numbers(grad_of(y.sum(), x)) == expected);
}

TEST_CASE("a checkpoint keeps its result and nothing in between") {
    Tensor x = ones({1024}, {.requires_grad = true});
    const std::int64_t before = allocator::statistics().live;
    {
        const Tensor plain = chain({x})[0];
        CHECK(allocator::statistics().live - before > 8 * 4096);
    }
    const Tensor y = checkpoint(chain, {x})[0];
    const std::int64_t held = allocator::statistics().live - before;
    CHECK(held <= 4096);
    y.sum().backward();
    x.set_grad({});
    CHECK(allocator::statistics().live - before <= 4096);  // what was computed again has gone
}

TEST_CASE("no nodes of a checkpoint are left behind, walked or not") {
    const std::int64_t before = node_count();
    {
        Tensor x = leaf({1, 2});
        const Tensor y = checkpoint(chain, {x * 2})[0];
        const Tensor z = checkpoint(chain, {y})[0];
        z.sum().backward({}, true);
        z.sum().backward();
        checkpoint(chain, {z});
    }
    CHECK(node_count() == before);
}

TEST_CASE("a function that does something else the second time is an error") {
    Tensor x = leaf({1, 2});
    int turn = 0;
    const Part changes = [&](const Tensors& in) {
        const Tensor y = in[0] * 2;
        return Tensors{(turn++ == 0 ? exp(y) : tanh(y)) * y};
    };
    const std::string error = error_of([&] { checkpoint(changes, {x})[0].sum().backward(); });
    CHECK(error.find("): the function did something else when it was computed again for the "
                     "backward: tanh (checkpoint_test.cc:") != std::string::npos);
}
