// Is there such an element? A kernel cannot throw and nobody waits for it: what it finds it leaves
// in a flag on the device, and the host, which wants to know, waits and reads that.
#include <cstdint>

#include "kernels/cuda/dtypes.h"
#include "kernels/cuda/flag.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"
#include "kernels/elementary.h"

namespace tg::kernels::cuda {
namespace {

constexpr int block_threads = 256;

struct IsZero {
    template <class T>
    static __device__ __forceinline__ bool of(T x) {
        return x == T(0);
    }
};
struct IsNoProbability {
    template <class T>
    static __device__ __forceinline__ bool of(T x) {
        if constexpr (formula::is_float<T>)
            return !(x >= T(0) && x <= T(1));  // NaN is none either: hence the `not`
        else
            return x != T(0) && x != T(1);
    }
};

// Thread t looks at elements t, t + all threads, ... Many may raise the flag, all to 1: so it is
// the same whoever comes last, and no atomic is needed.
template <class Is, class T>
__global__ void look(Layout<1> layout, const T* in, int* found) {
    for (std::int64_t i = thread_number(); i < layout.count; i += thread_count()) {
        std::int64_t at[1];
        layout.offset(i, at);
        if (Is::of(in[at[0]])) *found = 1;
    }
}

template <class Is>
bool run(const Array& in, bool& found) {
    static thread_local Flag flag;
    Layout<1> layout;
    for (int d = 0; d < in.dims; ++d) layout.append(in.shape[d], {in.strides[d]});
    found = false;
    if (layout.count == 0) return true;
    return visit_all(in.dtype, [&]<class T>(T) {
        int* raised = flag.lowered();
        if (raised == nullptr) return false;
        launch(look<Is, T>, grid_up_to(blocks_for(layout.count, block_threads)), block_threads, 0,
               layout, static_cast<const T*>(in.data), raised);
        found = flag.is_raised();
        return true;
    });
}

}  // namespace

template <class Machine>
bool holds_zero(const Array& in, bool& found) {
    return run<IsZero>(in, found);
}

template <class Machine>
bool holds_no_probability(const Array& in, bool& found) {
    return run<IsNoProbability>(in, found);
}

template bool holds_zero<ThisMachine>(const Array&, bool&);
template bool holds_no_probability<ThisMachine>(const Array&, bool&);

}  // namespace tg::kernels::cuda
