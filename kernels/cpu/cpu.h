// The CPU's kernels, as the rest of the library calls them. Each is compiled once for every level
// of the processor (x86-64 v1, v3, v4; elsewhere one) and the best that runs here is chosen at
// start. Outputs are never the same memory as an input unless a comment allows it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "kernels/array.h"
#include "kernels/rows.h"

namespace tg::kernels::cpu {

// ---- elementwise ------------------------------------------------------------------------------
// A block: n elements of one formula, contiguous, or one element repeated where step is 0.
// out may be the very same block as an input. The fused executor and `elementwise` call these.
using Block = void (*)(std::int64_t n, void* out, const void* const* in, const int* steps);

// The block of formula number `formula` (see math.h) for inputs of `dtype`; null if there is none.
// A comparison's out is boolean; the first input of `where` is boolean.
Block block(int formula, DType dtype);
Block cast_block(DType from, DType to);

// out[i] = formula(in[0][i], in[1][i], ...) for any strides; all shapes are out's.
// out may be one of the inputs with the very same layout.
void elementwise(int formula, const Array& out, std::span<const Array> in);
// any dtypes; floats to ints truncate, saturate out of range, and NaN is 0
void cast(const Array& out, const Array& in);
void copy(const Array& out, const Array& in);  // same dtype; any strides
void fill(const Array& out, double value);     // the value is cast to out's dtype
void fill(const Array& out, std::int64_t value);
void arange(const Array& out);  // out[i] = i, out one-dimensional
void uniform(const Array& out, std::uint64_t seed, std::uint64_t offset);  // [0, 1), Philox 4x32-10
void normal(const Array& out, std::uint64_t seed, std::uint64_t offset);   // Box-Muller over it

// ---- reductions -------------------------------------------------------------------------------
// out has as many dims as in, with size 1 where it was reduced. Fixed blocks and 16 virtual lanes
// whatever the vector width, then a tree: the same bits at any thread count and on every level.
void sum(const Array& out, const Array& in);
void amax(const Array& out, const Array& in);  // NaN if any is NaN
void amin(const Array& out, const Array& in);
// out int64: the first of equals; NaN wins
void argmax(const Array& out, const Array& in, int dim);
void argmin(const Array& out, const Array& in, int dim);
// out[i] = in[0] + ... + in[i] along dim, in that order; with `back` from the other end
void cumsum(const Array& out, const Array& in, int dim, bool back);

// ---- products ---------------------------------------------------------------------------------
// a (B, M, K), b (B, K, N) -> out (B, M, N), out contiguous, a and b of any strides.
void matmul(const Array& out, const Array& a, const Array& b);

// ---- indexing ---------------------------------------------------------------------------------
// gather: out[.., i, ..] = in[.., index[.., i, ..], ..] along dim; index int64, out has its shape.
// scatter_add: out[.., index[.., i, ..], ..] += src[.., i, ..], in a fixed order. scatter stores
// it: of several in one place the last stays. src may be larger than the index. Each gives the
// first index that is outside [0, size), and has written nothing then.
std::optional<std::int64_t> gather(const Array& out, const Array& in, const Array& index, int dim);
std::optional<std::int64_t> scatter_add(const Array& out, const Array& index, const Array& src,
                                        int dim);
std::optional<std::int64_t> scatter(const Array& out, const Array& index, const Array& src,
                                    int dim);
// out[.., index[.., i, ..], ..] times src[.., i, ..], or the larger or smaller of them
enum class Combine { product, largest, smallest };
std::optional<std::int64_t> scatter_combine(const Array& out, const Array& index, const Array& src,
                                            int dim, Combine how);

// index_rows: out = the rows of in. put_rows: out's rows = src, or += src, one after another: of
// several in one place the last stays, or all are added, in order. Both give the first index that
// is outside, and have written nothing then.
std::optional<std::int64_t> index_rows(const Array& out, const Array& in, const Array& index,
                                       const Rows& rows);
std::optional<std::int64_t> put_rows(const Array& out, const Array& index, const Array& src,
                                     const Rows& rows, bool accumulate);
// out = out * size + index, where index is in [-size, size): so the indices of several dims become
// one. Gives the first that is outside.
std::optional<std::int64_t> add_position(const Array& out, const Array& index, std::int64_t size);

// How many elements are not 0; and where: out (count, dims) int64, in row-major order.
std::int64_t count_nonzero(const Array& in);
void nonzero(const Array& out, const Array& in);
// out int64, of in's shape or shorter along dim: the indices of the smallest (largest) elements, in
// order; equals keep theirs, and NaN is larger than any number.
void argsort(const Array& out, const Array& in, int dim, bool descending);
// sorted (..., n) or (n,), values (..., m): out int64 of values' shape: how many of the sorted ones
// are below the value, or with `right` not above it. NaN is above any number.
void searchsorted(const Array& out, const Array& sorted, const Array& values, bool right);
// out[i] += src[i] over any strides of out, even ones that overlap (stride 0), in a fixed order.
void add_to(const Array& out, const Array& src);

// ---- order ------------------------------------------------------------------------------------
// out is in with the order along the flipped dims turned round.
void flip(const Array& out, const Array& in, const bool (&flipped)[max_dims]);
bool holds_zero(const Array& in);
bool holds_no_probability(const Array& in);  // a float below 0, above 1 or NaN

// ---- sampling ---------------------------------------------------------------------------------
// out (n,) int64: 0 .. n - 1, shuffled.
void shuffle(const Array& out, std::uint64_t seed, std::uint64_t offset);
// out (rows, k) int64: columns of weights (rows, columns), drawn by u, uniform in [0, 1): with
// replacement (rows, k), without (rows, columns). Null, or why a row cannot be drawn from.
const char* multinomial(const Array& out, const Array& weights, const Array& u, bool replacement);

// ---- levels -----------------------------------------------------------------------------------
// "x86-64-v4", "x86-64-v3", "x86-64-v1" or "generic". TAPEGRAPH_CPU=v1|v3|v4 forces one at start.
const char* level();
std::span<const char* const> levels();  // those that this machine can run, best first
bool set_level(const char* name);       // false if unknown or not runnable here
// What is wrong with TAPEGRAPH_CPU, "" if nothing; the best level runs then.
const char* level_error();

}  // namespace tg::kernels::cpu
