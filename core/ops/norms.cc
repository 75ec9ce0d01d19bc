// Norms, counts, products and running products, made of other ops.
#include <cmath>
#include <limits>

#include "core/autocast.h"
#include "core/low_precision.h"
#include "core/ops/wrapped.h"

namespace tg {
namespace {

// s^(1 / p), whose gradient is 0, not infinite, where s is 0
Tensor root(const Tensor& s, double p) {
    const Tensor none = eq(s, 0);
    const Tensor safe = where(none, 1.0, s);
    return where(none, 0.0, p == 2 ? sqrt(safe) : pow(safe, 1 / p));
}

// |x|^p; below 1 its slope at 0 is infinite, and counts as 0
Tensor powered(const Tensor& size, double p) {
    if (p >= 1 || p < 0) return pow(size, p);
    const Tensor none = eq(size, 0);
    return where(none, 0.0, pow(where(none, 1.0, size), p));
}

}  // namespace

Tensor norm(const Arg& x, double ord, const DimList& dims, bool keepdim) {
    const Here here(x.where, "norm");
    if (is_low(x)) return rounded(norm(widened(x), ord, dims, keepdim), x);
    if (!is_floating(x.tensor.dtype()))
        fail(ErrorKind::unsupported, "norm: needs a floating dtype, and this tensor is ",
             name_of(x.tensor.dtype()), "; cast it first");
    if (ord == 2) return root(sum(mul(x, x), dims, keepdim), 2);
    if (ord == 0) return cast(sum(ne(x, 0), dims, keepdim), x.tensor.dtype());
    const Tensor size = abs(x);
    if (ord == 1) return sum(size, dims, keepdim);
    if (std::isinf(ord)) return ord > 0 ? amax(size, dims, keepdim) : amin(size, dims, keepdim);
    return root(sum(powered(size, ord), dims, keepdim), ord);
}

Tensor count_nonzero(const Arg& x, const DimList& dims) {
    const Here here(x.where, "count_nonzero");
    return sum(ne(x, 0), dims);
}

// In log2 n rounds: each element takes in the one that is 1, 2, 4, ... before it, which by then is
// the product of as many. No division, so a 0 does no harm to gradients.
Tensor cumprod(const Arg& x, std::int64_t dim) {
    const Here here(x.where, "cumprod");
    if (is_low(x)) return rounded(cumprod(widened(x), dim), x);
    Tensor y = is_floating(x.tensor.dtype()) ? x.tensor : cast(x, DType::int64);
    const int d = wrap_dim("cumprod", dim, y.dims());
    if (y.dims() == 0) return clone(y);
    const std::int64_t n = known_size("cumprod", y, d);
    for (std::int64_t by = 1; by < n; by *= 2)
        y = cat({slice(y, d, 0, by), mul(slice(y, d, by, n), slice(y, d, 0, n - by))}, d);
    return y.same(x.tensor) ? clone(y) : y;
}

// log sum e^x, with the largest taken off first
Tensor logsumexp(const Arg& x, const DimList& list, bool keepdim) {
    const Here here(x.where, "logsumexp");
    if (is_low(x)) return rounded(logsumexp(widened(x), list, keepdim), x);
    const Tensor f = is_floating(x.tensor.dtype()) ? x.tensor : cast(x, default_dtype());
    const Dims dims = wrapped("logsumexp", list, f.dims());
    for (std::int64_t d : dims)
        if (f.shape()[static_cast<int>(d)] == 0) return log(sum(exp(f), dims, keepdim));
    const Tensor most = amax(f, dims, true).detach();
    const Tensor finite = where(eq(abs(most), std::numeric_limits<double>::infinity()), 0.0, most);
    const Tensor total = add(log(sum(exp(sub(f, finite)), dims, true)), finite);
    return keepdim ? total : squeeze(total, dims.empty() ? DimList(Dims{}) : DimList(dims));
}

// By halves: (x0 x1 ... ) (xh xh+1 ...), so that a gradient needs no division, whatever is 0.
Tensor prod(const Arg& x, std::optional<std::int64_t> dim, bool keepdim) {
    const Here here(x.where, "prod");
    if (is_low(x)) {
        const Tensor y = prod(widened(x), dim, keepdim);
        return autocast().enabled ? y : rounded(y, x);
    }
    Tensor y = is_floating(x.tensor.dtype()) ? x.tensor : cast(x, DType::int64);
    const int dims = y.dims();
    if (!dim) y = reshape(y, {-1});
    const std::int64_t d = dim ? wrap_dim("prod", *dim, dims) : 0;
    if (y.dims() == 0) return y;
    std::int64_t n = y.shape()[static_cast<int>(d)];
    if (is_unknown(n))
        fail(ErrorKind::runtime, "prod: the size of dim ", d,
             " must be known while the graph is built; give the placeholder that size");
    if (n == 0) {
        y = add(sum(y, {d}, true), 1);  // 0 + 1, on y's tape
    }
    for (; n > 1; n = (n + 1) / 2) {
        const std::int64_t half = n / 2;
        const Tensor both = mul(slice(y, d, 0, half), slice(y, d, half, 2 * half));
        y = n % 2 == 0 ? both : cat({both, slice(y, d, n - 1, n)}, d);
    }
    if (!dim) return reshape(y, keepdim ? Dims::of(dims, 1) : Dims{});
    return keepdim ? y : squeeze(y, d);
}

}  // namespace tg
