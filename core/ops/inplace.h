// Ops in place: the name of the op and an underscore.
#pragma once

#include "core/apply.h"

namespace tg {

// ---- in place: core/ops/inplace.cc -------------------------------------------------------------
Tensor& add_(Tensor& x, const Arg& y, const Arg& alpha = 1);
Tensor& sub_(Tensor& x, const Arg& y, const Arg& alpha = 1);
Tensor& mul_(Tensor& x, const Arg& y);
Tensor& div_(Tensor& x, const Arg& y);
Tensor& copy_(Tensor& x, const Arg& y);
Tensor& fill_(Tensor& x, const Arg& value);
Tensor& zero_(Tensor& x, Where where = Where::here());
// exp_, relu_, ...: op(x) written into x.
Tensor& in_place(Tensor& x, Tensor (*op)(const Arg&), const char* name,
                 Where where = Where::here());

}  // namespace tg
