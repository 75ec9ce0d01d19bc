// Reductions. Each keeps its dims as size 1 in the kernel's eyes; without keepdim they go away.
#include <algorithm>

#include "core/ops/family.h"
#include "core/ops/structural.h"

namespace tg {
namespace {

// The dims to reduce, wrapped and in order; all of them if the list is.
Dims wrapped(const char* op, const DimList& list, int n) {
    Dims dims;
    if (list.all) {
        for (int d = 0; d < n; ++d) dims.push_back(d);
        return dims;
    }
    for (std::int64_t d : list.dims) {
        const int w = wrap_dim(op, d, n);
        if (dims.contains(w)) fail(ErrorKind::runtime, op, ": dim ", d, " appears twice");
        if (n > 0) dims.push_back(w);
    }
    std::sort(dims.begin(), dims.end());
    return dims;
}

Dims reduced(const Dims& shape, const Dims& dims, bool keepdim) {
    Dims out;
    for (int d = 0; d < shape.size(); ++d) {
        if (!dims.contains(d))
            out.push_back(shape[d]);
        else if (keepdim)
            out.push_back(1);
    }
    return out;
}

Descs reduce_shape(const Op&, std::span<const Desc> in, const Attrs& attrs) {
    return {Desc{reduced(in[0].shape, attrs.dims(0), attrs.integer(1) != 0), in[0].dtype,
                 in[0].device}};
}

// The kernel's view of the output: a 1 in place of every dim that is gone.
kernels::Array with_kept(const kernels::Array& out, const kernels::Array& in, const Dims& dims) {
    kernels::Array kept = out;
    kept.dims = in.dims;
    int from = 0;
    for (int d = 0; d < in.dims; ++d) {
        const bool gone = dims.contains(d);
        kept.shape[d] = gone ? 1 : in.shape[d];
        kept.strides[d] = gone ? 0 : out.strides[from];
        if (!gone || out.dims == in.dims) ++from;
    }
    return kept;
}

void sum_cpu(const Launch& l) {
    kernels::cpu::sum(with_kept(l.out[0], l.in[0], l.attrs.dims(0)), l.in[0]);
}

bool sum_cuda(const Launch& l) {
    return kernels::cuda::backend().sum(with_kept(l.out[0], l.in[0], l.attrs.dims(0)), l.in[0]);
}

void amax_cpu(const Launch& l) {
    kernels::cpu::amax(with_kept(l.out[0], l.in[0], l.attrs.dims(0)), l.in[0]);
}

// g with the reduced dims back, as size 1.
Tensor kept(Backward& n, Tensor g) {
    if (n.attrs().integer(1) == 0)
        for (std::int64_t d : n.attrs().dims(0)) g = unsqueeze(g, d);
    return g;
}

// y = sum of x  =>  dx = g, repeated
void sum_gradient(Backward& n) { n.give(0, expand(kept(n, n.g()), n.desc(0).shape)); }

// y = max of x  =>  dx = g shared evenly by the elements that are the maximum
void amax_gradient(Backward& n) {
    const Tensor is_max = eq(n.input(0), kept(n, n.output()));
    const Tensor mask = cast(is_max, n.desc(0).dtype);
    n.give(0, mul(mask, div(kept(n, n.g()), sum(mask, n.attrs().dims(0), true))));
}

// The sum over the copies that broadcasting made. Its shape is an attribute.
Descs sum_to_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    if (!any_unknown(in[0].shape) && !any_unknown(attrs.dims(0)) &&
        broadcast(op.name, in[0].shape, attrs.dims(0)) != in[0].shape)
        fail(ErrorKind::value, "sum_to: ", text(in[0].shape), " is not ", text(attrs.dims(0)),
             " repeated");
    return {Desc{attrs.dims(0), in[0].dtype, in[0].device}};
}

void sum_to_cpu(const Launch& l) {
    kernels::Array kept = l.in[0];
    kept.data = l.out[0].data;
    for (int d = kept.dims - 1, from = l.out[0].dims - 1; d >= 0; --d, --from) {
        kept.shape[d] = from >= 0 ? l.out[0].shape[from] : 1;
        kept.strides[d] = from >= 0 && l.out[0].shape[from] != 1 ? l.out[0].strides[from] : 0;
    }
    kernels::cpu::sum(kept, l.in[0]);
}

void sum_to_gradient(Backward& n) { n.give(0, expand(n.g(), n.desc(0).shape)); }

Descs argmax_shape(const Op&, std::span<const Desc> in, const Attrs& attrs) {
    const Dims dims{attrs.integer(0)};
    return {Desc{reduced(in[0].shape, dims, attrs.integer(1) != 0), DType::int64, in[0].device}};
}

void argmax_cpu(const Launch& l) {
    const std::int64_t dim = l.attrs.integer(0);
    kernels::cpu::argmax(with_kept(l.out[0], l.in[0], Dims{dim}), l.in[0], static_cast<int>(dim));
}

void check_not_empty(const char* op, const Tensor& x, const Dims& dims) {
    for (std::int64_t d : dims)
        if (x.shape()[static_cast<int>(d)] == 0)
            fail(ErrorKind::range, op, ": dim ", d, " of ", text(x.shape()),
                 " has no elements to take the maximum of");
}

// A number of elements that may be known only when the graph runs.
Descs count_shape(const Op&, std::span<const Desc> in, const Attrs&) {
    return {Desc{{}, DType::int64, in[0].device}};
}

void count_cpu(const Launch& l) {
    std::int64_t n = 1;
    for (std::int64_t d : l.attrs.dims(0)) n *= l.in[0].shape[d];
    kernels::cpu::fill(l.out[0], n);
}

}  // namespace

