// Elements made of nothing but their place: one number everywhere, or 0, 1, 2, ... Nothing is read.
#include <cstdint>
#include <cstring>
#include <span>

#include "kernels/cuda/dtypes.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"

namespace tg::kernels::cuda {
namespace {

constexpr int block_threads = 256;

// ---- fill, rung 1: elements -------------------------------------------------------------------
// Thread t owns elements t, t + all threads, ... of any strides. The number travels as an argument
// of the launch, not through memory.
// Wasted: a store of one element where a thread could write 16 bytes.
template <class U>
__global__ void fill_elements(Layout<1> layout, U* out, U value) {
    for (std::int64_t i = thread_number(); i < layout.count; i += thread_count()) {
        std::int64_t at[1];
        layout.offset(i, at);
        out[at[0]] = value;
    }
}

// ---- fill, rung 2: words ----------------------------------------------------------------------
// out is contiguous and 16-byte aligned: `word` is the number repeated to 16 bytes, one store. The
// elements behind the last whole word are one thread's each.
template <class U>
__global__ void fill_words(std::int64_t n, U* out, uint4 word, U value) {
    constexpr std::int64_t each = sizeof(uint4) / sizeof(U);
    for (std::int64_t i = thread_number(); i < n / each; i += thread_count())
        reinterpret_cast<uint4*>(out)[i] = word;
    const std::int64_t last = n / each * each + thread_number();
    if (last < n) out[last] = value;
}

// ---- arange -----------------------------------------------------------------------------------
// out[i] = i, in a step that may be larger than 1.
template <class T>
__global__ void count_up(std::int64_t n, std::int64_t step, T* out) {
    for (std::int64_t i = thread_number(); i < n; i += thread_count())
        out[i * step] = static_cast<T>(i);
}

// ---- from an array to a launch ----------------------------------------------------------------
enum class Choice { best, elements, words };

template <class U>
bool run_size(Choice choice, const Layout<1>& layout, U* out, U value) {
    if (layout.count == 0) return true;
    const bool fits = (layout.dims == 0 || (layout.dims == 1 && layout.strides[0][0] == 1)) &&
                      reinterpret_cast<std::uintptr_t>(out) % sizeof(uint4) == 0;
    if (choice == Choice::words && !fits) return false;
    if (fits && choice != Choice::elements) {
        uint4 word;
        for (std::size_t i = 0; i < sizeof word; i += sizeof value)
            std::memcpy(reinterpret_cast<char*>(&word) + i, &value, sizeof value);
        constexpr std::int64_t each = block_threads * (sizeof(uint4) / sizeof(U));
        launch(fill_words<U>, grid_up_to(blocks_for(layout.count, each)), block_threads, 0,
               layout.count, out, word, value);
    } else {
        launch(fill_elements<U>, grid_up_to(blocks_for(layout.count, block_threads)), block_threads,
               0, layout, out, value);
    }
    return true;
}

bool run(Choice choice, const Array& out, const void* element) {
    Layout<1> layout;
    for (int d = 0; d < out.dims; ++d) layout.append(out.shape[d], {out.strides[d]});
    return visit_size(out.dtype, [&]<class U>(U value) {
        std::memcpy(&value, element, sizeof value);
        return run_size(choice, layout, static_cast<U*>(out.data), value);
    });
}

bool elements(const Array& out, const void* element) { return run(Choice::elements, out, element); }
bool words(const Array& out, const void* element) { return run(Choice::words, out, element); }

}  // namespace

// Words where out is contiguous and aligned, else elements.
template <class Machine>
bool fill(const Array& out, const void* element) {
    return run(Choice::best, out, element);
}

template <class Machine>
std::span<const Rung<Fill>> fill_rungs() {
    static constexpr Rung<Fill> rungs[] = {{"elements", elements}, {"words", words}};
    return rungs;
}

template <class Machine>
bool arange(const Array& out) {
    const std::int64_t n = out.shape[0];
    return visit_all(out.dtype, [&]<class T>(T) {
        if (n > 0)
            launch(count_up<T>, grid_up_to(blocks_for(n, block_threads)), block_threads, 0, n,
                   out.strides[0], static_cast<T*>(out.data));
        return true;
    });
}

template bool fill<ThisMachine>(const Array&, const void*);
template std::span<const Rung<Fill>> fill_rungs<ThisMachine>();
template bool arange<ThisMachine>(const Array&);

}  // namespace tg::kernels::cuda
