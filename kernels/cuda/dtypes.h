// From a dtype to the C++ type of its elements.
#pragma once

#include <cstdint>

#include "kernels/array.h"
#include "kernels/low_precision.h"

namespace tg::kernels::cuda {

// Calls fn(T{}) for integers and floats that are computed in; false, and no call, for the others.
template <class Fn>
bool visit_numbers(DType dtype, Fn&& fn) {
    switch (dtype) {
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
        default:
            return false;
    }
}

// The same, and for bool.
template <class Fn>
bool visit_all(DType dtype, Fn&& fn) {
    return dtype == DType::boolean ? fn(bool{}) : visit_numbers(dtype, fn);
}

// The same, and for float16 and bfloat16, which are stored and never computed in.
template <class Fn>
bool visit_stored(DType dtype, Fn&& fn) {
    if (dtype == DType::float16) return fn(formula::Float16{});
    if (dtype == DType::bfloat16) return fn(formula::BFloat16{});
    return visit_all(dtype, fn);
}

// For kernels that only move elements, of any dtype: an unsigned integer as large as one.
template <class Fn>
bool visit_size(DType dtype, Fn&& fn) {
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

}  // namespace tg::kernels::cuda
