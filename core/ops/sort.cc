// Order. Only the indices are found by a kernel; the values are gathered by them, and so is their
// gradient.
#include "core/batching.h"
#include "core/ops/family.h"

namespace tg {
namespace {

// x (..., n, ...) -> int64 (..., count, ...); count -1 is n
Descs argsort_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    Desc out{in[0].shape, DType::int64, in[0].device};
    const std::int64_t dim = attrs.integer(0);
    const std::int64_t count = attrs.integer(2);
    if (dim < 0 || dim >= out.shape.size())
        fail(ErrorKind::index, op.name, ": a tensor of shape ", text(out.shape), " has no dim ",
             dim);
    std::int64_t& size = out.shape[static_cast<int>(dim)];
    if (count >= 0 && !is_unknown(size) && count > size)
        fail(ErrorKind::runtime, op.name, ": the first ", count, " of the ", size, " in dim ", dim,
             " of ", text(in[0].shape));
    if (count >= 0) size = count;
    return {out};
}

void argsort_cpu(const Launch& l) {
    kernels::cpu::argsort(l.out[0], l.in[0], static_cast<int>(l.attrs.integer(0)),
                          l.attrs.integer(1) != 0);
}

bool argsort_cuda(const Launch& l) {
    return kernels::cuda::backend().argsort(l.out[0], l.in[0], static_cast<int>(l.attrs.integer(0)),
                                            l.attrs.integer(1) != 0);
}

}  // namespace

namespace ops {

const Op argsort = {.name = "argsort",
                    .inputs = 1,
                    .shape = argsort_shape,
                    .cpu = argsort_cpu,
                    .cuda = argsort_cuda,
                    .attributes = {{"dim", AttrKind::integer},
                                   {"descending", AttrKind::integer},
                                   {"count", AttrKind::integer}},
                    .batch = batch_shifted<Names::dim>};

}  // namespace ops

std::span<const Op* const> sort_ops() {
    static const Op* const list[] = {&ops::argsort};
    return list;
}

namespace {

Tensor order_of(const char* op, const Arg& x, std::int64_t dim, bool descending,
                std::int64_t count) {
    const std::int64_t d = wrap_dim(op, dim, x.tensor.dims());
    if (x.tensor.dims() == 0)
        return reshape(order_of(op, reshape(x, {1}), 0, descending, count), {});
    return apply(ops::argsort, {x},
                 {Attr{d}, Attr{std::int64_t{descending}}, Attr{std::int64_t{count}}});
}

}  // namespace

Tensor argsort(const Arg& x, std::int64_t dim, bool descending) {
    const Here here(x.where);
    return order_of("argsort", x, dim, descending, -1);
}

ValuesIndices sort(const Arg& x, std::int64_t dim, bool descending) {
    const Here here(x.where, "sort");
    const Tensor order = order_of("sort", x, dim, descending, -1);
    return {gather(x, dim, order), order};
}

ValuesIndices topk(const Arg& x, std::int64_t k, std::int64_t dim, bool largest) {
    const Here here(x.where, "topk");
    const int d = wrap_dim("topk", dim, x.tensor.dims());
    const std::int64_t size = x.tensor.dims() == 0 ? 1 : x.tensor.size(d);
    if (k < 0 || (!is_unknown(size) && k > size))
        fail(ErrorKind::runtime, "topk: k is ", k, ", and must be between 0 and the size of dim ",
             dim, " of ", text(x.tensor.shape()));
    if (x.tensor.dims() == 0) return sort(x, 0, largest);
    const Tensor order = order_of("topk", x, dim, largest, k);
    return {gather(x, dim, order), order};
}

}  // namespace tg
