// Places in an order: by halves in a sorted line, and what is found that way.
#include <algorithm>
#include <cmath>

#include "core/batching.h"
#include "core/ops/family.h"
#include "core/recording.h"

namespace tg {
namespace {

// sorted (n,) or (..., n), values (..., m) -> int64 of values' shape
Descs search_shape(const Op& op, std::span<const Desc> in, const Attrs&) {
    const Dims& s = in[0].shape;
    const Dims& v = in[1].shape;
    bool fits = s.size() == 1 || (s.size() == v.size() && s.size() > 0);
    for (int d = 0; fits && s.size() > 1 && d < s.size() - 1; ++d)
        fits = s[d] == v[d] || is_unknown(s[d]) || is_unknown(v[d]);
    if (!fits)
        fail(ErrorKind::runtime, op.name, ": the sorted ", text(s), " and the values ", text(v),
             " do not fit; the sorted ones have 1 dim, or the values' dims but the last");
    return {Desc{v, DType::int64, in[1].device}};
}

// One line that is the same for all serves values of any dims; lines of their own go with values
// of as many dims, (B, n) with (B, m).
Outputs search_batch(const Batch& b) {
    if (!b.is_batched(0) && b.dims(0) == 1) return apply_all(b.op, b.in, b.attrs);
    const Tensor values = b.dims(0) == 1 ? reshape(b.all(1), {b.size, -1}) : b.all(1);
    const Tensor found = apply(b.op, {b.all(0), values}, b.attrs);
    return {b.dims(0) == 1 ? reshape(found, b.with_size(b.one[1].shape)) : found};
}

void search_cpu(const Launch& l) {
    kernels::cpu::searchsorted(l.out[0], l.in[0], l.in[1], l.attrs.integer(0) != 0);
}

bool search_cuda(const Launch& l) {
    return kernels::cuda::backend().searchsorted(l.out[0], l.in[0], l.in[1],
                                                 l.attrs.integer(0) != 0);
}

}  // namespace

namespace ops {
const Op searchsorted = {.name = "searchsorted",
                         .inputs = 2,
                         .promotes = Promotes::common,
                         .shape = search_shape,
                         .cpu = search_cpu,
                         .cuda = search_cuda,
                         .attributes = {{"right", AttrKind::integer}},
                         .batch = search_batch};
}  // namespace ops

std::span<const Op* const> search_ops() {
    static const Op* const list[] = {&ops::searchsorted};
    return list;
}

Tensor searchsorted(const Arg& sorted, const Arg& values, bool right, const Tensor& sorter) {
    const Here here(values.where, "searchsorted");
    Tensor line = sorted.tensor;
    if (sorter.defined()) {
        if (sorter.shape() != line.shape() || sorter.dtype() != DType::int64)
            fail(ErrorKind::runtime, "searchsorted: the sorter ", describe(sorter),
                 " must be int64 of the sorted ones' shape ", text(line.shape()));
        line = gather(line, -1, sorter);
    }
    if (line.dims() == 0)
        fail(ErrorKind::runtime, "searchsorted: the sorted ones have no dims; they need 1 or more");
    const Arg found = values.is_tensor()
                          ? Arg(values.tensor.detach())
                          : Arg(full({}, values.scalar, {values.scalar.dtype, line.device()}));
    if (!values.is_tensor() && line.dims() > 1)
        fail(ErrorKind::runtime, "searchsorted: a number is looked for in a line (n,), not in ",
             text(line.shape()));
    return apply(ops::searchsorted, {line.detach(), found}, {Attr{std::int64_t{right}}});
}

Tensor bucketize(const Arg& x, const Arg& boundaries, bool right) {
    const Here here(x.where, "bucketize");
    if (boundaries.tensor.dims() != 1)
        fail(ErrorKind::runtime, "bucketize: the boundaries ", text(boundaries.tensor.shape()),
             " must have 1 dim");
    return searchsorted(boundaries, x, right);
}

// An element is in the test if the one at its place there is equal to it.
Tensor isin(const Arg& elements, const Arg& test, bool invert) {
    const Here here(elements.is_tensor() ? elements.where : test.where, "isin");
    const Device device = (elements.is_tensor() ? elements : test).tensor.device();
    const auto whole = [&](const Arg& x) {
        return x.is_tensor() ? x.tensor.detach() : full({}, x.scalar, {x.scalar.dtype, device});
    };
    const Tensor wanted = whole(elements), all = reshape(whole(test), {-1});
    const std::int64_t n = known_size("isin", all, 0);
    if (n == 0) return full(wanted.shape(), invert, {DType::boolean, wanted.device()});
    const Tensor sorted = sort(all, 0).values;
    const Tensor place = clamp(searchsorted(sorted, wanted), {}, Arg(n - 1));
    const Tensor found = take(sorted, place);
    return invert ? ne(found, wanted) : eq(found, wanted);
}

// Bin k begins at low + k (high - low) / bins; the last one holds its end too.
Tensor histc(const Arg& x, std::int64_t bins, double low, double high) {
    const Here here(x.where, "histc");
    const DType dtype = x.tensor.dtype();
    const Options like{dtype, x.tensor.device()};
    if (!is_floating(dtype))
        fail(ErrorKind::unsupported, "histc: is not defined for ", name_of(dtype),
             "; cast the tensor first");
    if (bins < 1) fail(ErrorKind::runtime, "histc: bins is ", bins, ", and must be at least 1");
    if (low > high)
        fail(ErrorKind::runtime, "histc: min is ", low, " and max ", high,
             "; max must be the larger");
    const Tensor flat = reshape(x.tensor.detach(), {-1});
    if (low == high) {
        if (recording() || flat.is_symbolic())
            fail(ErrorKind::runtime,
                 "histc: min and max depend on the data, and a recording has none; give both");
        if (flat.numel() == 0) return zeros({bins}, like);
        low = amin(flat).item_scalar().as_real();
        high = amax(flat).item_scalar().as_real();
        if (low == high) --low, ++high;
    }
    if (!std::isfinite(low) || !std::isfinite(high))
        fail(ErrorKind::runtime, "histc: the bins would reach from ", low, " to ", high,
             "; both must be finite");
    const Tensor inside = logical_and(ge(flat, low), le(flat, high));
    const Tensor part = div(mul(sub(flat, low), static_cast<double>(bins)), high - low);
    const Tensor bin = clamp(cast(where(inside, part, 0.0), DType::int64), Arg(0), Arg(bins - 1));
    return index_add(zeros({bins}, like), 0, bin, cast(inside, dtype));
}

}  // namespace tg
