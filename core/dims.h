// Shapes and strides, as plain values of fixed capacity.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "kernels/array.h"

namespace tg {

// A list of up to max_dims numbers: a shape, strides, or the dims an op was asked for.
struct Dims {
    std::int64_t values[max_dims] = {};
    int count = 0;

    Dims() = default;
    Dims(std::initializer_list<std::int64_t> list);
    explicit Dims(std::span<const std::int64_t> list);  // throws Error past max_dims
    static Dims of(int count, std::int64_t value);

    int size() const { return count; }
    bool empty() const { return count == 0; }
    std::int64_t& operator[](int i) { return values[i]; }
    std::int64_t operator[](int i) const { return values[i]; }
    std::int64_t* begin() { return values; }
    std::int64_t* end() { return values + count; }
    const std::int64_t* begin() const { return values; }
    const std::int64_t* end() const { return values + count; }
    void push_back(std::int64_t value);  // throws Error past max_dims
    void insert(int at, std::int64_t value);
    void erase(int at);
    bool contains(std::int64_t value) const;
    bool operator==(const Dims& other) const;
};

// A dim that is not known while a graph is built (a placeholder's None) is a number of its own
// below every real one: equal codes are the same dim. Feeds give it its value.
constexpr std::int64_t unknown_dims = -(std::int64_t{1} << 40);
constexpr bool is_unknown(std::int64_t dim) { return dim <= unknown_dims; }
bool any_unknown(const Dims& shape);
std::int64_t new_unknown();

std::string text(const Dims& shape);            // "(32, 10)", "(5,)", "()"; an unknown dim is "?"
std::int64_t element_count(const Dims& shape);  // throws Error if it does not fit, or is unknown
Dims contiguous_strides(const Dims& shape);     // unknown where a later dim is

// Where a tensor's elements lie in its storage.
struct Layout {
    Dims shape;
    Dims strides;             // in elements
    std::int64_t offset = 0;  // in elements

    static Layout contiguous(const Dims& shape) { return {shape, contiguous_strides(shape), 0}; }
    bool is_contiguous() const;
    bool overlaps() const;  // may two indices name one element? (a stride of 0, ...)
    bool operator==(const Layout& other) const = default;
};

// The dim that d names in a tensor of n dims: -1 is the last. Throws IndexError.
int wrap_dim(const char* op, std::int64_t d, int n);

// NumPy's rule: align at the right, sizes equal or 1. Throws Error naming both shapes.
Dims broadcast(const char* op, const Dims& a, const Dims& b);

// A dim, several, or (empty) all of them.
struct DimList {
    Dims dims;
    bool all = false;
    DimList() : all(true) {}
    DimList(int dim) { dims.push_back(dim); }
    DimList(std::int64_t dim) { dims.push_back(dim); }
    DimList(std::initializer_list<std::int64_t> list) : dims(list) {}
    DimList(const Dims& list) : dims(list) {}
};

}  // namespace tg
