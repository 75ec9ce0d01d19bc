// Which dims a reduction goes over.
#pragma once

#include <algorithm>

#include "core/ops/family.h"

namespace tg {

// The dims to reduce, wrapped and in order; all of them if the list is.
inline Dims wrapped(const char* op, const DimList& list, int n) {
    Dims dims;
    if (list.all) {
        for (int d = 0; d < n; ++d) dims.push_back(d);
        return dims;
    }
    for (std::int64_t d : list.dims) {
        const int w = wrap_dim(op, d, n);
        if (dims.contains(w)) fail(ErrorKind::runtime, op, ": dim ", d, " appears twice");
        if (n > 0) dims.push_back(w);
    }
    std::sort(dims.begin(), dims.end());
    return dims;
}

}  // namespace tg
