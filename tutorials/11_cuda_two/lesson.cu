// The kernels of lesson 11. lesson.ipynb holds the same text; nvcc compiles it unchanged.
#include "kernels/cuda/launch.h"

// Lesson 10's mistake: no guard.
__global__ void add_unguarded(float* y, const float* a, const float* b) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    y[i] = a[i] + b[i];
}

// And the other one: to read, to add and to write are three things.
__global__ void add_to_total(float* total, const float* x) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    *total += x[i];
}

// x (n, n) -> y (n, n), transposed, in blocks of 32 x 32; n is a multiple of 32.
__global__ void transpose_plain(float* y, const float* x, int n) {
    const int c = blockIdx.x * 32 + threadIdx.x, r = blockIdx.y * 32 + threadIdx.y;
    const float value = x[r * n + c];
    y[c * n + r] = value;
}

// A block takes a tile of 32 x 32 in, row by row, and writes it out row by row as well: the turn is
// in the middle, in shared memory. width is the length of a row there, 32 or more.
template <int width>
__global__ void transpose_tiled(float* y, const float* x, int n) {
    __shared__ float tile[32][width];
    const int tx = threadIdx.x, ty = threadIdx.y;
    const int across = blockIdx.x * 32, down = blockIdx.y * 32;  // where the tile lies in x
    tile[ty][tx] = x[(down + ty) * n + across + tx];
    __syncthreads();
    const float turned = tile[tx][ty];
    y[(across + ty) * n + down + tx] = turned;
}

// The same in a hurry.
__global__ void transpose_hurried(float* y, const float* x, int n) {
    __shared__ float tile[32][33];
    const int tx = threadIdx.x, ty = threadIdx.y;
    const int across = blockIdx.x * 32, down = blockIdx.y * 32;
    tile[ty][tx] = x[(down + ty) * n + across + tx];
    const float turned = tile[tx][ty];
    y[(across + ty) * n + down + tx] = turned;
}

// The sum of 256 numbers by a block of 256: in shared memory, in 8 steps with a barrier each.
__global__ void sum_by_tree(float* total, const float* x) {
    __shared__ float part[256];
    const int t = threadIdx.x;
    part[t] = x[t];
    __syncthreads();
    for (int half = 128; half > 0; half /= 2) {
        if (t < half) part[t] += part[t + half];
        __syncthreads();
    }
    if (t == 0) *total = part[0];
}

// The same by shuffles: the 32 lanes of a warp hand each other their registers. Shared memory
// serves the 8 sums of the warps alone.
__device__ float sum_of_warp(float mine) {
    for (int away = 16; away > 0; away /= 2) mine += __shfl_down_sync(0xffffffff, mine, away);
    return mine;  // right in lane 0
}
__global__ void sum_by_shuffles(float* total, const float* x) {
    __shared__ float part[8];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const float of_warp = sum_of_warp(x[threadIdx.x]);
    if (lane == 0) part[warp] = of_warp;
    __syncthreads();
    if (warp > 0) return;  // no barrier follows
    const float of_block = sum_of_warp(lane < 8 ? part[lane] : 0);
    if (lane == 0) *total = of_block;
}

// A shuffle of all 32 lanes, to which only 16 come; the others go on to the barrier.
__global__ void half_a_warp(float* y) {
    const int t = threadIdx.x;
    float value = y[t];
    if (t < 16) value = __shfl_xor_sync(0xffffffff, value, 1);
    __syncthreads();
    y[t] = value;
}
