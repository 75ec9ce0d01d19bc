// Adam and AdamW: steps of the gradient's mean over the root of its mean square.
#pragma once

#include <utility>

#include "core/optim/optimizer.h"

namespace tg::optim {

struct AdamOptions {
    double lr = 1e-3;
    std::pair<double, double> betas = {0.9, 0.999};  // "beta1" and "beta2" in a group
    double eps = 1e-8;
    double weight_decay = 0;
    bool amsgrad = false;
    bool maximize = false;
    bool decoupled_weight_decay = false;
};

// p = p - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps) at step t = 1, 2, ...
//
//     g = g + weight_decay * p                    (or, decoupled, p = p - lr * weight_decay * p)
//     m = beta1 * m + (1 - beta1) * g             exp_avg
//     v = beta2 * v + (1 - beta2) * g^2           exp_avg_sq
//
// m and v start as 0, and so are too small at first, by the factor 1 - beta^t. With amsgrad the
// largest v so far (max_exp_avg_sq) stands in the root. All three have their parameter's shape; t
// (step) is float64 of no dims. Throws ValueError for a negative lr, eps or weight_decay, and for
// betas outside of [0, 1).
// [Kingma & Ba 2015, Adam: a method for stochastic optimization, algorithm 1]
// [Reddi, Kale & Kumar 2018, On the convergence of Adam and beyond, for amsgrad]
class Adam : public Optimizer {
  public:
    Adam(const std::vector<Tensor>& params, const AdamOptions& options = {});
    Adam(const std::vector<Group>& groups, const AdamOptions& options = {});

  protected:
    Adam(const char* name, const std::vector<Group>& groups, const AdamOptions& options);
    void make_state(ParamGroup& group) override;
    bool update_together(const ParamGroup& group, const std::vector<std::size_t>& places) override;
    void update(Tensor& param, Tensor g, State& state, const ParamGroup& group) override;
};

struct AdamWOptions {
    double lr = 1e-3;
    std::pair<double, double> betas = {0.9, 0.999};
    double eps = 1e-8;
    double weight_decay = 1e-2;
    bool amsgrad = false;
    bool maximize = false;
};

// Adam whose weight decay shrinks p itself and does not go through m and v.
//
//     p = p - lr * weight_decay * p,      and then Adam's step
//
// [Loshchilov & Hutter 2019, Decoupled weight decay regularization, algorithm 2]
class AdamW final : public Adam {
  public:
    AdamW(const std::vector<Tensor>& params, const AdamWOptions& options = {});
    AdamW(const std::vector<Group>& groups, const AdamWOptions& options = {});
};

}  // namespace tg::optim
