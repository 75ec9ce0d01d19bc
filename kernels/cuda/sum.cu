// out[o] = sum over r of in[o, r]: o runs over the dims that stay, r over those that are reduced.
// `kept` says where in `in` and in `out` output o starts, `reduced` how far in `in` its elements
// lie from there; so any subset of dims is the same kernel. R is the number of elements of one
// output. Traffic: every element is read once, one addition for each; memory decides the speed.
#include <cstdint>
#include <span>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"
#include "kernels/math.h"

namespace tg::kernels::cuda {
namespace {

constexpr int block_threads = 256;  // a power of two, for the tree

// ---- rung 1: one thread an output -------------------------------------------------------------
// Thread t owns outputs t, t + all threads, ... and adds up its R elements in order.
// Good where there are many outputs and neighbouring outputs lie side by side in memory, as in the
// column sums of a row-major matrix: then the reads of a warp are coalesced.
// Wasted: one output of a million elements keeps one thread busy and the rest of the GPU idle; and
// in row sums the 32 threads of a warp read 32 different rows, one sector each for 4 useful bytes.
template <class T>
__global__ void sum_by_threads(Layout<2> kept, Layout<1> reduced, T* out, const T* in) {
    const std::int64_t threads = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
    std::int64_t o = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    for (; o < kept.count; o += threads) {
        std::int64_t start[2], at[1];
        kept.offset(o, start);
        T total = 0;
        for (std::int64_t r = 0; r < reduced.count; ++r) {
            reduced.offset(r, at);
            total = formula::Add::of(total, in[start[1] + at[0]]);
        }
        out[start[0]] = total;
    }
}

// ---- rung 2: one block an output --------------------------------------------------------------
// Block x owns outputs x, x + gridDim.x, ... Its thread t adds elements t, t + blockDim.x, ... for
// itself, so neighbouring threads read neighbouring elements; then a tree in shared memory joins
// the blockDim.x partial sums in log2(blockDim.x) steps: the lower half adds the upper half to its
// own, and the half is halved. blockDim.x must be a power of two. `partial` is blockDim.x numbers.
// Still wasted: in the last five steps of the tree all but one warp only wait, and a single output
// keeps a single block busy.
template <class T>
__global__ void sum_by_blocks(Layout<2> kept, Layout<1> reduced, T* out, const T* in) {
    DYNAMIC_SHARED(T, partial);
    const unsigned t = threadIdx.x;
    for (std::int64_t o = blockIdx.x; o < kept.count; o += gridDim.x) {
        std::int64_t start[2], at[1];
        kept.offset(o, start);
        T mine = 0;
        for (std::int64_t r = t; r < reduced.count; r += blockDim.x) {
            reduced.offset(r, at);
            mine = formula::Add::of(mine, in[start[1] + at[0]]);
        }
        partial[t] = mine;
        // Without this barrier the first step could read a slot before its thread has written it.
        __syncthreads();
        for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
            if (t < half) partial[t] = formula::Add::of(partial[t], partial[t + half]);
            // Outside the `if`: every thread must come here. Without it, the next step could read a
            // sum that is not finished, or the next output overwrite a slot still to be read.
            __syncthreads();
        }
        if (t == 0) out[start[0]] = partial[0];
    }
}

// ---- from arrays to a launch ------------------------------------------------------------------
enum class Choice { best, threads, blocks };

// Threads, if there are enough outputs to fill a GPU that way, or too few elements in each to share
// out; but blocks, if the elements of an output are what lies side by side.
bool prefers_blocks(const Layout<2>& kept, const Layout<1>& reduced) {
    if (reduced.count < 64) return false;
    const bool side_by_side = reduced.dims > 0 && reduced.strides[0][reduced.dims - 1] == 1;
    return side_by_side || kept.count < 4096;
}

unsigned threads_of_tree(std::int64_t elements) {
    unsigned threads = 1;
    while (threads < block_threads && threads < elements) threads *= 2;
    return threads;
}

template <class T>
bool run(Choice choice, const Array& out, const Array& in) {
    Layout<2> kept;
    Layout<1> reduced;
    for (int d = 0; d < in.dims; ++d) {
        if (out.shape[d] == in.shape[d])
            kept.append(in.shape[d], {out.strides[d], in.strides[d]});
        else
            reduced.append(in.shape[d], {in.strides[d]});
    }
    if (kept.count == 0) return true;

    auto* to = static_cast<T*>(out.data);
    const auto* from = static_cast<const T*>(in.data);
    if (choice == Choice::blocks || (choice == Choice::best && prefers_blocks(kept, reduced))) {
        const unsigned threads = threads_of_tree(reduced.count);
        launch(sum_by_blocks<T>, grid_up_to(kept.count), threads, threads * sizeof(T), kept,
               reduced, to, from);
    } else {
        const dim3 grid = grid_up_to(blocks_for(kept.count, block_threads));
        launch(sum_by_threads<T>, grid, block_threads, 0, kept, reduced, to, from);
    }
    return true;
}

bool run_dtype(Choice choice, const Array& out, const Array& in) {
    if (out.dtype != in.dtype) return false;
    switch (in.dtype) {
        case DType::int32:
            return run<std::int32_t>(choice, out, in);
        case DType::int64:
            return run<std::int64_t>(choice, out, in);
        case DType::float32:
            return run<float>(choice, out, in);
        case DType::float64:
            return run<double>(choice, out, in);
        default:
            return false;
    }
}

bool by_threads(const Array& out, const Array& in) { return run_dtype(Choice::threads, out, in); }
bool by_blocks(const Array& out, const Array& in) { return run_dtype(Choice::blocks, out, in); }

}  // namespace

// Chooses by prefers_blocks().
template <class Machine>
bool sum(const Array& out, const Array& in) {
    return run_dtype(Choice::best, out, in);
}

template <class Machine>
std::span<const Rung<Sum>> sum_rungs() {
    static constexpr Rung<Sum> rungs[] = {{"by threads", by_threads}, {"by blocks", by_blocks}};
    return rungs;
}

template bool sum<ThisMachine>(const Array&, const Array&);
template std::span<const Rung<Sum>> sum_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
