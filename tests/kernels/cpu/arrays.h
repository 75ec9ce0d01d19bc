// For the tests of kernels: arrays that own their memory, and a loop over all levels and threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include "kernels/cpu/cpu.h"
#include "kernels/parallel.h"

namespace tg::kernels::test {

template <class T>
constexpr DType dtype_of = DType::float32;
template <>
inline constexpr DType dtype_of<bool> = DType::boolean;
template <>
inline constexpr DType dtype_of<std::uint8_t> = DType::uint8;
template <>
inline constexpr DType dtype_of<std::int8_t> = DType::int8;
template <>
inline constexpr DType dtype_of<std::int32_t> = DType::int32;
template <>
inline constexpr DType dtype_of<std::int64_t> = DType::int64;
template <>
inline constexpr DType dtype_of<double> = DType::float64;

inline Array describe(void* data, DType dtype, std::initializer_list<std::int64_t> shape) {
    Array a;
    a.data = data;
    a.dtype = dtype;
    a.dims = static_cast<int>(shape.size());
    std::copy(shape.begin(), shape.end(), a.shape);
    std::int64_t stride = 1;
    for (int d = a.dims - 1; d >= 0; --d) {
        a.strides[d] = stride;
        stride *= a.shape[d];
    }
    return a;
}

// A contiguous array with its memory (not std::vector, whose bools are bits).
template <class T>
struct Owned {
    std::basic_string<T> values;  // contiguous for every T
    Array array;

    explicit Owned(std::initializer_list<std::int64_t> shape) {
        array = describe(nullptr, dtype_of<T>, shape);
        values.resize(static_cast<std::size_t>(array.size()) + 1);
        array.data = values.data();
    }
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;

    T& operator[](std::int64_t i) { return values[static_cast<std::size_t>(i)]; }
    std::int64_t size() const { return array.size(); }

    Owned& randomize(unsigned seed) {
        std::mt19937 random(seed);
        for (std::int64_t i = 0; i < size(); ++i) {
            const double r = static_cast<double>(random()) * 0x1p-31 - 1;  // [-1, 1)
            if constexpr (std::is_same_v<T, bool>)
                (*this)[i] = r > 0;
            else if constexpr (std::is_floating_point_v<T>)
                (*this)[i] = static_cast<T>(r);
            else if constexpr (std::is_signed_v<T>)
                (*this)[i] = static_cast<T>(r * 9);
            else
                (*this)[i] = static_cast<T>(r * 9 + 9);
        }
        return *this;
    }
};

inline Array transposed(Array a, int d = 0, int e = 1) {
    std::swap(a.shape[d], a.shape[e]);
    std::swap(a.strides[d], a.strides[e]);
    return a;
}

// The element at a place that counts in row-major order, whatever the strides.
template <class T>
T& element(const Array& a, std::int64_t place) {
    std::int64_t offset = 0;
    for (int d = a.dims - 1; d >= 0; --d) {
        offset += place % a.shape[d] * a.strides[d];
        place /= a.shape[d];
    }
    return static_cast<T*>(a.data)[offset];
}

// Calls check() on every level that runs here, with 1, 2 and 3 threads.
template <class Check>
void on_all_levels(const Check& check) {
    const char* before = cpu::level();
    const int threads_before = num_threads();
    for (const char* name : cpu::levels()) {
        cpu::set_level(name);
        for (int threads : {1, 2, 3}) {
            set_num_threads(threads);
            check();
        }
    }
    cpu::set_level(before);
    set_num_threads(threads_before);
}

}  // namespace tg::kernels::test
