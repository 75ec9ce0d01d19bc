// What the functions of matrices share.
#pragma once

#include "python/call.h"

namespace tg::python {

// Matrices take a step for each element of a row and a column.
inline std::int64_t matrix_work(const Arg& a) {
    return work_of(a) * (a.tensor.dims() == 0 || a.tensor.is_symbolic() ? 1 : a.tensor.size(-1));
}

template <Tensor (*op)(const Arg&)>
PyObject* of_matrix(const Call& c) {
    const Arg a(c.tensor(0));
    return wrap(compute(matrix_work(a), [&] { return op(a); }));
}

inline linalg::Tolerance tolerance(const Call& c, int atol, int rtol) {
    linalg::Tolerance t;
    if (c.given(atol)) t.atol = c.real(atol, 0);
    if (c.given(rtol)) t.rtol = c.real(rtol, 0);
    return t;
}

}  // namespace tg::python
