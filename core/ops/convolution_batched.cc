// vmap's rules for convolutions.
#include "core/ops.h"
#include "core/ops/windows.h"

namespace tg {
namespace {

// x (B, N, C, H, W) -> (N, B C, H, W): the examples side by side, as groups
Tensor as_channels(const Tensor& x) { return flatten(transpose(x, 0, 1), 1, 2); }
// and back
Tensor from_channels(const Batch& b, const Tensor& y) {
    const Dims& one = b.one_out[0].shape;
    return transpose(reshape(y, {one[0], b.size, one[1], one[2], one[3]}), 0, 1);
}

Attrs in_more_groups(const Batch& b) {
    return {b.attrs[0], b.attrs[1], b.attrs[2], Attr{b.attrs.integer(3) * b.size}, b.attrs[4]};
}

}  // namespace

// With one weight for all the examples are more samples; else each has groups of its own.
Outputs batch_convolved(const Batch& b) {
    if (!b.is_batched(1)) {
        const Tensor y = apply(b.op, {flatten(b.all(0), 0, 1), b.in[1]}, b.attrs);
        return {reshape(y, b.with_size(b.one_out[0].shape))};
    }
    const Tensor w = flatten(b.all(1), 0, 1);
    return {from_channels(b, apply(b.op, {as_channels(b.all(0)), w}, in_more_groups(b)))};
}

// x, y -> a weight for each example
Outputs batch_convolution_weight(const Batch& b) {
    const Tensor w = apply(b.op, {as_channels(b.all(0)), as_channels(b.all(1))}, in_more_groups(b));
    return {reshape(w, b.with_size(b.one_out[0].shape))};
}

}  // namespace tg
