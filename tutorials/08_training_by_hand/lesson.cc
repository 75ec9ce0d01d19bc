// Lesson 8: training by hand, and the ways in which a loop goes wrong.
//
// Read README.md first, then step through this program: ./dev gdb 8, and `start`, `next`.
// lesson.ipynb does the same in Python and prints the same lines.
#include <functional>

#include "tutorials/check.h"
#include "tutorials/data.h"

using namespace tg;
using namespace lesson;

namespace {

using Tensors = std::vector<Tensor>;

// A network 64-32-10. Its weights start uniform in +-1 / sqrt(inputs), as nn::Linear's do.
struct Net {
    Tensor w1, b1, w2, b2;

    Net() {
        manual_seed(8);
        w1 = (rand({64, 32}) * 2 - 1) / 8;
        b1 = zeros({32});
        w2 = (rand({32, 10}) * 2 - 1) / 5.65685425;
        b2 = zeros({10});
        for (Tensor w : weights()) w.requires_grad_();
    }
    Tensors weights() const { return {w1, b1, w2, b2}; }

    // Images (N, 64) -> a score for each digit (N, 10). Any numbers: cross_entropy has the softmax.
    Tensor scores(const Tensor& x) const { return matmul(tanh(matmul(x, w1) + b1), w2) + b2; }
    Tensor loss(const Tensor& x, const Tensor& y) const { return cross_entropy(scores(x), y); }
};

void zero_grad(const Net& net) {
    for (const Tensor& w : net.weights()) w.set_grad({});
}

void update(const Net& net, double rate) {
    const NoGrad off;  // the update is no part of what is differentiated
    for (Tensor w : net.weights()) w.sub_(w.grad() * rate);
}

// One step, all of it; gives the loss before the update, as a number.
double step(const Net& net, const Tensor& x, const Tensor& y, double rate) {
    const Tensor loss = net.loss(x, y);  // forward: the tape grows
    zero_grad(net);                      // the last step's gradients go
    loss.backward();                     // each weight gets a gradient
    update(net, rate);                   // each weight moves a little against it
    return loss.item<double>();
}

std::int64_t right(const Tensor& scores, const Tensor& y) {
    return sum(cast(argmax(scores, 1) == y, DType::int64)).item<std::int64_t>();
}

// All of x and y once, in batches of 32, in another order each time: an epoch.
std::vector<Tensors> shuffled(const Tensor& x, const Tensor& y) {
    std::vector<Tensors> batches;
    const Tensor order = randperm(x.size(0));
    for (const Tensor& chosen : split(order, 32))
        batches.push_back({index_select(x, 0, chosen), index_select(y, 0, chosen)});
    return batches;
}

// Drops half of h's numbers and doubles the rest, in training only.
struct Dropout final : nn::Module {
    Tensor operator()(const Tensor& h) {
        return is_training() ? h * cast(rand(h.shape()) < 0.5, DType::float32) * 2 : h;
    }
};

Tensor number(double x) { return scalar_tensor(x, {.dtype = DType::float64}); }

}  // namespace

