// The kernels of lesson 12. lesson.ipynb holds the same text; nvcc compiles it unchanged.
//
// y = a b, each (n, n) and row by row, n a multiple of 64. Blocks of 16 x 16 threads. What the
// rungs differ in is how often they read a and b, and from where. Each number of y is the same
// chain of additions, over k = 0, 1, ..., in all of them.
#include "kernels/cuda/launch.h"

// Rung 1. A thread for each number of y. Neighbours along x are neighbours in a column.
__global__ void matmul_naive(float* y, const float* a, const float* b, int n) {
    const int r = blockIdx.x * 16 + threadIdx.x, c = blockIdx.y * 16 + threadIdx.y;
    float sum = 0;
    for (int k = 0; k < n; ++k) {
        const float left = a[r * n + k];
        const float right = b[k * n + c];
        sum += left * right;
    }
    y[r * n + c] = sum;
}

// Rung 2. The same, with x and y exchanged: neighbours along x are neighbours in a row.
__global__ void matmul_coalesced(float* y, const float* a, const float* b, int n) {
    const int r = blockIdx.y * 16 + threadIdx.y, c = blockIdx.x * 16 + threadIdx.x;
    float sum = 0;
    for (int k = 0; k < n; ++k) {
        const float left = a[r * n + k];
        const float right = b[k * n + c];
        sum += left * right;
    }
    y[r * n + c] = sum;
}

// Rung 3. The block walks along k in steps of 16. Each number that it copies to shared memory is
// used by 16 threads.
__global__ void matmul_tiled(float* y, const float* a, const float* b, int n) {
    __shared__ float tile_a[16][16], tile_b[16][16];
    const int tx = threadIdx.x, ty = threadIdx.y;
    const int r = blockIdx.y * 16 + ty, c = blockIdx.x * 16 + tx;
    float sum = 0;
    for (int k0 = 0; k0 < n; k0 += 16) {
        tile_a[ty][tx] = a[r * n + k0 + tx];
        tile_b[ty][tx] = b[(k0 + ty) * n + c];
        __syncthreads();  // the tiles are there
        for (int k = 0; k < 16; ++k) {
            const float left = tile_a[ty][k];
            const float right = tile_b[k][tx];
            sum += left * right;
        }
        __syncthreads();  // and nobody reads them any more
    }
    y[r * n + c] = sum;
}

// Rung 4. A thread has 4 x 4 numbers of y in registers, so that it uses each number from shared
// memory 4 times; the block has 64 x 64, and uses each number from global memory 64 times.
__global__ void matmul_blocked(float* y, const float* a, const float* b, int n) {
    __shared__ float tile_a[64][16], tile_b[16][64];
    const int tx = threadIdx.x, ty = threadIdx.y;
    const int over = tx + 16 * (ty % 4), down = ty / 4;  // 4 rows of 64, to copy b
    const int r = blockIdx.y * 64 + ty, c = blockIdx.x * 64;
    float sum[4][4] = {}, left[4], right[4];
    for (int k0 = 0; k0 < n; k0 += 16) {
        for (int i = 0; i < 4; ++i) {
            tile_a[ty + 16 * i][tx] = a[(r + 16 * i) * n + k0 + tx];
            tile_b[down + 4 * i][over] = b[(k0 + down + 4 * i) * n + c + over];
        }
        __syncthreads();
        for (int k = 0; k < 16; ++k) {
            for (int i = 0; i < 4; ++i) {
                left[i] = tile_a[ty + 16 * i][k];
                right[i] = tile_b[k][tx + 16 * i];
            }
            for (int i = 0; i < 4; ++i)
                for (int j = 0; j < 4; ++j) sum[i][j] += left[i] * right[j];
        }
        __syncthreads();
    }
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) {
            float* to = y + (r + 16 * i) * n + c + tx + 16 * j;
            *to = sum[i][j];
        }
}

// Rung 5. Two of each tile: while the block multiplies one, the numbers of the next are on their
// way to registers. One barrier a step.
__global__ void matmul_buffered(float* y, const float* a, const float* b, int n) {
    __shared__ float tile_a[2][64][16], tile_b[2][16][64];
    const int tx = threadIdx.x, ty = threadIdx.y;
    const int over = tx + 16 * (ty % 4), down = ty / 4;
    const int r = blockIdx.y * 64 + ty, c = blockIdx.x * 64;
    float sum[4][4] = {}, left[4], right[4], next_a[4], next_b[4];
    for (int k0 = -16, now = 1; k0 < n; k0 += 16, now = 1 - now) {
        const bool more = k0 + 16 < n;
        for (int i = 0; i < 4 && more; ++i) {
            next_a[i] = a[(r + 16 * i) * n + k0 + 16 + tx];
            next_b[i] = b[(k0 + 16 + down + 4 * i) * n + c + over];
        }
        for (int k = 0; k < 16 && k0 >= 0; ++k) {
            for (int i = 0; i < 4; ++i) {
                left[i] = tile_a[now][ty + 16 * i][k];
                right[i] = tile_b[now][k][tx + 16 * i];
            }
            for (int i = 0; i < 4; ++i)
                for (int j = 0; j < 4; ++j) sum[i][j] += left[i] * right[j];
        }
        for (int i = 0; i < 4 && more; ++i) {
            tile_a[1 - now][ty + 16 * i][tx] = next_a[i];
            tile_b[1 - now][down + 4 * i][over] = next_b[i];
        }
        __syncthreads();
    }
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) {
            float* to = y + (r + 16 * i) * n + c + tx + 16 * j;
            *to = sum[i][j];
        }
}
