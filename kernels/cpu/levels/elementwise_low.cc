// The elementwise loops for float16 and bfloat16: a tile of each input is widened, the float32 loop
// of the formula runs over it, and the tile that it made is rounded.
#include "kernels/cpu/levels/elementwise.h"
#include "kernels/low_precision.h"

namespace tg::kernels::cpu::TAPEGRAPH_LEVEL {
namespace {

// One copy of each, and not one in every formula's loop: a tile is enough work for a call.
template <class Low>
[[gnu::noinline]] void widen(std::int64_t n, const void* from, float* to) {
    const Low* x = static_cast<const Low*>(from);
    for (std::int64_t i = 0; i < n; ++i) to[i] = formula::widen(x[i]);
}

template <class Low>
[[gnu::noinline]] void narrow(std::int64_t n, const float* from, void* to) {
    Low* y = static_cast<Low*>(to);
    for (std::int64_t i = 0; i < n; ++i) y[i] = formula::narrow<Low>(from[i]);
}

template <class F, class Low>
void low(std::int64_t n, void* out, const void* const* in, const int* steps) {
    using Out = Result<F, Low>;
    const Block wide = float_block(formula::id<F>, DType::float32);
    float inputs[F::inputs][tile], result[tile];
    const void* from[F::inputs];
    for (std::int64_t i = 0; i < n; i += tile) {
        const std::int64_t count = n - i < tile ? n - i : tile;
        for (int k = 0; k < F::inputs; ++k) {
            const std::int64_t at = steps[k] == 0 ? 0 : i;
            if (F::selects && k == 0) {
                from[k] = static_cast<const bool*>(in[k]) + at;
            } else {
                widen<Low>(steps[k] == 0 ? 1 : count, static_cast<const Low*>(in[k]) + at,
                           inputs[k]);
                from[k] = inputs[k];
            }
        }
        Out* to = static_cast<Out*>(out) + i;
        if constexpr (F::compares) {
            wide(count, to, from, steps);
        } else {
            wide(count, result, from, steps);
            narrow<Low>(count, result, to);
        }
    }
}

template <class F, class Low>
constexpr Block low_block_of() {
    if constexpr (formula::defined<F, float>)
        return low<F, Low>;
    else
        return nullptr;
}

template <class Low, class Formulas>
struct LowBlocks;
template <class Low, class... F>
struct LowBlocks<Low, formula::List<F...>> {
    static constexpr Block by_number[] = {low_block_of<F, Low>()...};
};

}  // namespace

Block low_block(int formula, DType dtype) {
    return dtype == DType::float16 ? LowBlocks<formula::Float16, formula::All>::by_number[formula]
                                   : LowBlocks<formula::BFloat16, formula::All>::by_number[formula];
}

}  // namespace tg::kernels::cpu::TAPEGRAPH_LEVEL
