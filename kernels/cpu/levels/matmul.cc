// The matrix product's tile: the second rung of the ladder (the first and the third are in
// kernels/cpu/matmul.cc).
//
//   C[i, j] = sum over p of A[i, p] B[p, j]       A (m, k), B (k, n), C (m, n)
//
// One call owns a tile of `rows` x `vectors` vectors of C and keeps it in registers while p runs:
// a step loads `vectors` vectors of B and `rows` numbers of A and does rows * vectors fused
// multiply-adds. The naive rung loads two numbers for each multiply-add; a tile of 6 x 16 loads
// 22 for 96, so the loads no longer limit it. The tile is as large as the registers allow: 16 of
// them hold 6 x 2 vectors of C, 2 of B and 1 of A; with AVX-512, 32 hold 8 x 3, 3 and 1.
//
// Every number of C is one chain of multiply-adds over p = 0, 1, 2, ..., product_k - 1, to which
// the chain over the next product_k is added, whatever the tile, the strides and the threads. So
// the bits do not depend on how the product is cut, nor a row's on which other rows stand beside
// it; and over a million p a float has seen 512 + 1954 additions in a row, not a million.
#include "kernels/cpu/levels/vector.h"

namespace tg::kernels::cpu::TAPEGRAPH_LEVEL {
namespace {

#if defined(__AVX512F__)
constexpr int tile_rows = 8, tile_vectors = 3;
#else
constexpr int tile_rows = 6, tile_vectors = 2;
#endif

// C (rows, vectors * lanes) from row `a` of A, and B with rows b_row apart.
template <class T, int rows, int vectors>
void tile(std::int64_t k, const T* a, std::int64_t a_row, std::int64_t a_column, const T* b,
          std::int64_t b_row, T* c, std::int64_t c_row, bool more) {
    constexpr int lanes = vector_lanes<T>;
    Vector<T> sum[rows][vectors];
    for (int i = 0; i < rows; ++i)
        for (int v = 0; v < vectors; ++v) sum[i][v] = Vector<T>{};
    for (std::int64_t p = 0; p < k; ++p) {
        Vector<T> b_p[vectors];
        for (int v = 0; v < vectors; ++v) b_p[v] = load(b + v * lanes);
        for (int i = 0; i < rows; ++i) {
            const Vector<T> a_ip = broadcast(a[i * a_row]);
            for (int v = 0; v < vectors; ++v) sum[i][v] = fused(a_ip, b_p[v], sum[i][v]);
        }
        a += a_column;
        b += b_row;
    }
    for (int i = 0; i < rows; ++i)
        for (int v = 0; v < vectors; ++v) {
            T* to = c + i * c_row + v * lanes;
            store(to, more ? load(to) + sum[i][v] : sum[i][v]);
        }
}

// Tiles of `rows` rows down a strip from row i on; returns the first row that is left.
template <class T, int rows, int vectors>
std::int64_t tiles_down(const Product& x, std::int64_t i, const T* b, std::int64_t b_row, T* c,
                        std::int64_t c_row) {
    const T* a = static_cast<const T*>(x.a);
    for (; i + rows <= x.m; i += rows)
        tile<T, rows, vectors>(x.k, a + i * x.a_row, x.a_row, x.a_column, b, b_row, c + i * c_row,
                               c_row, x.more);
    return i;
}

// A strip of C, `vectors` vectors wide: full tiles down the rows, then tiles of 4, 2 and 1 rows.
template <class T, int vectors>
void strip(const Product& x, const T* b, std::int64_t b_row, T* c, std::int64_t c_row) {
    std::int64_t i = tiles_down<T, tile_rows, vectors>(x, 0, b, b_row, c, c_row);
    i = tiles_down<T, 4, vectors>(x, i, b, b_row, c, c_row);
    i = tiles_down<T, 2, vectors>(x, i, b, b_row, c, c_row);
    tiles_down<T, 1, vectors>(x, i, b, b_row, c, c_row);
}

// The last columns, fewer than a vector: through a copy of C (and of B, if it is not packed) that
// is a vector wide, as a vector's load and store would run over the end of the row.
template <class T>
void ragged_strip(const Product& x, const T* b, std::int64_t b_row, T* c, std::int64_t columns) {
    constexpr int lanes = vector_lanes<T>;
    constexpr std::int64_t rows_at_once = 48;
    alignas(64) T b_copy[product_k * lanes];
    alignas(64) T c_copy[rows_at_once * lanes];
    if (!x.packed) {
        for (std::int64_t p = 0; p < x.k; ++p)
            for (std::int64_t j = 0; j < lanes; ++j)
                b_copy[p * lanes + j] = j < columns ? b[p * b_row + j] : T(0);
        b = b_copy;
        b_row = lanes;
    }
    for (std::int64_t i = 0; i < x.m; i += rows_at_once) {
        Product part = x;
        part.m = x.m - i < rows_at_once ? x.m - i : rows_at_once;
        part.a = static_cast<const T*>(x.a) + i * x.a_row;
        T* c_i = c + i * x.c_row;
        for (std::int64_t r = 0; x.more && r < part.m; ++r)
            for (std::int64_t j = 0; j < lanes; ++j)
                c_copy[r * lanes + j] = j < columns ? c_i[r * x.c_row + j] : T(0);
        strip<T, 1>(part, b, b_row, c_copy, lanes);
        for (std::int64_t r = 0; r < part.m; ++r)
            for (std::int64_t j = 0; j < columns; ++j) c_i[r * x.c_row + j] = c_copy[r * lanes + j];
    }
}

template <class T>
void block(const Product& x) {
    constexpr int lanes = vector_lanes<T>;
    constexpr std::int64_t width = tile_vectors * lanes;
    const T* b = static_cast<const T*>(x.b);
    T* c = static_cast<T*>(x.c);
    const std::int64_t b_row = x.packed ? width : x.b_row;
    std::int64_t j = 0;
    for (; j + width <= x.n; j += width)
        strip<T, tile_vectors>(x, x.packed ? b + j * x.k : b + j, b_row, c + j, x.c_row);
    const T* last = x.packed ? b + j * x.k : b + j;  // the strip that is not full
    std::int64_t left = x.n - j;
    for (; left >= lanes; left -= lanes, last += lanes, j += lanes)
        strip<T, 1>(x, last, b_row, c + j, x.c_row);
    if (left > 0) ragged_strip<T>(x, last, b_row, c + j, left);
}

// Packing costs one read and one write for each number of B, and each is then used m times. Where
// B is transposed its columns lie in rows: eight rows of the strip are written at a time, so that
// the lines of memory written are still in the cache when the next column comes.
template <class T>
void pack(std::int64_t k, std::int64_t columns, const void* from, std::int64_t b_row,
          std::int64_t b_column, void* into) {
    constexpr std::int64_t width = tile_vectors * vector_lanes<T>;
    const T* b = static_cast<const T*>(from);
    T* to = static_cast<T*>(into);
    if (columns < width)
        for (std::int64_t i = 0; i < k * width; ++i) to[i] = T(0);
    if (b_column == 1) {
        for (std::int64_t p = 0; p < k; ++p)
            for (std::int64_t j = 0; j < columns; ++j) to[p * width + j] = b[p * b_row + j];
        return;
    }
    for (std::int64_t p0 = 0; p0 < k; p0 += 8) {
        const std::int64_t end = p0 + 8 < k ? p0 + 8 : k;
        for (std::int64_t j = 0; j < columns; ++j)
            for (std::int64_t p = p0; p < end; ++p) to[p * width + j] = b[p * b_row + j * b_column];
    }
}

template <class T>
constexpr ProductKernels kernels{tile_rows, tile_vectors* vector_lanes<T>, block<T>, pack<T>};

}  // namespace

const ProductKernels* product(DType dtype) {
    if (dtype == DType::float32) return &kernels<float>;
    if (dtype == DType::float64) return &kernels<double>;
    return nullptr;
}

}  // namespace tg::kernels::cpu::TAPEGRAPH_LEVEL
