// What every op in place ends with.
#pragma once

#include "core/tensor.h"

namespace tg {

// Writes value = op(x, ...), which `op` names, into x, and gives back x. Where the gradient of the
// op needs what x was, that stays. Throws where value has more dims than x or, being of another
// kind of number, cannot be kept in it.
Tensor& written(Tensor& x, const Tensor& value, const char* op);

}  // namespace tg
