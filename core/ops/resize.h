// Images made larger and smaller, and taken apart into their windows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/apply.h"

namespace tg {

// ---- resizing: core/ops/resize.cc --------------------------------------------------------------
struct Interpolation {
    std::vector<std::int64_t> size = {};  // one for all dims or one each; or
    std::vector<double> scale_factor = {};
    std::string mode = "nearest";  // nearest-exact, linear, bilinear, bicubic, trilinear, area
    std::optional<bool> align_corners = {};
    bool recompute_scale_factor = false;
};
// x (N, C, L), (N, C, H, W) or (N, C, D, H, W) -> the same with other sizes but N and C
Tensor interpolate(const Arg& x, const Interpolation& options);
// x at any points: (N, C, H, W) at grid (N, h, w, 2) -> (N, C, h, w), (N, C, D, H, W) at grid
// (N, d, h, w, 3) -> (N, C, d, h, w). A point is (x, y) or (x, y, z) with -1 and 1 at the outer
// edges of the first and last elements of a dim, or with align_corners at their centres.
struct Sampling {
    std::string mode = "bilinear";       // nearest, and of an image bicubic
    std::string padding_mode = "zeros";  // what is outside: zeros, border, reflection
    bool align_corners = false;
};
Tensor grid_sample(const Arg& x, const Arg& grid, const Sampling& options = {});
// theta (N, 2, 3) and size (N, C, H, W) -> (N, H, W, 2), or theta (N, 3, 4) and (N, C, D, H, W)
// -> (N, D, H, W, 3): the points of an image's elements, moved by theta
Tensor affine_grid(const Arg& theta, const Dims& size, bool align_corners = false);
Tensor pixel_shuffle(const Arg& x,
                     std::int64_t factor);  // (..., C r r, H, W) -> (..., C, H r, W r)
Tensor pixel_unshuffle(const Arg& x, std::int64_t factor);  // and back

// ---- windows as columns: core/ops/columns.cc ---------------------------------------------------
struct Columns {
    Dims kernel = {};
    Dims dilation = {1}, padding = {0}, stride = {1};
};
// x (N, C, H, W) or (C, H, W) -> (N, C A B, L): each of L windows of A x B as a column
Tensor unfold(const Arg& x, const Columns& options);
// columns (N, C A B, L) -> (N, C, size): each window added up where it was
Tensor fold(const Arg& columns, const Dims& size, const Columns& options);

}  // namespace tg
