// Strided numbers on the host, and the same on the device, for the tests of the CUDA kernels.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/array.h"
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/rungs.h"
#include "kernels/low_precision.h"

namespace tg::kernels::cuda {

using Dims = std::vector<std::int64_t>;

template <class T>
inline constexpr DType dtype_of = DType::float32;
template <>
inline constexpr DType dtype_of<bool> = DType::boolean;
template <>
inline constexpr DType dtype_of<std::uint8_t> = DType::uint8;
template <>
inline constexpr DType dtype_of<std::int8_t> = DType::int8;
template <>
inline constexpr DType dtype_of<std::int16_t> = DType::int16;
template <>
inline constexpr DType dtype_of<std::int32_t> = DType::int32;
template <>
inline constexpr DType dtype_of<std::int64_t> = DType::int64;
template <>
inline constexpr DType dtype_of<formula::Float16> = DType::float16;
template <>
inline constexpr DType dtype_of<formula::BFloat16> = DType::bfloat16;
template <>
inline constexpr DType dtype_of<double> = DType::float64;

inline std::int64_t product(const Dims& shape) {
    std::int64_t n = 1;
    for (const std::int64_t size : shape) n *= size;
    return n;
}

inline Dims contiguous(const Dims& shape) {
    Dims strides(shape.size());
    std::int64_t step = 1;
    for (std::size_t d = shape.size(); d-- > 0; step *= shape[d]) strides[d] = step;
    return strides;
}

// Strides of the same numbers stored with their first dim fastest.
inline Dims first_dim_fastest(const Dims& shape) {
    Dims strides(shape.size());
    std::int64_t step = 1;
    for (std::size_t d = 0; d < shape.size(); step *= shape[d++]) strides[d] = step;
    return strides;
}

// An operand on the host. Its memory ends where its last element does.
template <class T>
struct Numbers {
    Dims shape, strides;
    std::int64_t stored = 0;  // elements of memory
    std::unique_ptr<T[]> data;

    Numbers(const Dims& its_shape, const Dims& its_strides)
        : shape(its_shape), strides(its_strides) {
        stored = product(shape) > 0 ? 1 : 0;
        for (std::size_t d = 0; stored > 0 && d < shape.size(); ++d)
            stored += (shape[d] - 1) * strides[d];
        data = std::make_unique<T[]>(static_cast<std::size_t>(std::max<std::int64_t>(stored, 0)));
    }
    explicit Numbers(const Dims& its_shape) : Numbers(its_shape, contiguous(its_shape)) {}

    // Element number i in row-major order.
    T& operator[](std::int64_t i) {
        std::int64_t at = 0;
        for (std::size_t d = shape.size(); d-- > 0; i /= shape[d]) at += i % shape[d] * strides[d];
        return data[static_cast<std::size_t>(at)];
    }
    std::int64_t count() const { return product(shape); }
};

// Numbers that look random, are the same in every run, and lie in [-4, 4] in steps of 1/8.
template <class T>
void fill(Numbers<T>& x, std::uint64_t seed) {
    for (std::int64_t i = 0; i < x.stored; ++i) {
        std::uint64_t h = (static_cast<std::uint64_t>(i) + 977 * seed + 1) * 0x9E3779B97F4A7C15u;
        h ^= h >> 31;
        const double value = static_cast<double>(h % 65) / 8 - 4;
        T& x_i = x.data[static_cast<std::size_t>(i)];
        if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
            x_i = static_cast<T>(static_cast<std::int64_t>(value));  // below 0 it wraps
        else if constexpr (formula::is_low<T>)
            x_i = formula::narrow<T>(static_cast<float>(value));
        else
            x_i = static_cast<T>(value);
    }
}

// As the CPU's kernels are given it.
template <class T>
Array on_host(const Numbers<T>& x) {
    Array array;
    array.data = x.data.get();
    array.dtype = dtype_of<T>;
    array.dims = static_cast<int>(x.shape.size());
    for (std::size_t d = 0; d < x.shape.size(); ++d) {
        array.shape[d] = x.shape[d];
        array.strides[d] = x.strides[d];
    }
    return array;
}

template <class T>
Numbers<T> copied(const Numbers<T>& x) {
    Numbers<T> other(x.shape, x.strides);
    std::copy_n(x.data.get(), x.stored, other.data.get());
    return other;
}

// Is all of the memory the same, what lies between the elements too?
template <class T>
bool same_memory(const Numbers<T>& x, const Numbers<T>& y) {
    for (std::int64_t i = 0; i < x.stored; ++i) {
        const T a = x.data[static_cast<std::size_t>(i)], b = y.data[static_cast<std::size_t>(i)];
        if constexpr (formula::is_low<T>) {
            if (a.bits != b.bits) return false;
        } else if (!(a == b || (a != a && b != b))) {
            return false;
        }
    }
    return true;
}

// A copy on the device, released at the end of its scope.
template <class T>
struct OnDevice {
    Array array;
    std::size_t bytes;

