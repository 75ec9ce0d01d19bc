#include "core/generator.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <thread>

#include "core/backward.h"
#include "core/checkpoint.h"
#include "core/ops.h"
#include "graph/compile.h"
#include "tests/values.h"

using namespace tg;
using namespace tg::test;

using Tensors = std::vector<Tensor>;

namespace {

// What a call throws, without its line.
std::string said(const auto& f) {
    const std::string text = error_of(f);
    const std::size_t open = text.find(" (generator_test.cc:");
    if (open == std::string::npos) return text;
    return text.substr(0, open) + text.substr(text.find(')', open) + 1);
}

}  // namespace

TEST_CASE("a generator draws what the default one would of the same seed, and leaves that alone") {
    manual_seed(3);
    const Tensors expected{rand({5}),
                           randn({3}),
                           randint(0, 9, {4}),
                           randperm(6),
                           bernoulli(full({8}, 0.5)),
                           normal(zeros({2}), 2.0),
                           multinomial(ones({3}), 2)};
    const Floats next = numbers(rand({2}));
    manual_seed(3);
    const Floats first = numbers(rand({5}));
    Generator g;
    g.manual_seed(3);
    const Tensors drawn{rand({5}, {}, g),
                        randn({3}, {}, g),
                        randint(0, 9, {4}, {.dtype = DType::int64}, g),
                        randperm(6, {.dtype = DType::int64}, g),
                        bernoulli(full({8}, 0.5), g),
                        normal(zeros({2}), 2.0, g),
                        multinomial(ones({3}), 2, false, g)};
    for (std::size_t k = 0; k < expected.size(); ++k)
        CHECK(numbers(drawn[k]) == numbers(expected[k]));
    CHECK(numbers(rand({2}, {}, g)) == next);
    CHECK(numbers(drawn[0]) == first);
    manual_seed(3);
    rand({5});
    CHECK(numbers(rng_state()) == Floats{3, 5});
}

TEST_CASE("a state that was kept, and a clone, go on alike; a copy is the same generator") {
    Generator g;
    CHECK(g.initial_seed() == 67280421310721);
    rand({7}, {}, g);
    const Tensor kept = g.get_state();
    Generator clone = g.clone_state();
    const Generator copy = g;
    CHECK((copy.same(g) && !clone.same(g)));
    const Floats expected = numbers(randn({3}, {}, g));
    CHECK(numbers(randn({3}, {}, clone)) == expected);
    CHECK(numbers(randn({3}, {}, copy)) != expected);
    g.set_state(kept);
    CHECK(numbers(randn({3}, {}, copy)) == expected);
    CHECK(g.manual_seed(~std::uint64_t{0}).initial_seed() == ~std::uint64_t{0});
    const std::uint64_t seed = g.seed();
    CHECK(g.initial_seed() == seed);
    CHECK(g.seed() != seed);
}

TEST_CASE("a compiled function moves on the generators that it draws from, each its own") {
    Generator a, b;
    const auto f = [&](const Tensors&) {
        const Tensor x = rand({3}, {}, a);
        return Tensors{x, randn({2}, {}, b), rand({1}, {}, a) + x, a.get_state()};
    };
    Compiled compiled("f", f);
    std::vector<Floats> results[2];
    for (int way = 0; way < 2; ++way) {
        a.manual_seed(1);
        b.manual_seed(2);
        for (int call = 0; call < 3; ++call)
            for (const Tensor& t : way == 0 ? f({}) : compiled({}))
                results[way].push_back(numbers(t));
        results[way].push_back(numbers(b.get_state()));
    }
    CHECK(results[0] == results[1]);
    CHECK(compiled.traces().size() == 1);
    CHECK(lockstep(f, {}).equal);
}

TEST_CASE("a run of a graph moves its generators on, whatever is fetched") {
    Generator g;
    g.manual_seed(4);
    std::vector<Floats> tape;
    for (int run = 0; run < 3; ++run) {
        tape.push_back(numbers(rand({2}, {}, g)));
        tape.push_back(numbers(randn({3}, {}, g)));
    }
    g.manual_seed(4);
    Graph graph;
    Tensor x, y, z;
    {
        const GraphScope open(graph);
        x = rand({2}, {}, g);
        y = randn({3}, {}, g);
        z = ones({1});
    }
    for (const Executor executor : {Executor::lines, Executor::planned, Executor::fused}) {
        CAPTURE(name_of(executor));
        g.manual_seed(4);
        Session session(graph, executor);
        const Tensors first = session.run({x, y});
        CHECK(numbers(first[0]) == tape[0]);
        CHECK(numbers(first[1]) == tape[1]);
        CHECK(numbers(session.run({y})[0]) == tape[3]);
        session.run({z});
        CHECK(numbers(g.get_state()) == Floats{4, 15});
        g.manual_seed(4);
        CHECK(numbers(session.run({x})[0]) == tape[0]);
    }
}

