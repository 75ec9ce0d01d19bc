// Reductions, and sums along a dim. Each keeps its dims as size 1 in the kernel's eyes; without
// keepdim they go away.
#include <algorithm>
#include <limits>

#include "core/autocast.h"
#include "core/batching.h"
#include "core/low_precision.h"
#include "core/ops/structural.h"
#include "core/ops/wrapped.h"

namespace tg {

namespace ops {
extern const Op cumsum;  // its gradient is one too
}  // namespace ops

namespace {

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

// x (..., n, ...) -> without the dims, or with 1 in their places
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

bool amax_cuda(const Launch& l) {
    return kernels::cuda::backend().amax(with_kept(l.out[0], l.in[0], l.attrs.dims(0)), l.in[0]);
}

void amin_cpu(const Launch& l) {
    kernels::cpu::amin(with_kept(l.out[0], l.in[0], l.attrs.dims(0)), l.in[0]);
}

bool amin_cuda(const Launch& l) {
    return kernels::cuda::backend().amin(with_kept(l.out[0], l.in[0], l.attrs.dims(0)), l.in[0]);
}

// g with the reduced dims back, as size 1.
Tensor kept(Backward& n, Tensor g) {
    if (n.attrs().integer(1) == 0)
        for (std::int64_t d : n.attrs().dims(0)) g = unsqueeze(g, d);
    return g;
}

// y = sum of x  =>  dx = g, repeated
void sum_gradient(Backward& n) { n.give(0, expand(kept(n, n.g()), n.desc(0).shape)); }

// y = max (or min) of x  =>  dx = g shared evenly by the elements that are it
void extremum_gradient(Backward& n) {
    const Tensor mask = cast(eq(n.input(0), kept(n, n.output())), n.desc(0).dtype);
    n.give(0, mul(mask, div(kept(n, n.g()), sum(mask, n.attrs().dims(0), true))));
}

// x -> the shape asked for: the sum over the copies that broadcasting made
Descs sum_to_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    if (!any_unknown(in[0].shape) && !any_unknown(attrs.dims(0)) &&
        broadcast(op.name, in[0].shape, attrs.dims(0)) != in[0].shape)
        fail(ErrorKind::value, "sum_to: ", text(in[0].shape), " is not ", text(attrs.dims(0)),
             " repeated");
    return {Desc{attrs.dims(0), in[0].dtype, in[0].device}};
}

// The output with in's dims: 1 where it was summed.
kernels::Array with_summed(const kernels::Array& out, const kernels::Array& in) {
    kernels::Array kept = in;
    kept.data = out.data;
    for (int d = kept.dims - 1, from = out.dims - 1; d >= 0; --d, --from) {
        kept.shape[d] = from >= 0 ? out.shape[from] : 1;
        kept.strides[d] = from >= 0 && out.shape[from] != 1 ? out.strides[from] : 0;
    }
    return kept;
}

void sum_to_cpu(const Launch& l) { kernels::cpu::sum(with_summed(l.out[0], l.in[0]), l.in[0]); }

bool sum_to_cuda(const Launch& l) {
    return kernels::cuda::backend().sum(with_summed(l.out[0], l.in[0]), l.in[0]);
}

// y = x summed to a shape  =>  dx = g, repeated
void sum_to_gradient(Backward& n) { n.give(0, expand(n.g(), n.desc(0).shape)); }

// x (..., n, ...) -> int64, without the dim, or with 1 in its place
Descs argmax_shape(const Op&, std::span<const Desc> in, const Attrs& attrs) {
    const Dims dims{attrs.integer(0)};
    return {Desc{reduced(in[0].shape, dims, attrs.integer(1) != 0), DType::int64, in[0].device}};
}

void argmax_cpu(const Launch& l) {
    const std::int64_t dim = l.attrs.integer(0);
    kernels::cpu::argmax(with_kept(l.out[0], l.in[0], Dims{dim}), l.in[0], static_cast<int>(dim));
}

void argmin_cpu(const Launch& l) {
    const std::int64_t dim = l.attrs.integer(0);
    kernels::cpu::argmin(with_kept(l.out[0], l.in[0], Dims{dim}), l.in[0], static_cast<int>(dim));
}

bool argmax_cuda(const Launch& l) {
    const std::int64_t dim = l.attrs.integer(0);
    return kernels::cuda::backend().argmax(with_kept(l.out[0], l.in[0], Dims{dim}), l.in[0],
                                           static_cast<int>(dim));
}

bool argmin_cuda(const Launch& l) {
    const std::int64_t dim = l.attrs.integer(0);
    return kernels::cuda::backend().argmin(with_kept(l.out[0], l.in[0], Dims{dim}), l.in[0],
                                           static_cast<int>(dim));
}

void cumsum_cpu(const Launch& l) {
    kernels::cpu::cumsum(l.out[0], l.in[0], static_cast<int>(l.attrs.integer(0)),
                         l.attrs.integer(1) != 0);
}

bool cumsum_cuda(const Launch& l) {
    return kernels::cuda::backend().cumsum(l.out[0], l.in[0], static_cast<int>(l.attrs.integer(0)),
                                           l.attrs.integer(1) != 0);
}

// y[i] = x[0] + ... + x[i]  =>  dx[i] = g[i] + ... + g[n - 1]
void cumsum_gradient(Backward& n) {
    const std::int64_t dim = n.attrs().integer(0);
    n.give(0, apply(ops::cumsum, {n.g()}, {Attr{dim}, Attr{1 - n.attrs().integer(1)}}));
}

void check_not_empty(const char* op, const Tensor& x, const Dims& dims) {
    for (std::int64_t d : dims)
        if (x.shape()[static_cast<int>(d)] == 0)
            fail(ErrorKind::range, op, ": dim ", d, " of ", text(x.shape()),
                 " has no elements to choose from");
}

// x -> int64 (): a number of elements that may be known only when the graph runs
Descs count_shape(const Op&, std::span<const Desc> in, const Attrs&) {
    return {Desc{{}, DType::int64, in[0].device}};
}

std::int64_t counted(const Launch& l) {
    std::int64_t n = 1;
    for (std::int64_t d : l.attrs.dims(0)) n *= l.in[0].shape[d];
    return n;
}

void count_cpu(const Launch& l) { kernels::cpu::fill(l.out[0], counted(l)); }

bool count_cuda(const Launch& l) {
    const std::int64_t n = counted(l);
    kernels::cuda::backend().to_device(l.out[0].data, &n, sizeof n);
    return true;
}

}  // namespace

