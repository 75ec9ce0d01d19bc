// Adagrad: steps of the gradient over the root of the sum of all its squares.
#pragma once

#include "core/optim/optimizer.h"

namespace tg::optim {

struct AdagradOptions {
    double lr = 1e-2;
    double lr_decay = 0;
    double weight_decay = 0;
    double initial_accumulator_value = 0;
    double eps = 1e-10;
    bool maximize = false;
};

// p = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps) at step t = 1, 2, ..., with
//
//     g = g + weight_decay * p
//     s = s + g^2                                 sum; it starts as initial_accumulator_value
//
// s has its parameter's shape; t (step) is float64 of no dims. Throws ValueError if a number is
// negative.
// [Duchi, Hazan & Singer 2011, Adaptive subgradient methods]
class Adagrad final : public Optimizer {
  public:
    Adagrad(const std::vector<Tensor>& params, const AdagradOptions& options = {});
    Adagrad(const std::vector<Group>& groups, const AdagradOptions& options = {});

  protected:
    void make_state(ParamGroup& group) override;
    void update(Tensor& param, Tensor g, State& state, const ParamGroup& group) override;
};

}  // namespace tg::optim
