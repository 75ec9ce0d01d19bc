// The three kernels of a convolution. Windows of A x B taps are laid over images and moved in
// steps; window (i, j) of an image has its tap (a, b) at row i s - p + a d and column j s - p + b
// d, with a stride s, a padding p and a dilation d of its own for rows and columns. A tap outside
// reads 0.
//
//   N images, G groups, C channels of x and O of y in a group
//   x (N, G C, H, W)    w (G O, C, A, B)    y (N, G O, I, J)
//
// One number stands behind all three,
//
//   T(x, w, y) = sum over n o i j, c a b of  y[n, o, i, j]  w[o, c, a, b]  x[n, c, row, column]
//
// which is linear in each. What x and w make of y is its derivative by y, and so on around: so each
// kernel is the gradient of the two others, and there is no fourth.
#pragma once

#include "kernels/array.h"

namespace tg::kernels::cpu {

struct Windows {  // [0]: rows, [1]: columns
    std::int64_t stride[2] = {1, 1}, padding[2] = {0, 0}, dilation[2] = {1, 1};
    std::int64_t groups = 1;
};

// The first operand is written and is contiguous; the others have any strides. All of one dtype.
void convolution(const Array& y, const Array& x, const Array& w, const Windows& windows);
void convolution_input(const Array& x, const Array& w, const Array& y, const Windows& windows);
void convolution_weight(const Array& w, const Array& x, const Array& y, const Windows& windows);

}  // namespace tg::kernels::cpu
