// Exercises of lesson 6. Fill in the three functions below, and run this program:
//
//     ./dev lesson lesson_06_in_place_practice
//
// It says of each whether it is solved. practice.ipynb has the same exercises in Python.
#include "tutorials/check.h"

using namespace tg;
using namespace lesson;

using Floats = std::vector<float>;

// ==== your code: from here ====

// Exercise 1. Does backward stop with an error? Predict it for each, do not run. a is a result, of
// shape (2,); each program ends with y.sum().backward().
//
//     0: y = tanh(a);      then a.zero_()
//     1: y = sigmoid(a);   then y.mul_(2)
//     2: y = a * 5;        then a.add_(1)
//     3: y = b / a;        then a[0].add_(1)
//     4: y = a * a;        then a.clone().add_(1)
std::vector<bool> predicted_errors() { not_solved(); }

// Exercise 2. x with its negative elements replaced by v, written in place and without changing x.
// x is a leaf and v has one element; both shall get their gradients. Two lines are wrong.
Tensor replaced(const Tensor& x, const Tensor& v) {
    not_solved();  // remove this line, too
    Tensor y = x;
    index(y, {y < 0}).copy_(v);
    return y;
}

// Exercise 3. Three steps of descent on sum(w w); the weights before the first and after each of
// them. The four that come back are all equal: mend it.
std::vector<Tensor> path_of(Tensor w) {
    not_solved();  // remove this line, too
    std::vector<Tensor> path{w.detach()};
    for (int i = 0; i < 3; ++i) {
        w.set_grad({});
        (w * w).sum().backward();
        const NoGrad off;
        w.sub_(0.25 * w.grad());
        path.push_back(w.detach());
    }
    return path;
}

// ==== your code: to here ====

// Does the program, given a result (2,), give a tensor whose backward stops with an error?
bool stops(const std::function<Tensor(Tensor)>& program) {
    Tensor w = tensor(Floats{1, 2});
    w.requires_grad_();
    const Tensor y = program(w * 1);
    return error_of([&] { y.sum().backward(); }) != "no error";
}

int main() {
    exercise("which write is an error", [] {
        const std::vector<std::function<Tensor(Tensor)>> programs = {
            [](Tensor a) {
                const Tensor y = tanh(a);
                a.zero_();
                return y;
            },
            [](const Tensor& a) {
                Tensor y = sigmoid(a);
                y.mul_(2);
                return y;
            },
            [](Tensor a) {
                const Tensor y = a * 5;
                a.add_(1);
                return y;
            },
            [](const Tensor& a) {
                const Tensor y = tensor(Floats{3, 4}) / a;
                a[0].add_(1);
                return y;
            },
            [](const Tensor& a) {
                const Tensor y = a * a;
                a.clone().add_(1);
                return y;
            }};
        const char* hints[] = {"d tanh = 1 - y^2: from its output", "d sigmoid = y (1 - y)",
                               "d (5 a) = 5: no value is needed", "d (b / a) = -b / a^2",
                               "a clone has bytes of its own"};
        const std::vector<bool> predicted = predicted_errors();
        expect(predicted.size(), programs.size(), "one for each program");
        for (std::size_t i = 0; i < programs.size(); ++i)
            expect(static_cast<bool>(predicted[i]), stops(programs[i]), hints[i]);
    });
    exercise("a write at a mask", [] {
        Tensor x = tensor(Floats{-1, 2, -3}), v = tensor(Floats{7});
        x.requires_grad_();
        v.requires_grad_();
        const Tensor y = replaced(x, v);
        expect(text(x.detach()), "tensor([-1.,  2., -3.])", "write into a clone");
        expect(text(y.detach()), "tensor([7., 2., 7.])", "index gives a copy; index_put_ writes");
        (y * tensor(Floats{10, 20, 30})).sum().backward();
        expect(text(x.grad()), "tensor([ 0., 20.,  0.])", "none for what was overwritten");
        expect(text(v.grad()), "tensor([40.])", "v was put into two places: 10 + 30");
    });
    exercise("a path of weights", [] {
        Tensor w = tensor(Floats{8, -16});
        w.requires_grad_();
        const std::vector<Tensor> path = path_of(w);
        const char* wanted[] = {"tensor([  8., -16.])", "tensor([ 4., -8.])", "tensor([ 2., -4.])",
                                "tensor([ 1., -2.])"};
        expect(path.size(), 4, "one before the first step, and one after each");
        for (std::size_t i = 0; i < 4; ++i)
            expect(text(path[i]), wanted[i], "detach shares the bytes: clone what shall stay");
    });
    return done();
}
