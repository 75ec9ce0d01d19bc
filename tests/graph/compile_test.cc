#include "graph/compile.h"

#include <doctest/doctest.h>

#include <thread>

#include "core/history.h"
#include "core/nn/nn.h"
#include "core/optim/optim.h"
#include "tests/values.h"

using namespace tg;
using namespace tg::test;

namespace {

using Tensors = std::vector<Tensor>;

Compiled compiled(Compiled::Function f) { return Compiled("f", std::move(f)); }

}  // namespace

TEST_CASE("a compiled function gives the tape's values and reads what it captures at each call") {
    Tensor w = leaf({1, 2});
    Compiled f = compiled([&](const Tensors& x) { return Tensors{(x[0] * w).sum()}; });
    const Tensor x = tensor(Floats{3, 4});
    CHECK(numbers(f({x})[0]) == Floats{11});
    {
        const NoGrad mode;
        w.add_(1);
    }
    CHECK(numbers(f({x})[0]) == Floats{18});
    CHECK(f.traces().size() == 1);
}

// (x + bias) x, where x (2, 3) is in order, transposed or sliced, and bias (3,) broadcasts.
TEST_CASE("a fused group reads what is not in order in every dtype") {
    Compiled f = compiled([](const Tensors& x) { return Tensors{(x[0] + x[1]) * x[0]}; });
    for (DType dtype : {DType::uint8, DType::int8, DType::int16, DType::int32, DType::int64,
                        DType::float16, DType::bfloat16, DType::float32, DType::float64}) {
        const Tensor bias = tensor(Floats{1, 2, 3}, {.dtype = dtype});
        const Tensor all = arange(12, {.dtype = dtype});
        const Tensor wide = all.reshape({2, 6}), tall = all.reshape({6, 2});
        for (const Tensor& x : {all.slice(0, 0, 6).reshape({2, 3}), wide.slice(1, 0, 6, 2),
                                tall.slice(0, 0, 3).transpose(0, 1)}) {
            CAPTURE(std::string(name_of(dtype)));
            CHECK(numbers(cast(f({x, bias})[0], DType::float32)) ==
                  numbers(cast((x + bias) * x, DType::float32)));
        }
    }
}

TEST_CASE("a regulariser of weights only sees the weights change") {
    Tensor w = leaf({1, 2});
    Compiled penalty = compiled([&](const Tensors&) { return Tensors{(w * w).sum()}; });
    CHECK(numbers(penalty({})[0]) == Floats{5});
    penalty({})[0].backward();
    CHECK(numbers(w.grad()) == Floats{2, 4});
    {
        const NoGrad mode;
        w.copy_(tensor(Floats{3, 5}));
    }
    CHECK(numbers(penalty({})[0]) == Floats{34});
    CHECK(penalty.traces().size() == 1);
}

TEST_CASE("a compiled call is one node, and its gradients are right to the third order") {
    Tensor x = leaf({2});
    Compiled cube = compiled([](const Tensors& a) { return Tensors{(a[0] * a[0] * a[0]).sum()}; });
    const std::int64_t before = node_count();
    const Tensor y = cube({x})[0];
    CHECK(node_count() == before + 1);
    CHECK(y.requires_grad());
    const Tensor first = grad_of(y, x, true);
    CHECK(numbers(first) == Floats{12});
    const Tensor second = grad_of(first.sum(), x, true);
    CHECK(numbers(second) == Floats{12});
    CHECK(numbers(grad_of(second.sum(), x)) == Floats{6});
}

TEST_CASE("what flows to one tensor is added up in the tape's order, whoever uses it") {
    Tensor w = leaf({1, 2, 3});
    const Tensor part = w.slice(0, 1, 3);  // an older view, with uses of its own
    const Compiled::Function f = [&](const Tensors& x) {
        const Tensor before = w * 0.1 + w * x[0];
        {
            const NoGrad mode;
            w.add_(0);
        }
        return Tensors{(before + w * 0.7).sum() + (part * 0.3).sum() + (part * 0.45).sum() +
                       (w.slice(0, 0, 2) * 0.55).sum()};
    };
    Compiled call = compiled(f);
    const auto gradient = [&](const Compiled::Function& g) {
        const Tensor x = tensor(Floats{0.3f, 0.9f, 0.6f});
        const Tensor loss = (w * 0.13).sum() + g({x})[0] + (w * 0.77).sum() + (part * 0.21).sum() +
                            g({x})[0] + (part * 0.37).sum();
        return numbers(grad_of(loss, w));
    };
    CHECK(gradient(f) == gradient([&](const Tensors& x) { return call(x); }));
}

