// Walking over arrays of any strides. The operands of a kernel share one shape; their strides lie
// side by side, dims that can be walked as one are merged, and then whoever needs the elements
// from number `begin` on asks for runs along the innermost dim.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "kernels/array.h"

namespace tg::kernels::cpu {

constexpr std::int64_t parallel_grain = 32768;  // elements that one thread takes at a time

// Calls fn with a zero of the C++ type of a dtype that is computed in.
template <class Fn>
void visit(DType dtype, Fn&& fn) {
    switch (dtype) {
        case DType::boolean:
            return fn(false);
        case DType::uint8:
            return fn(std::uint8_t{});
        case DType::int8:
            return fn(std::int8_t{});
        case DType::int16:
            return fn(std::int16_t{});
        case DType::int32:
            return fn(std::int32_t{});
        case DType::int64:
            return fn(std::int64_t{});
        case DType::float32:
            return fn(float{});
        case DType::float64:
            return fn(double{});
        case DType::float16:
        case DType::bfloat16:
            return;  // widened before they come here: core/low_precision.h
    }
}

// The same, where only the size matters: an unsigned integer as large as an element.
template <class Fn>
void visit_size(DType dtype, Fn&& fn) {
    switch (size_of(dtype)) {
        case 1:
            return fn(std::uint8_t{});
        case 2:
            return fn(std::uint16_t{});
        case 4:
            return fn(std::uint32_t{});
        default:
            return fn(std::uint64_t{});
    }
}

// Are the elements side by side, in row-major order?
inline bool contiguous(const Array& a) {
    std::int64_t expected = 1;
    for (int d = a.dims - 1; d >= 0; --d) {
        if (a.shape[d] == 1) continue;
        if (a.strides[d] != expected) return false;
        expected *= a.shape[d];
    }
    return true;
}

// Is it one element, repeated?
inline bool repeated(const Array& a) {
    for (int d = 0; d < a.dims; ++d)
        if (a.strides[d] != 0 && a.shape[d] != 1) return false;
    return true;
}

template <int operands>
struct Strided {
    int dims = 0;
    std::int64_t shape[max_dims + 1] = {};
    std::int64_t strides[max_dims + 1][operands] = {};

    void add_dim(std::int64_t size, const std::array<std::int64_t, operands>& stride) {
        if (size == 1) return;
        shape[dims] = size;
        std::copy(stride.begin(), stride.end(), strides[dims]);
        ++dims;
    }

    std::int64_t size() const {
        std::int64_t n = 1;
        for (int d = 0; d < dims; ++d) n *= shape[d];
        return n;
    }

    // Largest stride of operand 0 first: so a transposed output is written in memory order. Only
    // for kernels to which the order of the elements is all the same.
    void sort() {
        for (int d = 1; d < dims; ++d)
            for (int e = d; e > 0 && strides[e - 1][0] < strides[e][0]; --e) {
                std::swap(shape[e - 1], shape[e]);
                std::swap(strides[e - 1], strides[e]);
            }
    }

    // Two neighbours are one dim if for every operand the outer stride is a whole inner dim.
    void merge() {
        int last = 0;
        for (int d = 1; d < dims; ++d) {
            bool one = true;
            for (int i = 0; i < operands; ++i)
                one = one && strides[last][i] == strides[d][i] * shape[d];
            if (one) {
                shape[last] *= shape[d];
            } else {
                ++last;
                shape[last] = shape[d];
            }
            std::copy(strides[d], strides[d] + operands, strides[last]);
        }
        if (dims > 0) dims = last + 1;
    }

    // Is the operand contiguous in the order of the walk?
    bool compact(int operand) const {
        std::int64_t expected = 1;
        for (int d = dims - 1; d >= 0; --d) {
            if (strides[d][operand] != expected) return false;
            expected *= shape[d];
        }
        return true;
    }

    // Calls run(offsets, n) for runs of n elements along the innermost dim that together are the
    // elements [begin, end); `offsets` says where each operand's first element of the run lies.
    template <class Run>
    void runs(std::int64_t begin, std::int64_t end, const Run& run) const {
        if (begin >= end) return;
        std::array<std::int64_t, operands> offsets{};
        if (dims == 0) return run(offsets, std::int64_t{1});
        std::int64_t index[max_dims + 1] = {};
        std::int64_t rest = begin;
        for (int d = dims - 1; d >= 0; --d) {
            index[d] = rest % shape[d];
            rest /= shape[d];
            for (int i = 0; i < operands; ++i) offsets[at(i)] += index[d] * strides[d][i];
        }
        const int inner = dims - 1;
        while (true) {
            const std::int64_t n = std::min(end - begin, shape[inner] - index[inner]);
            run(offsets, n);
            begin += n;
            if (begin >= end) return;
            // back to the start of this dim, one step along the next outer one that has room
            for (int i = 0; i < operands; ++i) offsets[at(i)] -= index[inner] * strides[inner][i];
            index[inner] = 0;
            for (int d = inner - 1; d >= 0; --d) {
                for (int i = 0; i < operands; ++i) offsets[at(i)] += strides[d][i];
                if (++index[d] < shape[d]) break;
                for (int i = 0; i < operands; ++i) offsets[at(i)] -= shape[d] * strides[d][i];
                index[d] = 0;
            }
        }
    }

  private:
    static constexpr std::size_t at(int i) { return static_cast<std::size_t>(i); }
};

}  // namespace tg::kernels::cpu
