// What a kernel is given: raw memory and how it is laid out. Nothing here knows of tensors.
// Read next: math.h (every elementwise formula), cpu/cpu.h (the CPU's kernels), cuda/cuda.h.
#pragma once

#include <cstdint>

namespace tg {

// The element types. The order is that of promotion within a category; see core/dtype.h.
enum class DType : std::uint8_t {
    boolean,
    uint8,
    int8,
    int16,
    int32,
    int64,
    float16,
    bfloat16,
    float32,
    float64
};
constexpr int dtype_count = 10;

constexpr std::int64_t size_of(DType dtype) {
    constexpr std::int64_t sizes[dtype_count] = {1, 1, 1, 2, 4, 8, 2, 2, 4, 8};
    return sizes[static_cast<int>(dtype)];
}

// Stored in two bytes, computed in float32: low_precision.h.
constexpr bool is_low_precision(DType dtype) {
    return dtype == DType::float16 || dtype == DType::bfloat16;
}

// No tensor has more dims than this, so that a shape is a plain value on the stack.
constexpr int max_dims = 8;

namespace kernels {

// One operand: where its first element lies, and how many elements to step along each dim.
// A stride of 0 repeats an element; that is all that broadcasting is.
struct Array {
    void* data = nullptr;
    DType dtype = DType::float32;
    int dims = 0;
    std::int64_t shape[max_dims] = {};
    std::int64_t strides[max_dims] = {};  // in elements, never negative
    bool number = false;                  // a number beside the tensors: always in host memory

    std::int64_t size() const {
        std::int64_t n = 1;
        for (int d = 0; d < dims; ++d) n *= shape[d];
        return n;
    }
};

}  // namespace kernels
}  // namespace tg
