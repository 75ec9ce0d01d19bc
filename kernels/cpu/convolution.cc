// Convolutions as products of matrices. Some hundred pixels of y are a tile; the taps under their
// windows are copied out into columns, one for each pixel, and then
//
//   K = C A B taps, P pixels      columns (K, P)     w (O, K)     y (O, P)
//
//   y = w columns                                    each tile has pixels of its own
//   columns = w^T y, and each is added to x where it came from: windows overlap, so one thread
//             owns whole images and adds in the order of the taps
//   w^T = columns y^T, summed over tiles: some runs of tiles of a fixed length, then run after run
//
// The columns repeat each number of x up to A B times. They are never whole: a tile's stay in the
// cache between being copied and being multiplied. Nothing here depends on the number of threads.
#include "kernels/cpu/convolution.h"

#include <cstddef>

#include "kernels/cpu/convolution_tiles.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/scratch.h"
#include "kernels/cpu/strided.h"
#include "kernels/math.h"
#include "kernels/parallel.h"

namespace tg::kernels::cpu {
namespace {

constexpr std::int64_t most_runs = 16;            // of tiles, for the gradient of w
constexpr std::int64_t most_sums = 1 << 22;       // elements of all their sums
constexpr std::int64_t worth_a_thread = 1 << 18;  // multiply-adds
thread_local Scratch columns_of_thread, pixels_of_thread, product_of_thread;
thread_local Scratch weights_of_caller, sums_of_caller;

// ---- between x and the columns ------------------------------------------------------------------

// What one tap of a tile's windows meets in one image, row by row of windows: `above` rows that are
// outside, `rows` that are not, `below` that are. Of such a row, `before` windows have their tap
// left of the image, the next `n` have it inside, the first of them at x[from], and `after` right
// of it.
struct Piece {
    std::int64_t above, rows, below, before, n, after, from;
};

// Calls run(at, piece) for each tap and image of a tile, in the order of its columns; `at` is where
// in the columns the piece begins.
template <class Run>
void each_piece(const Tiling& tiling, const Windows& windows, const Tile& tile, const Array& x,
                std::int64_t group, const Run& run) {
    const Sizes& s = tiling.s;
    std::int64_t at = 0;
    for (std::int64_t c = 0; c < s.channels; ++c)
        for (std::int64_t a = 0; a < s.tap_rows; ++a) {
            const std::int64_t down = a * windows.dilation[0] - windows.padding[0];
            const Range r =
                inside(tile.row, tile.row + tile.rows, down, windows.stride[0], s.height);
            for (std::int64_t b = 0; b < s.tap_columns; ++b) {
                const std::int64_t across = b * windows.dilation[1] - windows.padding[1];
                const Range q = inside(tile.column, tile.column + tile.columns, across,
                                       windows.stride[1], s.width);
                Piece p{};
                p.above = r.begin - tile.row;
                p.rows = q.begin < q.end ? r.end - r.begin : 0;
                p.below = tile.rows - p.above - p.rows;
                p.before = q.begin - tile.column;
                p.n = q.end - q.begin;
                p.after = tile.columns - p.before - p.n;
                p.from = tile.image * x.strides[0] + (group * s.channels + c) * x.strides[1] +
                         (r.begin * windows.stride[0] + down) * x.strides[2] +
                         (q.begin * windows.stride[1] + across) * x.strides[3];
                for (std::int64_t image = 0; image < tile.images; ++image) {
                    run(at, p);
                    at += tile.rows * tile.columns;
                    p.from += x.strides[0];
                }
            }
        }
}

// Where windows and the image have one width and move by one, a piece's rows lie in the columns as
// in x, one after another: one run from its first place to its last. Between two rows this passes
// over places that are left or right of the image; they are 0, and `no_borders` says so.
bool in_one_run(const Tile& tile, const Array& x, const Windows& windows) {
    return windows.stride[0] == 1 && windows.stride[1] == 1 && x.strides[3] == 1 &&
           x.strides[2] == tile.columns;
}

template <class T>
void no_borders(const Piece& p, std::int64_t width, T* rows) {
    for (std::int64_t i = 0; i < p.rows; ++i, rows += width) {
        for (std::int64_t j = 0; j < p.before; ++j) rows[j] = T(0);
        for (std::int64_t j = width - p.after; j < width; ++j) rows[j] = T(0);
    }
}

template <class T>
void fill_columns(const Tiling& tiling, const Windows& windows, const Tile& tile, const Array& x,
                  std::int64_t group, T* columns) {
    const std::int64_t width = tile.columns, step = windows.stride[1] * x.strides[3];
    const std::int64_t down = windows.stride[0] * x.strides[2];
    const bool one_run = in_one_run(tile, x, windows);
    each_piece(tiling, windows, tile, x, group, [&](std::int64_t at, const Piece& p) {
        T* to = columns + at;
        const T* from = static_cast<const T*>(x.data) + p.from;
        std::fill_n(to, p.above * width, T(0));
        to += p.above * width;
        if (p.rows > 0 && one_run) {
            std::copy_n(from, (p.rows - 1) * width + p.n, to + p.before);
        } else {
            for (std::int64_t i = 0; i < p.rows; ++i, from += down)
                for (std::int64_t j = 0; j < p.n; ++j)
                    to[i * width + p.before + j] = from[j * step];
        }
        no_borders(p, width, to);
        std::fill_n(to + p.rows * width, p.below * width, T(0));
    });
}

// x was 0 at first, so that no number of it is -0, and to add 0 changes none.
template <class T>
void add_columns(const Tiling& tiling, const Windows& windows, const Tile& tile, const Array& x,
                 std::int64_t group, T* columns) {
    const std::int64_t width = tile.columns, step = windows.stride[1] * x.strides[3];
    const std::int64_t down = windows.stride[0] * x.strides[2];
    const bool one_run = in_one_run(tile, x, windows);
    each_piece(tiling, windows, tile, x, group, [&](std::int64_t at, const Piece& p) {
        if (p.rows == 0) return;
        T* from = columns + at + p.above * width;
        T* to = static_cast<T*>(x.data) + p.from;
        if (one_run) {
            no_borders(p, width, from);
            from += p.before;
            for (std::int64_t i = 0; i < (p.rows - 1) * width + p.n; ++i)
                to[i] = formula::Add::of<T>(to[i], from[i]);
            return;
        }
        for (std::int64_t i = 0; i < p.rows; ++i, to += down)
            for (std::int64_t j = 0; j < p.n; ++j)
                to[j * step] = formula::Add::of<T>(to[j * step], from[i * width + p.before + j]);
    });
}

// ---- between y and its pixels (O, P) ------------------------------------------------------------

// Calls run(at, from, n) for the pixels that lie side by side in a tile, and in y if it is
// contiguous: rows at least, whole tiles of one image and channel at most.
template <class Run>
void each_pixel_run(const Tiling& tiling, const Tile& tile, const Array& y, std::int64_t group,
                    const Run& run) {
    const Sizes& s = tiling.s;
    const bool joined = y.strides[2] == s.columns * y.strides[3] && tile.columns == s.columns;
    const std::int64_t runs = joined ? 1 : tile.rows;
    const std::int64_t n = joined ? tile.rows * tile.columns : tile.columns;
    std::int64_t at = 0;
    for (std::int64_t o = 0; o < s.outs; ++o)
        for (std::int64_t image = 0; image < tile.images; ++image)
            for (std::int64_t i = 0; i < runs; ++i, at += n)
                run(at,
                    (tile.image + image) * y.strides[0] + (group * s.outs + o) * y.strides[1] +
                        (tile.row + i) * y.strides[2] + tile.column * y.strides[3],
                    n);
}

// Do a tile's pixels of one group lie in y as a matrix? Then they need no copy.
bool in_place(const Tiling& tiling, const Tile& tile, const Array& y) {
    const Sizes& s = tiling.s;
    return tile.images == 1 && tile.pixels() == s.pixels() && y.strides[3] == 1 &&
           y.strides[2] == s.columns && y.strides[1] == s.pixels();
}

template <class T>
T* pixels_of(const Tile& tile, const Array& y, const Sizes& s, std::int64_t group) {
    return static_cast<T*>(y.data) + tile.image * y.strides[0] + group * s.outs * y.strides[1];
}

template <class T>
const T* read_pixels(const Tiling& tiling, const Tile& tile, const Array& y, std::int64_t group,
                     T* pixels) {
    if (in_place(tiling, tile, y)) return pixels_of<T>(tile, y, tiling.s, group);
    const T* data = static_cast<const T*>(y.data);
    const std::int64_t step = y.strides[3];
    each_pixel_run(tiling, tile, y, group, [&](std::int64_t at, std::int64_t from, std::int64_t n) {
        if (step == 1)
            std::copy_n(data + from, n, pixels + at);
        else
            for (std::int64_t i = 0; i < n; ++i) pixels[at + i] = data[from + i * step];
    });
    return pixels;
}

template <class T>
void write_pixels(const Tiling& tiling, const Tile& tile, const Array& y, std::int64_t group,
                  const T* pixels) {
    T* data = static_cast<T*>(y.data);
    each_pixel_run(tiling, tile, y, group, [&](std::int64_t at, std::int64_t from, std::int64_t n) {
        std::copy_n(pixels + at, n, data + from);
    });
}

// ---- matrices -----------------------------------------------------------------------------------

Array matrix(const void* data, DType dtype, std::int64_t rows, std::int64_t columns,
             bool transposed = false) {
    Array a;
    a.data = const_cast<void*>(data);
    a.dtype = dtype;
    a.dims = 3;
    a.shape[0] = 1;
    a.shape[1] = transposed ? columns : rows;
    a.shape[2] = transposed ? rows : columns;
    a.strides[1] = transposed ? 1 : columns;
    a.strides[2] = transposed ? columns : 1;
    return a;
}

template <class T>
T* room(Scratch& scratch, std::int64_t elements) {
    return reinterpret_cast<T*>(scratch.at_least(static_cast<std::size_t>(elements) * sizeof(T)));
}

// w as rows of taps: a copy only if it does not lie so.
template <class T>
const T* rows_of_taps(const Array& w) {
    if (contiguous(w)) return static_cast<const T*>(w.data);
    Array copied = w;
    copied.data = room<T>(weights_of_caller, w.size());
    for (std::int64_t d = w.dims - 1, step = 1; d >= 0; step *= w.shape[d--])
        copied.strides[d] = step;
    copy(copied, w);
    return static_cast<const T*>(copied.data);
}

// How many units of this many multiply-adds a thread takes at a time.
std::int64_t grain_of(std::int64_t work) {
    return std::max<std::int64_t>(1, worth_a_thread / std::max<std::int64_t>(1, work));
}

}  // namespace

// ---- the three ----------------------------------------------------------------------------------

void convolution(const Array& y, const Array& x, const Array& w, const Windows& windows) {
    if (y.size() == 0) return;
    const Tiling tiling(Sizes(x, w, y, windows));
    const Sizes& s = tiling.s;
    visit(y.dtype, [&]<class T>(T) {
        const T* weights = rows_of_taps<T>(w);
        const auto chunk = [&](std::int64_t begin, std::int64_t end) {
            T* columns = room<T>(columns_of_thread, s.taps() * tiling.most.pixels());
            T* pixels = room<T>(pixels_of_thread, s.outs * tiling.most.pixels());
            for (std::int64_t t = begin; t < end && !stopping(); ++t) {
                const Tile tile = tiling.tile(t);
                const std::int64_t n = tile.pixels();
                const bool direct = in_place(tiling, tile, y);
                for (std::int64_t g = 0; g < s.groups; ++g) {
                    fill_columns<T>(tiling, windows, tile, x, g, columns);
                    T* to = direct ? pixels_of<T>(tile, y, s, g) : pixels;
                    matmul(matrix(to, y.dtype, s.outs, n),
                           matrix(weights + g * s.outs * s.taps(), y.dtype, s.outs, s.taps()),
                           matrix(columns, y.dtype, s.taps(), n));
                    if (!direct) write_pixels<T>(tiling, tile, y, g, pixels);
                }
            }
        };
        parallel_for(tiling.tiles(), grain_of(tiling.work_of_tile()), chunk);
    });
}

void convolution_input(const Array& x, const Array& w, const Array& y, const Windows& windows) {
    if (x.size() == 0) return;
    if (y.size() == 0 || w.size() == 0) return fill(x, std::int64_t{0});
    const Tiling tiling(Sizes(x, w, y, windows));
    const Sizes& s = tiling.s;
    visit(x.dtype, [&]<class T>(T) {
        const T* weights = rows_of_taps<T>(w);
        const auto chunk = [&](std::int64_t begin, std::int64_t end) {
            T* columns = room<T>(columns_of_thread, s.taps() * tiling.most.pixels());
            T* pixels = room<T>(pixels_of_thread, s.outs * tiling.most.pixels());
            const std::int64_t each = tiling.tiles_of_block();
            for (std::int64_t t = begin * each; t < end * each && !stopping(); ++t) {
                const Tile tile = tiling.tile(t);
                if (t % each == 0)
                    std::fill_n(static_cast<T*>(x.data) + tile.image * x.strides[0],
                                tile.images * x.strides[0], T(0));
                const std::int64_t n = tile.pixels();
                for (std::int64_t g = 0; g < s.groups; ++g) {
                    const T* from = read_pixels<T>(tiling, tile, y, g, pixels);
                    matmul(matrix(columns, x.dtype, s.taps(), n),
                           matrix(weights + g * s.outs * s.taps(), x.dtype, s.outs, s.taps(), true),
                           matrix(from, x.dtype, s.outs, n));
                    add_columns<T>(tiling, windows, tile, x, g, columns);
                }
            }
        };
        parallel_for(tiling.blocks, grain_of(tiling.work_of_tile() * tiling.tiles_of_block()),
                     chunk);
    });
}

void convolution_weight(const Array& w, const Array& x, const Array& y, const Windows& windows) {
    if (w.size() == 0) return;
    if (y.size() == 0) return fill(w, std::int64_t{0});
    const Tiling tiling(Sizes(x, w, y, windows));
    const Sizes& s = tiling.s;
    const std::int64_t wanted = std::clamp<std::int64_t>(most_sums / s.weights(), 1, most_runs);
    const std::int64_t length = (tiling.tiles() + wanted - 1) / wanted;
    const std::int64_t runs = (tiling.tiles() + length - 1) / length;
    visit(w.dtype, [&]<class T>(T) {
        T* sums = room<T>(sums_of_caller, runs * s.weights());
        std::fill_n(sums, runs * s.weights(), T(0));
        const std::int64_t part = s.outs * s.taps();
        const auto chunk = [&](std::int64_t begin, std::int64_t end) {
            T* columns = room<T>(columns_of_thread, s.taps() * tiling.most.pixels());
            T* pixels = room<T>(pixels_of_thread, s.outs * tiling.most.pixels());
            T* product = room<T>(product_of_thread, part);
            const std::int64_t past = std::min(end * length, tiling.tiles());
            for (std::int64_t t = begin * length; t < past && !stopping(); ++t) {
                const Tile tile = tiling.tile(t);
                const std::int64_t n = tile.pixels();
                for (std::int64_t g = 0; g < s.groups; ++g) {
                    fill_columns<T>(tiling, windows, tile, x, g, columns);
                    const T* from = read_pixels<T>(tiling, tile, y, g, pixels);
                    matmul(matrix(product, w.dtype, s.taps(), s.outs),
                           matrix(columns, w.dtype, s.taps(), n),
                           matrix(from, w.dtype, s.outs, n, true));
                    T* sum = sums + t / length * s.weights() + g * part;
                    for (std::int64_t i = 0; i < part; ++i)
                        sum[i] = formula::Add::of<T>(sum[i], product[i]);
                }
            }
        };
        parallel_for(runs, grain_of(tiling.work_of_tile() * length), chunk);
        for (std::int64_t r = 1; r < runs; ++r)
            for (std::int64_t i = 0; i < s.weights(); ++i)
                sums[i] = formula::Add::of<T>(sums[i], sums[r * s.weights() + i]);
        T* to = static_cast<T*>(w.data);
        for (std::int64_t g = 0; g < s.groups; ++g, sums += part)
            for (std::int64_t o = 0; o < s.outs; ++o)
                for (std::int64_t t = 0; t < s.taps(); ++t) *to++ = sums[t * s.outs + o];
    });
}

}  // namespace tg::kernels::cpu
