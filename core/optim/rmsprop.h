// RMSprop: steps of the gradient over the root of its mean square.
#pragma once

#include "core/optim/optimizer.h"

namespace tg::optim {

struct RMSpropOptions {
    double lr = 1e-2;
    double alpha = 0.99;
    double eps = 1e-8;
    double weight_decay = 0;
    double momentum = 0;
    bool centered = false;
    bool maximize = false;
};

// p = p - lr * d, with
//
//     g = g + weight_decay * p
//     v = alpha * v + (1 - alpha) * g^2           square_avg
//     m = alpha * m + (1 - alpha) * g             grad_avg, where centered
//     d = g / (sqrt(v) + eps), or centered g / (sqrt(v - m^2) + eps)
//     b = momentum * b + d;  d = b                momentum_buffer, where momentum is not 0
//
// v, m and b have their parameter's shape and start as 0. Throws ValueError for a negative lr,
// alpha, eps, weight_decay or momentum.
// [Hinton 2012, Neural networks for machine learning, lecture 6e]
// [Graves 2013, Generating sequences with recurrent neural networks, 4.2, for centered]
class RMSprop final : public Optimizer {
  public:
    RMSprop(const std::vector<Tensor>& params, const RMSpropOptions& options = {});
    RMSprop(const std::vector<Group>& groups, const RMSpropOptions& options = {});

  protected:
    void make_state(ParamGroup& group) override;
    void update(Tensor& param, Tensor g, State& state, const ParamGroup& group) override;
};

}  // namespace tg::optim
