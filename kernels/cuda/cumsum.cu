// y[i] = x[0] + ... + x[i] along one dim, a scan: every element needs all before it. With `back`
// the line is walked from its other end. `lines` says where in y and x each line starts; its
// elements are n, each `step` apart. A sum of floats is kept in a double until it is written, as on
// the CPU: the order of additions differs, and so, seldom, does a last digit.
#include <cstdint>
#include <span>
#include <type_traits>

#include "kernels/cuda/dtypes.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"
#include "kernels/cuda/scratch.h"
#include "kernels/math.h"

namespace tg::kernels::cuda {
namespace {

constexpr unsigned scan_threads = 256;                          // a power of two
constexpr std::int64_t piece = 2 * std::int64_t{scan_threads};  // elements of one scan

struct Line {
    std::int64_t n, y_step, x_step;
};

template <class T>
using Total = std::conditional_t<std::is_same_v<T, float>, double, T>;

// What changes no number that it is added to, -0 neither.
template <class S>
__device__ S nothing() {
    return std::is_floating_point_v<S> ? static_cast<S>(-0.0) : S(0);
}

// ---- rung 1: naive ----------------------------------------------------------------------------
// One thread a line, n additions one after another. Wasted: with few lines nearly the whole GPU
// idles; and along the last dim the threads of a warp read 32 different lines, a sector each.
template <class T>
__global__ void cumsum_naive(Layout<2> lines, Line line, T* y, const T* x) {
    const std::int64_t threads = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
    std::int64_t l = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    for (; l < lines.count; l += threads) {
        std::int64_t at[2];
        lines.offset(l, at);
        Total<T> total = nothing<Total<T>>();
        for (std::int64_t i = 0; i < line.n; ++i) {
            total = formula::Add::of<Total<T>>(total, x[at[1] + i * line.x_step]);
            y[at[0] + i * line.y_step] = static_cast<T>(total);
        }
    }
}

// ---- rung 2: work-efficient, in shared memory -------------------------------------------------
// A block scans a line piece by piece, 512 elements at a time, two a thread [Blelloch 1990]. Up the
// tree: every second sum takes its left neighbour's, then every fourth, ... as a reduction does:
// 511 additions. Down again: a node gives its left child what was before the node, and its right
// child that and the left child's sum: 511 more. So twice the additions of a loop in 2 log2 512
// steps, where each thread adding up all before it would take 512^2 / 2. Then every slot holds what
// was before it (an exclusive scan), and the thread adds its own.
//
// Wasted: the stride between the slots of neighbouring threads doubles with each step, so up to 32
// lanes meet in one bank of shared memory (a gap after every 32 slots would cure it); and one line
// is one block's, piece after piece.
template <class S>
__device__ void scan_exclusive(S* sums) {
    const unsigned t = threadIdx.x;
    unsigned gap = 1;
    for (unsigned nodes = scan_threads; nodes > 0; nodes /= 2, gap *= 2) {
        // What the step before wrote, or who called, must be there.
        __syncthreads();
        if (t < nodes) {
            const unsigned left = gap * (2 * t + 1) - 1, right = gap * (2 * t + 2) - 1;
            sums[right] = formula::Add::of<S>(sums[left], sums[right]);
        }
    }
    if (t == 0) sums[piece - 1] = nothing<S>();  // before the whole piece
    for (unsigned nodes = 1; nodes <= scan_threads; nodes *= 2) {
        gap /= 2;
        __syncthreads();
        if (t < nodes) {
            const unsigned left = gap * (2 * t + 1) - 1, right = gap * (2 * t + 2) - 1;
            const S of_left = sums[left], before = sums[right];
            sums[left] = before;
            sums[right] = formula::Add::of<S>(before, of_left);
        }
    }
    __syncthreads();
}

// y[0 .. n) = what was before, and x up to here; returns the sum of all. n is at most 512.
template <class T>
__device__ Total<T> scan_piece(Line line, std::int64_t n, T* y, const T* x, Total<T> before) {
    using S = Total<T>;
    __shared__ S sums[piece];
    S own[2];
    for (unsigned j = 0; j < 2; ++j) {  // neighbouring threads read neighbouring elements
        const std::int64_t i = threadIdx.x + j * scan_threads;
        own[j] = i < n ? S(x[i * line.x_step]) : nothing<S>();
        sums[i] = own[j];
    }
    scan_exclusive<S>(sums);
    for (unsigned j = 0; j < 2; ++j) {
        const std::int64_t i = threadIdx.x + j * scan_threads;
        own[j] = formula::Add::of<S>(formula::Add::of<S>(before, sums[i]), own[j]);
        if (i < n) y[i * line.y_step] = static_cast<T>(own[j]);
    }
    // The last thread's second element is behind all others: they pass it on. Without the barrier
    // before, a thread could still have to read the slot; without that behind, to get the sum.
    __syncthreads();
    if (threadIdx.x == scan_threads - 1) sums[0] = own[1];
    __syncthreads();
    const S all = sums[0];
    __syncthreads();  // and the next piece must not overwrite it before all have it
    return all;
}

template <class T>
__global__ void cumsum_by_blocks(Layout<2> lines, Line line, T* y, const T* x) {
    for (std::int64_t l = blockIdx.x; l < lines.count; l += gridDim.x) {
        std::int64_t at[2];
        lines.offset(l, at);
        Total<T> before = nothing<Total<T>>();
        for (std::int64_t i = 0; i < line.n; i += piece) {
            const std::int64_t n = line.n - i < piece ? line.n - i : piece;
            before = scan_piece<T>(line, n, y + at[0] + i * line.y_step,
                                   x + at[1] + i * line.x_step, before);
        }
    }
}

// ---- rung 3: several blocks a line ------------------------------------------------------------
// Long lines are cut into stretches, a block each, in three launches: blocks add up their stretch;
// one thread a line scans these sums, which are few; then each block scans its stretch as rung 2
// does, from the sum of all before it on. x is read twice, but by the whole GPU.
struct Cut {
    std::int64_t length, stretches;  // elements of a stretch, a whole number of pieces
};

// Block b: stretch b % stretches of line b / stretches.
template <class T>
__global__ void stretch_sums(Layout<2> lines, Line line, Cut cut, Total<T>* sums, const T* x) {
    using S = Total<T>;
    __shared__ S partial[scan_threads];
    const std::int64_t begin = blockIdx.x % cut.stretches * cut.length;
    const std::int64_t end = begin + cut.length < line.n ? begin + cut.length : line.n;
    std::int64_t at[2];
    lines.offset(blockIdx.x / cut.stretches, at);
    S mine = nothing<S>();
    for (std::int64_t i = begin + threadIdx.x; i < end; i += scan_threads)
        mine = formula::Add::of<S>(mine, x[at[1] + i * line.x_step]);
    partial[threadIdx.x] = mine;
    for (unsigned half = scan_threads / 2; half > 0; half /= 2) {
        __syncthreads();  // what the step before wrote must be there
        if (threadIdx.x < half)
            partial[threadIdx.x] =
                formula::Add::of<S>(partial[threadIdx.x], partial[threadIdx.x + half]);
    }
    if (threadIdx.x == 0) sums[blockIdx.x] = partial[0];
}

template <class S>
__global__ void scan_sums(std::int64_t lines, Cut cut, S* sums) {
    const std::int64_t l = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (l >= lines) return;
    S total = nothing<S>();
    for (S* sum = sums + l * cut.stretches; sum < sums + (l + 1) * cut.stretches; ++sum) {
        const S own = *sum;
        *sum = total;
        total = formula::Add::of<S>(total, own);
    }
}

template <class T>
__global__ void scan_stretches(Layout<2> lines, Line line, Cut cut, T* y, const T* x,
                               const Total<T>* sums) {
    const std::int64_t begin = blockIdx.x % cut.stretches * cut.length;
    const std::int64_t end = begin + cut.length < line.n ? begin + cut.length : line.n;
    std::int64_t at[2];
    lines.offset(blockIdx.x / cut.stretches, at);
    Total<T> before = sums[blockIdx.x];
    for (std::int64_t i = begin; i < end; i += piece) {
        const std::int64_t n = end - i < piece ? end - i : piece;
        before = scan_piece<T>(line, n, y + at[0] + i * line.y_step, x + at[1] + i * line.x_step,
                               before);
    }
}

// ---- from arrays to a launch ------------------------------------------------------------------
enum class Scan { best, naive, block, blocks };

// Many lines, or short ones: a thread each, unless the elements of a line lie side by side. Few
// long lines: several blocks each.
Scan best_of(const Layout<2>& lines, const Line& line) {
    if (line.n < 64) return Scan::naive;
    if (line.x_step != 1 && line.x_step != -1 && lines.count >= 4096) return Scan::naive;
    return lines.count <= 64 && line.n >= 16 * piece ? Scan::blocks : Scan::block;
}

template <class T>
bool run_blocks(const Layout<2>& lines, const Line& line, T* y, const T* x) {
    static thread_local Scratch scratch;
    const std::int64_t most = blocks_for(512, lines.count);  // blocks that keep a GPU busy
    const std::int64_t length = blocks_for(blocks_for(line.n, most), piece) * piece;
    const Cut cut = {length, blocks_for(line.n, length)};
    const std::int64_t blocks = lines.count * cut.stretches;
    auto* sums = static_cast<Total<T>*>(
        scratch.at_least(static_cast<std::size_t>(blocks) * sizeof(Total<T>)));
    if (sums == nullptr) return false;
    const dim3 grid = grid_up_to(blocks, blocks);
    launch(stretch_sums<T>, grid, scan_threads, 0, lines, line, cut, sums, x);
    const std::int64_t few = blocks_for(lines.count, 32);
    launch(scan_sums<Total<T>>, grid_up_to(few, few), 32, 0, lines.count, cut, sums);
    launch(scan_stretches<T>, grid, scan_threads, 0, lines, line, cut, y, x, sums);
    return true;
}

template <class T>
bool run_scan(Scan choice, const Array& out, const Array& in, int dim, bool back) {
    Layout<2> lines;
    for (int d = 0; d < in.dims; ++d)
        if (d != dim) lines.append(in.shape[d], {out.strides[d], in.strides[d]});
    Line line = {in.shape[dim], out.strides[dim], in.strides[dim]};
    if (lines.count == 0 || line.n == 0) return true;
    auto* y = static_cast<T*>(out.data);
    const auto* x = static_cast<const T*>(in.data);
    if (back) {  // from the last element on, in steps of the other sign
        y += (line.n - 1) * line.y_step;
        x += (line.n - 1) * line.x_step;
        line = {line.n, -line.y_step, -line.x_step};
    }
    if (choice == Scan::best) choice = best_of(lines, line);
    if (choice == Scan::blocks) return run_blocks<T>(lines, line, y, x);
    if (choice == Scan::naive)
        launch(cumsum_naive<T>, grid_up_to(blocks_for(lines.count, scan_threads)), scan_threads, 0,
               lines, line, y, x);
    else
        launch(cumsum_by_blocks<T>, grid_up_to(lines.count), scan_threads, 0, lines, line, y, x);
    return true;
}

template <Scan choice>
bool run(const Array& out, const Array& in, int dim, bool back) {
    if (out.dtype != in.dtype) return false;
    return visit_numbers(in.dtype,
                         [&]<class T>(T) { return run_scan<T>(choice, out, in, dim, back); });
}

}  // namespace

// Chooses by best_of().
template <class Machine>
bool cumsum(const Array& out, const Array& in, int dim, bool back) {
    return run<Scan::best>(out, in, dim, back);
}

template <class Machine>
std::span<const Rung<Cumsum>> cumsum_rungs() {
    static constexpr Rung<Cumsum> rungs[] = {{"naive", run<Scan::naive>},
                                             {"a block a line", run<Scan::block>},
                                             {"several blocks a line", run<Scan::blocks>}};
    return rungs;
}

template bool cumsum<ThisMachine>(const Array&, const Array&, int, bool);
template std::span<const Rung<Cumsum>> cumsum_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
