// The lines by which views, in-place writes and recordings are said. history.cc writes them.
#include "core/ops/structural.h"

#include <algorithm>

#include "core/batching.h"
#include "core/ops/family.h"
#include "core/state.h"

namespace tg {

Attrs layout_attrs(const Layout& layout) {
    return {Attr{layout.shape}, Attr{layout.strides}, Attr{layout.offset}};
}

Layout layout_from(const Attrs& attrs) { return {attrs.dims(0), attrs.dims(1), attrs.integer(2)}; }

namespace {

bool layout_view(const Layout& in, const Attrs& attrs, Layout& out) {
    out = layout_from(attrs);
    out.offset += in.offset;
    return in.is_contiguous();
}

// A layout read from a file must not reach outside of its base.
void check_inside(const Op& op, const Dims& base, const Attrs& attrs) {
    const Layout l = layout_from(attrs);
    if (any_unknown(base) || any_unknown(l.shape)) return;
    std::int64_t last = l.offset;
    bool inside = l.offset >= 0 && l.shape.size() == l.strides.size();
    bool empty = false;
    for (int d = 0; inside && d < l.shape.size(); ++d) {
        std::int64_t reach = 0;
        inside = l.shape[d] >= 0 && l.strides[d] >= 0 &&
                 !__builtin_mul_overflow(std::max<std::int64_t>(l.shape[d] - 1, 0), l.strides[d],
                                         &reach) &&
                 !__builtin_add_overflow(last, reach, &last);
        empty = empty || l.shape[d] == 0;
    }
    if (!inside || (!empty && last >= element_count(base)))
        fail(ErrorKind::value, op.name, ": the layout ", text(l.shape), " with strides ",
             text(l.strides), " from ", l.offset, " reaches outside of a base of shape ",
             text(base));
}

Descs layout_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    check_inside(op, in[0].shape, attrs);
    return {Desc{attrs.dims(0), in[0].dtype, in[0].device}};
}

Descs write_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    check_inside(op, in[0].shape, attrs);
    if (broadcast(op.name, in[1].shape, attrs.dims(0)) != attrs.dims(0) ||
        in[0].dtype != in[1].dtype)
        fail(ErrorKind::value, op.name, ": the value ", text(in[1]), " does not fit the layout ",
             text(attrs.dims(0)), " of a base of ", name_of(in[0].dtype));
    return {in[0]};
}

kernels::Array part_of(const kernels::Array& base, const Attrs& attrs) {
    return array_of(base.data, base.dtype, layout_from(attrs));
}

void write_view_cpu(const Launch& l) {
    kernels::cpu::copy(l.out[0], l.in[0]);
    const kernels::Array part = part_of(l.out[0], l.attrs);
    kernels::cpu::copy(part, broadcast_to(l.in[1], part));
}

bool write_view_cuda(const Launch& l) {
    if (layout_from(l.attrs).overlaps()) return false;  // of several in one place the last stays
    const kernels::cuda::Backend& device = kernels::cuda::backend();
    const kernels::Array part = part_of(l.out[0], l.attrs);
    return device.copy(l.out[0], l.in[0]) && device.copy(part, broadcast_to(l.in[1], part));
}

void add_view_cpu(const Launch& l) {
    kernels::cpu::copy(l.out[0], l.in[0]);
    const kernels::Array part = part_of(l.out[0], l.attrs);
    kernels::cpu::add_to(part, broadcast_to(l.in[1], part));
}

bool add_view_cuda(const Launch& l) {
    const kernels::cuda::Backend& device = kernels::cuda::backend();
    const kernels::Array part = part_of(l.out[0], l.attrs);
    return device.copy(l.out[0], l.in[0]) && device.add_to(part, broadcast_to(l.in[1], part));
}

Tensor view_of(const Tensor& base, const Attrs& attrs) {
    return apply(ops::as_view, {contiguous(base)}, attrs);
}

// y = base at a layout  =>  dbase = zeros with g at the layout; an element that the layout names
// twice (stride 0) gets both gradients
void as_view_gradient(Backward& n) {
    const Desc& d = n.desc(0);
    const Layout layout = layout_from(n.attrs());
    const bool once = !any_unknown(layout.shape) && !layout.overlaps();
    n.give(0, apply(once ? ops::write_view : ops::add_view,
                    {zeros(d.shape, {d.dtype, d.device}), n.g()}, n.attrs()));
}

// y = base with v at a layout  =>  dbase = g with zeros there, dv = g there
void write_view_gradient(Backward& n) {
    const Desc& d = n.desc(1);
    if (n.wants(0))
        n.give(0, apply(ops::write_view, {n.g(), zeros(d.shape, {d.dtype, d.device})}, n.attrs()));
    if (n.wants(1)) n.give(1, view_of(n.g(), n.attrs()));
}

// y = base, and v added at a layout  =>  dbase = g, dv = g there
void add_view_gradient(Backward& n) {
    n.give(0, n.g());
    if (n.wants(1)) n.give(1, view_of(n.g(), n.attrs()));
}

