// Stochastic gradient descent.
#pragma once

#include "core/optim/optimizer.h"

namespace tg::optim {

struct SGDOptions {
    double lr = 1e-3;
    double momentum = 0;
    double dampening = 0;
    double weight_decay = 0;
    bool nesterov = false;
    bool maximize = false;
};

// p = p - lr * d, in PyTorch's order of arithmetic, with
//
//     d = g + weight_decay * p
//     b = momentum * b + (1 - dampening) * d      where momentum is not 0; the first b is d
//     d = b, or with nesterov d + momentum * b
//
// Every b (momentum_buffer) has its parameter's shape and starts as 0. Where there is dampening a
// count of steps tells which b is the first. Throws ValueError for a negative lr, momentum or
// weight_decay, and for nesterov without a momentum or with dampening.
// [Sutskever et al. 2013, On the importance of initialization and momentum in deep learning]
class SGD final : public Optimizer {
  public:
    SGD(const std::vector<Tensor>& params, const SGDOptions& options);
    SGD(const std::vector<Group>& groups, const SGDOptions& options);
    // Also where a momentum_buffer is there from the first step on, uncounted, as PyTorch's.
    void load_state_dict(const StateDict& given) override;

  protected:
    void make_state(ParamGroup& group) override;
    bool update_together(const ParamGroup& group, const std::vector<std::size_t>& places) override;
    void update(Tensor& param, Tensor g, State& state, const ParamGroup& group) override;
};

}  // namespace tg::optim
