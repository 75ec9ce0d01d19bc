// Where along a dim the largest or the smallest is: the first of equals, and NaN wins. The ladder
// is in reduction.h. A state is an element with its place, so that two that are equal know which
// came first, in whatever order they meet.
#include "kernels/cuda/reduction.h"

namespace tg::kernels::cuda {
namespace {

template <bool least, class T>
struct Place {
    struct Found {
        T value;
        std::int64_t place;  // -1: nothing met yet
    };
    using In = T;
    using Out = std::int64_t;
    using State = Found;
    static __device__ Found start() { return {T(0), -1}; }
    static __device__ Found read(T x, std::int64_t r) { return {x, r}; }
    static __device__ Found of(const Found& a, const Found& b) {
        if (a.place < 0 || b.place < 0) return a.place < 0 ? b : a;
        const bool a_is_nan = a.value != a.value, b_is_nan = b.value != b.value;
        const bool beats = least ? b.value < a.value : b.value > a.value;
        const bool equal = a.value == b.value || (a_is_nan && b_is_nan);
        const bool b_wins = equal ? b.place < a.place : !a_is_nan && (b_is_nan || beats);
        return b_wins ? b : a;
    }
    static __device__ Found from_above(const Found& mine, unsigned delta) {
        return {from_lane_above(mine.value, delta), from_lane_above(mine.place, delta)};
    }
    static __device__ std::int64_t result(const Found& all) { return all.place; }
};

template <bool least, Choice choice>
bool run(const Array& out, const Array& in, int dim) {
    if (in.shape[dim] == 0) return true;
    return visit_all(in.dtype,
                     [&]<class T>(T) { return run_reduction<Place<least, T>>(choice, out, in); });
}

template <bool least>
constexpr Rung<FindPlace> rungs_of[] = {{"by threads", run<least, Choice::threads>},
                                        {"by blocks", run<least, Choice::blocks>},
                                        {"by shuffles", run<least, Choice::shuffles>},
                                        {"in two passes", run<least, Choice::passes>}};

}  // namespace

// Both choose by best_of().
template <class Machine>
bool argmax(const Array& out, const Array& in, int dim) {
    return run<false, Choice::best>(out, in, dim);
}
template <class Machine>
bool argmin(const Array& out, const Array& in, int dim) {
    return run<true, Choice::best>(out, in, dim);
}
template <class Machine>
std::span<const Rung<FindPlace>> argmax_rungs() {
    return rungs_of<false>;
}
template <class Machine>
std::span<const Rung<FindPlace>> argmin_rungs() {
    return rungs_of<true>;
}

template bool argmax<ThisMachine>(const Array&, const Array&, int);
template bool argmin<ThisMachine>(const Array&, const Array&, int);
template std::span<const Rung<FindPlace>> argmax_rungs<ThisMachine>();
template std::span<const Rung<FindPlace>> argmin_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
