#include "graph/fused_inputs.h"

#include <algorithm>

#include "kernels/cpu/strided.h"

namespace tg {

using kernels::Array;

Array collapsed(const Array& a, const Array& out) {
    Array merged;  // dims in reverse order at first: the innermost is merged[0]
    merged.data = a.data;
    merged.dtype = a.dtype;
    for (int d = out.dims - 1; d >= 0; --d) {
        const std::int64_t size = out.shape[d];
        if (size == 1) continue;
        const int own = d - (out.dims - a.dims);
        const std::int64_t stride = own >= 0 && a.shape[own] != 1 ? a.strides[own] : 0;
        const int inner = merged.dims - 1;
        if (inner >= 0 && stride == merged.shape[inner] * merged.strides[inner]) {
            merged.shape[inner] *= size;
        } else {
            merged.shape[merged.dims] = size;
            merged.strides[merged.dims++] = stride;
        }
    }
    std::reverse(merged.shape, merged.shape + merged.dims);
    std::reverse(merged.strides, merged.strides + merged.dims);
    return merged;
}

template <class T>
static void gather_as(const Array& a, std::int64_t begin, std::int64_t n, T* to) {
    const int last = a.dims - 1;
    const T* from = static_cast<const T*>(a.data);
    std::int64_t at[max_dims];  // the index of the next element, dim by dim
    for (int d = last; d >= 0; --d) {
        at[d] = begin % a.shape[d];
        begin /= a.shape[d];
        from += at[d] * a.strides[d];
    }
    while (n > 0) {  // one run along the innermost dim after another
        const std::int64_t run = std::min(n, a.shape[last] - at[last]);
        const std::int64_t stride = a.strides[last];
        if (stride == 1)
            std::copy_n(from, run, to);
        else if (stride == 0)
            std::fill_n(to, run, *from);
        else
            for (std::int64_t i = 0; i < run; ++i) to[i] = from[i * stride];
        n -= run;
        to += run;
        from += run * stride;
        at[last] += run;
        for (int d = last; d > 0 && at[d] == a.shape[d]; --d) {  // carry, as an odometer does
            from += a.strides[d - 1] - a.shape[d] * a.strides[d];
            at[d] = 0;
            ++at[d - 1];
        }
    }
}

void gather(const Array& a, std::int64_t begin, std::int64_t n, void* to) {
    kernels::cpu::visit_size(a.dtype, [&](auto element) {
        gather_as(a, begin, n, static_cast<decltype(element)*>(to));
    });
}

}  // namespace tg
