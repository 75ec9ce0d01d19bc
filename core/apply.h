// The only door. Every op goes through `apply`: there it runs now, or is written down to run later.
#pragma once

#include <initializer_list>
#include <span>

#include "core/op.h"

namespace tg {

Outputs apply_all(const Op& op, std::span<const Arg> inputs, const Attrs& attrs = {});

// For the ops of one output, which is nearly all.
Tensor apply(const Op& op, std::initializer_list<Arg> inputs, const Attrs& attrs = {});
Tensor apply(const Op& op, std::span<const Arg> inputs, const Attrs& attrs = {});

// ---- the steps of apply, for executors and for ops that make nodes by hand ---------------------

// The inputs as the op wants them: casts inserted, numbers given the common dtype.
struct Prepared {
    Inline<Arg, 2> args;
    Inline<Desc, 2> descs;
};
Prepared prepare(const Op& op, std::span<const Arg> inputs);

// Runs the op's kernel on the device of its outputs; a CUDA tensor whose op has no CUDA kernel
// goes through the CPU, and says so once for each op.
void run_kernel(const Op& op, const Attrs& attrs, std::span<const kernels::Array> in,
                std::span<const kernels::Array> out, Device device);
kernels::Array array_of(const Tensor& tensor);  // throws if the tensor is symbolic
kernels::Array array_of(void* base, DType dtype, const Layout& layout);

// Makes the node of something that ran: edges to the inputs through which gradients flow, and the
// values that the op's `needs` table asks to keep. Null if no gradient will be asked of it.
Ref<Node> record_node(const Op& op, const Attrs& attrs, const Prepared& inputs,
                      std::span<const Tensor> outputs);

// Throws Interrupt if Ctrl-C stopped the kernel that just ran.
void check_interrupt();

}  // namespace tg
