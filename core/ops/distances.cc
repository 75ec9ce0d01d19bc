// How far apart vectors are, and how alike; made of other ops.
#include "core/autocast.h"
#include "core/low_precision.h"
#include "core/ops/reduced.h"

namespace tg {

Tensor raised(const Tensor& x, double eps) {
    return where(lt(x, eps), add(sub(x, x.detach()), eps), x);
}

namespace {

void check_floating(const char* op, const Arg& x) {
    if (!is_floating(x.tensor.dtype()))
        fail(ErrorKind::unsupported, op, ": needs a floating dtype, and a tensor is ",
             name_of(x.tensor.dtype()), "; cast it first");
}

}  // namespace

// a b / (|a| |b|), each norm at least eps
Tensor cosine_similarity(const Arg& x1, const Arg& x2, std::int64_t dim, double eps) {
    const Here here(x1.where, "cosine_similarity");
    check_floating("cosine_similarity", x1);
    check_floating("cosine_similarity", x2);
    if (is_low(x1)) return rounded(cosine_similarity(widened(x1), widened(x2), dim, eps), x1, x2);
    const Tensor products = mul(x1, x2);
    const int d = wrap_dim("cosine_similarity", dim, products.dims());
    const auto size = [&](const Arg& x) {
        return raised(norm(expand(x, products.shape()), 2, d, true), eps);
    };
    return sum(mul(div(x1, size(x1)), div(x2, size(x2))), d);
}

Tensor pairwise_distance(const Arg& x1, const Arg& x2, double p, double eps, bool keepdim) {
    const Here here(x1.where, "pairwise_distance");
    if (is_low(x1))
        return rounded(pairwise_distance(widened(x1), widened(x2), p, eps, keepdim), x1, x2);
    const Tensor apart = add(sub(x1, x2), eps);
    if (apart.dims() == 0)
        fail(ErrorKind::index, "pairwise_distance: tensors of no dims have no vectors");
    return norm(apart, p, apart.dims() - 1, keepdim);
}

Tensor normalize(const Arg& x, double p, const DimList& dims, double eps) {
    const Here here(x.where, "normalize");
    if (is_low(x)) return rounded(normalize(widened(x), p, dims, eps), x);
    const Tensor size = norm(x, p, dims, true);
    return div(x, clamp(size, Arg(eps), {}));
}

// y_o = sum_ij x1_i W_oij x2_j + b_o: W's last dim first, (..., O, I), then its other
Tensor bilinear(const Arg& x1, const Arg& x2, const Arg& weight, const Tensor& bias) {
    const Here here(x1.where, "bilinear");
    const Dims& a = x1.tensor.shape();
    const Dims& b = x2.tensor.shape();
    const Dims& w = weight.tensor.shape();
    const auto fits = [](const Dims& x, std::int64_t n) {
        return !x.empty() && (x[x.size() - 1] == n || is_unknown(x[x.size() - 1]));
    };
    bool same = a.size() == b.size();
    for (int d = 0; same && d < a.size() - 1; ++d)
        same = a[d] == b[d] || is_unknown(a[d]) || is_unknown(b[d]);
    if (w.size() != 3 || !same || !fits(a, w[1]) || !fits(b, w[2]))
        fail(ErrorKind::runtime, "bilinear: input1 ", text(a), " and input2 ", text(b),
             " do not fit weight ", text(w), "; they are (..., I), (..., J) and (O, I, J)");
    if (bias.defined() && (bias.dims() != 1 || bias.shape()[0] != w[0]))
        fail(ErrorKind::runtime, "bilinear: bias ", text(bias.shape()),
             " needs one number for each of ", w[0], " results");
    if (is_low(x1)) {
        return without_autocast([&] {
            return rounded(bilinear(widened(x1), widened(x2), widened(weight), widened(bias)), x1,
                           x2, weight);
        });
    }
    const Tensor y = without_autocast([&] {
        return einsum("...i,oij,...j->...o", {x1.tensor, weight.tensor, x2.tensor});
    });
    return bias.defined() ? add(y, bias) : y;
}

}  // namespace tg
