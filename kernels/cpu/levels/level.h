// One level of the processor: the loops that gain from its vectors, compiled once with its
// instructions, in a namespace of its own. What is not a loop over numbers lies outside, in
// kernels/cpu, and is compiled once for all.
//
// Nothing in this folder may use a function template or an inline function of std or of ours from
// another namespace, unless it is always inlined: the linker would merge the copies of all levels
// into one, and an old processor would meet an instruction it does not know. A test asks nm.
// Read next: elementwise.h, reduce.cc, matmul.cc.
#pragma once

#include "kernels/cpu/cpu.h"

#ifndef TAPEGRAPH_LEVEL
#define TAPEGRAPH_LEVEL generic
#endif

// In front of a loop: no element depends on one before it, though out may be the same as an input.
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed"
#define TG_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define TG_INDEPENDENT _Pragma("GCC ivdep")
#endif

namespace tg::kernels::cpu {

constexpr int reduce_block = 1024;   // elements summed in lanes; above, a tree of such blocks
constexpr int reduce_columns = 128;  // columns reduced side by side
constexpr int product_k = 512;       // the most of k that one block of a product takes

enum class Reducing { sum, amax, amin };

// A reduction of one dtype. Partial results have the dtype of the output.
struct Reduction {
    // partial = the reduction of x[0 .. n), n <= reduce_block
    void (*block)(std::int64_t n, const void* x, void* partial) = nullptr;
    // partial[c] = the reduction of x[offsets[0 .. n) + c], for columns c, at most reduce_columns
    void (*columns)(std::int64_t n, const std::int64_t* offsets, std::int64_t columns,
                    const void* x, void* partial) = nullptr;
    // a[c] = a[c] + b[c], or the larger, or the smaller
    void (*combine)(std::int64_t n, void* a, const void* b) = nullptr;
};

// One block of a matrix product: C (m, n) = A (m, k) B (k, n), or C += A B if `more`; k is at most
// product_k.
// Strides are in elements. B either lies as it is (rows of unit stride, b_row elements apart), or
// packed in strips `strip` columns wide, one after the other, each (k, strip), padded with zeros.
struct Product {
    std::int64_t m = 0, n = 0, k = 0;
    const void* a = nullptr;
    std::int64_t a_row = 0, a_column = 0;
    const void* b = nullptr;
    std::int64_t b_row = 0;
    bool packed = false;
    void* c = nullptr;
    std::int64_t c_row = 0;
    bool more = false;
};

struct ProductKernels {
    std::int64_t tile_rows = 0, strip = 0;
    void (*block)(const Product& product) = nullptr;
    // strip `to` (k, strip) = columns [0, columns) of B (k, n), the rest 0
    void (*pack)(std::int64_t k, std::int64_t columns, const void* b, std::int64_t b_row,
                 std::int64_t b_column, void* to) = nullptr;
};

struct Level {
    const char* name = "";
    Block (*block)(int formula, DType dtype) = nullptr;
    Block (*cast_block)(DType from, DType to) = nullptr;
    const Reduction* (*reduction)(Reducing how, DType dtype) = nullptr;
    const ProductKernels* (*product)(DType dtype) = nullptr;  // null: the naive one
};

// The level in use; see dispatch.cc.
const Level& current_level();

// What the files of this folder put into the table, level.cc.
namespace TAPEGRAPH_LEVEL {
extern const Level level;
Block float_block(int formula, DType dtype);
Block integer_block(int formula, DType dtype);
Block low_block(int formula, DType dtype);
Block cast_block(DType from, DType to);
const Reduction* reduction_of(Reducing how, DType dtype);
const ProductKernels* product(DType dtype);
}  // namespace TAPEGRAPH_LEVEL

}  // namespace tg::kernels::cpu
