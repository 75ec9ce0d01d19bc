// Elements in another order, and looks at what is among them.
#include <cstddef>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/strided.h"
#include "kernels/parallel.h"

namespace tg::kernels::cpu {

// out[.., i, ..] = in[.., n - 1 - i, ..]: in is walked from its other end, with its step negated.
void flip(const Array& out, const Array& in, const bool (&flipped)[max_dims]) {
    if (out.size() == 0) return;
    Strided<2> layout;
    std::int64_t start = 0;
    for (int d = 0; d < out.dims; ++d) {
        if (flipped[d]) start += (in.shape[d] - 1) * in.strides[d];
        layout.add_dim(out.shape[d], {out.strides[d], flipped[d] ? -in.strides[d] : in.strides[d]});
    }
    layout.merge();
    const std::int64_t none[2] = {0, 0};
    const std::int64_t* step = layout.dims > 0 ? layout.strides[layout.dims - 1] : none;
    visit_size(out.dtype, [&]<class T>(T) {
        T* to = static_cast<T*>(out.data);
        const T* from = static_cast<const T*>(in.data) + start;
        parallel_for(out.size(), parallel_grain, [&](std::int64_t begin, std::int64_t end) {
            layout.runs(begin, end, [&](const auto& offsets, std::int64_t n) {
                for (std::int64_t i = 0; i < n; ++i)
                    to[offsets[0] + i * step[0]] = from[offsets[1] + i * step[1]];
            });
        });
    });
}

namespace {

// Is there an element of type T for which is_it(x)?
template <class T, class F>
bool any_of(const Array& in, const F& is_it) {
    Strided<1> layout;
    for (int d = 0; d < in.dims; ++d) layout.add_dim(in.shape[d], {in.strides[d]});
    layout.merge();
    const std::int64_t step = layout.dims > 0 ? layout.strides[layout.dims - 1][0] : 0;
    const T* x = static_cast<const T*>(in.data);
    bool found = false;
    layout.runs(0, in.size(), [&](const auto& offsets, std::int64_t n) {
        for (std::int64_t i = 0; i < n; ++i) found = found | is_it(x[offsets[0] + i * step]);
    });
    return found;
}

}  // namespace

bool holds_zero(const Array& in) {
    bool found = false;
    visit(in.dtype, [&]<class T>(T) { found = any_of<T>(in, [](T x) { return x == T(0); }); });
    return found;
}

bool holds_no_probability(const Array& in) {
    bool found = false;
    visit(in.dtype, [&]<class T>(T) {
        found = any_of<T>(in, [](T x) { return !(x >= T(0) && x <= T(1)); });
    });
    return found;
}

}  // namespace tg::kernels::cpu
