// Sorting lines of keys that are all different: a bitonic network. In step (k, j) element i is
// compared with element i ^ j, and the smaller one goes first where i & k is 0, last elsewhere. The
// steps are the same whatever the numbers are: so threads need not agree on anything but when a
// step ends.
//   for k = 2, 4, ..., n: for j = k/2, k/4, ..., 1
// makes ever longer stretches ascend and descend by turns, and in the end one of n that ascends:
// n/2 comparisons in each of log n (log n + 1) / 2 steps. n is a power of two. Lines of n keys, one
// behind the other, take the same steps: only the bits of i within its line tell the direction, so
// the last, with k = n, is ascending in all of them. [Batcher 1968]
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"

namespace tg::kernels::cuda {
namespace {

using Key = unsigned long long;

constexpr int sort_threads = 512;
constexpr std::int64_t sort_tile = 2 * sort_threads;  // keys of a block

template <class K>
__device__ __forceinline__ void order_pair(K& first, K& second, bool ascending) {
    if ((first > second) != ascending) return;
    const K kept = first;
    first = second;
    second = kept;
}

// The lower element of comparison number t in a step with distance j.
__device__ __forceinline__ std::int64_t lower_of(std::int64_t t, std::int64_t j) {
    return 2 * t - (t & (j - 1));
}

// One step for pairs further apart than a tile: a thread a pair, all in global memory. `all` keys
// in lines of n.
template <class K>
__global__ void sort_step(K* keys, std::int64_t all, std::int64_t n, std::int64_t k,
                          std::int64_t j) {
    for (std::int64_t t = thread_number(); t < all / 2; t += thread_count()) {
        const std::int64_t i = lower_of(t, j);
        order_pair(keys[i], keys[i + j], (i & (n - 1) & k) == 0);
    }
}

// All steps of k = k_first, ..., k_last whose pairs lie in one tile, by a block a tile and in
// shared memory: a key is read once and written once for up to 55 steps. tile (1024,), of several
// lines where they are short.
template <class K>
__global__ void sort_tiles(K* keys, std::int64_t all, std::int64_t n, std::int64_t k_first,
                           std::int64_t k_last) {
    __shared__ K tile[sort_tile];
    const std::int64_t tiles = blocks_for(all, sort_tile);
    for (std::int64_t b = blockIdx.x; b < tiles; b += gridDim.x) {
        const std::int64_t start = b * sort_tile, t = threadIdx.x;
        const std::int64_t length = all - start < sort_tile ? all - start : sort_tile;
        for (std::int64_t i = t; i < length; i += blockDim.x) tile[i] = keys[start + i];
        for (std::int64_t k = k_first; k <= k_last; k *= 2)
            for (std::int64_t j = (k < sort_tile ? k : sort_tile) / 2; j > 0; j /= 2) {
                // A pair's keys may come from two other threads' pairs of the step before.
                __syncthreads();
                const std::int64_t i = lower_of(t, j);
                if (i + j < length)
                    order_pair(tile[i], tile[i + j], ((start + i) & (n - 1) & k) == 0);
            }
        __syncthreads();  // and so may those that are written back
        // None behind it: what a thread loads of the next tile lies where it has just read itself.
        for (std::int64_t i = t; i < length; i += blockDim.x) keys[start + i] = tile[i];
    }
}

// The length of a line of n items: what is behind them is filled.
inline std::int64_t power_of_two_from(std::int64_t n) {
    std::int64_t length = 1;
    while (length < n) length *= 2;
    return length;
}

// keys (lines, n)
template <class K>
void sort_keys(K* keys, std::int64_t n, std::int64_t lines = 1) {
    if (n < 2 || lines == 0) return;
    const std::int64_t all = lines * n;
    const dim3 tiles = grid_up_to(blocks_for(all, sort_tile));
    launch(sort_tiles<K>, tiles, sort_threads, 0, keys, all, n, 2, std::min(n, sort_tile));
    for (std::int64_t k = 2 * sort_tile; k <= n; k *= 2) {
        for (std::int64_t j = k / 2; j >= sort_tile; j /= 2)
            launch(sort_step<K>, grid_up_to(blocks_for(all / 2, 256)), 256, 0, keys, all, n, k, j);
        launch(sort_tiles<K>, tiles, sort_threads, 0, keys, all, n, k, k);
    }
}

}  // namespace
}  // namespace tg::kernels::cuda
