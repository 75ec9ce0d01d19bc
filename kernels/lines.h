// What is computed of whole lines of numbers, for one thread or for many that share a line:
// softmax, cross entropy, layer norm. The CPU and the kernels of kernels/cuda both call these.
//
// Each thread of a team takes every size-th number, from its rank on; `sum` and `largest` tell all
// of them what the team has together. A team of one is Alone.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/array.h"
#include "kernels/math.h"

namespace tg::kernels::lines {

// One of the lines of an array (lines, n).
template <class T>
struct Line {
    T* data;
    std::int64_t n, step;
    TG_FORMULA_FN T& operator[](std::int64_t i) const { return data[i * step]; }
};

template <class T>
struct Lines {
    T* data = nullptr;
    std::int64_t count = 0, n = 0;
    std::int64_t steps[2] = {};
    explicit Lines(const Array& x)
        : data(static_cast<T*>(x.data)),
          count(x.shape[0]),
          n(x.shape[1]),
          steps{x.strides[0], x.strides[1]} {}
    TG_FORMULA_FN Line<T> operator[](std::int64_t l) const {
        return {data + l * steps[0], n, steps[1]};
    }
};

struct Alone {
    TG_FORMULA_FN int rank() const { return 0; }
    TG_FORMULA_FN int size() const { return 1; }
    template <class T>
    TG_FORMULA_FN T sum(T mine) const {
        return mine;
    }
    template <class T>
    TG_FORMULA_FN T largest(T mine) const {
        return mine;
    }
};

// ---- softmax ----------------------------------------------------------------------------------
// The largest x, and the sum of all e^(x - largest), in one pass: where a larger one turns up, the
// sum so far is scaled down. [Milakov and Gimelshein 2018, Online normalizer calculation]
template <class T>
struct Peak {
    T largest, total;
};

template <class T>
TG_FORMULA_FN Peak<T> no_peak() {
    return {static_cast<T>(-INFINITY), 0};
}

// By what a sum of e^(x - from) becomes one of e^(x - to).
template <class T>
TG_FORMULA_FN T moved(T from, T to) {
    return from == to ? 1 : formula::Exp::of<T>(from - to);
}

template <class T>
TG_FORMULA_FN void add_to(Peak<T>& peak, T x) {
    if (x == static_cast<T>(-INFINITY)) return;  // e^x is 0, and x - largest may be no number
    if (x > peak.largest) {
        peak.total *= moved(peak.largest, x);
        peak.largest = x;
    }
    peak.total += formula::Exp::of<T>(x - peak.largest);
}

template <class T, class Team>
TG_FORMULA_FN Peak<T> peak_of(const Team& team, const Line<const T>& x) {
    Peak<T> mine = no_peak<T>();
    for (std::int64_t i = team.rank(); i < x.n; i += team.size()) add_to(mine, x[i]);
    const T all = team.largest(mine.largest);
    return {all, team.sum(mine.total * moved(mine.largest, all))};
}

// y_i = e^(x_i) / sum_j e^(x_j), or its logarithm
template <class T, class Team>
TG_FORMULA_FN void softmax(const Team& team, const Line<T>& y, const Line<const T>& x, bool log) {
    const Peak<T> peak = peak_of<T>(team, x);
    const T log_total = formula::Log::of<T>(peak.total);
    for (std::int64_t i = team.rank(); i < x.n; i += team.size()) {
        const T away = x[i] - peak.largest;
        y[i] = log ? away - log_total : formula::Exp::of<T>(away) / peak.total;
    }
}

// Of y = softmax(x): dx_i = y_i (g_i - sum_j g_j y_j). Of its logarithm: dx_i = g_i - e^(y_i) sum g
template <class T, class Team>
TG_FORMULA_FN void softmax_gradient(const Team& team, const Line<T>& dx, const Line<const T>& g,
                                    const Line<const T>& y, bool log) {
    T mine = 0;
    for (std::int64_t i = team.rank(); i < g.n; i += team.size()) mine += log ? g[i] : g[i] * y[i];
    const T all = team.sum(mine);
    for (std::int64_t i = team.rank(); i < g.n; i += team.size())
        dx[i] = log ? g[i] - formula::Exp::of<T>(y[i]) * all : y[i] * (g[i] - all);
}

// ---- cross entropy ----------------------------------------------------------------------------
// -log softmax(x)_target, without the softmax
template <class T, class Team>
TG_FORMULA_FN T cross_entropy(const Team& team, const Line<const T>& x, std::int64_t target) {
    const Peak<T> peak = peak_of<T>(team, x);
    return formula::Log::of<T>(peak.total) - (x[target] - peak.largest);
}

// dx = g (softmax(x) - 1 at the target)
template <class T, class Team>
TG_FORMULA_FN void cross_entropy_gradient(const Team& team, const Line<T>& dx, T g,
                                          const Line<const T>& x, std::int64_t target) {
    const Peak<T> peak = peak_of<T>(team, x);
    for (std::int64_t i = team.rank(); i < x.n; i += team.size()) {
        const T y = formula::Exp::of<T>(x[i] - peak.largest) / peak.total;
        dx[i] = g * (i == target ? y - 1 : y);
    }
}

// ---- layer norm -------------------------------------------------------------------------------
// y = (x - mean) r with r = 1 / sqrt(variance + eps), which is given back
template <class T, class Team>
TG_FORMULA_FN T layer_norm(const Team& team, const Line<T>& y, const Line<const T>& x, T eps) {
    const T n = static_cast<T>(x.n);
    T mine = 0;
    for (std::int64_t i = team.rank(); i < x.n; i += team.size()) mine += x[i];
    const T mean = team.sum(mine) / n;
    mine = 0;
    for (std::int64_t i = team.rank(); i < x.n; i += team.size())
        mine += (x[i] - mean) * (x[i] - mean);
    const T r = 1 / formula::Sqrt::of(team.sum(mine) / n + eps);
    for (std::int64_t i = team.rank(); i < x.n; i += team.size()) y[i] = (x[i] - mean) * r;
    return r;
}

// dx_i = r (g_i - mean(g) - y_i mean(g y))
template <class T, class Team>
TG_FORMULA_FN void layer_norm_gradient(const Team& team, const Line<T>& dx, const Line<const T>& g,
                                       const Line<const T>& y, T r) {
    const T n = static_cast<T>(g.n);
    T g_mine = 0, gy_mine = 0;
    for (std::int64_t i = team.rank(); i < g.n; i += team.size()) {
        g_mine += g[i];
        gy_mine += g[i] * y[i];
    }
    const T g_mean = team.sum(g_mine) / n, gy_mean = team.sum(gy_mine) / n;
    for (std::int64_t i = team.rank(); i < g.n; i += team.size())
        dx[i] = r * (g[i] - g_mean - y[i] * gy_mean);
}

}  // namespace tg::kernels::lines