int main() {
    // To train on, and to validate on: the second are never trained on.
    const auto [images, labels] = first_digits();
    const Tensor x = images.slice(0, 0, 320), y = labels.slice(0, 0, 320);
    const Tensor x_val = images.slice(0, 320, 400), y_val = labels.slice(0, 320, 400);
    const Tensor xb = x.slice(0, 0, 32), yb = y.slice(0, 0, 32);  // one batch

    say("1. One step, and what it does to which tensor");
    for (int row = 0; row < 8; ++row) {
        std::string line;
        for (int column = 0; column < 8; ++column)
            line += x[0][8 * row + column].item<double>() > 0.4 ? '#' : '.';
        say(line);
    }
    say("label ", yb[0].item<int>());
    {
        const Net net;
        const Tensor &w = net.w2, weight = w.detach()[0][0];  // shares w's bytes
        const std::int64_t bytes = allocator::statistics().live, nodes = node_count();
        const auto tell = [&](const std::string& after) {
            say(after, ": weight ", rounded(weight), ", its gradient ",
                w.grad().defined() ? rounded(w.grad()[0][0]) : "none", ", ", node_count() - nodes,
                " nodes, ", allocator::statistics().live - bytes, " bytes more");
        };
        tell("start    ");
        {
            const Tensor loss = net.loss(xb, yb);
            tell("forward  ");
            say("the loss is ", rounded(loss),
                "; guessing gives log 10 = ", rounded(log(number(10))));
            loss.backward();
            tell("backward ");
            update(net, 0.5);
            tell("update   ");
            zero_grad(net);
            tell("zero_grad");
        }
        tell("loss gone");
        say("the loss now: ", rounded(net.loss(xb, yb)));
    }

    say("2. Gradients add up");
    {
        const Net net;
        net.loss(xb, yb).backward();
        const Tensor whole = net.w1.grad().clone();
        net.loss(xb, yb).backward();
        say("a second backward doubles .grad: ", yes_no(allclose(net.w1.grad(), whole * 2)));
        zero_grad(net);
        for (int half = 0; half < 2; ++half) {
            const Tensor xs = xb.slice(0, 16 * half, 16 * half + 16);
            (net.loss(xs, yb.slice(0, 16 * half, 16 * half + 16)) / 2).backward();
        }
        // Wanted here: a batch that is too large for memory, in two parts.
        const bool same = allclose(net.w1.grad(), whole, {.atol = 1e-7});
        say("two half batches give the whole one's: ", yes_no(same));
        check(same);
    }
    // A weight that shall become 1: the loss is (w - 1)^2.
    for (const bool zeroed : {true, false}) {
        Tensor w = zeros({}, {.requires_grad = true});
        std::string path;
        for (int i = 0; i < 25; ++i) {
            if (i % 3 == 0) path += " " + rounded(w);
            if (zeroed) w.set_grad({});
            ((w - 1) * (w - 1)).backward();
            const NoGrad off;
            w.sub_(w.grad() * 0.1);
        }
        say(zeroed ? "with zero_grad:   " : "without zero_grad:", path);
    }
    // The network only learns faster so, on one batch. Such a mistake stays for long.
    for (const bool zeroed : {true, false}) {
        const Net net;
        std::string losses;
        for (int i = 0; i < 31; ++i) {
            const Tensor loss = net.loss(xb, yb);
            if (zeroed) zero_grad(net);
            loss.backward();
            update(net, 0.1);
            if (i % 10 == 0) losses += " " + rounded(loss);
        }
        say(zeroed ? "the network with it:   " : "the network without it:", losses);
    }

    say("3. Four ways to write the update");
    // Two steps of each, from 0 towards 1.
    const auto descend = [](const std::string& what, const std::function<void(Tensor&)>& write) {
        Tensor w = zeros({}, {.requires_grad = true});
        const std::string error = error_of([&] {
            for (int i = 0; i < 2; ++i) {
                w.set_grad({});
                ((w - 1) * (w - 1)).backward();
                if (!w.grad().defined()) return;
                write(w);
            }
        });
        say(what, ": ", error, "; w ", rounded(w), ", a leaf: ", yes_no(w.is_leaf()),
            ", has a gradient: ", yes_no(w.grad().defined()));
    };
    descend("w.sub_(rate g)               ", [](Tensor& w) { w.sub_(w.grad() * 0.25); });
    descend("w = w - rate g               ", [](Tensor& w) { w = w - w.grad() * 0.25; });
    descend("w = w - rate g, under no_grad", [](Tensor& w) {
        const NoGrad off;
        w = w - w.grad() * 0.25;
    });
    descend("w.sub_(rate g), under no_grad", [](Tensor& w) {
        const NoGrad off;
        w.sub_(w.grad() * 0.25);
    });

    say("4. The first test of a loop: one batch, by heart");
    {
        const Net net;
        for (int i = 0; i <= 200; ++i) {
            const double loss = step(net, xb, yb, 1);
            if (i % 100 == 0) say("step ", i, ": loss ", rounded(number(loss)));
        }
        const NoGrad off;
        say("right: ", right(net.scores(xb), yb), " of 32, and of 80 others ",
            right(net.scores(x_val), y_val));
        check(right(net.scores(xb), yb) == 32);
    }
    // With a mistake it does not get there: a softmax before a loss that has one. Probabilities
    // taken for scores are 0 to 1, so the best that it can say is e / (e + 9).
    {
        const Net net;
        Tensor loss;
        for (int i = 0; i <= 200; ++i) {
            loss = cross_entropy(softmax(net.scores(xb), 1), yb);
            zero_grad(net);
            loss.backward();
            update(net, 1);
        }
        say("softmax twice: ", rounded(loss), "; it cannot be below ",
            rounded(log((exp(number(1)) + 9) / exp(number(1)))));
        check(loss.item<double>() > 1.46);
    }

    say("5. The learning rate");
    for (const double rate : {0.01, 0.1, 1.0}) {
        const Net net;
        std::string losses;
        for (int i = 0; i < 61; ++i) {
            const double loss = step(net, xb, yb, rate);
            if (i % 20 == 0) losses += " " + rounded(number(loss));
        }
        say("rate ", rate, ":", losses);
    }
    {
        const Net net;
        double loss = 0;
        for (int i = 0; i < 61; ++i) loss = step(net, xb, yb, 10);
        say("rate 10: far above guessing: ", yes_no(loss > 20));
        check(loss > 20);
    }

    say("6. Small batches, momentum, and pictures it has not seen");
    // Each Net() seeds the generator: so all three loops shuffle alike.
    Tensors by_hand;  // the loss of each step
    {
        const Net net;
        Tensors velocities;
        for (const Tensor& w : net.weights()) velocities.push_back(zeros_like(w));
        std::int64_t nodes = 0, ops = 0;
        for (int epoch = 1; epoch <= 20; ++epoch) {
            for (const Tensors& batch : shuffled(x, y)) {
                nodes = nodes_made(), ops = ops_run();
                const Tensor loss = net.loss(batch[0], batch[1]);
                zero_grad(net);
                loss.backward();
                const NoGrad off;
                for (std::size_t i = 0; i < 4; ++i) {
                    Tensor w = net.weights()[i], v = velocities[i];
                    v.mul_(0.9).add_(w.grad());  // v = 0.9 v + g
                    w.sub_(v * 0.1);
                }
                nodes = nodes_made() - nodes, ops = ops_run() - ops;
                by_hand.push_back(loss.detach());
            }
            if (epoch > 2 && epoch % 5 != 0) continue;
            const NoGrad off;  // nobody will go back through this
            const Tensor last = stack({by_hand.end() - 10, by_hand.end()}).mean();
            const Tensor scores = net.scores(x_val);
            say("epoch ", epoch, ": loss ", rounded(last), ", on the others ",
                rounded(cross_entropy(scores, y_val)), ", right ", right(scores, y_val), " of 80");
        }
        say("by hand:  ", nodes, " nodes and ", ops, " ops a step");
    }

    say("7. The same loop, with less written and with less run");
    for (const bool compiled : {false, true}) {
        const Net net;
        optim::SGD sgd(net.weights(), {.lr = 0.1, .momentum = 0.9});
        const auto train_step = [&](const Tensors& batch) {
            const Tensor loss = net.loss(batch[0], batch[1]);
            sgd.zero_grad();
            loss.backward();
            sgd.step();
            return Tensors{loss.detach()};
        };
        Compiled fast("train_step", train_step);
        std::size_t steps = 0, same = 0;
        std::int64_t nodes = 0, ops = 0;
        for (int epoch = 1; epoch <= 20; ++epoch) {
            for (const Tensors& batch : shuffled(x, y)) {
                nodes = nodes_made(), ops = ops_run();
                const Tensor loss = compiled ? fast(batch)[0] : train_step(batch)[0];
                nodes = nodes_made() - nodes, ops = ops_run() - ops;
                if (equal(loss, by_hand[steps++])) ++same;
            }
        }
        say(compiled ? "compiled: " : "SGD:      ", nodes, " nodes and ", ops, " ops a step; ",
            same, " of ", steps, " losses are those by hand, to the last bit");
        check(same == steps);
    }

    say("8. A part that knows whether it is training");
    {
        const Net net;
        for (int i = 0; i < 60; ++i) step(net, x, y, 1);
        const NoGrad off;
        Dropout dropout;
        const auto loss = [&] {
            const Tensor h = dropout(tanh(matmul(x_val, net.w1) + net.b1));
            return cross_entropy(matmul(h, net.w2) + net.b2, y_val);
        };
        const Tensor first = loss(), second = loss();
        say("train: ", rounded(first), ", and again ", rounded(second));
        dropout.eval();
        say("eval:  ", rounded(loss()), ", and again ", rounded(loss()));
        check(equal(loss(), loss()));
    }

    say("9. What a loss keeps alive");
    const auto kept_by = [&](const std::string& what, const auto& run) {
        const Net net;
        step(net, xb, yb, 0.1);
        const std::int64_t bytes = allocator::statistics().live, nodes = node_count();
        Tensors kept;
        for (int i = 0; i < 10; ++i) run(net, kept);
        say(what, ": ", allocator::statistics().live - bytes, " bytes, ", node_count() - nodes,
            " nodes");
        return allocator::statistics().live - bytes;
    };
    kept_by("10 steps, the losses as numbers     ",
            [&](const Net& net, Tensors&) { step(net, xb, yb, 0.1); });
    kept_by("10 steps, the losses as tensors     ", [&](const Net& net, Tensors& kept) {
        kept.push_back(net.loss(xb, yb));
        zero_grad(net);
        kept.back().backward();  // lets go of the values; the nodes stay
        update(net, 0.1);
    });
    const std::int64_t leaked =
        kept_by("10 losses to look at                ",
                [&](const Net& net, Tensors& kept) { kept.push_back(net.loss(xb, yb)); });
    kept_by("10 losses to look at, under no_grad ", [&](const Net& net, Tensors& kept) {
        const NoGrad off;
        kept.push_back(net.loss(xb, yb));
    });
    check(leaked > 50000);

    say("10. What the engine says");
    const Net net;
    const Tensor scores = net.scores(xb), floats = cast(yb, DType::float32);
    say(error_of([&] { cross_entropy(scores, floats); }));
    say(error_of([&] { cross_entropy(scores, yb + 1); }));
    say(error_of([&] { cross_entropy(scores, y); }));
    const Tensor loss = cross_entropy(scores, yb);
    loss.backward();
    say(error_of([&] { loss.backward(); }));
    const Tensor accuracy = cast(argmax(scores, 1) == yb, DType::float32).mean();
    say(error_of([&] { accuracy.backward(); }));
    return done();
}
