// out[i] = in[i], both of any strides: what makes a view contiguous, joins tensors, writes a part
// of one, turns dims round. Elements are moved by their size alone, so every dtype has a kernel.
// Nothing is computed: each element is read once and written once, and all that counts is how many
// of the bytes that the memory moves are wanted. It moves sectors of 32 bytes; a warp whose 32
// threads touch neighbours wants all of them, one whose threads are far apart an element of each.
#include <cstdint>
#include <span>
#include <utility>

#include "kernels/cuda/dtypes.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"

namespace tg::kernels::cuda {
namespace {

constexpr int block_threads = 256;

// ---- rung 1: strided --------------------------------------------------------------------------
// Thread t owns elements t, t + all threads, ... in the order of out's memory: so what a warp
// writes lies side by side, where out has no gaps. Wasted: the divisions of Layout::offset; and for
// a transposed input (stride 1 along another dim than out) a warp reads 32 sectors for 32 elements,
// 8 times the bytes of a float that it wants.
template <class U>
__global__ void copy_strided(Layout<2> layout, U* out, const U* in) {
    for (std::int64_t i = thread_number(); i < layout.count; i += thread_count()) {
        std::int64_t at[2];
        layout.offset(i, at);
        out[at[0]] = in[at[1]];
    }
}

// ---- rung 2: words ----------------------------------------------------------------------------
// Both contiguous and 16-byte aligned: then an element is no more than bytes, and a thread moves 16
// of them by one load and one store, whatever the dtype. That is a quarter of the instructions of
// rung 1 for floats, a sixteenth for bools. The up to 15 bytes behind the last word are one
// thread's each.
__global__ void copy_words(std::int64_t bytes, unsigned char* out, const unsigned char* in) {
    const std::int64_t words = bytes / static_cast<std::int64_t>(sizeof(uint4));
    for (std::int64_t i = thread_number(); i < words; i += thread_count())
        reinterpret_cast<uint4*>(out)[i] = reinterpret_cast<const uint4*>(in)[i];
    const std::int64_t last = words * static_cast<std::int64_t>(sizeof(uint4)) + thread_number();
    if (last < bytes) out[last] = in[last];
}

// ---- rung 3: tiles ----------------------------------------------------------------------------
// out has stride 1 along its last dim, here called columns (C), in along another one, rows (R); the
// other dims are `rest`. A block of (32, 8) threads takes a tile of 32 rows by 32 columns through
// shared memory: it reads with threadIdx.x along in's side-by-side dim, writes with threadIdx.x
// along out's, and so both times a warp touches neighbours. Each thread moves 4 elements.
// layout: tile[c][r]. It is read along c, with r fixed: without the 33rd number in each line, the
// 32 threads of a warp would read words 32 apart, all in one of the 32 banks of shared memory, one
// after another; with it they are 33 apart, in 32 banks. (Elements of 1 or 2 bytes share words and
// still meet a little; those of 8 are read in two halves.)
constexpr int tile_side = 32, tile_lines = 8;

struct Tiles {
    Layout<2> rest;
    std::int64_t rows, columns;
    std::int64_t out_row, in_row, in_column;  // strides; out's along the columns is 1
};

template <class U>
__global__ void copy_tiles(Tiles t, U* out, const U* in) {
    __shared__ U tile[tile_side][tile_side + 1];
    const std::int64_t down = blocks_for(t.rows, tile_side);
    const std::int64_t across = blocks_for(t.columns, tile_side);
    const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
    for (std::int64_t i = blockIdx.x; i < down * across * t.rest.count; i += gridDim.x) {
        const std::int64_t c0 = i % across * tile_side, r0 = i / across % down * tile_side;
        std::int64_t at[2];
        t.rest.offset(i / across / down, at);
        for (int k = y; k < tile_side; k += tile_lines) {
            const std::int64_t c = c0 + k, r = r0 + x;
            if (r < t.rows && c < t.columns)
                tile[k][x] = in[at[1] + r * t.in_row + c * t.in_column];
        }
        // Without this barrier a thread would write elements that others have not read yet.
        __syncthreads();
        for (int k = y; k < tile_side; k += tile_lines) {
            const std::int64_t c = c0 + x, r = r0 + k;
            if (r < t.rows && c < t.columns) out[at[0] + r * t.out_row + c] = tile[x][k];
        }
        // And without this one the next tile would overwrite what is still to be written.
        __syncthreads();
    }
}

// ---- from arrays to a launch ------------------------------------------------------------------
enum class Choice { best, strided, words, tiles };

std::int64_t magnitude(std::int64_t stride) { return stride < 0 ? -stride : stride; }

// The order of the elements is all the same: so out's largest stride comes first, and its smallest
// last.
Layout<2> layout_of(const Array& out, const Array& in) {
    int order[max_dims] = {};
    for (int d = 0; d < out.dims; ++d) {
        int k = d;
        for (; k > 0 && out.strides[order[k - 1]] < out.strides[d]; --k) order[k] = order[k - 1];
        order[k] = d;
    }
    Layout<2> layout;
    for (int k = 0; k < out.dims; ++k) {
        const int d = order[k];
        layout.append(out.shape[d], {out.strides[d], in.strides[d]});
    }
    return layout;
}

// Are both one line without gaps, from an address that a 16-byte word may have?
bool fits_words(const Layout<2>& layout, const void* out, const void* in) {
    const bool line = layout.dims == 0 ||
                      (layout.dims == 1 && layout.strides[0][0] == 1 && layout.strides[1][0] == 1);
    const auto address = [](const void* p) { return reinterpret_cast<std::uintptr_t>(p); };
    return line && address(out) % sizeof(uint4) == 0 && address(in) % sizeof(uint4) == 0;
}

// Fills `tiles` in and says true if out is side by side along the last dim and in along another.
bool fits_tiles(const Layout<2>& layout, Tiles& tiles) {
    const int last = layout.dims - 1;
    if (last < 1 || layout.strides[0][last] != 1 || magnitude(layout.strides[1][last]) == 1)
        return false;
    int row = -1;
    for (int d = 0; d < last; ++d)
        if (magnitude(layout.strides[1][d]) == 1) row = d;
    if (row < 0) return false;
    for (int d = 0; d < last; ++d)
        if (d != row)
            tiles.rest.append(layout.shape[d], {layout.strides[0][d], layout.strides[1][d]});
    tiles.rows = layout.shape[row];
    tiles.columns = layout.shape[last];
    tiles.out_row = layout.strides[0][row];
    tiles.in_row = layout.strides[1][row];
    tiles.in_column = layout.strides[1][last];
    return true;
}

// Words where they fit; tiles where these are mostly full; else strided.
template <class U>
bool run_size(Choice choice, const Layout<2>& layout, U* out, const U* in) {
    if (layout.count == 0) return true;
    if (choice == Choice::words || choice == Choice::best) {
        if (fits_words(layout, out, in)) {
            const std::int64_t bytes = layout.count * static_cast<std::int64_t>(sizeof(U));
            const auto most = static_cast<std::int64_t>(block_threads * sizeof(uint4));
            launch(copy_words, grid_up_to(blocks_for(bytes, most)), block_threads, 0, bytes,
                   reinterpret_cast<unsigned char*>(out),
                   reinterpret_cast<const unsigned char*>(in));
            return true;
        }
        if (choice == Choice::words) return false;
    }
    Tiles t{};
    const bool tiled = choice != Choice::strided && fits_tiles(layout, t);
    if (choice == Choice::tiles && !tiled) return false;
    if (choice == Choice::tiles ||
        (tiled && t.rows >= tile_side / 2 && t.columns >= tile_side / 2)) {
        const std::int64_t tiles = blocks_for(t.rows, tile_side) * blocks_for(t.columns, tile_side);
        launch(copy_tiles<U>, grid_up_to(tiles * t.rest.count), dim3(tile_side, tile_lines), 0, t,
               out, in);
        return true;
    }
    launch(copy_strided<U>, grid_up_to(blocks_for(layout.count, block_threads)), block_threads, 0,
           layout, out, in);
    return true;
}

bool run(Choice choice, const Array& out, const Array& in) {
    if (out.dtype != in.dtype) return false;
    return visit_size(out.dtype, [&]<class U>(U) {
        return run_size(choice, layout_of(out, in), static_cast<U*>(out.data),
                        static_cast<const U*>(in.data));
    });
}

bool strided(const Array& out, const Array& in) { return run(Choice::strided, out, in); }
bool words(const Array& out, const Array& in) { return run(Choice::words, out, in); }
bool tiles(const Array& out, const Array& in) { return run(Choice::tiles, out, in); }

}  // namespace

// Chooses in run_size().
template <class Machine>
bool copy(const Array& out, const Array& in) {
    return run(Choice::best, out, in);
}

template <class Machine>
std::span<const Rung<Copy>> copy_rungs() {
    static constexpr Rung<Copy> rungs[] = {
        {"strided", strided}, {"words", words}, {"tiles", tiles}};
    return rungs;
}

// A copy whose input is walked from its other end along the flipped dims, with the step negated.
template <class Machine>
bool flip(const Array& out, const Array& in, const bool (&flipped)[max_dims]) {
    Array turned = in;
    std::int64_t start = 0;
    for (int d = 0; d < in.dims; ++d) {
        if (!flipped[d] || in.shape[d] == 0) continue;
        start += (in.shape[d] - 1) * in.strides[d];
        turned.strides[d] = -in.strides[d];
    }
    turned.data = static_cast<char*>(in.data) + start * size_of(in.dtype);
    return run(Choice::best, out, turned);
}

template bool copy<ThisMachine>(const Array&, const Array&);
template std::span<const Rung<Copy>> copy_rungs<ThisMachine>();
template bool flip<ThisMachine>(const Array&, const Array&, const bool (&)[max_dims]);

}  // namespace tg::kernels::cuda
