// A convolution and its two gradients as products of matrices that are nowhere in memory: where an
// element of A, of B and of the result lies. product.h says what the records are for; the letters
// are those of convolution.cu.
#pragma once

#include "kernels/cpu/convolution.h"
#include "kernels/cuda/product.h"

namespace tg::kernels::cuda {
namespace {

struct Four {  // strides
    std::int64_t s[4];
};

// Everything about one convolution. `channels` and `outs` are of one group.
struct Problem {
    std::int64_t images, groups, channels, outs;
    std::int64_t height, width, tap_rows, tap_columns, rows, columns;
    std::int64_t stride[2], padding[2], dilation[2];
    Four x, w, y;
};

Problem problem_of(const Array& x, const Array& w, const Array& y, const cpu::Windows& windows) {
    Problem p = {x.shape[0], windows.groups,
                 w.shape[1], w.shape[0] / windows.groups,
                 x.shape[2], x.shape[3],
                 w.shape[2], w.shape[3],
                 y.shape[2], y.shape[3],
                 {},         {},
                 {},         {},
                 {},         {}};
    for (int d = 0; d < 2; ++d) {
        p.stride[d] = windows.stride[d];
        p.padding[d] = windows.padding[d];
        p.dilation[d] = windows.dilation[d];
    }
    for (int d = 0; d < 4; ++d) {
        p.x.s[d] = x.strides[d];
        p.w.s[d] = w.strides[d];
        p.y.s[d] = y.strides[d];
    }
    return p;
}

// A number of columns * rows * ..., taken apart, the last dim fastest.
struct Tap {
    std::int64_t channel, row, column;
};
__device__ __forceinline__ Tap tap_of(const Problem& p, std::int64_t k) {
    return {k / p.tap_columns / p.tap_rows, k / p.tap_columns % p.tap_rows, k % p.tap_columns};
}
struct Pixel {
    std::int64_t image, row, column;
};
__device__ __forceinline__ Pixel pixel_of(std::int64_t n, std::int64_t rows, std::int64_t columns) {
    return {n / columns / rows, n / columns % rows, n % columns};
}

// The window that has a tap `shift` behind its first place at `at`, along one dim; -1 if none.
__device__ __forceinline__ std::int64_t window_at(std::int64_t at, std::int64_t shift,
                                                  std::int64_t stride, std::int64_t windows) {
    std::int64_t window = at - shift;
    if (window < 0) return -1;
    if (stride > 1) {  // most strides are 1, and a division costs more than all else here
        const std::int64_t begin = window;
        window /= stride;
        if (window * stride != begin) return -1;
    }
    return window < windows ? window : -1;
}

// What the three have in common: a Row, a Column and a Step each have an offset into what they are
// read from (`from`), perhaps into what is written (`to`), and a place in the image.
struct Index {
    std::int64_t from, to, down, over;
    bool inside;
};
struct Twice {  // a step has an offset into either operand
    std::int64_t a, b, down, over;
    bool inside;
};

template <class T>
struct Operands {
    using Number = T;
    using Row = Index;
    using Column = Index;
    using Step = Twice;
    Problem p;
    std::int64_t M, N, K, batches;
    bool a_along_k, b_along_k;
    const T *from_a, *from_b;
    T* out;

