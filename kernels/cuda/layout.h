// Where element number i of a strided array lies, for kernels: the shape in as few dims as
// possible.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/array.h"
#include "kernels/cuda/launch.h"

namespace tg::kernels::cuda {

// `operands` arrays of one shape. Element number i, counted with the last dim fastest, lies
// `offset` elements behind each one's start.
template <int operands>
struct Layout {
    std::int64_t count = 1;
    int dims = 0;
    std::int64_t shape[max_dims] = {};
    std::int64_t strides[operands][max_dims] = {};

    // Appends an inner dim. One of size 1 changes nothing; one that continues the last dim in every
    // operand is merged with it: a contiguous (32, 64) is a line of 2048.
    void append(std::int64_t size, const std::int64_t (&steps)[operands]) {
        count *= size;
        if (size == 1) return;
        bool continues = dims > 0;
        for (int j = 0; continues && j < operands; ++j)
            continues = strides[j][dims - 1] == size * steps[j];
        if (!continues) ++dims;
        shape[dims - 1] = continues ? shape[dims - 1] * size : size;
        for (int j = 0; j < operands; ++j) strides[j][dims - 1] = steps[j];
    }

    // A division and a remainder for every dim but the outermost: they cost a GPU more than the
    // arithmetic of most formulas, so fewer dims are faster.
    __host__ __device__ void offset(std::int64_t i, std::int64_t (&at)[operands]) const {
        for (int j = 0; j < operands; ++j) at[j] = 0;
        for (int d = dims - 1; d >= 0; --d) {
            const std::int64_t k = d > 0 ? i % shape[d] : i;
            if (d > 0) i /= shape[d];
            for (int j = 0; j < operands; ++j) at[j] += k * strides[j][d];
        }
    }
};

// This thread's number in a grid along x, and how many threads that has.
__device__ __forceinline__ std::int64_t thread_number() {
    return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ std::int64_t thread_count() {
    return static_cast<std::int64_t>(gridDim.x) * blockDim.x;
}

// How many blocks of `size` cover n.
__host__ __device__ constexpr std::int64_t blocks_for(std::int64_t n, std::int64_t size) {
    return (n + size - 1) / size;
}

// A grid along x. No launch needs more blocks than keep a GPU busy where each thread takes several
// elements, the whole grid's width apart ("grid stride"): 4,096 of 256 threads are a million. Tests
// make it less, so that a few elements are several for each thread.
inline std::int64_t most_blocks = 4096;
inline dim3 grid_up_to(std::int64_t blocks, std::int64_t most = most_blocks) {
    return dim3(static_cast<unsigned>(blocks < most ? blocks : most));
}

}  // namespace tg::kernels::cuda
