// The look at an index before anything is read or written by it.
#include <vector>

#include "kernels/cuda/flag.h"
#include "kernels/cuda/indexed.h"
#include "kernels/cuda/rungs.h"

namespace tg::kernels::cuda {
namespace {

constexpr int block_threads = 256;

__device__ __host__ __forceinline__ bool is_outside(std::int64_t i, std::int64_t size, bool wraps) {
    return i >= size || i < (wraps ? -size : 0);
}

// Thread t looks at indices t, t + all threads, ... Many may raise the flag, all to 1.
__global__ void look_outside(Layout<1> layout, const std::int64_t* index, std::int64_t size,
                             bool wraps, int* found) {
    for (std::int64_t q = thread_number(); q < layout.count; q += thread_count()) {
        std::int64_t at[1];
        layout.offset(q, at);
        if (is_outside(index[at[0]], size, wraps)) *found = 1;
    }
}

// Which one it is matters only to the error's text: so the host looks for it, in order.
Outside first_outside(const Array& index, const Layout<1>& layout, std::int64_t size, bool wraps) {
    std::int64_t last = 0;
    for (int d = 0; d < layout.dims; ++d) last += (layout.shape[d] - 1) * layout.strides[0][d];
    std::vector<std::int64_t> host(static_cast<std::size_t>(last + 1));
    read_memory(ThisMachine{}, host.data(), index.data, host.size() * sizeof(std::int64_t));
    for (std::int64_t q = 0; q < layout.count; ++q) {
        std::int64_t at[1];
        layout.offset(q, at);
        const std::int64_t i = host[static_cast<std::size_t>(at[0])];
        if (is_outside(i, size, wraps)) return i;
    }
    return {};
}

}  // namespace

template <class Machine>
bool find_outside(const Array& index, std::int64_t size, bool wraps, Outside& outside) {
    static thread_local Flag flag;
    outside.reset();
    Layout<1> layout;
    for (int d = 0; d < index.dims; ++d) {
        if (index.shape[d] == 0) return true;
        if (index.strides[d] != 0) layout.append(index.shape[d], {index.strides[d]});
    }
    int* raised = flag.lowered();
    if (raised == nullptr) return false;
    launch(look_outside, grid_up_to(blocks_for(layout.count, block_threads)), block_threads, 0,
           layout, static_cast<const std::int64_t*>(index.data), size, wraps, raised);
    if (flag.is_raised()) outside = first_outside(index, layout, size, wraps);
    return true;
}

template bool find_outside<ThisMachine>(const Array&, std::int64_t, bool, Outside&);

}  // namespace tg::kernels::cuda
