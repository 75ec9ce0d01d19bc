// An optimiser's step for several tensors as one op. The operands' order is that of
// kernels/optimizers.h. core/optim/fused.h writes what they give into the tensors.
#pragma once

#include "core/apply.h"
#include "kernels/optimizers.h"

namespace tg {

namespace ops {
extern const Op fused_sgd;   // momentum, dampening, weight_decay, nesterov, maximize
extern const Op fused_adam;  // beta1, beta2, eps, weight_decay, flags
}  // namespace ops

Attrs attrs_of(const kernels::SgdRule& rule);
Attrs attrs_of(const kernels::AdamRule& rule);

}  // namespace tg
