// Parts of tensors: one index, a range, and the way back: parts put together.
#include <algorithm>
#include <limits>

#include "core/batching.h"
#include "core/ops/family.h"

namespace tg {
namespace {

// ---- select and slice --------------------------------------------------------------------------

std::int64_t stepped(std::int64_t offset, std::int64_t index, std::int64_t stride) {
    return is_unknown(stride) || is_unknown(offset) || index < 0 ? unknown_dims
                                                                 : offset + index * stride;
}

// x (..., n, ...) -> (..., ...)
bool select_view(const Layout& in, const Attrs& attrs, Layout& out) {
    const int dim = static_cast<int>(attrs.integer(0));
    const std::int64_t size = in.shape[dim];
    std::int64_t index = attrs.integer(1);
    if (!is_unknown(size)) {
        if (index < -size || index >= size)
            fail(ErrorKind::index, "select: index ", index, " is outside dim ", dim, " of ",
                 text(in.shape));
        if (index < 0) index += size;
    }
    out = in;
    out.offset = stepped(in.offset, index, in.strides[dim]);
    out.shape.erase(dim);
    out.strides.erase(dim);
    return true;
}

// Python's rules for x[begin:end:step]: negative ends count from the back, all are clamped.
struct Range {
    std::int64_t begin, count;
};

Range range_of(std::int64_t size, std::int64_t begin, std::int64_t end, std::int64_t step) {
    const auto clamp = [&](std::int64_t i) {
        return std::clamp<std::int64_t>(i < 0 ? i + size : i, 0, size);
    };
    const std::int64_t from = clamp(begin);
    const std::int64_t to = clamp(end);
    return {from, to > from ? (to - from - 1) / step + 1 : 0};
}

// x (..., n, ...) -> (..., count, ...)
bool slice_view(const Layout& in, const Attrs& attrs, Layout& out) {
    const int dim = static_cast<int>(attrs.integer(0));
    const std::int64_t step = attrs.integer(3);
    const std::int64_t size = in.shape[dim];
    if (step < 1) fail(ErrorKind::value, "slice: the step is ", step, ", and must be at least 1");
    out = in;
    if (is_unknown(size)) {
        const bool all = attrs.integer(1) == 0 && attrs.integer(2) >= (std::int64_t{1} << 40);
        if (!all || step != 1) out.shape[dim] = new_unknown();
        return true;
    }
    const Range r = range_of(size, attrs.integer(1), attrs.integer(2), step);
    out.shape[dim] = r.count;
    out.strides[dim] =
        is_unknown(in.strides[dim]) ? unknown_dims : (r.count > 1 ? in.strides[dim] * step : 1);
    out.offset = stepped(in.offset, r.begin, in.strides[dim]);
    return true;
}

// Zeros with g at a slice: slice_scatter(base, src) is base with src there.
Tensor scattered(Backward& n, const Tensor& g, const Attrs& slice) {
    const Desc& d = n.desc(0);
    const Tensor base = zeros(d.shape, {d.dtype, d.device});
    return apply(*find_op("slice_scatter"), {base, g}, slice);
}

// y = x[i]  =>  dx = zeros with g at i
void select_gradient(Backward& n) {
    const std::int64_t dim = n.attrs().integer(0);
    const std::int64_t index = n.attrs().integer(1);
    const std::int64_t end = index == -1 ? std::numeric_limits<std::int64_t>::max() : index + 1;
    n.give(0, scattered(n, unsqueeze(n.g(), dim),
                        {Attr{dim}, Attr{index}, Attr{end}, Attr{std::int64_t{1}}}));
}

// y = x[i:k]  =>  dx = zeros with g at i:k
void slice_gradient(Backward& n) { n.give(0, scattered(n, n.g(), n.attrs())); }

// base, src of the slice's shape -> base's shape
Descs slice_scatter_shape(const Op&, std::span<const Desc> in, const Attrs& attrs) {
    Layout part;
    slice_view(Layout::contiguous(in[0].shape), attrs, part);
    if (!any_unknown(part.shape) && !any_unknown(in[1].shape) &&
        (part.shape != in[1].shape || in[0].dtype != in[1].dtype))
        fail(ErrorKind::value, "slice_scatter: ", text(in[1]), " does not fit into the slice ",
             text(part.shape), " of ", text(in[0]));
    return {in[0]};
}

// The slice of out that src goes to.
kernels::Array part_of(const Launch& l) {
    const int dim = static_cast<int>(l.attrs.integer(0));
    const std::int64_t step = l.attrs.integer(3);
    kernels::Array part = l.out[0];
    const Range r = range_of(part.shape[dim], l.attrs.integer(1), l.attrs.integer(2), step);
    part.data = static_cast<char*>(part.data) + r.begin * part.strides[dim] * size_of(part.dtype);
    part.shape[dim] = r.count;
    part.strides[dim] *= step;
    return part;
}

void slice_scatter_cpu(const Launch& l) {
    const kernels::Array part = part_of(l);
    kernels::cpu::copy(l.out[0], l.in[0]);
    kernels::cpu::copy(part, broadcast_to(l.in[1], part));
}

bool slice_scatter_cuda(const Launch& l) {
    const kernels::cuda::Backend& device = kernels::cuda::backend();
    const kernels::Array part = part_of(l);
    return device.copy(l.out[0], l.in[0]) && device.copy(part, broadcast_to(l.in[1], part));
}

Tensor slice_by(const Tensor& x, const Attrs& a) {
    return slice(x, a.integer(0), a.integer(1), a.integer(2), a.integer(3));
}

// y = base with src at the slice  =>  dbase = g with zeros there, dsrc = g at the slice
void slice_scatter_gradient(Backward& n) {
    if (n.wants(0)) {
        const Desc& d = n.desc(1);
        const Tensor none = zeros(d.shape, {d.dtype, d.device});
        n.give(0, apply(*n.node().op, {n.g(), none}, n.attrs()));
    }
    if (n.wants(1)) n.give(1, slice_by(n.g(), n.attrs()));
}

// ---- cat ---------------------------------------------------------------------------------------

// a (..., n, ...), b (..., m, ...), ... -> (..., n + m + ..., ...)
Descs cat_shape(const Op&, std::span<const Desc> in, const Attrs& attrs) {
    const int dim = static_cast<int>(attrs.integer(0));
    Desc out = in[0];
    bool unknown = is_unknown(out.shape[dim]);
    for (std::size_t i = 1; i < in.size(); ++i) {
        const Dims& s = in[i].shape;
        for (int d = 0; d < std::max(s.size(), out.shape.size()); ++d) {
            const bool same =
                s.size() == out.shape.size() &&
                (d == dim || s[d] == out.shape[d] || is_unknown(s[d]) || is_unknown(out.shape[d]));
            if (!same)
                fail(ErrorKind::runtime, "cat: tensor ", i, " has shape ", text(s),
                     ", but tensor 0 has ", text(in[0].shape), "; all dims but dim ", dim,
                     " must agree");
        }
        unknown = unknown || is_unknown(s[dim]);
        if (!unknown) out.shape[dim] += s[dim];
    }
    if (unknown) out.shape[dim] = new_unknown();
    return {out};
}

// Calls copy(part, in) for each input and the part of out that it goes to.
template <class Copy>
void each_part(const Launch& l, const Copy& copy) {
    const int dim = static_cast<int>(l.attrs.integer(0));
    kernels::Array part = l.out[0];
    for (const kernels::Array& in : l.in) {
        part.shape[dim] = in.shape[dim];
        copy(part, in);
        part.data =
            static_cast<char*>(part.data) + in.shape[dim] * part.strides[dim] * size_of(part.dtype);
    }
}

void cat_cpu(const Launch& l) { each_part(l, kernels::cpu::copy); }

bool cat_cuda(const Launch& l) {
    bool done = true;
    each_part(l, [&](const kernels::Array& part, const kernels::Array& in) {
        done = done && kernels::cuda::backend().copy(part, in);
    });
    return done;
}

// y = [a, b, ...]  =>  each gets its part of g
void cat_gradient(Backward& n) {
    const std::int64_t dim = n.attrs().integer(0);
    std::int64_t begin = 0;
    for (int i = 0; i < n.inputs(); ++i) {
        const std::int64_t size = n.desc(i).shape[static_cast<int>(dim)];
        if (is_unknown(size))
            fail(ErrorKind::runtime, "cat", at(n.node().where), ": its gradient needs to know the ",
                 "size of dim ", dim, " of tensor ", i, "; give the placeholder that size");
        if (n.wants(i)) n.give(i, slice(n.g(), dim, begin, begin + size));
        begin += size;
    }
}

}  // namespace

namespace ops {

const Op select = {.name = "select",
                   .inputs = 1,
                   .gradient = select_gradient,
                   .view = select_view,
                   .cpu = alias_cpu,
                   .cuda = alias_cuda,
                   .attributes = {{"dim", AttrKind::integer}, {"index", AttrKind::integer}},
                   .alias = true,
                   .batch = batch_shifted<Names::dim>};
const Op slice = {.name = "slice",
                  .inputs = 1,
                  .gradient = slice_gradient,
                  .view = slice_view,
                  .cpu = alias_cpu,
                  .cuda = alias_cuda,
                  .attributes = {{"dim", AttrKind::integer},
                                 {"begin", AttrKind::integer},
                                 {"end", AttrKind::integer},
                                 {"step", AttrKind::integer}},
                  .alias = true,
                  .batch = batch_shifted<Names::dim>};
const Op slice_scatter = {.name = "slice_scatter",
                          .inputs = 2,
                          .shape = slice_scatter_shape,
                          .gradient = slice_scatter_gradient,
                          .cpu = slice_scatter_cpu,
                          .cuda = slice_scatter_cuda,
                          .attributes = {{"dim", AttrKind::integer},
                                         {"begin", AttrKind::integer},
                                         {"end", AttrKind::integer},
                                         {"step", AttrKind::integer}},
                          .batch = batch_shifted<Names::dim>};
const Op cat = {.name = "cat",
                .promotes = Promotes::common,
                .shape = cat_shape,
                .gradient = cat_gradient,
                .cpu = cat_cpu,
                .cuda = cat_cuda,
                .attributes = {{"dim", AttrKind::integer}},
                .batch = batch_shifted<Names::dim>};
}  // namespace ops

std::span<const Op* const> slicing_ops() {
    static const Op* const list[] = {&ops::select, &ops::slice, &ops::slice_scatter, &ops::cat};
    return list;
}

// ---- what users call ----------------------------------------------------------------------------

Tensor select(const Arg& x, std::int64_t dim, std::int64_t index) {
    const Here here(x.where);
    if (x.tensor.dims() == 0)
        fail(ErrorKind::index, "select: a tensor of no dims cannot be indexed",
             "; item() gives its number");
    const std::int64_t d = wrap_dim("select", dim, x.tensor.dims());
    return apply(ops::select, {x}, {Attr{d}, Attr{index}});
}

Tensor slice(const Arg& x, std::int64_t dim, std::int64_t begin, std::int64_t end,
             std::int64_t step) {
    const Here here(x.where);
    if (step < 1) fail(ErrorKind::value, "slice: the step is ", step, ", and must be at least 1");
    const std::int64_t d = wrap_dim("slice", dim, x.tensor.dims());
    return apply(ops::slice, {x}, {Attr{d}, Attr{begin}, Attr{end}, Attr{step}});
}

namespace {

// torch.tensor([]): it may be joined to tensors of any shape, and adds nothing.
bool is_empty_list(const Tensor& t) { return t.shape() == Dims{0}; }

Tensor cat_at(const std::vector<Tensor>& tensors, std::int64_t dim) {
    const std::vector<Arg> args(tensors.begin(), tensors.end());
    return apply(ops::cat, args, {Attr{dim}});
}

}  // namespace

Tensor cat(const std::vector<Tensor>& tensors, std::int64_t dim, Where where) {
    const Here here(where);
    if (tensors.empty()) fail(ErrorKind::value, "cat: an empty list of tensors");
    const auto first = std::find_if_not(tensors.begin(), tensors.end(), is_empty_list);
    if (first == tensors.end()) return cat_at(tensors, 0);  // along any dim that is asked for
    for (const Tensor& t : tensors)
        if (t.dims() == 0)
            fail(ErrorKind::runtime, "cat: tensors of no dims cannot be joined", "; use stack()");
    const int d = wrap_dim("cat", dim, first->dims());
    Dims none = first->shape();
    none[d] = 0;
    std::vector<Tensor> joined;
    for (const Tensor& t : tensors) {
        if (!is_empty_list(t) || first->dims() == 1)
            joined.push_back(t);
        else if (!any_unknown(none))
            joined.push_back(reshape(t, none));
    }
    return cat_at(joined, d);
}

Tensor stack(const std::vector<Tensor>& tensors, std::int64_t dim, Where where) {
    const Here here(where);
    if (tensors.empty()) fail(ErrorKind::runtime, "stack: an empty list of tensors");
    std::vector<Tensor> rows;
    for (const Tensor& t : tensors) {
        if (t.shape() != tensors[0].shape())
            fail(ErrorKind::runtime, "stack: tensor ", rows.size(), " has shape ", text(t.shape()),
                 ", but tensor 0 has ", text(tensors[0].shape()));
        rows.push_back(unsqueeze(t, dim));
    }
    return cat(rows, wrap_dim("stack", dim, tensors[0].dims() + 1));
}

}  // namespace tg
