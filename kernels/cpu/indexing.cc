// Kernels that move elements by index, and sums into memory that overlaps itself. Where two
// elements may be added to the same place, the order is that of the source, on one thread: so the
// result does not depend on the number of threads.
#include <cstddef>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/strided.h"
#include "kernels/math.h"
#include "kernels/parallel.h"

namespace tg::kernels::cpu {
namespace {

// Three operands over the index's shape: the one that is contiguous in the walk (gather's out,
// scatter_add's src), the index, and the one that is indexed, whose step along `dim` is left out:
// the index gives it.
struct Indexed {
    Strided<3> layout;
    const std::int64_t* index = nullptr;
    std::int64_t dim_stride = 0;
};

Indexed indexed(const Array& straight, const Array& index, const Array& by_index, int dim) {
    Indexed x;
    x.index = static_cast<const std::int64_t*>(index.data);
    x.dim_stride = by_index.strides[dim];
    for (int d = 0; d < index.dims; ++d)
        x.layout.add_dim(index.shape[d], {straight.strides[d], index.strides[d],
                                          d == dim ? 0 : by_index.strides[d]});
    x.layout.merge();
    return x;
}

// Is every index in [0, size)? An index that is repeated by stride 0 is looked at once.
bool all_inside(const Array& index, std::int64_t size) {
    Strided<1> layout;
    for (int d = 0; d < index.dims; ++d) {
        if (index.shape[d] == 0) return true;
        if (index.strides[d] != 0) layout.add_dim(index.shape[d], {index.strides[d]});
    }
    layout.merge();
    const std::int64_t stride = layout.dims > 0 ? layout.strides[layout.dims - 1][0] : 0;
    bool inside = true;
    layout.runs(0, layout.size(), [&](const auto& offsets, std::int64_t n) {
        const std::int64_t* i = static_cast<const std::int64_t*>(index.data) + offsets[0];
        for (std::int64_t r = 0; r < n; ++r)
            inside = inside & (i[r * stride] >= 0) & (i[r * stride] < size);
    });
    return inside;
}

// Calls each(straight, by_index, n, strides) for runs; along a run whose index does not change
// (the row of an embedding) the run is long, else it is one element.
template <class Each>
void indexed_runs(const Indexed& x, std::int64_t begin, std::int64_t end, const Each& each) {
    const int inner = x.layout.dims - 1;
    const std::int64_t zero[3] = {0, 0, 0};
    const std::int64_t* step = inner < 0 ? zero : x.layout.strides[inner];
    x.layout.runs(begin, end, [&](const auto& offsets, std::int64_t n) {
        const std::int64_t* i = x.index + offsets[1];
        if (step[1] == 0)
            return each(offsets[0], offsets[2] + i[0] * x.dim_stride, n, step[0], step[2]);
        for (std::int64_t r = 0; r < n; ++r)
            each(offsets[0] + r * step[0], offsets[2] + r * step[2] + i[r * step[1]] * x.dim_stride,
                 std::int64_t{1}, step[0], step[2]);
    });
}

// body(begin, end) for one stretch of [0, n) after another, and a look whether to stop between.
template <class Body>
void in_order(std::int64_t n, const Body& body) {
    constexpr std::int64_t stretch = 1 << 20;
    for (std::int64_t begin = 0; begin < n; begin += stretch) {
        body(begin, std::min(n, begin + stretch));
        if (begin + stretch < n && stopping()) return;
    }
}

template <class T>
void add_run(T* to, std::int64_t to_step, const T* from, std::int64_t from_step, std::int64_t n) {
    if (to_step == 1 && from_step == 1) {
        for (std::int64_t i = 0; i < n; ++i) to[i] = formula::Add::of<T>(to[i], from[i]);
        return;
    }
    for (std::int64_t i = 0; i < n; ++i) {
        T& at = to[i * to_step];
        at = formula::Add::of<T>(at, from[i * from_step]);
    }
}

}  // namespace

bool gather(const Array& out, const Array& in, const Array& index, int dim) {
    if (!all_inside(index, in.shape[dim])) return false;
    const Indexed x = indexed(out, index, in, dim);
    visit_size(out.dtype, [&]<class U>(U) {
        U* to = static_cast<U*>(out.data);
        const U* from = static_cast<const U*>(in.data);
        parallel_for(out.size(), parallel_grain, [&](std::int64_t begin, std::int64_t end) {
            indexed_runs(x, begin, end,
                         [&](std::int64_t o, std::int64_t i, std::int64_t n, std::int64_t o_step,
                             std::int64_t i_step) {
                             if (o_step == 1 && i_step == 1) {
                                 std::copy_n(from + i, n, to + o);
                                 return;
                             }
                             for (std::int64_t r = 0; r < n; ++r)
                                 to[o + r * o_step] = from[i + r * i_step];
                         });
        });
    });
    return true;
}

bool scatter_add(const Array& out, const Array& index, const Array& src, int dim) {
    if (!all_inside(index, out.shape[dim])) return false;
    const Indexed x = indexed(src, index, out, dim);
    visit(out.dtype, [&]<class T>(T) {
        T* to = static_cast<T*>(out.data);
        const T* from = static_cast<const T*>(src.data);
        in_order(index.size(), [&](std::int64_t begin, std::int64_t end) {
            indexed_runs(
                x, begin, end,
                [&](std::int64_t s, std::int64_t o, std::int64_t n, std::int64_t s_step,
                    std::int64_t o_step) { add_run(to + o, o_step, from + s, s_step, n); });
        });
    });
    return true;
}

void add_to(const Array& out, const Array& src) {
    if (src.size() == 0) return;
    if (contiguous(out)) {  // then no two elements of out are one: the fast way
        const Array both[] = {out, src};
        return elementwise(formula::id<formula::Add>, out, both);
    }
    Strided<2> layout;
    for (int d = 0; d < src.dims; ++d)
        layout.add_dim(src.shape[d], {out.strides[d], src.strides[d]});
    layout.merge();
    visit(out.dtype, [&]<class T>(T) {
        T* to = static_cast<T*>(out.data);
        const T* from = static_cast<const T*>(src.data);
        const int inner = layout.dims - 1;
        const std::int64_t to_step = inner < 0 ? 0 : layout.strides[inner][0];
        const std::int64_t from_step = inner < 0 ? 0 : layout.strides[inner][1];
        in_order(src.size(), [&](std::int64_t begin, std::int64_t end) {
            layout.runs(begin, end, [&](const auto& offsets, std::int64_t n) {
                add_run(to + offsets[0], to_step, from + offsets[1], from_step, n);
            });
        });
    });
}

}  // namespace tg::kernels::cpu
