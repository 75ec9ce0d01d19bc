// The largest and the smallest over any dims; NaN if one is NaN. The ladder is in reduction.h; here
// is what one step of it does: the formula of maximum or minimum.
#include <limits>

#include "kernels/cuda/reduction.h"
#include "kernels/math.h"

namespace tg::kernels::cuda {
namespace {

// Below all numbers (above, for a minimum): whoever has met nothing changes nothing.
template <class Formula, class T>
constexpr T start_of() {
    using Limits = std::numeric_limits<T>;
    constexpr bool largest = std::is_same_v<Formula, formula::Maximum>;
    if constexpr (Limits::has_infinity)
        return largest ? -Limits::infinity() : Limits::infinity();
    else
        return largest ? Limits::min() : Limits::max();
}
// A variable, because std::numeric_limits has functions of the host alone.
template <class Formula, class T>
constexpr T start_value = start_of<Formula, T>();

template <class Formula, class T>
struct Extremum {
    using In = T;
    using Out = T;
    using State = T;
    static __device__ T start() { return start_value<Formula, T>; }
    static __device__ T read(T x, std::int64_t) { return x; }
    static __device__ T of(T a, T b) { return Formula::template of<T>(a, b); }
    static __device__ T from_above(T mine, unsigned delta) { return from_lane_above(mine, delta); }
    static __device__ T result(T all) { return all; }
};

template <class Formula, Choice choice>
bool run(const Array& out, const Array& in) {
    if (out.dtype != in.dtype) return false;
    return visit_all(
        in.dtype, [&]<class T>(T) { return run_reduction<Extremum<Formula, T>>(choice, out, in); });
}

template <class Formula>
constexpr Rung<Reduce> rungs_of[] = {{"by threads", run<Formula, Choice::threads>},
                                     {"by blocks", run<Formula, Choice::blocks>},
                                     {"by shuffles", run<Formula, Choice::shuffles>},
                                     {"in two passes", run<Formula, Choice::passes>}};

}  // namespace

// Both choose by best_of().
template <class Machine>
bool amax(const Array& out, const Array& in) {
    return run<formula::Maximum, Choice::best>(out, in);
}
template <class Machine>
bool amin(const Array& out, const Array& in) {
    return run<formula::Minimum, Choice::best>(out, in);
}
template <class Machine>
std::span<const Rung<Reduce>> amax_rungs() {
    return rungs_of<formula::Maximum>;
}
template <class Machine>
std::span<const Rung<Reduce>> amin_rungs() {
    return rungs_of<formula::Minimum>;
}

template bool amax<ThisMachine>(const Array&, const Array&);
template bool amin<ThisMachine>(const Array&, const Array&);
template std::span<const Rung<Reduce>> amax_rungs<ThisMachine>();
template std::span<const Rung<Reduce>> amin_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
