// Exercises of lesson 10. Fill in the four kernels below, and run this program:
//
//     ./dev lesson lesson_10_cuda_one_practice
//
// It says of each whether it is solved; what the checks of lesson 11 find is an error, where there
// are any: g++ on Linux. practice.ipynb has the same exercises in Python.
#include "tutorials/device.h"

using namespace lesson;

#pragma GCC diagnostic ignored "-Wunused-parameter"  // as long as the kernels are empty

// ==== your code: from here ====

// Exercise 1. y[i] = x[i + 1] - x[i]. x has n numbers, y has n - 1: add the guard.
__global__ void differences(float* y, const float* x, int n) {
    not_solved();  // remove this line, too
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    y[i] = x[i + 1] - x[i];
}

// Exercise 2. y[r, c] = a[r] b[c], of shape (rows, columns): each thread of a grid of two dims
// computes one number. Neighbours along x shall write neighbours in memory.
__global__ void outer(float* y, const float* a, const float* b, int rows, int columns) {
    not_solved();
}

// Exercise 3. Add to *count how many of the n numbers of x are larger than limit. Any grid must do,
// also one with fewer threads than numbers.
__global__ void count_above(int* count, const float* x, float limit, int n) { not_solved(); }

// Exercise 4. Blocks of 64. y[block] = the largest of the block's 64 numbers of x, and of the last
// block's that there are: x has n. The largest of two is fmaxf(a, b), the smallest float -INFINITY.
__global__ void largest_of_block(float* y, const float* x, int n) { not_solved(); }

// ==== your code: to here ====

using Floats = std::vector<float>;

int main() {
    exercise("a guard", [] {
        const OnDevice<float> x(Floats{1, 4, 9, 16, 25, 36}), y(8, -1);
        launch(differences, 2, 4, y, x, 6);
        const std::string last = "the last thread that may write has i + 1 = n - 1";
        expect(numbers(y.host()), "3 5 7 9 11 -1 -1 -1", last);
    });
    exercise("two dims", [] {
        const OnDevice<float> a(Floats{1, 10, 100}), b(Floats{1, 2, 3, 4, 5}), y(18, -1);
        launch(outer, dim3(2, 2), dim3(4, 2), y, a, b, 3, 5);
        const std::string place =
            "r from y, c from x, both below their ends; place r * columns + c";
        const std::string wanted = "1 2 3 4 5 10 20 30 40 50 100 200 300 400 500 -1 -1 -1";
        expect(numbers(y.host()), wanted, place);
        const OnDevice<float> wide(15, -1);
        launch(outer, dim3(5, 1), dim3(1, 3), wide, a, b, 3, 5);
        expect(numbers(wide.host()), wanted.substr(0, wanted.size() - 9), place);
    });
    exercise("any grid will do", [] {
        Floats values(1000);
        for (std::size_t i = 0; i < 1000; ++i) values[i] = static_cast<float>(i * 7 % 1000);
        const OnDevice<float> x(values);
        for (const unsigned grid : {40, 3, 1}) {
            const OnDevice<int> count(1);
            launch(count_above, grid, 32, count, x, 299.0f, 1000);
            expect(numbers(count.host()), "700",
                   "a thread goes on by gridDim.x * blockDim.x, and adds by atomicAdd");
        }
    });
    exercise("the largest of a block", [] {
        Floats values(100);
        for (std::size_t i = 0; i < 100; ++i) values[i] = -1 - static_cast<float>(i * 37 % 100);
        const OnDevice<float> x(values), y(2);
        launch(largest_of_block, 2, 64, y, x, 100);
        expect(numbers(y.host()), "-1 -2",
               "a thread beyond n brings -INFINITY, and comes to all barriers");
    });
    return done();
}
