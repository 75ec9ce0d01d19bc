// The table of one level. A level is what its six files export, and its name.
#include "kernels/cpu/levels/level.h"

namespace tg::kernels::cpu::TAPEGRAPH_LEVEL {
namespace {

#if defined(__AVX512F__)
constexpr const char* level_name = "x86-64-v4";
#elif defined(__AVX2__)
constexpr const char* level_name = "x86-64-v3";
#elif defined(__x86_64__)
constexpr const char* level_name = "x86-64-v1";
#else
constexpr const char* level_name = "generic";
#endif

Block block(int formula, DType dtype) {
    if (is_low_precision(dtype)) return low_block(formula, dtype);
    const bool is_float = dtype == DType::float32 || dtype == DType::float64;
    return is_float ? float_block(formula, dtype) : integer_block(formula, dtype);
}

}  // namespace

constinit const Level level{.name = level_name,
                            .block = block,
                            .cast_block = cast_block,
                            .reduction = reduction_of,
                            .product = product};

}  // namespace tg::kernels::cpu::TAPEGRAPH_LEVEL
