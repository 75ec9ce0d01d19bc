// Pooling: a number for each window of an image. x (N, C, H, W) -> y (N, C, I, J), and the gradient
// of the mean, back. Thread t owns numbers t, t + all threads, ... of what is written; neighbouring
// threads have neighbouring windows, whose places lie side by side or a stride apart, and places
// that windows share are read from a cache. The order of additions is the CPU's, and so are the
// bits.
#include <cstdint>
#include <span>

#include "kernels/cpu/pooling.h"
#include "kernels/cuda/dtypes.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/rungs.h"

namespace tg::kernels::cuda {
namespace {

constexpr unsigned pool_threads = 256;

struct Plane {  // of images: sizes and strides
    std::int64_t count, channels, rows, columns;
    std::int64_t image, channel, row, column;
};

Plane plane_of(const Array& a) {
    return {a.size(),     a.shape[1],   a.shape[2],   a.shape[3],
            a.strides[0], a.strides[1], a.strides[2], a.strides[3]};
}

// Number e of an array of images, taken apart.
struct Spot {
    std::int64_t image, channel, row, column;
};
__device__ __forceinline__ Spot spot(const Plane& p, std::int64_t e) {
    return {e / p.columns / p.rows / p.channels, e / p.columns / p.rows % p.channels,
            e / p.columns % p.rows, e % p.columns};
}
__device__ __forceinline__ std::int64_t at(const Plane& p, const Spot& s) {
    return s.image * p.image + s.channel * p.channel + s.row * p.row + s.column * p.column;
}

__device__ __forceinline__ std::int64_t first_number() {
    return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ std::int64_t all_threads() {
    return static_cast<std::int64_t>(gridDim.x) * blockDim.x;
}

// The places of window i along one dim: begin, begin + dilation, ... below end, all inside of x.
// And their number if the padding counts, but not what is beyond the padding.
struct Window {
    std::int64_t begin, end, padded;
};

__host__ __device__ inline Window window_of(const cpu::PoolDim& d, std::int64_t i) {
    Window w{};
    if (d.taps == 0) {  // adaptive
        w.begin = i * d.size / d.windows;
        w.end = ((i + 1) * d.size + d.windows - 1) / d.windows;
        w.padded = w.end - w.begin;
        return w;
    }
    w.begin = i * d.stride - d.padding;
    w.end = w.begin + d.dilation * (d.taps - 1) + 1;
    w.padded = (w.end < d.size + d.padding ? w.end : d.size + d.padding) - w.begin;
    if (w.begin < 0) w.begin += (-w.begin + d.dilation - 1) / d.dilation * d.dilation;
    if (w.end > d.size) w.end = d.size;
    return w;
}

// Is there a window without a place inside?
bool has_empty_window(const cpu::PoolDim& d) {
    for (std::int64_t i = 0; i < d.windows; ++i) {
        const Window w = window_of(d, i);
        if (w.begin >= w.end) return true;
    }
    return false;
}

__device__ __forceinline__ double divisor_of(const Window& row, const Window& column,
                                             std::int64_t divisor) {
    if (divisor > 0) return static_cast<double>(divisor);
    if (divisor == cpu::places_padded) return static_cast<double>(row.padded * column.padded);
    return static_cast<double>((row.end - row.begin) * (column.end - column.begin));
}

// ---- the largest ------------------------------------------------------------------------------
// The first of equals; NaN wins, and the last NaN of several, as on the CPU.
template <class T>
__global__ void pool_argmax_direct(Plane to, Plane from, cpu::Pool pool, std::int64_t* index,
                                   const T* x) {
    for (std::int64_t e = first_number(); e < to.count; e += all_threads()) {
        const Spot s = spot(to, e);
        const Window row = window_of(pool.rows, s.row), column = window_of(pool.columns, s.column);
        const T* image = x + s.image * from.image + s.channel * from.channel;
        std::int64_t best = -1;
        T largest = 0;
        for (std::int64_t i = row.begin; i < row.end; i += pool.rows.dilation)
            for (std::int64_t j = column.begin; j < column.end; j += pool.columns.dilation) {
                const T v = image[i * from.row + j * from.column];
                if (best >= 0 && !(v > largest) && v == v) continue;
                largest = v;
                best = i * from.columns + j;
            }
        index[at(to, s)] = best;
    }
}

// ---- the mean ---------------------------------------------------------------------------------
template <class T>
__global__ void pool_mean_direct(Plane to, Plane from, cpu::Pool pool, std::int64_t divisor, T* y,
                                 const T* x) {
    for (std::int64_t e = first_number(); e < to.count; e += all_threads()) {
        const Spot s = spot(to, e);
        const Window row = window_of(pool.rows, s.row), column = window_of(pool.columns, s.column);
        const T* image = x + s.image * from.image + s.channel * from.channel;
        T sum = 0;
        for (std::int64_t i = row.begin; i < row.end; ++i)
            for (std::int64_t j = column.begin; j < column.end; ++j)
                sum += image[i * from.row + j * from.column];
        y[at(to, s)] = sum / static_cast<T>(divisor_of(row, column, divisor));
    }
}

// ---- the gradient of the mean -----------------------------------------------------------------
// A window gives each of its places the same share, and windows overlap. Were a thread a window,
// threads would add to one place at the same time: that takes atomics, whose order is any. Here a
// thread is a place, and adds up the windows that it is in, in their order: it reads more, but
// nothing is written twice, and the result is always the same.
struct Range {
    std::int64_t begin, end;
};

// The windows along one dim that hold place `at`, whose dilation is 1.
__device__ __forceinline__ Range windows_over(const cpu::PoolDim& d, std::int64_t place) {
    Range r{};
    if (d.taps == 0) {
        r.begin = place * d.windows / d.size;
        r.end = ((place + 1) * d.windows + d.size - 1) / d.size;
    } else {
        const std::int64_t before = place + d.padding - d.taps;  // the last place left of a window
        r.begin = before < 0 ? 0 : before / d.stride + 1;
        r.end = (place + d.padding) / d.stride + 1;
    }
    if (r.end > d.windows) r.end = d.windows;
    return r;
}

template <class T>
__global__ void pool_spread_direct(Plane to, Plane from, cpu::Pool pool, std::int64_t divisor, T* x,
                                   const T* y) {
    for (std::int64_t e = first_number(); e < to.count; e += all_threads()) {
        const Spot s = spot(to, e);
        const Range rows = windows_over(pool.rows, s.row);
        const Range columns = windows_over(pool.columns, s.column);
        const T* image = y + s.image * from.image + s.channel * from.channel;
        T sum = 0;
        for (std::int64_t i = rows.begin; i < rows.end; ++i) {
            const Window row = window_of(pool.rows, i);
            for (std::int64_t j = columns.begin; j < columns.end; ++j) {
                const Window column = window_of(pool.columns, j);
                sum += image[i * from.row + j * from.column] /
                       static_cast<T>(divisor_of(row, column, divisor));
            }
        }
        x[at(to, s)] = sum;
    }
}

// ---- from arrays to a launch ------------------------------------------------------------------
template <class T>
using OnPlanes = void (*)(Plane, Plane, cpu::Pool, std::int64_t, T*, const T*);

template <class T>
bool run(OnPlanes<T> kernel, const Array& out, const Array& in, const cpu::Pool& pool,
         std::int64_t divisor) {
    if (out.size() > 0)
        launch(kernel, grid_up_to(blocks_for(out.size(), pool_threads)), pool_threads, 0,
               plane_of(out), plane_of(in), pool, divisor, static_cast<T*>(out.data),
               static_cast<const T*>(in.data));
    return true;
}

}  // namespace

// Each has one rung. False for a window without a place inside, which is the caller's error.
template <class Machine>
bool pool_argmax(const Array& index, const Array& x, const cpu::Pool& pool) {
    if (index.size() == 0) return true;
    if (has_empty_window(pool.rows) || has_empty_window(pool.columns)) return false;
    return visit_all(x.dtype, [&]<class T>(T) {
        launch(pool_argmax_direct<T>, grid_up_to(blocks_for(index.size(), pool_threads)),
               pool_threads, 0, plane_of(index), plane_of(x), pool,
               static_cast<std::int64_t*>(index.data), static_cast<const T*>(x.data));
        return true;
    });
}

template <class Machine>
bool pool_mean(const Array& y, const Array& x, const cpu::Pool& pool, std::int64_t divisor) {
    if (y.dtype == DType::float32) return run<float>(pool_mean_direct<float>, y, x, pool, divisor);
    if (y.dtype != DType::float64) return false;
    return run<double>(pool_mean_direct<double>, y, x, pool, divisor);
}

template <class Machine>
bool pool_spread(const Array& x, const Array& y, const cpu::Pool& pool, std::int64_t divisor) {
    if (x.dtype == DType::float32)
        return run<float>(pool_spread_direct<float>, x, y, pool, divisor);
    if (x.dtype != DType::float64) return false;
    return run<double>(pool_spread_direct<double>, x, y, pool, divisor);
}

template bool pool_argmax<ThisMachine>(const Array&, const Array&, const cpu::Pool&);
template bool pool_mean<ThisMachine>(const Array&, const Array&, const cpu::Pool&, std::int64_t);
template bool pool_spread<ThisMachine>(const Array&, const Array&, const cpu::Pool&, std::int64_t);

}  // namespace tg::kernels::cuda