namespace {

// ---- vmap --------------------------------------------------------------------------------------

// (B, ...) -> (B, 1, ..., shape), and without the ones
Outputs batch_sum_to(const Batch& b) {
    const Dims& shape = b.attrs.dims(0);
    Dims wide{b.size};
    for (int d = shape.size(); d < b.dims(0); ++d) wide.push_back(1);
    for (std::int64_t n : shape) wide.push_back(n);
    return {reshape(sum_to(b.all(0), wide), b.with_size(shape))};
}

// It counts places, of which each example has as many.
Outputs batch_count(const Batch& b) {
    const Tensor n = apply(b.op, {b.in[0]}, attrs_behind(b, {Names::dims}));
    return {expand(n, {b.size})};
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
                .attributes = {dims_and_keepdim[0], dims_and_keepdim[1]},
                .batch = batch_shifted<Names::dims>};
const Op sum_to = {.name = "sum_to",
                   .inputs = 1,
                   .shape = sum_to_shape,
                   .gradient = sum_to_gradient,
                   .cpu = sum_to_cpu,
                   .cuda = sum_to_cuda,
                   .attributes = {{"shape", AttrKind::dims}},
                   .batch = batch_sum_to};
const Op amax = {.name = "amax",
                 .inputs = 1,
                 .shape = reduce_shape,
                 .gradient = extremum_gradient,
                 .needs = {{Need::a, Need::y}},
                 .cpu = amax_cpu,
                 .cuda = amax_cuda,
                 .attributes = {dims_and_keepdim[0], dims_and_keepdim[1]},
                 .batch = batch_shifted<Names::dims>};
const Op amin = {.name = "amin",
                 .inputs = 1,
                 .shape = reduce_shape,
                 .gradient = extremum_gradient,
                 .needs = {{Need::a, Need::y}},
                 .cpu = amin_cpu,
                 .cuda = amin_cuda,
                 .attributes = {dims_and_keepdim[0], dims_and_keepdim[1]},
                 .batch = batch_shifted<Names::dims>};
const Op argmin = {.name = "argmin",
                   .inputs = 1,
                   .shape = argmax_shape,
                   .cpu = argmin_cpu,
                   .cuda = argmin_cuda,
                   .attributes = {{"dim", AttrKind::integer}, {"keepdim", AttrKind::integer}},
                   .batch = batch_shifted<Names::dim>};
const Op cumsum = {.name = "cumsum",
                   .inputs = 1,
                   .shape = same_shape,
                   .gradient = cumsum_gradient,
                   .cpu = cumsum_cpu,
                   .cuda = cumsum_cuda,
                   .attributes = {{"dim", AttrKind::integer}, {"back", AttrKind::integer}},
                   .batch = batch_shifted<Names::dim>};
const Op argmax = {.name = "argmax",
                   .inputs = 1,
                   .shape = argmax_shape,
                   .cpu = argmax_cpu,
                   .cuda = argmax_cuda,
                   .attributes = {{"dim", AttrKind::integer}, {"keepdim", AttrKind::integer}},
                   .batch = batch_shifted<Names::dim>};
const Op count = {.name = "count",
                  .inputs = 1,
                  .shape = count_shape,
                  .cpu = count_cpu,
                  .cuda = count_cuda,
                  .attributes = {{"dim", AttrKind::dims}},
                  .batch = batch_count};

}  // namespace ops