TEST_CASE("a checkpoint draws again what it drew, from every generator") {
    Generator g;
    const auto part = [&](const Tensors& in) {
        Tensor y = in[0];
        for (int i = 0; i < 4; ++i) y = tanh(y * rand(y.shape(), {}, g) + rand(y.shape()));
        return Tensors{y};
    };
    const auto outer = [&](const Tensors& in) { return checkpoint(part, checkpoint(part, in)); };
    Tensor x = leaf({1, 2, 3});
    Floats gradients[3];
    for (int way = 0; way < 3; ++way) {
        g.manual_seed(6);
        manual_seed(5);
        const Tensor y = way == 0   ? part(part({x}))[0]
                         : way == 1 ? outer({x})[0]
                                    : checkpoint(outer, {x})[0];
        const Floats state = numbers(g.get_state());
        CHECK(state == Floats{6, 24});
        gradients[way] = numbers(grad_of(y.sum(), x));
        CHECK(numbers(g.get_state()) == state);
    }
    CHECK(gradients[1] == gradients[0]);
    CHECK(gradients[2] == gradients[0]);
}

TEST_CASE("a checkpoint puts back what a compiled function and a seed inside of it moved on") {
    Generator g, h;
    Compiled compiled("noise", [&](const Tensors& in) {
        return Tensors{tanh(in[0] * rand(in[0].shape(), {}, g))};
    });
    const auto part = [&](const Tensors& in) {
        h.manual_seed(9);
        return Tensors{compiled({compiled(in)[0] * rand({3}, {}, h)})[0]};
    };
    Tensor x = leaf({1, 2, 3});
    Floats gradients[2];
    for (int way = 0; way < 2; ++way) {
        g.manual_seed(6);
        const Tensor y = (way == 0 ? part({x}) : checkpoint(part, {x}))[0];
        rand({4}, {}, h);
        gradients[way] = numbers(grad_of(y.sum(), x));
        CHECK(numbers(g.get_state()) == Floats{6, 6});
        CHECK(numbers(h.get_state()) == Floats{9, 7});
    }
    CHECK(gradients[0] == gradients[1]);
}

TEST_CASE("a backward inside of a checkpoint does not count as its draws") {
    Generator g;
    g.manual_seed(6);
    Tensor x = leaf({1, 2, 3});
    const auto noisy = [&](const Tensors& in) { return Tensors{tanh(in[0] * rand({3}, {}, g))}; };
    const Tensor earlier = checkpoint(noisy, {x})[0].sum();
    const auto part = [&](const Tensors& in) {
        const Tensor slope = grad({&earlier, 1}, {&x, 1}, {}, {.retain_graph = true})[0];
        return Tensors{noisy(in)[0] * slope};
    };
    const Tensor y = checkpoint(part, {x})[0];
    const Floats found = numbers(grad_of(y.sum(), x));
    const Floats place = numbers(g.get_state());
    g.manual_seed(6);
    const Tensor slope = grad_of(tanh(x * rand({3}, {}, g)).sum(), x);
    const Tensor expected = tanh(x * rand({3}, {}, g)) * slope;
    CHECK(numbers(y) == numbers(expected));
    CHECK(found == numbers(grad_of(expected.sum(), x)));
    CHECK(place == numbers(g.get_state()));
}

TEST_CASE("threads that draw from one generator share its stream out among them") {
    Generator g;
    g.manual_seed(8);
    Floats expected = numbers(rand({400}, {}, g));
    g.manual_seed(8);
    std::vector<Floats> drawn(4);
    std::vector<std::thread> threads;
    for (Floats& mine : drawn)
        threads.emplace_back([&g, &mine] {
            for (int i = 0; i < 100; ++i) mine.push_back(numbers(rand({1}, {}, g))[0]);
        });
    for (std::thread& t : threads) t.join();
    Floats all;
    for (const Floats& mine : drawn) all.insert(all.end(), mine.begin(), mine.end());
    std::sort(all.begin(), all.end());
    std::sort(expected.begin(), expected.end());
    CHECK(all == expected);
}

TEST_CASE("a generator's errors say what to do") {
    Generator g;
    CHECK(said([&] { g.set_state(zeros({2})); }) ==
          "the state is float32 (2,) on cpu, not the int64 (2,) on cpu of a generator");
    CHECK(said([&] { g.set_state(zeros({3}, {.dtype = DType::int64})); }) ==
          "the state is int64 (3,) on cpu, not the int64 (2,) on cpu of a generator");
    CHECK(said([&] { rand({2}, {.device = Device::cuda}, g); }) ==
          "rand: the generator is on cpu, and the tensor on cuda; make it with "
          "Generator(\"cuda\")");
    CHECK(said([&] { randint(0, 2, {2}, {}, Generator(Device::cuda)); }) ==
          "randint: the generator is on cuda, and the tensor on cpu; make it with "
          "Generator(\"cpu\")");
    Compiled made("made", [](const Tensors&) { return Tensors{rand({2}, {}, Generator())}; });
    CHECK(said([&] { made({}); }) ==
          "Generator: made is being traced, and its program would not make it "
          "anew at each call; make it outside");
    Compiled seeded("seeded", [&](const Tensors&) {
        g.seed();
        return Tensors{};
    });
    CHECK(said([&] { seeded({}); }) ==
          "seed: seeded is being traced, and its program would start from the "
          "same one at each call; call it outside");
    Compiled asked("asked", [&](const Tensors&) {
        return Tensors{zeros({1}) + static_cast<double>(g.initial_seed())};
    });
    CHECK(said([&] { asked({}); }) ==
          "initial_seed: asked is being traced, and its program would keep the "
          "seed of now; get_state()[0] is a tensor");
    const Tensor drawn = rand({2}, {.device = Device::cuda}, Generator(Device::cuda));
    CHECK(numbers(to(drawn, Device::cpu)) == numbers(rand({2}, {}, Generator())));
}
