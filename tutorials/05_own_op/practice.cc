// Exercises of lesson 5. Fill in the three functions below, and run this program:
//
//     ./dev lesson lesson_05_own_op_practice
//
// It says of each whether it is solved. practice.ipynb has the same exercises in Python.
#include <algorithm>
#include <cmath>

#include "tutorials/check.h"

using namespace tg;
using namespace lesson;

using Tensors = std::vector<Tensor>;
using Curve = std::function<Tensor(const Tensor&)>;

// ==== your code: from here ====

// Exercise 1. y = sqrt(x^2 + 1), a smooth |x|. Its forward is written and saves x and y, in this
// order. Write the backward: y^2 = x^2 + 1  =>  2 y dy = 2 x dx.
Tensors smooth_abs_backward(BackwardPass& pass) {
    (void)pass;
    not_solved();
}

// Exercise 2. An op that changes nothing on the way forward, and on the way back keeps every
// element of the gradient within -1 and 1. Write all of it, with `function`.
Tensor limit_gradient(const Tensor& x) {
    (void)x;
    not_solved();
}

// Exercise 3. y = x / sum(x) for x (n,). The forward saves sum(x), of shape (), and y. Somebody
// took the sum for a constant: mend the backward. (Each x_j is in every y_i:
// dL/dx_j = sum over i of g_i dy_i/dx_j.)
Tensors share_backward(BackwardPass& pass) {
    not_solved();  // remove this line, too
    const Tensor g = pass.g(0), total = pass.saved(0);
    return {g / total};
}

// ==== your code: to here ====

Tensor smooth_abs(const Tensor& x) {
    const auto forward = [](ForwardPass& pass, const Tensors& in) {
        const Tensor y = sqrt(in[0] * in[0] + 1);
        pass.save(in[0]);
        pass.save(y);
        return Tensors{y};
    };
    return function("smooth_abs", forward, smooth_abs_backward, {x})[0];
}

Tensor share(const Tensor& x) {
    const auto forward = [](ForwardPass& pass, const Tensors& in) {
        const Tensor total = in[0].sum();
        const Tensor y = in[0] / total;
        pass.save(total);
        pass.save(y);
        return Tensors{y};
    };
    return function("share", forward, share_backward, {x})[0];
}

// Is backward's gradient what the differences give? Each result has a weight of its own.
bool agrees(const Curve& op) {
    const Tensor weight = tensor({1, -2, 3}, {.dtype = DType::float64});
    const Tensor x = tensor({0.5, -1, 2}, {.dtype = DType::float64, .requires_grad = true});
    const auto loss = [&](const Tensor& at) { return (op(at) * weight).sum(); };
    const Tensor y = loss(x);
    const Tensor found = grad({&y, 1}, {&x, 1})[0];
    double largest = 0;
    for (std::int64_t i = 0; i < 3; ++i) {
        Tensor up = x.detach().clone(), down = x.detach().clone();
        up[i].add_(1e-6);
        down[i].add_(-1e-6);
        const double slope = (loss(up).item<double>() - loss(down).item<double>()) / 2e-6;
        largest = std::max(largest, std::fabs(found[i].item<double>() - slope));
    }
    return largest < 1e-5;
}

int main() {
    exercise("a gradient by hand", [] {
        Tensor x = tensor(std::vector<float>{0, -1});
        x.requires_grad_();
        smooth_abs(x).sum().backward();
        expect(rounded(x.grad()[0]), "0.0000", "dx = x / y dy");
        expect(rounded(x.grad()[1]), "-0.7071", "dx = x / y dy");
        expect(agrees(smooth_abs), true, "and it is multiplied by what comes in, g");
    });
    exercise("a gradient that is kept small", [] {
        Tensor x = tensor(std::vector<float>{1, 2, 3});
        x.requires_grad_();
        const Tensor y = limit_gradient(x);
        expect(text(y.detach()), "tensor([1., 2., 3.])", "forward gives what it was given");
        (y * tensor(std::vector<float>{-5, 0.5, 7})).sum().backward();
        expect(text(x.grad()), "tensor([-1.0000,  0.5000,  1.0000])",
               "return clamp of pass.g(0) from the backward");
    });
    exercise("a sum that is no constant",
             [] { expect(agrees(share), true, "dx_j = (g_j - sum over i of g_i y_i) / total"); });
    return done();
}
