// The updates of all parameters of a group in one launch, for tensors on the device "cuda".
#pragma once

#include <vector>

#include "core/tensor.h"
#include "kernels/optimizers.h"

namespace tg::optim {

// `tensors` is p, its gradient, its states and its count of steps, then the next p, in the order of
// kernels/optimizers.h; lr is float64 of no dims. Writes what a step makes of p, states and count,
// as the ops of SGD and Adam would, and to the same bits but for a GPU's fused multiply-adds.
// False, and nothing is done, unless all are on "cuda", contiguous (the gradients need not be), and
// of float32 or all of float64: then the ops do it.
bool fused_sgd_(const std::vector<Tensor>& tensors, const Tensor& lr, const kernels::SgdRule& rule);
bool fused_adam_(const std::vector<Tensor>& tensors, const Tensor& lr,
                 const kernels::AdamRule& rule);

}  // namespace tg::optim
