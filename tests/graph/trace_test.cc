// What a compiled function's program depends on: the key, the slots, what it captures and aliases.
#include "graph/trace.h"

#include <doctest/doctest.h>

#include "core/history.h"
#include "tests/values.h"

using namespace tg;
using namespace tg::test;

namespace {

using Tensors = std::vector<Tensor>;

Tensors twice(const Tensors& x) { return {x[0] * 2}; }

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("each part of the key traces again, and explain says which") {
    Compiled f("f", twice);
    const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
    f({x});
    f({x * 5});
    CHECK(f.traces().size() == 1);
    f({cast(x, DType::float64)});
    CHECK(contains(f.explain(), "why: argument 0 is float64 (2, 3), and was float32 (2, 3)"));
    CHECK(numbers(f({x.t()})[0]) == Floats{2, 8, 4, 10, 6, 12});
    CHECK(contains(f.explain(), "argument 0 is float32 (3, 2) strides (1, 3)"));
    f({leaf({1, 2})});
    CHECK(contains(f.explain(), "argument 0 is float32 (2,) requires_grad"));
    {
        const NoGrad mode;
        f({leaf({1, 2})});
        CHECK(contains(f.explain(), "gradients are off now"));
    }
    CHECK(f.traces().size() == 5);
    set_default_dtype(DType::float64);
    f({leaf({1, 2})});
    set_default_dtype(DType::float32);
    CHECK(f.traces().size() == 6);
    f({leaf({3, 4})});
    f({x});
    CHECK(f.traces().size() == 6);
}

TEST_CASE("two arguments that are one tensor are another key than two that are equal") {
    Compiled f("f", [](const Tensors& x) {
        Tensor y = x[0];
        y.add_(1);
        return Tensors{x[1] * 1};
    });
    Tensor a = tensor(Floats{1}), b = tensor(Floats{1});
    CHECK(numbers(f({a, b})[0]) == Floats{1});
    CHECK(numbers(f({a, a})[0]) == Floats{3});
    CHECK(numbers(f({a, a.detach()})[0]) == Floats{4});
    CHECK(contains(f.explain(), "argument 1 shares memory with other arguments than before"));
}

TEST_CASE("two parts of one storage: what is written into one is seen in the other") {
    const auto run = [](bool compile) {
        Tensor base = tensor(Floats{1, 2, 3});
        const Compiled::Function f = [](const Tensors& x) {
            Tensor y = x[0];
            y.mul_(10);
            return Tensors{x[1] + 0};
        };
        Compiled compiled("f", f);
        const Tensors x{base.slice(0, 0, 2), base.slice(0, 1, 3)};
        Floats out = numbers(compile ? compiled(x)[0] : f(x)[0]);
        for (float v : numbers(base)) out.push_back(v);
        return out;
    };
    CHECK(run(false) == Floats{20, 3, 10, 20, 3});
    CHECK(run(true) == run(false));
}

TEST_CASE("an argument that is a part of a tensor which the function also names") {
    const auto run = [](bool compile) {
        Tensor base = tensor(Floats{1, 2, 3});
        const Compiled::Function f = [&](const Tensors& x) {
            Tensor y = x[0];
            y.mul_(10);
            return Tensors{base.sum()};
        };
        Compiled compiled("f", f);
        const Tensors x{base.slice(0, 0, 2)};
        return numbers(compile ? compiled(x)[0] : f(x)[0]);
    };
    CHECK(run(false) == Floats{33});
    CHECK(run(true) == Floats{33});
}

TEST_CASE("a .grad is a slot: its presence is a guard only if it was read before it was set") {
    Tensor w = leaf({1});
    Compiled accumulates("f", [&](const Tensors&) {
        (w * 2).sum().backward();
        return Tensors{};
    });
    accumulates({});
    CHECK(numbers(w.grad()) == Floats{2});
    accumulates({});
    accumulates({});
    CHECK(numbers(w.grad()) == Floats{6});
    CHECK(accumulates.traces().size() == 2);
    CHECK(contains(accumulates.explain(), "a .grad that was None is there now"));
    w.set_grad({});
    accumulates({});
    CHECK(numbers(w.grad()) == Floats{2});
    CHECK(accumulates.traces().size() == 2);

    Compiled starts_anew("g", [&](const Tensors&) {
        w.set_grad({});
        (w * 3).sum().backward();
        return Tensors{};
    });
    starts_anew({});
    w.set_grad({});
    starts_anew({});
    CHECK(numbers(w.grad()) == Floats{3});
    CHECK(starts_anew.traces().size() == 1);
}

TEST_CASE("an argument's .grad is the argument's of each call") {
    Compiled f("f", [](const Tensors& x) {
        (x[0] * x[0]).sum().backward();
        return Tensors{};
    });
    Tensor a = leaf({1}), b = leaf({5});
    f({a});
    f({b});
    f({a});
    CHECK(numbers(a.grad()) == Floats{4});
    CHECK(numbers(b.grad()) == Floats{10});
}

TEST_CASE("a captured tensor that became a leaf is another program") {
    Tensor w = tensor(Floats{2});
    Compiled f("f", [&](const Tensors& x) { return Tensors{(x[0] * w).sum()}; });
    const Tensor x = tensor(Floats{3});
    CHECK_FALSE(f({x})[0].requires_grad());
    w.requires_grad_();
    f({x})[0].backward();
    CHECK(numbers(w.grad()) == Floats{3});
    CHECK(f.traces().size() == 2);
}

TEST_CASE("functions of no arguments, of empty tensors, and that return what they were given") {
    Compiled none("f", [](const Tensors&) { return Tensors{ones({2})}; });
    CHECK(numbers(none({})[0]) == Floats{1, 1});
    Compiled same("f", [](const Tensors& x) { return Tensors{x[0], x[0], Tensor{}}; });
    const Tensor x = tensor(Floats{1, 2});
    const Tensors out = same({x});
    CHECK(numbers(out[0]) == Floats{1, 2});
    CHECK(numbers(out[1]) == Floats{1, 2});
    CHECK_FALSE(out[2].defined());
    CHECK(out[0].same(x));
    CHECK(out[1].same(x));
    CHECK(same({zeros({0, 3})})[0].shape() == Dims{0, 3});
    Compiled viewed("f", [](const Tensors& y) { return Tensors{y[0].t()}; });
    CHECK(numbers(viewed({tensor({{1, 2}, {3, 4}})})[0]) == Floats{1, 3, 2, 4});
    Compiled whole("f", [](const Tensors& y) {
        return Tensors{gt(y[0], 1), cast(y[0], DType::int64)};
    });
    CHECK(whole({x})[0].dtype() == DType::boolean);
    CHECK(numbers(whole({x})[1]) == Floats{1, 2});
}

TEST_CASE("random numbers inside are those that the tape would have drawn") {
    const auto f = [](const Tensors&) {
        const Tensor a = rand({3});
        return Tensors{a, randn({2}), rand({1}) + a};
    };
    Compiled compiled("f", f);
    manual_seed(7);
    std::vector<Floats> tape, program;
    for (int i = 0; i < 3; ++i)
        for (const Tensor& t : f({})) tape.push_back(numbers(t));
    tape.push_back(numbers(rand({2})));
    manual_seed(7);
    for (int i = 0; i < 3; ++i)
        for (const Tensor& t : compiled({})) program.push_back(numbers(t));
    program.push_back(numbers(rand({2})));
    CHECK(tape == program);
    CHECK(compiled.traces().size() == 1);
}

TEST_CASE("constant bakes a value in, and Eagerly steps out while a trace is written") {
    Tensor w = tensor(Floats{2});
    int stepped_out = 0;
    Compiled f("f", [&](const Tensors& x) {
        {
            const Eagerly now;
            stepped_out += static_cast<int>(w.item<float>());
        }
        return Tensors{x[0] * constant(w) + w};
    });
    CHECK(numbers(f({tensor(Floats{10})})[0]) == Floats{22});
    w.fill_(5);
    CHECK(numbers(f({tensor(Floats{10})})[0]) == Floats{25});
    CHECK(stepped_out == 2);
}

TEST_CASE("a compiled function that calls another writes its lines into one program") {
    Compiled inner("inner", twice);
    Compiled outer("outer", [&](const Tensors& x) { return Tensors{inner({x[0] + 1})[0].sum()}; });
    Tensor x = leaf({1, 2});
    const Tensor y = outer({x})[0];
    CHECK(y.item<float>() == 10);
    y.backward();
    CHECK(numbers(x.grad()) == Floats{2, 2});
    CHECK(inner.traces().empty());
    Graph graph;
    Tensor p, z;
    {
        const GraphScope open(graph);
        p = placeholder("p", {2});
        z = inner({p})[0];
    }
    Session session(graph);
    CHECK(numbers(session.run({z}, {{p, tensor(Floats{3, 4})}})[0]) == Floats{6, 8});
}
