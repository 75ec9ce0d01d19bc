// Exercises of lesson 12. Fill in the function and the three kernels below, and run this program:
//
//     ./dev lesson lesson_12_matmul_ladder_practice
//
// It says of each whether it is solved; what the checks find is an error.
// practice.ipynb has the same exercises in Python.
#include "tutorials/counters.h"

using namespace lesson;

#pragma GCC diagnostic ignored "-Wunused-parameter"  // as long as the functions are empty

// ==== your code: from here ====

// Exercise 1. How many sectors of 32 bytes does the tiled product of two (n, n) matrices of float32
// read and write, in tiles of tile x tile? n is a multiple of tile, tile one of 8.
int sectors_of_tiled(int n, int tile) { not_solved(); }

// Exercise 2. The tiled product for any n. Beyond the edges the tiles shall hold 0.
__global__ void matmul_any(float* y, const float* a, const float* b, int n) {
    not_solved();  // remove this line, too
    __shared__ float tile_a[16][16], tile_b[16][16];
    const int tx = threadIdx.x, ty = threadIdx.y;
    const int r = blockIdx.y * 16 + ty, c = blockIdx.x * 16 + tx;
    float sum = 0;
    for (int k0 = 0; k0 < n; k0 += 16) {
        tile_a[ty][tx] = a[r * n + k0 + tx];
        tile_b[ty][tx] = b[(k0 + ty) * n + c];
        __syncthreads();
        for (int k = 0; k < 16; ++k) sum += tile_a[ty][k] * tile_b[k][tx];
        __syncthreads();
    }
    y[r * n + c] = sum;
}

// Exercise 3. y = a' b, where a' is a transposed. It is right, but neighbours along x read a column
// of a. Mend that, without bank conflicts. n is a multiple of 16.
__global__ void matmul_transposed(float* y, const float* a, const float* b, int n) {
    not_solved();  // remove this line, too
    __shared__ float tile_a[16][16], tile_b[16][16];
    const int tx = threadIdx.x, ty = threadIdx.y;
    const int r = blockIdx.y * 16 + ty, c = blockIdx.x * 16 + tx;
    float sum = 0;
    for (int k0 = 0; k0 < n; k0 += 16) {
        tile_a[ty][tx] = a[(k0 + tx) * n + r];
        tile_b[ty][tx] = b[(k0 + ty) * n + c];
        __syncthreads();
        for (int k = 0; k < 16; ++k) sum += tile_a[ty][k] * tile_b[k][tx];
        __syncthreads();
    }
    y[r * n + c] = sum;
}

// Exercise 4. Half way to rung 4: blocks of 16 x 16 threads own 32 rows of 16 columns. A thread
// computes the numbers in rows ty and ty + 16, and reads each number of tile_b once for both. n is
// a multiple of 32.
__global__ void matmul_two(float* y, const float* a, const float* b, int n) { not_solved(); }

// ==== your code: to here ====

using Floats = std::vector<float>;

Floats numbers_from(std::size_t n, std::size_t seed) {  // n * n whole numbers between -2 and 2
    Floats all(n * n);
    for (std::size_t i = 0; i < n * n; ++i)
        all[i] = static_cast<float>((i * 37 + seed) % 101 % 5) - 2;
    return all;
}

// With across, a is read as if it were transposed.
Floats product(const Floats& a, const Floats& b, std::size_t n, bool across = false) {
    Floats y(n * n);
    for (std::size_t r = 0; r < n; ++r)
        for (std::size_t c = 0; c < n; ++c)
            for (std::size_t k = 0; k < n; ++k)
                y[r * n + c] += (across ? a[k * n + r] : a[r * n + k]) * b[k * n + c];
    return y;
}

int main() {
    count_memory();
    exercise("sectors", [] {
        const std::string hint =
            "n / tile blocks read each number of a, and as many each of b; a sector is 8 numbers; "
            "and y is written";
        expect(sectors_of_tiled(128, 16), 34816, hint);
        expect(sectors_of_tiled(128, 32), 18432, hint);
        expect(sectors_of_tiled(64, 8), 8704, hint);
    });
    exercise("any n", [] {
        for (const int n : {20, 33, 48}) {
            const auto size = static_cast<std::size_t>(n);
            const Floats in_a = numbers_from(size, 0), in_b = numbers_from(size, 50);
            const OnDevice<float> a(in_a), b(in_b), y(size * size);
            const unsigned blocks = (static_cast<unsigned>(n) + 15) / 16;
            launch(matmul_any, dim3(blocks, blocks), dim3(16, 16), y, a, b, n);
            expect(numbers(y.host()), numbers(product(in_a, in_b, size)),
                   "three guards: for a's columns and rows, for b's, and for y's");
        }
    });
    exercise("a, transposed", [] {
        const Floats in_a = numbers_from(64, 0), in_b = numbers_from(64, 50);
        const OnDevice<float> a(in_a), b(in_b), y(64 * 64);
        launch(matmul_transposed, dim3(4, 4), dim3(16, 16), y, a, b, 64);
        expect(numbers(y.host()), numbers(product(in_a, in_b, 64, true)), "the product was right");
        expect(totals().sectors, 4608, "copy rows of a as they are, and turn where tile_a is read");
        expect(totals().most_passes, 1, "write rows of tile_a, and read tile_a[k][ty]");
    });
    exercise("two numbers a thread", [] {
        const Floats in_a = numbers_from(64, 0), in_b = numbers_from(64, 50);
        const OnDevice<float> a(in_a), b(in_b), y(64 * 64);
        launch(matmul_two, dim3(4, 2), dim3(16, 16), y, a, b, 64);
        expect(numbers(y.host()), numbers(product(in_a, in_b, 64)),
               "tile_a is 32 x 16; the block's first row is blockIdx.y * 32");
        expect(totals().passes <= 13056, true,
               "3 reads of shared memory for 2 products; bank passes: " +
                   std::to_string(totals().passes));
    });
    return done();
}
