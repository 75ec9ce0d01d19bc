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
inline auto elementwise_rungs_here() {
    return here(&elementwise_rungs<Gpu>, &elementwise_rungs<Emulator>);
}
inline auto sum_rungs_here() { return here(&sum_rungs<Gpu>, &sum_rungs<Emulator>); }
inline auto matmul_rungs_here() { return here(&matmul_rungs<Gpu>, &matmul_rungs<Emulator>); }
inline auto amax_rungs_here() { return here(&amax_rungs<Gpu>, &amax_rungs<Emulator>); }
inline auto amin_rungs_here() { return here(&amin_rungs<Gpu>, &amin_rungs<Emulator>); }
inline auto argmax_rungs_here() { return here(&argmax_rungs<Gpu>, &argmax_rungs<Emulator>); }
inline auto argmin_rungs_here() { return here(&argmin_rungs<Gpu>, &argmin_rungs<Emulator>); }
inline auto cumsum_rungs_here() { return here(&cumsum_rungs<Gpu>, &cumsum_rungs<Emulator>); }
inline auto copy_rungs_here() { return here(&copy_rungs<Gpu>, &copy_rungs<Emulator>); }
inline auto cast_rungs_here() { return here(&cast_rungs<Gpu>, &cast_rungs<Emulator>); }
inline auto fill_rungs_here() { return here(&fill_rungs<Gpu>, &fill_rungs<Emulator>); }
inline auto uniform_rungs_here() { return here(&uniform_rungs<Gpu>, &uniform_rungs<Emulator>); }
inline auto normal_rungs_here() { return here(&normal_rungs<Gpu>, &normal_rungs<Emulator>); }
inline auto shuffle_rungs_here() { return here(&shuffle_rungs<Gpu>, &shuffle_rungs<Emulator>); }
inline auto scatter_rungs_here() { return here(&scatter_rungs<Gpu>, &scatter_rungs<Emulator>); }
inline auto scatter_add_rungs_here() {
    return here(&scatter_add_rungs<Gpu>, &scatter_add_rungs<Emulator>);
}
inline auto index_rows_rungs_here() {
    return here(&index_rows_rungs<Gpu>, &index_rows_rungs<Emulator>);
}
inline auto put_rows_rungs_here() { return here(&put_rows_rungs<Gpu>, &put_rows_rungs<Emulator>); }
inline auto argsort_rungs_here() { return here(&argsort_rungs<Gpu>, &argsort_rungs<Emulator>); }
inline auto searchsorted_rungs_here() {
    return here(&searchsorted_rungs<Gpu>, &searchsorted_rungs<Emulator>);
}
inline auto softmax_rungs_here() { return here(&softmax_rungs<Gpu>, &softmax_rungs<Emulator>); }
inline auto softmax_gradient_rungs_here() {
    return here(&softmax_gradient_rungs<Gpu>, &softmax_gradient_rungs<Emulator>);
}
inline auto cross_entropy_rungs_here() {
    return here(&cross_entropy_rungs<Gpu>, &cross_entropy_rungs<Emulator>);
}
inline auto cross_entropy_gradient_rungs_here() {
    return here(&cross_entropy_gradient_rungs<Gpu>, &cross_entropy_gradient_rungs<Emulator>);
}
inline auto layer_norm_rungs_here() {
    return here(&layer_norm_rungs<Gpu>, &layer_norm_rungs<Emulator>);
}
inline auto layer_norm_gradient_rungs_here() {
    return here(&layer_norm_gradient_rungs<Gpu>, &layer_norm_gradient_rungs<Emulator>);
}
inline auto convolution_rungs_here() {
    return here(&convolution_rungs<Gpu>, &convolution_rungs<Emulator>);
}
inline auto convolution_input_rungs_here() {
    return here(&convolution_input_rungs<Gpu>, &convolution_input_rungs<Emulator>);
}
inline auto convolution_weight_rungs_here() {
    return here(&convolution_weight_rungs<Gpu>, &convolution_weight_rungs<Emulator>);
}
inline auto sgd_rungs_here() { return here(&sgd_rungs<Gpu>, &sgd_rungs<Emulator>); }
inline auto adam_rungs_here() { return here(&adam_rungs<Gpu>, &adam_rungs<Emulator>); }
inline auto attention_rungs_here() {
    return here(&attention_rungs<Gpu>, &attention_rungs<Emulator>);
}
inline auto attention_gradient_rungs_here() {
    return here(&attention_gradient_rungs<Gpu>, &attention_gradient_rungs<Emulator>);
}
inline auto pool_argmax_rungs_here() {
    return here(&pool_argmax_rungs<Gpu>, &pool_argmax_rungs<Emulator>);
}
inline auto pool_mean_rungs_here() {
    return here(&pool_mean_rungs<Gpu>, &pool_mean_rungs<Emulator>);
}
inline auto pool_spread_rungs_here() {
    return here(&pool_spread_rungs<Gpu>, &pool_spread_rungs<Emulator>);
}
#else
inline auto pool_argmax_rungs_here() { return pool_argmax_rungs<Emulator>(); }
inline auto pool_mean_rungs_here() { return pool_mean_rungs<Emulator>(); }
inline auto pool_spread_rungs_here() { return pool_spread_rungs<Emulator>(); }
inline auto attention_rungs_here() { return attention_rungs<Emulator>(); }
inline auto attention_gradient_rungs_here() { return attention_gradient_rungs<Emulator>(); }
inline auto softmax_rungs_here() { return softmax_rungs<Emulator>(); }
inline auto softmax_gradient_rungs_here() { return softmax_gradient_rungs<Emulator>(); }
inline auto cross_entropy_rungs_here() { return cross_entropy_rungs<Emulator>(); }
inline auto cross_entropy_gradient_rungs_here() { return cross_entropy_gradient_rungs<Emulator>(); }
inline auto layer_norm_rungs_here() { return layer_norm_rungs<Emulator>(); }
inline auto layer_norm_gradient_rungs_here() { return layer_norm_gradient_rungs<Emulator>(); }
inline auto elementwise_rungs_here() { return elementwise_rungs<Emulator>(); }
inline auto sum_rungs_here() { return sum_rungs<Emulator>(); }
inline auto matmul_rungs_here() { return matmul_rungs<Emulator>(); }
inline auto amax_rungs_here() { return amax_rungs<Emulator>(); }
inline auto amin_rungs_here() { return amin_rungs<Emulator>(); }
inline auto argmax_rungs_here() { return argmax_rungs<Emulator>(); }
inline auto argmin_rungs_here() { return argmin_rungs<Emulator>(); }
inline auto cumsum_rungs_here() { return cumsum_rungs<Emulator>(); }
inline auto copy_rungs_here() { return copy_rungs<Emulator>(); }
inline auto cast_rungs_here() { return cast_rungs<Emulator>(); }
inline auto fill_rungs_here() { return fill_rungs<Emulator>(); }
inline auto uniform_rungs_here() { return uniform_rungs<Emulator>(); }
inline auto normal_rungs_here() { return normal_rungs<Emulator>(); }
inline auto shuffle_rungs_here() { return shuffle_rungs<Emulator>(); }
inline auto scatter_rungs_here() { return scatter_rungs<Emulator>(); }
inline auto scatter_add_rungs_here() { return scatter_add_rungs<Emulator>(); }
inline auto index_rows_rungs_here() { return index_rows_rungs<Emulator>(); }
inline auto put_rows_rungs_here() { return put_rows_rungs<Emulator>(); }
inline auto argsort_rungs_here() { return argsort_rungs<Emulator>(); }
inline auto searchsorted_rungs_here() { return searchsorted_rungs<Emulator>(); }
inline auto convolution_rungs_here() { return convolution_rungs<Emulator>(); }
inline auto convolution_input_rungs_here() { return convolution_input_rungs<Emulator>(); }
inline auto convolution_weight_rungs_here() { return convolution_weight_rungs<Emulator>(); }
inline auto sgd_rungs_here() { return sgd_rungs<Emulator>(); }
inline auto adam_rungs_here() { return adam_rungs<Emulator>(); }
#endif

}  // namespace tg::kernels::cuda
