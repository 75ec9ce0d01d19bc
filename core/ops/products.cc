// Products by the names that say which dims they take; all are matmul.
#include "core/autocast.h"
#include "core/low_precision.h"
#include "core/ops/family.h"

namespace tg {
namespace {

void check_dims(const char* op, const char* which, const Tensor& x, int dims) {
    if (x.dims() != dims)
        fail(ErrorKind::runtime, op, ": ", which, " ", text(x.shape()), " has ", x.dims(),
             x.dims() == 1 ? " dim" : " dims", ", not ", dims, "; matmul takes any");
}

bool differ(std::int64_t a, std::int64_t b) { return a != b && !is_unknown(a) && !is_unknown(b); }

bool is_whole(const Arg& x) {
    return !is_floating(x.is_tensor() ? x.tensor.dtype() : x.scalar.dtype);
}

// beta x; a floating beta would make floats of integers
Tensor scaled(const char* name, const Tensor& x, const Arg& by) {
    if (is_whole(x) && !is_whole(by))
        fail(ErrorKind::runtime, "addmm: ", name, " is ", text(by.scalar),
             ", but the tensors are of integers; cast them, or use a whole ", name);
    return !by.is_tensor() && by.scalar.as_real() == 1 ? x : mul(x, by);
}

// The product of the sizes; -1, for reshape to find, where one is not known.
std::int64_t joined(const Dims& sizes) { return any_unknown(sizes) ? -1 : element_count(sizes); }

}  // namespace

Tensor mm(const Arg& a, const Arg& b) {
    const Here here(a.where, "mm");
    check_dims("mm", "a", a.tensor, 2);
    check_dims("mm", "b", b.tensor, 2);
    return matmul(a, b);
}

Tensor bmm(const Arg& a, const Arg& b) {
    const Here here(a.where, "bmm");
    check_dims("bmm", "a", a.tensor, 3);
    check_dims("bmm", "b", b.tensor, 3);
    if (differ(a.tensor.shape()[0], b.tensor.shape()[0]))
        fail(ErrorKind::runtime, "bmm: a ", text(a.tensor.shape()), " has ", a.tensor.shape()[0],
             " matrices, but b ", text(b.tensor.shape()), " has ", b.tensor.shape()[0]);
    return matmul(a, b);
}

Tensor mv(const Arg& a, const Arg& b) {
    const Here here(a.where, "mv");
    check_dims("mv", "a", a.tensor, 2);
    check_dims("mv", "b", b.tensor, 1);
    return without_autocast([&] { return matmul(a, b); });
}

Tensor dot(const Arg& a, const Arg& b) {
    const Here here(a.where, "dot");
    check_dims("dot", "a", a.tensor, 1);
    check_dims("dot", "b", b.tensor, 1);
    if (differ(a.tensor.shape()[0], b.tensor.shape()[0]))
        fail(ErrorKind::runtime, "dot: a ", text(a.tensor.shape()), " and b ",
             text(b.tensor.shape()), " have ", a.tensor.shape()[0], " and ", b.tensor.shape()[0],
             " elements");
    return without_autocast([&] { return matmul(a, b); });
}

Tensor addmm(const Arg& x, const Arg& a, const Arg& b, const Arg& beta, const Arg& alpha) {
    const Here here(x.where, "addmm");
    if (lowers(x.tensor, a.tensor, b.tensor))
        return addmm(lowered(x), lowered(a), lowered(b), beta, alpha);
    check_dims("addmm", "mat1", a.tensor, 2);
    check_dims("addmm", "mat2", b.tensor, 2);
    if (x.tensor.dtype() != a.tensor.dtype())
        fail(ErrorKind::runtime, "addmm: input is ", name_of(x.tensor.dtype()), " and mat1 is ",
             name_of(a.tensor.dtype()), "; cast one of them");
    if (is_low(x)) {
        const AutocastScope off({});
        return rounded(addmm(widened(x), widened(a), widened(b), beta, alpha), x);
    }
    const Tensor product = matmul(a, b);
    if (broadcast("addmm", x.tensor.shape(), product.shape()) != product.shape() &&
        !any_unknown(product.shape()))
        fail(ErrorKind::runtime, "addmm: input ", text(x.tensor.shape()),
             " does not broadcast to the product's ", text(product.shape()));
    const Tensor y = scaled("alpha", product, alpha);
    if (!beta.is_tensor() && beta.scalar.as_real() == 0) return y;
    return add(scaled("beta", x.tensor, beta), y);
}

Tensor outer(const Arg& a, const Arg& b) {
    const Here here(a.where, "outer");
    check_dims("outer", "a", a.tensor, 1);
    check_dims("outer", "b", b.tensor, 1);
    return mul(unsqueeze(a, 1), b);
}

// a (free..., summed...) @ b (summed..., free...), each group of dims made one
Tensor tensordot(const Arg& a, const Arg& b, const Dims& dims_a, const Dims& dims_b) {
    const Here here(a.where, "tensordot");
    const Dims& s = a.tensor.shape();
    const Dims& t = b.tensor.shape();
    if (dims_a.size() != dims_b.size())
        fail(ErrorKind::runtime, "tensordot: dims ", text(dims_a), " of a and ", text(dims_b),
             " of b; they go in pairs");
    Dims sum_a, sum_b, order_a, order_b, left, shape;
    for (int i = 0; i < dims_a.size(); ++i) {
        const int p = wrap_dim("tensordot", dims_a[i], s.size());
        const int q = wrap_dim("tensordot", dims_b[i], t.size());
        if (s.empty() || t.empty() || sum_a.contains(p) || sum_b.contains(q))
            fail(ErrorKind::runtime, "tensordot: dims ", text(dims_a), " of a ", text(s), " and ",
                 text(dims_b), " of b ", text(t), " name a dim twice, or one that is not there");
        if (differ(s[p], t[q]))
            fail(ErrorKind::runtime, "tensordot: dim ", p, " of a ", text(s), " is ", s[p],
                 ", and dim ", q, " of b ", text(t), " is ", t[q]);
        sum_a.push_back(p);
        sum_b.push_back(q);
    }
    std::int64_t rows = 1;
    for (int d = 0; d < s.size(); ++d) {
        if (sum_a.contains(d)) continue;
        order_a.push_back(d);
        left.push_back(s[d]);
    }
    rows = joined(left);
    for (std::int64_t d : sum_a) order_a.push_back(d);
    for (std::int64_t d : sum_b) order_b.push_back(d);
    shape = left;
    Dims right, inner;
    for (int d = 0; d < t.size(); ++d) {
        if (sum_b.contains(d)) continue;
        order_b.push_back(d);
        right.push_back(t[d]);
        shape.push_back(t[d]);
    }
    for (std::int64_t d : sum_a) inner.push_back(s[static_cast<int>(d)]);
    const std::int64_t k = joined(inner);
    const auto product = [&] {
        return matmul(reshape(permute(a, order_a), {rows, k}),
                      reshape(permute(b, order_b), {k, joined(right)}));
    };
    // Of all dims it is a dot, which autocast leaves alone.
    const bool is_dot = left.empty() && right.empty() && !inner.empty();
    return reshape(is_dot ? without_autocast(product) : product(), shape);
}

}  // namespace tg
