// Random numbers: element i is a function of (seed, offset + i) alone (kernels/philox.h), so every
// thread makes its own, and they are the CPU's: on the emulator bit for bit. On a GPU the uniform
// ones are too; of the normal ones, cos and sin may differ in their last bits. Not run on a GPU.
#include <cstdint>
#include <span>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"
#include "kernels/philox.h"

namespace tg::kernels::cuda {
namespace {

constexpr int block_threads = 256;

// ---- rung 1: elements -------------------------------------------------------------------------
// Thread t owns elements t, t + all threads, ... of any strides.
// Wasted: one call of the generator, ten rounds of multiplications, gives four words, and a float
// wants one. A normal number needs its neighbour's word besides, and the neighbour computes the
// logarithm, the root and both numbers of the pair once more.
template <class T, bool is_normal>
__global__ void random_elements(Layout<1> layout, std::uint64_t seed, std::uint64_t offset,
                                T* out) {
    for (std::int64_t i = thread_number(); i < layout.count; i += thread_count()) {
        std::int64_t at[1];
        layout.offset(i, at);
        const std::uint64_t place = offset + static_cast<std::uint64_t>(i);
        out[at[0]] = is_normal ? philox::normal<T>(seed, place) : philox::uniform<T>(seed, place);
    }
}

// ---- rung 2: calls ----------------------------------------------------------------------------
// A thread owns a call of the generator and all that comes of it: 4 floats or 2 doubles, 16 bytes.
// Call c makes the elements each c, each c + 1, ... of the stream, so those of a draw that starts
// in the middle of a call begin with a few of another draw, which are left out. Where out is
// contiguous and calls fall on 16-byte addresses, a thread writes its elements by one store.
template <class T>
struct alignas(16) Made {
    static constexpr int each = 16 / sizeof(T);
    T x[each];
};

template <class T, bool is_normal>
__device__ __forceinline__ Made<T> made(std::uint64_t seed, std::uint64_t call) {
    const philox::Words w = philox::words(seed, call);
    Made<T> made;
    for (int k = 0; k < Made<T>::each; ++k) {
        if constexpr (sizeof(T) == 4)
            made.x[k] = philox::unit_float(w.word[k]);
        else
            made.x[k] = philox::unit_double(w.word[2 * k], w.word[2 * k + 1]);
    }
    for (int k = 0; is_normal && k < Made<T>::each; k += 2)
        philox::box_muller(made.x[k], made.x[k + 1]);
    return made;
}

template <class T, bool is_normal>
__global__ void random_calls(Layout<1> layout, std::uint64_t seed, std::uint64_t offset, T* out,
                             std::int64_t calls, bool whole_words) {
    constexpr int each = Made<T>::each;
    const std::uint64_t first = offset / each;
    const auto skipped = static_cast<std::int64_t>(offset % each);
    for (std::int64_t c = thread_number(); c < calls; c += thread_count()) {
        const Made<T> numbers = made<T, is_normal>(seed, first + static_cast<std::uint64_t>(c));
        const std::int64_t start = c * each - skipped;
        if (whole_words && start + each <= layout.count) {
            reinterpret_cast<Made<T>*>(out)[c] = numbers;
            continue;
        }
        for (int k = 0; k < each; ++k) {
            const std::int64_t i = start + k;
            if (i < 0 || i >= layout.count) continue;
            std::int64_t at[1];
            layout.offset(i, at);
            out[at[0]] = numbers.x[k];
        }
    }
}

// ---- from an array to a launch ----------------------------------------------------------------
enum class Choice { elements, calls };

template <class T, bool is_normal>
void run_type(Choice choice, const Layout<1>& layout, std::uint64_t seed, std::uint64_t offset,
              T* out) {
    if (choice == Choice::elements) {
        launch(random_elements<T, is_normal>, grid_up_to(blocks_for(layout.count, block_threads)),
               block_threads, 0, layout, seed, offset, out);
        return;
    }
    constexpr int each = Made<T>::each;
    const auto skipped = static_cast<std::int64_t>(offset % each);
    const std::int64_t calls = blocks_for(layout.count + skipped, each);
    const bool line = layout.dims == 0 || (layout.dims == 1 && layout.strides[0][0] == 1);
    const bool whole_words =
        line && skipped == 0 && reinterpret_cast<std::uintptr_t>(out) % sizeof(Made<T>) == 0;
    launch(random_calls<T, is_normal>, grid_up_to(blocks_for(calls, block_threads)), block_threads,
           0, layout, seed, offset, out, calls, whole_words);
}

template <bool is_normal>
bool run(Choice choice, const Array& out, std::uint64_t seed, std::uint64_t offset) {
    if (out.dtype != DType::float32 && out.dtype != DType::float64) return false;
    Layout<1> layout;
    for (int d = 0; d < out.dims; ++d) layout.append(out.shape[d], {out.strides[d]});
    if (layout.count == 0) return true;
    if (out.dtype == DType::float32)
        run_type<float, is_normal>(choice, layout, seed, offset, static_cast<float*>(out.data));
    else
        run_type<double, is_normal>(choice, layout, seed, offset, static_cast<double*>(out.data));
    return true;
}

template <bool is_normal, Choice choice>
bool rung(const Array& out, std::uint64_t seed, std::uint64_t offset) {
    return run<is_normal>(choice, out, seed, offset);
}

}  // namespace

// Always by calls: they cost no more than elements where few are wanted.
template <class Machine>
bool uniform(const Array& out, std::uint64_t seed, std::uint64_t offset) {
    return run<false>(Choice::calls, out, seed, offset);
}

template <class Machine>
bool normal(const Array& out, std::uint64_t seed, std::uint64_t offset) {
    return run<true>(Choice::calls, out, seed, offset);
}

template <class Machine>
std::span<const Rung<Draw>> uniform_rungs() {
    static constexpr Rung<Draw> rungs[] = {{"elements", rung<false, Choice::elements>},
                                           {"calls", rung<false, Choice::calls>}};
    return rungs;
}

template <class Machine>
std::span<const Rung<Draw>> normal_rungs() {
    static constexpr Rung<Draw> rungs[] = {{"elements", rung<true, Choice::elements>},
                                           {"calls", rung<true, Choice::calls>}};
    return rungs;
}

template bool uniform<ThisMachine>(const Array&, std::uint64_t, std::uint64_t);
template bool normal<ThisMachine>(const Array&, std::uint64_t, std::uint64_t);
template std::span<const Rung<Draw>> uniform_rungs<ThisMachine>();
template std::span<const Rung<Draw>> normal_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
