// Dims that are not known while a graph is built: they go through shape rules, and are bound when
// fed.
#include "graph/capture.h"

#include <doctest/doctest.h>

#include "graph/graph.h"
#include "tests/values.h"

using namespace tg;
using namespace tg::test;

namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// f of a placeholder (None, 3), for batches of 1, 2 and 4, is the tape's f of the batch.
void check_batches(const std::function<Tensor(const Tensor&)>& f) {
    Graph graph;
    Tensor x, y;
    {
        const GraphScope open(graph);
        x = placeholder("x", {None, 3});
        y = f(x);
    }
    for (const Executor e : {Executor::lines, Executor::planned, Executor::fused}) {
        Session session(graph, e);
        for (std::int64_t n : {2, 1, 4, 2}) {
            const Tensor batch = reshape(cast(arange(3 * n), DType::float32), {n, 3}) * 0.25;
            const Tensor out = session.run({y}, {{x, batch}})[0];
            const Tensor tape = f(batch);
            CHECK(out.shape() == tape.shape());
            CHECK(numbers(out) == numbers(tape));
        }
    }
}

}  // namespace

TEST_CASE("ops on a dim that is not known give what they give once it is") {
    check_batches([](const Tensor& x) { return x * 2 + 1; });
    check_batches([](const Tensor& x) { return x.mean(); });
    check_batches([](const Tensor& x) { return x.mean(0); });
    check_batches([](const Tensor& x) { return x.sum(1, true); });
    check_batches([](const Tensor& x) { return x.reshape({-1}); });
    check_batches([](const Tensor& x) { return flatten(x.unsqueeze(1), 1); });
    check_batches([](const Tensor& x) { return softmax(x, 1); });
    check_batches([](const Tensor& x) { return matmul(x, ones({3, 2})); });
    check_batches([](const Tensor& x) { return x + tensor(std::vector<float>{1, 2, 3}); });
    check_batches([](const Tensor& x) { return x.t().select(0, 1); });
    check_batches([](const Tensor& x) { return argmax(x, 1); });
    check_batches([](const Tensor& x) { return x.expand({2, -1, 3}); });
}

TEST_CASE("a gradient is summed back over a dim that is not known") {
    Tensor w = leaf({1, 2, 3}), b = leaf({1});
    Graph graph;
    Tensor x, dw, db;
    {
        const GraphScope open(graph);
        x = placeholder("x", {None, 3});
        const Tensor loss = ((x * w).sum(1) + b).mean();
        const std::vector<Tensor> g = gradients(loss, {w, b});
        dw = g[0];
        db = g[1];
    }
    CHECK(dw.shape() == Dims{3});
    Session session(graph);
    for (std::int64_t n : {2, 4}) {
        const std::vector<Tensor> out = session.run({dw, db}, {{x, ones({n, 3})}});
        CHECK(numbers(out[0]) == Floats{1, 1, 1});
        CHECK(numbers(out[1]) == Floats{1});
    }
}

TEST_CASE("a misfit that shows when fed is named with the line that wrote the op") {
    Graph graph;
    Tensor x, y, z;
    {
        const GraphScope open(graph);
        x = placeholder("x", {None, 3});
        y = placeholder("y", {None, 3});
        z = x + y;
    }
    Session session(graph);
    CHECK(numbers(session.run({z}, {{x, ones({2, 3})}, {y, ones({2, 3})}})[0]).size() == 6);
    const std::string error = error_of([&] {
        session.run({z}, {{x, ones({2, 3})}, {y, ones({4, 3})}});
    });
    CHECK(contains(error,
                   "): shapes (2, 3) and (4, 3) do not broadcast: dim -2 is 2 and 4; make them "
                   "equal, or one of them 1"));
    CHECK(contains(error, "capture_test.cc:"));
}

TEST_CASE("the number of elements of a shape that is not known cannot be asked for") {
    Graph graph;
    const GraphScope open(graph);
    const Tensor x = placeholder("x", {None, 3});
    CHECK(text(x.shape()) == "(?, 3)");
    CHECK(contains(error_of([&] { (void)x.numel(); }),
                   "the number of elements of shape (?, 3) is not known until the graph runs"));
    CHECK(contains(error_of([&] { cat({x, x}).sum(); }), "no error"));
}
