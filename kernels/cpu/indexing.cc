// Kernels that move elements by index, and sums into memory that overlaps itself. Where two
// elements may be added to the same place, the order is that of the source, on one thread: so the
// result does not depend on the number of threads.
#include <algorithm>
#include <cstddef>
#include <vector>

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

// Where the rows lie that an index names: its elements, as offsets into the array of rows. A dim
// along which the index repeats (stride 0) is kept once.
struct Offsets {
    Array array;
    std::vector<std::int64_t> numbers;
    std::optional<std::int64_t> outside;  // the first index that names no row
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

// The first index outside [0, size). One that is repeated by stride 0 is looked at once.
std::optional<std::int64_t> first_outside(const Array& index, std::int64_t size) {
    Strided<1> layout;
    for (int d = 0; d < index.dims; ++d) {
        if (index.shape[d] == 0) return {};
        if (index.strides[d] != 0) layout.add_dim(index.shape[d], {index.strides[d]});
    }
    layout.merge();
    const std::int64_t stride = layout.dims > 0 ? layout.strides[layout.dims - 1][0] : 0;
    std::optional<std::int64_t> outside;
    layout.runs(0, layout.size(), [&](const auto& offsets, std::int64_t n) {
        const std::int64_t* i = static_cast<const std::int64_t*>(index.data) + offsets[0];
        bool inside = true;
        for (std::int64_t r = 0; r < n; ++r)
            inside = inside & (i[r * stride] >= 0) & (i[r * stride] < size);
        for (std::int64_t r = 0; !inside && !outside && r < n; ++r)
            if (i[r * stride] < 0 || i[r * stride] >= size) outside = i[r * stride];
    });
    return outside;
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

// The offset of row number i: its coordinates along the dims, the last one fastest.
std::int64_t offset_of(std::int64_t i, const Array& in, std::span<const std::int64_t> dims) {
    if (dims.size() == 1) return i * in.strides[dims[0]];
    std::int64_t offset = 0;
    for (std::size_t k = dims.size(); k-- > 0; i /= in.shape[dims[k]])
        offset += i % in.shape[dims[k]] * in.strides[dims[k]];
    return offset;
}

Offsets offsets_of(const Array& index, const Array& in, const Rows& rows) {
    Offsets found;
    found.array = index;
    Strided<1> layout;
    std::int64_t count = 1;
    for (int d = index.dims - 1; d >= 0; --d) {
        const bool once = index.strides[d] == 0 && index.shape[d] > 0;
        found.array.strides[d] = once ? 0 : count;
        count *= once ? 1 : index.shape[d];
    }
    for (int d = 0; d < index.dims; ++d)
        if (found.array.strides[d] != 0) layout.add_dim(index.shape[d], {index.strides[d]});
    std::int64_t size = 1;
    for (std::int64_t d : rows.dims) size *= in.shape[d];
    found.numbers.resize(static_cast<std::size_t>(count));
    found.array.data = found.numbers.data();
    layout.merge();
    const std::int64_t step = layout.dims > 0 ? layout.strides[layout.dims - 1][0] : 0;
    auto to = found.numbers.begin();
    in_order(count, [&](std::int64_t begin, std::int64_t end) {
        layout.runs(begin, end, [&](const auto& offsets, std::int64_t n) {
            const std::int64_t* i = static_cast<const std::int64_t*>(index.data) + offsets[0];
            for (std::int64_t r = 0; r < n; ++r) {
                const std::int64_t given = i[r * step];
                const std::int64_t row = given < 0 && rows.wraps ? given + size : given;
                const bool inside = row >= 0 && row < size;
                if (!inside && !found.outside) found.outside = given;
                *to++ = inside ? offset_of(row, in, rows.dims) : 0;
            }
        });
    });
    return found;
}

// The walk over all elements of all rows: `straight` has the index's dims among its own.
Indexed indexed_rows(const Array& straight, const Array& offsets, const Array& by_row,
                     std::span<const std::int64_t> dims) {
    Indexed x;
    x.index = static_cast<const std::int64_t*>(offsets.data);
    x.dim_stride = 1;
    const int place = place_of(dims);
    int kept = 0;  // the next dim of by_row
    for (int d = 0; d < straight.dims; ++d) {
        const std::int64_t step = straight.strides[d];
        if (d >= place && d < place + offsets.dims) {
            x.layout.add_dim(straight.shape[d], {step, offsets.strides[d - place], 0});
            continue;
        }
        while (std::find(dims.begin(), dims.end(), kept) != dims.end()) ++kept;
        x.layout.add_dim(straight.shape[d], {step, 0, by_row.strides[kept++]});
    }
    x.layout.merge();
    return x;
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

template <class T, class From>
void add_run(T* to, std::int64_t to_step, const From* from, std::int64_t from_step,
             std::int64_t n) {
    if (to_step == 1 && from_step == 1) {
        for (std::int64_t i = 0; i < n; ++i) to[i] = formula::Add::of<T>(to[i], from[i]);
        return;
    }
    for (std::int64_t i = 0; i < n; ++i) {
        T& at = to[i * to_step];
        at = formula::Add::of<T>(at, from[i * from_step]);
    }
}

template <class T>
void copy_run(T* to, std::int64_t to_step, const T* from, std::int64_t from_step, std::int64_t n) {
    if (to_step == 1 && from_step == 1) {
        std::copy_n(from, n, to);
        return;
    }
    for (std::int64_t i = 0; i < n; ++i) to[i * to_step] = from[i * from_step];
}

// out, straight = in at the index
void read_indexed(const Array& out, const Array& in, const Indexed& x) {
    visit_size(out.dtype, [&]<class U>(U) {
        U* to = static_cast<U*>(out.data);
        const U* from = static_cast<const U*>(in.data);
        parallel_for(out.size(), parallel_grain, [&](std::int64_t begin, std::int64_t end) {
            indexed_runs(
                x, begin, end,
                [&](std::int64_t o, std::int64_t i, std::int64_t n, std::int64_t o_step,
                    std::int64_t i_step) { copy_run(to + o, o_step, from + i, i_step, n); });
        });
    });
}

// out at the index = src, straight
void write_indexed(const Array& out, const Array& src, const Indexed& x) {
    visit_size(out.dtype, [&]<class U>(U) {
        U* to = static_cast<U*>(out.data);
        const U* from = static_cast<const U*>(src.data);
        in_order(src.size(), [&](std::int64_t begin, std::int64_t end) {
            indexed_runs(
                x, begin, end,
                [&](std::int64_t s, std::int64_t o, std::int64_t n, std::int64_t s_step,
                    std::int64_t o_step) { copy_run(to + o, o_step, from + s, s_step, n); });
        });
    });
}

template <class T, class From>
void add_elements(T* to, const From* from, std::int64_t size, const Indexed& x) {
    in_order(size, [&](std::int64_t begin, std::int64_t end) {
        indexed_runs(x, begin, end,
                     [&](std::int64_t s, std::int64_t o, std::int64_t n, std::int64_t s_step,
                         std::int64_t o_step) { add_run(to + o, o_step, from + s, s_step, n); });
    });
}

// out at the index += src, straight. walk(out) says how to go over the three. A float is too short
// for a long running sum: where there is more to add than there are places, so that some get
// several, the sums are kept in doubles.
template <class Walk>
void add_indexed(const Array& out, const Array& src, const Walk& walk) {
    if (out.dtype == DType::float32 && src.size() > out.size()) {
        std::vector<double> sums(static_cast<std::size_t>(out.size()));
        Array wide = out;
        wide.dtype = DType::float64;
        wide.data = sums.data();
        std::int64_t step = 1;
        for (int d = wide.dims - 1; d >= 0; step *= wide.shape[d--]) wide.strides[d] = step;
        cast(wide, out);
        add_elements(sums.data(), static_cast<const float*>(src.data), src.size(), walk(wide));
        return cast(out, wide);
    }
    visit(out.dtype, [&]<class T>(T) {
        add_elements(static_cast<T*>(out.data), static_cast<const T*>(src.data), src.size(),
                     walk(out));
    });
}

// out at the index = F of it and src, straight
template <class F>
void combine_indexed(const Array& out, const Array& src, const Indexed& x) {
    visit(out.dtype, [&]<class T>(T) {
        T* to = static_cast<T*>(out.data);
        const T* from = static_cast<const T*>(src.data);
        in_order(src.size(), [&](std::int64_t begin, std::int64_t end) {
            indexed_runs(x, begin, end,
                         [&](std::int64_t s, std::int64_t o, std::int64_t n, std::int64_t s_step,
                             std::int64_t o_step) {
                             for (std::int64_t i = 0; i < n; ++i) {
                                 T& at = to[o + i * o_step];
                                 at = F::template of<T>(at, from[s + i * s_step]);
                             }
                         });
        });
    });
}

}  // namespace

std::optional<std::int64_t> gather(const Array& out, const Array& in, const Array& index, int dim) {
    if (const auto outside = first_outside(index, in.shape[dim])) return outside;
    read_indexed(out, in, indexed(out, index, in, dim));
    return {};
}

std::optional<std::int64_t> scatter(const Array& out, const Array& index, const Array& src,
                                    int dim) {
    if (const auto outside = first_outside(index, out.shape[dim])) return outside;
    write_indexed(out, src, indexed(src, index, out, dim));
    return {};
}

std::optional<std::int64_t> scatter_add(const Array& out, const Array& index, const Array& src,
                                        int dim) {
    if (const auto outside = first_outside(index, out.shape[dim])) return outside;
    add_indexed(out, src, [&](const Array& to) { return indexed(src, index, to, dim); });
    return {};
}

std::optional<std::int64_t> scatter_combine(const Array& out, const Array& index, const Array& src,
                                            int dim, Combine how) {
    if (const auto outside = first_outside(index, out.shape[dim])) return outside;
    const Indexed x = indexed(src, index, out, dim);
    if (how == Combine::product) combine_indexed<formula::Mul>(out, src, x);
    if (how == Combine::largest) combine_indexed<formula::Maximum>(out, src, x);
    if (how == Combine::smallest) combine_indexed<formula::Minimum>(out, src, x);
    return {};
}

std::optional<std::int64_t> index_rows(const Array& out, const Array& in, const Array& index,
                                       const Rows& rows) {
    const Offsets offsets = offsets_of(index, in, rows);
    if (offsets.outside || interrupted()) return offsets.outside;
    read_indexed(out, in, indexed_rows(out, offsets.array, in, rows.dims));
    return {};
}

std::optional<std::int64_t> put_rows(const Array& out, const Array& index, const Array& src,
                                     const Rows& rows, bool accumulate) {
    Offsets offsets = offsets_of(index, out, rows);
    if (offsets.outside || interrupted()) return offsets.outside;
    const auto walk = [&](const Array& to) {
        if (to.data != out.data) offsets = offsets_of(index, to, rows);  // of its own strides
        return indexed_rows(src, offsets.array, to, rows.dims);
    };
    accumulate ? add_indexed(out, src, walk) : write_indexed(out, src, walk(out));
    return {};
}

std::optional<std::int64_t> add_position(const Array& out, const Array& index, std::int64_t size) {
    Strided<2> layout;
    for (int d = 0; d < out.dims; ++d)
        layout.add_dim(out.shape[d], {out.strides[d], index.strides[d]});
    layout.merge();
    const std::int64_t zero[2] = {0, 0};
    const std::int64_t* step = layout.dims > 0 ? layout.strides[layout.dims - 1] : zero;
    std::optional<std::int64_t> outside;
    in_order(out.size(), [&](std::int64_t begin, std::int64_t end) {
        layout.runs(begin, end, [&](const auto& offsets, std::int64_t n) {
            std::int64_t* to = static_cast<std::int64_t*>(out.data) + offsets[0];
            const std::int64_t* i = static_cast<const std::int64_t*>(index.data) + offsets[1];
            for (std::int64_t r = 0; r < n; ++r) {
                const std::int64_t given = i[r * step[1]];
                const std::int64_t at = given < 0 ? given + size : given;
                if ((at < 0 || at >= size) && !outside) outside = given;
                std::int64_t& position = to[r * step[0]];
                position = outside ? 0 : position * size + at;
            }
        });
    });
    return outside;
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
