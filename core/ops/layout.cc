// Views that reorder, repeat or regroup dims: they change the layout and touch no bytes. Parts of
// tensors are in slicing.cc.
#include <algorithm>
#include <limits>

#include "core/batching.h"
#include "core/history.h"
#include "core/ops/family.h"
#include "core/ops/structural.h"
#include "core/recording.h"

namespace tg {
namespace {

// ---- permute -----------------------------------------------------------------------------------

// x (n0, n1, ...) -> the same sizes in another order
bool permute_view(const Layout& in, const Attrs& attrs, Layout& out) {
    out = in;
    const Dims& order = attrs.dims(0);
    Dims seen;
    for (std::int64_t d : order) {
        if (d < 0 || d >= in.shape.size() || seen.contains(d) || order.size() != in.shape.size())
            fail(ErrorKind::value, "permute: ", text(order), " is no order of ", in.shape.size(),
                 " dims");
        seen.push_back(d);
    }
    for (int d = 0; d < order.size(); ++d) {
        out.shape[d] = in.shape[static_cast<int>(order[d])];
        out.strides[d] = in.strides[static_cast<int>(order[d])];
    }
    return true;
}

// y = x permuted  =>  dx = g permuted back
void permute_gradient(Backward& n) {
    const Dims& order = n.attrs().dims(0);
    Dims back = order;
    for (int d = 0; d < order.size(); ++d) back[static_cast<int>(order[d])] = d;
    n.give(0, permute(n.g(), back));
}

// ---- expand ------------------------------------------------------------------------------------

bool expands(const Dims& from, const Dims& to) {
    const int added = to.size() - from.size();
    for (int d = 0; d < from.size(); ++d)
        if (from[d] != 1 && from[d] != to[d + added] && to[d + added] != -1) return false;
    return true;
}

// A shape that would expand: without the 1s in front that are too many, or with some behind.
std::string expandable(const Dims& from, const Dims& to) {
    Dims tried = from;
    if (any_unknown(from) || any_unknown(to)) return "";
    while (tried.size() > to.size() && tried[0] == 1) tried.erase(0);
    while (tried.size() < to.size() && !expands(tried, to)) tried.push_back(1);
    if (tried.size() > to.size() || !expands(tried, to)) return "";
    return "; reshape it to " + text(tried) + "?";
}

// x (..., 1, ...) -> (..., n, ...), and more dims in front
bool expand_view(const Layout& in, const Attrs& attrs, Layout& out) {
    const Dims& shape = attrs.dims(0);
    const int added = shape.size() - in.shape.size();
    if (added < 0)
        fail(ErrorKind::runtime, "expand: ", text(in.shape), " has more dims than ", text(shape),
             expandable(in.shape, shape));
    out = {shape, Dims::of(shape.size(), 0), in.offset};
    for (int d = 0; d < shape.size(); ++d) {
        const std::int64_t size = d >= added ? in.shape[d - added] : 1;
        if (shape[d] == -1 && d >= added) out.shape[d] = size;
        if (size == out.shape[d])
            out.strides[d] = d >= added ? in.strides[d - added] : 0;
        else if (size != 1 && !is_unknown(size) && !is_unknown(out.shape[d]))
            fail(ErrorKind::runtime, "expand: ", text(in.shape), " does not expand to ",
                 text(shape), ": dim ", d, " is ", size, ", not 1 or ", shape[d],
                 expandable(in.shape, shape));
        else if (out.shape[d] < 0 && !is_unknown(out.shape[d]))
            fail(ErrorKind::runtime, "expand: the size ", shape[d], " of dim ", d, " is negative");
    }
    if (!any_unknown(out.shape)) element_count(out.shape);  // throws if no number counts them
    return true;
}

// y = x repeated  =>  dx = g summed over the repeats, which the walk sees to
void expand_gradient(Backward& n) { n.give(0, n.g()); }

// ---- reshape -----------------------------------------------------------------------------------

// What would fit: the asked shape with one dim left open, the first that can be.
std::string reshapable(std::int64_t total, const Dims& asked, int hole) {
    if (hole >= 0) {
        Dims rest = asked;
        rest[hole] = 1;
        return "; " + std::to_string(total) + " is no multiple of " +
               std::to_string(element_count(rest));
    }
    for (int d = 0; d < asked.size() && total > 0 && !asked.contains(0); ++d) {
        Dims open = asked;
        open[d] = 1;
        const std::int64_t rest = element_count(open);
        if (total % rest != 0) continue;
        open[d] = total / rest;
        return "; reshape it to " + text(open) + "?";
    }
    return "";
}

// The shape with its -1 worked out from x's.
Dims inferred(const char* op, const Dims& from, const Dims& to) {
    Dims shape = to;
    int hole = -1;
    for (int d = 0; d < to.size(); ++d) {
        if (to[d] >= 0 || is_unknown(to[d])) continue;
        if (to[d] != -1 || hole >= 0)
            fail(ErrorKind::runtime, op, ": ", text(to),
                 " may hold one -1 and no other negative size");
        hole = d;
    }
    if (any_unknown(from) || any_unknown(to)) {
        if (hole < 0) return shape;
        // The one unknown dim of x is the hole if all the rest agree; else it is a new unknown.
        std::int64_t known = 1, asked = 1, unknown = 0;
        int unknowns = 0;
        for (std::int64_t d : from) is_unknown(d) ? (unknown = d, ++unknowns) : known *= d;
        for (std::int64_t d : to)
            if (d >= 0) asked *= d;
        shape[hole] = unknowns == 1 && known == asked && !any_unknown(to) ? unknown : new_unknown();
        return shape;
    }
    const std::int64_t total = element_count(from);
    if (hole >= 0) {
        shape[hole] = 1;
        const std::int64_t rest = element_count(shape);
        if (rest == 0)
            fail(ErrorKind::runtime, op, ": the -1 in ", text(to), " could be any size, for ",
                 text(from), " has no elements");
        if (total % rest == 0) shape[hole] = total / rest;
    }
    if (element_count(shape) != total)
        fail(ErrorKind::runtime, op, ": ", text(from), " has ", total,
             " elements, which do not fit ", text(to), reshapable(total, to, hole));
    return shape;
}

// Walks both shapes from the right; each run of dims that is contiguous in x is cut anew.
bool reshape_view(const Layout& in, const Attrs& attrs, Layout& out) {
    const Dims shape = inferred("reshape", in.shape, attrs.dims(0));
    out = {shape, Dims::of(shape.size(), 0), in.offset};
    if (any_unknown(in.shape) || any_unknown(shape)) {
        out.strides = contiguous_strides(shape);
        return in.is_contiguous();
    }
    if (in.is_contiguous() || element_count(shape) == 0) {
        out.strides = contiguous_strides(shape);
        return true;
    }
    int to = shape.size() - 1;
    for (int d = in.shape.size() - 1; d >= 0;) {
        std::int64_t run = in.shape[d];
        const std::int64_t step = in.strides[d];
        while (--d >= 0 && (in.shape[d] == 1 || in.strides[d] == step * run)) run *= in.shape[d];
        for (std::int64_t made = 1; to >= 0 && (made < run || shape[to] == 1); --to) {
            out.strides[to] = step * made;
            made *= shape[to];
            if (made > run || run % made != 0) return false;
        }
    }
    for (; to >= 0; --to) out.strides[to] = 1;
    return true;
}

// x -> the shape asked for, of as many elements
Descs reshape_shape(const Op&, std::span<const Desc> in, const Attrs& attrs) {
    return {Desc{inferred("reshape", in[0].shape, attrs.dims(0)), in[0].dtype, in[0].device}};
}

// y = x in another shape  =>  dx = g in x's
void reshape_gradient(Backward& n) { n.give(0, reshape(n.g(), n.desc(0).shape)); }

// x (..., ...) -> (..., 1, ...)
bool unsqueeze_view(const Layout& in, const Attrs& attrs, Layout& out) {
    const int dim = static_cast<int>(attrs.integer(0));
    out = in;
    const std::int64_t step = dim < in.shape.size() ? in.strides[dim] * in.shape[dim] : 1;
    const bool unknown =
        dim < in.shape.size() && (is_unknown(in.strides[dim]) || is_unknown(in.shape[dim]));
    out.shape.insert(dim, 1);
    out.strides.insert(dim, unknown ? unknown_dims : step);
    return true;
}

// x (..., 1, ...) -> (..., ...), for each of the dims, which are in order
bool squeeze_view(const Layout& in, const Attrs& attrs, Layout& out) {
    const Dims& dims = attrs.dims(0);
    out = in;
    for (int i = dims.size() - 1; i >= 0; --i) {
        const int d = static_cast<int>(dims[i]);
        if (in.shape[d] != 1)
            fail(ErrorKind::runtime, "squeeze: dim ", d, " of ", text(in.shape), " is not 1");
        out.shape.erase(d);
        out.strides.erase(d);
    }
    return true;
}

// y = x without some dims of size 1  =>  dx = g with them
void squeeze_gradient(Backward& n) {
    Tensor g = n.g();
    for (std::int64_t d : n.attrs().dims(0)) g = unsqueeze(g, d);
    n.give(0, g);
}

// y = x with one more dim of size 1  =>  dx = g without it
void unsqueeze_gradient(Backward& n) { n.give(0, squeeze(n.g(), n.attrs().integer(0))); }

void clone_cpu(const Launch& l) { kernels::cpu::copy(l.out[0], l.in[0]); }
bool clone_cuda(const Launch& l) { return kernels::cuda::backend().copy(l.out[0], l.in[0]); }

// y = x  =>  dx = g
void clone_gradient(Backward& n) { n.give(0, n.g()); }

}  // namespace

namespace {

// ---- vmap --------------------------------------------------------------------------------------

// (B, ...) -> (B, 1, ..., 1, ...), and that expanded
Outputs batch_expand(const Batch& b) {
    Tensor x = b.all(0);
    const Dims& shape = b.attrs.dims(0);
    while (x.dims() <= shape.size()) x = unsqueeze(x, 1);
    return {expand(x, b.with_size(shape))};
}

Outputs batch_reshape(const Batch& b) { return {reshape(b.all(0), b.with_size(b.attrs.dims(0)))}; }

}  // namespace

namespace ops {

const Op permute = {.name = "permute",
                    .inputs = 1,
                    .gradient = permute_gradient,
                    .view = permute_view,
                    .cpu = alias_cpu,
                    .cuda = alias_cuda,
                    .attributes = {{"dims", AttrKind::dims}},
                    .alias = true,
                    .batch = batch_shifted<Names::order>};
const Op expand = {.name = "expand",
                   .inputs = 1,
                   .gradient = expand_gradient,
                   .view = expand_view,
                   .cpu = alias_cpu,
                   .cuda = alias_cuda,
                   .attributes = {{"shape", AttrKind::dims}},
                   .alias = true,
                   .batch = batch_expand};
const Op reshape = {.name = "reshape",
                    .inputs = 1,
                    .shape = reshape_shape,
                    .gradient = reshape_gradient,
                    .view = reshape_view,
                    .cpu = alias_cpu,
                    .cuda = alias_cuda,
                    .attributes = {{"shape", AttrKind::dims}},
                    .alias = true,
                    .batch = batch_reshape};
const Op unsqueeze = {.name = "unsqueeze",
                      .inputs = 1,
                      .gradient = unsqueeze_gradient,
                      .view = unsqueeze_view,
                      .cpu = alias_cpu,
                      .cuda = alias_cuda,
                      .attributes = {{"dim", AttrKind::integer}},
                      .alias = true,
                      .batch = batch_shifted<Names::dim>};
const Op squeeze = {.name = "squeeze",
                    .inputs = 1,
                    .gradient = squeeze_gradient,
                    .view = squeeze_view,
                    .cpu = alias_cpu,
                    .cuda = alias_cuda,
                    .attributes = {{"dim", AttrKind::dims}},
                    .alias = true,
                    .batch = batch_shifted<Names::dims>};
const Op clone = {.name = "clone",
                  .inputs = 1,
                  .shape = same_shape,
                  .gradient = clone_gradient,
                  .cpu = clone_cpu,
                  .cuda = clone_cuda,
                  .low_precision = true,
                  .batch = batch_aligned};

}  // namespace ops

std::span<const Op* const> layout_ops() {
    static const Op* const list[] = {&ops::permute,   &ops::expand,  &ops::reshape,
                                     &ops::unsqueeze, &ops::squeeze, &ops::clone};
    return list;
}

// ---- what users call ---------------------------------------------------------------------------

Tensor permute(const Arg& x, const Dims& order) {
    const Here here(x.where);
    const int n = x.tensor.dims();
    if (order.size() != n)
        fail(ErrorKind::runtime, "permute: ", text(order), " names ", order.size(), " dims of ", n);
    Dims wrapped;
    for (std::int64_t d : order) {
        const int w = wrap_dim("permute", d, n);
        if (wrapped.contains(w))
            fail(ErrorKind::runtime, "permute: ", text(order), " names dim ", w, " twice");
        wrapped.push_back(w);
    }
    return apply(ops::permute, {x}, {Attr{wrapped}});
}

Tensor transpose(const Arg& x, std::int64_t a, std::int64_t b) {
    const Here here(x.where);
    const int n = x.tensor.dims();
    const int first = wrap_dim("transpose", a, n);
    const int second = wrap_dim("transpose", b, n);
    Dims order;
    for (int d = 0; d < n; ++d) order.push_back(d);
    if (n > 0) std::swap(order[first], order[second]);
    return apply(ops::permute, {x}, {Attr{order}});
}

Tensor expand(const Arg& x, const Dims& shape) { return apply(ops::expand, {x}, {Attr{shape}}); }

Tensor reshape(const Arg& x, const Dims& shape) {
    const Here here(x.where);
    Layout out;
    const Attrs attrs{Attr{shape}};
    if (reshape_view(x.tensor.handle().layout, attrs, out)) return apply(ops::reshape, {x}, attrs);
    return apply(ops::reshape, {clone(x)}, attrs);
}

Tensor view(const Arg& x, const Dims& shape) {
    const Here here(x.where);
    Layout out;
    const Attrs attrs{Attr{shape}};
    if (!reshape_view(x.tensor.handle().layout, attrs, out))
        fail(ErrorKind::runtime, "view: ", text(x.tensor.shape()), " with strides ",
             text(x.tensor.strides()), " has no view of shape ", text(shape),
             "; use reshape(), which copies");
    return apply(ops::reshape, {x}, attrs);
}

Tensor flatten(const Arg& x, std::int64_t from, std::int64_t to) {
    const Here here(x.where);
    const Dims& s = x.tensor.shape();
    const int first = wrap_dim("flatten", from, s.size());
    const int last = wrap_dim("flatten", to, s.size());
    if (s.empty()) return reshape(x, {1});
    if (first > last)
        fail(ErrorKind::runtime, "flatten: start_dim ", first, " comes after end_dim ", last);
    Dims shape, part;
    for (int d = 0; d < s.size(); ++d) {
        if (d >= first && d <= last) part.push_back(s[d]);
        if (d < first || d > last) shape.push_back(s[d]);
        if (d == last) shape.push_back(any_unknown(part) ? -1 : element_count(part));
    }
    return reshape(x, shape);
}

Tensor squeeze(const Arg& x, const DimList& list) {
    const Here here(x.where);
    const Dims& s = x.tensor.shape();
    Dims ones;
    if (list.all) {
        for (int d = 0; d < s.size(); ++d)
            if (s[d] == 1) ones.push_back(d);
    } else {
        for (std::int64_t d : list.dims) {
            const int w = wrap_dim("squeeze", d, s.size());
            if (w < s.size() && s[w] == 1 && !ones.contains(w)) ones.push_back(w);
        }
        std::sort(ones.begin(), ones.end());
    }
    return ones.empty() ? x.tensor : apply(ops::squeeze, {x}, {Attr{ones}});
}

Tensor unsqueeze(const Arg& x, std::int64_t dim) {
    const Here here(x.where);
    const int places = x.tensor.dims() + 1;  // for the new dim
    if (dim < -places || dim >= places)
        fail(ErrorKind::index, "unsqueeze: dim ", dim, " is outside ", -places, "..", places - 1,
             ", the places for a new dim of ", text(x.tensor.shape()));
    const std::int64_t d = dim < 0 ? dim + places : dim;
    return apply(ops::unsqueeze, {x}, {Attr{d}});
}

Tensor clone(const Arg& x) { return apply(ops::clone, {x}); }

Tensor contiguous(const Arg& x) { return x.tensor.is_contiguous() ? x.tensor : clone(x); }

}  // namespace tg
