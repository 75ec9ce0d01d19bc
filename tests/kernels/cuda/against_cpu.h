// One kernel on the device and its twin on the CPU, given the same numbers.
#pragma once

#include <cstring>
#include <limits>
#include <string>

#include "kernels/cpu/cpu.h"
#include "tests/kernels/cuda/on_device.h"

namespace tg::kernels::cuda {

template <class T>
constexpr DType dtype_for() {
    if constexpr (std::is_same_v<T, std::uint8_t>)
        return DType::uint8;
    else if constexpr (std::is_same_v<T, std::int8_t>)
        return DType::int8;
    else if constexpr (std::is_same_v<T, std::int16_t>)
        return DType::int16;
    else
        return dtype_of<T>;
}

// An operand in both places.
template <class T>
struct Both {
    Numbers<T> host;
    OnDevice<T> device;

    explicit Both(Numbers<T> numbers) : host(std::move(numbers)), device(host) {
        device.array.dtype = dtype_for<T>();
    }
    Both(const Dims& shape, const Dims& strides) : Both(Numbers<T>(shape, strides)) {}
    Array on_host() {
        Array a = device.array;
        a.data = host.data.get();
        return a;
    }
    // How many elements differ, by `near(device's, host's)`.
    template <class Near>
    std::int64_t differences(const Near& near) {
        REQUIRE(std::string(backend().last_error()) == "");
        Numbers<T> got(host.shape, host.strides);
        device.fetch(got);
        std::int64_t wrong = 0;
        for (std::int64_t i = 0; i < host.count(); ++i) wrong += !near(got[i], host[i]);
        return wrong;
    }
};

template <class T>
bool same(T got, T expected) {
    return got == expected || (got != got && expected != expected);
}

// Equal but for what rounding does to a sum of terms of about 1.
template <class T>
bool nearly(T got, T expected) {
    if constexpr (std::is_floating_point_v<T>) {
        if (same(got, expected)) return true;
        return std::abs(got - expected) <=
               32 * std::numeric_limits<T>::epsilon() * (1 + std::abs(expected));
    } else {
        return got == expected;
    }
}

inline std::uint64_t hashed(std::int64_t i, std::uint64_t seed) {
    std::uint64_t h = (static_cast<std::uint64_t>(i) + 977 * seed + 1) * 0x9E3779B97F4A7C15u;
    h = (h ^ h >> 31) * 0xBF58476D1CE4E5B9u;
    return h ^ h >> 29;
}

// Numbers that look random: integers all over their range, floats in [-1, 1).
template <class T>
Numbers<T> varied(const Dims& shape, const Dims& strides, std::uint64_t seed) {
    Numbers<T> x(shape, strides);
    for (std::int64_t i = 0; i < x.stored; ++i) {
        const std::uint64_t h = hashed(i, seed);
        T& to = x.data[static_cast<std::size_t>(i)];
        if constexpr (std::is_same_v<T, bool>)
            to = h % 2 == 0;
        else if constexpr (std::is_floating_point_v<T>)
            to = static_cast<T>(static_cast<double>(h >> 11) * 0x1p-52 - 1);
        else
            std::memcpy(&to, &h, sizeof to);
    }
    return x;
}

// Few different numbers, so that many are equal.
template <class T>
Numbers<T> repeating(const Dims& shape, const Dims& strides, std::uint64_t seed) {
    Numbers<T> x(shape, strides);
    for (std::int64_t i = 0; i < x.stored; ++i)
        x.data[static_cast<std::size_t>(i)] = static_cast<T>(hashed(i, seed) % 5);
    return x;
}

// The same operand with room between its elements, or turned round.
inline std::vector<Dims> strides_for(const Dims& shape) {
    Dims spread = contiguous(shape), repeated = contiguous(shape);
    for (std::int64_t& s : spread) s *= 2;
    if (!repeated.empty()) repeated[0] = 0;
    return {contiguous(shape), first_dim_fastest(shape), spread, repeated};
}

}  // namespace tg::kernels::cuda
