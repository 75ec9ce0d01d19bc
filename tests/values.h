// What many tests say: a tensor's numbers, and a leaf made of some.
#pragma once

#include <vector>

#include "core/backward.h"
#include "core/ops.h"

namespace tg::test {

using Floats = std::vector<float>;

inline Floats numbers(const Tensor& t) {
    const Tensor flat =
        contiguous(cast(reshape(to(t.detach(), Device::cpu), {-1}), DType::float32));
    const auto* data = static_cast<const float*>(flat.data());
    return Floats(data, data + flat.numel());
}

inline Tensor leaf(const Floats& values) {
    Tensor t = tensor(values);
    t.requires_grad_();
    return t;
}

inline Tensor grad_of(const Tensor& y, const Tensor& x, bool create_graph = false) {
    return grad({&y, 1}, {&x, 1}, {}, {.create_graph = create_graph})[0];
}

inline std::string error_of(const auto& f) {
    try {
        f();
    } catch (const Error& e) {
        return e.what();
    }
    return "no error";
}

}  // namespace tg::test
