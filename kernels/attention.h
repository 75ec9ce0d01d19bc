// Scaled dot-product attention, a query or a key at a time: for the CPU, and for the first rung of
// kernels/cuda/attention.cu.
//   s_ij = scale q_i . k_j    lse_i = log sum_j e^(s_ij)    p_ij = e^(s_ij - lse_i)
//   y_i = sum_j p_ij v_j
// No (queries, keys) matrix is stored. Whoever wants p_ij later computes it again, for which lse, a
// number a query, is enough. [Dao et al. 2022, FlashAttention; Dao 2023, FlashAttention-2]
#pragma once

#include "kernels/lines.h"

namespace tg::kernels::attention {

using lines::Line;

// The rows of an array (B, rows, width).
template <class T>
struct Rows {
    T* data = nullptr;
    std::int64_t batch = 0, count = 0, width = 0;
    std::int64_t steps[3] = {};
    explicit Rows(const Array& x)
        : data(static_cast<T*>(x.data)),
          batch(x.shape[0]),
          count(x.shape[1]),
          width(x.shape[2]),
          steps{x.strides[0], x.strides[1], x.strides[2]} {}
    TG_FORMULA_FN Line<T> operator()(std::int64_t b, std::int64_t i) const {
        return {data + b * steps[0] + i * steps[1], width, steps[2]};
    }
};

template <class T>
TG_FORMULA_FN T dot(const Line<const T>& x, const Line<const T>& y) {
    T sum = 0;
    for (std::int64_t c = 0; c < x.n; ++c) sum += x[c] * y[c];
    return sum;
}

template <class T>
TG_FORMULA_FN void add(const Line<T>& sum, T factor, const Line<const T>& x) {
    for (std::int64_t c = 0; c < x.n; ++c) sum[c] += factor * x[c];
}

template <class T>
TG_FORMULA_FN void clear(const Line<T>& x) {
    for (std::int64_t c = 0; c < x.n; ++c) x[c] = 0;
}

// What is read: q (B, L, E), k (B, S, E), v (B, S, V).
template <class T>
struct Inputs {
    Rows<const T> q, k, v;
    T scale = 1;
    bool causal = false;
    // Query i looks at so many keys, the first ones; key j is seen by this query and all after it.
    TG_FORMULA_FN std::int64_t keys_of(std::int64_t i) const {
        return causal && i < k.count ? i + 1 : k.count;
    }
    TG_FORMULA_FN std::int64_t first_query_of(std::int64_t j) const { return causal ? j : 0; }
    TG_FORMULA_FN T score(std::int64_t b, std::int64_t i, std::int64_t j) const {
        return scale * dot(q(b, i), k(b, j));
    }
};

// y_i, and lse_i is given back.
template <class T>
TG_FORMULA_FN T attend(const Inputs<T>& in, std::int64_t b, std::int64_t i, const Line<T>& y) {
    lines::Peak<T> peak = lines::no_peak<T>();
    for (std::int64_t j = 0; j < in.keys_of(i); ++j) lines::add_to(peak, in.score(b, i, j));
    const T lse = peak.largest + formula::Log::of<T>(peak.total);
    clear(y);
    for (std::int64_t j = 0; j < in.keys_of(i); ++j)
        add(y, formula::Exp::of<T>(in.score(b, i, j) - lse), in.v(b, j));
    return lse;
}

// What the gradient reads beside: lse and delta (B, L, 1), g (B, L, V), the gradient of y.
//   ds_ij = p_ij (g_i . v_j - delta_i) with delta_i = g_i . y_i
//   dq_i = scale sum_j ds_ij k_j    dk_j = scale sum_i ds_ij q_i    dv_j = sum_i p_ij g_i
template <class T>
struct GradientInputs : Inputs<T> {
    Rows<const T> lse, delta, g;
    TG_FORMULA_FN T weight(std::int64_t b, std::int64_t i, T score) const {
        return formula::Exp::of<T>(score - lse(b, i)[0]);
    }
};

template <class T>
TG_FORMULA_FN void query_gradient(const GradientInputs<T>& in, std::int64_t b, std::int64_t i,
                                  const Line<T>& dq) {
    clear(dq);
    for (std::int64_t j = 0; j < in.keys_of(i); ++j) {
        const T p = in.weight(b, i, in.score(b, i, j));
        add(dq, in.scale * p * (dot(in.g(b, i), in.v(b, j)) - in.delta(b, i)[0]), in.k(b, j));
    }
}

template <class T>
TG_FORMULA_FN void key_gradient(const GradientInputs<T>& in, std::int64_t b, std::int64_t j,
                                const Line<T>& dk, const Line<T>& dv) {
    clear(dk);
    clear(dv);
    for (std::int64_t i = in.first_query_of(j); i < in.q.count; ++i) {
        const T p = in.weight(b, i, in.score(b, i, j));
        add(dk, in.scale * p * (dot(in.g(b, i), in.v(b, j)) - in.delta(b, i)[0]), in.q(b, i));
        add(dv, p, in.g(b, i));
    }
}

}  // namespace tg::kernels::attention
