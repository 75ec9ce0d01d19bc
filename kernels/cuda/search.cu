// Where values belong: searchsorted, and the number of a row that several indices name.
// searchsorted: sorted (..., n) or (n,), values (..., m) -> out int64 of values' shape: how many of
// the sorted ones are below the value, or with `right` not above it; NaN is above any number. The
// stretch in which the place must be is halved until it is empty: log2 n steps for each value.
#include <cstdint>
#include <span>

#include "kernels/cuda/dtypes.h"
#include "kernels/cuda/indexed.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"

namespace tg::kernels::cuda {
namespace {

constexpr int block_threads = 256;

template <class T>
__device__ __forceinline__ bool is_less(T a, T b) {
    return b != b ? a == a : a < b;
}

// Is the place behind x?
template <class T>
__device__ __forceinline__ bool goes_on(T x, T value, bool right) {
    return right ? !is_less(value, x) : is_less(x, value);
}

struct Lines {
    Layout<3> values;          // out; the value; the start of its line
    std::int64_t n = 0, step;  // of a line
    bool right;
};

// ---- rung 1: values ---------------------------------------------------------------------------
// Thread t owns values t, t + all threads, ... and searches in global memory.
// Wasted: the first steps of every search read the same few numbers, the middle, the quarters, the
// eighths, and each step must wait for the one before it, a memory's delay each.
template <class T>
__global__ void search_values(Lines lines, std::int64_t* out, const T* sorted, const T* values) {
    for (std::int64_t i = thread_number(); i < lines.values.count; i += thread_count()) {
        std::int64_t at[3];
        lines.values.offset(i, at);
        const T value = values[at[1]];
        const T* line = sorted + at[2];
        std::int64_t low = 0, high = lines.n;
        while (low < high) {
            const std::int64_t middle = low + (high - low) / 2;
            if (goes_on(line[middle * lines.step], value, lines.right))
                low = middle + 1;
            else
                high = middle;
        }
        out[at[0]] = low;
    }
}

// ---- rung 2: tree -----------------------------------------------------------------------------
// All values are looked for in one line. The middles of its halves, quarters, ... are a binary
// tree: node 1 is the middle, and below node k are 2k on the left and 2k + 1 on the right. A block
// reads the first 8 levels into shared memory, tree (256,) by a thread a node, and its searches
// take their first 8 steps there: what is left of log2 n waits for global memory. The steps are
// those of rung 1. Wasted: 255 reads a block, which a block with few values does not earn back.
constexpr unsigned tree_nodes = block_threads;

// The middle of the stretch that node `k` halves; n where that is empty.
__device__ __forceinline__ std::int64_t middle_of(unsigned k, std::int64_t n) {
    unsigned level = 1;
    while (level * 2 <= k) level *= 2;
    std::int64_t low = 0, high = n;
    for (level /= 2; level > 0 && low < high; level /= 2) {
        const std::int64_t middle = low + (high - low) / 2;
        if (k & level)
            low = middle + 1;
        else
            high = middle;
    }
    return low < high ? low + (high - low) / 2 : n;
}

template <class T>
__global__ void search_tree(Lines lines, std::int64_t* out, const T* sorted, const T* values) {
    __shared__ T tree[tree_nodes];
    if (threadIdx.x > 0) {
        const std::int64_t middle = middle_of(threadIdx.x, lines.n);
        if (middle < lines.n) tree[threadIdx.x] = sorted[middle * lines.step];
    }
    // Without this barrier a search could read a node before its thread has written it.
    __syncthreads();
    for (std::int64_t i = thread_number(); i < lines.values.count; i += thread_count()) {
        std::int64_t at[3];
        lines.values.offset(i, at);
        const T value = values[at[1]];
        std::int64_t low = 0, high = lines.n;
        unsigned node = 1;
        while (low < high) {
            const std::int64_t middle = low + (high - low) / 2;
            const T x = node < tree_nodes ? tree[node] : sorted[middle * lines.step];
            const bool on = goes_on(x, value, lines.right);
            if (on)
                low = middle + 1;
            else
                high = middle;
            if (node < tree_nodes) node = 2 * node + (on ? 1 : 0);
        }
        out[at[0]] = low;
    }
}

// ---- positions --------------------------------------------------------------------------------
// out = out * size + index: so the indices of several dims become one. All are inside already.
__global__ void add_positions(Layout<2> layout, std::int64_t* out, const std::int64_t* index,
                              std::int64_t size) {
    for (std::int64_t i = thread_number(); i < layout.count; i += thread_count()) {
        std::int64_t at[2];
        layout.offset(i, at);
        const std::int64_t given = index[at[1]];
        out[at[0]] = out[at[0]] * size + (given < 0 ? given + size : given);
    }
}

// ---- from arrays to a launch ------------------------------------------------------------------
enum class Choice { best, values, tree };

// The tree for one line that is longer than it, and for more values than one block would look for.
bool run(Choice choice, const Array& out, const Array& sorted, const Array& values, bool right) {
    if (sorted.dtype != values.dtype) return false;
    const int last = sorted.dims - 1;
    Lines lines{{}, sorted.shape[last], sorted.strides[last], right};
    bool one_line = true;
    for (int d = 0; d < values.dims; ++d) {
        const bool along = sorted.dims == values.dims && d < last;
        one_line = one_line && !(along && values.shape[d] > 1);
        lines.values.append(values.shape[d],
                            {out.strides[d], values.strides[d], along ? sorted.strides[d] : 0});
    }
    const std::int64_t count = lines.values.count;
    if (count == 0) return true;
    if (choice == Choice::tree && !one_line) return false;
    const bool pays = one_line && lines.n > block_threads && count > block_threads;
    return visit_all(values.dtype, [&]<class T>(T) {
        const bool tree = choice == Choice::tree || (choice == Choice::best && pays);
        launch(tree ? search_tree<T> : search_values<T>,
               grid_up_to(blocks_for(count, block_threads)), block_threads, 0, lines,
               static_cast<std::int64_t*>(out.data), static_cast<const T*>(sorted.data),
               static_cast<const T*>(values.data));
        return true;
    });
}

bool by_values(const Array& out, const Array& sorted, const Array& values, bool right) {
    return run(Choice::values, out, sorted, values, right);
}
bool by_tree(const Array& out, const Array& sorted, const Array& values, bool right) {
    return run(Choice::tree, out, sorted, values, right);
}

}  // namespace

template <class Machine>
bool searchsorted(const Array& out, const Array& sorted, const Array& values, bool right) {
    return run(Choice::best, out, sorted, values, right);
}

template <class Machine>
std::span<const Rung<SearchSorted>> searchsorted_rungs() {
    static constexpr Rung<SearchSorted> rungs[] = {{"values", by_values}, {"tree", by_tree}};
    return rungs;
}

template <class Machine>
bool add_position(const Array& out, const Array& index, std::int64_t size, Outside& outside) {
    Layout<2> layout;
    for (int d = 0; d < out.dims; ++d)
        layout.append(out.shape[d], {out.strides[d], index.strides[d]});
    if (!find_outside<Machine>(index, size, true, outside)) return false;
    if (outside || layout.count == 0) return true;
    launch(add_positions, grid_up_to(blocks_for(layout.count, block_threads)), block_threads, 0,
           layout, static_cast<std::int64_t*>(out.data),
           static_cast<const std::int64_t*>(index.data), size);
    return true;
}

template bool searchsorted<ThisMachine>(const Array&, const Array&, const Array&, bool);
template std::span<const Rung<SearchSorted>> searchsorted_rungs<ThisMachine>();
template bool add_position<ThisMachine>(const Array&, const Array&, std::int64_t, Outside&);

}  // namespace tg::kernels::cuda
