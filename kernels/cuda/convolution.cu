// Convolutions, their gradients by the image and by the weight. The letters and what a window is
// are those of kernels/cpu/convolution.h; C and O are of one group.
//
//   convolution          y[n, o, i, j] = sum over c a b of w[o, c, a, b] x[n, c, row, column]
//   convolution_input    x[n, c, h, w] = sum over o a b of w[o, c, a, b] y[n, o, i, j]
//   convolution_weight   w[o, c, a, b] = sum over n i j of y[n, o, i, j] x[n, c, row, column]
//
// where (row, column) is where window (i, j) has its tap (a, b), or, for the image, (i, j) is the
// window that has its tap (a, b) at (h, w). Outside of the image and where there is no window an
// element is 0. Each is a matrix product Y = A B of matrices that are nowhere in memory ("implicit
// GEMM"): m, n and k are numbered pixels or taps, and the element is read where it comes from. An
// image is read up to A B times through a cache that way, but its columns, A B times as large, are
// never written. Read next: convolution_operands.h.
#include <cstdint>
#include <span>

#include "kernels/cuda/convolution_operands.h"
#include "kernels/cuda/dtypes.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"
#include "kernels/cuda/scratch.h"

namespace tg::kernels::cuda {
namespace {

// ---- rung 1: direct ---------------------------------------------------------------------------
// A thread owns a number of the result and walks along K on its own: the same elements, in the same
// order, as the other rungs. Neighbouring threads have neighbouring n.
// Wasted: divisions for every element, and as in the naive product each number is read from global
// memory by all who need it: 2 K reads for 2 K flops.
template <class X>
__global__ void convolution_direct(X x) {
    using T = typename X::Number;
    const std::int64_t threads = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
    std::int64_t e = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    for (; e < x.batches * x.M * x.N; e += threads) {
        const std::int64_t product = e / x.N / x.M;
        const auto row = x.row(product, e / x.N % x.M);
        const auto column = x.column(product, e % x.N);
        T total = 0, sum = 0;
        for (std::int64_t k = 0; k < x.K; ++k) {
            const auto step = x.step(product, k);
            total = multiply_add<T>(x.a(row, step), x.b(step, column), total);
            if ((k + 1) % product_chain != 0) continue;
            sum = formula::Add::of<T>(sum, total);
            total = 0;
        }
        *x.place(row, column) = formula::Add::of<T>(sum, total);
    }
}

// ---- rungs 2 and 3: register-blocked and double-buffered, see product.h -----------------------
// The divisions are once for each row, column and step of a tile, not for each element.

enum class Choice { best, direct, blocked, double_buffered };

template <class X>
void run_choice(Choice choice, const X& x) {
    // Short integers would need a register more than there are for two sets of tiles.
    constexpr bool two_sets = sizeof(typename X::Number) >= 4;
    if (choice == Choice::best)
        choice = !fills_tiles(x) ? Choice::direct
                 : two_sets      ? Choice::double_buffered
                                 : Choice::blocked;
    if (choice == Choice::double_buffered) return launch_product(product_double_buffered<X>, x);
    if (choice == Choice::blocked) return launch_product(product_blocked<X>, x);
    const std::int64_t numbers = x.batches * x.M * x.N;
    if (numbers > 0) launch(convolution_direct<X>, grid_up_to(blocks_for(numbers, 256)), 256, 0, x);
}

// w = the runs, one after another. sums (runs, weights), w contiguous.
template <class T>
__global__ void join_runs(std::int64_t runs, std::int64_t weights, T* w, const T* sums) {
    const std::int64_t threads = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
    std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    for (; i < weights; i += threads) {
        T total = sums[i];
        for (std::int64_t r = 1; r < runs; ++r)
            total = formula::Add::of<T>(total, sums[r * weights + i]);
        w[i] = total;
    }
}

// ---- from arrays to a launch ------------------------------------------------------------------
template <class T>
bool run_forward(Choice choice, const Array& y, const Array& x, const Array& w,
                 const cpu::Windows& windows) {
    const Problem p = problem_of(x, w, y, windows);
    const std::int64_t taps = p.channels * p.tap_rows * p.tap_columns;
    run_choice(choice, Forward<T>{{p, p.outs, p.images * p.rows * p.columns, taps, p.groups, true,
                                   false, static_cast<const T*>(w.data),
                                   static_cast<const T*>(x.data), static_cast<T*>(y.data)}});
    return true;
}

template <class T>
bool run_input(Choice choice, const Array& x, const Array& w, const Array& y,
               const cpu::Windows& windows) {
    const Problem p = problem_of(x, w, y, windows);
    const std::int64_t taps = p.outs * p.tap_rows * p.tap_columns;
    const std::int64_t pixels = p.images * p.height * p.width;
    run_choice(choice, ByInput<T>{{p, p.channels, pixels, p.rows * p.columns > 0 ? taps : 0,
                                   p.groups, false, false, static_cast<const T*>(w.data),
                                   static_cast<const T*>(y.data), static_cast<T*>(x.data)}});
    return true;
}

template <class T>
bool run_weight(Choice choice, const Array& w, const Array& x, const Array& y,
                const cpu::Windows& windows) {
    static thread_local Scratch scratch;
    const Problem p = problem_of(x, w, y, windows);
    const std::int64_t taps = p.channels * p.tap_rows * p.tap_columns;
    const std::int64_t weights = p.groups * p.outs * taps, pixels = p.images * p.rows * p.columns;
    if (weights == 0) return true;
    // Runs of at least one chain each, as many as keep a GPU busy, 16 at most.
    const std::int64_t busy = blocks_for(1024 * side * side, weights);
    const std::int64_t most = busy < 16 ? busy : 16, wanted = blocks_for(pixels, product_chain);
    std::int64_t runs = wanted < most ? wanted : most;
    const std::int64_t length = runs < 1 ? 0 : blocks_for(blocks_for(pixels, runs), depth) * depth;
    runs = length == 0 ? 1 : blocks_for(pixels, length);
    T* out = static_cast<T*>(w.data);
    if (runs > 1) {
        out =
            static_cast<T*>(scratch.at_least(static_cast<std::size_t>(runs * weights) * sizeof(T)));
        if (out == nullptr) return false;
    }
    run_choice(choice,
               ByWeight<T>{{p, p.outs, taps, length, p.groups * runs, true, true,
                            static_cast<const T*>(y.data), static_cast<const T*>(x.data), out},
                           runs,
                           length,
                           pixels});
    if (runs > 1)
        launch(join_runs<T>, grid_up_to(blocks_for(weights, 256)), 256, 0, runs, weights,
               static_cast<T*>(w.data), out);
    return true;
}

bool one_dtype(const Array& a, const Array& b, const Array& c) {
    return a.dtype == b.dtype && b.dtype == c.dtype;
}

template <Choice choice>
bool forward(const Array& y, const Array& x, const Array& w, const cpu::Windows& windows) {
    return one_dtype(y, x, w) && visit_numbers(y.dtype, [&]<class T>(T) {
               return run_forward<T>(choice, y, x, w, windows);
           });
}
template <Choice choice>
bool by_input(const Array& x, const Array& w, const Array& y, const cpu::Windows& windows) {
    return one_dtype(y, x, w) && visit_numbers(y.dtype, [&]<class T>(T) {
               return run_input<T>(choice, x, w, y, windows);
           });
}
template <Choice choice>
bool by_weight(const Array& w, const Array& x, const Array& y, const cpu::Windows& windows) {
    return one_dtype(y, x, w) && visit_numbers(y.dtype, [&]<class T>(T) {
               return run_weight<T>(choice, w, x, y, windows);
           });
}

}  // namespace

// All three choose double-buffered where the result fills at least half a tile along both sides
// (register-blocked for integers of one or two bytes), else direct.
template <class Machine>
bool convolution(const Array& y, const Array& x, const Array& w, const cpu::Windows& windows) {
    return forward<Choice::best>(y, x, w, windows);
}
template <class Machine>
bool convolution_input(const Array& x, const Array& w, const Array& y,
                       const cpu::Windows& windows) {
    return by_input<Choice::best>(x, w, y, windows);
}
template <class Machine>
bool convolution_weight(const Array& w, const Array& x, const Array& y,
                        const cpu::Windows& windows) {
    return by_weight<Choice::best>(w, x, y, windows);
}

template <class Machine>
std::span<const Rung<Convolution>> convolution_rungs() {
    static constexpr Rung<Convolution> rungs[] = {
        {"direct", forward<Choice::direct>},
        {"register-blocked", forward<Choice::blocked>},
        {"double-buffered", forward<Choice::double_buffered>}};
    return rungs;
}
template <class Machine>
std::span<const Rung<Convolution>> convolution_input_rungs() {
    static constexpr Rung<Convolution> rungs[] = {
        {"direct", by_input<Choice::direct>},
        {"register-blocked", by_input<Choice::blocked>},
        {"double-buffered", by_input<Choice::double_buffered>}};
    return rungs;
}
template <class Machine>
std::span<const Rung<Convolution>> convolution_weight_rungs() {
    static constexpr Rung<Convolution> rungs[] = {
        {"direct", by_weight<Choice::direct>},
        {"register-blocked", by_weight<Choice::blocked>},
        {"double-buffered", by_weight<Choice::double_buffered>}};
    return rungs;
}

template bool convolution<ThisMachine>(const Array&, const Array&, const Array&,
                                       const cpu::Windows&);
template bool convolution_input<ThisMachine>(const Array&, const Array&, const Array&,
                                             const cpu::Windows&);
template bool convolution_weight<ThisMachine>(const Array&, const Array&, const Array&,
                                              const cpu::Windows&);
template std::span<const Rung<Convolution>> convolution_rungs<ThisMachine>();
template std::span<const Rung<Convolution>> convolution_input_rungs<ThisMachine>();
template std::span<const Rung<Convolution>> convolution_weight_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
