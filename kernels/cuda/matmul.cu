// Y[m, n] = sum over k of A[m, k] B[k, n], for each matrix of a batch.
// A (B, M, K), B (B, K, N) -> Y (B, M, N), any strides: a transposed matrix has its two strides
// exchanged, and one matrix that serves the whole batch has a batch stride of 0.
// 2 K flops an output; what the rungs differ in is how often they read A and B.
#include <cstdint>
#include <span>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"

namespace tg::kernels::cuda {
namespace {

constexpr int TILE = 16;  // TILE x TILE threads are a block

struct Strides {
    std::int64_t batch, row, column;
};
struct Sizes {
    std::int64_t batches, M, K, N;
    Strides a, b, y;
};

// Both rungs: block x owns one TILE x TILE tile of Y, its thread (tx, ty) one element of it. Tiles
// are numbered along N first, then along M, then over the batch, and blocks along x only, because
// a grid has 2^31 - 1 blocks along x but only 65,535 along y and z.
struct Element {
    std::int64_t batch, m, n;
};

__device__ __forceinline__ Element my_element(const Sizes& sizes) {
    const std::int64_t across = blocks_for(sizes.N, TILE), down = blocks_for(sizes.M, TILE);
    const std::int64_t tile = blockIdx.x;
    return {tile / across / down, tile / across % down * TILE + threadIdx.y,
            tile % across * TILE + threadIdx.x};
}

// ---- rung 1: naive ----------------------------------------------------------------------------
// Each thread walks a row of A and a column of B on its own: 2 K reads for 2 K flops.
// Threads along x share the row of A (one read serves all) and read neighbours of B (coalesced).
template <class T>
__global__ void matmul_naive(Sizes sizes, T* y, const T* a, const T* b) {
    const Element e = my_element(sizes);
    if (e.m >= sizes.M || e.n >= sizes.N) return;
    a += e.batch * sizes.a.batch + e.m * sizes.a.row;
    b += e.batch * sizes.b.batch + e.n * sizes.b.column;
    T total = 0;
    for (std::int64_t k = 0; k < sizes.K; ++k) total += a[k * sizes.a.column] * b[k * sizes.b.row];
    y[e.batch * sizes.y.batch + e.m * sizes.y.row + e.n * sizes.y.column] = total;
}

// ---- rung 2: tiled ----------------------------------------------------------------------------
// Wasted by the naive rung: the TILE threads of a tile's row all read the same row of A from global
// memory, and those of a column the same column of B.
// Here the block walks along K in steps of TILE. In each it copies one tile of A and one of B to
// shared memory, an element of each a thread, and every copied number is then used TILE times:
// 2 K / TILE global reads an output instead of 2 K.
// Bank conflicts: none. A warp is two rows of the block: it reads tile_a at two places, each for 16
// threads at once, and tile_b at 16 neighbours. Coalescing follows threadIdx.x, so it is good where
// the last stride is 1; a transposed A is read a sector an element.
template <class T>
__global__ void matmul_tiled(Sizes sizes, T* y, const T* a, const T* b) {
    __shared__ T tile_a[TILE][TILE];  // [m][k]
    __shared__ T tile_b[TILE][TILE];  // [k][n]
    const unsigned tx = threadIdx.x, ty = threadIdx.y;
    const Element e = my_element(sizes);
    a += e.batch * sizes.a.batch + e.m * sizes.a.row;
    b += e.batch * sizes.b.batch + e.n * sizes.b.column;
    T total = 0;
    for (std::int64_t k0 = 0; k0 < sizes.K; k0 += TILE) {
        // Beyond the edges of A and B the tiles hold 0, so nobody leaves before the barriers.
        const bool in_a = e.m < sizes.M && k0 + tx < sizes.K;
        const bool in_b = e.n < sizes.N && k0 + ty < sizes.K;
        tile_a[ty][tx] = in_a ? a[(k0 + tx) * sizes.a.column] : T(0);
        tile_b[ty][tx] = in_b ? b[(k0 + ty) * sizes.b.row] : T(0);
        // Without this barrier a thread could multiply what its neighbour has not copied yet.
        __syncthreads();
        for (int k = 0; k < TILE; ++k) total += tile_a[ty][k] * tile_b[k][tx];
        // Without this one a fast thread could overwrite the tiles that a slow one still reads.
        __syncthreads();
    }
    if (e.m < sizes.M && e.n < sizes.N)
        y[e.batch * sizes.y.batch + e.m * sizes.y.row + e.n * sizes.y.column] = total;
}

// ---- from arrays to a launch ------------------------------------------------------------------
Strides strides_of(const Array& x) {
    const int d = x.dims;
    return {d == 3 ? x.strides[0] : 0, x.strides[d - 2], x.strides[d - 1]};
}

template <class T>
bool run(bool tiled, const Array& out, const Array& a, const Array& b) {
    const int d = out.dims;
    const Sizes sizes = {d == 3 ? out.shape[0] : 1,
                         out.shape[d - 2],
                         a.shape[d - 1],
                         out.shape[d - 1],
                         strides_of(a),
                         strides_of(b),
                         strides_of(out)};
    const std::int64_t tiles =
        sizes.batches * blocks_for(sizes.M, TILE) * blocks_for(sizes.N, TILE);
    if (tiles == 0) return true;
    launch(tiled ? matmul_tiled<T> : matmul_naive<T>, grid_up_to(tiles, tiles), dim3(TILE, TILE), 0,
           sizes, static_cast<T*>(out.data), static_cast<const T*>(a.data),
           static_cast<const T*>(b.data));
    return true;
}

bool run_dtype(bool tiled, const Array& out, const Array& a, const Array& b) {
    if (out.dims != 2 && out.dims != 3) return false;
    if (a.dims != out.dims || b.dims != out.dims) return false;
    if (a.dtype != out.dtype || b.dtype != out.dtype) return false;
    switch (out.dtype) {
        case DType::float32:
            return run<float>(tiled, out, a, b);
        case DType::float64:
            return run<double>(tiled, out, a, b);
        default:
            return false;
    }
}

bool naive(const Array& out, const Array& a, const Array& b) { return run_dtype(false, out, a, b); }
bool tiled(const Array& out, const Array& a, const Array& b) { return run_dtype(true, out, a, b); }

}  // namespace

// Chooses tiled, always.
template <class Machine>
bool matmul(const Array& out, const Array& a, const Array& b) {
    return tiled(out, a, b);
}

template <class Machine>
std::span<const Rung<Matmul>> matmul_rungs() {
    static constexpr Rung<Matmul> rungs[] = {{"naive", naive}, {"tiled", tiled}};
    return rungs;
}

template bool matmul<ThisMachine>(const Array&, const Array&, const Array&);
template std::span<const Rung<Matmul>> matmul_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
