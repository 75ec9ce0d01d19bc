// Lesson 3: build first, run later, as in TensorFlow 1.
//
// Inside a graph an op is written down and does not run. A session then runs the lines that lead
// to what you ask for, on the numbers that you feed. The ops are those of lessons 1 and 2; only
// when they run has changed. lesson.ipynb does the same in Python and prints the same lines.
#include <cmath>

#include "tutorials/check.h"

using namespace tg;
using namespace lesson;

int main() {
    say("1. Inside a graph nothing runs");
    Tensor w = tensor({{1}, {2}});  // a variable: an ordinary tensor, made outside
    w.requires_grad_();
    Graph graph;
    Tensor x, y, loss, target;
    const std::int64_t ran = ops_run();
    {
        GraphScope open(graph);  // until the end of this block, ops are written down
        x = placeholder("x", {None, 2});
        target = placeholder("target", {None, 1});
        y = matmul(x, w);
        const Tensor error = y - target;
        loss = (error * error).mean();
    }
    check(ops_run() == ran);
    // Printing a node shows a node: it has a shape and a line, but no numbers. The number of rows
    // is not known either, only that x, y and error have the same.
    say(text(y));
    say(error_of([&] { loss.item<float>(); }));
    block(graph.text());

    say("2. A session runs what you fetch, on what you feed");
    // Executor::lines runs one line after another, as they are written. Lesson 4 has faster ones.
    Session session(graph, Executor::lines);
    const Tensor two_rows = tensor({{1, 1}, {3, 4}});
    const Tensor three_rows = tensor({{1, 0}, {0, 1}, {2, 2}});
    const Tensor y_of_two = session.run({y}, {{x, two_rows}})[0];
    say(text(y_of_two), " after ", session.lines_run(), " lines");
    const Tensor y_of_three = session.run({y}, {{x, three_rows}})[0];
    say(text(y_of_three));
    check(y_of_two[1][0].item<float>() == 11 && y_of_three.size(0) == 3);

    say("3. Only the lines that the fetch needs are run");
    // y did not need `target`, so it was not asked for. loss does.
    say(error_of([&] { session.run({loss}, {{x, two_rows}}); }));
    const Tensor wanted = tensor({{2}, {10}});
    const Tensor value = session.run({loss}, {{x, two_rows}, {target, wanted}})[0];
    say("loss = ", digits(value), " after ", session.lines_run(), " lines");
    check(value.item<float>() == 1);
    say(error_of([&] { session.run({y}, {{x, wanted}}); }));

    say("4. Gradients and updates are lines, too");
    Tensor rate = scalar_tensor(0.05);  // a variable: read at every run
    Tensor train;
    {
        GraphScope open(graph);
        const Tensor dw = gradients(loss, {w})[0];
        train = assign(w, w - rate * dw);
    }
    // assign does not change w now, it writes down that a run that fetches it will.
    say("w = ", text(w.detach().t()));
    for (int i = 1; i <= 5; ++i) {
        const std::vector<Tensor> out =
            session.run({loss, train}, {{x, two_rows}, {target, wanted}});
        say("run ", i, ": loss ", digits(out[0]), " after ", session.lines_run(), " lines");
    }
    say("w = ", text(w.detach().t()));

    say("5. What is read and what is baked in");
    // A tensor from outside is read at each run. A number is part of the program's text.
    rate.fill_(0);
    const Tensor before = w.detach().clone();
    session.run({train}, {{x, two_rows}, {target, wanted}});
    const double moved = abs(w.detach() - before).sum().item<double>();
    say("rate is a tensor, and now 0: w moved by ", moved);
    check(moved == 0);
    double factor = 2;
    Tensor scaled;
    {
        GraphScope open(graph);
        scaled = y * factor;
    }
    factor = 1000;  // too late: the line says `mul %n 2.0`
    const Tensor first = session.run({y}, {{x, two_rows}})[0];
    const Tensor product = session.run({scaled}, {{x, two_rows}})[0];
    say("factor was 2 when the line was written, and is ", factor, " now; y is multiplied by ",
        digits(product[0][0] / first[0][0]));
    check(product[0][0].item<float>() == 2 * first[0][0].item<float>());

    say("6. All reads see the start of the run");
    Tensor count = scalar_tensor(10.0);
    Tensor next, twice;
    {
        GraphScope open(graph);
        next = assign(count, count + 1);
        twice = count * 2;
    }
    for (int i = 0; i < 2; ++i) {
        const std::vector<Tensor> out = session.run({next, twice});
        say("next ", digits(out[0]), ", twice ", digits(out[1]));  // twice the count of the start
    }
    session.run({twice});  // does not fetch the assignment, so count stays
    say("count = ", digits(count));
    check(count.item<float>() == 12);
    return done();
}
