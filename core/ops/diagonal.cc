// Diagonals. Diagonal k of a matrix holds the elements whose column is row + k.
#include <algorithm>

#include "core/batching.h"
#include "core/ops/family.h"

namespace tg {
namespace {

// x (..., n, ..., m, ...) -> (..., ..., ..., k): dim1 and dim2 go, and the diagonal is the last. A
// step along it is a step along both.
bool diagonal_view(const Layout& in, const Attrs& attrs, Layout& out) {
    const std::int64_t offset = attrs.integer(0);
    const int d1 = static_cast<int>(attrs.integer(1));
    const int d2 = static_cast<int>(attrs.integer(2));
    const int n = in.shape.size();
    if (d1 < 0 || d1 >= n || d2 < 0 || d2 >= n || d1 == d2)
        fail(ErrorKind::value, "diagonal: ", text(in.shape), " has no two dims ", d1, " and ", d2);
    const std::int64_t rows = in.shape[d1], columns = in.shape[d2];
    const std::int64_t steps[] = {in.strides[d1], in.strides[d2], in.offset};
    const bool unknown = std::any_of(std::begin(steps), std::end(steps), is_unknown);
    std::int64_t length = new_unknown();
    if (!is_unknown(rows) && !is_unknown(columns)) {
        const std::int64_t first_row = std::min(rows, std::max<std::int64_t>(0, -offset));
        const std::int64_t first_column = std::min(columns, std::max<std::int64_t>(0, offset));
        length = std::min(rows - first_row, columns - first_column);
    }
    out = in;
    for (int d : {std::max(d1, d2), std::min(d1, d2)}) {
        out.shape.erase(d);
        out.strides.erase(d);
    }
    out.shape.push_back(length);
    out.strides.push_back(unknown ? unknown_dims : steps[0] + steps[1]);
    if (unknown && offset != 0)
        out.offset = unknown_dims;
    else if (length > 0 && offset != 0)
        out.offset = in.offset + (offset > 0 ? offset * steps[1] : -offset * steps[0]);
    return true;
}

// y = the diagonal of x  =>  dx = zeros with g on it
void diagonal_gradient(Backward& n) {
    const Desc& d = n.desc(0);
    const Tensor base = zeros(d.shape, {d.dtype, d.device});
    n.give(0, apply(*find_op("diagonal_scatter"), {base, n.g()}, n.attrs()));
}

// base, src of the diagonal's shape -> base's shape
Descs scatter_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    Layout part;
    diagonal_view(Layout::contiguous(in[0].shape), attrs, part);
    if (!any_unknown(part.shape) && !any_unknown(in[1].shape) &&
        (part.shape != in[1].shape || in[0].dtype != in[1].dtype))
        fail(ErrorKind::value, op.name, ": ", text(in[1]), " does not fit the diagonal ",
             text(part.shape), " of ", text(in[0]));
    return {in[0]};
}

// The diagonal of out that src goes to.
kernels::Array part_of(const Launch& l) {
    Layout base;
    for (int d = 0; d < l.out[0].dims; ++d) {
        base.shape.push_back(l.out[0].shape[d]);
        base.strides.push_back(l.out[0].strides[d]);
    }
    Layout part;
    diagonal_view(base, l.attrs, part);
    return array_of(l.out[0].data, l.out[0].dtype, part);
}

void scatter_cpu(const Launch& l) {
    kernels::cpu::copy(l.out[0], l.in[0]);
    kernels::cpu::copy(part_of(l), l.in[1]);
}

bool scatter_cuda(const Launch& l) {
    const kernels::cuda::Backend& device = kernels::cuda::backend();
    return device.copy(l.out[0], l.in[0]) && device.copy(part_of(l), l.in[1]);
}

// y = base with src on the diagonal  =>  dbase = g with zeros there, dsrc = g's diagonal
void scatter_gradient(Backward& n) {
    if (n.wants(0)) {
        const Desc& d = n.desc(1);
        const Tensor none = zeros(d.shape, {d.dtype, d.device});
        n.give(0, apply(*n.node().op, {n.g(), none}, n.attrs()));
    }
    const Attrs& a = n.attrs();
    if (n.wants(1)) n.give(1, diagonal(n.g(), a.integer(0), a.integer(1), a.integer(2)));
}

constexpr AttrSchema place[] = {
    {"offset", AttrKind::integer}, {"dim1", AttrKind::integer}, {"dim2", AttrKind::integer}};

}  // namespace

namespace ops {
const Op diagonal = {.name = "diagonal",
                     .inputs = 1,
                     .gradient = diagonal_gradient,
                     .view = diagonal_view,
                     .cpu = alias_cpu,
                     .cuda = alias_cuda,
                     .attributes = {place[0], place[1], place[2]},
                     .alias = true,
                     .batch = batch_shifted<Names::nothing, Names::dim, Names::dim>};
const Op diagonal_scatter = {.name = "diagonal_scatter",
                             .inputs = 2,
                             .shape = scatter_shape,
                             .gradient = scatter_gradient,
                             .cpu = scatter_cpu,
                             .cuda = scatter_cuda,
                             .attributes = {place[0], place[1], place[2]},
                             .batch = batch_shifted<Names::nothing, Names::dim, Names::dim>};
}  // namespace ops

