// Sorting numbers that are all different: a bitonic network. In step (k, j) element i is compared
// with element i ^ j, and the smaller one goes first where i & k is 0, last elsewhere. The steps
// are the same whatever the numbers are: so threads need not agree on anything but when a step
// ends.
//   for k = 2, 4, ..., n: for j = k/2, k/4, ..., 1
// makes ever longer stretches ascend and descend by turns, and in the end one of n that ascends:
// n/2 comparisons in each of log n (log n + 1) / 2 steps. n is a power of two. [Batcher 1968]
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"

namespace tg::kernels::cuda {
namespace {

using Key = unsigned long long;

constexpr int sort_threads = 512;
constexpr std::int64_t sort_tile = 2 * sort_threads;  // keys of a block: 8 KB of shared memory

__device__ __forceinline__ void order_pair(Key& first, Key& second, bool ascending) {
    if ((first > second) != ascending) return;
    const Key kept = first;
    first = second;
    second = kept;
}

// The lower element of comparison number t in a step with distance j.
__device__ __forceinline__ std::int64_t lower_of(std::int64_t t, std::int64_t j) {
    return 2 * t - (t & (j - 1));
}

// One step for pairs further apart than a tile: a thread a pair, all in global memory.
__global__ void sort_step(Key* keys, std::int64_t n, std::int64_t k, std::int64_t j) {
    for (std::int64_t t = thread_number(); t < n / 2; t += thread_count()) {
        const std::int64_t i = lower_of(t, j);
        order_pair(keys[i], keys[i + j], (i & k) == 0);
    }
}

// All steps of k = k_first, ..., k_last whose pairs lie in one tile, by a block a tile and in
// shared memory: a key is read once and written once for up to 55 steps. tile (1024,) of n or fewer
// keys.
__global__ void sort_tiles(Key* keys, std::int64_t n, std::int64_t k_first, std::int64_t k_last) {
    __shared__ Key tile[sort_tile];
    const std::int64_t length = n < sort_tile ? n : sort_tile;
    const std::int64_t start = blockIdx.x * length, t = threadIdx.x;
    for (std::int64_t i = t; i < length; i += blockDim.x) tile[i] = keys[start + i];
    for (std::int64_t k = k_first; k <= k_last; k *= 2)
        for (std::int64_t j = (k < length ? k : length) / 2; j > 0; j /= 2) {
            // A pair's keys may come from two other threads' pairs of the step before.
            __syncthreads();
            const std::int64_t i = lower_of(t, j);
            if (i + j < length) order_pair(tile[i], tile[i + j], ((start + i) & k) == 0);
        }
    __syncthreads();  // and so may those that are written back
    for (std::int64_t i = t; i < length; i += blockDim.x) keys[start + i] = tile[i];
}

inline void sort_keys(Key* keys, std::int64_t n) {
    if (n < 2) return;
    const dim3 tiles(static_cast<unsigned>(blocks_for(n, sort_tile)));
    launch(sort_tiles, tiles, sort_threads, 0, keys, n, 2, std::min(n, sort_tile));
    for (std::int64_t k = 2 * sort_tile; k <= n; k *= 2) {
        for (std::int64_t j = k / 2; j >= sort_tile; j /= 2)
            launch(sort_step, grid_up_to(blocks_for(n / 2, 256)), 256, 0, keys, n, k, j);
        launch(sort_tiles, tiles, sort_threads, 0, keys, n, k, k);
    }
}

}  // namespace
}  // namespace tg::kernels::cuda
