// Exercises of lesson 3. Fill in the three functions below, and run this program:
//
//     ./dev lesson lesson_03_build_then_run_practice
//
// It says of each whether it is solved. practice.ipynb has the same exercises in Python.
#include "tutorials/check.h"

using namespace tg;
using namespace lesson;

// ==== your code: from here ====

// Exercise 1. Called while a graph is open: write down the mean of the absolute differences of x
// and target, and return it.
Tensor mean_distance(const Tensor& x, const Tensor& target) {
    (void)x, (void)target;
    not_solved();
}

// Exercise 2. Called while a graph is open: return something such that each run that fetches it
// adds `amount` to `total`, and gives the new total.
Tensor adding(const Tensor& total, const Tensor& amount) {
    (void)total, (void)amount;
    not_solved();
}

// Exercise 3. Called while a graph is open: one step of gradient descent with momentum, as two
// things to fetch: the new speed, 0.9 speed + dloss/dw, and the new w, w - rate * (the new speed).
// Mind what a read of `speed` sees.
std::vector<Tensor> momentum_step(const Tensor& loss, const Tensor& w, const Tensor& speed,
                                  const Tensor& rate) {
    (void)loss, (void)w, (void)speed, (void)rate;
    not_solved();
}

// ==== your code: to here ====

int main() {
    exercise("a loss, written down", [] {
        Graph graph;
        Tensor x, target, distance;
        {
            GraphScope open(graph);
            x = placeholder("x", {None});
            target = placeholder("target", {None});
            distance = mean_distance(x, target);
        }
        Session session(graph);
        const Tensor a = tensor(std::vector<float>{1, 2, 3, 4});
        const Tensor b = tensor(std::vector<float>{2, 2, 2, 0});
        const Tensor got = session.run({distance}, {{x, a}, {target, b}})[0];
        expect(digits(got), "1.5", "abs(x - target).mean()");
    });
    exercise("a total that grows", [] {
        Graph graph;
        Tensor total = scalar_tensor(100.0);
        Tensor amount, added;
        {
            GraphScope open(graph);
            amount = placeholder("amount", {});
            added = adding(total, amount);
        }
        Session session(graph);
        for (const double n : {1.0, 20.0}) session.run({added}, {{amount, scalar_tensor(n)}});
        expect(digits(total), "121", "assign(total, ...)");
        const Tensor last = session.run({added}, {{amount, scalar_tensor(300.0)}})[0];
        expect(digits(last), "421", "what assign returns is the new value");
    });
    exercise("momentum", [] {
        Graph graph;
        Tensor w = scalar_tensor(8.0, {.requires_grad = true});
        const Tensor speed = scalar_tensor(0.0), rate = scalar_tensor(0.25);
        std::vector<Tensor> step;
        {
            GraphScope open(graph);
            const Tensor loss = w * w;
            step = momentum_step(loss, w, speed, rate);
        }
        expect(step.size(), 2, "the new speed and the new w");
        Session session(graph);
        session.run(step);
        expect(digits(speed), "16", "0.9 * 0 + 2 * 8");
        expect(digits(w), "4", "8 - 0.25 * 16: not the old speed, which was 0");
        session.run(step);
        expect(rounded(speed), "22.4000", "0.9 * 16 + 2 * 4");
        expect(rounded(w), "-1.6000", "4 - 0.25 * 22.4");
    });
    return done();
}
