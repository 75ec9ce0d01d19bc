// Exercises of lesson 11. Fill in the four kernels below, and run this program:
//
//     ./dev lesson lesson_11_cuda_two_practice
//
// It says of each whether it is solved; what the checks find is an error.
// practice.ipynb has the same exercises in Python.
#include "tutorials/counters.h"

using namespace lesson;

#pragma GCC diagnostic ignored "-Wunused-parameter"  // as long as the kernels are empty

// ==== your code: from here ====

// Exercise 1. y[i] = x[i - 1] + x[i] + x[i + 1], and 0 for what is beyond the ends. Blocks of 64, n
// a multiple of 64. Read each number once for the block: a tile of 66, and two threads that read
// two.
__global__ void sum_of_three(float* y, const float* x, int n) { not_solved(); }

// Exercise 2. y[r] = the sum of row r of x (32, 32), by one warp. It is right, but all lanes read
// from one bank, 32 times. Mend that.
__global__ void sum_of_rows(float* y, const float* x) {
    not_solved();  // remove this line, too
    __shared__ float tile[32][32];
    const int lane = threadIdx.x;
    for (int r = 0; r < 32; ++r) tile[r][lane] = x[r * 32 + lane];
    __syncwarp();
    float sum = 0;
    for (int c = 0; c < 32; ++c) sum += tile[lane][c];
    y[lane] = sum;
}

// Exercise 3. Each step moves 64 numbers by one place. Add the barriers that it lacks.
__global__ void move_around(int* x, int steps) {
    not_solved();  // remove this line, too
    __shared__ int ring[64];
    const int t = threadIdx.x;
    ring[t] = x[t];
    for (int i = 0; i < steps; ++i) {
        const int next = ring[(t + 1) % 64];
        ring[t] = next;
    }
    x[t] = ring[t];
}

// Exercise 4. y[i] = the largest of the 32 numbers of x that i's warp has, in every one of its
// lanes: by shuffles, without shared memory. The largest of two is fmaxf(a, b).
__global__ void largest_of_warp(float* y, const float* x) { not_solved(); }

// ==== your code: to here ====

using Floats = std::vector<float>;

Floats shuffled(std::size_t n) {  // the numbers 0 to 100, in some order, over and over
    Floats all(n);
    for (std::size_t i = 0; i < n; ++i) all[i] = static_cast<float>(i * 37 % 101);
    return all;
}

int main() {
    count_memory();
    exercise("a tile with its neighbours", [] {
        const Floats in = shuffled(128);
        const OnDevice<float> x(in), y(128);
        launch(sum_of_three, 2, 64, y, x, 128);
        Floats wanted(128);
        for (std::size_t i = 0; i < 128; ++i)
            wanted[i] = (i > 0 ? in[i - 1] : 0) + in[i] + (i < 127 ? in[i + 1] : 0);
        const std::string place = "tile[t + 1] is x[i]; tile[0] and tile[65] are the neighbours'";
        expect(numbers(y.host()), numbers(wanted), place);
        expect(totals().sectors <= 36, true,
               "read x into the tile only, and add up what the tile has; sectors: " +
                   std::to_string(totals().sectors));
    });
    exercise("a bank for each lane", [] {
        const Floats in = shuffled(1024);
        const OnDevice<float> x(in), y(32);
        launch(sum_of_rows, 1, 32, y, x);
        Floats wanted(32);
        for (std::size_t i = 0; i < 1024; ++i) wanted[i / 32] += in[i];
        expect(numbers(y.host()), numbers(wanted), "lane r adds up row r");
        expect(totals().most_passes, 1, "rows of 33, or begin each lane at another column");
    });
    exercise("barriers", [] {
        std::vector<int> in(64), wanted(64);
        for (int i = 0; i < 64; ++i) {
            in[static_cast<std::size_t>(i)] = i;
            wanted[static_cast<std::size_t>(i)] = (i + 5) % 64;
        }
        const OnDevice<int> x(in);
        launch(move_around, 1, 64, x, 5);
        expect(numbers(x.host()), numbers(wanted), "the order of the lines was right");
    });
    exercise("the largest of a warp", [] {
        const Floats in = shuffled(64);
        const OnDevice<float> x(in), y(64);
        launch(largest_of_warp, 1, 64, y, x);
        Floats wanted(64);
        for (std::size_t warp = 0; warp < 64; warp += 32)
            for (std::size_t i = 0; i < 32; ++i)
                wanted[warp + i] = *std::max_element(&in[warp], &in[warp] + 32);
        const std::string hint = "__shfl_xor_sync gives both of a pair the other's: 16, 8, 4, 2, 1";
        expect(numbers(y.host()), numbers(wanted), hint);
        expect(totals().passes, 0, "without shared memory");
    });
    return done();
}
