// What losses and distances share.
#pragma once

#include <string>

#include "core/autocast.h"
#include "core/low_precision.h"
#include "core/ops/family.h"

namespace tg {

// The mean or the sum of all, or all: "none".
Tensor reduced_as(const Tensor& losses, const std::string& reduction, const char* op);

// losses times weight, of input's shape, if there is one.
Tensor weighed(const char* op, const Tensor& losses, const Arg& input, const Tensor& weight);

// A loss that was computed of x widened: under autocast it stays float32, else it is rounded.
template <class... Others>
Tensor as_loss(const Tensor& y, const Arg& x, const Others&... others) {
    return autocast().enabled ? y : rounded(y, x, others...);
}

// x, and eps where it is less, with the gradient of x: as if x were raised by a constant.
Tensor raised(const Tensor& x, double eps);

}  // namespace tg
