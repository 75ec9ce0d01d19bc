// Programs that the tests of the graph layer share, and inputs for them.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "core/ops.h"
#include "graph/execute.h"
#include "graph/program.h"

namespace tg::test {

// Two layers, a loss and by hand a part of its gradient: products, reductions, views that broadcast
// and transpose, comparisons, numbers.
inline const std::string network = R"(program network
  %0 = argument x                           float32 (6, 5)
  %1 = argument y                           float32 (6, 3)
  %2 = variable w1                          float32 (5, 4)   g
  %3 = variable b1                          float32 (4,)   g
  %4 = variable w2                          float32 (4, 3)   g
  %5 = matmul %0 %2                         float32 (6, 4)   g   net.cpp:10
  %6 = expand %3 shape=(6, 4)               float32 (6, 4)   g   net.cpp:10
  %7 = add %5 %6                            float32 (6, 4)   g   net.cpp:10
  %8 = relu %7                              float32 (6, 4)   g   net.cpp:11
  %9 = matmul %8 %4                         float32 (6, 3)   g   net.cpp:12
  %10 = sub %9 %1                           float32 (6, 3)   g   net.cpp:13
  %11 = mul %10 %10                         float32 (6, 3)   g   net.cpp:13
  %12 = sum %11 dim=(0, 1) keepdim=0        float32 ()   g   net.cpp:13
  %13 = div %12 18.0                        float32 ()   g   net.cpp:13
  %14 = mul %10 2.0                         float32 (6, 3)
  %15 = div %14 18.0                        float32 (6, 3)
  %16 = permute %4 dims=(1, 0)              float32 (3, 4)
  %17 = matmul %15 %16                      float32 (6, 4)
  %18 = gt %8 0.0                           bool (6, 4)
  %19 = where %18 %17 0.0                   float32 (6, 4)
  %20 = permute %0 dims=(1, 0)              float32 (5, 6)
  %21 = matmul %20 %19                      float32 (5, 4)
  %22 = mul %21 0.1                         float32 (5, 4)
  %23 = sub %2 %22                          float32 (5, 4)
  %24 = sum %19 dim=(0,) keepdim=0          float32 (4,)
  return %13 %23 %24
)";

// Numbers that are neither round nor all positive, and the same at each call.
inline Tensor numbers(const Desc& desc, int seed) {
    const Tensor t =
        tensor_of(allocate(desc.shape, desc.dtype, desc.device), Layout::contiguous(desc.shape));
    auto* bytes = static_cast<char*>(t.data());
    std::uint32_t state = static_cast<std::uint32_t>(seed) * 2654435761u + 12345u;
    for (std::int64_t i = 0; i < t.numel(); ++i) {
        state = state * 1664525u + 1013904223u;
        const double value = static_cast<double>(state >> 8) / (1 << 22) - 2.0;
        Scalar(is_floating(desc.dtype) ? Scalar(value) : Scalar(static_cast<int>(state >> 28)))
            .write(bytes + i * size_of(desc.dtype), desc.dtype);
    }
    return t;
}

inline std::vector<Tensor> inputs_for(const Program& program) {
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < program.inputs.size(); ++i)
        inputs.push_back(numbers(program.values[i], static_cast<int>(i)));
    return inputs;
}

inline bool same_bits(const Tensor& a, const Tensor& b) {
    const auto bytes = static_cast<std::size_t>(a.numel() * size_of(a.dtype()));
    return a.shape() == b.shape() && a.dtype() == b.dtype() && a.is_contiguous() &&
           b.is_contiguous() && (bytes == 0 || std::memcmp(a.data(), b.data(), bytes) == 0);
}

inline bool same_bits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (!same_bits(a[i], b[i])) return false;
    return true;
}

inline std::vector<float> floats(const Tensor& t) {
    const auto* p = static_cast<const float*>(t.data());
    return {p, p + t.numel()};
}

// What a call throws; "" if it does not.
template <class Call>
std::string error_of(const Call& call) {
    try {
        call();
    } catch (const Error& e) {
        return e.what();
    }
    return "";
}

}  // namespace tg::test
