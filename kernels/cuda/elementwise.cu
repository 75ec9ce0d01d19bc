// out[i] = formula(a[i], b[i], c[i]): one thread computes an element, none needs another's result,
// so there is no shared memory and no barrier. All that a GPU does here is move memory: a float32
// add moves 12 bytes for one addition, and its speed is that of the memory.
#ifdef __CUDACC__
#pragma nv_diag_suppress 186  // x < 0, where a formula's T is unsigned
#endif

#include <cstdint>
#include <span>

#include "kernels/cuda/dtypes.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"
#include "kernels/math.h"

namespace tg::kernels::cuda {
namespace {

constexpr int block_threads = 256;

// What a formula F over elements of type T reads first, and what it returns.
template <class F, class T>
using First = std::conditional_t<F::selects, bool, T>;
template <class F, class T>
using Result = std::conditional_t<F::compares, bool, T>;

template <class F, class T>
__device__ __forceinline__ Result<F, T> apply(const First<F, T>* a, const T* b, const T* c) {
    if constexpr (F::inputs == 1)
        return F::of(*a);
    else if constexpr (F::inputs == 2)
        return F::of(*a, *b);
    else
        return F::of(*a, *b, *c);
}

// This thread's number in the whole grid, and how many threads there are.
__device__ __forceinline__ std::int64_t first_element() {
    return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ std::int64_t grid_threads() {
    return static_cast<std::int64_t>(gridDim.x) * blockDim.x;
}

// ---- rung 1: strided --------------------------------------------------------------------------
// Any strides. layout: out, a, b, c over out's shape; an input repeated along a dim has stride 0.
// Thread t owns elements t, t + grid_threads(), ...
// Wasted: a 64-bit division and remainder for each dim of each element; and where an operand's last
// stride is not 1, the 32 threads of a warp read 32 places that share few or no memory sectors.
template <class F, class T>
__global__ void elementwise_strided(Layout<4> layout, Result<F, T>* out, const First<F, T>* a,
                                    const T* b, const T* c) {
    for (std::int64_t i = first_element(); i < layout.count; i += grid_threads()) {
        std::int64_t at[4];
        layout.offset(i, at);
        out[at[0]] = apply<F, T>(a + at[1], b + at[2], c + at[3]);
    }
}

// ---- rung 2: flat -----------------------------------------------------------------------------
// Operands that step evenly from element to element: step 1 where contiguous, 0 for one number
// repeated. That is what most layouts merge to, and it leaves one multiplication an operand.
// The threads of a warp touch 32 neighbours at a time, so every byte moved is used (coalescing).
struct Steps {
    std::int64_t out, a, b, c;
};

template <class F, class T>
__global__ void elementwise_flat(std::int64_t n, Steps step, Result<F, T>* out,
                                 const First<F, T>* a, const T* b, const T* c) {
    for (std::int64_t i = first_element(); i < n; i += grid_threads())
        out[i * step.out] = apply<F, T>(a + i * step.a, b + i * step.b, c + i * step.c);
}

// ---- from arrays to a launch ------------------------------------------------------------------
enum class Choice { best, strided, flat };

Layout<4> layout_of(const Array& out, std::span<const Array> in) {
    Layout<4> layout;
    for (int d = 0; d < out.dims; ++d) {
        std::int64_t steps[4] = {out.strides[d], 0, 0, 0};
        for (std::size_t j = 0; j < in.size(); ++j) steps[j + 1] = in[j].strides[d];
        layout.append(out.shape[d], steps);
    }
    return layout;
}

template <class F, class T>
bool run(Choice choice, const Array& out, std::span<const Array> in) {
    if constexpr (!formula::defined<F, T>) {
        return false;
    } else {
        if (in.size() != F::inputs) return false;
        const Layout<4> layout = layout_of(out, in);
        if (layout.count == 0) return true;
        if (choice == Choice::flat && layout.dims > 1) return false;

        auto* to = static_cast<Result<F, T>*>(out.data);
        const auto* a = static_cast<const First<F, T>*>(in[0].data);
        const auto* b = F::inputs > 1 ? static_cast<const T*>(in[1].data) : nullptr;
        const auto* c = F::inputs > 2 ? static_cast<const T*>(in[2].data) : nullptr;
        const dim3 grid = grid_up_to(blocks_for(layout.count, block_threads));
        if (choice == Choice::strided || layout.dims > 1) {
            launch(elementwise_strided<F, T>, grid, block_threads, 0, layout, to, a, b, c);
        } else {
            const Steps steps = {layout.strides[0][0], layout.strides[1][0], layout.strides[2][0],
                                 layout.strides[3][0]};
            launch(elementwise_flat<F, T>, grid, block_threads, 0, layout.count, steps, to, a, b,
                   c);
        }
        return true;
    }
}

template <class T, class... F>
bool run_formula(Choice choice, int formula, const Array& out, std::span<const Array> in,
                 formula::List<F...>) {
    using Run = bool (*)(Choice, const Array&, std::span<const Array>);
    constexpr Run runs[] = {run<F, T>...};
    return runs[formula](choice, out, in);
}

// The last input has the formula's dtype (the first of `where` is bool).
bool run_dtype(Choice choice, int formula, const Array& out, std::span<const Array> in) {
    return visit_all(in.back().dtype, [&]<class T>(T) {
        return run_formula<T>(choice, formula, out, in, formula::All{});
    });
}

bool strided(int formula, const Array& out, std::span<const Array> in) {
    return run_dtype(Choice::strided, formula, out, in);
}
bool flat(int formula, const Array& out, std::span<const Array> in) {
    return run_dtype(Choice::flat, formula, out, in);
}

}  // namespace

// Chooses flat where the layout merges to one dim, else strided.
template <class Machine>
bool elementwise(int formula, const Array& out, std::span<const Array> in) {
    return run_dtype(Choice::best, formula, out, in);
}

template <class Machine>
std::span<const Rung<Elementwise>> elementwise_rungs() {
    static constexpr Rung<Elementwise> rungs[] = {{"strided", strided}, {"flat", flat}};
    return rungs;
}

template bool elementwise<ThisMachine>(int, const Array&, std::span<const Array>);
template std::span<const Rung<Elementwise>> elementwise_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
