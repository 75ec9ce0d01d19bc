// Element types, Python-like scalars, and PyTorch's rules for mixing them.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/array.h"

namespace tg {

const char* name_of(DType dtype);  // "float32", "bool", ...
bool dtype_named(const std::string& name, DType& dtype);
constexpr bool is_floating(DType d) { return d >= DType::float16; }
constexpr bool is_integral(DType d) { return d < DType::float16 && d != DType::boolean; }

DType default_dtype();  // float32 unless set_default_dtype said float64
void set_default_dtype(DType dtype);

// A number that a user wrote beside a tensor: `x * 2`. It is weak: it decides the category of the
// result (bool < integer < floating) but never its width.
struct Scalar {
    DType dtype = DType::int64;  // boolean, int64 or float64
    union {
        std::int64_t integer = 0;
        double real;
    };
    Scalar() = default;
    Scalar(bool v) : dtype(DType::boolean), integer(v) {}
    Scalar(int v) : integer(v) {}
    Scalar(long v) : integer(v) {}
    Scalar(long long v) : integer(v) {}
    Scalar(double v) : dtype(DType::float64), real(v) {}
    double as_real() const { return is_floating(dtype) ? real : static_cast<double>(integer); }
    std::int64_t as_integer() const {
        return is_floating(dtype) ? static_cast<std::int64_t>(real) : integer;
    }
    void write(void* to, DType as) const;  // one element of dtype `as`
    bool operator==(const Scalar& other) const {
        return dtype == other.dtype &&
               (is_floating(dtype) ? real == other.real : integer == other.integer);
    }
};
std::string text(const Scalar& scalar);

// PyTorch's promotion. Operands fall into three ranks, each promoted among itself; a higher
// category wins over a higher rank only where the ranks' own result is of a lower category.
struct Promotion {
    bool any[3] = {};  // tensors with dims; zero-dimensional ones; scalars
    DType dtype[3] = {};
    void tensor(DType d, bool has_dims) { add(has_dims ? 0 : 1, d); }
    void scalar(const Scalar& s);
    DType result() const;

  private:
    void add(int rank, DType d);
};
DType promote(DType a, DType b);  // between two tensors with dims

}  // namespace tg