TEST_CASE("grad in a trace follows a view that was taken outside") {
    Tensor w = leaf({1, 2, 3});
    const Tensor part = w.slice(0, 1, 3).select(0, 1);
    Compiled f = compiled(
        [&](const Tensors&) { return Tensors{grad_of((part * part).sum() + (w * 5).sum(), w)}; });
    CHECK(numbers(f({})[0]) == Floats{5, 5, 11});
    Compiled g = compiled([&](const Tensors&) {
        (part * part).sum().backward();
        return Tensors{};
    });
    g({});
    CHECK(numbers(w.grad()) == Floats{0, 0, 6});
}

TEST_CASE("grad in a trace through an argument that was computed outside is an error, not None") {
    Tensor w = leaf({1, 2});
    const Tensor y = w * 2;
    Compiled f = compiled([&](const Tensors& x) {
        const Tensor loss = (x[0] * x[0]).sum();
        const Tensor outputs[] = {loss}, inputs[] = {w};
        return Tensors{grad(outputs, inputs, {}, {.allow_unused = true})[0]};
    });
    CHECK_THROWS_WITH(f({y}), doctest::Contains("computed outside of it"));
}

TEST_CASE("a view of a transposed leaf is a view in the call's gradient too") {
    const Tensor base = tensor({{1, 2}, {3, 4}, {5, 6}});
    Tensor x = base.t().detach().requires_grad_();
    Compiled f = compiled([](const Tensors& a) {
        const Tensor flat = view(a[0].t(), {6});
        return Tensors{(flat * flat).sum()};
    });
    CHECK(numbers(grad_of(f({x})[0], x)) == Floats{2, 6, 10, 4, 8, 12});
}

TEST_CASE("grad in a trace of a tensor made inside, from an argument that was computed") {
    Tensor w = leaf({1, 2});
    const Tensor x = w * w;
    Compiled f = compiled([](const Tensors& a) {
        const Tensor inside = a[0] * 3;
        return Tensors{grad_of((inside * a[0]).sum(), inside)};
    });
    CHECK(numbers(f({x})[0]) == Floats{1, 4});
}

TEST_CASE("grad in a trace through a captured tensor that was made of the argument is an error") {
    Tensor w = leaf({1, 2});
    const Tensor x = w * w;
    const Tensor made_of_x = x * 5;
    Compiled f = compiled(
        [&](const Tensors& a) { return Tensors{grad_of((a[0] * made_of_x).sum(), a[0])}; });
    CHECK_THROWS_WITH(f({x}), doctest::Contains("computed outside of it"));
}

TEST_CASE("what enable_grad inside makes differentiable is so outside, also under no_grad") {
    Tensor w = leaf({1, 2});
    Compiled f = compiled([&](const Tensors& a) {
        const GradMode on(true);
        return Tensors{(w * a[0]).sum()};
    });
    Tensor y;
    {
        const NoGrad mode;
        y = f({tensor(Floats{3, 4})})[0];
    }
    CHECK(numbers(grad_of(y, w)) == Floats{3, 4});
}

TEST_CASE("threads that step one function lose no step") {
    for (int repeat = 0; repeat < 10; ++repeat) {
        Tensor w = leaf({0});
        Compiled f = compiled([&](const Tensors& a) {
            (w * a[0]).sum().backward();
            return Tensors{};
        });
        const auto steps = [&](std::int64_t n) {
            for (int i = 0; i < 50; ++i) f({ones({n})});
        };
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t) threads.emplace_back(steps, t % 2 + 1);
        for (std::thread& t : threads) t.join();
        CHECK(numbers(w.grad()) == Floats{300});
    }
}

TEST_CASE("gradients accumulate over two calls") {
    Tensor w = leaf({2});
    Compiled f = compiled([&](const Tensors& x) { return Tensors{(x[0] * w).sum()}; });
    f({tensor(Floats{3})})[0].backward();
    f({tensor(Floats{4})})[0].backward();
    CHECK(numbers(w.grad()) == Floats{7});
}

