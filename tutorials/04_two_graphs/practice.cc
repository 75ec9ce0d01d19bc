// Exercises of lesson 4. Fill in the three functions below, and run this program:
//
//     ./dev lesson lesson_04_two_graphs_practice
//
// It says of each whether it is solved. practice.ipynb has the same exercises in Python.
#include "tutorials/check.h"

using namespace tg;
using namespace lesson;

using Tensors = std::vector<Tensor>;

// ==== your code: from here ====

// Exercise 1. The passes go over the program that this function writes. How many lines are there
// before the first pass, after `merge`, and after `fuse`? Predict, do not run.
//
//     a = x * 3;  b = x * 3;  c = a + b;  return exp(c) * c
//
// Give the three numbers. (fuse makes one line of all elementwise lines that hang together.)
std::vector<int> predicted_lines() { not_solved(); }

// Exercise 2. The square root of each element of a by Newton's method, y = (y + a / y) / 2 from
// y = a, in a form that can be traced: 20 steps for any a, no item(), no if on a value.
Tensor newton(const Tensor& a) {
    (void)a;
    not_solved();
}

// Exercise 3. Elements above the limit become the limit, those below minus the limit become minus
// the limit. It is compiled once and called with several limits: it must follow them without
// another trace. What must `limit` be? Return it as the compiled function shall receive it.
Tensor limit_as_argument(double limit) {
    (void)limit;
    not_solved();
}

// ==== your code: to here ====

int main() {
    const Tensor x = tensor(std::vector<float>{1, 4, 9, 2});
    exercise("what the passes leave", [&] {
        const std::vector<int> predicted = predicted_lines();
        Compiled f("f", [](const Tensors& in) {
            const Tensor a = in[0] * 3, b = in[0] * 3;
            const Tensor c = a + b;
            return Tensors{exp(c) * c};
        });
        f({x});
        Ref<Program> program = f.traces()[0].written;
        const char* hints[] = {"mul, mul, add, exp, mul", "the two products are equal",
                               "all of them are elementwise"};
        expect(predicted.size(), 3, "three numbers");
        expect(predicted[0], program->lines.size(), hints[0]);
        for (const Pass* pass : all_passes()) {
            program = optimise(*program, {&pass, 1});
            const std::string name = pass->name;
            if (name == "merge") expect(predicted[1], program->lines.size(), hints[1]);
            if (name == "fuse") expect(predicted[2], program->lines.size(), hints[2]);
        }
    });
    exercise("a loop that can be traced", [&] {
        expect(newton(x), tensor(std::vector<float>{1, 2, 3, 1.41421354f}), "on the tape first");
        Compiled compiled("newton", [](const Tensors& in) { return Tensors{newton(in[0])}; });
        expect(compiled({x})[0], newton(x), "tape and program give the same");
        const Lockstep both =
            lockstep([](const Tensors& in) { return Tensors{newton(in[0])}; }, {x});
        expect(both.equal, true, "lockstep finds a line that differs");
    });
    exercise("an argument that needs no new trace", [&] {
        Compiled clip("clip", [](const Tensors& in) {
            return Tensors{maximum(minimum(in[0], in[1]), -in[1])};
        });
        expect(clip({x, limit_as_argument(3)})[0], minimum(x, 3.0), "limit 3");
        expect(clip({x, limit_as_argument(2)})[0], minimum(x, 2.0), "limit 2");
        expect(clip.traces().size(), 1, "give the same shape and dtype each time");
        expect(limit_as_argument(3).dims(), 0, "a limit is one number: a tensor of no dims");
    });
    return done();
}
