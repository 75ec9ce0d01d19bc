// What the ops that make tensors share.
#pragma once

#include "core/ops/family.h"

namespace tg {

// The tensor on the device, and with the requires_grad, that were asked for.
Tensor ready(const Tensor& t, const Options& options);
void check_shape(const char* op, const Dims& shape);  // no negative size

}  // namespace tg
