// How a convolution is cut into tiles, and which windows have a tap inside of the image. The
// letters are those of convolution.h.
#pragma once

#include <algorithm>

#include "kernels/cpu/convolution.h"

namespace tg::kernels::cpu {

constexpr std::int64_t most_pixels = 256;       // of a tile
constexpr std::int64_t most_columns = 1 << 22;  // elements of a tile's columns

struct Sizes {
    std::int64_t images, groups, channels, outs;  // channels and outs: of a group
    std::int64_t height, width, tap_rows, tap_columns, rows, columns;

    Sizes(const Array& x, const Array& w, const Array& y, const Windows& windows)
        : images(x.shape[0]),
          groups(windows.groups),
          channels(w.shape[1]),
          outs(w.shape[0] / windows.groups),
          height(x.shape[2]),
          width(x.shape[3]),
          tap_rows(w.shape[2]),
          tap_columns(w.shape[3]),
          rows(y.shape[2]),
          columns(y.shape[3]) {}
    std::int64_t taps() const { return channels * tap_rows * tap_columns; }
    std::int64_t pixels() const { return rows * columns; }
    std::int64_t weights() const { return groups * outs * taps(); }
};

// Some pixels of y: whole images, whole rows of one, or a piece of one row.
struct Tile {
    std::int64_t image, images, row, rows, column, columns;
    std::int64_t pixels() const { return images * rows * columns; }
};

// A block is the tiles of as many images as one tile can hold, at least of one.
struct Tiling {
    Sizes s;
    Tile most{};  // the first tile, which is the largest
    std::int64_t blocks = 0, tiles_down = 0, tiles_across = 0;

    explicit Tiling(const Sizes& sizes) : s(sizes) {
        const std::int64_t taps = std::max<std::int64_t>(1, s.taps());
        const std::int64_t pixels =
            std::max<std::int64_t>(1, std::min(most_pixels, most_columns / taps));
        most.columns = std::min(s.columns, pixels);
        most.rows = std::min(s.rows, std::max<std::int64_t>(1, pixels / most.columns));
        const bool whole = most.rows * most.columns == s.pixels();
        most.images = whole ? std::min(s.images, pixels / s.pixels()) : 1;
        blocks = (s.images + most.images - 1) / most.images;
        tiles_down = (s.rows + most.rows - 1) / most.rows;
        tiles_across = (s.columns + most.columns - 1) / most.columns;
    }
    std::int64_t tiles_of_block() const { return tiles_down * tiles_across; }
    std::int64_t tiles() const { return blocks * tiles_of_block(); }
    std::int64_t work_of_tile() const { return s.weights() * most.pixels(); }

    Tile tile(std::int64_t i) const {
        Tile t{};
        t.image = i / tiles_of_block() * most.images;
        t.row = i / tiles_across % tiles_down * most.rows;
        t.column = i % tiles_across * most.columns;
        t.images = std::min(most.images, s.images - t.image);
        t.rows = std::min(most.rows, s.rows - t.row);
        t.columns = std::min(most.columns, s.columns - t.column);
        return t;
    }
};

// The windows of [begin, end) whose tap, at window * stride + shift, lies inside [0, size).
struct Range {
    std::int64_t begin, end;
};

inline Range inside(std::int64_t begin, std::int64_t end, std::int64_t shift, std::int64_t stride,
                    std::int64_t size) {
    const std::int64_t first = shift < 0 ? (-shift + stride - 1) / stride : 0;
    const std::int64_t past = shift < size ? (size - 1 - shift) / stride + 1 : 0;
    Range r{std::max(begin, first), std::min(end, past)};
    if (r.begin >= r.end) r = {begin, begin};
    return r;
}

}  // namespace tg::kernels::cpu
