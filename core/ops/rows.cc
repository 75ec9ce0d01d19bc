// x[i] for tensors i: the rows of x that an index names, read and written. Several index tensors
// become one first (`positions`), so that each kernel has only one to look at.
#include "core/ops/rows.h"

#include <algorithm>

#include "core/autocast.h"
#include "core/ops/family.h"

namespace tg {
namespace {

// ---- shapes -------------------------------------------------------------------------------------

kernels::Rows rows_in(const Attrs& attrs, int wraps) {
    const Dims& dims = attrs.dims(0);
    return {{dims.begin(), dims.end()}, attrs.integer(wraps) != 0};
}

// A program may be read from a file: so nothing about its attributes is taken for granted.
void check_rows(const Op& op, const Dims& shape, const Dims& dims) {
    bool fits = !dims.empty() && dims[0] >= 0 && dims[dims.size() - 1] < shape.size();
    for (int k = 1; k < dims.size(); ++k) fits = fits && dims[k - 1] < dims[k];
    if (!fits)
        fail(ErrorKind::value, op.name, ": a tensor of shape ", text(shape),
             " cannot be indexed in the dims ", text(dims));
}

void check_int64(const Op& op, const Desc& index) {
    if (index.dtype != DType::int64)
        fail(ErrorKind::runtime, op.name, ": the index is ", name_of(index.dtype),
             ", not int64; cast it: index.long()");
}

// x (B..., n..., A...), index I -> (B..., I..., A...), or (I..., B..., A...) where the indexed dims
// are not side by side
Dims rows_shape(const Dims& x, const Dims& index, const Dims& dims) {
    Dims shape;
    for (int d = 0; d < x.size(); ++d)
        if (!dims.contains(d)) shape.push_back(x[d]);
    const int place = kernels::place_of({dims.begin(), dims.end()});
    for (int k = 0; k < index.size(); ++k) shape.insert(place + k, index[k]);
    return shape;
}

// Does `from` broadcast to `to`, as far as is known?
bool broadcasts(const Dims& from, const Dims& to) {
    if (from.size() > to.size()) return false;
    for (int k = 1; k <= from.size(); ++k) {
        const std::int64_t a = from[from.size() - k];
        const std::int64_t b = to[to.size() - k];
        if (a != b && a != 1 && !is_unknown(a) && !is_unknown(b)) return false;
    }
    return true;
}

// x, index -> the rows: index's dims stand where x's indexed dims were
Descs index_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    check_rows(op, in[0].shape, attrs.dims(0));
    check_int64(op, in[1]);
    return {Desc{rows_shape(in[0].shape, in[1].shape, attrs.dims(0)), in[0].dtype, in[0].device}};
}

// x, value, index -> x's shape
Descs index_put_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    check_rows(op, in[0].shape, attrs.dims(0));
    check_int64(op, in[2]);
    const Dims rows = rows_shape(in[0].shape, in[2].shape, attrs.dims(0));
    if (!broadcasts(in[1].shape, rows))
        fail(ErrorKind::runtime, op.name, ": the value ", text(in[1].shape),
             " does not fit what is indexed ", text(rows));
    if (in[1].dtype != in[0].dtype)
        fail(ErrorKind::runtime, op.name, ": the value is ", name_of(in[1].dtype),
             " and the tensor ", name_of(in[0].dtype), "; cast one");
    return {in[0]};
}

// x, i... -> what the indices broadcast to. Of x only the shape is asked.
Descs positions_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    check_rows(op, in[0].shape, attrs.dims(0));
    Dims shape;
    for (std::size_t k = 1; k < in.size(); ++k) {
        check_int64(op, in[k]);
        shape = broadcast(op.name, shape, in[k].shape);
    }
    if (static_cast<int>(in.size()) != attrs.dims(0).size() + 1)
        fail(ErrorKind::value, op.name, ": ", in.size() - 1, " indices for the dims ",
             text(attrs.dims(0)));
    return {Desc{shape, DType::int64, in[0].device}};
}

// ---- kernels ------------------------------------------------------------------------------------

[[noreturn]] void outside(const char* op, std::int64_t index, std::int64_t dim, std::int64_t size,
                          bool wraps) {
    if (size == 0)
        fail(ErrorKind::range, op, ": index ", index, " is outside dim ", dim,
             ", which has size 0");
    fail(ErrorKind::range, op, ": index ", index, " is outside ", wraps ? -size : 0, "..", size - 1,
         ", the range of dim ", dim);
}

