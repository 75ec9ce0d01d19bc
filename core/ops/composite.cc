// Compositions: functions that are made of other ops and have no record of their own.
#include "core/autocast.h"
#include "core/low_precision.h"
#include "core/ops/family.h"
#include "core/ops/lines.h"

namespace tg {
namespace {

// The largest is taken off first, so that no exp overflows; it changes nothing, so it is detached.
Tensor shifted(const char* op, const Arg& x, std::int64_t dim) {
    if (!is_floating(x.tensor.dtype()))
        fail(ErrorKind::unsupported, op, ": needs a floating dtype, and this tensor is ",
             name_of(x.tensor.dtype()), "; cast it first");
    const int d = wrap_dim(op, dim, x.tensor.dims());
    if (x.tensor.dims() == 0) return sub(x, x);
    if (x.tensor.shape()[d] == 0) return x.tensor;
    return sub(x, amax(x, d, true).detach());
}

int at(const Arg& x, std::int64_t dim) {
    return static_cast<int>(dim < 0 ? dim + x.tensor.dims() : dim);
}

bool in_lines(const char* op, const Arg& x, std::int64_t dim) {
    return takes_lines(x.tensor, wrap_dim(op, dim, x.tensor.dims()));
}

DimList dim_of(const Arg& x, std::int64_t dim) {
    return x.tensor.dims() == 0 ? DimList() : DimList(dim);
}

}  // namespace

// softmax(x)_i = e^(x_i) / sum_j e^(x_j)
Tensor softmax(const Arg& x, std::int64_t dim) {
    const Here here(x.where, "softmax");
    if (is_low(x)) return rounded(softmax(widened(x), dim), x);
    if (in_lines("softmax", x, dim)) return softmax_of_lines(x.tensor, at(x, dim), false);
    const Tensor e = exp(shifted("softmax", x, dim));
    return div(e, sum(e, dim_of(x, dim), true));
}

// log softmax(x)_i = x_i - log sum_j e^(x_j)
Tensor log_softmax(const Arg& x, std::int64_t dim) {
    const Here here(x.where, "log_softmax");
    if (is_low(x)) return rounded(log_softmax(widened(x), dim), x);
    if (in_lines("log_softmax", x, dim)) return softmax_of_lines(x.tensor, at(x, dim), true);
    const Tensor s = shifted("log_softmax", x, dim);
    return sub(s, log(sum(exp(s), dim_of(x, dim), true)));
}

// x (..., in), weight (out, in), bias (out,) -> (..., out)
Tensor linear(const Arg& x, const Arg& weight, const Tensor& bias) {
    const Here here(x.where, "linear");
    if (lowers(x.tensor, weight.tensor, bias))
        return linear(lowered(x), lowered(weight), lowered(bias));
    if (weight.tensor.dtype() != x.tensor.dtype())
        fail(ErrorKind::runtime, "linear: x is ", name_of(x.tensor.dtype()), " and weight ",
             name_of(weight.tensor.dtype()), "; cast one of them");
    if (bias.defined() && bias.dtype() != x.tensor.dtype())
        fail(ErrorKind::runtime, "linear: x is ", name_of(x.tensor.dtype()), " and bias ",
             name_of(bias.dtype()), "; cast one of them");
    if (is_low(x)) {
        const AutocastScope off({});
        return rounded(linear(widened(x), widened(weight), widened(bias)), x);
    }
    const Dims& w = weight.tensor.shape();
    const Dims& s = x.tensor.shape();
    const std::int64_t in = w.empty() ? 0 : w[w.size() - 1];
    if (w.empty() || w.size() > 2 || s.empty() ||
        (s[s.size() - 1] != in && !is_unknown(s[s.size() - 1])))
        fail(ErrorKind::runtime, "linear: x ", text(s), " does not fit weight ", text(w),
             " (out, in): the last dim of x must be in");
    const Tensor y = matmul(x, w.size() == 1 ? weight.tensor : transpose(weight, 0, 1));
    return bias.defined() ? add(y, bias) : y;
}

}  // namespace tg
