// Reading and writing at indices that are themselves data.
#include <limits>

#include "core/batching.h"
#include "core/low_precision.h"
#include "core/ops/family.h"
#include "core/ops/integers.h"
#include "core/ops/rows.h"
#include "core/ops/structural.h"

namespace tg {
namespace {

// Where an index is larger than the tensor, other than along dim; -1 where it fits.
int misfit(const Dims& index, const Dims& x, int dim) {
    if (index.size() != x.size()) return 0;
    for (int d = 0; d < x.size(); ++d)
        if (d != dim && !is_unknown(index[d]) && !is_unknown(x[d]) && index[d] > x[d]) return d;
    return -1;
}

void check_index(const char* op, std::span<const Desc> in, std::size_t index, int dim) {
    const Desc& i = in[index];
    if (i.dtype != DType::int64)
        fail(ErrorKind::runtime, op, ": the index is ", name_of(i.dtype),
             ", not int64 or int32; cast it: index.long()");
    if (i.shape.size() != in[0].shape.size()) {
        Dims more = i.shape;
        if (more.size() < in[0].shape.size()) more.insert(dim, 1);
        const bool would_fit = misfit(more, in[0].shape, dim) < 0;
        fail(ErrorKind::runtime, op, ": the index ", text(i.shape), " and the tensor ",
             text(in[0].shape), " need the same number of dims",
             would_fit ? "; index.unsqueeze(" + std::to_string(dim) + ")?" : "");
    }
    if (const int d = misfit(i.shape, in[0].shape, dim); d >= 0)
        fail(ErrorKind::runtime, op, ": the index ", text(i.shape), " is larger than the tensor ",
             text(in[0].shape), " in dim ", d);
}

// x, index -> index's shape
Descs gather_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    check_index(op.name, in, 1, static_cast<int>(attrs.integer(0)));
    return {Desc{in[1].shape, in[0].dtype, in[0].device}};
}

// x, index, src -> x's shape
Descs scatter_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    check_index(op.name, in, 1, static_cast<int>(attrs.integer(0)));
    if (in[2].dtype != in[0].dtype)
        fail(ErrorKind::runtime, op.name, ": src is ", name_of(in[2].dtype), ", and the tensor ",
             name_of(in[0].dtype), "; cast one of them");
    if (in[2].shape != in[1].shape)
        fail(ErrorKind::runtime, op.name, ": src ", text(in[2].shape),
             " must be at least as large as the index ", text(in[1].shape), " in each dim");
    return {in[0]};
}

kernels::cpu::Combine combine_of(const Op& op, const Attrs& attrs) {
    using kernels::cpu::Combine;
    const std::string& how = attrs.string(1);
    if (how == "prod") return Combine::product;
    if (how == "amax") return Combine::largest;
    if (how == "amin") return Combine::smallest;
    fail(ErrorKind::runtime, op.name, ": reduce is 'sum', 'prod', 'mean', 'amax' or 'amin', not '",
         how, "'");
}

// x, index, src -> x's shape
Descs scatter_reduce_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    combine_of(op, attrs);
    return scatter_shape(op, in, attrs);
}

void check_inside(const Launch& l, int dim, std::optional<std::int64_t> outside) {
    if (outside)
        fail(ErrorKind::range, l.op.name, ": index ", *outside, " is outside 0..",
             l.in[0].shape[dim] - 1, ", the range of dim ", dim);
}

void gather_cpu(const Launch& l) {
    const int dim = static_cast<int>(l.attrs.integer(0));
    check_inside(l, dim, kernels::cpu::gather(l.out[0], l.in[0], l.in[1], dim));
}

void scatter_add_cpu(const Launch& l) {
    const int dim = static_cast<int>(l.attrs.integer(0));
    kernels::cpu::copy(l.out[0], l.in[0]);
    check_inside(l, dim, kernels::cpu::scatter_add(l.out[0], l.in[1], l.in[2], dim));
}

void scatter_cpu(const Launch& l) {
    const int dim = static_cast<int>(l.attrs.integer(0));
    kernels::cpu::copy(l.out[0], l.in[0]);
    check_inside(l, dim, kernels::cpu::scatter(l.out[0], l.in[1], l.in[2], dim));
}

void scatter_reduce_cpu(const Launch& l) {
    const int dim = static_cast<int>(l.attrs.integer(0));
    kernels::cpu::copy(l.out[0], l.in[0]);
    check_inside(
        l, dim,
        kernels::cpu::scatter_combine(l.out[0], l.in[1], l.in[2], dim, combine_of(l.op, l.attrs)));
}

bool gather_cuda(const Launch& l) {
    const int dim = static_cast<int>(l.attrs.integer(0));
    kernels::cuda::Outside outside;
    const bool done = kernels::cuda::backend().gather(l.out[0], l.in[0], l.in[1], dim, outside);
    check_inside(l, dim, outside);
    return done;
}

