// Reductions without NaN, two results at once, and what runs along a dim; made of other ops.
#include "core/ops/statistics.h"

#include "core/autocast.h"
#include "core/low_precision.h"
#include "core/ops/family.h"

namespace tg {
namespace {

bool is_real(const Arg& x) { return is_floating(x.tensor.dtype()); }

void check_floats(const char* op, const Arg& x) {
    if (!is_real(x))
        fail(ErrorKind::unsupported, op, ": needs a floating dtype, and this tensor is ",
             name_of(x.tensor.dtype()), "; cast it first");
}

// In log2 n rounds: each element takes in the one that is 1, 2, 4, ... before it, which by then
// stands for as many. fold(later, earlier) -> their like.
template <class Fold>
void in_rounds(std::int64_t n, const Fold& fold) {
    for (std::int64_t by = 1; by < n; by *= 2) fold(by);
}

// y with fold(y[by:], y[:-by]) in place of y[by:]
Tensor tail_replaced(const Tensor& y, int d, std::int64_t by, const Tensor& tail) {
    return cat({slice(y, d, 0, by), tail}, d);
}

}  // namespace

Tensor nansum(const Arg& x, const DimList& dims, bool keepdim) {
    const Here here(x.where, "nansum");
    return sum(is_real(x) ? where(isnan(x), 0.0, x) : x.tensor, dims, keepdim);
}

Tensor nanmean(const Arg& x, const DimList& dims, bool keepdim) {
    const Here here(x.where, "nanmean");
    check_floats("nanmean", x);
    const Tensor n = sum(logical_not(isnan(x)), dims, keepdim);
    return div(nansum(x, dims, keepdim), cast(n, x.tensor.dtype()));
}

Spread var_mean(const Arg& x, const DimList& dims, double correction, bool keepdim) {
    const Here here(x.where, "var_mean");
    return {var(x, dims, correction, keepdim), mean(x, dims, keepdim)};
}

Spread std_mean(const Arg& x, const DimList& dims, double correction, bool keepdim) {
    const Here here(x.where, "std_mean");
    return {std(x, dims, correction, keepdim), mean(x, dims, keepdim)};
}

Extremes aminmax(const Arg& x, std::optional<std::int64_t> dim, bool keepdim) {
    const Here here(x.where, "aminmax");
    const DimList dims = dim && x.tensor.dims() > 0 ? DimList(*dim) : DimList();
    if (dim) wrap_dim("aminmax", *dim, x.tensor.dims());
    return {amin(x, dims, keepdim), amax(x, dims, keepdim)};
}

namespace {

// The later one wins if it is as good, or NaN; what was NaN stays it.
ValuesIndices running(const char* op, const Arg& x, std::int64_t dim,
                      Tensor (*as_good)(const Arg&, const Arg&)) {
    const Here here(x.where, op);
    const Device device = x.tensor.device();
    const int d = wrap_dim(op, dim, x.tensor.dims());
    if (x.tensor.dims() == 0) return {clone(x), zeros({}, {DType::int64, device})};
    const std::int64_t n = known_size(op, x.tensor, d);
    Dims line = Dims::of(x.tensor.dims(), 1);
    line[d] = n;
    Tensor best = x.tensor.detach();
    Tensor index = expand(reshape(to(arange(n), device), line), x.tensor.shape());
    in_rounds(n, [&](std::int64_t by) {
        const Tensor later = slice(best, d, by, n), earlier = slice(best, d, 0, n - by);
        Tensor wins = as_good(later, earlier);
        if (is_real(x)) wins = logical_or(wins, isnan(later));
        const Tensor chosen = where(wins, slice(index, d, by, n), slice(index, d, 0, n - by));
        best = tail_replaced(best, d, by, where(wins, later, earlier));
        index = tail_replaced(index, d, by, chosen);
    });
    index = contiguous(index);
    return {gather(x, d, index), index};
}

}  // namespace

ValuesIndices cummax(const Arg& x, std::int64_t dim) { return running("cummax", x, dim, ge); }

ValuesIndices cummin(const Arg& x, std::int64_t dim) { return running("cummin", x, dim, le); }

Tensor logcumsumexp(const Arg& x, std::int64_t dim) {
    const Here here(x.where, "logcumsumexp");
    check_floats("logcumsumexp", x);
    if (is_low(x)) return rounded(logcumsumexp(widened(x), dim), x);
    const int d = wrap_dim("logcumsumexp", dim, x.tensor.dims());
    if (x.tensor.dims() == 0) return clone(x);
    const std::int64_t n = known_size("logcumsumexp", x.tensor, d);
    Tensor y = x.tensor;
    in_rounds(n, [&](std::int64_t by) {
        y = tail_replaced(y, d, by, logaddexp(slice(y, d, by, n), slice(y, d, 0, n - by)));
    });
    return y.same(x.tensor) ? clone(y) : y;
}

Tensor trace(const Arg& x) {
    const Here here(x.where, "trace");
    if (autocast().enabled && is_low(x)) return trace(widened(x));
    if (x.tensor.dims() != 2)
        fail(ErrorKind::runtime, "trace: a tensor of shape ", text(x.tensor.shape()),
             " is no matrix; it needs 2 dims");
    if (x.tensor.dtype() == DType::boolean)
        fail(ErrorKind::unsupported, "trace: is not defined for bool; cast the tensor first");
    return sum(diagonal(x));
}

Tensor diff(const Arg& x, std::int64_t n, std::int64_t dim, const Tensor& prepend,
            const Tensor& append) {
    const Here here(x.where, "diff");
    if (x.tensor.dims() == 0)
        fail(ErrorKind::runtime,
             "diff: a tensor of no dims has no differences; it needs 1 or more");
    if (n < 0) fail(ErrorKind::runtime, "diff: n is ", n, ", and must be at least 0");
    const int d = wrap_dim("diff", dim, x.tensor.dims());
    std::vector<Tensor> parts;
    for (const Tensor& part : {prepend, x.tensor, append}) {
        if (!part.defined()) continue;
        if (part.dims() != x.tensor.dims())
            fail(ErrorKind::runtime, "diff: prepend or append ", text(part.shape()), " has ",
                 part.dims(), " dims, and the input ", text(x.tensor.shape()), " has ",
                 x.tensor.dims());
        parts.push_back(part);
    }
    Tensor y = parts.size() > 1 ? cat(parts, d) : x.tensor;
    std::int64_t size = known_size("diff", y, d);
    if (n == 0) return clone(y);
    for (; n > 0 && size > 0; --n, --size) {
        const Tensor later = slice(y, d, 1, size), earlier = slice(y, d, 0, size - 1);
        y = y.dtype() == DType::boolean ? ne(later, earlier) : sub(later, earlier);
    }
    return y.same(x.tensor) ? clone(y) : y;
}

}  // namespace tg
