// y[o] = x[o, 0] . x[o, 1] . x[o, 2] ... where . joins two: a sum, a maximum, the place of one.
// o runs over the dims that stay, r = 0 ... R - 1 over those that are reduced. `kept` says where in
// y and x output o starts, `reduced` how far in x its elements lie from there; so any subset of
// dims is the same kernel. Every element is read once, and joined once: memory decides the speed.
//
// What is reduced is a record J (sum.cu, extremum.cu, place.cu):
//   In, Out          the types of x and y
//   State            what a thread knows of the elements that it has met: plain data
//   start()          nothing met yet
//   read(x, r)       x met, at place r
//   of(a, b)         both together
//   result(state)    what is written
// The order in which they are joined differs from the CPU's, and between the rungs: sums of floats
// differ in the last digits, and of the zeros -0 and 0 either may be the maximum. The rest is
// equal.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/cuda/dtypes.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"
#include "kernels/cuda/scratch.h"

namespace tg::kernels::cuda {
namespace {

constexpr unsigned block_threads = 256;  // a power of two, for the tree
constexpr unsigned warp_threads = 32;
constexpr unsigned all_lanes = 0xffffffff;
constexpr std::int64_t chain = 1024;  // terms added one by one; over more, the sums of such chains

// Elements begin, begin + step, ... below `end` of one output, which starts at x.
template <class J>
__device__ typename J::State reduce_stretch(const Layout<1>& reduced, const typename J::In* x,
                                            std::int64_t begin, std::int64_t end,
                                            std::int64_t step) {
    typename J::State total = J::start();
    for (std::int64_t r = begin; r < end;) {
        typename J::State link = J::start();
        for (std::int64_t i = 0; i < chain && r < end; ++i, r += step) {
            std::int64_t at[1];
            reduced.offset(r, at);
            link = J::of(link, J::read(x[at[0]], r));
        }
        total = J::of(total, link);
    }
    return total;
}

// ---- rung 1: one thread an output -------------------------------------------------------------
// Thread t owns outputs t, t + all threads, ... and joins their R elements in order.
// Good where there are many outputs and neighbouring outputs lie side by side in memory, as in the
// column sums of a row-major matrix: then the reads of a warp are coalesced.
// Wasted: one output of a million elements keeps one thread busy and the rest of the GPU idle; and
// in row sums the 32 threads of a warp read 32 different rows, one sector each for 4 useful bytes.
template <class J>
__global__ void reduce_by_threads(Layout<2> kept, Layout<1> reduced, typename J::Out* y,
                                  const typename J::In* x) {
    const std::int64_t threads = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
    std::int64_t o = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    for (; o < kept.count; o += threads) {
        std::int64_t start[2];
        kept.offset(o, start);
        y[start[0]] = J::result(reduce_stretch<J>(reduced, x + start[1], 0, reduced.count, 1));
    }
}

// ---- rung 2: one block an output --------------------------------------------------------------
// Block x owns outputs x, x + gridDim.x, ... Its thread t joins elements t, t + blockDim.x, ... for
// itself, so neighbouring threads read neighbouring elements; then a tree in shared memory joins
// the blockDim.x states in log2(blockDim.x) steps: the lower half takes the upper half to its own,
// and the half is halved. blockDim.x must be a power of two. `states` is one for each thread.
// Wasted: in the last five steps of the tree all but one warp only wait at eight barriers an
// output, and every step goes through shared memory; and a single output keeps one block busy.
template <class J>
__global__ void reduce_by_blocks(Layout<2> kept, Layout<1> reduced, typename J::Out* y,
                                 const typename J::In* x) {
    DYNAMIC_SHARED(typename J::State, states);
    const unsigned t = threadIdx.x;
    for (std::int64_t o = blockIdx.x; o < kept.count; o += gridDim.x) {
        std::int64_t start[2];
        kept.offset(o, start);
        const typename J::State mine =
            reduce_stretch<J>(reduced, x + start[1], t, reduced.count, blockDim.x);
        states[t] = mine;
        // Without this barrier the first step could read a slot before its thread has written it.
        __syncthreads();
        for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
            if (t < half) {
                // A variable, as above: the checks do not see a call write a struct into memory.
                const typename J::State both = J::of(states[t], states[t + half]);
                states[t] = both;
            }
            // Outside the `if`: every thread must come here. Without it, the next step could read a
            // state that is not finished, or the next output overwrite a slot still to be read.
            __syncthreads();
        }
        if (t == 0) y[start[0]] = J::result(states[0]);
    }
}

// ---- rung 3: shuffles -------------------------------------------------------------------------
// The 32 threads of a warp run together, and __shfl_down_sync hands a register from lane to lane:
// five steps join them, without shared memory and without a barrier. In the step of 16, lane 3 gets
// lane 19's state, in the step of 8 lane 11's, ... and lane 0 has all in the end. (The upper lanes
// join what no one asks for.) Then each warp leaves one state in shared memory, and the first warp
// joins those: two barriers an output instead of nine.
template <class J>
__device__ typename J::State join_warp(typename J::State mine) {
    for (unsigned delta = warp_threads / 2; delta > 0; delta /= 2)
        mine = J::of(mine, J::from_above(mine, delta));
    return mine;
}

// Right in thread 0. All threads of the block call it, whole warps.
template <class J>
__device__ typename J::State join_block(typename J::State mine) {
    __shared__ typename J::State of_warps[block_threads / warp_threads];
    const unsigned lane = threadIdx.x % warp_threads, warp = threadIdx.x / warp_threads;
    mine = join_warp<J>(mine);
    if (lane == 0) of_warps[warp] = mine;
    // Without this barrier the first warp could read a slot before its warp has written it.
    __syncthreads();
    if (warp == 0) {
        mine = lane < blockDim.x / warp_threads ? of_warps[lane] : J::start();
        mine = join_warp<J>(mine);
    }
    // And without this one another warp could write its state of the next output into a slot that
    // the first warp has still to read.
    __syncthreads();
    return mine;
}

template <class J>
__global__ void reduce_by_shuffles(Layout<2> kept, Layout<1> reduced, typename J::Out* y,
                                   const typename J::In* x) {
    for (std::int64_t o = blockIdx.x; o < kept.count; o += gridDim.x) {
        std::int64_t start[2];
        kept.offset(o, start);
        const typename J::State all = join_block<J>(
            reduce_stretch<J>(reduced, x + start[1], threadIdx.x, reduced.count, blockDim.x));
        if (threadIdx.x == 0) y[start[0]] = J::result(all);
    }
}

// ---- rung 4: two passes -----------------------------------------------------------------------
// Few outputs of many elements: a block an output would leave most of the GPU idle. Here each
// output is cut into `parts` stretches, block b joins stretch b % parts of output b / parts, and a
// second launch joins the parts. Blocks cannot wait for each other; the end of a launch is the
// barrier of the whole grid. The states between, one a block, are all that it costs.
template <class J>
__global__ void reduce_parts(Layout<2> kept, Layout<1> reduced, std::int64_t parts,
                             typename J::State* states, const typename J::In* x) {
    const std::int64_t part = blockIdx.x % parts, length = blocks_for(reduced.count, parts);
    const std::int64_t begin = part * length;
    const std::int64_t end = begin + length < reduced.count ? begin + length : reduced.count;
    std::int64_t start[2];
    kept.offset(blockIdx.x / parts, start);
    const typename J::State all = join_block<J>(
        reduce_stretch<J>(reduced, x + start[1], begin + threadIdx.x, end, blockDim.x));
    if (threadIdx.x == 0) states[blockIdx.x] = all;
}

// Block x joins the parts of output x.
template <class J>
__global__ void join_parts(Layout<2> kept, std::int64_t parts, typename J::Out* y,
                           const typename J::State* states) {
    states += blockIdx.x * parts;
    typename J::State mine = J::start();
    for (std::int64_t p = threadIdx.x; p < parts; p += blockDim.x) mine = J::of(mine, states[p]);
    mine = join_block<J>(mine);
    std::int64_t start[2];
    kept.offset(blockIdx.x, start);
    if (threadIdx.x == 0) y[start[0]] = J::result(mine);
}

// ---- from arrays to a launch ------------------------------------------------------------------
enum class Choice { best, threads, blocks, shuffles, passes };

// Threads, if there are enough outputs to fill a GPU that way, or too few elements in each to share
// out, unless it is the elements of one output that lie side by side; passes for few outputs of
// many elements; else shuffles.
inline Choice best_of(const Layout<2>& kept, const Layout<1>& reduced) {
    if (reduced.count < 64) return Choice::threads;
    const bool side_by_side = reduced.dims > 0 && reduced.strides[0][reduced.dims - 1] == 1;
    if (!side_by_side && kept.count >= 4096) return Choice::threads;
    return kept.count <= 64 && reduced.count >= 32768 ? Choice::passes : Choice::shuffles;
}

inline unsigned threads_of_tree(std::int64_t elements, unsigned least) {
    unsigned threads = least;
    while (threads < block_threads && threads < elements) threads *= 2;
    return threads;
}

template <class J>
bool run_passes(const Layout<2>& kept, const Layout<1>& reduced, typename J::Out* to,
                const typename J::In* from) {
    static thread_local Scratch scratch;
    const std::int64_t most = blocks_for(1024, kept.count);  // blocks that keep a GPU busy
    const std::int64_t wanted = blocks_for(reduced.count, 4096);
    const std::int64_t parts = wanted < 1 ? 1 : wanted < most ? wanted : most;
    const std::int64_t blocks = kept.count * parts;
    auto* states = static_cast<typename J::State*>(
        scratch.at_least(static_cast<std::size_t>(blocks) * sizeof(typename J::State)));
    if (states == nullptr) return false;
    launch(reduce_parts<J>, grid_up_to(blocks, blocks),
           threads_of_tree(blocks_for(reduced.count, parts), warp_threads), 0, kept, reduced, parts,
           states, from);
    launch(join_parts<J>, grid_up_to(kept.count, kept.count), threads_of_tree(parts, warp_threads),
           0, kept, parts, to, states);
    return true;
}

// out has as many dims as in, with size 1 where it was reduced.
template <class J>
bool run_reduction(Choice choice, const Array& out, const Array& in) {
    Layout<2> kept;
    Layout<1> reduced;
    for (int d = 0; d < in.dims; ++d) {
        if (out.shape[d] == in.shape[d])
            kept.append(in.shape[d], {out.strides[d], in.strides[d]});
        else
            reduced.append(in.shape[d], {in.strides[d]});
    }
    if (kept.count == 0) return true;

    auto* to = static_cast<typename J::Out*>(out.data);
    const auto* from = static_cast<const typename J::In*>(in.data);
    if (choice == Choice::best) choice = best_of(kept, reduced);
    if (choice == Choice::passes) return run_passes<J>(kept, reduced, to, from);
    if (choice == Choice::threads) {
        launch(reduce_by_threads<J>, grid_up_to(blocks_for(kept.count, block_threads)),
               block_threads, 0, kept, reduced, to, from);
    } else if (choice == Choice::blocks) {
        const unsigned threads = threads_of_tree(reduced.count, 1);
        launch(reduce_by_blocks<J>, grid_up_to(kept.count), threads,
               threads * sizeof(typename J::State), kept, reduced, to, from);
    } else {
        launch(reduce_by_shuffles<J>, grid_up_to(kept.count),
               threads_of_tree(reduced.count, warp_threads), 0, kept, reduced, to, from);
    }
    return true;
}

// A lane's register, from the lane `delta` above. Types shorter than an int go as one.
template <class T>
__device__ __forceinline__ T from_lane_above(T mine, unsigned delta) {
    if constexpr (sizeof(T) < sizeof(int))
        return static_cast<T>(__shfl_down_sync(all_lanes, static_cast<int>(mine), delta));
    else
        return __shfl_down_sync(all_lanes, mine, delta);
}

}  // namespace
}  // namespace tg::kernels::cuda
