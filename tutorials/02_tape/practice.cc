// Exercises of lesson 2. Fill in the three functions below, and run this program:
//
//     ./dev lesson lesson_02_tape_practice
//
// It says of each whether it is solved. practice.ipynb has the same exercises in Python.
#include <cmath>

#include "tutorials/check.h"

using namespace tg;
using namespace lesson;

// A tape of numbers, as small as can be: entry i is made from the entries `left` and `right`
// before it. A leaf ('x') is made from none.
struct Entry {
    char op = 'x';  // 'x' a leaf, '+' a sum, '*' a product
    std::size_t left = 0, right = 0;
    double value = 0;
};

// ==== your code: from here ====

// Exercise 1. The derivatives of the last entry by each entry. Entries are in the order in which
// they were made: walk them from the last to the first, and *add* what each hands to its two.
std::vector<double> gradients_of(const std::vector<Entry>& tape) {
    (void)tape;
    not_solved();
}

// Exercise 2. The derivative of f at x by finite differences, from both sides:
// (f(x + h) - f(x - h)) / 2h. Choose h. Too large, and the curve bends; too small, and the
// difference drowns in rounding: doubles have 16 digits.
double slope(const std::function<double(double)>& f, double x) {
    (void)f, (void)x;
    not_solved();
}

// Exercise 3. x is a leaf. Give sum(exp(x) * exp(x)) with exp computed once, and 1 added to the
// exp's value *afterwards* in place, for a log. One line below breaks the tape: mend it.
Tensor logged_loss(const Tensor& x, Tensor& log) {
    not_solved();  // remove this line, too
    Tensor y = exp(x);
    const Tensor loss = (y * y).sum();
    log = y.add_(1);
    return loss;
}

// ==== your code: to here ====

int main() {
    exercise("backward over a tape", [] {
        // a = 1;  b = a + a;  c = b + b
        const std::vector<Entry> diamond = {{'x', 0, 0, 1}, {'+', 0, 0, 2}, {'+', 1, 1, 4}};
        const std::vector<double> d = gradients_of(diamond);
        expect(d.size(), 3, "one derivative for each entry");
        expect(d[2], 1, "the last entry's derivative by itself is 1");
        expect(d[1], 2, "c uses b twice: add, do not overwrite");
        expect(d[0], 4, "b hands on all that it received, to a twice");
        // x = 3;  y = 4;  p = x * y;  q = p * x;  r = q + p
        const std::vector<double> e = gradients_of(
            {{'x', 0, 0, 3}, {'x', 0, 0, 4}, {'*', 0, 1, 12}, {'*', 2, 0, 36}, {'+', 3, 2, 48}});
        expect(e[2], 4, "p gets 1 from r and x = 3 from q");
        expect(e[1], 12, "a product hands its gradient times the other factor");
        expect(e[0], 28, "x gets p = 12 from q, and 4 times y = 4 from p");
    });
    exercise("finite differences", [] {
        const auto off = [](double got, double wanted) { return std::fabs(got - wanted) > 1e-7; };
        const std::string hint = "h of about 1e-5 serves doubles best";
        for (const double at : {0.5, 1.0, 3.0}) {
            Tensor x = scalar_tensor(at, {.dtype = DType::float64, .requires_grad = true});
            tanh(x * x).backward();
            const double got = slope([](double v) { return std::tanh(v * v); }, at);
            expect(off(got, x.grad().item<double>()), false, hint);
        }
    });
    exercise("a write that breaks the tape", [] {
        Tensor x = tensor(std::vector<float>{0, 1});
        x.requires_grad_();
        Tensor log;
        const Tensor loss = logged_loss(x, log);
        loss.backward();
        expect(rounded(x.grad()[0]), "2.0000", "d exp(2x) = 2 exp(2x)");
        expect(rounded(x.grad()[1]), "14.7781", "d exp(2x) = 2 exp(2x)");
        expect(rounded(log[0]), "2.0000", "the log is exp(x) + 1");
    });
    return done();
}
