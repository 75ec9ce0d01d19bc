// Softmax of lines, its logarithm, and their gradients. A line is read twice and written once, by
// the formulas of kernels/lines.h; the ladder is who works on it: teams.h.
#include "kernels/cuda/teams.h"

namespace tg::kernels::cuda {
namespace {

using lines::Lines;

template <class Team, class T>
__global__ void softmax_lines(Lines<T> y, Lines<const T> x, bool log) {
    for (std::int64_t l = first_line<Team>(); l < x.count; l += team_count<Team>())
        lines::softmax<T>(Team{}, y[l], x[l], log);
}

template <class Team, class T>
__global__ void softmax_gradient_lines(Lines<T> dx, Lines<const T> g, Lines<const T> y, bool log) {
    for (std::int64_t l = first_line<Team>(); l < g.count; l += team_count<Team>())
        lines::softmax_gradient<T>(Team{}, dx[l], g[l], y[l], log);
}

template <Teams teams>
bool forward(const Array& y, const Array& x, bool log) {
    return of_floats(x.dtype, [&]<class T>(T) {
        return with_teams(teams, x.shape[0], x.shape[1], [&]<class Team>(Team, dim3 grid) {
            launch(softmax_lines<Team, T>, grid, team_block, 0, Lines<T>(y), Lines<const T>(x),
                   log);
        });
    });
}

template <Teams teams>
bool gradient(const Array& dx, const Array& g, const Array& y, bool log) {
    return of_floats(g.dtype, [&]<class T>(T) {
        return with_teams(teams, g.shape[0], g.shape[1], [&]<class Team>(Team, dim3 grid) {
            launch(softmax_gradient_lines<Team, T>, grid, team_block, 0, Lines<T>(dx),
                   Lines<const T>(g), Lines<const T>(y), log);
        });
    });
}

}  // namespace

template <class Machine>
bool softmax(const Array& y, const Array& x, bool log) {
    return forward<Teams::best>(y, x, log);
}

template <class Machine>
std::span<const Rung<Softmax>> softmax_rungs() {
    static constexpr Rung<Softmax> rungs[] = {{"by threads", forward<Teams::threads>},
                                              {"by warps", forward<Teams::warps>},
                                              {"by blocks", forward<Teams::blocks>}};
    return rungs;
}

template <class Machine>
bool softmax_gradient(const Array& dx, const Array& g, const Array& y, bool log) {
    return gradient<Teams::best>(dx, g, y, log);
}

template <class Machine>
std::span<const Rung<SoftmaxGradient>> softmax_gradient_rungs() {
    static constexpr Rung<SoftmaxGradient> rungs[] = {{"by threads", gradient<Teams::threads>},
                                                      {"by warps", gradient<Teams::warps>},
                                                      {"by blocks", gradient<Teams::blocks>}};
    return rungs;
}

template bool softmax<ThisMachine>(const Array&, const Array&, bool);
template std::span<const Rung<Softmax>> softmax_rungs<ThisMachine>();
template bool softmax_gradient<ThisMachine>(const Array&, const Array&, const Array&, bool);
template std::span<const Rung<SoftmaxGradient>> softmax_gradient_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
