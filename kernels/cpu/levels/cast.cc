// The casts between all pairs of dtypes, one loop each; a cast to the same dtype is a copy.
#include "kernels/cpu/levels/elementwise.h"
#include "kernels/low_precision.h"

namespace tg::kernels::cpu::TAPEGRAPH_LEVEL {
namespace {

using formula::BFloat16;
using formula::converted;
using formula::Float16;

template <class To, class From>
void cast_loop(std::int64_t n, void* out, const void* const* in, const int* steps) {
    const From* x = static_cast<const From*>(in[0]);
    To* y = static_cast<To*>(out);
    if (steps[0] == 0) return spread<To>(converted<To>(x[0]), n, y);
    TG_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) y[i] = converted<To>(x[i]);
}

// The types in the order of DType.
using Types = formula::List<bool, std::uint8_t, std::int8_t, std::int16_t, std::int32_t,
                            std::int64_t, Float16, BFloat16, float, double>;

template <class From, class All>
struct CastsFrom;
template <class From, class... To>
struct CastsFrom<From, formula::List<To...>> {
    static constexpr Block to[] = {cast_loop<To, From>...};
};

template <class All>
struct Casts;
template <class... From>
struct Casts<formula::List<From...>> {
    static constexpr const Block* from[] = {CastsFrom<From, Types>::to...};
};

}  // namespace

Block cast_block(DType from, DType to) {
    return Casts<Types>::from[static_cast<int>(from)][static_cast<int>(to)];
}

}  // namespace tg::kernels::cpu::TAPEGRAPH_LEVEL
