#include <doctest/doctest.h>

#include "graph/graph.h"
#include "tests/values.h"

using namespace tg;
using namespace tg::test;

TEST_CASE("a graph runs what is fetched, on what is fed") {
    Tensor w = leaf({2, 3});
    Graph g;
    Tensor x, y, z;
    {
        GraphScope open(g);
        x = placeholder("x", {None, 2});
        y = (x * w).sum(1);
        z = exp(y);
    }
    CHECK(y.shape()[0] < 0);
    Session session(g);
    CHECK(numbers(session.run({y}, {{x, ones({2, 2})}})[0]) == Floats{5, 5});
    CHECK(numbers(session.run({y}, {{x, ones({1, 2})}})[0]) == Floats{5});
    const std::int64_t few = session.program({y})->lines.size();
    CHECK(session.program({z})->lines.size() == static_cast<std::size_t>(few + 1));
}

TEST_CASE("two fetches of which one assigns: reads see the start") {
    Tensor v = tensor(Floats{1});
    Graph g;
    Tensor next, read;
    {
        GraphScope open(g);
        next = assign(v, v + 1);
        read = v * 10;
    }
    Session session(g);
    const std::vector<Tensor> out = session.run({next, read});
    CHECK(numbers(out[0]) == Floats{2});
    CHECK(numbers(out[1]) == Floats{10});
    CHECK(numbers(v) == Floats{2});
    session.run({read});
    CHECK(numbers(v) == Floats{2});
}

TEST_CASE("gradients are written down, and training by assign reaches the tape's weights") {
    Tensor w = leaf({1, 2});
    Graph g;
    Tensor x, step;
    {
        GraphScope open(g);
        x = placeholder("x", {None, 2});
        const Tensor loss = ((x * w) * (x * w)).mean();
        step = assign(w, w - gradients(loss, {w})[0] * 0.1);
    }
    Session session(g);
    Tensor v = leaf({1, 2});
    for (int i = 0; i < 3; ++i) {
        const Tensor batch = full({4, 2}, 0.5 + i);
        session.run({step}, {{x, batch}});
        const Tensor loss = ((batch * v) * (batch * v)).mean();
        const Tensor d = grad_of(loss, v);
        const NoGrad mode;
        v.sub_(d * 0.1);
    }
    CHECK(numbers(w) == numbers(v));
}

TEST_CASE("feeds that are missing, misfit or misplaced are named") {
    Graph g;
    Tensor x, y;
    {
        GraphScope open(g);
        x = placeholder("x", {None, 2});
        y = x + 1;
    }
    Session session(g);
    CHECK(error_of([&] { session.run({y}); }).find("placeholder 'x' (session_test.cc:") !=
          std::string::npos);
    CHECK(error_of([&] {
              session.run({y}, {{x, ones({3, 3})}});
          }).find("was fed (3, 3)") != std::string::npos);
    CHECK(error_of([&] {
              session.run({y}, {{y, ones({3, 2})}});
          }).find("only placeholders") != std::string::npos);
    CHECK(error_of([&] { placeholder("z", {2}); }).find("no graph is open") != std::string::npos);
}

TEST_CASE("an in-place write to an older tensor inside a graph is an error") {
    Tensor v = tensor(Floats{1});
    Graph g;
    GraphScope open(g);
    CHECK(error_of([&] { v.add_(1); }).find("use assign") != std::string::npos);
}
