// The matrix product as a ladder. a (B, M, K), b (B, K, N) -> out (B, M, N)
//
//   1  naive_product     three loops; for integers, and what the tests compare with
//   2  levels/matmul.cc  a tile of the output stays in registers
//   3  blocked_product   tiles, and blocks of A and B that stay in the caches     <- chosen: floats
//
// A number of the output is a chain over k = 0, 1, ..., 511, to which the chain over the next 512
// is added: one chain over a long k would lose the digits that are left of a term. Neither the
// number of threads, nor strides, nor the other rows change a bit.
#include <cstddef>

#include "kernels/cpu/levels/level.h"
#include "kernels/cpu/scratch.h"
#include "kernels/cpu/strided.h"
#include "kernels/math.h"
#include "kernels/parallel.h"

namespace tg::kernels::cpu {
namespace {

// One product, without the batch. Strides in elements; c's columns lie side by side.
struct Matrices {
    std::int64_t m = 0, n = 0, k = 0;
    const std::byte *a = nullptr, *b = nullptr;
    std::byte* c = nullptr;
    std::int64_t a_row = 0, a_column = 0, b_row = 0, b_column = 0, c_row = 0;
};

// ---- rung 1 -----------------------------------------------------------------------------------
// C[i, :] += A[i, p] B[p, :], so that the innermost loop runs along rows of B and C. For each
// multiply-add it loads two numbers and stores one: it waits for memory nearly all the time.
template <class T>
void naive_product(const Matrices& x) {
    const T* a = reinterpret_cast<const T*>(x.a);
    const T* b = reinterpret_cast<const T*>(x.b);
    T* c = reinterpret_cast<T*>(x.c);
    using formula::Add;
    using formula::Mul;
    const std::int64_t grain = std::max<std::int64_t>(1, parallel_grain / (x.n * x.k + 1));
    parallel_for(x.m, grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            T* c_i = c + i * x.c_row;
            for (std::int64_t j = 0; j < x.n; ++j) c_i[j] = T(0);
            for (std::int64_t p = 0; p < x.k; ++p) {
                const T a_ip = a[i * x.a_row + p * x.a_column];
                const T* b_p = b + p * x.b_row;
                for (std::int64_t j = 0; j < x.n; ++j)
                    c_i[j] = Add::of<T>(c_i[j], Mul::of<T>(a_ip, b_p[j * x.b_column]));
            }
        }
    });
}

// ---- rung 3 -----------------------------------------------------------------------------------
// Tiles alone read all of B again for every 6 rows of A, from ever slower memory as it grows. So:
// K is cut in blocks of 512, N in panels; the piece of B, 512 rows of a panel, is packed into
// strips as wide as a tile (one strip, 32 KB of AVX2 floats, fits in the first cache). A thread
// owns a block of C of block_rows x block_columns; while it stays on one strip, all of its rows of
// A pass by. What packing buys: unit strides whatever the layout, no two rows in one cache set, few
// pages. It costs a copy, so what is small and lies well is used as it is.
// Traffic: B is read from far K N M / block_rows times less often than by tiles alone.
constexpr std::int64_t block_rows = 96, small_block_rows = 48;
constexpr std::int64_t block_strips = 16;        // columns of a block, in strips
constexpr std::int64_t panel_strips = 256;       // columns of a panel, in strips
constexpr std::int64_t worth_threads = 1 << 20;  // multiply-adds

thread_local Scratch packed_a, packed_b;

bool worth_packing_b(const Matrices& x, std::int64_t strip, std::int64_t tile_rows) {
    if (x.b_column != 1) return true;
    return x.n > 512 && x.n >= strip && x.m >= 8 * tile_rows;
}

bool worth_packing_a(const Matrices& x, std::int64_t strip) {
    if (x.n < 8 * strip) return false;
    return x.a_column != 1 ? x.m * x.k > 32768 : x.a_row >= 1024;
}

// A (m, k) from row `row`, column `column` on, row by row with unit stride.
template <class T>
void pack_rows(const Matrices& x, std::int64_t row, std::int64_t column, std::int64_t m,
               std::int64_t k, std::int64_t to_row, std::byte* into) {
    const T* a = reinterpret_cast<const T*>(x.a) + row * x.a_row + column * x.a_column;
    T* to = reinterpret_cast<T*>(into);
    if (x.a_column == 1) {
        for (std::int64_t i = 0; i < m; ++i) std::copy_n(a + i * x.a_row, k, to + i * to_row);
        return;
    }
    for (std::int64_t i0 = 0; i0 < m; i0 += 16)  // 16 rows: whole lines of a transposed A
        for (std::int64_t p = 0; p < k; ++p)
            for (std::int64_t i = i0; i < std::min(m, i0 + 16); ++i)
                to[i * to_row + p] = a[i * x.a_row + p * x.a_column];
}

