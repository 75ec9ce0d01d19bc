// out[i] = in[i] as another dtype: one kernel for each pair of the ten, so a hundred of each rung.
// As in a copy, the memory decides the speed; what a conversion computes is hidden behind it.
#include <cstdint>
#include <span>

#include "kernels/cuda/dtypes.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"
#include "kernels/low_precision.h"

namespace tg::kernels::cuda {
namespace {

constexpr int block_threads = 256;

// ---- rung 1: strided --------------------------------------------------------------------------
// Any strides. Thread t owns elements t, t + all threads, ...
// Wasted: the divisions of Layout::offset; and a bool for an int64 needs 8 times the bytes on one
// side, but here both sides take one instruction an element.
template <class To, class From>
__global__ void cast_strided(Layout<2> layout, To* out, const From* in) {
    for (std::int64_t i = thread_number(); i < layout.count; i += thread_count()) {
        std::int64_t at[2];
        layout.offset(i, at);
        out[at[0]] = formula::converted<To>(in[at[1]]);
    }
}

// ---- rung 2: fours ----------------------------------------------------------------------------
// Both contiguous: a thread takes four neighbours, so four loads are on their way before the first
// result is needed, and the compiler joins them where they are aligned. `Four` says that they are.
template <class T>
struct alignas(4 * sizeof(T)) Four {
    T x[4];
};

template <class To, class From>
__global__ void cast_fours(std::int64_t n, To* out, const From* in) {
    for (std::int64_t i = thread_number(); i < n / 4; i += thread_count()) {
        const Four<From> from = reinterpret_cast<const Four<From>*>(in)[i];
        Four<To> to;
        for (int k = 0; k < 4; ++k) to.x[k] = formula::converted<To>(from.x[k]);
        reinterpret_cast<Four<To>*>(out)[i] = to;
    }
    const std::int64_t last = n / 4 * 4 + thread_number();
    if (last < n) out[last] = formula::converted<To>(in[last]);
}

// ---- from arrays to a launch ------------------------------------------------------------------
enum class Choice { best, strided, fours };

template <class To, class From>
bool run_types(Choice choice, const Layout<2>& layout, To* out, const From* in) {
    if (layout.count == 0) return true;
    const auto aligned = [](const void* p, std::size_t bytes) {
        return reinterpret_cast<std::uintptr_t>(p) % bytes == 0;
    };
    const bool line = layout.dims == 0 ||
                      (layout.dims == 1 && layout.strides[0][0] == 1 && layout.strides[1][0] == 1);
    const bool fits = line && aligned(out, sizeof(Four<To>)) && aligned(in, sizeof(Four<From>));
    if (choice == Choice::fours && !fits) return false;
    if (fits && choice != Choice::strided) {
        launch(cast_fours<To, From>, grid_up_to(blocks_for(layout.count, block_threads * 4)),
               block_threads, 0, layout.count, out, in);
    } else {
        launch(cast_strided<To, From>, grid_up_to(blocks_for(layout.count, block_threads)),
               block_threads, 0, layout, out, in);
    }
    return true;
}

bool run(Choice choice, const Array& out, const Array& in) {
    Layout<2> layout;
    for (int d = 0; d < out.dims; ++d) layout.append(out.shape[d], {out.strides[d], in.strides[d]});
    return visit_stored(out.dtype, [&]<class To>(To) {
        return visit_stored(in.dtype, [&]<class From>(From) {
            return run_types(choice, layout, static_cast<To*>(out.data),
                             static_cast<const From*>(in.data));
        });
    });
}

bool strided(const Array& out, const Array& in) { return run(Choice::strided, out, in); }
bool fours(const Array& out, const Array& in) { return run(Choice::fours, out, in); }

}  // namespace

// Fours where both are contiguous and aligned, else strided.
template <class Machine>
bool cast(const Array& out, const Array& in) {
    return run(Choice::best, out, in);
}

template <class Machine>
std::span<const Rung<Cast>> cast_rungs() {
    static constexpr Rung<Cast> rungs[] = {{"strided", strided}, {"fours", fours}};
    return rungs;
}

template bool cast<ThisMachine>(const Array&, const Array&);
template std::span<const Rung<Cast>> cast_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