TEST_CASE("a momentum update inside, with the learning rate changed in the middle, is the tape's") {
    const auto train = [](bool compile) {
        Tensor w = leaf({1, -2, 3});
        optim::SGD sgd({w}, {.lr = 0.1, .momentum = 0.9});
        const Compiled::Function step = [&](const Tensors& x) {
            sgd.zero_grad();
            const Tensor loss = ((x[0] * w) * (x[0] * w)).sum();
            loss.backward();
            sgd.step();
            return Tensors{loss};
        };
        Compiled program = compiled(step);
        Floats losses;
        for (int i = 0; i < 50; ++i) {
            if (i == 25) sgd.set_lr(0.01);
            const Tensors x{tensor(Floats{0.1f, 0.2f, 0.3f})};
            const Tensors out = compile ? program(x) : step(x);
            losses.push_back(out[0].item<float>());
        }
        const Floats weights = numbers(w);
        losses.insert(losses.end(), weights.begin(), weights.end());
        if (compile) CHECK(program.traces().size() == 1);
        return losses;
    };
    CHECK(train(true) == train(false));
}

TEST_CASE("a train step leaves no nodes behind") {
    Tensor w = leaf({1, 2});
    optim::SGD sgd({w}, {.lr = 0.1});
    Compiled step = compiled([&](const Tensors& x) {
        sgd.zero_grad();
        const Tensor loss = (x[0] * w).sum();
        loss.backward();
        sgd.step();
        return Tensors{loss};
    });
    step({tensor(Floats{1, 1})});
    const std::int64_t before = node_count();
    for (int i = 0; i < 5; ++i) step({tensor(Floats{1, 1})});
    CHECK(node_count() == before);
}

TEST_CASE("a symbol that leaks out is an error that names its trace") {
    Tensor leaked;
    Compiled f = compiled([&](const Tensors& x) {
        leaked = x[0] * 2;
        return Tensors{leaked};
    });
    f({tensor(Floats{1})});
    const std::string item = error_of([&] { (void)leaked.item<float>(); });
    CHECK(item.find("is a symbol of f (compile_test.cc:") != std::string::npos);
    const std::string op = error_of([&] { (void)(leaked + 1); });
    CHECK(op.find("is a symbol of f (compile_test.cc:") != std::string::npos);
    Compiled g = compiled([&](const Tensors& x) { return Tensors{x[0] + leaked}; });
    const std::string other = error_of([&] { (void)g({tensor(Floats{1})}); });
    CHECK(other.find("f (compile_test.cc:") != std::string::npos);
}

TEST_CASE("a function that writes its argument while it captures the same tensor") {
    const auto run = [](bool compile) {
        Tensor x = tensor(Floats{1, 2});
        const Compiled::Function f = [&](const Tensors& a) {
            Tensor y = a[0];
            y.add_(10);
            return Tensors{x * 1};
        };
        Compiled program = compiled(f);
        const Floats out = numbers(compile ? program({x})[0] : f({x})[0]);
        CHECK(numbers(x) == Floats{11, 12});
        return out;
    };
    CHECK(run(false) == Floats{11, 12});
    CHECK(run(true) == Floats{11, 12});
}

TEST_CASE("another tensor where the captured one was given traces again") {
    Tensor x = tensor(Floats{1});
    Compiled f = compiled([&](const Tensors& a) {
        Tensor y = a[0];
        y.add_(10);
        return Tensors{x * 1};
    });
    CHECK(numbers(f({x})[0]) == Floats{11});
    Tensor other = tensor(Floats{5});
    CHECK(numbers(f({other})[0]) == Floats{11});
    CHECK(numbers(other) == Floats{15});
    CHECK(f.traces().size() == 2);
}

TEST_CASE("two captured tensors that are given in the other order trace again") {
    const Tensor a = tensor(Floats{1}), b = tensor(Floats{10});
    Compiled f =
        compiled([&](const Tensors& x) { return Tensors{5 * x[0] + 2 * a + 3 * b + x[1]}; });
    CHECK(numbers(f({a, b})[0]) == Floats{47});
    CHECK(numbers(f({b, a})[0]) == Floats{83});
    CHECK(f.traces().size() == 2);
}

TEST_CASE("an exception in the middle of a trace changes nothing") {
    Tensor w = leaf({1, 2});
    Tensor b = tensor(Floats{5});
    bool throws = true;
    Compiled f = compiled([&](const Tensors& x) {
        b.add_(1);
        const Tensor y = (x[0] * w).sum();
        y.backward();
        if (throws) fail(ErrorKind::value, "in the middle");
        return Tensors{y};
    });
    const Tensor x = tensor(Floats{1, 1});
    CHECK(error_of([&] { (void)f({x}); }) == "in the middle");
    CHECK(numbers(b) == Floats{5});
    CHECK_FALSE(w.grad().defined());
    CHECK(b.version() == 0);
    throws = false;
    f({x});
    CHECK(numbers(b) == Floats{6});
    CHECK(numbers(w.grad()) == Floats{1, 1});
}