// scatter or scatter_add
template <auto kernel>
bool scatter_cuda(const Launch& l) {
    const kernels::cuda::Backend& device = kernels::cuda::backend();
    const int dim = static_cast<int>(l.attrs.integer(0));
    kernels::cuda::Outside outside;
    const bool done = device.copy(l.out[0], l.in[0]) &&
                      (device.*kernel)(l.out[0], l.in[1], l.in[2], dim, outside);
    check_inside(l, dim, outside);
    return done;
}

// y = x at i  =>  dx = zeros, and g added at i
void gather_gradient(Backward& n) {
    const Desc& d = n.desc(0);
    n.give(0, scatter_add(zeros(d.shape, {d.dtype, d.device}), n.attrs().integer(0), n.input(1),
                          n.g()));
}

// y = x, and s added at i  =>  dx = g, ds = g at i
void scatter_add_gradient(Backward& n) {
    n.give(0, n.g());
    if (n.wants(2)) n.give(2, gather(n.g(), n.attrs().integer(0), n.input(1)));
}

// y = x with s at i  =>  dx = g with zeros at i, ds = g at i. Where several are stored in one place
// each gets the g of that place, as in PyTorch.
void scatter_gradient(Backward& n) {
    const Desc& d = n.desc(2);
    if (n.wants(0)) {
        const Tensor zero = expand(zeros({}, {d.dtype, d.device}), n.desc(1).shape);
        n.give(0, apply(*n.node().op, {n.g(), n.input(1), zero}, n.attrs()));
    }
    if (n.wants(2)) n.give(2, gather(n.g(), n.attrs().integer(0), n.input(1)));
}

// y = x times all s at i: f, which is x or an s, has g times the product of the others, which is
// y / f, or where f alone is 0 the product of those that are not 0.
// y = the largest or smallest: those that are equal to it share g.
// y = x combined with s at i  =>  dx = g times x's share, ds = g at i, times s's share
void scatter_reduce_gradient(Backward& n) {
    const std::int64_t dim = n.attrs().integer(0);
    const Arg x = n.input(0), i = n.input(1), s = n.input(2);
    const Tensor y = apply(*n.node().op, {x, i, s}, n.attrs()), g = n.g();
    const auto at = [&](const Tensor& t) { return gather(t, dim, i); };
    const auto ones = [&](const Tensor& mask) { return cast(mask, y.dtype()); };
    if (combine_of(*n.node().op, n.attrs()) != kernels::cpu::Combine::product) {
        const Tensor of_x = ones(eq(x, y)), of_s = ones(eq(s, at(y)));
        const Tensor share = div(g, scatter_add(of_x, dim, i, of_s));
        n.give(0, mul(of_x, share));
        return n.give(2, mul(of_s, at(share)));
    }
    const Tensor zero_x = eq(x, 0), zero_s = eq(s, 0);
    const Tensor some_x = where(zero_x, 1, x), some_s = where(zero_s, 1, s);
    const Tensor one_zero = ones(eq(scatter_add(ones(zero_x), dim, i, ones(zero_s)), 1));
    const Tensor rest = mul(apply(*n.node().op, {some_x, i, some_s}, n.attrs()), one_zero);
    n.give(0, mul(g, where(zero_x, rest, div(y, some_x))));
    n.give(2, mul(at(g), where(zero_s, at(rest), div(at(y), some_s))));
}

}  // namespace

namespace ops {

const Op gather = {.name = "gather",
                   .inputs = 2,
                   .shape = gather_shape,
                   .gradient = gather_gradient,
                   .needs = {{Need::b}},
                   .cpu = gather_cpu,
                   .cuda = gather_cuda,
                   .attributes = {{"dim", AttrKind::integer}},
                   .batch = batch_shifted<Names::dim>};
const Op scatter_add = {.name = "scatter_add",
                        .inputs = 3,
                        .shape = scatter_shape,
                        .gradient = scatter_add_gradient,
                        .needs = {{}, {}, {Need::b}},
                        .cpu = scatter_add_cpu,
                        .cuda = scatter_cuda<&kernels::cuda::Backend::scatter_add>,
                        .attributes = {{"dim", AttrKind::integer}},
                        .batch = batch_shifted<Names::dim>};

const Op scatter = {.name = "scatter",
                    .inputs = 3,
                    .shape = scatter_shape,
                    .gradient = scatter_gradient,
                    .needs = {{Need::b}, {}, {Need::b}},
                    .cpu = scatter_cpu,
                    .cuda = scatter_cuda<&kernels::cuda::Backend::scatter>,
                    .attributes = {{"dim", AttrKind::integer}},
                    .batch = batch_shifted<Names::dim>};

const Op scatter_reduce = {.name = "scatter_reduce",
                           .inputs = 3,
                           .shape = scatter_reduce_shape,
                           .gradient = scatter_reduce_gradient,
                           .needs = {{Need::a, Need::b, Need::c}, {}, {Need::a, Need::b, Need::c}},
                           .cpu = scatter_reduce_cpu,
                           .attributes = {{"dim", AttrKind::integer}, {"reduce", AttrKind::string}},
                           .batch = batch_shifted<Names::dim>};

}  // namespace ops

std::span<const Op* const> indexing_ops() {
    static const Op* const list[] = {&ops::gather, &ops::scatter_add, &ops::scatter,
                                     &ops::scatter_reduce};
    return list;
}

