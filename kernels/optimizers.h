// What an optimiser's step does to one element: each rule once, for the CPU and for CUDA. The order
// of the arithmetic, and what is float64 in it, are those of core/optim, op by op: so are the bits.
// Read next: cuda/optimizers.cu.
#pragma once

#include "kernels/math.h"

namespace tg::kernels {

// d = g + weight_decay p;  b = momentum b + (1 - dampening) d, the first one undamped;
// p = p - lr (b, or with nesterov d + momentum b; or d, where the momentum is 0)
struct SgdRule {
    static constexpr int states = 1;  // b
    double momentum = 0, dampening = 0, weight_decay = 0;
    bool nesterov = false, maximize = false;

    TG_FORMULA_FN bool keeps(int) const { return momentum != 0; }  // is there this state?
    TG_FORMULA_FN bool counts() const { return momentum != 0 && dampening != 0; }

    // What is the same for all elements of a tensor, after `step` steps.
    template <class T>
    struct Rates {
        T lr, momentum, weight_decay, share;
    };
    template <class T>
    TG_FORMULA_FN Rates<T> rates(double lr, double step) const {
        const double first = formula::Minimum::of(step, 1.0);  // 0 in the first step
        return {static_cast<T>(lr), static_cast<T>(momentum), static_cast<T>(weight_decay),
                static_cast<T>(1 - first * dampening)};
    }
    template <class T>
    TG_FORMULA_FN T change(const Rates<T>& r, T p, T g, T (&state)[states]) const {
        T d = maximize ? -g : g;
        if (weight_decay != 0) d = d + p * r.weight_decay;
        if (momentum != 0) {
            T& b = state[0];
            b = b * r.momentum;
            b = b + (dampening == 0 ? d : d * r.share);
            d = nesterov ? d + b * r.momentum : b;
        }
        return p - d * r.lr;
    }
};

// m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
// p = p - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps), at step t = 1, 2, ...
// With amsgrad the largest v so far stands in the root; the weight decays before all this, in g or,
// decoupled, in p.
struct AdamRule {
    static constexpr int states = 3;  // m, v, the largest v
    double beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
    bool amsgrad = false, maximize = false, decoupled = false;

    TG_FORMULA_FN bool keeps(int state) const { return state < 2 || amsgrad; }
    TG_FORMULA_FN bool counts() const { return true; }

    template <class T>
    struct Rates {
        T shrink, weight_decay, weight1, rest1, beta2, weight2, eps, root, lr;
    };
    template <class T>
    TG_FORMULA_FN Rates<T> rates(double lr, double step) const {
        const double t = step + 1;
        const double weight1 = 1 - beta1;
        return {static_cast<T>(1 - lr * weight_decay),
                static_cast<T>(weight_decay),
                static_cast<T>(weight1),
                static_cast<T>(1 - weight1),
                static_cast<T>(beta2),
                static_cast<T>(1 - beta2),
                static_cast<T>(eps),
                static_cast<T>(formula::Sqrt::of(1 - formula::Pow::of(beta2, t))),
                static_cast<T>(lr / (1 - formula::Pow::of(beta1, t)))};
    }
    template <class T>
    TG_FORMULA_FN T change(const Rates<T>& r, T p, T g, T (&state)[states]) const {
        if (maximize) g = -g;
        if (weight_decay != 0) {
            if (decoupled)
                p = p * r.shrink;
            else
                g = g + p * r.weight_decay;
        }
        T &m = state[0], &v = state[1];
        m = 1 - beta1 >= 0.5 ? g - (g - m) * r.rest1 : m + (g - m) * r.weight1;
        v = v * r.beta2;
        v = v + g * r.weight2 * g;
        if (amsgrad) state[2] = formula::Maximum::of(state[2], v);
        const T root = formula::Sqrt::of(amsgrad ? state[2] : v) / r.root + r.eps;
        return p - m * r.lr / root;
    }
};

// Where a rule's operands lie in a list of arrays. Behind the learning rate, a float64 of no dims,
// come for each tensor: p, g, its states, and where steps are counted, how many there were, float64
// of no dims. The results are for each: p, its states, the count.
template <class Rule>
constexpr int operands_of(const Rule& rule) {
    int n = 2 + (rule.counts() ? 1 : 0);
    for (int k = 0; k < Rule::states; ++k) n += rule.keeps(k) ? 1 : 0;
    return n;
}

}  // namespace tg::kernels
