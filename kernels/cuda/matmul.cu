// Y[m, n] = sum over k of A[m, k] B[k, n], for each matrix of a batch.
// A (B, M, K), B (B, K, N) -> Y (B, M, N), any strides: a transposed matrix has its two strides
// exchanged, and one matrix that serves the whole batch has a batch stride of 0.
// 2 K flops an output; what the rungs differ in is how often they read A and B, and from where.
#include <cstdint>
#include <span>

#include "kernels/cuda/dtypes.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/product.h"
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

// The first three rungs: block x owns one TILE x TILE tile of Y, a thread one element of it. Tiles
// are numbered along N first, then along M, then over the batch, and blocks along x only, because
// a grid has 2^31 - 1 blocks along x but only 65,535 along y and z. `down` and `over` are the
// thread's place in the tile.
struct Place {
    std::int64_t batch, m, n;
};

__device__ __forceinline__ Place my_place(const Sizes& sizes, unsigned down, unsigned over) {
    const std::int64_t tiles_over = blocks_for(sizes.N, TILE),
                       tiles_down = blocks_for(sizes.M, TILE);
    const std::int64_t tile = blockIdx.x;
    return {tile / tiles_over / tiles_down, tile / tiles_over % tiles_down * TILE + down,
            tile % tiles_over * TILE + over};
}

// Row e.m of A times column e.n of B. Chains of 512 as in product.h, here and below.
template <class T>
__device__ __forceinline__ void row_times_column(const Sizes& sizes, const Place& e, T* y,
                                                 const T* a, const T* b) {
    if (e.m >= sizes.M || e.n >= sizes.N) return;
    a += e.batch * sizes.a.batch + e.m * sizes.a.row;
    b += e.batch * sizes.b.batch + e.n * sizes.b.column;
    T total = 0, sum = 0;
    for (std::int64_t k = 0; k < sizes.K; ++k) {
        total = multiply_add<T>(a[k * sizes.a.column], b[k * sizes.b.row], total);
        if ((k + 1) % product_chain != 0) continue;
        sum = formula::Add::of<T>(sum, total);
        total = 0;
    }
    y[e.batch * sizes.y.batch + e.m * sizes.y.row + e.n * sizes.y.column] =
        formula::Add::of<T>(sum, total);
}

// ---- rung 1: naive ----------------------------------------------------------------------------
// Each thread walks a row of A and a column of B on its own: 2 K reads for 2 K flops. Threads along
// x go down a column of Y, so in every step the lanes of a warp read 16 rows of A and write 16 rows
// of Y, a memory sector of 32 bytes each for one number.
template <class T>
__global__ void matmul_naive(Sizes sizes, T* y, const T* a, const T* b) {
    row_times_column(sizes, my_place(sizes, threadIdx.x, threadIdx.y), y, a, b);
}

// ---- rung 2: coalesced ------------------------------------------------------------------------
// The same with x and y exchanged. Threads along x share the row of A (one read serves all), read
// neighbours of B and write neighbours of Y: the sectors that are moved are used whole.
template <class T>
__global__ void matmul_coalesced(Sizes sizes, T* y, const T* a, const T* b) {
    row_times_column(sizes, my_place(sizes, threadIdx.y, threadIdx.x), y, a, b);
}

// ---- rung 3: tiled ----------------------------------------------------------------------------
// Still wasted: the TILE threads of a tile's row all read the same row of A from global memory, and
// those of a column the same column of B.
// Here the block walks along K in steps of TILE. In each it copies one tile of A and one of B to
// shared memory, an element of each a thread, and every copied number is then used TILE times:
// 2 K / TILE global reads an output instead of 2 K.
// Bank conflicts: none. A warp is two rows of the block: it reads tile_a at two places, each for 16
// threads at once, and tile_b at 16 neighbours. Coalescing follows threadIdx.x, so it is good where
// the last stride is 1; a transposed A is read a sector an element. The rungs of product.h, which
// follow, go along whichever dim is side by side.
template <class T>
__global__ void matmul_tiled(Sizes sizes, T* y, const T* a, const T* b) {
    __shared__ T tile_a[TILE][TILE];  // [m][k]
    __shared__ T tile_b[TILE][TILE];  // [k][n]
    const unsigned tx = threadIdx.x, ty = threadIdx.y;
    const Place e = my_place(sizes, ty, tx);
    a += e.batch * sizes.a.batch + e.m * sizes.a.row;
    b += e.batch * sizes.b.batch + e.n * sizes.b.column;
    T total = 0, sum = 0;
    for (std::int64_t k0 = 0; k0 < sizes.K; k0 += TILE) {
        // Beyond the edges of A and B the tiles hold 0, so nobody leaves before the barriers.
        const bool in_a = e.m < sizes.M && k0 + tx < sizes.K;
        const bool in_b = e.n < sizes.N && k0 + ty < sizes.K;
        tile_a[ty][tx] = in_a ? a[(k0 + tx) * sizes.a.column] : T(0);
        tile_b[ty][tx] = in_b ? b[(k0 + ty) * sizes.b.row] : T(0);
        // Without this barrier a thread could multiply what its neighbour has not copied yet.
        __syncthreads();
        for (int k = 0; k < TILE; ++k) total = multiply_add<T>(tile_a[ty][k], tile_b[k][tx], total);
        // Without this one a fast thread could overwrite the tiles that a slow one still reads.
        __syncthreads();
        if ((k0 + TILE) % product_chain != 0) continue;
        sum = formula::Add::of<T>(sum, total);
        total = 0;
    }
    if (e.m < sizes.M && e.n < sizes.N)
        y[e.batch * sizes.y.batch + e.m * sizes.y.row + e.n * sizes.y.column] =
            formula::Add::of<T>(sum, total);
}