template <class T>
void blocked_product(const Matrices& x, const ProductKernels& kernels) {
    constexpr std::int64_t size = sizeof(T);
    constexpr std::int64_t a_copy_row = product_k + 16;  // 16: rows start in different cache sets
    const std::int64_t rows = x.m > 4 * block_rows ? block_rows : small_block_rows;
    const std::int64_t strip = kernels.strip, columns = block_strips * strip;
    const std::int64_t panel = panel_strips * strip;
    const bool pack_b = worth_packing_b(x, strip, kernels.tile_rows);
    const bool pack_a = worth_packing_a(x, strip);
    const std::int64_t row_blocks = (x.m + rows - 1) / rows;

    for (std::int64_t p = 0; p < x.k && !interrupted(); p += product_k) {
        const std::int64_t k = std::min<std::int64_t>(product_k, x.k - p);
        for (std::int64_t j = 0; j < x.n; j += panel) {
            const std::int64_t n = std::min(panel, x.n - j);
            const std::byte* b = x.b + (p * x.b_row + j * x.b_column) * size;
            const std::int64_t strips = (n + strip - 1) / strip;
            if (pack_b) {
                std::byte* to =
                    packed_b.at_least(static_cast<std::size_t>(strips * strip * k * size));
                const std::int64_t grain = std::max<std::int64_t>(1, parallel_grain / (k * strip));
                parallel_for(strips, grain, [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t s = begin; s < end; ++s)
                        kernels.pack(k, std::min(strip, n - s * strip),
                                     b + s * strip * x.b_column * size, x.b_row, x.b_column,
                                     to + s * strip * k * size);
                });
                b = to;
            }
            const std::int64_t column_blocks = (n + columns - 1) / columns;
            const std::int64_t blocks = row_blocks * column_blocks;
            const bool threads = x.m * n * k >= worth_threads;
            parallel_for(blocks, threads ? 1 : blocks, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t block = begin; block < end; ++block) {
                    const std::int64_t i = block / column_blocks * rows;
                    const std::int64_t first = block % column_blocks * columns;
                    Product part;
                    part.m = std::min(rows, x.m - i);
                    part.n = std::min(columns, n - first);
                    part.k = k;
                    part.a = x.a + (i * x.a_row + p * x.a_column) * size;
                    part.a_row = x.a_row;
                    part.a_column = x.a_column;
                    if (pack_a) {
                        std::byte* to =
                            packed_a.at_least(static_cast<std::size_t>(rows * a_copy_row * size));
                        pack_rows<T>(x, i, p, part.m, k, a_copy_row, to);
                        part.a = to;
                        part.a_row = a_copy_row;
                        part.a_column = 1;
                    }
                    part.packed = pack_b;
                    part.b = b + (pack_b ? first * k : first) * size;
                    part.b_row = x.b_row;
                    part.c = x.c + (i * x.c_row + j + first) * size;
                    part.c_row = x.c_row;
                    part.more = p > 0;
                    kernels.block(part);
                }
            });
        }
    }
}

template <class T>
void product(const Matrices& x, const ProductKernels* kernels) {
    if (x.k == 0)
        std::fill_n(reinterpret_cast<T*>(x.c), x.m * x.n, T(0));
    else if constexpr (formula::is_float<T>)
        blocked_product<T>(x, *kernels);
    else
        naive_product<T>(x);
}

}  // namespace

void matmul(const Array& out, const Array& a, const Array& b) {
    std::int64_t batch = out.shape[0];
    Matrices x{.m = out.shape[1], .n = out.shape[2], .k = a.shape[2]};
    x.a_row = a.strides[1];
    x.a_column = a.strides[2];
    x.b_row = b.strides[1];
    x.b_column = b.strides[2];
    x.c_row = x.n;
    if (batch == 0 || x.m == 0 || x.n == 0) return;
    // One b for all of the batch, and a's rows evenly spaced: one tall product.
    if (batch > 1 && b.strides[0] == 0 && (a.strides[0] == x.m * x.a_row || x.m == 1)) {
        if (x.m == 1) x.a_row = a.strides[0];
        x.m *= batch;
        batch = 1;
    }
    const ProductKernels* kernels = current_level().product(out.dtype);
    const std::int64_t size = size_of(out.dtype);
    const std::int64_t work = std::max<std::int64_t>(1, x.m * x.n * x.k);
    const std::int64_t grain = std::max<std::int64_t>(1, worth_threads / 4 / work);
    visit(out.dtype, [&]<class T>(T) {
        parallel_for(batch, grain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                Matrices one = x;
                one.a = static_cast<const std::byte*>(a.data) + i * a.strides[0] * size;
                one.b = static_cast<const std::byte*>(b.data) + i * b.strides[0] * size;
                one.c = static_cast<std::byte*>(out.data) + i * x.m * x.n * size;
                product<T>(one, kernels);
            }
        });
    });
}

}  // namespace tg::kernels::cpu
