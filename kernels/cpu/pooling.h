// Pooling: one number for each window of an image. x (N, C, H, W) -> y (N, C, I, J).
#pragma once

#include "kernels/array.h"

namespace tg::kernels::cpu {

// The windows along one dim. Window i begins at i stride - padding and has `taps` places,
// `dilation` apart. Adaptive ones (taps = 0) share `size` places among `windows`: from i size /
// windows, rounded down, to (i + 1) size / windows, rounded up.
struct PoolDim {
    std::int64_t size = 0, windows = 0;
    std::int64_t taps = 0, stride = 1, padding = 0, dilation = 1;
};

struct Pool {
    PoolDim rows, columns;
};

// What the sum of a window is divided by: the places inside, these and those of the padding, or,
// from 1 on, this number.
enum Divisor : std::int64_t { places_inside = -1, places_padded = 0 };

// index (N, C, I, J) int64 = where the largest of a window is in its image: row W + column. The
// first of equals; NaN wins. False if a window has no place inside, and then not all is written.
bool pool_argmax(const Array& index, const Array& x, const Pool& pool);

// y = the mean of each window; and its gradient, x = for each place the sum of y over the windows
// that it is in, each divided as its mean was. Floats; the first operand is contiguous.
void pool_mean(const Array& y, const Array& x, const Pool& pool, std::int64_t divisor);
void pool_spread(const Array& x, const Array& y, const Pool& pool, std::int64_t divisor);

}  // namespace tg::kernels::cpu
