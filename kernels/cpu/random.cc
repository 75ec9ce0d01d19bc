// Random numbers. Element i is a function of (seed, offset + i), see philox.h; here four of them
// are drawn at a time into a tile, since they come from one call of the generator.
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/strided.h"
#include "kernels/parallel.h"
#include "kernels/philox.h"

namespace tg::kernels::cpu {
namespace {

constexpr std::int64_t tile = 512;

// to[0 .. n) = elements first, first + 1, ... of the seed's uniform stream; first and n are
// multiples of 4.
template <class T>
void draw(std::uint64_t seed, std::uint64_t first, std::int64_t n, T* to) {
    if constexpr (formula::same<T, float>) {
        for (std::int64_t i = 0; i < n; i += 4) {
            const philox::Words w =
                philox::words(seed, (first + static_cast<std::uint64_t>(i)) / 4);
            for (int j = 0; j < 4; ++j) to[i + j] = philox::unit_float(w.word[j]);
        }
    } else {
        for (std::int64_t i = 0; i < n; i += 2) {
            const philox::Words w =
                philox::words(seed, (first + static_cast<std::uint64_t>(i)) / 2);
            to[i] = philox::unit_double(w.word[0], w.word[1]);
            to[i + 1] = philox::unit_double(w.word[2], w.word[3]);
        }
    }
}

// Two uniforms at an even place become two normals.
template <class T>
void normals(std::int64_t n, T* u) {
    for (std::int64_t i = 0; i < n; i += 2) philox::box_muller(u[i], u[i + 1]);
}

template <class T, class Make>
void fill_stream(const Array& out, std::uint64_t offset, const Make& make) {
    Strided<1> layout;
    for (int d = 0; d < out.dims; ++d) layout.add_dim(out.shape[d], {out.strides[d]});
    layout.merge();
    const std::int64_t step = layout.dims > 0 ? layout.strides[layout.dims - 1][0] : 0;
    parallel_for(out.size(), parallel_grain, [&](std::int64_t begin, std::int64_t end) {
        T drawn[tile + 8];
        for (std::int64_t i = begin; i < end; i += tile) {
            const std::int64_t last = std::min(end, i + tile);
            const std::uint64_t place = offset + static_cast<std::uint64_t>(i);
            const auto skip = static_cast<std::int64_t>(place % 4);
            const T* from = drawn + skip;
            make(place - place % 4, (last - i + skip + 3) / 4 * 4, drawn);
            layout.runs(i, last, [&](const auto& offsets, std::int64_t n) {
                T* to = static_cast<T*>(out.data) + offsets[0];
                for (std::int64_t r = 0; r < n; ++r) to[r * step] = from[r];
                from += n;
            });
        }
    });
}

template <class T>
void uniform_of(const Array& out, std::uint64_t seed, std::uint64_t offset) {
    fill_stream<T>(out, offset, [&](std::uint64_t first, std::int64_t n, T* to) {
        draw<T>(seed, first, n, to);
    });
}

template <class T>
void normal_of(const Array& out, std::uint64_t seed, std::uint64_t offset) {
    fill_stream<T>(out, offset, [&](std::uint64_t first, std::int64_t n, T* to) {
        draw<T>(seed, first, n, to);
        normals<T>(n, to);
    });
}

}  // namespace

void uniform(const Array& out, std::uint64_t seed, std::uint64_t offset) {
    if (out.dtype == DType::float32)
        uniform_of<float>(out, seed, offset);
    else
        uniform_of<double>(out, seed, offset);
}

void normal(const Array& out, std::uint64_t seed, std::uint64_t offset) {
    if (out.dtype == DType::float32)
        normal_of<float>(out, seed, offset);
    else
        normal_of<double>(out, seed, offset);
}

}  // namespace tg::kernels::cpu
