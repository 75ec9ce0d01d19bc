// Cross entropy of lines with a class each, and its gradient: kernels/lines.h, by the teams of
// teams.h. The softmax between is in no memory: both read the line as often as it takes.
#include "kernels/cuda/indexed.h"
#include "kernels/cuda/teams.h"

namespace tg::kernels::cuda {
namespace {

using lines::Lines;

template <class Team, class T>
__global__ void cross_entropy_lines(Layout<2> each, T* losses, Lines<const T> x,
                                    const std::int64_t* target) {
    for (std::int64_t l = first_line<Team>(); l < x.count; l += team_count<Team>()) {
        std::int64_t at[2];
        each.offset(l, at);
        const Team team;
        const T loss = lines::cross_entropy<T>(team, x[l], target[at[1]]);
        if (team.rank() == 0) losses[at[0]] = loss;
    }
}

template <class Team, class T>
__global__ void cross_entropy_gradient_lines(Lines<T> dx, Layout<2> each, const T* g,
                                             Lines<const T> x, const std::int64_t* target) {
    for (std::int64_t l = first_line<Team>(); l < x.count; l += team_count<Team>()) {
        std::int64_t at[2];
        each.offset(l, at);
        lines::cross_entropy_gradient<T>(Team{}, dx[l], g[at[0]], x[l], target[at[1]]);
    }
}

// Where line l's numbers lie in two arrays (lines,).
Layout<2> of_each_line(const Array& a, const Array& b) {
    Layout<2> each;
    each.append(a.shape[0], {a.strides[0], b.strides[0]});
    return each;
}

template <Teams teams>
bool forward(const Array& losses, const Array& x, const Array& target, Outside& outside) {
    if (!find_outside<ThisMachine>(target, x.shape[1], false, outside)) return false;
    if (outside) return true;
    return of_floats(x.dtype, [&]<class T>(T) {
        return with_teams(teams, x.shape[0], x.shape[1], [&]<class Team>(Team, dim3 grid) {
            launch(cross_entropy_lines<Team, T>, grid, team_block, 0, of_each_line(losses, target),
                   static_cast<T*>(losses.data), Lines<const T>(x),
                   static_cast<const std::int64_t*>(target.data));
        });
    });
}

template <Teams teams>
bool gradient(const Array& dx, const Array& g, const Array& x, const Array& target) {
    return of_floats(x.dtype, [&]<class T>(T) {
        return with_teams(teams, x.shape[0], x.shape[1], [&]<class Team>(Team, dim3 grid) {
            launch(cross_entropy_gradient_lines<Team, T>, grid, team_block, 0, Lines<T>(dx),
                   of_each_line(g, target), static_cast<const T*>(g.data), Lines<const T>(x),
                   static_cast<const std::int64_t*>(target.data));
        });
    });
}

}  // namespace

template <class Machine>
bool cross_entropy(const Array& losses, const Array& x, const Array& target, Outside& outside) {
    return forward<Teams::best>(losses, x, target, outside);
}

template <class Machine>
std::span<const Rung<CrossEntropy>> cross_entropy_rungs() {
    static constexpr Rung<CrossEntropy> rungs[] = {{"by threads", forward<Teams::threads>},
                                                   {"by warps", forward<Teams::warps>},
                                                   {"by blocks", forward<Teams::blocks>}};
    return rungs;
}

template <class Machine>
bool cross_entropy_gradient(const Array& dx, const Array& g, const Array& x, const Array& target) {
    return gradient<Teams::best>(dx, g, x, target);
}

template <class Machine>
std::span<const Rung<CrossEntropyGradient>> cross_entropy_gradient_rungs() {
    static constexpr Rung<CrossEntropyGradient> rungs[] = {{"by threads", gradient<Teams::threads>},
                                                           {"by warps", gradient<Teams::warps>},
                                                           {"by blocks", gradient<Teams::blocks>}};
    return rungs;
}

template bool cross_entropy<ThisMachine>(const Array&, const Array&, const Array&, Outside&);
template std::span<const Rung<CrossEntropy>> cross_entropy_rungs<ThisMachine>();
template bool cross_entropy_gradient<ThisMachine>(const Array&, const Array&, const Array&,
                                                  const Array&);
template std::span<const Rung<CrossEntropyGradient>> cross_entropy_gradient_rungs<ThisMachine>();

}  // namespace tg::kernels::cuda
