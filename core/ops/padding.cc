// Rows and columns put around a tensor, or cut off: one dim after another.
#include "core/autocast.h"
#include "core/low_precision.h"
#include "core/ops/windows.h"

namespace tg {
namespace {

constexpr const char* op = "pad";
using Mode = std::string;

std::int64_t known_size(const Tensor& x, int dim, const Mode& mode) {
    if (is_unknown(x.shape()[dim]))
        fail(ErrorKind::runtime, op, ": mode '", mode, "' needs to know the size of dim ", dim,
             " of ", text(x.shape()), "; give the placeholder that size");
    return x.shape()[dim];
}

// x without what negative numbers cut off of a dim.
Tensor cut(const Tensor& x, int dim, std::int64_t before, std::int64_t after) {
    if (before >= 0 && after >= 0) return x;
    const std::int64_t size = known_size(x, dim, "constant");
    const std::int64_t begin = std::max<std::int64_t>(-before, 0);
    const std::int64_t end = size - std::max<std::int64_t>(-after, 0);
    if (begin > end)
        fail(ErrorKind::runtime, op, ": ", before, " and ", after, " leave nothing of dim ", dim,
             " of ", text(x.shape()));
    return slice(x, dim, begin, end);
}

Tensor with_constant(const Tensor& x, int dim, std::int64_t before, std::int64_t after,
                     const Scalar& value) {
    std::vector<Tensor> parts;
    const auto border = [&](std::int64_t size) {
        if (size <= 0) return;
        Dims shape = x.shape();
        shape[dim] = size;
        parts.push_back(full(shape, value, {x.dtype(), x.device()}));
    };
    border(before);
    parts.push_back(cut(x, dim, before, after));
    border(after);
    return parts.size() == 1 ? parts[0] : cat(parts, dim);
}

// Which place of 0..n-1 stands at place i, which may lie outside: int64 (count,).
//   replicate  0 0 0 1 2 2 2      reflect  2 1 0 1 2 1 0      circular  1 2 0 1 2 0 1
Tensor source_of(const Tensor& x, std::int64_t n, std::int64_t before, std::int64_t after,
                 const Mode& mode) {
    const Tensor i = sub(to(arange(before + n + after), x.device()), before);
    if (mode == "replicate") return clamp(i, Arg(0), Arg(n - 1));
    if (mode == "reflect") return sub(n - 1, abs(sub(n - 1, abs(i))));
    return where(lt(i, 0), add(i, n), where(ge(i, n), sub(i, n), i));
}

Tensor from_inside(const Tensor& whole, int dim, std::int64_t before, std::int64_t after,
                   const Mode& mode) {
    known_size(whole, dim, mode);
    Tensor x = whole;
    if (mode == "circular") {  // what is cut off does not come again
        x = cut(whole, dim, before, after);
        before = std::max<std::int64_t>(before, 0);
        after = std::max<std::int64_t>(after, 0);
    }
    const std::int64_t n = x.shape()[dim];
    const std::int64_t most = mode == "reflect" ? n - 1 : mode == "circular" ? n : largest_step;
    if (n == 0 || before > most || after > most || before + n + after < 1)
        fail(ErrorKind::runtime, op, ": mode '", mode, "' cannot put ", before, " and ", after,
             " around the ", n, " places of dim ", dim, " of ", text(whole.shape()));
    if (before == 0 && after == 0) return x;
    Dims shape = x.shape();
    Dims one = Dims::of(x.dims(), 1);
    shape[dim] = one[dim] = before + n + after;
    const Tensor index = reshape(source_of(x, n, before, after, mode), one);
    return gather(x, dim, expand(index, shape));
}

}  // namespace

Tensor pad(const Arg& x, const std::vector<std::int64_t>& by, const std::string& mode,
           const Scalar& value) {
    const Here here(x.where, op);
    const int dims = x.tensor.dims();
    const int padded = static_cast<int>(by.size() / 2);
    if (by.size() % 2 != 0 || padded > dims)
        fail(ErrorKind::runtime, op, ": ", by.size(), " numbers for ", text(x.tensor.shape()),
             "; there are two for each dim, from the last dim on");
    for (std::int64_t n : by)
        if (n > largest_step || n < -largest_step)
            fail(ErrorKind::runtime, op, ": ", n, " is more than ", largest_step);
    const bool constant = mode == "constant";
    if (!constant && mode != "reflect" && mode != "replicate" && mode != "circular")
        fail(ErrorKind::unsupported, op, ": mode is '", mode,
             "'; there are constant, reflect, replicate and circular");
    if (!constant && (padded == 0 || padded > 3 || (dims != padded + 1 && dims != padded + 2)))
        fail(ErrorKind::unsupported, op, ": mode '", mode,
             "' pads the last 1, 2 or 3 dims of (N, "
             "C, ...) or (C, ...), and not ",
             padded, " of ", text(x.tensor.shape()));
    if (autocast().enabled && is_low(x) && (mode == "reflect" || mode == "replicate"))
        return pad(widened(x), by, mode, value);
    Tensor y = x.tensor;
    for (int k = padded - 1; k >= 0; --k) {
        const auto at = static_cast<std::size_t>(2 * k);
        const int dim = dims - 1 - k;
        y = constant ? with_constant(y, dim, by[at], by[at + 1], value)
                     : from_inside(y, dim, by[at], by[at + 1], mode);
    }
    return y.same(x.tensor) ? clone(x) : y;
}

}  // namespace tg
