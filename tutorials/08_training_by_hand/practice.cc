// Exercises of lesson 8. Fill in the three functions below, and run this program:
//
//     ./dev lesson lesson_08_training_by_hand_practice
//
// It says of each whether it is solved. practice.ipynb has the same exercises in Python.
#include "tutorials/check.h"

using namespace tg;
using namespace lesson;

// The loss of all three: x (N, 2), w (2,), y (N,).
Tensor loss_of(const Tensor& w, const Tensor& x, const Tensor& y) {
    const Tensor error = matmul(x, w) - y;
    return (error * error).mean();
}

// ==== your code: from here ====

// Exercise 1. A batch is too large, and comes in parts of different sizes: xs[i] (N_i, 2) and
// ys[i] (N_i,). Leave in w.grad() what loss_of the whole batch would; what was there before goes.
void backward_in_parts(const Tensor& w, const std::vector<Tensor>& xs,
                       const std::vector<Tensor>& ys) {
    (void)w, (void)xs, (void)ys;
    not_solved();
}

// Exercise 2. One step with Nesterov's momentum, from w.grad(), which is there already:
//
//     v = 0.9 v + g;   w = w - rate (g + 0.9 v)
//
// w and v are to be the same tensors afterwards, with new numbers; w stays a leaf.
void nesterov_step(Tensor w, Tensor v, double rate) {
    (void)w, (void)v, (void)rate;
    not_solved();
}

// Exercise 3. This loop has four mistakes. Write it right: w itself is trained; what it returns is
// the mean of the losses, and keeps no tape alive.
//
//     Tensor total = scalar_tensor(0);
//     for (int i = 0; i < steps; ++i) {
//         const Tensor loss = loss_of(w, x, y);
//         loss.backward();
//         w = w - w.grad() * rate;
//         total = total + loss;
//     }
//     return total;
Tensor train(Tensor w, const Tensor& x, const Tensor& y, double rate, int steps) {
    (void)w, (void)x, (void)y, (void)rate, (void)steps;
    not_solved();
}

// ==== your code: to here ====

Tensor leaf() { return tensor({0.5, -1}, {.requires_grad = true}); }

int main() {
    const Tensor x = tensor({{1, 2}, {-1, 0.5}, {0, 1}, {2, -2}, {1, 1}});
    const Tensor y = tensor({1, 0, 2, -1, 3});
    exercise("a batch in parts", [&] {
        const Tensor w = leaf();
        loss_of(w, x, y).backward();
        const Tensor whole = w.grad().clone();
        backward_in_parts(w, {x.slice(0, 0, 4), x.slice(0, 4, 5)},
                          {y.slice(0, 0, 4), y.slice(0, 4, 5)});
        expect(w.grad().defined(), true, "call backward for each part");
        expect(allclose(w.grad(), whole, {.atol = 1e-6}), true,
               "zero_grad once, before; a part's loss counts N_i / N");
    });
    exercise("Nesterov's momentum", [&] {
        const Tensor w = leaf(), ours = leaf(), v = zeros({2});
        optim::SGD sgd({w}, {.lr = 0.1, .momentum = 0.9, .nesterov = true});
        for (int i = 0; i < 3; ++i) {
            for (const Tensor& each : {w, ours}) {
                each.set_grad({});
                loss_of(each, x, y).backward();
            }
            sgd.step();
            nesterov_step(ours, v, 0.1);
            expect(allclose(v, sgd.param_groups[0].state[0].at("momentum_buffer")), true,
                   "v.mul_(0.9).add_(g)");
            expect(allclose(ours.detach(), w.detach()), true, "first v, then w with the new v");
        }
        expect(ours.is_leaf() && ours.requires_grad(), true, "write w in place, under NoGrad");
    });
    exercise("four mistakes", [&] {
        const Tensor w = leaf();
        const std::int64_t nodes = node_count();
        const Tensor mean = train(w, x, y, 0.1, 4);
        expect(rounded(w[0]) + " " + rounded(w[1]), "0.3583 0.6972",
               "the gradient of each step alone; w itself is written");
        expect(w.is_leaf(), true, "w.sub_ under NoGrad");
        expect(rounded(mean), "4.0276", "the mean, not the sum");
        expect(mean.requires_grad(), false, "add up loss.detach()");
        expect(node_count() - nodes, 0, "add up loss.detach()");
    });
    return done();
}