    explicit OnDevice(const Numbers<T>& x) : bytes(static_cast<std::size_t>(x.stored) * sizeof(T)) {
        array = on_host(x);
        array.data = backend().allocate(bytes);
        backend().to_device(array.data, x.data.get(), bytes);
    }
    ~OnDevice() { backend().release(array.data); }
    OnDevice(const OnDevice&) = delete;
    OnDevice& operator=(const OnDevice&) = delete;

    void fetch(Numbers<T>& x) const { backend().to_host(x.data.get(), array.data, bytes); }
};

// The emulator computes what the host computes, bit for bit; a GPU may fuse multiply-adds.
template <class T>
bool agree(T got, T expected) {
    if constexpr (std::is_floating_point_v<T>) {
        if (std::isnan(got) || std::isnan(expected)) return std::isnan(got) == std::isnan(expected);
        if (!backend().emulated) {
            const T tolerance = sizeof(T) == 4 ? T(1e-5) : T(1e-13);
            return std::isinf(expected)
                       ? got == expected
                       : std::abs(got - expected) <= tolerance * (1 + std::abs(expected));
        }
    }
    return got == expected;
}

// The rungs of the machine that backend() chose.
template <class Rungs>
auto here([[maybe_unused]] Rungs on_gpu, Rungs on_emulator) {
    return backend().emulated ? on_emulator() : on_gpu();
}
#ifdef TAPEGRAPH_CUDA
#define RUNGS_HERE(name) \
    inline auto name##_rungs_here() { return here(&name##_rungs<Gpu>, &name##_rungs<Emulator>); }
#else
#define RUNGS_HERE(name) \
    inline auto name##_rungs_here() { return name##_rungs<Emulator>(); }
#endif
RUNGS_HERE(elementwise)
RUNGS_HERE(sum)
RUNGS_HERE(matmul)
RUNGS_HERE(amax)
RUNGS_HERE(amin)
RUNGS_HERE(argmax)
RUNGS_HERE(argmin)
RUNGS_HERE(cumsum)
RUNGS_HERE(copy)
RUNGS_HERE(cast)
RUNGS_HERE(fill)
RUNGS_HERE(uniform)
RUNGS_HERE(normal)
RUNGS_HERE(shuffle)
RUNGS_HERE(scatter)
RUNGS_HERE(scatter_add)
RUNGS_HERE(index_rows)
RUNGS_HERE(put_rows)
RUNGS_HERE(argsort)
RUNGS_HERE(searchsorted)
RUNGS_HERE(softmax)
RUNGS_HERE(softmax_gradient)
RUNGS_HERE(cross_entropy)
RUNGS_HERE(cross_entropy_gradient)
RUNGS_HERE(layer_norm)
RUNGS_HERE(layer_norm_gradient)
RUNGS_HERE(convolution)
RUNGS_HERE(convolution_input)
RUNGS_HERE(convolution_weight)
RUNGS_HERE(sgd)
RUNGS_HERE(adam)
RUNGS_HERE(attention)
RUNGS_HERE(attention_gradient)
RUNGS_HERE(pool_argmax)
RUNGS_HERE(pool_mean)
RUNGS_HERE(pool_spread)
#undef RUNGS_HERE

}  // namespace tg::kernels::cuda