namespace {

// What of src has an index beside it.
Tensor covered(const Tensor& src, const Dims& index) {
    Tensor part = src;
    if (src.dims() != index.size()) return src;
    for (int d = 0; d < index.size(); ++d)
        if (!is_unknown(index[d]) && src.shape()[d] > index[d])
            part = slice(part, d, 0, index[d], 1);
    return part;
}

Tensor scattered(const Op& op, const Arg& x, std::int64_t dim, const Arg& index, const Tensor& src,
                 const std::string& how = "") {
    const std::int64_t d = wrap_dim(op.name, dim, x.tensor.dims());
    const Tensor i = as_index(op.name, index.tensor);
    if (x.tensor.dims() == 0 && i.dims() == 0 && src.dims() == 0)
        return squeeze(scattered(op, unsqueeze(x, 0), 0, unsqueeze(i, 0), unsqueeze(src, 0), how),
                       0);
    if (x.tensor.dims() == 1 && i.dims() == 0 && src.dims() == 0)
        return scattered(op, x, 0, unsqueeze(i, 0), unsqueeze(src, 0), how);
    return apply(op, {x, i, covered(src, i.shape())},
                 how.empty() ? Attrs{Attr{d}} : Attrs{Attr{d}, Attr{how}});
}

// What changes nothing when it is combined with a number of that dtype.
Arg neutral(const std::string& how, DType dtype) {
    if (how == "sum" || how == "mean") return 0;
    if (how == "prod") return 1;
    const bool least = how == "amax";
    if (dtype == DType::boolean) return !least;
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (is_floating(dtype)) return least ? -infinity : infinity;
    const auto [low, high] = integers_of(dtype);
    return least ? low : high;
}

}  // namespace

Tensor gather(const Arg& x, std::int64_t dim, const Arg& index) {
    const Here here(x.where);
    const std::int64_t d = wrap_dim("gather", dim, x.tensor.dims());
    const Tensor i = as_index("gather", index.tensor);
    if (x.tensor.dims() <= 1 && i.dims() == 0)  // a tensor of no dims is a row of one
        return squeeze(gather(reshape(x, {-1}), 0, unsqueeze(i, 0)), 0);
    if (x.tensor.dims() == 0 && i.dims() == 1) return gather(unsqueeze(x, 0), 0, i);
    return apply(ops::gather, {x, i}, {Attr{d}});
}

Tensor scatter_add(const Arg& x, std::int64_t dim, const Arg& index, const Arg& src) {
    const Here here(x.where);
    return scattered(ops::scatter_add, x, dim, index, src.tensor);
}

Tensor scatter(const Arg& x, std::int64_t dim, const Arg& index, const Arg& src) {
    const Here here(x.where);
    if (src.is_tensor() && (src.tensor.dims() > 0 || index.tensor.dims() == 0))
        return scattered(ops::scatter, x, dim, index, src.tensor);
    const Tensor value = expand(value_like(x.tensor, src), index.tensor.shape());
    return scattered(ops::scatter, x, dim, index, value);
}

// The mean is the sum through how many there are, of integers rounded down.
Tensor scatter_reduce(const Arg& x, std::int64_t dim, const Arg& index, const Arg& src,
                      const std::string& reduce, bool include_self) {
    const Here here(x.where, "scatter_reduce");
    if (is_low(x) && is_low(src))
        return rounded(scatter_reduce(widened(x), dim, index, widened(src), reduce, include_self),
                       x);
    Tensor start = x.tensor;
    if (!include_self) start = scatter(x, dim, index, neutral(reduce, start.dtype()));
    if (reduce != "sum" && reduce != "mean")
        return scattered(ops::scatter_reduce, start, dim, index, src.tensor, reduce);
    const Tensor sum = scattered(ops::scatter_add, start, dim, index, src.tensor);
    if (reduce == "sum") return sum;
    const Tensor own = ones_like(sum), each = cast(ones_like(index.tensor), sum.dtype());
    const Tensor count =
        scatter_add(include_self ? own : scatter(own, dim, index, 0), dim, index, each);
    return is_floating(sum.dtype()) ? div(sum, count) : floor_divide(sum, count);
}

// index (...) -> (..., num_classes). The index passes through a gather that changes nothing, for a
// gather refuses what is out of range, whenever it runs.
Tensor one_hot(const Arg& index, std::int64_t num_classes) {
    const Here here(index.where, "one_hot");
    if (index.tensor.dtype() != DType::int64)
        fail(ErrorKind::runtime, "one_hot: the index is ", name_of(index.tensor.dtype()),
             ", not int64; cast it: index.long()");
    if (num_classes < 1)
        fail(ErrorKind::runtime, "one_hot: num_classes is ", num_classes,
             ", and must be at least 1");
    const Tensor classes = to(arange(num_classes), index.tensor.device());
    const Tensor inside = reshape(gather(classes, 0, reshape(index, {-1})), index.tensor.shape());
    return cast(eq(unsqueeze(inside, -1), classes), DType::int64);
}

}  // namespace tg
