// Sums over any dims. The ladder is in reduction.h; here is what one step of it does: an addition.
#include "kernels/cuda/reduction.h"
#include "kernels/math.h"

namespace tg::kernels::cuda {
namespace {

template <class T>
struct Plus {
    using In = T;
    using Out = T;
    using State = T;
    static __device__ T start() { return T(0); }
    static __device__ T read(T x, std::int64_t) { return x; }
    static __device__ T of(T a, T b) { return formula::Add::of<T>(a, b); }
    static __device__ T from_above(T mine, unsigned delta) { return from_lane_above(mine, delta); }
    static __device__ T result(T all) { return all; }
};

template <Choice choice>
bool run(const Array& out, const Array& in) {
    if (out.dtype != in.dtype) return false;
    return visit_numbers(in.dtype,
                         [&]<class T>(T) { return run_reduction<Plus<T>>(choice, out, in); });
}

}  // namespace

// Chooses by best_of().
template <class Machine>
bool sum(const Array& out, const Array& in) {
    return run<Choice::best>(out, in);
}

template <class Machine>
std::span<const Rung<Sum>> sum_rungs() {
    static constexpr Rung<Sum> rungs[] = {{"by threads", run<Choice::threads>},
                                          {"by blocks", run<Choice::blocks>},
                                          {"by shuffles", run<Choice::shuffles>},
                                          {"in two passes", run<Choice::passes>}};
    return rungs;
}

template bool sum<ThisMachine>(const Array&, const Array&);
template std::span<const Rung<Sum>> sum_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
