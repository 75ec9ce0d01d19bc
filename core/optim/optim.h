// Optimisers. Their state is tensors, made in the constructor: so a compiled step reads and writes
// it like any other variable, and a learning rate changed in the middle needs no new trace.
#pragma once

#include <vector>

#include "core/ops.h"

namespace tg::optim {

struct SGDOptions {
    double lr = 1e-3;
    double momentum = 0;
    double dampening = 0;
    double weight_decay = 0;
    bool nesterov = false;
};

// d = grad + weight_decay p;   v = momentum v + (1 - dampening) d;   p = p - lr v
// (v = d at the first step; d + momentum v in place of v with nesterov), in PyTorch's order.
class SGD {
  public:
    SGD(std::vector<Tensor> parameters, SGDOptions options);
    void step(Where where = Where::here());
    void zero_grad();  // every .grad becomes absent
    double lr() const;
    void set_lr(double lr);  // seen by compiled steps too
    const std::vector<Tensor>& momentum_buffers() const { return momentum_; }

  private:
    void step(Tensor& parameter, Tensor& momentum);
    std::vector<Tensor> parameters_;
    std::vector<Tensor> momentum_;
    SGDOptions options_;
    Tensor lr_;
    Tensor begun_;  // with dampening: 0 before the first step, 1 after it
};

}  // namespace tg::optim
