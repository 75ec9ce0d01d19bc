// Mixed precision: while autocast is on, products take float32 tensors as bfloat16 or float16, and
// losses take those as float32. Which op does which is PyTorch's list for the CPU:
//
//   lowered   matmul mm bmm baddbmm addbmm addmm vecdot linear, convolutions, prelu, attention
//   widened   losses, prod, quantile, trace, pad by reflection or replication, linalg
//   promoted  index_copy, so that source and target are of one dtype, as cat and stack always do
//   neither   all others, which run in the dtype that comes; mv, dot and addmv too
//
// Each op of the list says so itself, at its start. float64 stays what it is. A backward runs in
// the dtypes that the forward ran in.
#pragma once

#include "core/ops/elementwise.h"

namespace tg {

struct Autocast {
    bool enabled = false;
    DType dtype = DType::bfloat16;
    bool operator==(const Autocast& other) const = default;
};
Autocast& autocast();  // this thread's

class AutocastScope {
  public:
    explicit AutocastScope(Autocast now) : before_(autocast()) { autocast() = now; }
    ~AutocastScope() { autocast() = before_; }
    AutocastScope(const AutocastScope&) = delete;
    AutocastScope& operator=(const AutocastScope&) = delete;

  private:
    Autocast before_;
};

// Is there something to lower?
inline bool lowers(const Tensor& x) {
    const Autocast& now = autocast();
    return now.enabled && x.defined() && x.dtype() != now.dtype && is_floating(x.dtype()) &&
           x.dtype() != DType::float64;
}
template <class... More>
bool lowers(const Tensor& x, const More&... more) {
    return lowers(x) || (lowers(more) || ...);
}
// What an op of the second list does, and what must not be lowered inside of another op.
template <class F>
auto without_autocast(const F& compute) {
    const AutocastScope off({});
    return compute();
}
inline Tensor lowered(const Tensor& x) { return lowers(x) ? cast(x, autocast().dtype) : x; }
inline Arg lowered(const Arg& x) { return Arg(lowered(x.tensor), x.where); }

}  // namespace tg