void check_inside(const Launch& l, std::optional<std::int64_t> bad, const kernels::Rows& rows) {
    if (bad) outside(l.op.name, *bad, rows.dims[0], l.in[0].shape[rows.dims[0]], rows.wraps);
}

void index_cpu(const Launch& l) {
    const kernels::Rows rows = rows_in(l.attrs, 1);
    check_inside(l, kernels::cpu::index_rows(l.out[0], l.in[0], l.in[1], rows), rows);
}

bool index_cuda(const Launch& l) {
    const kernels::Rows rows = rows_in(l.attrs, 1);
    kernels::cuda::Outside bad;
    const bool done = kernels::cuda::backend().index_rows(l.out[0], l.in[0], l.in[1], rows, bad);
    check_inside(l, bad, rows);
    return done;
}

// The value, of the shape of what is indexed.
kernels::Array value_of_rows(const Launch& l) {
    Dims x, index;
    for (int d = 0; d < l.in[0].dims; ++d) x.push_back(l.in[0].shape[d]);
    for (int d = 0; d < l.in[2].dims; ++d) index.push_back(l.in[2].shape[d]);
    const Dims shape = rows_shape(x, index, l.attrs.dims(0));
    return broadcast_to(l.in[1], array_of(nullptr, l.in[1].dtype, Layout::contiguous(shape)));
}

// In place, out is x: nothing needs to be copied.
bool in_place(const Launch& l) { return l.out[0].data == l.in[0].data; }

void index_put_cpu(const Launch& l) {
    const kernels::Rows rows = rows_in(l.attrs, 2);
    if (!in_place(l)) kernels::cpu::copy(l.out[0], l.in[0]);
    const bool accumulate = l.attrs.integer(1) != 0;
    check_inside(l, kernels::cpu::put_rows(l.out[0], l.in[2], value_of_rows(l), rows, accumulate),
                 rows);
}

bool index_put_cuda(const Launch& l) {
    const kernels::cuda::Backend& device = kernels::cuda::backend();
    const kernels::Rows rows = rows_in(l.attrs, 2);
    if (!in_place(l) && !device.copy(l.out[0], l.in[0])) return false;
    kernels::cuda::Outside bad;
    const bool done =
        device.put_rows(l.out[0], l.in[2], value_of_rows(l), rows, l.attrs.integer(1) != 0, bad);
    check_inside(l, bad, rows);
    return done;
}

// out = (i0 n1 + i1) n2 + i2 ..., for dims of the sizes n0, n1, n2, ...
void positions_cpu(const Launch& l) {
    kernels::cpu::fill(l.out[0], std::int64_t{0});
    for (std::size_t k = 1; k < l.in.size(); ++k) {
        const std::int64_t dim = l.attrs.dims(0)[static_cast<int>(k) - 1];
        const std::int64_t size = l.in[0].shape[dim];
        if (const auto bad =
                kernels::cpu::add_position(l.out[0], broadcast_to(l.in[k], l.out[0]), size))
            outside("index", *bad, dim, size, true);
    }
}

bool positions_cuda(const Launch& l) {
    const kernels::cuda::Backend& device = kernels::cuda::backend();
    constexpr std::int64_t none = 0;
    bool done = device.fill(l.out[0], &none);
    for (std::size_t k = 1; done && k < l.in.size(); ++k) {
        const std::int64_t dim = l.attrs.dims(0)[static_cast<int>(k) - 1];
        const std::int64_t size = l.in[0].shape[dim];
        kernels::cuda::Outside bad;
        done = device.add_position(l.out[0], broadcast_to(l.in[k], l.out[0]), size, bad);
        if (bad) outside("index", *bad, dim, size, true);
    }
    return done;
}

// ---- gradients ----------------------------------------------------------------------------------

Attrs put_attrs(const Dims& dims, bool accumulate, std::int64_t wraps) {
    return {Attr{dims}, Attr{std::int64_t{accumulate}}, Attr{wraps}};
}

// y = x[i]  =>  dx = zeros, and g added at i
void index_gradient(Backward& n) {
    const Desc& d = n.desc(0);
    n.give(0, apply(ops::index_put, {zeros(d.shape, {d.dtype, d.device}), n.g(), n.input(1)},
                    put_attrs(n.attrs().dims(0), true, n.attrs().integer(1))));
}

