// The kernels of lesson 10. lesson.ipynb holds the same text; nvcc compiles it unchanged.
#include "kernels/cuda/launch.h"

// Each thread leaves its two numbers in the place that is its own.
__global__ void who_am_i(int* block, int* thread) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    block[i] = blockIdx.x;
    thread[i] = threadIdx.x;
}

// y = a + b, of n numbers each. The last block has threads to spare: the guard keeps them out.
__global__ void add_two(float* y, const float* a, const float* b, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = a[i] + b[i];
}

// The same without a guard.
__global__ void add_unguarded(float* y, const float* a, const float* b) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    y[i] = a[i] + b[i];
}

// y = x + row, of (rows, columns) and (columns,). Neighbours along x are neighbours in memory.
__global__ void add_row(float* y, const float* x, const float* row, int rows, int columns) {
    const int c = blockIdx.x * blockDim.x + threadIdx.x;
    const int r = blockIdx.y * blockDim.y + threadIdx.y;
    if (r < rows && c < columns) y[r * columns + c] = x[r * columns + c] + row[c];
}

// As many numbers as you like with as many threads as you like: each goes on by the whole grid.
__global__ void double_all(float* x, int* who, int n) {
    const int first = blockIdx.x * blockDim.x + threadIdx.x;
    const int stride = gridDim.x * blockDim.x;
    for (int i = first; i < n; i += stride) {
        x[i] = 2 * x[i];
        who[i] = first;
    }
}

// The sum of x (n,), three times. By one thread: n additions, one after the other.
__global__ void sum_by_one(float* total, const float* x, int n) {
    float sum = 0;
    for (int i = 0; i < n; ++i) sum += x[i];
    *total = sum;
}

// By all threads: n additions to one place, which cannot happen at the same time either.
__global__ void sum_by_atomics(float* total, const float* x, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) atomicAdd(total, x[i]);
}

// By blocks of 64: each thread adds up some numbers, the block adds up its 64 sums in 6 steps,
// and one addition for each block goes to the total.
__global__ void sum_by_blocks(float* total, const float* x, int n) {
    __shared__ float part[64];  // one for the block; all its threads see it
    const int t = threadIdx.x;
    float sum = 0;
    for (int i = blockIdx.x * 64 + t; i < n; i += gridDim.x * 64) sum += x[i];
    part[t] = sum;
    __syncthreads();
    for (int half = 32; half > 0; half /= 2) {
        if (t < half) part[t] += part[t + half];
        __syncthreads();
    }
    if (t == 0) atomicAdd(total, part[0]);
}

// A guard that comes too early: some threads never come to the barrier.
__global__ void leaves_early(float* y, const float* x, int n) {
    __shared__ float copy[64];
    const int t = threadIdx.x;
    if (t >= n) return;
    copy[t] = x[t];
    __syncthreads();
    y[t] = copy[n - 1 - t];
}
