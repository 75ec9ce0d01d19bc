// Pooling: a number for each window of an image. x (N, C, H, W) -> y (N, C, I, J), and the gradient
// of the mean, back. A thread owns a number of what is written; neighbouring threads have
// neighbouring windows, whose places lie side by side or a stride apart, and places that windows
// share are read from a cache. The order of additions is the CPU's, and so are the bits.
//   direct    thread t owns numbers t, t + all threads, ...: four divisions of 64 bits to find out
//             where each one is, and its window's rows and columns.
//   by rows   a warp owns a row of an image, and its lanes every 32nd number: divisions and the
//             window's rows once for all of them. Of rows shorter than 32 some lanes have nothing.
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

// ---- what is written ----------------------------------------------------------------------------
// Each has what is to be known of a row of the result, and how to write a number of it.

// The first of equals; NaN wins, and the last NaN of several, as on the CPU.
template <class T>
struct Largest {
    Plane to, from;
    cpu::Pool pool;
    std::int64_t* index;
    const T* x;

    __device__ Window of_row(std::int64_t i) const { return window_of(pool.rows, i); }
    __device__ void write(const Spot& s, const Window& row) const {
        const Window column = window_of(pool.columns, s.column);
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
};

template <class T>
struct Mean {
    Plane to, from;
    cpu::Pool pool;
    std::int64_t divisor;
    T* y;
    const T* x;

    __device__ Window of_row(std::int64_t i) const { return window_of(pool.rows, i); }
    __device__ void write(const Spot& s, const Window& row) const {
        const Window column = window_of(pool.columns, s.column);
        const T* image = x + s.image * from.image + s.channel * from.channel;
        T sum = 0;
        for (std::int64_t i = row.begin; i < row.end; ++i)
            for (std::int64_t j = column.begin; j < column.end; ++j)
                sum += image[i * from.row + j * from.column];
        y[at(to, s)] = sum / static_cast<T>(divisor_of(row, column, divisor));
    }
};

// The gradient of the mean. A window gives each of its places the same share, and windows overlap.
// Were a thread a window, threads would add to one place at the same time: that takes atomics,
// whose order is any. Here a thread is a place, and adds up the windows that it is in, in their
// order: it reads more, but nothing is written twice, and the result is always the same.
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
struct Spread {
    Plane to, from;
    cpu::Pool pool;
    std::int64_t divisor;
    T* x;
    const T* y;

    __device__ Range of_row(std::int64_t i) const { return windows_over(pool.rows, i); }
    __device__ void write(const Spot& s, const Range& rows) const {
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
};

// ---- who writes it ------------------------------------------------------------------------------
template <class Job>
__global__ void pool_direct(Job job) {
    for (std::int64_t e = thread_number(); e < job.to.count; e += thread_count()) {
        const Spot s = spot(job.to, e);
        job.write(s, job.of_row(s.row));
    }
}

template <class Job>
__global__ void pool_by_rows(Job job) {
    const std::int64_t rows = job.to.count / job.to.columns;
    for (std::int64_t r = thread_number() / 32; r < rows; r += thread_count() / 32) {
        Spot s = spot(job.to, r * job.to.columns);
        const auto row = job.of_row(s.row);
        for (s.column = threadIdx.x % 32; s.column < job.to.columns; s.column += 32)
            job.write(s, row);
    }
}

// ---- from arrays to a launch ------------------------------------------------------------------
enum class Choice { best, direct, rows };

template <class Job>
bool run(Choice choice, const Job& job) {
    if (choice == Choice::best) choice = job.to.columns >= 16 ? Choice::rows : Choice::direct;
    if (job.to.count == 0) return true;
    if (choice == Choice::direct)
        launch(pool_direct<Job>, grid_up_to(blocks_for(job.to.count, pool_threads)), pool_threads,
               0, job);
    else
        launch(pool_by_rows<Job>,
               grid_up_to(blocks_for(job.to.count / job.to.columns, pool_threads / 32)),
               pool_threads, 0, job);
    return true;
}

// False for a window without a place inside, which is the caller's error.
template <Choice choice>
bool argmax_by(const Array& index, const Array& x, const cpu::Pool& pool) {
    if (index.size() == 0) return true;
    if (has_empty_window(pool.rows) || has_empty_window(pool.columns)) return false;
    return visit_all(x.dtype, [&]<class T>(T) {
        return run(choice, Largest<T>{plane_of(index), plane_of(x), pool,
                                      static_cast<std::int64_t*>(index.data),
                                      static_cast<const T*>(x.data)});
    });
}

template <template <class> class Job, class T>
bool run_means(Choice choice, const Array& out, const Array& in, const cpu::Pool& pool,
               std::int64_t divisor) {
    return run(choice, Job<T>{plane_of(out), plane_of(in), pool, divisor, static_cast<T*>(out.data),
                              static_cast<const T*>(in.data)});
}

template <template <class> class Job, Choice choice>
bool means_by(const Array& out, const Array& in, const cpu::Pool& pool, std::int64_t divisor) {
    if (out.dtype == DType::float32) return run_means<Job, float>(choice, out, in, pool, divisor);
    if (out.dtype != DType::float64) return false;
    return run_means<Job, double>(choice, out, in, pool, divisor);
}

}  // namespace

// Rows of 16 numbers or more by rows, else direct.
template <class Machine>
bool pool_argmax(const Array& index, const Array& x, const cpu::Pool& pool) {
    return argmax_by<Choice::best>(index, x, pool);
}
template <class Machine>
bool pool_mean(const Array& y, const Array& x, const cpu::Pool& pool, std::int64_t divisor) {
    return means_by<Mean, Choice::best>(y, x, pool, divisor);
}
template <class Machine>
bool pool_spread(const Array& x, const Array& y, const cpu::Pool& pool, std::int64_t divisor) {
    return means_by<Spread, Choice::best>(x, y, pool, divisor);
}

template <class Machine>
std::span<const Rung<PoolArgmax>> pool_argmax_rungs() {
    static constexpr Rung<PoolArgmax> rungs[] = {{"direct", argmax_by<Choice::direct>},
                                                 {"by rows", argmax_by<Choice::rows>}};
    return rungs;
}
template <class Machine>
std::span<const Rung<PoolMean>> pool_mean_rungs() {
    static constexpr Rung<PoolMean> rungs[] = {{"direct", means_by<Mean, Choice::direct>},
                                               {"by rows", means_by<Mean, Choice::rows>}};
    return rungs;
}
template <class Machine>
std::span<const Rung<PoolMean>> pool_spread_rungs() {
    static constexpr Rung<PoolMean> rungs[] = {{"direct", means_by<Spread, Choice::direct>},
                                               {"by rows", means_by<Spread, Choice::rows>}};
    return rungs;
}

template bool pool_argmax<ThisMachine>(const Array&, const Array&, const cpu::Pool&);
template std::span<const Rung<PoolArgmax>> pool_argmax_rungs<ThisMachine>();
template bool pool_mean<ThisMachine>(const Array&, const Array&, const cpu::Pool&, std::int64_t);
template std::span<const Rung<PoolMean>> pool_mean_rungs<ThisMachine>();
template bool pool_spread<ThisMachine>(const Array&, const Array&, const cpu::Pool&, std::int64_t);
template std::span<const Rung<PoolMean>> pool_spread_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
