#include "core/nn/numbers.h"

#include <charconv>
#include <cmath>

#include "core/dtype.h"
#include "core/error.h"

namespace tg::nn {

Dims Numbers::each(const std::string& what, int count) const {
    if (dims.size() == 1) return Dims::of(count, dims[0]);
    if (dims.size() != count)
        fail(ErrorKind::value, what, " ", tg::text(dims), " is neither one number nor ", count);
    return dims;
}

std::string shown(const Numbers& numbers) {
    return numbers.dims.size() == 1 ? std::to_string(numbers.dims[0]) : tg::text(numbers.dims);
}

std::string shown(bool flag) { return flag ? "True" : "False"; }

// The shortest digits that are this number; with an exponent below 1e-4 and from 1e16 on.
std::string shown(double number) {
    if (!std::isfinite(number)) return tg::text(Scalar(number));
    const double size = std::fabs(number);
    const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
    char buffer[64];
    const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
    std::string s(buffer, std::to_chars(buffer, buffer + sizeof buffer, number, format).ptr);
    return s.find_first_of(".e") == std::string::npos ? s + ".0" : s;
}

}  // namespace tg::nn
