// The kernels of this folder, for one machine: Gpu or Emulator. Each is a ladder of rungs, from the
// simplest to the fastest; the plain function chooses one, and says by what rule. A rung returns
// false, and has done nothing, where it does not apply.
#pragma once

#include <span>
#include <string>

#include "kernels/array.h"
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/launch.h"

namespace tg::kernels::cuda {

template <class Function>
struct Rung {
    const char* name;
    Function* run;
};

// out[i] = formula(in[0][i], in[1][i], ...) for any strides; all shapes are out's. Every formula of
// math.h, every dtype for which it is defined. out may be an input with the very same layout.
using Elementwise = bool(int formula, const Array& out, std::span<const Array> in);
template <class Machine>
bool elementwise(int formula, const Array& out, std::span<const Array> in);
template <class Machine>
std::span<const Rung<Elementwise>> elementwise_rungs();

// out has as many dims as in, with size 1 where it was reduced, and in's dtype, an integer or a
// float. Integers wrap.
using Sum = bool(const Array& out, const Array& in);
template <class Machine>
bool sum(const Array& out, const Array& in);
template <class Machine>
std::span<const Rung<Sum>> sum_rungs();

// a (B, M, K), b (B, K, N) -> out (B, M, N), any strides, without B if all have two dims; integers
// or floats.
using Matmul = bool(const Array& out, const Array& a, const Array& b);
template <class Machine>
bool matmul(const Array& out, const Array& a, const Array& b);
template <class Machine>
std::span<const Rung<Matmul>> matmul_rungs();

// As sum; bool too.
using Reduce = bool(const Array& out, const Array& in);
template <class Machine>
bool amax(const Array& out, const Array& in);
template <class Machine>
bool amin(const Array& out, const Array& in);
template <class Machine>
std::span<const Rung<Reduce>> amax_rungs();
template <class Machine>
std::span<const Rung<Reduce>> amin_rungs();

// out int64, with size 1 at dim: the first of equals, and NaN wins.
using FindPlace = bool(const Array& out, const Array& in, int dim);
template <class Machine>
bool argmax(const Array& out, const Array& in, int dim);
template <class Machine>
bool argmin(const Array& out, const Array& in, int dim);
template <class Machine>
std::span<const Rung<FindPlace>> argmax_rungs();
template <class Machine>
std::span<const Rung<FindPlace>> argmin_rungs();

// out of in's shape and dtype, an integer or a float; with `back` from the other end.
using Cumsum = bool(const Array& out, const Array& in, int dim, bool back);
template <class Machine>
bool cumsum(const Array& out, const Array& in, int dim, bool back);
template <class Machine>
std::span<const Rung<Cumsum>> cumsum_rungs();

// ---- copies -----------------------------------------------------------------------------------
// out[i] = in[i], of one dtype and any strides; in's may be negative.
using Copy = bool(const Array& out, const Array& in);
template <class Machine>
bool copy(const Array& out, const Array& in);
template <class Machine>
std::span<const Rung<Copy>> copy_rungs();
template <class Machine>
bool flip(const Array& out, const Array& in, const bool (&flipped)[max_dims]);

// Any pair of dtypes but those of two bytes that are no integers.
using Cast = bool(const Array& out, const Array& in);
template <class Machine>
bool cast(const Array& out, const Array& in);
template <class Machine>
std::span<const Rung<Cast>> cast_rungs();

// Every element of out becomes the one at `element`, which is on the host.
using Fill = bool(const Array& out, const void* element);
template <class Machine>
bool fill(const Array& out, const void* element);
template <class Machine>
std::span<const Rung<Fill>> fill_rungs();
// out[i] = i, out one-dimensional
template <class Machine>
bool arange(const Array& out);

// out[i] += src[i], in the CPU's order. False if out names places twice but by stride 0.
template <class Machine>
bool add_to(const Array& out, const Array& src);

// ---- indexing ---------------------------------------------------------------------------------
// As the CPU's of these names (kernels/cpu/cpu.h), but that they say in `outside` what those
// return. The host waits for the look at the index. Where several items are written to one place
// the result is the CPU's too, but of the rung "atomics".
template <class Machine>
bool gather(const Array& out, const Array& in, const Array& index, int dim, Outside& outside);
using Scatter = bool(const Array& out, const Array& index, const Array& src, int dim,
                     Outside& outside);
template <class Machine>
bool scatter(const Array& out, const Array& index, const Array& src, int dim, Outside& outside);
template <class Machine>
std::span<const Rung<Scatter>> scatter_rungs();
template <class Machine>
bool scatter_add(const Array& out, const Array& index, const Array& src, int dim, Outside& outside);
template <class Machine>
std::span<const Rung<Scatter>> scatter_add_rungs();
using IndexRows = bool(const Array& out, const Array& in, const Array& index, const Rows& rows,
                       Outside& outside);
template <class Machine>
bool index_rows(const Array& out, const Array& in, const Array& index, const Rows& rows,
                Outside& outside);
template <class Machine>
std::span<const Rung<IndexRows>> index_rows_rungs();
using PutRows = bool(const Array& out, const Array& index, const Array& src, const Rows& rows,
                     bool accumulate, Outside& outside);
template <class Machine>
bool put_rows(const Array& out, const Array& index, const Array& src, const Rows& rows,
              bool accumulate, Outside& outside);
template <class Machine>
std::span<const Rung<PutRows>> put_rows_rungs();
template <class Machine>
bool add_position(const Array& out, const Array& index, std::int64_t size, Outside& outside);
using SearchSorted = bool(const Array& out, const Array& sorted, const Array& values, bool right);
template <class Machine>
bool searchsorted(const Array& out, const Array& sorted, const Array& values, bool right);
template <class Machine>
std::span<const Rung<SearchSorted>> searchsorted_rungs();
// out int64, of in's shape or shorter along dim
using ArgSort = bool(const Array& out, const Array& in, int dim, bool descending);
template <class Machine>
bool argsort(const Array& out, const Array& in, int dim, bool descending);
template <class Machine>
std::span<const Rung<ArgSort>> argsort_rungs();

// ---- lines ------------------------------------------------------------------------------------
// What kernels/lines.h says, of arrays (lines, n) of float32 or float64 with any strides; target
// (lines,) int64, losses and g of cross entropy (lines,), r of layer norm (lines, 1).
using Softmax = bool(const Array& y, const Array& x, bool log);
template <class Machine>
bool softmax(const Array& y, const Array& x, bool log);
template <class Machine>
std::span<const Rung<Softmax>> softmax_rungs();
using SoftmaxGradient = bool(const Array& dx, const Array& g, const Array& y, bool log);
template <class Machine>
bool softmax_gradient(const Array& dx, const Array& g, const Array& y, bool log);
template <class Machine>
std::span<const Rung<SoftmaxGradient>> softmax_gradient_rungs();
using CrossEntropy = bool(const Array& losses, const Array& x, const Array& target,
                          Outside& outside);
template <class Machine>
bool cross_entropy(const Array& losses, const Array& x, const Array& target, Outside& outside);
template <class Machine>
std::span<const Rung<CrossEntropy>> cross_entropy_rungs();
using CrossEntropyGradient = bool(const Array& dx, const Array& g, const Array& x,
                                  const Array& target);
template <class Machine>
bool cross_entropy_gradient(const Array& dx, const Array& g, const Array& x, const Array& target);
template <class Machine>
std::span<const Rung<CrossEntropyGradient>> cross_entropy_gradient_rungs();
using LayerNorm = bool(const Array& y, const Array& r, const Array& x, double eps);
template <class Machine>
bool layer_norm(const Array& y, const Array& r, const Array& x, double eps);
template <class Machine>
std::span<const Rung<LayerNorm>> layer_norm_rungs();
using LayerNormGradient = bool(const Array& dx, const Array& g, const Array& y, const Array& r);
template <class Machine>
bool layer_norm_gradient(const Array& dx, const Array& g, const Array& y, const Array& r);
template <class Machine>
std::span<const Rung<LayerNormGradient>> layer_norm_gradient_rungs();

// ---- attention --------------------------------------------------------------------------------
// See kernels/attention.h: float32 or all float64 of any strides; lse and delta (B, L, 1).
using Attention = bool(const Array& y, const Array& lse, const Array& q, const Array& k,
                       const Array& v, double scale, bool causal);
template <class Machine>
bool attention(const Array& y, const Array& lse, const Array& q, const Array& k, const Array& v,
               double scale, bool causal);
template <class Machine>
std::span<const Rung<Attention>> attention_rungs();
using AttentionGradient = bool(const Array& dq, const Array& dk, const Array& dv,
                               const AttentionGradientArrays& in, double scale, bool causal);
template <class Machine>
bool attention_gradient(const Array& dq, const Array& dk, const Array& dv,
                        const AttentionGradientArrays& in, double scale, bool causal);
template <class Machine>
std::span<const Rung<AttentionGradient>> attention_gradient_rungs();

// ---- random numbers ---------------------------------------------------------------------------
// Elements offset, offset + 1, ... of a seed's stream: uniform in [0, 1), or normal; of float32 or
// float64. shuffle: out (n,) int64 is 0 .. n - 1 in an order at random.
using Draw = bool(const Array& out, std::uint64_t seed, std::uint64_t offset);
template <class Machine>
bool uniform(const Array& out, std::uint64_t seed, std::uint64_t offset);
template <class Machine>
bool normal(const Array& out, std::uint64_t seed, std::uint64_t offset);
template <class Machine>
bool shuffle(const Array& out, std::uint64_t seed, std::uint64_t offset);
template <class Machine>
std::span<const Rung<Draw>> uniform_rungs();
template <class Machine>
std::span<const Rung<Draw>> normal_rungs();
template <class Machine>
std::span<const Rung<Draw>> shuffle_rungs();

// Is there a 0; a number below 0, above 1 or NaN?
template <class Machine>
bool holds_zero(const Array& in, bool& found);
template <class Machine>
bool holds_no_probability(const Array& in, bool& found);

// ---- convolution ------------------------------------------------------------------------------
// See kernels/cpu/convolution.h: the first operand is written and is contiguous, the others have
// any strides; all of one dtype, an integer or a float.
using Convolution = bool(const Array& to, const Array& a, const Array& b,
                         const cpu::Windows& windows);
template <class Machine>
bool convolution(const Array& y, const Array& x, const Array& w, const cpu::Windows& windows);
template <class Machine>
bool convolution_input(const Array& x, const Array& w, const Array& y, const cpu::Windows& windows);
template <class Machine>
bool convolution_weight(const Array& w, const Array& x, const Array& y,
                        const cpu::Windows& windows);
template <class Machine>
std::span<const Rung<Convolution>> convolution_rungs();
template <class Machine>
std::span<const Rung<Convolution>> convolution_input_rungs();
template <class Machine>
std::span<const Rung<Convolution>> convolution_weight_rungs();

// See kernels/cpu/pooling.h. Index of any dtype's largest; means of float32 or float64.
using PoolArgmax = bool(const Array& index, const Array& x, const cpu::Pool& pool);
using PoolMean = bool(const Array& out, const Array& in, const cpu::Pool& pool,
                      std::int64_t divisor);
template <class Machine>
bool pool_argmax(const Array& index, const Array& x, const cpu::Pool& pool);
template <class Machine>
bool pool_mean(const Array& y, const Array& x, const cpu::Pool& pool, std::int64_t divisor);
template <class Machine>
bool pool_spread(const Array& x, const Array& y, const cpu::Pool& pool, std::int64_t divisor);
template <class Machine>
std::span<const Rung<PoolArgmax>> pool_argmax_rungs();
template <class Machine>
std::span<const Rung<PoolMean>> pool_mean_rungs();
template <class Machine>
std::span<const Rung<PoolMean>> pool_spread_rungs();

// ---- optimisers -------------------------------------------------------------------------------
// See kernels/optimizers.h. All tensors are contiguous, and of float32 or all of float64. With
// fused multiply-adds a GPU's last digits are others than the CPU's.
using Sgd = bool(const SgdRule& rule, std::span<const Array> out, std::span<const Array> in);
using Adam = bool(const AdamRule& rule, std::span<const Array> out, std::span<const Array> in);
template <class Machine>
bool sgd(const SgdRule& rule, std::span<const Array> out, std::span<const Array> in);
template <class Machine>
bool adam(const AdamRule& rule, std::span<const Array> out, std::span<const Array> in);
template <class Machine>
std::span<const Rung<Sgd>> sgd_rungs();
template <class Machine>
std::span<const Rung<Adam>> adam_rungs();

// The tables that backend() chooses from. gpu() is null where there is no driver or no device; it
// exists only where nvcc's build is in (TAPEGRAPH_CUDA).
const Backend& emulator();
const Backend& checking();  // opens the library of checked kernels
const Backend* gpu();
// An emulator of which nothing works but memory: every launch says the reason.
const Backend& unavailable(std::string reason);

// What the library of checked kernels exports: null if its Backend is not the caller's.
using OpenChecking = const Backend*(std::size_t table_bytes, bool (*stopping)());
constexpr const char* open_checking_name = "tapegraph_open_checking";

}  // namespace tg::kernels::cuda
