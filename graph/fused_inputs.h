// How a fused group reads an input that is not simply in order: broadcast, transposed, sliced.
#pragma once

#include <cstdint>

#include "kernels/array.h"

namespace tg {

// `a` as it broadcasts to out's shape, with dims of size 1 left out and those merged that step as
// one. No dims, or one of stride 0: a single element. One of stride 1: in order.
kernels::Array collapsed(const kernels::Array& a, const kernels::Array& out);

// Elements begin, begin + 1, ... (n of them, counted in order over a's dims) one after another.
void gather(const kernels::Array& a, std::int64_t begin, std::int64_t n, void* to);

}  // namespace tg
