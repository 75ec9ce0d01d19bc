// Products of vectors and matrices by their older names, made of matmul, mul and sums.
#include "core/ops/vectors.h"

#include <algorithm>

#include "core/autocast.h"
#include "core/low_precision.h"
#include "core/ops/family.h"

namespace tg {
namespace {

bool is_whole(const Arg& x) {
    return !is_floating(x.is_tensor() ? x.tensor.dtype() : x.scalar.dtype);
}

bool is_number(const Arg& x, double number) {
    return !x.is_tensor() && x.scalar.as_real() == number;
}

void check_dims(const char* op, const char* which, const Arg& x, int dims) {
    if (x.tensor.dims() != dims)
        fail(ErrorKind::runtime, op, ": ", which, " ", text(x.tensor.shape()), " has ",
             x.tensor.dims(), x.tensor.dims() == 1 ? " dim" : " dims", ", not ", dims);
}

// by x; a floating factor would make floats of integers
Tensor scaled(const char* op, const char* name, const Tensor& x, const Arg& by) {
    if (is_whole(x) && !is_whole(by))
        fail(ErrorKind::runtime, op, ": ", name, " is ", text(by.scalar),
             ", but the tensors are of integers; cast them, or use a whole ", name);
    return is_number(by, 1) ? x : mul(x, by);
}

using Product = Tensor (*)(const Arg& a, const Arg& b);

// beta x + alpha product(a, b), in the product's shape; of low precision rounded once
Tensor blended(const char* op, const Arg& x, Product product_of, const Arg& a, const Arg& b,
               const Arg& beta, const Arg& alpha) {
    for (const Arg* t : {&a, &b})
        if (t->tensor.dtype() != x.tensor.dtype())
            fail(ErrorKind::runtime, op, ": input is ", name_of(x.tensor.dtype()), " and ",
                 t == &a ? "the first factor " : "the second factor ", name_of(t->tensor.dtype()),
                 "; cast one of them");
    if (is_low(x))
        return without_autocast([&] {
            return rounded(blended(op, widened(x), product_of, widened(a), widened(b), beta, alpha),
                           x);
        });
    const Tensor product = product_of(a, b);
    if (broadcast(op, x.tensor.shape(), product.shape()) != product.shape() &&
        !any_unknown(product.shape()))
        fail(ErrorKind::runtime, op, ": input ", text(x.tensor.shape()),
             " does not broadcast to the product's ", text(product.shape()));
    const Tensor y = scaled(op, "alpha", product, alpha);
    return is_number(beta, 0) ? y : add(scaled(op, "beta", x.tensor, beta), y);
}

Tensor summed_products(const Arg& a, const Arg& b) {
    return cast(sum(bmm(a, b), 0), a.tensor.dtype());
}

}  // namespace

Tensor baddbmm(const Arg& x, const Arg& a, const Arg& b, const Arg& beta, const Arg& alpha) {
    const Here here(x.where, "baddbmm");
    if (lowers(x.tensor, a.tensor, b.tensor))
        return baddbmm(lowered(x), lowered(a), lowered(b), beta, alpha);
    return blended("baddbmm", x, bmm, a, b, beta, alpha);
}

Tensor addbmm(const Arg& x, const Arg& a, const Arg& b, const Arg& beta, const Arg& alpha) {
    const Here here(x.where, "addbmm");
    if (lowers(x.tensor, a.tensor, b.tensor))
        return addbmm(lowered(x), lowered(a), lowered(b), beta, alpha);
    return blended("addbmm", x, summed_products, a, b, beta, alpha);
}

Tensor addmv(const Arg& x, const Arg& a, const Arg& b, const Arg& beta, const Arg& alpha) {
    const Here here(x.where, "addmv");
    return blended("addmv", x, mv, a, b, beta, alpha);
}

Tensor addr(const Arg& x, const Arg& a, const Arg& b, const Arg& beta, const Arg& alpha) {
    const Here here(x.where, "addr");
    return blended("addr", x, outer, a, b, beta, alpha);
}

// a (M, 1, N, 1) b (1, P, 1, Q) -> (M P, N Q)
Tensor kron(const Arg& a, const Arg& b) {
    const Here here(a.where, "kron");
    const int n = std::max(a.tensor.dims(), b.tensor.dims());
    if (2 * n > max_dims)
        fail(ErrorKind::runtime, "kron: a ", text(a.tensor.shape()), " and b ",
             text(b.tensor.shape()), " have more than ", max_dims / 2, " dims");
    Dims wide_a, wide_b, shape;
    for (int d = 0; d < n; ++d) {
        const int in_a = d - (n - a.tensor.dims()), in_b = d - (n - b.tensor.dims());
        const std::int64_t rows = in_a < 0 ? 1 : known_size("kron", a.tensor, in_a);
        const std::int64_t columns = in_b < 0 ? 1 : known_size("kron", b.tensor, in_b);
        for (std::int64_t size : {rows, std::int64_t{1}}) wide_a.push_back(size);
        for (std::int64_t size : {std::int64_t{1}, columns}) wide_b.push_back(size);
        std::int64_t both = 0;
        if (__builtin_mul_overflow(rows, columns, &both))
            fail(ErrorKind::runtime, "kron: ", rows, " times ", columns,
                 " are more than an int64 counts");
        shape.push_back(both);
    }
    return reshape(mul(reshape(a, wide_a), reshape(b, wide_b)), shape);
}

// c_i = a_(i+1) b_(i+2) - a_(i+2) b_(i+1), counted around
Tensor cross(const Arg& a, const Arg& b, std::optional<std::int64_t> dim) {
    const Here here(a.where, "cross");
    const Dims& s = a.tensor.shape();
    const Dims& t = b.tensor.shape();
    if (s.size() != t.size())
        fail(ErrorKind::runtime, "cross: a ", text(s), " and b ", text(t), " have ", s.size(),
             " and ", t.size(), " dims; they must have as many");
    if (!dim) {
        const auto found = std::find(s.begin(), s.end(), 3);
        if (found == s.end())
            fail(ErrorKind::runtime, "cross: a ", text(s), " has no dim of size 3");
        dim = found - s.begin();
    }
    const int d = wrap_dim("cross", *dim, s.size());
    if (s.empty() || s[d] != 3 || t[d] != 3)
        fail(ErrorKind::runtime, "cross: dim ", d, " of a ", text(s), " and b ", text(t),
             " must be 3 in both");
    if (is_low(a)) return rounded(cross(widened(a), widened(b), d), a, b);
    return sub(mul(roll(a, {-1}, d), roll(b, {-2}, d)), mul(roll(a, {-2}, d), roll(b, {-1}, d)));
}

Tensor vdot(const Arg& a, const Arg& b) {
    const Here here(a.where, "vdot");
    check_dims("vdot", "a", a, 1);
    check_dims("vdot", "b", b, 1);
    return dot(a, b);
}

Tensor inner(const Arg& a, const Arg& b) {
    const Here here(a.where, "inner");
    const Dims& s = a.tensor.shape();
    const Dims& t = b.tensor.shape();
    if (a.tensor.dtype() != b.tensor.dtype())
        fail(ErrorKind::runtime, "inner: a is ", name_of(a.tensor.dtype()), " and b ",
             name_of(b.tensor.dtype()), "; cast one of them");
    if (s.empty() || t.empty()) return mul(a, b);
    const std::int64_t m = s[s.size() - 1], n = t[t.size() - 1];
    if (m != n && !is_unknown(m) && !is_unknown(n))
        fail(ErrorKind::runtime, "inner: the last dims of a ", text(s), " and b ", text(t), " are ",
             m, " and ", n, "; they must be equal");
    return tensordot(a, b, {s.size() - 1}, {t.size() - 1});
}

}  // namespace tg
