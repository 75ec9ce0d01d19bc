// Lesson 5: an op of your own, with a gradient of your own, and how to find out that it is wrong.
//
// Read README.md first, then step through this program: ./dev gdb 5, and `start`, `next`.
// lesson.ipynb does the same in Python and prints the same lines.
#include <algorithm>
#include <cmath>

#include "tutorials/check.h"

using namespace tg;
using namespace lesson;

namespace {

using Tensors = std::vector<Tensor>;
using Curve = std::function<Tensor(const Tensor&)>;

Tensor leaf(std::initializer_list<Braces> numbers, DType dtype = DType::float64) {
    return tensor(numbers, {.dtype = dtype}).requires_grad_();
}

// ln(1 + e^x), in the ops that the formula names.
Tensor by_rules(const Tensor& x) { return log(1 + exp(x)); }

int backwards = 0;  // how often the lines of softplus's backward have run

// The same as an op of our own:  y = ln(1 + e^x)  =>  dx = g sigmoid(x)
Tensor own_softplus(const Tensor& input) {
    return function(
        "Softplus",
        [](ForwardPass& pass, const Tensors& in) {
            const Tensor& x = in[0];
            pass.save(x);
            // e^x may be too large for a float; e^-|x| is at most 1.
            const Tensor above = maximum(x, 0);
            return Tensors{above + log1p(exp(-abs(x)))};
        },
        [](BackwardPass& pass) {
            ++backwards;
            return Tensors{pass.g(0) * sigmoid(pass.saved(0))};
        },
        {input})[0];
}

// A gradient that is wrong in one way: it gives dy/dx, and does not multiply by what came in.
Tensor without_g(const Tensor& input) {
    return function(
        "without_g",
        [](ForwardPass& pass, const Tensors& in) {
            pass.save(in[0]);
            return Tensors{in[0] * in[0]};
        },
        [](BackwardPass& pass) { return Tensors{2 * pass.saved(0)}; }, {input})[0];
}

// And in another: x^2's derivative is 2x, not x.
Tensor half(const Tensor& input) {
    return function(
        "half",
        [](ForwardPass& pass, const Tensors& in) {
            pass.save(in[0]);
            return Tensors{in[0] * in[0]};
        },
        [](BackwardPass& pass) { return Tensors{pass.g(0) * pass.saved(0)}; }, {input})[0];
}

// To the nearest integer; its gradient passes as if it were not there.
Tensor straight_through(const Tensor& input) {
    return function(
        "straight_through", [](ForwardPass&, const Tensors& in) { return Tensors{round(in[0])}; },
        [](BackwardPass& pass) { return Tensors{pass.g(0)}; }, {input})[0];
}

// gradcheck: the largest difference between what backward gives for x (n,) and central differences
// of width 2h. Each result counts with a weight of its own, so that g is not 1 everywhere.
double largest_error(const Curve& op, const Tensor& x, const Tensor& weight, double h = 1e-6) {
    const auto loss = [&](const Tensor& at) { return (op(at) * weight).sum(); };
    const Tensor y = loss(x);
    const Tensor found = grad({&y, 1}, {&x, 1})[0];
    double largest = 0;
    for (std::int64_t i = 0; i < x.numel(); ++i) {
        Tensor up = x.detach().clone(), down = x.detach().clone();
        up[i].add_(h);
        down[i].add_(-h);
        const double slope = (loss(up).item<double>() - loss(down).item<double>()) / (2 * h);
        largest = std::max(largest, std::fabs(found[i].item<double>() - slope));
    }
    return largest;
}

const char* verdict(double error) { return error < 1e-5 ? "right" : "WRONG"; }

// Twenty steps of descent on (op(w) - 2)^2; the loss before the first and after the last.
void descend(const char* name, const Curve& op) {
    Tensor w = leaf({3, -2.5});
    Tensor loss;
    std::string first;
    for (int i = 0; i <= 20; ++i) {
        const Tensor error = op(w) - 2;
        loss = (error * error).sum();
        if (i == 0) first = rounded(loss);
        w.set_grad({});
        loss.backward();
        const NoGrad off;
        w.sub_(0.01 * w.grad());
    }
    say(name, ": loss ", first, ", after 20 steps ", rounded(loss));
}

}  // namespace

