// Pooling: each image of each channel is one unit of work, owned by one thread from end to end. So
// windows that overlap are added in one order, whatever the number of threads.
#include "kernels/cpu/pooling.h"

#include <atomic>
#include <cstddef>
#include <vector>

#include "kernels/cpu/strided.h"
#include "kernels/parallel.h"

namespace tg::kernels::cpu {
namespace {

// The places of one window along one dim: begin, begin + step, ... below end, all inside of x. And
// their number if the padding counts, but not what is beyond the padding.
struct Window {
    std::int64_t begin, end, padded;
};

std::vector<Window> windows_of(const PoolDim& d) {
    std::vector<Window> list;
    for (std::int64_t i = 0; i < d.windows; ++i) {
        Window w{};
        if (d.taps == 0) {
            w.begin = i * d.size / d.windows;
            w.end = ((i + 1) * d.size + d.windows - 1) / d.windows;
            w.padded = w.end - w.begin;
        } else {
            w.begin = i * d.stride - d.padding;
            w.end = w.begin + d.dilation * (d.taps - 1) + 1;
            w.padded = std::min(w.end, d.size + d.padding) - w.begin;
            if (w.begin < 0) w.begin += (-w.begin + d.dilation - 1) / d.dilation * d.dilation;
            w.end = std::min(w.end, d.size);
        }
        list.push_back(w);
    }
    return list;
}

struct Plan {
    std::vector<Window> rows, columns;
    std::int64_t channels, planes, grain;
    bool slow_rows;  // worth a look whether to stop after each

    Plan(const Pool& pool, const Array& x)
        : rows(windows_of(pool.rows)),
          columns(windows_of(pool.columns)),
          channels(x.shape[1]),
          planes(x.shape[0] * x.shape[1]) {
        const auto windows = static_cast<std::int64_t>(rows.size() * columns.size());
        const std::int64_t places = pool.rows.size * pool.columns.size;
        grain = std::max<std::int64_t>(
            1, parallel_grain / std::max<std::int64_t>(1, std::max(windows, places)));
        slow_rows = pool.columns.size * std::max<std::int64_t>(1, pool.rows.taps) > 1 << 14;
    }
    std::int64_t offset(const Array& a, std::int64_t plane) const {
        return plane / channels * a.strides[0] + plane % channels * a.strides[1];
    }
};

// The place of the largest of one window, or -1 if the window is empty.
template <class T>
std::int64_t place_of_largest(const T* x, const Array& a, const Window& row, const Window& column,
                              const Pool& pool) {
    std::int64_t best = -1;
    T largest{};
    for (std::int64_t i = row.begin; i < row.end; i += pool.rows.dilation)
        for (std::int64_t j = column.begin; j < column.end; j += pool.columns.dilation) {
            const T v = x[i * a.strides[2] + j * a.strides[3]];
            if (best >= 0 && !(v > largest) && v == v) continue;
            largest = v;
            best = i * a.shape[3] + j;
        }
    return best;
}

double divisor_of(const Window& row, const Window& column, std::int64_t divisor) {
    if (divisor > 0) return static_cast<double>(divisor);
    if (divisor == places_padded) return static_cast<double>(row.padded * column.padded);
    return static_cast<double>((row.end - row.begin) * (column.end - column.begin));
}

template <class Body>
void with_float(DType dtype, const Body& body) {
    dtype == DType::float64 ? body(double{}) : body(float{});
}

}  // namespace

bool pool_argmax(const Array& index, const Array& x, const Pool& pool) {
    if (index.size() == 0) return true;
    const Plan plan(pool, x);
    std::atomic<bool> all = true;
    visit(x.dtype, [&]<class T>(T) {
        parallel_for(plan.planes, plan.grain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t p = begin; p < end; ++p) {
                const T* from = static_cast<const T*>(x.data) + plan.offset(x, p);
                auto* to = static_cast<std::int64_t*>(index.data) + plan.offset(index, p);
                std::int64_t lowest = 0;
                for (const Window& row : plan.rows) {
                    for (const Window& column : plan.columns) {
                        *to = place_of_largest(from, x, row, column, pool);
                        lowest = std::min(lowest, *to++);
                    }
                    if (plan.slow_rows && stopping()) return;
                }
                if (lowest < 0) all = false;
            }
        });
    });
    return all;
}

void pool_mean(const Array& y, const Array& x, const Pool& pool, std::int64_t divisor) {
    if (y.size() == 0) return;
    const Plan plan(pool, x);
    with_float(y.dtype, [&]<class T>(T) {
        parallel_for(plan.planes, plan.grain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t p = begin; p < end; ++p) {
                const T* from = static_cast<const T*>(x.data) + plan.offset(x, p);
                T* to = static_cast<T*>(y.data) + plan.offset(y, p);
                for (const Window& row : plan.rows) {
                    for (const Window& column : plan.columns) {
                        T sum = 0;
                        for (std::int64_t i = row.begin; i < row.end; ++i)
                            for (std::int64_t j = column.begin; j < column.end; ++j)
                                sum += from[i * x.strides[2] + j * x.strides[3]];
                        *to++ = sum / static_cast<T>(divisor_of(row, column, divisor));
                    }
                    if (plan.slow_rows && stopping()) return;
                }
            }
        });
    });
}

void pool_spread(const Array& x, const Array& y, const Pool& pool, std::int64_t divisor) {
    if (x.size() == 0) return;
    const Plan plan(pool, x);
    const std::int64_t size = x.shape[2] * x.shape[3];
    with_float(x.dtype, [&]<class T>(T) {
        parallel_for(plan.planes, plan.grain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t p = begin; p < end; ++p) {
                T* to = static_cast<T*>(x.data) + p * size;
                std::fill_n(to, size, T(0));
                const T* row_of_y = static_cast<const T*>(y.data) + plan.offset(y, p);
                for (const Window& row : plan.rows) {
                    const T* from = row_of_y;
                    for (const Window& column : plan.columns) {
                        const T share = *from / static_cast<T>(divisor_of(row, column, divisor));
                        for (std::int64_t i = row.begin; i < row.end; ++i)
                            for (std::int64_t j = column.begin; j < column.end; ++j)
                                to[i * x.shape[3] + j] += share;
                        from += y.strides[3];
                    }
                    row_of_y += y.strides[2];
                    if (plan.slow_rows && stopping()) return;
                }
            }
        });
    });
}

}  // namespace tg::kernels::cpu
