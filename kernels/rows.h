// Rows of an array that an index names: what the kernels of x[i] for a tensor i share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tg::kernels {

// Some dims of an array, found by one index: a number that counts over them in row-major order.
// What it finds is called a row, of the dims that are left. With `wraps`, -1 is the last row.
struct Rows {
    std::span<const std::int64_t> dims;  // ascending
    bool wraps = false;
};

// In the array of all rows that are found the index's dims stand where the first of `dims` was if
// these are side by side, else first of all.
inline int place_of(std::span<const std::int64_t> dims) {
    for (std::size_t k = 1; k < dims.size(); ++k)
        if (dims[k] != dims[k - 1] + 1) return 0;
    return dims.empty() ? 0 : static_cast<int>(dims[0]);
}

}  // namespace tg::kernels