std::span<const Op* const> reduce_ops() {
    static const Op* const list[] = {&ops::sum,    &ops::sum_to, &ops::amax,   &ops::amin,
                                     &ops::argmax, &ops::argmin, &ops::cumsum, &ops::count};
    return list;
}

Tensor sum_to(const Arg& x, const Dims& shape) { return apply(ops::sum_to, {x}, {Attr{shape}}); }

Tensor sum(const Arg& x, const DimList& list, bool keepdim) {
    const Here here(x.where);
    const Dims dims = wrapped("sum", list, x.tensor.dims());
    const Tensor t = is_floating(x.tensor.dtype()) ? x.tensor : cast(x, DType::int64);
    return apply(ops::sum, {t}, {Attr{dims}, Attr{std::int64_t{keepdim}}});
}

namespace {

// How many elements a reduction over dims meets for each result, as a tensor of no dims where
// a graph knows it only when it runs.
Arg count_of(const Tensor& x, const Dims& dims) {
    Dims sizes;
    for (std::int64_t d : dims) sizes.push_back(x.shape()[static_cast<int>(d)]);
    if (any_unknown(sizes)) return Arg(cast(apply(ops::count, {x}, {Attr{dims}}), x.dtype()));
    return Arg(static_cast<double>(element_count(sizes)));
}

}  // namespace

Tensor mean(const Arg& x, const DimList& list, bool keepdim) {
    const Here here(x.where, "mean");
    if (is_low(x)) return rounded(mean(widened(x), list, keepdim), x);
    if (!is_floating(x.tensor.dtype()))
        fail(ErrorKind::unsupported, "mean: needs a floating dtype, and this tensor is ",
             name_of(x.tensor.dtype()), "; cast it first");
    const Dims dims = wrapped("mean", list, x.tensor.dims());
    return div(sum(x, dims, keepdim), count_of(x.tensor, dims));
}

Tensor amax(const Arg& x, const DimList& list, bool keepdim) {
    const Here here(x.where);
    const Dims dims = wrapped("amax", list, x.tensor.dims());
    check_not_empty("amax", x.tensor, dims);
    return apply(ops::amax, {x}, {Attr{dims}, Attr{std::int64_t{keepdim}}});
}

Tensor amin(const Arg& x, const DimList& list, bool keepdim) {
    const Here here(x.where);
    const Dims dims = wrapped("amin", list, x.tensor.dims());
    check_not_empty("amin", x.tensor, dims);
    return apply(ops::amin, {x}, {Attr{dims}, Attr{std::int64_t{keepdim}}});
}