// y = x with v at i  =>  dx = g with zeros at i, or g if v was added; dv = g[i]
void index_put_gradient(Backward& n) {
    const Desc& d = n.desc(1);
    const Dims& dims = n.attrs().dims(0);
    const bool accumulate = n.attrs().integer(1) != 0;
    if (n.wants(0) && accumulate) n.give(0, n.g());
    if (n.wants(0) && !accumulate)
        n.give(0, apply(ops::index_put, {n.g(), zeros({}, {d.dtype, d.device}), n.input(2)},
                        n.attrs()));
    if (n.wants(1))
        n.give(1, sum_to(apply(ops::index, {n.g(), n.input(2)},
                               {Attr{dims}, Attr{n.attrs().integer(2)}}),
                         d.shape));
}

}  // namespace

namespace ops {

const Op index = {.name = "index",
                  .inputs = 2,
                  .shape = index_shape,
                  .gradient = index_gradient,
                  .needs = {{Need::b}},
                  .cpu = index_cpu,
                  .cuda = index_cuda,
                  .attributes = {{"dims", AttrKind::dims}, {"wraps", AttrKind::integer}},
                  .batch = batch_index};
const Op index_put = {.name = "index_put",
                      .inputs = 3,
                      .shape = index_put_shape,
                      .gradient = index_put_gradient,
                      .needs = {{Need::c}, {Need::c}},
                      .cpu = index_put_cpu,
                      .cuda = index_put_cuda,
                      .attributes = {{"dims", AttrKind::dims},
                                     {"accumulate", AttrKind::integer},
                                     {"wraps", AttrKind::integer}},
                      .batch = batch_index_put};
const Op positions = {.name = "positions",
                      .shape = positions_shape,
                      .cpu = positions_cpu,
                      .cuda = positions_cuda,
                      .attributes = {{"dims", AttrKind::dims}},
                      .batch = batch_positions};

}  // namespace ops

std::span<const Op* const> row_ops() {
    static const Op* const list[] = {&ops::index, &ops::index_put, &ops::positions};
    return list;
}

// ---- one dim ------------------------------------------------------------------------------------

namespace {

// The dim and the index (k,) of index_select and its kin. They take no negative indices.
struct OneDim {
    Tensor x;
    Tensor index;
    std::int64_t dim = 0;
    Attrs read() const { return {Attr{Dims{dim}}, Attr{std::int64_t{0}}}; }
    Attrs put(bool accumulate) const { return put_attrs({dim}, accumulate, 0); }
    // x of no dims counts as one of size 1
    Tensor result(const Tensor& y, int dims) const { return dims == 0 ? reshape(y, {}) : y; }
};

OneDim one_dim(const char* op, const Arg& x, std::int64_t dim, const Arg& index) {
    OneDim o;
    o.dim = wrap_dim(op, dim, x.tensor.dims());
    o.x = x.tensor.dims() == 0 ? unsqueeze(x, 0) : x.tensor;
    o.index = as_index(op, index.tensor);
    if (o.index.dims() > 1)
        fail(ErrorKind::index, op, ": the index has shape ", text(o.index.shape()),
             ", and must have one dim; use x[:, index] or gather");
    if (o.index.dims() == 0) o.index = unsqueeze(o.index, 0);
    return o;
}

// source (..., k, ...) in x's dtype: the same as x but in dim, where it has one for each index.
Tensor source_for(const char* op, const OneDim& o, const Arg& source) {
    Tensor s = source.tensor;
    if (s.dims() == 0) s = unsqueeze(s, 0);
    Dims wanted = o.x.shape();
    wanted[static_cast<int>(o.dim)] = o.index.shape()[0];
    bool fits = s.dims() == wanted.size();
    for (int d = 0; fits && d < s.dims(); ++d)
        fits = s.shape()[d] == wanted[d] || is_unknown(s.shape()[d]) || is_unknown(wanted[d]);
    if (!fits)
        fail(ErrorKind::runtime, op, ": the source has shape ", text(source.tensor.shape()),
             ", and must have ", text(wanted), ": as the tensor ", text(o.x.shape()),
             ", but one in dim ", o.dim, " for each of the ", text(o.index.shape()), " indices");
    if (s.dtype() != o.x.dtype())
        fail(ErrorKind::runtime, op, ": the source is ", name_of(s.dtype()), " and the tensor ",
             name_of(o.x.dtype()), "; cast one");
    return s;
}

}  // namespace

