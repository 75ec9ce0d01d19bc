// Lines with a mean of 0 and a variance of 1, and the gradient: kernels/lines.h, by the teams of
// teams.h.
#include "kernels/cuda/teams.h"

namespace tg::kernels::cuda {
namespace {

using lines::Lines;

// r (lines, 1)
template <class Team, class T>
__global__ void layer_norm_lines(Lines<T> y, Lines<T> r, Lines<const T> x, T eps) {
    for (std::int64_t l = first_line<Team>(); l < x.count; l += team_count<Team>()) {
        const Team team;
        const T found = lines::layer_norm<T>(team, y[l], x[l], eps);
        if (team.rank() == 0) r[l][0] = found;
    }
}

template <class Team, class T>
__global__ void layer_norm_gradient_lines(Lines<T> dx, Lines<const T> g, Lines<const T> y,
                                          Lines<const T> r) {
    for (std::int64_t l = first_line<Team>(); l < g.count; l += team_count<Team>())
        lines::layer_norm_gradient<T>(Team{}, dx[l], g[l], y[l], r[l][0]);
}

template <Teams teams>
bool forward(const Array& y, const Array& r, const Array& x, double eps) {
    return of_floats(x.dtype, [&]<class T>(T) {
        return with_teams(teams, x.shape[0], x.shape[1], [&]<class Team>(Team, dim3 grid) {
            launch(layer_norm_lines<Team, T>, grid, team_block, 0, Lines<T>(y), Lines<T>(r),
                   Lines<const T>(x), static_cast<T>(eps));
        });
    });
}

template <Teams teams>
bool gradient(const Array& dx, const Array& g, const Array& y, const Array& r) {
    return of_floats(g.dtype, [&]<class T>(T) {
        return with_teams(teams, g.shape[0], g.shape[1], [&]<class Team>(Team, dim3 grid) {
            launch(layer_norm_gradient_lines<Team, T>, grid, team_block, 0, Lines<T>(dx),
                   Lines<const T>(g), Lines<const T>(y), Lines<const T>(r));
        });
    });
}

}  // namespace

template <class Machine>
bool layer_norm(const Array& y, const Array& r, const Array& x, double eps) {
    return forward<Teams::best>(y, r, x, eps);
}

template <class Machine>
std::span<const Rung<LayerNorm>> layer_norm_rungs() {
    static constexpr Rung<LayerNorm> rungs[] = {{"by threads", forward<Teams::threads>},
                                                {"by warps", forward<Teams::warps>},
                                                {"by blocks", forward<Teams::blocks>}};
    return rungs;
}

template <class Machine>
bool layer_norm_gradient(const Array& dx, const Array& g, const Array& y, const Array& r) {
    return gradient<Teams::best>(dx, g, y, r);
}

template <class Machine>
std::span<const Rung<LayerNormGradient>> layer_norm_gradient_rungs() {
    static constexpr Rung<LayerNormGradient> rungs[] = {{"by threads", gradient<Teams::threads>},
                                                        {"by warps", gradient<Teams::warps>},
                                                        {"by blocks", gradient<Teams::blocks>}};
    return rungs;
}

template bool layer_norm<ThisMachine>(const Array&, const Array&, const Array&, double);
template std::span<const Rung<LayerNorm>> layer_norm_rungs<ThisMachine>();
template bool layer_norm_gradient<ThisMachine>(const Array&, const Array&, const Array&,
                                               const Array&);
template std::span<const Rung<LayerNormGradient>> layer_norm_gradient_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
