// The bodies of functions of one tensor, and of two operands, element by element: exp(x), add(a,
// b).
#pragma once

#include <algorithm>

#include "python/call.h"

namespace tg::python {

template <Tensor (*op)(const Arg&)>
PyObject* unary(const Call& c) {
    const Arg x(c.tensor(0));
    return wrap(compute(work_of(x), [&] { return op(x); }));
}

template <Tensor (*op)(const Arg&, const Arg&)>
PyObject* binary(const Call& c) {
    const Arg a = c.operand(0);
    const Arg b = c.operand(1);
    if (!a.is_tensor() && !b.is_tensor()) c.wrong(0, "a tensor");
    return wrap(compute(std::max(work_of(a), work_of(b)), [&] { return op(a, b); }));
}

}  // namespace tg::python
