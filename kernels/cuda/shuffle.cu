// out (n,) int64: 0 .. n - 1, shuffled as the CPU does it. For i = n - 1, ..., 1, place i and a
// place j(i) <= i drawn for it change what they hold [Durstenfeld 1964]. The draws are independent
// of each other, but the swaps are not: the next one may want what this one moved. So the order of
// the swaps is the permutation, and a parallel shuffle with the same result must keep it wherever
// it counts.
#include <cstdint>
#include <limits>
#include <span>

#include "kernels/cuda/flag.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"
#include "kernels/cuda/scratch.h"
#include "kernels/philox.h"

namespace tg::kernels::cuda {
namespace {

constexpr int block_threads = 256;

__device__ __forceinline__ std::int64_t drawn_place(std::uint64_t seed, std::uint64_t offset,
                                                    std::int64_t i) {
    const double u = philox::uniform<double>(seed, offset + static_cast<std::uint64_t>(i));
    const auto j = static_cast<std::int64_t>(u * static_cast<double>(i + 1));
    return j < i ? j : i;
}

// ---- rung 1: one thread -----------------------------------------------------------------------
// Wasted: all threads but one. And that one waits for the memory twice a swap, for about as long as
// the GPU could otherwise move a hundred thousand bytes.
__global__ void shuffle_alone(std::int64_t n, std::int64_t step, std::uint64_t seed,
                              std::uint64_t offset, std::int64_t* y) {
    if (thread_number() != 0) return;
    for (std::int64_t i = 0; i < n; ++i) y[i * step] = i;
    for (std::int64_t i = n - 1; i > 0; --i) {
        const std::int64_t j = drawn_place(seed, offset, i);
        const std::int64_t kept = y[i * step];
        y[i * step] = y[j * step];
        y[j * step] = kept;
    }
}

// ---- rung 2: reservations ---------------------------------------------------------------------
// Thread i owns swap i. Two swaps that share no place may come in any order, or at once. So in
// rounds: every swap that is left reserves both of its places for itself, where of several the
// one that is first in the CPU's order stays, which is the largest i (atomicMax); then all that
// hold both of theirs are done. Those have no place in common, and none that is left comes before
// them: hence the result is the CPU's, whatever order the threads run in. The largest that is left
// always holds both, so every round does something; the expected number of rounds grows as log n.
// [Shun, Gu, Blelloch, Fineman, Gibbons 2015, Sequential random permutation ... highly parallel]
// layout: holder[place] is the swap that holds it, 0 if none (there is no swap 0); target[i] is
// j(i), or -1 when swap i is done.
__global__ void shuffle_draw(int n, std::int64_t step, std::uint64_t seed, std::uint64_t offset,
                             std::int64_t* y, int* target) {
    for (std::int64_t i = thread_number(); i < n; i += thread_count()) {
        y[i * step] = i;
        target[i] = i > 0 ? static_cast<int>(drawn_place(seed, offset, i)) : -1;
    }
}

__global__ void shuffle_release(int n, int* holder) {
    for (std::int64_t i = thread_number(); i < n; i += thread_count()) holder[i] = 0;
}

__global__ void shuffle_reserve(int n, const int* target, int* holder) {
    for (std::int64_t i = thread_number(); i < n; i += thread_count()) {
        if (target[i] < 0) continue;
        atomicMax(&holder[i], static_cast<int>(i));
        atomicMax(&holder[target[i]], static_cast<int>(i));
    }
}

__global__ void shuffle_swap(int n, std::int64_t step, std::int64_t* y, int* target,
                             const int* holder, int* left) {
    for (std::int64_t i = thread_number(); i < n; i += thread_count()) {
        const int j = target[i];
        if (j < 0) continue;
        if (holder[i] != i || holder[j] != i) {
            *left = 1;  // whoever writes it, it is 1
            continue;
        }
        const std::int64_t kept = y[i * step];
        y[i * step] = y[j * step];
        y[j * step] = kept;
        target[i] = -1;
    }
}

// ---- from an array to launches ----------------------------------------------------------------
bool alone(const Array& out, std::uint64_t seed, std::uint64_t offset) {
    if (out.size() > 0)
        launch(shuffle_alone, 1, 1, 0, out.size(), out.strides[0], seed, offset,
               static_cast<std::int64_t*>(out.data));
    return true;
}

// Each of the four is a launch of its own: only between launches do all threads of a grid meet.
bool by_reservations(const Array& out, std::uint64_t seed, std::uint64_t offset) {
    static thread_local Scratch scratch;
    static thread_local Flag flag;
    if (out.size() == 0) return true;
    if (out.size() > std::numeric_limits<int>::max()) return false;
    const int n = static_cast<int>(out.size());
    int* target =
        static_cast<int*>(scratch.at_least(static_cast<std::size_t>(n) * 2 * sizeof(int)));
    if (target == nullptr) return false;
    int* holder = target + n;
    auto* y = static_cast<std::int64_t*>(out.data);
    const dim3 grid = grid_up_to(blocks_for(n, block_threads));
    launch(shuffle_draw, grid, block_threads, 0, n, out.strides[0], seed, offset, y, target);
    for (int round = 0; round < n; ++round) {
        int* left = flag.lowered();
        if (left == nullptr) return false;
        launch(shuffle_release, grid, block_threads, 0, n, holder);
        launch(shuffle_reserve, grid, block_threads, 0, n, target, holder);
        launch(shuffle_swap, grid, block_threads, 0, n, out.strides[0], y, target, holder, left);
        if (!flag.is_raised()) break;
    }
    return true;
}

}  // namespace

// Reservations where there are enough swaps to pay for the launches of some dozen rounds.
template <class Machine>
bool shuffle(const Array& out, std::uint64_t seed, std::uint64_t offset) {
    if (out.size() >= 4096 && by_reservations(out, seed, offset)) return true;
    return alone(out, seed, offset);
}

template <class Machine>
std::span<const Rung<Draw>> shuffle_rungs() {
    static constexpr Rung<Draw> rungs[] = {{"one thread", alone},
                                           {"reservations", by_reservations}};
    return rungs;
}

template bool shuffle<ThisMachine>(const Array&, std::uint64_t, std::uint64_t);
template std::span<const Rung<Draw>> shuffle_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
