// A step of an optimiser for several tensors, by the rules of kernels/optimizers.h, which says in
// what order the operands come. The results are contiguous, the operands of any strides.
#pragma once

#include <span>

#include "kernels/array.h"
#include "kernels/optimizers.h"

namespace tg::kernels::cpu {

void sgd(const SgdRule& rule, std::span<const Array> out, std::span<const Array> in);
void adam(const AdamRule& rule, std::span<const Array> out, std::span<const Array> in);

}  // namespace tg::kernels::cpu