int main() {
    say("1. Where the rules of the parts are not enough");
    // e^100 is infinite in float32. The rules multiply infinity by 1 / infinity.
    Tensor x = leaf({-1, 0, 100}, DType::float32);
    Tensor y = by_rules(x);
    y.sum().backward();
    say("value    ", text(y.detach()));
    say("gradient ", text(x.grad()));
    check(std::isnan(x.grad()[2].item<double>()));

    say("2. An op of our own: a forward that is any code, a backward that is its gradient");
    x.set_grad({});
    y = own_softplus(x);
    y.sum().backward();
    say("value    ", text(y.detach()));
    say("gradient ", text(x.grad()));
    check(x.grad()[1].item<double>() == 0.5 && x.grad()[2].item<double>() == 1);
    // The ops of forward are on no tape. One line is written down, and it has our name.
    say("requires_grad: ", yes_no(y.requires_grad()));
    block(tape_text(own_softplus(x)));

    say("3. Is it right? Differences say so");
    const Tensor at = leaf({-2, -0.5, 0.25, 3});
    const Tensor weight = tensor({1, -2, 3, 0.5}, {.dtype = DType::float64});
    const Tensor ones_everywhere = ones({4}, {.dtype = DType::float64});
    say("softplus: ", verdict(largest_error(own_softplus, at, weight)));
    check(largest_error(own_softplus, at, weight) < 1e-8);

    say("4. Two gradients that are wrong");
    // A weight of 1 everywhere is what y.sum() gives: it cannot see that g is forgotten.
    for (const auto& [name, op] : {std::pair<const char*, Curve>{"without g", without_g},
                                   std::pair<const char*, Curve>{"half     ", half}}) {
        say(name, ": ", verdict(largest_error(op, at, ones_everywhere)), " for y.sum(), ",
            verdict(largest_error(op, at, weight)), " for a weighted sum, off by ",
            rounded(scalar_tensor(largest_error(op, at, weight))));
    }
    check(largest_error(without_g, at, ones_everywhere) < 1e-5);
    check(largest_error(without_g, at, weight) > 1 && largest_error(half, at, weight) > 1);

    say("5. Training does not tell you");
    // Half the gradient goes the same way at half the speed, and without g it goes at its own.
    descend("right    ", [](const Tensor& w) { return w * w; });
    descend("half     ", half);
    descend("without g", without_g);

    say("6. Differences need all 16 digits");
    // Two values that differ by 2e-6 of themselves are nearly the same float32.
    const Tensor single = leaf({-2, -0.5, 0.25, 3}, DType::float32);
    const Tensor narrow = weight.to(DType::float32);
    say("softplus in float32, h = 1e-6: ", verdict(largest_error(own_softplus, single, narrow)));
    check(largest_error(own_softplus, single, narrow) > 1e-3);

    say("7. In a compiled function");
    backwards = 0;
    Compiled fast("value_and_gradient", [](const Tensors& in) {
        const Tensor value = own_softplus(in[0]);
        return Tensors{value, grad({&value, 1}, {&in[0], 1}, {&in[1], 1})[0]};
    });
    const Tensor on_tape = own_softplus(at);
    const Tensor tape_gradient = grad({&on_tape, 1}, {&at, 1}, {&weight, 1})[0];
    Tensors both;
    for (int i = 0; i < 3; ++i) both = fast({at, weight});
    say("values equal to the last bit: ", yes_no(equal(on_tape, both[0])));
    say("gradients, too: ", yes_no(equal(tape_gradient, both[1])));
    say("backward's lines ran ", backwards, " times: 1 on the tape, 1 for 3 compiled calls");
    block(fast.traces()[0].improved->text());
    check(equal(on_tape, both[0]) && equal(tape_gradient, both[1]) && backwards == 2);

    say("8. A backward that is made of ops has a gradient, too");
    const Tensor zero = leaf({0});
    const Tensor s = own_softplus(zero).sum();
    const Tensor first = grad({&s, 1}, {&zero, 1}, {}, {.create_graph = true})[0].sum();
    const Tensor second = grad({&first, 1}, {&zero, 1})[0];
    say("softplus at 0: first derivative ", digits(first), ", second ", digits(second[0]));
    check(second[0].item<double>() == 0.25);

    say("9. Wrong on purpose");
    // Rounding is flat: its derivative is 0, and nothing before it would ever learn.
    Tensor r = leaf({0.2, 0.7});
    straight_through(r).sum().backward();
    say("straight through: value ", text(straight_through(r).detach()), ", gradient ",
        text(r.grad()));
    say("differences call it ", verdict(largest_error(straight_through, at, weight)),
        ", and they are right");
    return done();
}