// ---- rungs 4 and 5: see product.h -------------------------------------------------------------
template <class T>
struct Matrices {
    using Number = T;
    struct Row {
        std::int64_t a, y;
        bool inside;
    };
    struct Column {
        std::int64_t b, y;
        bool inside;
    };
    struct Step {
        std::int64_t a, b;
        bool inside;
    };
    std::int64_t M, N, K, batches;
    bool a_along_k, b_along_k;
    Strides sa, sb, sy;
    const T *from_a, *from_b;
    T* y;

    __device__ Row row(std::int64_t i, std::int64_t m) const {
        return {i * sa.batch + m * sa.row, i * sy.batch + m * sy.row, m < M};
    }
    __device__ Column column(std::int64_t i, std::int64_t n) const {
        return {i * sb.batch + n * sb.column, n * sy.column, n < N};
    }
    __device__ Step step(std::int64_t, std::int64_t k) const {
        return {k * sa.column, k * sb.row, k < K};
    }
    __device__ T a(const Row& r, const Step& s) const {
        return r.inside && s.inside ? from_a[r.a + s.a] : T(0);
    }
    __device__ T b(const Step& s, const Column& c) const {
        return c.inside && s.inside ? from_b[s.b + c.b] : T(0);
    }
    __device__ T* place(const Row& r, const Column& c) const { return y + r.y + c.y; }
};

// ---- from arrays to a launch ------------------------------------------------------------------
Strides strides_of(const Array& x) {
    const int d = x.dims;
    return {d == 3 ? x.strides[0] : 0, x.strides[d - 2], x.strides[d - 1]};
}

enum class Choice { best, naive, coalesced, tiled, blocked, double_buffered };

template <class T>
void run_tiles(void (*kernel)(Sizes, T*, const T*, const T*), const Sizes& s, T* y, const T* a,
               const T* b) {
    const std::int64_t tiles = s.batches * blocks_for(s.M, TILE) * blocks_for(s.N, TILE);
    if (tiles > 0) launch(kernel, grid_up_to(tiles, tiles), dim3(TILE, TILE), 0, s, y, a, b);
}

template <class T>
bool run_product(Choice choice, const Array& out, const Array& a, const Array& b) {
    const int d = out.dims;
    const Sizes s = {d == 3 ? out.shape[0] : 1,
                     out.shape[d - 2],
                     a.shape[d - 1],
                     out.shape[d - 1],
                     strides_of(a),
                     strides_of(b),
                     strides_of(out)};
    auto* y = static_cast<T*>(out.data);
    const auto* from_a = static_cast<const T*>(a.data);
    const auto* from_b = static_cast<const T*>(b.data);
    const Matrices<T> x = {s.M, s.N, s.K, s.batches, s.a.column == 1, s.b.column != 1,
                           s.a, s.b, s.y, from_a,    from_b,          y};
    if (choice == Choice::best) choice = fills_tiles(x) ? Choice::double_buffered : Choice::tiled;
    if (choice == Choice::double_buffered)
        launch_product(product_double_buffered<Matrices<T>>, x);
    else if (choice == Choice::blocked)
        launch_product(product_blocked<Matrices<T>>, x);
    else
        run_tiles(choice == Choice::naive       ? matmul_naive<T>
                  : choice == Choice::coalesced ? matmul_coalesced<T>
                                                : matmul_tiled<T>,
                  s, y, from_a, from_b);
    return true;
}

template <Choice choice>
bool run(const Array& out, const Array& a, const Array& b) {
    if (out.dims != 2 && out.dims != 3) return false;
    if (a.dims != out.dims || b.dims != out.dims) return false;
    if (a.dtype != out.dtype || b.dtype != out.dtype) return false;
    return visit_numbers(out.dtype, [&]<class T>(T) { return run_product<T>(choice, out, a, b); });
}

}  // namespace

// Chooses double-buffered where Y fills at least half a tile along both sides, else tiled.
template <class Machine>
bool matmul(const Array& out, const Array& a, const Array& b) {
    return run<Choice::best>(out, a, b);
}

template <class Machine>
std::span<const Rung<Matmul>> matmul_rungs() {
    static constexpr Rung<Matmul> rungs[] = {{"naive", run<Choice::naive>},
                                             {"coalesced", run<Choice::coalesced>},
                                             {"tiled", run<Choice::tiled>},
                                             {"register-blocked", run<Choice::blocked>},
                                             {"double-buffered", run<Choice::double_buffered>}};
    return rungs;
}

template bool matmul<ThisMachine>(const Array&, const Array&, const Array&);
template std::span<const Rung<Matmul>> matmul_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