TEST_CASE("in-place on a view of a view, on the tape and in a trace") {
    const auto run = [](bool compile) {
        Tensor x = tensor({{1, 2}, {3, 4}});
        x.requires_grad_();
        const Compiled::Function f = [&](const Tensors& a) {
            Tensor y = a[0] * 2;
            Tensor row = y[1];
            Tensor cell = row[0];
            cell.mul_(10);
            row.mul_(3);
            return Tensors{y.sum()};
        };
        Compiled program = compiled(f);
        const Tensor y = compile ? program({x})[0] : f({x})[0];
        y.backward();
        Floats out = numbers(x.grad());
        out.push_back(y.item<float>());
        return out;
    };
    CHECK(run(false) == Floats{2, 2, 60, 6, 210});
    CHECK(run(true) == run(false));
}

TEST_CASE("a write under no_grad inside a trace keeps the leaf's gradient") {
    const auto run = [](bool compile) {
        Tensor w = leaf({1, 2});
        const Compiled::Function f = [&](const Tensors& x) {
            {
                const NoGrad mode;
                w.mul_(10);
            }
            const Tensor y = (w * x[0]).sum();
            y.backward();
            return Tensors{y};
        };
        Compiled program = compiled(f);
        const Tensors x{tensor(Floats{3, 4})};
        Floats out = numbers(compile ? program(x)[0] : f(x)[0]);
        for (float v : numbers(w)) out.push_back(v);
        for (float v : numbers(w.grad())) out.push_back(v);
        return out;
    };
    CHECK(run(false) == Floats{110, 10, 20, 3, 4});
    CHECK(run(true) == run(false));
}

TEST_CASE("a written outer tensor becomes part of the tape outside") {
    const auto run = [](bool compile) {
        Tensor k = leaf({3});
        Tensor y = ones({3});
        const Compiled::Function f = [&](const Tensors&) {
            Tensor part = y.slice(0, 1, 3);
            part.add_(k * 2);
            return Tensors{};
        };
        Compiled program = compiled(f);
        compile ? program({}) : f({});
        CHECK(numbers(y) == Floats{1, 7, 7});
        y.sum().backward();
        return numbers(k.grad());
    };
    CHECK(run(false) == Floats{4});
    CHECK(run(true) == Floats{4});
}

TEST_CASE("batches cut from one tensor share a trace") {
    const Tensor data = arange(12, {});
    Compiled f = compiled([](const Tensors& x) { return Tensors{x[0].sum()}; });
    CHECK(numbers(f({data.slice(0, 0, 4)})[0]) == Floats{6});
    CHECK(numbers(f({data.slice(0, 4, 8)})[0]) == Floats{22});
    CHECK(f.traces().size() == 1);
    f({data.slice(0, 0, 3)});
    CHECK(f.traces().size() == 2);
    CHECK(f.explain().find("argument 0 is float32 (3,), and was float32 (4,)") !=
          std::string::npos);
}

TEST_CASE("backward in a trace that reaches a tensor computed outside is an error with its line") {
    Tensor w = leaf({2});
    const Tensor y = w * 3;
    Compiled f = compiled([&](const Tensors&) {
        (y * y).sum().backward();
        return Tensors{};
    });
    CHECK(error_of([&] { f({}); }).find("computed outside of it") != std::string::npos);
}

TEST_CASE("a read of a number inside a trace is an error and not a frozen constant") {
    Tensor w = tensor(Floats{2});
    Compiled f = compiled([&](const Tensors& x) { return Tensors{x[0] * w.item<float>()}; });
    CHECK(error_of([&] { f({w}); }).find("would be frozen") != std::string::npos);
}

TEST_CASE("lockstep sees every op of a training step twice, and equal") {
    Tensor w = leaf({1, 2});
    optim::SGD sgd({w}, {.lr = 0.1, .momentum = 0.9});
    const Compiled::Function step = [&](const Tensors& x) {
        sgd.zero_grad();
        const Tensor loss = (x[0] * w).sum();
        loss.backward();
        sgd.step();
        return Tensors{loss};
    };
    const Lockstep both = lockstep(step, {tensor(Floats{3, 4})});
    INFO(both.text);
    CHECK(both.equal);
    CHECK(both.lines >= 8);
    CHECK(numbers(w) == Floats{1, 2});
}