namespace {

Tensor place(const Op& op, const Arg& x, std::optional<std::int64_t> dim, bool keepdim) {
    if (dim) wrap_dim(op.name, *dim, x.tensor.dims());
    if (!dim || x.tensor.dims() == 0) {
        const Tensor index = place(op, reshape(x, {-1}), 0, false);
        return keepdim ? reshape(index, Dims::of(x.tensor.dims(), 1)) : index;
    }
    const std::int64_t d = wrap_dim(op.name, *dim, x.tensor.dims());
    check_not_empty(op.name, x.tensor, {d});
    return apply(op, {x}, {Attr{d}, Attr{std::int64_t{keepdim}}});
}

ValuesIndices chosen(const Arg& x, const Tensor& index, std::int64_t dim, bool keepdim) {
    const Tensor values = gather(x, dim, index);
    if (keepdim) return {values, index};
    return {squeeze(values, dim), squeeze(index, dim)};
}

}  // namespace

Tensor argmax(const Arg& x, std::optional<std::int64_t> dim, bool keepdim) {
    const Here here(x.where);
    return place(ops::argmax, x, dim, keepdim);
}

Tensor argmin(const Arg& x, std::optional<std::int64_t> dim, bool keepdim) {
    const Here here(x.where);
    return place(ops::argmin, x, dim, keepdim);
}

Tensor max(const Arg& x) {
    const Here here(x.where, "max");
    return amax(x);
}

Tensor min(const Arg& x) {
    const Here here(x.where, "min");
    return amin(x);
}

ValuesIndices max(const Arg& x, std::int64_t dim, bool keepdim) {
    const Here here(x.where, "max");
    wrap_dim("max", dim, x.tensor.dims());
    if (x.tensor.dims() == 0) return {max(x), argmax(x)};
    return chosen(x, argmax(x, dim, true), dim, keepdim);
}

ValuesIndices min(const Arg& x, std::int64_t dim, bool keepdim) {
    const Here here(x.where, "min");
    wrap_dim("min", dim, x.tensor.dims());
    if (x.tensor.dims() == 0) return {min(x), argmin(x)};
    return chosen(x, argmin(x, dim, true), dim, keepdim);
}

// PyTorch's answer of any and all is bool, but for uint8, which once stood for bool.
static Tensor answer(const Tensor& yes, const Arg& x) {
    return x.tensor.dtype() == DType::uint8 ? cast(yes, DType::uint8) : yes;
}

Tensor any(const Arg& x, const DimList& dims, bool keepdim) {
    const Here here(x.where, "any");
    return answer(gt(sum(ne(x, 0), dims, keepdim), 0), x);
}

Tensor all(const Arg& x, const DimList& dims, bool keepdim) {
    const Here here(x.where, "all");
    return answer(eq(sum(eq(x, 0), dims, keepdim), 0), x);
}

// sum (x - mean)^2 / (n - correction)
Tensor var(const Arg& x, const DimList& list, double correction, bool keepdim) {
    const Here here(x.where, "var");
    if (is_low(x)) return rounded(var(widened(x), list, correction, keepdim), x);
    const Dims dims = wrapped("var", list, x.tensor.dims());
    const Tensor d = sub(x, mean(x, dims, true));
    const Arg n = count_of(x.tensor, dims);
    const Tensor total = sum(mul(d, d), dims, keepdim);
    if (n.is_tensor()) return div(total, maximum(sub(n, correction), 0));
    return div(total, std::max(n.scalar.as_real() - correction, 0.0));
}

// Its gradient is 0, not NaN, where all elements are equal.
Tensor std(const Arg& x, const DimList& dims, double correction, bool keepdim) {
    const Here here(x.where, "std");
    if (is_low(x)) return rounded(std(widened(x), dims, correction, keepdim), x);
    const Tensor v = var(x, dims, correction, keepdim);
    const Tensor flat = eq(v, 0);
    return where(flat, 0.0, sqrt(where(flat, 1.0, v)));
}

Tensor cumsum(const Arg& x, std::int64_t dim) {
    const Here here(x.where);
    const Tensor y = is_floating(x.tensor.dtype()) ? x.tensor : cast(x, DType::int64);
    const std::int64_t d = wrap_dim("cumsum", dim, y.dims());
    if (y.dims() == 0) return y;
    return apply(ops::cumsum, {y}, {Attr{d}, Attr{std::int64_t{0}}});
}

}  // namespace tg
