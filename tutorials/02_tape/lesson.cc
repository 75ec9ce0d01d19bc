// Lesson 2: the tape. Every op that runs leaves a line behind, and backward() walks the lines.
//
// Read README.md first, then step through this program: ./dev gdb 2, and `start`, `next`; there
// `tape c` prints the tape of c. lesson.ipynb does the same in Python and prints the same lines.
#include <cmath>

#include "tutorials/check.h"

using namespace tg;
using namespace lesson;

namespace {

Tensor variable(double value, DType dtype = DType::float32) {
    return scalar_tensor(value, {.dtype = dtype}).requires_grad_();
}

bool near(const Tensor& x, double value) { return std::fabs(x.item<double>() - value) < 1e-3; }

}  // namespace

int main() {
    say("1. A tape is a list of lines");
    Tensor a = variable(1);
    const Tensor b = a + a;  // runs now, and is written down: b has a value and a node
    const Tensor c = b + b;
    say("c = ", text(c));
    block(tape_text(c));
    // backward() goes over the lines from the last to the first. A line hands its gradient on only
    // when it has received all of it: %1 is used twice by %2, so it waits for 1 + 1 = 2, and then
    // hands 2 to a twice. An engine that hands on what comes first, or overwrites, gives 1 or 2.
    c.backward();
    say("dc/da = ", text(a.grad()));
    check(near(a.grad(), 4));

    say("2. The example of micrograd");
    Tensor p = variable(-4, DType::float64);
    Tensor q = variable(2, DType::float64);
    Tensor u = p + q;
    Tensor v = p * q + pow(q, 3);
    u = u + (u + 1);
    u = u + (1 + u + (-p));
    v = v + (v * 2 + relu(q + p));
    v = v + (3 * v + relu(q - p));
    const Tensor e = u - v;
    const Tensor f = e * e;
    const Tensor g = f / 2 + 10 / f;
    say("g     = ", rounded(g));
    const std::int64_t nodes = node_count();
    g.backward();
    say("dg/dp = ", rounded(p.grad()));
    say("dg/dq = ", rounded(q.grad()));
    check(near(g, 24.7041) && near(p.grad(), 138.8338) && near(q.grad(), 645.5773));
    // The tape goes with the tensors that need it, not with backward().
    check(node_count() == nodes);

    say("3. The tape is written by what runs, so an if and a loop are just C++ or Python");
    const auto halve_until_small = [](Tensor x) {
        while (x.item<double>() > 1) x = x * 0.5;  // how often? That depends on the number
        return x;
    };
    for (const double start : {3.0, 100.0}) {
        Tensor x = variable(start);
        const std::int64_t before = nodes_made();
        const Tensor y = halve_until_small(x);
        const std::int64_t lines = nodes_made() - before;
        y.backward();
        say("from ", start, ": ", lines, " lines, dy/dx = ", text(x.grad()));
        check(near(x.grad(), std::pow(0.5, static_cast<double>(lines))));
    }

    say("4. Gradients add up in .grad until you clear them");
    Tensor w = variable(5);
    (w * 3).backward();
    (w * 4).backward();
    say("after two backwards: ", text(w.grad()));
    check(near(w.grad(), 7));
    w.set_grad({});
    (w * 4).backward();
    say("cleared in between:  ", text(w.grad()));
    check(near(w.grad(), 4));

    say("5. backward() frees what the lines kept");
    const Tensor square = w * w;  // keeps both of its inputs: d(w w) = w + w
    square.backward();
    say(error_of([&] { square.backward(); }));
    const Tensor again = w * w;
    again.backward({}, /*retain_graph=*/true);
    again.backward();
    check(near(w.grad(), 4 + 10 + 10 + 10));

    say("6. A value that the tape kept must not be overwritten");
    Tensor x = variable(1);
    Tensor y = exp(x);  // keeps its output: the derivative of exp is exp
    y.add_(1);          // changes it in place
    say(error_of([&] { y.backward(); }));
    const Tensor fixed = exp(x) + 1;  // a new tensor, and the old one is still there
    fixed.backward();
    say("the fix: dy/dx = ", text(x.grad()));
    check(near(x.grad(), std::exp(1.0)));

    say("7. Nothing is written down under NoGrad, or after detach()");
    {
        const NoGrad off;
        const Tensor z = w * w;
        say("under NoGrad, requires_grad: ", yes_no(z.requires_grad()));
        check(!z.requires_grad());
    }
    const Tensor half_stopped = w * w.detach();  // as if the second w were a number
    w.set_grad({});
    half_stopped.backward();
    say("d(w * w.detach())/dw = ", text(w.grad()));
    check(near(w.grad(), 5));

    say("8. Gradient rules are ops too, so they can be on a tape themselves");
    Tensor t = variable(3);
    const Tensor cube = t * t * t;
    const Tensor first = grad({&cube, 1}, {&t, 1}, {}, {.create_graph = true})[0];
    const Tensor second = grad({&first, 1}, {&t, 1})[0];
    say("t^3 at 3: first derivative ", digits(first), ", second ", digits(second));
    check(near(first, 27) && near(second, 18));
    return done();
}
