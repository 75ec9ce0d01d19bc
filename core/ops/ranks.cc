// Elements by their rank: medians, quantiles, the commonest. Only indices are found; the values are
// gathered by them, and so is their gradient.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/low_precision.h"
#include "core/ops/family.h"
#include "core/ops/integers.h"
#include "core/ops/reduced.h"
#include "core/recording.h"

namespace tg {
namespace {

void check_numbers(const char* op, const Arg& x) {
    if (x.tensor.dtype() == DType::boolean)
        fail(ErrorKind::unsupported, op, ": is not defined for bool; cast the tensor first");
}

// The size of dim d, which must be known, and not be 0.
std::int64_t ranked_size(const char* op, const Tensor& x, int d) {
    const std::int64_t n = known_size(op, x, d);
    if (n == 0)
        fail(ErrorKind::index, op, ": dim ", d, " of ", text(x.shape()),
             " is 0: there is no element to choose");
    return n;
}

ValuesIndices chosen(const Arg& x, const Tensor& index, int d, bool keepdim) {
    const Tensor values = gather(x, d, index);
    if (keepdim) return {values, index};
    return {squeeze(values, d), squeeze(index, d)};
}

// How many are NaN along d, which stays as 1: int64.
Tensor nans(const Tensor& x, int d) { return sum(isnan(x), d, true); }

// In order the numbers come first: of n with k NaN the median is number (n - 1) / 2, or the first
// NaN, n - k; without the NaN it is number (n - k - 1) / 2.
ValuesIndices middle(const char* op, const Arg& x, std::int64_t dim, bool keepdim, bool skip) {
    const Here here(x.where, op);
    check_numbers(op, x);
    const int d = wrap_dim(op, dim, x.tensor.dims());
    if (x.tensor.dims() == 0) return {clone(x), zeros({}, {DType::int64, x.tensor.device()})};
    const std::int64_t n = ranked_size(op, x.tensor, d);
    const Tensor order = argsort(x.tensor.detach(), d);
    if (!is_floating(x.tensor.dtype()))
        return chosen(x, slice(order, d, (n - 1) / 2, (n - 1) / 2 + 1), d, keepdim);
    const Tensor k = nans(x.tensor.detach(), d);
    const Tensor at = skip ? floor_divide(clamp(sub(n - 1, k), Arg(0), {}), 2)
                           : where(eq(k, 0), (n - 1) / 2, sub(n, k));
    return chosen(x, gather(order, d, at), d, keepdim);
}

// The median of all, whose gradient all equal to it share, as they share amax's.
Tensor middle_of_all(const char* op, const Arg& x, bool skip) {
    const Here here(x.where, op);
    check_numbers(op, x);
    const DType dtype = x.tensor.dtype();
    const Options like{dtype, x.tensor.device()};
    const Tensor flat = reshape(x, {-1});
    if (known_size(op, flat, 0) == 0) {
        if (is_floating(dtype)) return full({}, std::numeric_limits<double>::quiet_NaN(), like);
        return full({}, integers_of(dtype).low, like);
    }
    const Tensor y = middle(op, flat.detach(), 0, false, skip).values;
    if (!is_floating(dtype)) return y;
    const Tensor same = logical_or(eq(flat, y), logical_and(isnan(flat), isnan(y)));
    return amax(where(same, flat, -std::numeric_limits<double>::infinity()));
}

}  // namespace

Tensor median(const Arg& x) { return middle_of_all("median", x, false); }

Tensor nanmedian(const Arg& x) { return middle_of_all("nanmedian", x, true); }

ValuesIndices median(const Arg& x, std::int64_t dim, bool keepdim) {
    return middle("median", x, dim, keepdim, false);
}

ValuesIndices nanmedian(const Arg& x, std::int64_t dim, bool keepdim) {
    return middle("nanmedian", x, dim, keepdim, true);
}

ValuesIndices kthvalue(const Arg& x, std::int64_t k, std::int64_t dim, bool keepdim) {
    const Here here(x.where, "kthvalue");
    check_numbers("kthvalue", x);
    const int d = wrap_dim("kthvalue", dim, x.tensor.dims());
    const std::int64_t n = ranked_size("kthvalue", x.tensor, d);
    if (k < 1 || k > n)
        fail(ErrorKind::runtime, "kthvalue: k is ", k, ", and must be between 1 and the ", n,
             " of dim ", d, " of ", text(x.tensor.shape()));
    if (x.tensor.dims() == 0) return {clone(x), zeros({}, {DType::int64, x.tensor.device()})};
    const Tensor order = argsort(x.tensor.detach(), d);
    return chosen(x, slice(order, d, k - 1, k), d, keepdim);
}

// In order equals are side by side; each counts how many equal ones are before it, and the first of
// the largest counts is the last of the commonest.
ValuesIndices mode(const Arg& x, std::int64_t dim, bool keepdim) {
    const Here here(x.where, "mode");
    const int d = wrap_dim("mode", dim, x.tensor.dims());
    if (x.tensor.dims() == 0) return {clone(x), zeros({}, {DType::int64, x.tensor.device()})};
    const std::int64_t n = ranked_size("mode", x.tensor, d);
    const Tensor order = argsort(x.tensor.detach(), d);
    const Tensor sorted = gather(x.tensor.detach(), d, order);
    Dims line = Dims::of(x.tensor.dims(), 1);
    line[d] = n;
    const Tensor place = reshape(to(arange(n), x.tensor.device()), line);
    const Tensor first = ge(slice(order, d, 0, 1), 0);  // true, in any shape
    const Tensor begins = cat({first, ne(slice(sorted, d, 1, n), slice(sorted, d, 0, n - 1))}, d);
    const Tensor before = sub(place, cummax(where(begins, place, 0), d).values);
    return chosen(x, gather(order, d, argmax(before, d, true)), d, keepdim);
}

// ---- quantiles ----------------------------------------------------------------------------------
namespace {

// q as (Q,) in x's dtype
Tensor fractions(const char* op, const Tensor& x, const Arg& q) {
    if (!q.is_tensor()) {
        const double v = q.scalar.as_real();
        if (!(v >= 0 && v <= 1))
            fail(ErrorKind::runtime, op, ": q is ", v, ", and must be between 0 and 1");
        return full({1}, v, {x.dtype(), x.device()});
    }
    if (q.tensor.dims() > 1)
        fail(ErrorKind::runtime, op, ": q ", text(q.tensor.shape()),
             " must be a number or have 1 dim");
    if (q.tensor.dtype() != x.dtype())
        fail(ErrorKind::runtime, op, ": q is ", name_of(q.tensor.dtype()), " and the input ",
             name_of(x.dtype()), "; cast one of them");
    const Tensor flat = reshape(q.tensor.detach(), {-1});
    if (!recording() && !flat.is_symbolic() && flat.numel() > 0 &&
        all(logical_and(ge(flat, 0), le(flat, 1))).item_scalar().as_integer() == 0)
        fail(ErrorKind::runtime, op, ": an element of q is not between 0 and 1");
    return flat;
}

// sorted (..., n), rank (..., Q) or (Q,) between 0 and n - 1 -> (..., Q)
Tensor between(const char* op, const Tensor& sorted, const Tensor& rank,
               const std::string& interpolation) {
    Dims shape = sorted.shape();
    shape[shape.size() - 1] = rank.shape()[rank.dims() - 1];
    const Tensor wide = expand(rank, shape);
    const auto at = [&](const Tensor& place) {
        return gather(sorted, -1, cast(place, DType::int64));
    };
    if (interpolation == "lower") return at(floor(wide));
    if (interpolation == "higher") return at(ceil(wide));
    if (interpolation == "nearest") return at(round(wide));
    const Tensor low = at(floor(wide)), high = at(ceil(wide));
    if (interpolation == "midpoint") return lerp(low, high, 0.5);
    if (interpolation == "linear") return lerp(low, high, sub(wide, floor(wide)));
    fail(ErrorKind::runtime, op,
         ": interpolation is 'linear', 'lower', 'higher', 'midpoint' or 'nearest', not '",
         interpolation, "'");
}

// The quantile q of n numbers is number q (n - 1) in order.
Tensor quantile_of(const char* op, const Arg& x, const Arg& q, std::optional<std::int64_t> dim,
                   bool keepdim, const std::string& interpolation, bool skip) {
    const Here here(x.where, op);
    if (!is_floating(x.tensor.dtype()))
        fail(ErrorKind::runtime, op, ": needs a floating dtype, and this tensor is ",
             name_of(x.tensor.dtype()), "; cast it first");
    if (is_low(x))
        return as_loss(quantile_of(op, widened(x), widened(q), dim, keepdim, interpolation, skip),
                       x);
    const int dims = x.tensor.dims();
    const int d = dim ? wrap_dim(op, *dim, dims) : 0;
    const bool whole = !dim || dims == 0;
    const Tensor y = whole ? reshape(x, {-1}) : movedim(x, {d}, {-1});
    const int last = y.dims() - 1;
    const std::int64_t n = known_size(op, y, last);
    if (n == 0)
        fail(ErrorKind::runtime, op, ": there is no element in ", text(x.tensor.shape()),
             " to choose");
    const Tensor part = fractions(op, x.tensor, q);
    const Tensor k = nans(y.detach(), last);
    const Tensor rank =
        skip ? mul(part, cast(clamp(sub(n - 1, k), Arg(0), {}), x.tensor.dtype()))
             : where(eq(k, 0), mul(part, static_cast<double>(n - 1)), static_cast<double>(n - 1));
    const Tensor sorted = gather(y, last, argsort(y.detach(), last));
    Tensor found = movedim(between(op, sorted, rank, interpolation), {-1}, {0});
    if (keepdim && whole) {
        Dims shape = Dims::of(dims + 1, 1);
        shape[0] = found.shape()[0];
        found = reshape(found, shape);
    } else if (keepdim) {
        found = unsqueeze(found, d + 1);
    }
    return q.is_tensor() && q.tensor.dims() == 1 ? found : select(found, 0, 0);
}

}  // namespace

Tensor quantile(const Arg& x, const Arg& q, std::optional<std::int64_t> dim, bool keepdim,
                const std::string& interpolation) {
    return quantile_of("quantile", x, q, dim, keepdim, interpolation, false);
}

Tensor nanquantile(const Arg& x, const Arg& q, std::optional<std::int64_t> dim, bool keepdim,
                   const std::string& interpolation) {
    return quantile_of("nanquantile", x, q, dim, keepdim, interpolation, true);
}

}  // namespace tg
