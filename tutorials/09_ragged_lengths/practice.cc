// Exercises of lesson 9. Fill in the three functions below, and run this program:
//
//     ./dev lesson lesson_09_ragged_lengths_practice
//
// It says of each whether it is solved. practice.ipynb has the same exercises in Python.
#include <algorithm>
#include <set>

#include "tutorials/check.h"

using namespace tg;
using namespace lesson;

using Tensors = std::vector<Tensor>;

// ==== your code: from here ====

// Exercise 1. Six names, of 3, 9, 4, 3, 5 and 4 steps. Predict, do not run:
//
//     how many traces, if a compiled function gets them one by one;
//     how many steps are run, if all six are one padded batch;
//     how many, if they are sorted by length first, and go in batches of two.
std::vector<int> predicted() { not_solved(); }

// Exercise 2. A batch of rows that end at different steps: x (B, T, H), counts (B,) int64. Each
// step is h = tanh(x_t + h w), with w (H, H), from zeros. Give each row's h after its own last
// step, (B, H), in a form that can be traced: no item(), no if on a value.
Tensor last_states(const Tensor& x, const Tensor& w, const Tensor& counts) {
    (void)x, (void)w, (void)counts;
    not_solved();
}

// Exercise 3. Clip gradients, in place: if all their numbers, as one vector, are longer than
// `limit`, scale them all to that length; if not, leave them. Give the length that they had. It is
// part of a compiled step: no if on a value.
Tensor clip(Tensors gradients, double limit) {
    (void)gradients, (void)limit;
    not_solved();
}

// ==== your code: to here ====

int main() {
    exercise("what each way costs", [] {
        const std::vector<int> answer = predicted();
        expect(answer.size(), 3, "three numbers");
        std::vector<int> steps{3, 9, 4, 3, 5, 4};
        const std::set<int> lengths(steps.begin(), steps.end());
        expect(answer[0], lengths.size(), "one for each length that there is");
        std::sort(steps.begin(), steps.end());
        expect(answer[1], 6 * steps[5], "every row is as long as the longest");
        expect(answer[2], 2 * (steps[1] + steps[3] + steps[5]), "3 3, 4 4 and 5 9");
    });
    exercise("the state at each row's end", [] {
        manual_seed(1);
        const Tensor x = randn({3, 4, 2}), w = randn({2, 2});
        const std::vector<std::int64_t> ends{4, 1, 2};
        const Tensor counts = tensor(ends);
        const Tensor found = last_states(x, w, counts);
        expect(found.shape(), Dims{3, 2}, "one state for each row");
        for (std::int64_t row = 0; row < 3; ++row) {
            Tensor h = zeros({1, 2});
            for (std::int64_t t = 0; t < ends[static_cast<std::size_t>(row)]; ++t)
                h = tanh(x[row][t] + matmul(h, w));
            expect(allclose(found[row], h[0], {.atol = 1e-6}), true,
                   "where((t < counts).unsqueeze(1), the new h, the old h)");
        }
        Compiled compiled("last_states", [](const Tensors& in) {
            return Tensors{last_states(in[0], in[1], in[2])};
        });
        compiled({x, w, tensor(std::vector<std::int64_t>{1, 2, 3})});
        expect(equal(compiled({x, w, counts})[0], found), true, "compiled, it gives the same");
    });
    exercise("clipped gradients", [] {
        Tensor a = tensor({3.0, 0.0}), b = tensor({{4.0}});
        expect(rounded(clip({a, b}, 10)), "5.0000", "the root of the sum of all squares");
        expect(text_of(a), "tensor([3., 0.])", "shorter than the limit: as they were");
        expect(rounded(clip({a, b}, 1)), "5.0000", "the length before");
        expect(rounded(a[0]) + " " + rounded(b[0][0]), "0.6000 0.8000", "all times 1 / 5");
        Tensor nothing = zeros({2});
        clip({nothing}, 1);
        expect(text_of(nothing), "tensor([0., 0.])", "1 / 0 is infinity: minimum(1, ...)");
        Compiled compiled("clip", [](const Tensors& in) {
            Tensor g = in[0] * 1;
            clip({g}, 1);
            return Tensors{g};
        });
        expect(rounded(compiled({tensor({0.0, 2.0})})[0][1]), "1.0000", "compiled");
        expect(rounded(compiled({tensor({0.0, 0.5})})[0][1]), "0.5000", "compiled, and short");
    });
    return done();
}
