// Who works on a line of an array (lines, n): the ladder of softmax.cu, cross_entropy.cu and
// layer_norm.cu. What they do with it is in kernels/lines.h, and is the same for all three.
//   OneThread   a thread a line. Nothing is shared; but neighbouring threads read n numbers apart,
//               a sector each, and few lines leave most of the GPU idle.
//   OneWarp     a warp a line: 32 neighbours at a time, and the lanes learn each other's sums by
//               shuffles. Good to about a thousand numbers a line.
//   OneBlock    256 threads a line: for long ones. Warps leave their sums in shared memory, at two
//               barriers a sum.
#pragma once

#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"
#include "kernels/lines.h"

namespace tg::kernels::cuda {
namespace {

constexpr int team_block = 256;
constexpr int team_warps = team_block / 32;

// What the lanes of a warp have together, in all of them: each step joins with the lane whose
// number differs in one bit.
template <class T>
__device__ T warp_sum(T x) {
    for (int bit = 16; bit > 0; bit /= 2) x += __shfl_xor_sync(~0u, x, bit);
    return x;
}
template <class T>
__device__ T warp_largest(T x) {
    for (int bit = 16; bit > 0; bit /= 2) {
        const T other = __shfl_xor_sync(~0u, x, bit);
        x = other > x ? other : x;
    }
    return x;
}

struct OneThread : lines::Alone {
    static constexpr int teams_a_block = team_block;
    static __device__ unsigned number() { return threadIdx.x; }  // of the team in its block
};

struct OneWarp {
    static constexpr int teams_a_block = team_warps;
    static __device__ unsigned number() { return threadIdx.x / 32; }
    __device__ int rank() const { return static_cast<int>(threadIdx.x % 32); }
    __device__ int size() const { return 32; }
    template <class T>
    __device__ T sum(T mine) const {
        return warp_sum(mine);
    }
    template <class T>
    __device__ T largest(T mine) const {
        return warp_largest(mine);
    }
};

struct OneBlock {
    static constexpr int teams_a_block = 1;
    static __device__ unsigned number() { return 0; }
    __device__ int rank() const { return static_cast<int>(threadIdx.x); }
    __device__ int size() const { return team_block; }
    template <class T>
    __device__ T sum(T mine) const {
        return of_warps(warp_sum(mine), true);
    }
    template <class T>
    __device__ T largest(T mine) const {
        return of_warps(warp_largest(mine), false);
    }

  private:
    // All warps' `mine`, added up or the largest. The barriers are those of reduction.h's
    // join_block.
    template <class T>
    __device__ T of_warps(T mine, bool add) const {
        __shared__ T each[team_warps];
        if (threadIdx.x % 32 == 0) each[threadIdx.x / 32] = mine;
        __syncthreads();  // all are there before anybody reads them
        T all = each[0];
        for (int warp = 1; warp < team_warps; ++warp) {
            const T other = each[warp];
            if (add)
                all += other;
            else if (other > all)
                all = other;
        }
        __syncthreads();  // before the next are written there
        return all;
    }
};

// The first line of this thread's team, and how many teams there are.
template <class Team>
__device__ std::int64_t first_line() {
    return static_cast<std::int64_t>(blockIdx.x) * Team::teams_a_block + Team::number();
}
template <class Team>
__device__ std::int64_t team_count() {
    return static_cast<std::int64_t>(gridDim.x) * Team::teams_a_block;
}

// ---- from arrays to a launch ------------------------------------------------------------------
enum class Teams { best, threads, warps, blocks };

// Calls run(team, grid) with the team that `choice` names, or that suits lines of n numbers.
template <class Run>
bool with_teams(Teams choice, std::int64_t lines, std::int64_t n, const Run& run) {
    if (choice == Teams::best)
        choice = n <= 8 && lines >= 4096 ? Teams::threads
                 : n <= 1024             ? Teams::warps
                                         : Teams::blocks;
    const auto grid = [&](int teams) { return grid_up_to(blocks_for(lines, teams)); };
    if (lines == 0 || n == 0) return true;
    if (choice == Teams::threads) run(OneThread{}, grid(OneThread::teams_a_block));
    if (choice == Teams::warps) run(OneWarp{}, grid(OneWarp::teams_a_block));
    if (choice == Teams::blocks) run(OneBlock{}, grid(OneBlock::teams_a_block));
    return true;
}

// Calls run(T{}) for float and double.
template <class Run>
bool of_floats(DType dtype, const Run& run) {
    if (dtype == DType::float32) return run(float{});
    return dtype == DType::float64 && run(double{});
}

}  // namespace
}  // namespace tg::kernels::cuda