namespace ops {

constexpr AttrSchema dims_and_keepdim[] = {{"dim", AttrKind::dims}, {"keepdim", AttrKind::integer}};

const Op sum = {.name = "sum",
                .inputs = 1,
                .shape = reduce_shape,
                .gradient = sum_gradient,
                .cpu = sum_cpu,
                .cuda = sum_cuda,
                .attributes = {dims_and_keepdim[0], dims_and_keepdim[1]}};
const Op sum_to = {.name = "sum_to",
                   .inputs = 1,
                   .shape = sum_to_shape,
                   .gradient = sum_to_gradient,
                   .cpu = sum_to_cpu,
                   .attributes = {{"shape", AttrKind::dims}}};
const Op amax = {.name = "amax",
                 .inputs = 1,
                 .shape = reduce_shape,
                 .gradient = amax_gradient,
                 .needs = {{Need::a, Need::y}},
                 .cpu = amax_cpu,
                 .attributes = {dims_and_keepdim[0], dims_and_keepdim[1]}};
const Op argmax = {.name = "argmax",
                   .inputs = 1,
                   .shape = argmax_shape,
                   .cpu = argmax_cpu,
                   .attributes = {{"dim", AttrKind::integer}, {"keepdim", AttrKind::integer}}};
const Op count = {.name = "count",
                  .inputs = 1,
                  .shape = count_shape,
                  .cpu = count_cpu,
                  .attributes = {{"dim", AttrKind::dims}}};

}  // namespace ops

std::span<const Op* const> reduce_ops() {
    static const Op* const list[] = {&ops::sum, &ops::sum_to, &ops::amax, &ops::argmax,
                                     &ops::count};
    return list;
}

Tensor sum_to(const Arg& x, const Dims& shape) { return apply(ops::sum_to, {x}, {Attr{shape}}); }

Tensor sum(const Arg& x, const DimList& list, bool keepdim) {
    const Here here(x.where);
    const Dims dims = wrapped("sum", list, x.tensor.dims());
    const bool counts = !is_floating(x.tensor.dtype());
    const Tensor t = counts ? cast(x, DType::int64) : x.tensor;
    return apply(ops::sum, {t}, {Attr{dims}, Attr{std::int64_t{keepdim}}});
}

Tensor mean(const Arg& x, const DimList& list, bool keepdim) {
    const Here here(x.where, "mean");
    if (!is_floating(x.tensor.dtype()))
        fail(ErrorKind::runtime, "mean: needs a floating dtype, and this tensor is ",
             name_of(x.tensor.dtype()), "; cast it first");
    const Dims dims = wrapped("mean", list, x.tensor.dims());
    Dims sizes;
    for (std::int64_t d : dims) sizes.push_back(x.tensor.shape()[static_cast<int>(d)]);
    const Tensor total = sum(x, dims, keepdim);
    if (any_unknown(sizes)) {
        const Tensor n = apply(ops::count, {x}, {Attr{dims}});
        return div(total, cast(n, total.dtype()));
    }
    return div(total, static_cast<double>(element_count(sizes)));
}

Tensor amax(const Arg& x, const DimList& list, bool keepdim) {
    const Here here(x.where);
    const Dims dims = wrapped("amax", list, x.tensor.dims());
    check_not_empty("amax", x.tensor, dims);
    return apply(ops::amax, {x}, {Attr{dims}, Attr{std::int64_t{keepdim}}});
}

Tensor argmax(const Arg& x, std::optional<std::int64_t> dim, bool keepdim) {
    const Here here(x.where);
    if (!dim || x.tensor.dims() == 0) {
        const Tensor flat = reshape(x, {-1});
        const Tensor index = argmax(flat, 0, false);
        return keepdim ? reshape(index, Dims::of(x.tensor.dims(), 1)) : index;
    }
    const std::int64_t d = wrap_dim("argmax", *dim, x.tensor.dims());
    check_not_empty("argmax", x.tensor, {d});
    return apply(ops::argmax, {x}, {Attr{d}, Attr{std::int64_t{keepdim}}});
}

Tensor max(const Arg& x) {
    const Here here(x.where, "max");
    return amax(x);
}

ValuesIndices max(const Arg& x, std::int64_t dim, bool keepdim) {
    const Here here(x.where, "max");
    if (x.tensor.dims() == 0) return {max(x), argmax(x)};
    const Tensor kept = argmax(x, dim, true);
    const Tensor values = gather(x, dim, kept);
    if (keepdim) return {values, kept};
    return {squeeze(values, dim), squeeze(kept, dim)};
}

}  // namespace tg
