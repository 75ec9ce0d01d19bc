// Exercises of lesson 1. Fill in the three functions below, and run this program:
//
//     ./dev lesson lesson_01_tensors_practice
//
// It says of each whether it is solved. practice.ipynb has the same exercises in Python.
#include "tutorials/check.h"

using namespace tg;
using namespace lesson;

// ==== your code: from here ====

// Exercise 1. x is the base of a view, with shape (2, 3, 4) and strides (12, 4, 1). What are the
// strides of these views? Predict, do not compute. One Dims for each, as {12, 4, 1}.
std::vector<Dims> predicted_strides() {
    // x[1];  x[:, 1];  x[:, :, 2];  x.permute(2, 0, 1);  x[:, ::2];  x[0, 0].expand(5, 4)
    not_solved();
}

// Exercise 2. The strides, in elements, of a tensor of this shape whose rows lie one after another
// in memory: (2, 3, 4) -> (12, 4, 1).
Dims contiguous(const Dims& shape) {
    (void)shape;
    not_solved();
}

// Exercise 3. The shape that two shapes broadcast to. Align them at the right; sizes that are
// missing are 1; sizes must be equal or one of them 1. If they do not fit, return {-1}.
Dims broadcast_shape(const Dims& a, const Dims& b) {
    (void)a, (void)b;
    not_solved();
}

// ==== your code: to here ====

int main() {
    const Tensor x = zeros({2, 3, 4});
    exercise("strides of six views", [&] {
        const std::vector<Dims> predicted = predicted_strides();
        const Tensor views[] = {x[1],
                                x.select(1, 1),
                                x.select(2, 2),
                                x.permute({2, 0, 1}),
                                x.slice(1, 0, 3, 2),
                                x[0][0].expand({5, 4})};
        const char* hints[] = {"a dim that is selected is gone; the others step as before",
                               "the middle one of (12, 4, 1) is gone",
                               "the last one of (12, 4, 1) is gone",
                               "permute moves sizes and strides alike",
                               "every second row: twice the step",
                               "what is repeated does not step at all"};
        expect(predicted.size(), 6, "one for each view");
        for (std::size_t i = 0; i < 6; ++i) expect(predicted[i], views[i].strides(), hints[i]);
    });
    exercise("strides of a contiguous tensor", [] {
        const std::string hint = "the last is 1; each other is the product of the sizes behind it";
        for (const Dims& shape : {Dims{2, 3, 4}, Dims{5}, Dims{7, 1, 2, 3}, Dims{}})
            expect(contiguous(shape), contiguous_strides(shape), hint);
    });
    exercise("the shape of a broadcast", [] {
        expect(broadcast_shape({2, 3}, {2, 3}), Dims{2, 3}, "equal sizes stay");
        expect(broadcast_shape({2, 3}, {3}), Dims{2, 3},
               "align at the right; what is missing is 1");
        expect(broadcast_shape({2, 1}, {1, 3}), Dims{2, 3}, "a 1 stretches to the other's size");
        expect(broadcast_shape({4}, {5, 1, 1}), Dims{5, 1, 4}, "the first may be the shorter one");
        expect(broadcast_shape({1}, {0}), Dims{0}, "a 1 also stretches to 0");
        expect(broadcast_shape({2, 3}, {2}), Dims{-1}, "aligned at the right, 3 meets 2");
    });
    return done();
}