std::span<const Op* const> diagonal_ops() {
    static const Op* const list[] = {&ops::diagonal, &ops::diagonal_scatter};
    return list;
}

namespace {

// Where row + diagonal is op of the column, as (rows, columns) of bool.
Tensor beside(const char* op, const Tensor& x, std::int64_t diagonal,
              Tensor (*holds)(const Arg&, const Arg&)) {
    if (x.dims() < 2)
        fail(ErrorKind::runtime, op, ": a tensor of shape ", text(x.shape()),
             " is no matrix; it needs 2 dims or more");
    const std::int64_t rows = known_size(op, x, x.dims() - 2);
    const std::int64_t columns = known_size(op, x, x.dims() - 1);
    const std::int64_t k = std::clamp<std::int64_t>(diagonal, -rows, columns);
    const Tensor row = to(unsqueeze(arange(rows), 1), x.device());
    return holds(add(row, k), to(arange(columns), x.device()));
}

// How many rows the square matrix has on whose diagonal x's last dim fits.
std::int64_t side(const char* op, const Tensor& x, std::int64_t diagonal) {
    const std::int64_t n = known_size(op, x, x.dims() - 1);
    const std::int64_t more = diagonal < 0 ? -(diagonal + 1) : diagonal;
    if (more > (std::int64_t{1} << 31) || n > (std::int64_t{1} << 31))
        fail(ErrorKind::runtime, op, ": ", n, " elements on diagonal ", diagonal,
             " make too large a matrix");
    return n + (diagonal < 0 ? -diagonal : diagonal);
}

}  // namespace

Tensor diagonal(const Arg& x, std::int64_t offset, std::int64_t dim1, std::int64_t dim2) {
    const Here here(x.where, "diagonal");
    const std::int64_t d1 = wrap_dim("diagonal", dim1, x.tensor.dims());
    const std::int64_t d2 = wrap_dim("diagonal", dim2, x.tensor.dims());
    if (d1 == d2)
        fail(ErrorKind::runtime, "diagonal: dim1 and dim2 are both dim ", d1, " of ",
             text(x.tensor.shape()));
    // Beyond the sizes every diagonal is empty; a huge offset would only overflow.
    const std::int64_t far = std::int64_t{1} << 40;
    return apply(ops::diagonal, {x}, {Attr{std::clamp(offset, -far, far)}, Attr{d1}, Attr{d2}});
}

Tensor diag(const Arg& x, std::int64_t diagonal) {
    const Here here(x.where, "diag");
    if (x.tensor.dims() == 2) return clone(tg::diagonal(x, diagonal));
    if (x.tensor.dims() != 1)
        fail(ErrorKind::runtime, "diag: a tensor of shape ", text(x.tensor.shape()),
             " is neither a vector nor a matrix");
    const std::int64_t m = side("diag", x.tensor, diagonal);
    const Tensor base = zeros({m, m}, {x.tensor.dtype(), x.tensor.device()});
    return apply(ops::diagonal_scatter, {base, x},
                 {Attr{diagonal}, Attr{std::int64_t{0}}, Attr{std::int64_t{1}}});
}

Tensor diag_embed(const Arg& x, std::int64_t offset, std::int64_t dim1, std::int64_t dim2) {
    const Here here(x.where, "diag_embed");
    const Tensor& v = x.tensor;
    const int d1 = wrap_dim("diag_embed", dim1, v.dims() + 1);
    const int d2 = wrap_dim("diag_embed", dim2, v.dims() + 1);
    if (d1 == d2)
        fail(ErrorKind::runtime, "diag_embed: dim1 and dim2 are both dim ", d1, " of the result, ",
             "which has ", v.dims() + 1);
    const std::int64_t m = side("diag_embed", v, offset);
    Dims shape = v.shape();
    shape.erase(v.dims() - 1);
    shape.insert(std::min(d1, d2), m);
    shape.insert(std::max(d1, d2), m);
    return apply(ops::diagonal_scatter, {zeros(shape, {v.dtype(), v.device()}), x},
                 {Attr{offset}, Attr{std::int64_t{d1}}, Attr{std::int64_t{d2}}});
}

Tensor diagflat(const Arg& x, std::int64_t offset) {
    const Here here(x.where, "diagflat");
    return diag(reshape(x, {-1}), offset);
}

// kept where column <= row + diagonal
Tensor tril(const Arg& x, std::int64_t diagonal) {
    const Here here(x.where, "tril");
    return where(beside("tril", x.tensor, diagonal, ge), x, false);
}

Tensor triu(const Arg& x, std::int64_t diagonal) {
    const Here here(x.where, "triu");
    return where(beside("triu", x.tensor, diagonal, le), x, false);
}

}  // namespace tg
