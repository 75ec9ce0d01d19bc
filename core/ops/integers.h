// Which integers a dtype holds. A number beyond them is a mistake, not one that wraps.
#pragma once

#include "core/dtype.h"

namespace tg {

struct Integers {
    std::int64_t low = 0;
    std::int64_t high = 0;
};
Integers integers_of(DType integral);

// Throws RuntimeError, in the name of op, where dtype is integral and cannot hold value.
void check_fits(const char* op, const Scalar& value, DType dtype);

}  // namespace tg
