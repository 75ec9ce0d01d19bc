// Kernels that look at the values to say where: which elements are not 0, and in which order they
// are. Lines along a dim are sorted each on its own, so that threads share them.
#include <algorithm>
#include <atomic>
#include <new>
#include <vector>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/strided.h"
#include "kernels/parallel.h"

namespace tg::kernels::cpu {
namespace {

// found(position) for every element that is not 0, where position counts in row-major order.
template <class Found>
void each_nonzero(const Array& in, const Found& found) {
    constexpr std::int64_t stretch = 1 << 20;
    Strided<1> layout;
    for (int d = 0; d < in.dims; ++d) layout.add_dim(in.shape[d], {in.strides[d]});
    layout.merge();
    const std::int64_t step = layout.dims > 0 ? layout.strides[layout.dims - 1][0] : 0;
    const std::int64_t size = in.size();
    visit(in.dtype, [&]<class T>(T) {
        const T* data = static_cast<const T*>(in.data);
        for (std::int64_t begin = 0; begin < size; begin += stretch) {
            if (begin > 0 && stopping()) return;
            std::int64_t position = begin;
            layout.runs(begin, std::min(size, begin + stretch),
                        [&](const auto& offsets, std::int64_t n) {
                            const T* x = data + offsets[0];
                            for (std::int64_t r = 0; r < n; ++r)
                                if (x[r * step] != T{}) found(position + r);
                            position += n;
                        });
        }
    });
}

// ---- sorting ------------------------------------------------------------------------------------

template <class T>
struct Item {
    T value;
    std::int64_t index;
};

// NaN is the largest, and equal to itself.
template <class T>
bool less(T a, T b) {
    return b != b ? a == a : a < b;
}

// What merge sort is made of, in pieces short enough to look between them whether to stop: blocks
// that the library sorts, then twice as long ones, merged from two, and so on.
template <class T, class Before>
void sort_all(std::vector<Item<T>>& items, const Before& before) {
    constexpr std::size_t block = 1 << 16;
    const std::size_t n = items.size();
    const auto at = [&](std::size_t i) {
        return items.begin() + static_cast<std::ptrdiff_t>(std::min(i, n));
    };
    for (std::size_t i = 0; i < n; i += block) {
        if (i > 0 && stopping()) return;
        std::stable_sort(at(i), at(i + block), before);
    }
    std::vector<Item<T>> merged(n > block ? n : 0);
    for (std::size_t width = block; width < n; width *= 2) {
        for (std::size_t i = 0; i < n; i += 2 * width) {
            if (stopping()) return;
            std::merge(at(i), at(i + width), at(i + width), at(i + 2 * width),
                       merged.begin() + static_cast<std::ptrdiff_t>(i), before);
        }
        items.swap(merged);
    }
}

template <class T, class Before>
void sort_by(std::vector<Item<T>>& items, std::int64_t wanted, const Before& before) {
    if (wanted > static_cast<std::int64_t>(items.size()) / 8) return sort_all(items, before);
    // A few of many: equals keep their order by their index.
    std::partial_sort(items.begin(), items.begin() + wanted, items.end(),
                      [&](const Item<T>& a, const Item<T>& b) {
                          return before(a, b) || (!before(b, a) && a.index < b.index);
                      });
}

template <class T>
void sort_line(std::vector<Item<T>>& items, std::int64_t wanted, bool descending) {
    if (descending)
        sort_by(items, wanted,
                [](const Item<T>& a, const Item<T>& b) { return less(b.value, a.value); });
    else
        sort_by(items, wanted,
                [](const Item<T>& a, const Item<T>& b) { return less(a.value, b.value); });
}

template <class T>
void read_line(std::vector<Item<T>>& items, const T* from, std::int64_t step) {
    for (std::size_t i = 0; i < items.size(); ++i) {
        const auto k = static_cast<std::int64_t>(i);
        items[i] = {from[k * step], k};
    }
}

}  // namespace

std::int64_t count_nonzero(const Array& in) {
    std::int64_t count = 0;
    each_nonzero(in, [&](std::int64_t) { ++count; });
    return count;
}

void nonzero(const Array& out, const Array& in) {
    auto* row = static_cast<std::int64_t*>(out.data);
    const std::int64_t rows = out.shape[0];
    std::int64_t done = 0;
    each_nonzero(in, [&](std::int64_t position) {
        if (done++ == rows) return;  // another thread has changed the elements since the count
        for (int d = in.dims; d-- > 0; position /= in.shape[d]) row[d] = position % in.shape[d];
        row += in.dims;
    });
}

// in (..., n, ...) -> out (..., wanted, ...)
void argsort(const Array& out, const Array& in, int dim, bool descending) {
    if (out.size() == 0) return;
    const std::int64_t n = in.shape[dim];
    Strided<2> lines;
    for (int d = 0; d < in.dims; ++d)
        if (d != dim) lines.add_dim(in.shape[d], {out.strides[d], in.strides[d]});
    const int inner = lines.dims - 1;
    const std::int64_t to_step = inner < 0 ? 0 : lines.strides[inner][0];
    const std::int64_t from_step = inner < 0 ? 0 : lines.strides[inner][1];
    std::atomic<bool> no_room = false;  // a thread of the pool must not throw
    visit(in.dtype, [&]<class T>(T) {
        const auto sorted_lines = [&](std::int64_t begin, std::int64_t end) {
            std::vector<Item<T>> items(static_cast<std::size_t>(n));
            lines.runs(begin, end, [&](const auto& offsets, std::int64_t count) {
                auto* to = static_cast<std::int64_t*>(out.data) + offsets[0];
                const T* from = static_cast<const T*>(in.data) + offsets[1];
                for (std::int64_t r = 0; r < count; ++r, to += to_step, from += from_step) {
                    read_line(items, from, in.strides[dim]);
                    sort_line(items, out.shape[dim], descending);
                    for (std::int64_t i = 0; i < out.shape[dim]; ++i)
                        to[i * out.strides[dim]] = items[static_cast<std::size_t>(i)].index;
                }
            });
        };
        const std::int64_t grain = std::max<std::int64_t>(1, parallel_grain / n);
        parallel_for(lines.size(), grain, [&](std::int64_t begin, std::int64_t end) {
            try {
                sorted_lines(begin, end);
            } catch (const std::bad_alloc&) {
                no_room = true;
            }
        });
    });
    if (no_room) throw std::bad_alloc();
}

// Halves the stretch in which the place must be until it is empty: log2 n steps.
void searchsorted(const Array& out, const Array& sorted, const Array& values, bool right) {
    if (out.size() == 0) return;
    const int last = sorted.dims - 1;
    const std::int64_t n = sorted.shape[last], step = sorted.strides[last];
    Strided<3> places;
    for (int d = 0; d < values.dims; ++d) {
        const bool along = sorted.dims == values.dims && d < last;
        places.add_dim(values.shape[d],
                       {out.strides[d], values.strides[d], along ? sorted.strides[d] : 0});
    }
    const int inner = places.dims - 1;
    const auto stride = [&](int i) { return inner < 0 ? 0 : places.strides[inner][i]; };
    visit(values.dtype, [&]<class T>(T) {
        const auto found = [&](const T* line, T value) {
            std::int64_t low = 0, high = n;
            while (low < high) {
                const std::int64_t middle = low + (high - low) / 2;
                const T x = line[middle * step];
                if (right ? !less(value, x) : less(x, value))
                    low = middle + 1;
                else
                    high = middle;
            }
            return low;
        };
        parallel_for(places.size(), parallel_grain / 16, [&](std::int64_t begin, std::int64_t end) {
            places.runs(begin, end, [&](const auto& offsets, std::int64_t count) {
                auto* to = static_cast<std::int64_t*>(out.data) + offsets[0];
                const T* value = static_cast<const T*>(values.data) + offsets[1];
                const T* line = static_cast<const T*>(sorted.data) + offsets[2];
                for (std::int64_t r = 0; r < count; ++r)
                    to[r * stride(0)] = found(line + r * stride(2), value[r * stride(1)]);
            });
        });
    });
}

}  // namespace tg::kernels::cpu
