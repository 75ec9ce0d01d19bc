// Numbers that an op works out for itself, such as the places of a window, as tensors.
#pragma once

#include <algorithm>
#include <vector>

#include "core/ops/family.h"
#include "core/recording.h"

namespace tg {

// (n,) on the device of `beside`; in a recording a constant.
inline Tensor listed(const std::vector<std::int64_t>& values, const Tensor& beside) {
    return to(constant(tensor(values)), beside.device());
}
// The same of floats, in the dtype of `beside` too.
inline Tensor listed(const std::vector<double>& values, const Tensor& beside) {
    Tensor t;
    {
        const RecordingScope now(nullptr);
        t = empty({static_cast<std::int64_t>(values.size())}, {DType::float64});
        std::copy(values.begin(), values.end(), static_cast<double*>(t.data()));
        t = cast(t, beside.dtype());
    }
    return to(constant(t), beside.device());
}

}  // namespace tg
