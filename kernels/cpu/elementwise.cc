// Elementwise kernels for any strides: the loops themselves are blocks, in levels/elementwise.h,
// which want contiguous operands (or one element repeated). Three ways lead there, fastest first:
//   whole    every operand is contiguous or one element: one block for each chunk
//   rows     along the innermost dim every operand is: one block for each row
//   tiles    else, 512 elements of an operand are collected in a tile, and the tile is used; an
//            output that is not contiguous is spread out from a tile likewise
#include <cstddef>
#include <cstring>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/strided.h"
#include "kernels/parallel.h"

namespace tg::kernels::cpu {
namespace {

constexpr std::int64_t tile = 512;
constexpr std::int64_t shortest_row = 32;  // below, tiles cost less than a call for each row
constexpr int most_inputs = 3;

std::byte* at(const Array& a, std::int64_t offset) {
    return static_cast<std::byte*>(a.data) + offset * size_of(a.dtype);
}

using Layout = Strided<1 + most_inputs>;  // operand 0 is out, operand 1 + i is input i

struct Operands {
    Block block = nullptr;
    const Array* out = nullptr;
    std::span<const Array> in;
    Layout layout;
};

void run_rows(const Operands& x, std::int64_t begin, std::int64_t end) {
    int steps[most_inputs] = {};
    for (std::size_t i = 0; i < x.in.size(); ++i)
        steps[i] = static_cast<int>(x.layout.strides[x.layout.dims - 1][1 + i]);
    x.layout.runs(begin, end, [&](const auto& offsets, std::int64_t n) {
        const void* in[most_inputs] = {};
        for (std::size_t i = 0; i < x.in.size(); ++i) in[i] = at(x.in[i], offsets[1 + i]);
        x.block(n, at(*x.out, offsets[0]), in, steps);
    });
}

// to[0 .. end - begin) = elements [begin, end) of an operand, in the order of the walk
void collect(const Operands& x, std::size_t operand, const Array& a, std::int64_t begin,
             std::int64_t end, void* into) {
    visit_size(a.dtype, [&]<class U>(U) {
        const std::int64_t stride = x.layout.strides[x.layout.dims - 1][operand];
        U* to = static_cast<U*>(into);
        x.layout.runs(begin, end, [&](const auto& offsets, std::int64_t n) {
            const U* from = static_cast<const U*>(a.data) + offsets[operand];
            for (std::int64_t i = 0; i < n; ++i) to[i] = from[i * stride];
            to += n;
        });
    });
}

void spread_out(const Operands& x, std::int64_t begin, std::int64_t end, const void* tile_data) {
    visit_size(x.out->dtype, [&]<class U>(U) {
        const std::int64_t stride = x.layout.strides[x.layout.dims - 1][0];
        const U* from = static_cast<const U*>(tile_data);
        x.layout.runs(begin, end, [&](const auto& offsets, std::int64_t n) {
            U* to = static_cast<U*>(x.out->data) + offsets[0];
            for (std::int64_t i = 0; i < n; ++i) to[i * stride] = from[i];
            from += n;
        });
    });
}

void run_tiles(const Operands& x, std::int64_t begin, std::int64_t end) {
    alignas(64) std::byte in_tiles[most_inputs][tile * 8];
    alignas(64) std::byte out_tile[tile * 8];
    const bool out_compact = x.layout.compact(0);
    bool compact[most_inputs] = {};
    int steps[most_inputs] = {};
    for (std::size_t i = 0; i < x.in.size(); ++i) {
        compact[i] = x.layout.compact(static_cast<int>(1 + i));
        steps[i] = repeated(x.in[i]) ? 0 : 1;
    }
    for (std::int64_t first = begin; first < end; first += tile) {
        const std::int64_t last = std::min(first + tile, end);
        const void* in[most_inputs] = {};
        for (std::size_t i = 0; i < x.in.size(); ++i) {
            in[i] = in_tiles[i];
            if (steps[i] == 0)
                in[i] = x.in[i].data;
            else if (compact[i])
                in[i] = at(x.in[i], first);
            else
                collect(x, 1 + i, x.in[i], first, last, in_tiles[i]);
        }
        x.block(last - first, out_compact ? at(*x.out, first) : out_tile, in, steps);
        if (!out_compact) spread_out(x, first, last, out_tile);
    }
}

bool rows_are_blocks(const Layout& layout, std::size_t inputs) {
    const int inner = layout.dims - 1;
    if (layout.strides[inner][0] != 1 || layout.shape[inner] < shortest_row) return false;
    for (std::size_t i = 0; i < inputs; ++i)
        if (layout.strides[inner][1 + i] > 1) return false;
    return true;
}

void run_strided(Block block, const Array& out, std::span<const Array> in) {
    Operands x{.block = block, .out = &out, .in = in, .layout = {}};
    for (int d = 0; d < out.dims; ++d) {
        std::array<std::int64_t, 1 + most_inputs> strides{out.strides[d]};
        for (std::size_t i = 0; i < in.size(); ++i) strides[1 + i] = in[i].strides[d];
        x.layout.add_dim(out.shape[d], strides);
    }
    x.layout.sort();
    x.layout.merge();
    const bool rows = rows_are_blocks(x.layout, in.size());
    parallel_for(x.layout.size(), parallel_grain, [&](std::int64_t begin, std::int64_t end) {
        if (rows)
            run_rows(x, begin, end);
        else
            run_tiles(x, begin, end);
    });
}

// The whole way, and the fork to the others.
void run(Block block, const Array& out, std::span<const Array> in) {
    const std::int64_t n = out.size();
    if (n == 0) return;
    const void* data[most_inputs] = {};
    int steps[most_inputs] = {};
    bool whole = contiguous(out);
    for (std::size_t i = 0; i < in.size() && whole; ++i) {
        data[i] = in[i].data;
        if (repeated(in[i])) continue;
        steps[i] = 1;
        whole = contiguous(in[i]);
    }
    if (!whole) return run_strided(block, out, in);
    if (n <= parallel_grain) return block(n, out.data, data, steps);
    parallel_for(n, parallel_grain, [&](std::int64_t begin, std::int64_t end) {
        const void* from[most_inputs] = {};
        for (std::size_t i = 0; i < in.size(); ++i) from[i] = at(in[i], begin * steps[i]);
        block(end - begin, at(out, begin), from, steps);
    });
}

// A copy that transposes: out runs along its innermost dim, but in along another one. Squares of
// 32 x 32 are copied one by one, so that the lines of memory that a square reads, and those that
// it writes, are all still in the cache when their next element is due.
bool copy_turned(const Array& out, const Array& in) {
    constexpr std::int64_t side = 32;
    Strided<2> whole, outer;
    for (int d = 0; d < out.dims; ++d) whole.add_dim(out.shape[d], {out.strides[d], in.strides[d]});
    whole.sort();
    whole.merge();
    const int inner = whole.dims - 1;
    if (inner < 1 || whole.strides[inner][0] != 1 || whole.strides[inner][1] <= 1) return false;
    int turned = inner - 1;
    while (turned >= 0 && whole.strides[turned][1] != 1) --turned;
    if (turned < 0) return false;
    for (int d = 0; d < inner; ++d)
        if (d != turned) outer.add_dim(whole.shape[d], {whole.strides[d][0], whole.strides[d][1]});
    const std::int64_t rows = whole.shape[turned], columns = whole.shape[inner];
    const std::int64_t out_row = whole.strides[turned][0], in_column = whole.strides[inner][1];
    const std::int64_t bands = (rows + side - 1) / side;
    const std::int64_t grain = std::max<std::int64_t>(1, parallel_grain / (side * columns));
    visit_size(out.dtype, [&]<class U>(U) {
        parallel_for(outer.size() * bands, grain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t band = begin; band < end; ++band) {
                const std::int64_t r0 = band % bands * side, r1 = std::min(rows, r0 + side);
                U* to = static_cast<U*>(out.data);
                const U* from = static_cast<const U*>(in.data);
                outer.runs(band / bands, band / bands + 1, [&](const auto& offsets, std::int64_t) {
                    to += offsets[0];
                    from += offsets[1];
                });
                for (std::int64_t c0 = 0; c0 < columns; c0 += side)
                    for (std::int64_t r = r0; r < r1; ++r)
                        for (std::int64_t c = c0; c < std::min(columns, c0 + side); ++c)
                            to[r * out_row + c] = from[c * in_column + r];
            }
        });
    });
    return true;
}

// A value as an array that repeats it over out's shape.
Array repeat(const Array& out, DType dtype, void* value) {
    Array a = out;
    a.data = value;
    a.dtype = dtype;
    std::fill(a.strides, a.strides + a.dims, 0);
    return a;
}

}  // namespace

void elementwise(int formula, const Array& out, std::span<const Array> in) {
    run(block(formula, in.back().dtype), out, in);
}

void cast(const Array& out, const Array& in) {
    run(cast_block(in.dtype, out.dtype), out, {&in, 1});
}

void copy(const Array& out, const Array& in) {
    if (out.size() > 1024 && copy_turned(out, in)) return;
    cast(out, in);
}

void fill(const Array& out, double value) { cast(out, repeat(out, DType::float64, &value)); }

void fill(const Array& out, std::int64_t value) { cast(out, repeat(out, DType::int64, &value)); }

void arange(const Array& out) {
    visit(out.dtype, [&]<class T>(T) {
        T* y = static_cast<T*>(out.data);
        parallel_for(out.size(), parallel_grain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) y[i * out.strides[0]] = static_cast<T>(i);
        });
    });
}

}  // namespace tg::kernels::cpu
