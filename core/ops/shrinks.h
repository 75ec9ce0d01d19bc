// Activations that scale themselves, and those that set small numbers to 0.
#pragma once

#include "core/apply.h"

namespace tg {

// ---- shrinks: core/ops/shrinks.cc --------------------------------------------------------------
Tensor selu(const Arg& x);                            // elu, scaled: keeps mean and variance
Tensor celu(const Arg& x, double alpha = 1);          // alpha (e^(x / alpha) - 1) below 0
Tensor hardshrink(const Arg& x, double lambd = 0.5);  // 0 within [-lambd, lambd]
Tensor softshrink(const Arg& x, double lambd = 0.5);  // the same, the rest nearer to 0 by lambd
Tensor threshold(const Arg& x, double threshold,
                 double value);  // x above the threshold, else value

}  // namespace tg
