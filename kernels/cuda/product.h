// Y[m, n] = sum over k of A[m, k] B[k, n], the upper rungs of matmul.cu's ladder, and the whole of
// convolution.cu's: whoever asks says where A, B and Y lie, as a record X of operands:
//
//   Number                        the type of the elements
//   M, N, K, batches              the sizes
//   a_along_k, b_along_k          whether neighbours in memory are those along k
//   row(i, m), column(i, n), step(i, k)   what is known of a row, a column or a k of product i,
//                                 computed once and kept in shared memory; each says if it is
//                                 inside
//   a(row, step), b(step, column) an element; 0 outside
//   place(row, column)            where it goes in Y
//
// Each number of Y is a chain of multiply-adds over k = 0 ... 511, to which the chain over the next
// 512 is added, as on the CPU: a GPU, which rounds a multiply-add once, then has the bits of the
// CPU's levels v3 and v4, the emulator, which rounds twice, those of v1.
#pragma once

#include <cstdint>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/math.h"

namespace tg::kernels::cuda {
namespace {

constexpr int side = 64;             // a block owns side x side numbers of Y
constexpr int depth = 16;            // and walks along K in steps of this
constexpr int across = 16;           // threads along either side of the block
constexpr int each = side / across;  // numbers of Y along either side of a thread: 4 x 4
constexpr int product_threads = across * across;
constexpr std::int64_t product_chain = 512;  // a multiple of depth

template <class T>
__device__ __forceinline__ T multiply_add(T a, T b, T c) {
    return formula::Add::of<T>(c, formula::Mul::of<T>(a, b));
}

// Rows are two numbers longer than needed: a thread that copies along k writes a column, and 16
// rows of 64 would put it into one bank.
template <class X, int stages>
struct Tiles {
    using T = typename X::Number;
    T a[stages][depth][side + 2];  // [k][m]
    T b[stages][depth][side + 2];  // [k][n]
    typename X::Row rows[side];
    typename X::Column columns[side];
    typename X::Step steps[stages][depth];
};

// What a thread carries from global to shared memory in one step.
template <class T>
struct Load {
    T a[each], b[each];
};

// Which element of a (depth, side) tile the thread's number j is: neighbouring threads go along k
// or along the other dim, whichever is side by side in memory.
struct Element {
    int k, other;
};
__device__ __forceinline__ Element my_element_of(bool along_k, int j) {
    const int t = static_cast<int>(threadIdx.x);
    if (along_k) return {t % depth, t / depth + j * (product_threads / depth)};
    return {t / side + j * (product_threads / side), t % side};
}

template <class X, class S>
__device__ __forceinline__ Load<typename X::Number> fetch(const X& x, const S& tiles, int stage) {
    Load<typename X::Number> load;
    for (int j = 0; j < each; ++j) {
        const Element a = my_element_of(x.a_along_k, j), b = my_element_of(x.b_along_k, j);
        load.a[j] = x.a(tiles.rows[a.other], tiles.steps[stage][a.k]);
        load.b[j] = x.b(tiles.steps[stage][b.k], tiles.columns[b.other]);
    }
    return load;
}

template <class X, class S>
__device__ __forceinline__ void put(const X& x, S& tiles, int stage,
                                    const Load<typename X::Number>& load) {
    for (int j = 0; j < each; ++j) {
        const Element a = my_element_of(x.a_along_k, j), b = my_element_of(x.b_along_k, j);
        tiles.a[stage][a.k][a.other] = load.a[j];
        tiles.b[stage][b.k][b.other] = load.b[j];
    }
}

// The thread's 4 x 4 numbers of Y are rows ty, ty + 16, ... and columns tx, tx + 16, ... of the
// tile: so the 16 threads along x read 16 neighbours of B, and write 16 neighbours of Y.
template <class S, class T>
__device__ __forceinline__ void multiply(const S& tiles, int stage, T (&total)[each][each]) {
    const int tx = static_cast<int>(threadIdx.x) % across,
              ty = static_cast<int>(threadIdx.x) / across;
    for (int k = 0; k < depth; ++k) {
        T a[each], b[each];
        for (int i = 0; i < each; ++i) a[i] = tiles.a[stage][k][ty + i * across];
        for (int j = 0; j < each; ++j) b[j] = tiles.b[stage][k][tx + j * across];
        for (int i = 0; i < each; ++i)
            for (int j = 0; j < each; ++j) total[i][j] = multiply_add<T>(a[i], b[j], total[i][j]);
    }
}

// Y = the chains, or with `more` Y += them; they begin anew.
template <class X, class S, class T>
__device__ __forceinline__ void write(const X& x, const S& tiles, bool more,
                                      T (&total)[each][each]) {
    const int tx = static_cast<int>(threadIdx.x) % across,
              ty = static_cast<int>(threadIdx.x) / across;
    for (int i = 0; i < each; ++i)
        for (int j = 0; j < each; ++j) {
            const auto& row = tiles.rows[ty + i * across];
            const auto& column = tiles.columns[tx + j * across];
            if (row.inside && column.inside) {
                T* to = x.place(row, column);
                *to = more ? formula::Add::of<T>(*to, total[i][j]) : total[i][j];
            }
            total[i][j] = T(0);
        }
}

// What is known of the block's rows and columns. Tiles are numbered along N first, then along M,
// then over the batch. Returns the product that the block is in.
template <class X, class S>
__device__ __forceinline__ std::int64_t find_place(const X& x, S& tiles) {
    const int t = static_cast<int>(threadIdx.x);
    const std::int64_t over = blocks_for(x.N, side), down = blocks_for(x.M, side);
    const std::int64_t tile = blockIdx.x, product = tile / over / down;
    if (t < side) tiles.rows[t] = x.row(product, tile / over % down * side + t);
    if (t < side) tiles.columns[t] = x.column(product, tile % over * side + t);
    return product;
}

template <class X, class S>
__device__ __forceinline__ void find_steps(const X& x, S& tiles, int stage, std::int64_t product,
                                           std::int64_t k) {
    const int t = static_cast<int>(threadIdx.x);
    if (t < depth) tiles.steps[stage][t] = x.step(product, k + t);
}

// ---- register-blocked -------------------------------------------------------------------------
// A thread with one number of Y reads two numbers of shared memory for each multiply-add, and waits
// for them. With 4 x 4 numbers in registers it reads 8 for 16: a quarter. And a tile of 64 x 64
// uses each number that was copied from global memory 64 times: 2 K / 64 reads an output.
// Wasted: between its two barriers the block either copies or multiplies, never both; the
// multipliers idle while the next tiles come from memory.
template <class X>
__global__ void __launch_bounds__(product_threads) product_blocked(X x) {
    using T = typename X::Number;
    __shared__ Tiles<X, 1> tiles;
    const std::int64_t product = find_place(x, tiles);
    T total[each][each] = {};
    std::int64_t k = 0;
    do {
        find_steps(x, tiles, 0, product, k);
        // Rows, columns and steps must be there, and all done with the tiles of the step before.
        __syncthreads();
        put(x, tiles, 0, fetch(x, tiles, 0));
        // Without this barrier a thread could multiply what its neighbour has not copied yet.
        __syncthreads();
        multiply(tiles, 0, total);
        k += depth;
        if (k % product_chain == 0 || k >= x.K) write(x, tiles, k > product_chain, total);
    } while (k < x.K);
}

// ---- double-buffered --------------------------------------------------------------------------
// Two of each tile. The reads of the next step's numbers are asked for, into registers; while they
// are on their way, this step's tiles are multiplied; then they go to the tiles that nobody reads.
// One barrier a step, and memory and multipliers work at the same time. It costs twice the shared
// memory and 8 registers.
template <class X>
__global__ void __launch_bounds__(product_threads) product_double_buffered(X x) {
    using T = typename X::Number;
    __shared__ Tiles<X, 2> tiles;
    const std::int64_t product = find_place(x, tiles);
    find_steps(x, tiles, 0, product, 0);
    find_steps(x, tiles, 1, product, depth);
    __syncthreads();  // rows, columns and steps must be there
    put(x, tiles, 0, fetch(x, tiles, 0));
    __syncthreads();  // and the first tiles
    T total[each][each] = {};
    std::int64_t k = 0;
    int stage = 0;
    do {
        const bool last = k + depth >= x.K;
        Load<T> next{};
        if (!last) next = fetch(x, tiles, 1 - stage);
        multiply(tiles, stage, total);
        k += depth;
        if (k % product_chain == 0 || last) write(x, tiles, k > product_chain, total);
        if (!last) put(x, tiles, 1 - stage, next);
        find_steps(x, tiles, stage, product, k + depth);
        // Without this barrier a thread could read tiles or steps that are not all there, or write
        // over those that another one still multiplies.
        __syncthreads();
        stage = 1 - stage;
    } while (k < x.K);
}

template <class X>
void launch_product(void (*kernel)(X), const X& x) {
    const std::int64_t tiles = x.batches * blocks_for(x.M, side) * blocks_for(x.N, side);
    if (tiles > 0) launch(kernel, grid_up_to(tiles, tiles), product_threads, 0, x);
}

// Smaller than half a tile along a side, most of a tile would be for nothing.
template <class X>
bool fills_tiles(const X& x) {
    return x.M >= side / 2 && x.N >= side / 2;
}

}  // namespace
}  // namespace tg::kernels::cuda
