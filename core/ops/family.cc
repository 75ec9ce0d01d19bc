#include "core/ops/family.h"

#include <algorithm>

#include "core/ops/structural.h"
#include "kernels/math.h"

namespace tg {

// ---- shapes and kernels ------------------------------------------------------------------------

Descs broadcast_shape(const Op& op, std::span<const Desc> in, const Attrs&) {
    Desc out = in.back();
    if (!kernels::cpu::block(op.formula, out.dtype))
        fail(ErrorKind::unsupported, op.name, ": is not defined for ", name_of(out.dtype),
             "; cast the tensor first");
    out.shape = in[0].shape;
    for (std::size_t i = 1; i < in.size(); ++i)
        if (in[i].shape != out.shape) out.shape = broadcast(op.name, out.shape, in[i].shape);
    return {out};
}

Descs compare_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    Descs out = broadcast_shape(op, in, attrs);
    out[0].dtype = DType::boolean;
    return out;
}

Descs same_shape(const Op&, std::span<const Desc> in, const Attrs&) { return {in[0]}; }

kernels::Array broadcast_to(const kernels::Array& in, const kernels::Array& out) {
    if (in.dims == out.dims && std::equal(in.shape, in.shape + in.dims, out.shape)) return in;
    kernels::Array a = in;
    a.dims = out.dims;
    for (int d = out.dims - 1, from = in.dims - 1; d >= 0; --d, --from) {
        const bool repeats = from < 0 || (in.shape[from] == 1 && out.shape[d] != 1);
        a.shape[d] = out.shape[d];
        a.strides[d] = repeats ? 0 : in.strides[from];
    }
    return a;
}

namespace {

using Launcher = void (*)(int, const kernels::Array&, std::span<const kernels::Array>);

void with_broadcast(const Launch& l, kernels::Array (&in)[3]) {
    for (std::size_t i = 0; i < l.in.size(); ++i) in[i] = broadcast_to(l.in[i], l.out[0]);
}

}  // namespace

void elementwise_cpu(const Launch& l) {
    kernels::Array in[3];
    with_broadcast(l, in);
    kernels::cpu::elementwise(l.op.formula, l.out[0], {in, l.in.size()});
}

bool elementwise_cuda(const Launch& l) {
    kernels::Array in[3];
    with_broadcast(l, in);
    return kernels::cuda::backend().elementwise(l.op.formula, l.out[0], {in, l.in.size()});
}

namespace {

// What a view would show, as an operand.
kernels::Array viewed(const Launch& l) {
    Layout in;
    for (int d = 0; d < l.in[0].dims; ++d) {
        in.shape.push_back(l.in[0].shape[d]);
        in.strides.push_back(l.in[0].strides[d]);
    }
    Layout out = in;
    if (l.op.view) l.op.view(in, l.attrs, out);
    return array_of(l.in[0].data, l.in[0].dtype, out);
}

}  // namespace

// An alias asked for as a kernel of its own: the copy that makes the view's elements contiguous.
void alias_cpu(const Launch& l) { kernels::cpu::copy(l.out[0], viewed(l)); }
bool alias_cuda(const Launch& l) { return kernels::cuda::backend().copy(l.out[0], viewed(l)); }

std::int64_t known_size(const char* op, const Tensor& x, int dim) {
    const std::int64_t size = x.dims() == 0 ? 1 : x.shape()[dim];
    if (is_unknown(size))
        fail(ErrorKind::runtime, op, ": the size of dim ", dim,
             " must be known while the graph is built; give the placeholder that size");
    return size;
}

// ---- all of them -------------------------------------------------------------------------------

std::span<const Op* const> all_ops() {
    static const std::vector<const Op*>& list = *[] {
        auto* all = new std::vector<const Op*>;
        for (const auto& family :
             {elementwise_ops(),   reduce_ops(),     matmul_ops(),   solving_ops(),
              factorization_ops(), layout_ops(),     slicing_ops(),  indexing_ops(),
              row_ops(),           sort_ops(),       search_ops(),   unfold_ops(),
              convolution_ops(),   pooling_ops(),    division_ops(), trigonometry_ops(),
              arrange_ops(),       diagonal_ops(),   random_ops(),   creation_ops(),
              optimizer_ops(),     structural_ops(), line_ops(),     attention_ops()})
            all->insert(all->end(), family.begin(), family.end());
        return all;
    }();
    return list;
}

const Op* find_op(const std::string& name) {
    for (const Op* op : all_ops())
        if (name == op->name) return op;
    return nullptr;
}

}  // namespace tg