Tensor as_index(const char* op, const Tensor& index) {
    if (index.dtype() == DType::int32) return cast(index, DType::int64);
    if (index.dtype() != DType::int64)
        fail(ErrorKind::runtime, op, ": the index is ", name_of(index.dtype()),
             ", not int64 or int32; cast it: index.long()");
    return index;
}

Tensor index_select(const Arg& x, std::int64_t dim, const Arg& index) {
    const Here here(x.where, "index_select");
    const OneDim o = one_dim("index_select", x, dim, index);
    if (x.tensor.dims() == 0 && o.index.shape() != Dims{1})
        fail(ErrorKind::index, "index_select: a tensor of no dims has one slice, and the index ",
             text(o.index.shape()), " asks for others");
    return o.result(apply(ops::index, {o.x, o.index}, o.read()), x.tensor.dims());
}

Tensor index_add(const Arg& x, std::int64_t dim, const Arg& index, const Arg& source,
                 const Arg& alpha) {
    const Here here(x.where, "index_add");
    const OneDim o = one_dim("index_add", x, dim, index);
    Tensor s = source_for("index_add", o, source);
    if (alpha.is_tensor() || !(alpha.scalar == Scalar(1))) s = mul(s, alpha);
    if (s.dtype() != o.x.dtype())
        fail(ErrorKind::runtime, "index_add: alpha makes ", name_of(s.dtype()),
             " of the source, and the tensor is ", name_of(o.x.dtype()));
    return o.result(apply(ops::index_put, {o.x, s, o.index}, o.put(true)), x.tensor.dims());
}

Tensor index_copy(const Arg& x, std::int64_t dim, const Arg& index, const Arg& source) {
    const Here here(x.where, "index_copy");
    if (autocast().enabled && x.tensor.dtype() != source.tensor.dtype()) {
        const DType both = promote(x.tensor.dtype(), source.tensor.dtype());
        return index_copy(cast(x, both), dim, index, cast(source, both));
    }
    const OneDim o = one_dim("index_copy", x, dim, index);
    const Tensor s = source_for("index_copy", o, source);
    return o.result(apply(ops::index_put, {o.x, s, o.index}, o.put(false)), x.tensor.dims());
}

Tensor index_fill(const Arg& x, std::int64_t dim, const Arg& index, const Arg& value) {
    const Here here(x.where, "index_fill");
    const OneDim o = one_dim("index_fill", x, dim, index);
    if (value.is_tensor() && value.tensor.dims() > 0)
        fail(ErrorKind::runtime, "index_fill: the value has shape ", text(value.tensor.shape()),
             ", not that of one number; use index_copy");
    const Tensor v = value_like(o.x, value);
    return o.result(apply(ops::index_put, {o.x, v, o.index}, put_attrs({o.dim}, false, 1)),
                    x.tensor.dims());
}

Tensor value_like(const Tensor& x, const Arg& value) {
    if (!value.is_tensor()) return full({}, value.scalar, {x.dtype(), x.device()});
    const Tensor v = value.tensor.dtype() == x.dtype() ? value.tensor : cast(value, x.dtype());
    return to(v, x.device());
}

// ---- elements -----------------------------------------------------------------------------------

Tensor take(const Arg& x, const Arg& index) {
    const Here here(x.where, "take");
    return apply(ops::index, {reshape(x, {-1}), as_index("take", index.tensor)},
                 {Attr{Dims{0}}, Attr{std::int64_t{1}}});
}

Tensor take_along_dim(const Arg& x, const Arg& index, std::optional<std::int64_t> dim) {
    const Here here(x.where, "take_along_dim");
    if (!dim) return gather(reshape(x, {-1}), 0, reshape(index, {-1}));
    if (x.tensor.dims() != index.tensor.dims())
        fail(ErrorKind::runtime, "take_along_dim: the index ", text(index.tensor.shape()),
             " and the tensor ", text(x.tensor.shape()), " need the same number of dims");
    const int d = wrap_dim("take_along_dim", *dim, x.tensor.dims());
    if (x.tensor.dims() == 0) return gather(x, 0, index);
    // Both broadcast in all dims but d.
    Dims xs = x.tensor.shape();
    Dims is = index.tensor.shape();
    xs[d] = is[d] = 1;
    const Dims both = broadcast("take_along_dim", xs, is);
    xs = is = both;
    xs[d] = x.tensor.shape()[d];
    is[d] = index.tensor.shape()[d];
    return gather(expand(x, xs), d, expand(index, is));
}

}  // namespace tg