// y has the numbers of one value and the gradient of another  =>  g to the other
void rebind_gradient(Backward& n) { n.give(1, n.g()); }

// y = a, which b chose, as the sign of b chooses what passes a relu  =>  db = 0, the derivative of
// a choice wherever it has one
void tied_gradient(Backward& n) {
    const Desc& d = n.desc(1);
    n.give(1, zeros(d.shape, {d.dtype, d.device}));
}

// y = x, which a variable becomes  =>  dx = g
void assign_gradient(Backward& n) { n.give(0, n.g()); }

}  // namespace

namespace {

// ---- vmap --------------------------------------------------------------------------------------

// The same layout in each of the bases (B, ...), which lie one after the other.
Attrs layout_in_each(const Batch& b) {
    const Layout one = layout_from(b.attrs);
    Layout all;
    all.shape = b.with_size(one.shape);
    all.strides.push_back(element_count(b.one[0].shape));
    for (std::int64_t n : one.strides) all.strides.push_back(n);
    all.offset = one.offset;
    return layout_attrs(all);
}

Outputs batch_as_view(const Batch& b) { return {view_of(b.all(0), layout_in_each(b))}; }

Outputs batch_tied(const Batch& b) { return {apply(b.op, {b.all(0), b.in[1]})}; }

// Also add_view: base, value -> base.
Outputs batch_write_view(const Batch& b) {
    Tensor value = b.all(1);
    for (int d = b.dims(1); d < b.attrs.dims(0).size(); ++d) value = unsqueeze(value, 1);
    return {apply(b.op, {contiguous(b.all(0)), value}, layout_in_each(b))};
}

}  // namespace

namespace ops {

const Op as_view = {.name = "as_view",
                    .inputs = 1,
                    .shape = layout_shape,
                    .gradient = as_view_gradient,
                    .view = layout_view,
                    .cpu = alias_cpu,
                    .cuda = alias_cuda,
                    .attributes = {{"shape", AttrKind::dims},
                                   {"strides", AttrKind::dims},
                                   {"offset", AttrKind::integer}},
                    .alias = true,
                    .batch = batch_as_view};
const Op write_view = {.name = "write_view",
                       .inputs = 2,
                       .shape = write_shape,
                       .gradient = write_view_gradient,
                       .cpu = write_view_cpu,
                       .cuda = write_view_cuda,
                       .attributes = {{"shape", AttrKind::dims},
                                      {"strides", AttrKind::dims},
                                      {"offset", AttrKind::integer}},
                       .batch = batch_write_view};
const Op add_view = {.name = "add_view",
                     .inputs = 2,
                     .shape = write_shape,
                     .gradient = add_view_gradient,
                     .cpu = add_view_cpu,
                     .cuda = add_view_cuda,
                     .attributes = {{"shape", AttrKind::dims},
                                    {"strides", AttrKind::dims},
                                    {"offset", AttrKind::integer}},
                     .batch = batch_write_view};
const Op read = {.name = "read",
                 .inputs = 0,
                 .attributes = {{"input", AttrKind::integer}},
                 .alias = true,
                 .folds = false,
                 .reads_state = true};
const Op leaf = {.name = "leaf",
                 .inputs = 1,
                 .shape = same_shape,
                 .cpu = alias_cpu,
                 .cuda = alias_cuda,
                 .alias = true,
                 .folds = false,
                 .reads_state = true};
const Op rebind = {.name = "rebind",
                   .inputs = 2,
                   .shape = same_shape,
                   .gradient = rebind_gradient,
                   .cpu = alias_cpu,
                   .cuda = alias_cuda,
                   .alias = true,
                   .batch = batch_aligned};
const Op tied = {.name = "tied",
                 .inputs = 2,
                 .shape = same_shape,
                 .gradient = tied_gradient,
                 .cpu = alias_cpu,
                 .cuda = alias_cuda,
                 .alias = true,
                 .batch = batch_tied};
const Op detach = {.name = "detach",
                   .inputs = 1,
                   .shape = same_shape,
                   .cpu = alias_cpu,
                   .cuda = alias_cuda,
                   .alias = true,
                   .batch = batch_aligned};
const Op assign = {.name = "assign",
                   .inputs = 1,
                   .shape = same_shape,
                   .gradient = assign_gradient,
                   .cpu = alias_cpu,
                   .cuda = alias_cuda,
                   .attributes = {{"variable", AttrKind::integer}},
                   .alias = true,
                   .folds = false,
                   .writes_state = true};

}  // namespace ops

std::span<const Op* const> structural_ops() {
    static const Op* const list[] = {&ops::as_view, &ops::write_view, &ops::add_view, &ops::read,
                                     &ops::leaf,    &ops::rebind,     &ops::tied,     &ops::detach,
                                     &ops::assign,  &ops::function};
    return list;
}

}  // namespace tg
