#include "core/function.h"

#include <doctest/doctest.h>

#include "core/backward.h"
#include "graph/compile.h"
#include "tests/core/ops/table.h"
#include "tests/values.h"

namespace tg::test {
namespace {

// a^2 b, with its gradient by hand.
Tensor f_function(const Tensors& t) {
    return function(
        "area",
        [](ForwardPass& pass, const Tensors& x) {
            pass.save(x[0]);
            pass.save(x[1]);
            return Tensors{x[0] * x[0] * x[1]};
        },
        [](BackwardPass& pass) {
            const Tensor a = pass.saved(0), b = pass.saved(1), g = pass.g(0);
            return Tensors{2 * a * b * g, a * a * g};
        },
        t)[0];
}

// exp x, whose backward is said to be ten times that.
Tensor tenfold(const Tensor& x) {
    return function(
        "tenfold",
        [](ForwardPass& pass, const Tensors& in) {
            const Tensor y = exp(in[0]);
            pass.save(y);
            return Tensors{y};
        },
        [](BackwardPass& pass) { return Tensors{10 * pass.saved(0) * pass.g(0)}; }, {x})[0];
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

Tensors identity(ForwardPass&, const Tensors& x) { return {x[0] * 1}; }

}  // namespace

std::vector<Row> function_rows() {
    return {{.op = "function",
             .f = f_function,
             .inputs = {{{2}, {1, 2}}, {{2}, {3, -4}}},
             .expected = {{2}, {3, -16}},
             .misuse =
                 [] {
                     function(
                         "nothing", [](ForwardPass&, const Tensors&) { return Tensors{Tensor()}; },
                         [](BackwardPass&) { return Tensors{}; }, {ones({2})});
                 },
             .error = "nothing: output 0 of its forward is no tensor"}};
}

}  // namespace tg::test

using namespace tg;
using namespace tg::test;

TEST_CASE("function: values, derivatives, programs and errors") {
    for (const Row& row : function_rows()) check(row);
}

TEST_CASE("a function's own gradient is asked, on the tape and in every program") {
    Tensor x = leaf({0, 1});
    const Floats expected = numbers(10 * exp(x.detach()));
    CHECK(numbers(grad_of(tenfold(x).sum(), x)) == expected);
    for (const Executor e : {Executor::lines, Executor::planned, Executor::fused}) {
        Compiled outside("outside", [](const Tensors& in) { return Tensors{tenfold(in[0]).sum()}; },
                         {.executor = e});
        CHECK(numbers(grad_of(outside({x})[0], x)) == expected);
        Compiled inside(
            "inside",
            [](const Tensors& in) { return Tensors{grad_of(tenfold(in[0]).sum(), in[0])}; },
            {.executor = e});
        CHECK(numbers(inside({x})[0]) == expected);
        const std::string written = outside.traces()[0].written->text();
        CHECK(contains(written, "= function %"));
        CHECK(contains(written, "function = tenfold"));
        CHECK(contains(written, "= exp %"));
    }
}

TEST_CASE("a function's node has its name, and its second derivative is that of its backward") {
    Tensor x = leaf({1});
    const Tensor y = tenfold(x);
    CHECK(contains(tape_text(y), "tenfold"));
    const Tensor g = grad_of(y, x, true);
    CHECK(numbers(grad_of(g, x)) == numbers(100 * exp(x.detach())));
}

TEST_CASE("what a function's backward returns must fit its inputs") {
    Tensor x = leaf({1, 2});
    const auto returning = [&](const Tensors& gradients) {
        return error_of([&] {
            function("wrong", identity, [=](BackwardPass&) { return gradients; }, {x})[0]
                .sum()
                .backward();
        });
    };
    CHECK(contains(returning({}),
                   "): its backward returned 0 gradients, but its forward was given "
                   "1 tensor"));
    CHECK(contains(returning({ones({3})}),
                   "): its backward returned a gradient of shape (3,) for "
                   "input 0, which has shape (2,)"));
    CHECK(contains(returning({ones({2}, {DType::int64})}),
                   "): its backward returned a gradient of int64 on cpu for input 0, which is "
                   "float32 on cpu"));
    CHECK(returning({Tensor()}) == "no error");
    CHECK_FALSE(x.grad().defined());
    CHECK(returning({ones({3, 2})}) == "no error");  // sums up to the input's shape
    CHECK(numbers(x.grad()) == Floats{3, 3});
}

TEST_CASE("a saved value that was written since is an error that names the function") {
    Tensor x = leaf({1, 2});
    Tensor y = tenfold(x);
    const Tensor z = y.sum();
    y.mul_(2);
    CHECK(contains(error_of([&] { z.backward(); }), "tenfold (function_test.cc:"));
}

TEST_CASE("an output that forward shares with its input is copied") {
    const auto f = [](const Tensors& in) {
        Tensor x = in[0] * 1;
        const Tensors y = function(
            "same",
            [](ForwardPass&, const Tensors& v) {
                return Tensors{v[0], v[0].reshape({-1})};
            },
            [](BackwardPass& pass) { return Tensors{pass.g(0) + pass.g(1)}; }, {x});
        Tensor first = y[0];
        first.mul_(5);
        return Tensors{x.clone(), first, y[1].clone()};
    };
    Tensor w = leaf({1, 2});
    Compiled compiled("f", f);
    for (const Tensors& y : {f({w}), compiled({w})}) {
        CHECK(numbers(y[0]) == Floats{1, 2});
        CHECK(numbers(y[1]) == Floats{5, 10});
        CHECK(numbers(y[2]) == Floats{1, 2});
    }
}
