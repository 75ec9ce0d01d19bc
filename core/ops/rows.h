// What the files about indexing share: the ops that keys are made of, and their arguments.
#pragma once

#include "core/batching.h"

namespace tg {

namespace ops {
extern const Op index;      // x, index -> its rows; dims, wraps
extern const Op index_put;  // x, value, index -> x with the value in its rows; dims, accumulate...
extern const Op positions;  // x, i0, i1, ... -> one index over several dims of x
}  // namespace ops

Tensor as_index(const char* op, const Tensor& index);  // int32 becomes int64
Tensor value_like(const Tensor& x, const Arg& value);  // in x's dtype, on its device
// Which elements of a mask are true: (count, dims), or (count,) of the mask made flat. In a
// recording it must be a constant, else the error says what to write `instead`.
Tensor nonzero_of(const Tensor& mask, const char* instead);
Tensor nonzero_flat(const Tensor& mask, const char* instead);

// vmap's rules of the three: rows_batched.cc.
Outputs batch_index(const Batch& b);
Outputs batch_index_put(const Batch& b);
Outputs batch_positions(const Batch& b);

}  // namespace tg
