// float16 and bfloat16 are stored in two bytes and computed in float32. A kernel knows nothing of
// them: its inputs are widened, and what it makes is rounded once. The CPU's elementwise kernels do
// so tile by tile (kernels/cpu/levels/elementwise_low.cc); all others here. An op that is made of
// several others would round at each: it begins with  if (is_low(x)) return rounded(op(widened(x),
// ...), x).
#pragma once

#include "core/ops/elementwise.h"

namespace tg {

// Runs launch.op on the CPU; where an operand is of low precision, on float32 copies.
void run_on_cpu(const Launch& launch);
// Runs launch.op's CUDA kernel, or does nothing and returns false where it has none for this case.
bool run_kernel_on_cuda(const Launch& launch);

// Has x values of two bytes?
inline bool is_low(const Arg& x) { return x.is_tensor() && is_low_precision(x.tensor.dtype()); }
// x as float32 if it is of low precision, else x itself.
inline Arg widened(const Arg& x) { return is_low(x) ? Arg(cast(x, DType::float32), x.where) : x; }
inline Tensor widened(const Tensor& x) {
    return x.defined() && is_low_precision(x.dtype()) ? cast(x, DType::float32) : x;
}
// Does x keep its dtype where it meets this: a number, or a tensor that is as low, whole or of no
// dims?
inline bool stays_low(const Arg& x, const Arg& other) {
    return !other.is_tensor() || other.tensor.dims() == 0 || !is_floating(other.tensor.dtype()) ||
           other.tensor.dtype() == x.tensor.dtype();
}
// y, which was computed of x widened, as x's own dtype; as it is, if x met something wider.
template <class... Others>
Tensor rounded(const Tensor& y, const Arg& x, const Others&... others) {
    return (stays_low(x, others) && ...) ? cast(y, x.tensor.dtype()) : y;
}

}  // namespace tg
