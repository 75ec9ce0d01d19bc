#include "core/ops/integers.h"

#include "core/error.h"

namespace tg {

Integers integers_of(DType integral) {
    const int bits = 8 * static_cast<int>(size_of(integral));
    if (integral == DType::uint8) return {0, 255};
    const std::int64_t half = std::int64_t{1} << (bits - 2);  // twice that does not always fit
    return {-2 * half, 2 * (half - 1) + 1};
}

void check_fits(const char* op, const Scalar& value, DType dtype) {
    if (!is_integral(dtype)) return;
    const auto [low, high] = integers_of(dtype);
    // A real is cut to an integer, so it may be up to high + 1, which is made of numbers that fit.
    const bool fits = is_floating(value.dtype)
                          ? value.real >= static_cast<double>(low) &&
                                value.real < static_cast<double>(high / 2 + 1) * 2
                          : value.integer >= low && value.integer <= high;
    if (!fits)
        fail(ErrorKind::runtime, op, ": ", text(value), " does not fit ", name_of(dtype),
             ", which holds ", low, " to ", high);
}

}  // namespace tg