    __device__ T* place(const Row& r, const Column& c) const { return out + r.to + c.to; }
};

// y: m = o, n = pixels of y, k = taps. A = w, B = the taps under the windows.
template <class T>
struct Forward : Operands<T> {
    __device__ Index row(std::int64_t group, std::int64_t m) const {
        const std::int64_t o = group * this->p.outs + m;
        return {o * this->p.w.s[0], o * this->p.y.s[1], 0, 0, m < this->M};
    }
    __device__ Index column(std::int64_t group, std::int64_t n) const {
        const Problem& q = this->p;
        const Pixel at = pixel_of(n, q.rows, q.columns);
        return {at.image * q.x.s[0] + group * q.channels * q.x.s[1],
                at.image * q.y.s[0] + at.row * q.y.s[2] + at.column * q.y.s[3],
                at.row * q.stride[0] - q.padding[0], at.column * q.stride[1] - q.padding[1],
                n < this->N};
    }
    __device__ Twice step(std::int64_t, std::int64_t k) const {
        const Problem& q = this->p;
        const Tap tap = tap_of(q, k);
        return {tap.channel * q.w.s[1] + tap.row * q.w.s[2] + tap.column * q.w.s[3],
                tap.channel * q.x.s[1], tap.row * q.dilation[0], tap.column * q.dilation[1],
                k < this->K};
    }
    __device__ T a(const Index& r, const Twice& s) const {
        return r.inside && s.inside ? this->from_a[r.from + s.a] : T(0);
    }
    __device__ T b(const Twice& s, const Index& c) const {
        const Problem& q = this->p;
        const std::int64_t h = c.down + s.down, w = c.over + s.over;
        const bool in = s.inside && c.inside && h >= 0 && h < q.height && w >= 0 && w < q.width;
        return in ? this->from_b[c.from + s.b + h * q.x.s[2] + w * q.x.s[3]] : T(0);
    }
};

// x: m = c, n = pixels of x, k = taps: (o, a, b). A = w turned round, B = the windows over a pixel.
template <class T>
struct ByInput : Operands<T> {
    __device__ Index row(std::int64_t group, std::int64_t m) const {
        const Problem& q = this->p;
        return {group * q.outs * q.w.s[0] + m * q.w.s[1], (group * q.channels + m) * q.x.s[1], 0, 0,
                m < this->M};
    }
    __device__ Index column(std::int64_t group, std::int64_t n) const {
        const Problem& q = this->p;
        const Pixel at = pixel_of(n, q.height, q.width);
        return {at.image * q.y.s[0] + group * q.outs * q.y.s[1],
                at.image * q.x.s[0] + at.row * q.x.s[2] + at.column * q.x.s[3],
                at.row + q.padding[0], at.column + q.padding[1], n < this->N};
    }
    __device__ Twice step(std::int64_t, std::int64_t k) const {
        const Problem& q = this->p;
        const Tap tap = tap_of(q, k);  // its "channel" is o
        return {tap.channel * q.w.s[0] + tap.row * q.w.s[2] + tap.column * q.w.s[3],
                tap.channel * q.y.s[1], tap.row * q.dilation[0], tap.column * q.dilation[1],
                k < this->K};
    }
    __device__ T a(const Index& r, const Twice& s) const {
        return r.inside && s.inside ? this->from_a[r.from + s.a] : T(0);
    }
    __device__ T b(const Twice& s, const Index& c) const {
        const Problem& q = this->p;
        if (!s.inside || !c.inside) return T(0);
        const std::int64_t i = window_at(c.down, s.down, q.stride[0], q.rows);
        const std::int64_t j = window_at(c.over, s.over, q.stride[1], q.columns);
        return i >= 0 && j >= 0 ? this->from_b[c.from + s.b + i * q.y.s[2] + j * q.y.s[3]] : T(0);
    }
};

// w: m = o, n = taps, k = pixels of y. A = y, B = the taps under the windows. There are many pixels
// and few weights, so the pixels are cut into `runs` of `length`, a product each; what these give
// is added by join_runs.
template <class T>
struct ByWeight : Operands<T> {
    std::int64_t runs, length, pixels;

    __device__ Index row(std::int64_t product, std::int64_t m) const {
        const std::int64_t group = product / runs, o = group * this->p.outs + m;
        const std::int64_t of_run = product % runs * this->p.groups * this->p.outs;
        return {o * this->p.y.s[1], (of_run + o) * this->N, 0, 0, m < this->M};
    }
    __device__ Index column(std::int64_t product, std::int64_t n) const {
        const Problem& q = this->p;
        const Tap tap = tap_of(q, n);
        return {(product / runs * q.channels + tap.channel) * q.x.s[1], n,
                tap.row * q.dilation[0] - q.padding[0], tap.column * q.dilation[1] - q.padding[1],
                n < this->N};
    }
    __device__ Twice step(std::int64_t product, std::int64_t k) const {
        const Problem& q = this->p;
        const std::int64_t pixel = product % runs * length + k;
        const Pixel at = pixel_of(pixel, q.rows, q.columns);
        return {at.image * q.y.s[0] + at.row * q.y.s[2] + at.column * q.y.s[3], at.image * q.x.s[0],
                at.row * q.stride[0], at.column * q.stride[1], k < this->K && pixel < pixels};
    }
    __device__ T a(const Index& r, const Twice& s) const {
        return r.inside && s.inside ? this->from_a[r.from + s.a] : T(0);
    }
    __device__ T b(const Twice& s, const Index& c) const {
        const Problem& q = this->p;
        const std::int64_t h = c.down + s.down, w = c.over + s.over;
        const bool in = s.inside && c.inside && h >= 0 && h < q.height && w >= 0 && w < q.width;
        return in ? this->from_b[c.from + s.b + h * q.x.s[2] + w * q.x.s[3]] : T(0);
    }
};

}  // namespace
}  // namespace tg::kernels::cuda
