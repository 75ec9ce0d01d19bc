// Exercises of lesson 7. Fill in the three functions below, and run this program:
//
//     ./dev lesson lesson_07_gradients_by_hand_practice
//
// It says of each whether it is solved. practice.ipynb has the same exercises in Python.
#include "tutorials/check.h"

using namespace tg;
using namespace lesson;

// ==== your code: from here ====

// Exercise 1. Something of this shape was broadcast to g's shape. Give its gradient: shapes are
// aligned at the right; sum over what was stretched, and over what was not there. No sum_to here:
// you are writing it.
Tensor sum_back(const Tensor& g, const Dims& shape) {
    (void)g, (void)shape;
    not_solved();
}

// Exercise 2. y = log(sum over each row of exp(x)), x (N, C), y (N,). Give dx, for g = dL/dy (N,).
Tensor logsumexp_gradient(const Tensor& x, const Tensor& g) {
    (void)x, (void)g;
    not_solved();
}

// Exercise 3. Each row of x (N, C) less its mean and divided by its deviation, as layer norm does:
//
//     m = mean x;  s = sqrt(mean (x - m)^2);  y = (x - m) / s      (means over a row)
//
// x is in m and in s, too. Give dx, for g = dL/dy (N, C).
Tensor layer_norm_gradient(const Tensor& x, const Tensor& g) {
    (void)x, (void)g;
    not_solved();
}

// ==== your code: to here ====

Tensor numbers(std::initializer_list<Braces> rows) {
    return tensor(rows, {.dtype = DType::float64});
}

// Is it what backward gives for y, started with g?
bool same(const Tensor& by_hand, const Tensor& y, const Tensor& g, const Tensor& x) {
    const Tensor found = grad({&y, 1}, {&x, 1}, {&g, 1})[0];
    return by_hand.shape() == found.shape() && allclose(by_hand, found);
}

int main() {
    exercise("the sum for a stretch", [] {
        const Tensor g = numbers({{1, 2, 3}, {4, 5, 6}});
        expect(text_of(sum_back(g, {2, 3})), text_of(g), "nothing was stretched");
        expect(sum_back(g, {3}).shape(), Dims{3}, "an axis that was not there goes");
        expect(text_of(sum_back(g, {3})), "tensor([5., 7., 9.], dtype=float64)", "over the rows");
        expect(sum_back(g, {2, 1}).shape(), Dims{2, 1}, "an axis that was 1 stays: keepdim");
        expect(rounded(sum_back(g, {2, 1})[1][0]), "15.0000", "4 + 5 + 6");
        expect(rounded(sum_back(g, {})), "21.0000", "a single number is stretched to all places");
        const Tensor deep = stack({g, 10 * g, 100 * g});
        expect(sum_back(deep, {1, 3}).shape(), Dims{1, 3}, "both kinds at once");
        expect(rounded(sum_back(deep, {1, 3})[0][2]), "999.0000", "111 times 3 + 6");
    });
    exercise("logsumexp", [] {
        Tensor x = numbers({{1, 2, 0.5}, {0, -1, 1}});
        x.requires_grad_();
        const Tensor g = numbers({1, -2});
        const Tensor dx = logsumexp_gradient(x.detach(), g);
        expect(dx.shape(), Dims{2, 3}, "dx has the shape of x");
        expect(same(dx, logsumexp(x, 1), g, x), true, "dx_i = g e^x_i / sum e^x_j: a softmax");
    });
    exercise("layer norm", [] {
        Tensor x = numbers({{1, 2, 6}, {0, -1, 1}});
        x.requires_grad_();
        const Tensor g = numbers({{1, 0, -2}, {3, 1, 0.5}});
        const Tensor from_mean = x - mean(x, 1, true);
        const Tensor y = from_mean / sqrt(mean(from_mean * from_mean, 1, true));
        expect(same(layer_norm_gradient(x.detach(), g), y, g, x), true,
               "dx = (g - mean g - y mean(g y)) / s, in each row");
    });
    return done();
}
