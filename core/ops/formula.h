// The record of an op that is a formula of kernels/math.h.
#pragma once

#include "core/batching.h"
#include "core/ops/family.h"
#include "kernels/math.h"

namespace tg::ops {

// All but its gradient follows from what the formula says of itself.
template <class F>
constexpr Op elementwise(void (*gradient)(Backward&) = nullptr, const Needs (&needs)[3] = {}) {
    Op op;
    op.name = F::name;
    op.inputs = F::inputs;
    op.promotes = F::selects       ? Promotes::not_first
                  : F::floats_only ? Promotes::floating
                                   : Promotes::common;
    op.shape = F::compares ? compare_shape : broadcast_shape;
    op.gradient = gradient;
    for (int i = 0; i < 3; ++i)
        for (int k = 0; k < 6; ++k) op.needs[i][k] = needs[i][k];
    op.cpu = elementwise_cpu;
    op.cuda = elementwise_cuda;
    op.formula = formula::id<F>;
    op.low_precision = true;
    op.batch = batch_aligned;
    return op;
}

}  // namespace tg::ops
