#include "core/dtype.h"

#include <atomic>
#include <charconv>
#include <cmath>
#include <cstring>

#include "kernels/low_precision.h"

namespace tg {
namespace {

constexpr const char* names[dtype_count] = {"bool",  "uint8",   "int8",     "int16",   "int32",
                                            "int64", "float16", "bfloat16", "float32", "float64"};

int category(DType d) { return d == DType::boolean ? 0 : is_integral(d) ? 1 : 2; }

template <class T>
void put(void* to, T value) {
    std::memcpy(to, &value, sizeof value);
}

}  // namespace

const char* name_of(DType dtype) { return names[static_cast<int>(dtype)]; }

bool dtype_named(const std::string& name, DType& dtype) {
    for (int i = 0; i < dtype_count; ++i) {
        if (name != names[i]) continue;
        dtype = static_cast<DType>(i);
        return true;
    }
    return false;
}

void Scalar::write(void* to, DType as) const {
    switch (as) {
        case DType::boolean:
            put(to, as_real() != 0);
            break;
        case DType::uint8:
            put(to, static_cast<std::uint8_t>(as_integer()));
            break;
        case DType::int8:
            put(to, static_cast<std::int8_t>(as_integer()));
            break;
        case DType::int16:
            put(to, static_cast<std::int16_t>(as_integer()));
            break;
        case DType::int32:
            put(to, static_cast<std::int32_t>(as_integer()));
            break;
        case DType::int64:
            put(to, as_integer());
            break;
        case DType::float16:
            put(to, formula::narrow<formula::Float16>(static_cast<float>(as_real())));
            break;
        case DType::bfloat16:
            put(to, formula::narrow<formula::BFloat16>(static_cast<float>(as_real())));
            break;
        case DType::float32:
            put(to, static_cast<float>(as_real()));
            break;
        case DType::float64:
            put(to, as_real());
            break;
    }
}

std::string text(const Scalar& scalar) {
    if (scalar.dtype == DType::boolean) return scalar.integer ? "True" : "False";
    if (!is_floating(scalar.dtype)) return std::to_string(scalar.integer);
    if (std::isnan(scalar.real)) return "nan";
    if (std::isinf(scalar.real)) return scalar.real > 0 ? "inf" : "-inf";
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, scalar.real).ptr;
    std::string s(buffer, end);
    return s.find_first_of(".e") == std::string::npos ? s + ".0" : s;
}

// The larger of the two holds both, but for two pairs: uint8 and int8 meet in int16, float16 and
// bfloat16 in float32.
DType promote(DType a, DType b) {
    if (a == b) return a;
    const DType low = a < b ? a : b;
    const DType high = a < b ? b : a;
    if (low == DType::uint8 && high == DType::int8) return DType::int16;
    if (low == DType::float16 && high == DType::bfloat16) return DType::float32;
    return high;
}

void Promotion::scalar(const Scalar& s) {
    // A number brings its category and takes the width from the tensors.
    add(2, s.dtype == DType::float64 ? default_dtype() : s.dtype);
}

void Promotion::add(int rank, DType d) {
    dtype[rank] = any[rank] ? promote(dtype[rank], d) : d;
    any[rank] = true;
}

DType Promotion::result() const {
    bool found = false;
    DType r = DType::boolean;
    for (int rank = 0; rank < 3; ++rank) {
        if (!any[rank]) continue;
        if (!found || category(dtype[rank]) > category(r)) r = dtype[rank];
        found = true;
    }
    return r;
}

}  // namespace tg
