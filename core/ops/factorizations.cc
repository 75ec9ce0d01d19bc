// A matrix as a product of simpler ones: Cholesky's, QR, singular values, eigenvalues, and the
// pseudo-inverse that singular values give. A record with several outputs keeps those that its
// gradient asks for.
#include <algorithm>
#include <limits>

#include "core/autocast.h"
#include "core/batching.h"
#include "core/low_precision.h"
#include "core/ops/matrices.h"

namespace tg {
namespace {

// ---- shapes -------------------------------------------------------------------------------------

// A (..., N, N) -> L (..., N, N), info (...) int32
Descs cholesky_shape(const Op& op, std::span<const Desc> in, const Attrs&) {
    check_square(op.name, in[0]);
    return {in[0], Desc{batch_of(in[0].shape), DType::int32, in[0].device}};
}

Desc shaped(const Desc& a, std::int64_t rows, std::int64_t columns) {
    Desc d = a;
    d.shape[d.shape.size() - 2] = rows;
    d.shape[d.shape.size() - 1] = columns;
    return d;
}

Desc vector_of(const Desc& a, std::int64_t size) {
    Desc d = a;
    d.shape = batch_of(a.shape, 1);
    d.shape[d.shape.size() - 1] = size;
    return d;
}

// A (..., M, N), M >= N -> Q (..., M, N), R (..., N, N), or complete: Q (..., M, M), R (..., M, N)
Descs qr_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    check_matrix(op.name, in[0]);
    const std::int64_t n = in[0].shape[in[0].shape.size() - 1];
    if (smaller(op.name, in[0]) != n)
        fail(ErrorKind::runtime, op.name, ": A ", text(in[0].shape), " has more columns than rows");
    const std::int64_t m = in[0].shape[in[0].shape.size() - 2];
    const std::int64_t k = attrs.integer(0) != 0 ? m : n;
    return {shaped(in[0], m, k), shaped(in[0], k, n)};
}

// A (..., M, N) -> U (..., M, K), S (..., K), Vh (..., K, N), or full: U (..., M, M),
// Vh (..., N, N)
Descs svd_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    check_matrix(op.name, in[0]);
    const std::int64_t k = smaller(op.name, in[0]);
    const std::int64_t m = in[0].shape[in[0].shape.size() - 2];
    const std::int64_t n = in[0].shape[in[0].shape.size() - 1];
    const bool full = attrs.integer(0) != 0;
    return {shaped(in[0], m, full ? m : k), vector_of(in[0], k), shaped(in[0], full ? n : k, n)};
}

// A (..., N, N) -> w (..., N), V (..., N, N)
Descs eigh_shape(const Op& op, std::span<const Desc> in, const Attrs&) {
    check_square(op.name, in[0]);
    return {vector_of(in[0], in[0].shape[in[0].shape.size() - 1]), in[0]};
}

// A (..., M, N) -> (..., N, M)
Descs pinv_shape(const Op& op, std::span<const Desc> in, const Attrs&) {
    check_matrix(op.name, in[0]);
    const Dims& a = in[0].shape;
    return {shaped(in[0], a[a.size() - 1], a[a.size() - 2])};
}

// ---- kernels ------------------------------------------------------------------------------------

constexpr const char* not_finite = "has an infinite or NaN element, or the iteration does not end";

// Which minor it was stands in info.
void cholesky_cpu(const Launch& l) {
    const kernels::cpu::Failed failed =
        kernels::cpu::cholesky(l.out[0], l.out[1], l.in[0], l.attrs.integer(0) != 0);
    if (!failed) return;
    const auto order = static_cast<const std::int32_t*>(l.out[1].data)[*failed];
    check_found(l, failed,
                ("is not positive-definite: its leading minor of order " + std::to_string(order) +
                 " is not positive")
                    .c_str());
}

void qr_cpu(const Launch& l) { kernels::cpu::qr(l.out[0], l.out[1], l.in[0]); }

void svd_cpu(const Launch& l) {
    check_found(l, kernels::cpu::svd(l.out[0], l.out[1], l.out[2], l.in[0]), not_finite);
}

void eigh_cpu(const Launch& l) {
    check_found(l, kernels::cpu::eigh(l.out[0], l.out[1], l.in[0]), not_finite);
}

void pinv_cpu(const Launch& l) {
    check_found(l, kernels::cpu::pinv(l.out[0], l.in[0], l.attrs.real(0), l.attrs.real(1)),
                not_finite);
}

// ---- gradients ----------------------------------------------------------------------------------

Tensor triangular(const Tensor& a, const Tensor& b) {  // A X = B, A an upper triangle
    return apply(ops::solve_triangular, {a, b}, {Attr{std::int64_t{1}}, Attr{std::int64_t{0}}});
}

// 1 / (w_j - w_i), and 0 where i = j
Tensor inverse_gaps(const Tensor& w) {
    const Tensor one = eye_like(w, w.shape()[w.dims() - 1]);
    const Tensor gaps = sub(unsqueeze(w, -2), unsqueeze(w, -1));
    return sub(div(1, add(gaps, one)), one);
}

// A = L L^T  =>  dA = sym(L^-T phi(L^T g) L^-1), phi the lower triangle with half the diagonal
// [Murray 2016]
void cholesky_gradient(Backward& n) {
    const Tensor upper = turned(n.output());
    const Tensor m = matmul(upper, n.g());
    const Tensor phi = mul(add(tril(m), tril(m, -1)), 0.5);
    const Tensor s = turned(triangular(upper, turned(triangular(upper, phi))));
    n.give(0, mul(add(s, turned(s)), 0.5));
}

// A = Q R  =>  dA = (g_Q + Q sym(M)) R^-T, M = R g_R^T - g_Q^T Q, sym(M) = M's lower triangle and
// its mirror image [Walter and Lehmann 2010; Liao et al. 2019]
void qr_gradient(Backward& n) {
    const Tensor q = n.output(0), r = n.output(1), gq = n.g(0), gr = n.g(1);
    if (q.shape() != n.desc(0).shape)
        fail(ErrorKind::runtime, "qr: mode 'complete' of A ", text(n.desc(0).shape),
             ", which has more rows than columns, has no gradient; use mode 'reduced'");
    const Tensor m = sub(matmul(r, turned(gr)), matmul(turned(gq), q));
    const Tensor w = add(gq, matmul(q, add(tril(m), turned(tril(m, -1)))));
    n.give(0, turned(triangular(r, turned(w))));
}

// A = U diag(s) V^T  =>  dA = U (skew(U^T g_U) o E diag(s) + diag(s) skew(V^T g_V) o E + diag(g_s))
// V^T, and what g_U and g_V have outside of U and V; E_ij = 1 / (s_j^2 - s_i^2), skew(X) = X - X^T
// [Townsend 2016]
void svd_gradient(Backward& n) {
    const std::int64_t k = n.output_desc(1).shape[n.output_desc(1).shape.size() - 1];
    const Tensor u = slice(n.output(0), -1, 0, k), vh = slice(n.output(2), -2, 0, k);
    const Tensor s = n.output(1), across = unsqueeze(s, -2), down = unsqueeze(s, -1);
    if (!n.has(0) && !n.has(2)) return n.give(0, matmul(mul(u, unsqueeze(n.g(1), -2)), vh));
    const auto skew = [](const Tensor& x) { return sub(x, turned(x)); };
    const Tensor e = inverse_gaps(mul(s, s));
    const Tensor gu = slice(n.g(0), -1, 0, k), gvh = slice(n.g(2), -2, 0, k);
    Tensor inner = add(mul(mul(skew(matmul(turned(u), gu)), e), across),
                       mul(mul(skew(matmul(vh, turned(gvh))), e), down));
    inner = add(inner, mul(eye_like(s, k), unsqueeze(n.g(1), -2)));
    Tensor da = matmul(matmul(u, inner), vh);
    const auto outside = [](const Tensor& x, const Tensor& of) {  // x less its part in of's columns
        return sub(x, matmul(of, matmul(turned(of), x)));
    };
    const Dims& a = n.desc(0).shape;
    if (a[a.size() - 2] > k) da = add(da, matmul(outside(div(gu, across), u), vh));
    if (a[a.size() - 1] > k)
        da = add(da, matmul(u, turned(outside(turned(div(gvh, down)), turned(vh)))));
    n.give(0, da);
}

// A = V diag(w) V^T  =>  dA = V (diag(g_w) + (V^T g_V) o E) V^T, E_ij = 1 / (w_j - w_i)
// [Giles 2008]
void eigh_gradient(Backward& n) {
    const Tensor w = n.output(0), v = n.output(1);
    const std::int64_t size = known_size("eigh", w, w.dims() - 1);
    if (!n.has(1)) return n.give(0, matmul(mul(v, unsqueeze(n.g(0), -2)), turned(v)));
    const Tensor inner = add(mul(eye_like(w, size), unsqueeze(n.g(0), -2)),
                             mul(matmul(turned(v), n.g(1)), inverse_gaps(w)));
    n.give(0, matmul(matmul(v, inner), turned(v)));
}

// Y = A^+  =>  dA = K Y^T - (Y K)^T - A Y K Y^T + Y^T Y (g^T - K A), K = g^T Y
// [Golub and Pereyra 1973]
void pinv_gradient(Backward& n) {
    const Tensor a = n.input(0).tensor, y = n.output(), gt = turned(n.g());
    const Tensor k = matmul(gt, y), ky = matmul(k, turned(y));
    const Tensor first = sub(sub(ky, turned(matmul(y, k))), matmul(matmul(a, y), ky));
    n.give(0, add(first, matmul(matmul(turned(y), y), sub(gt, matmul(k, a)))));
}

constexpr Need a = Need::a, y = Need::y, y1 = Need::y1, y2 = Need::y2;

}  // namespace

namespace ops {

const Op cholesky = {.name = "cholesky",
                     .inputs = 1,
                     .shape = cholesky_shape,
                     .gradient = cholesky_gradient,
                     .needs = {{y}},
                     .cpu = cholesky_cpu,
                     .attributes = {{"check", AttrKind::integer}},
                     .batch = batch_aligned};
const Op qr = {.name = "qr",
               .inputs = 1,
               .shape = qr_shape,
               .gradient = qr_gradient,
               .needs = {{y, y1}},
               .cpu = qr_cpu,
               .attributes = {{"complete", AttrKind::integer}},
               .batch = batch_aligned};
const Op svd = {.name = "svd",
                .inputs = 1,
                .shape = svd_shape,
                .gradient = svd_gradient,
                .needs = {{y, y1, y2}},
                .cpu = svd_cpu,
                .attributes = {{"full_matrices", AttrKind::integer}},
                .batch = batch_aligned};
const Op eigh = {.name = "eigh",
                 .inputs = 1,
                 .shape = eigh_shape,
                 .gradient = eigh_gradient,
                 .needs = {{y, y1}},
                 .cpu = eigh_cpu,
                 .batch = batch_aligned};
const Op pinv = {.name = "pinv",
                 .inputs = 1,
                 .shape = pinv_shape,
                 .gradient = pinv_gradient,
                 .needs = {{a, y}},
                 .cpu = pinv_cpu,
                 .attributes = {{"atol", AttrKind::real}, {"rtol", AttrKind::real}},
                 .batch = batch_aligned};

}  // namespace ops

std::span<const Op* const> factorization_ops() {
    static const Op* const list[] = {&ops::cholesky, &ops::qr,        &ops::svd,    &ops::eigh,
                                     &ops::pinv,     &ops::lu_factor, &ops::lu_rows};
    return list;
}

// ---- what users call ----------------------------------------------------------------------------
namespace linalg {
namespace {

CholeskyInfo factored(const char* op, const Arg& a, bool upper, bool check) {
    check_tensor(op, "A", a);
    check_square(op, desc_of(a.tensor));
    const Arg read = upper ? Arg(turned(a)) : a;
    const Outputs found = apply_all(ops::cholesky, {&read, 1}, {Attr{std::int64_t{check}}});
    return {upper ? turned(found[0]) : found[0], found[1]};
}

Outputs decomposed(const Op& op, const Arg& a, const Attrs& attrs = {}) {
    check_tensor(op.name, "A", a);
    return apply_all(op, {&a, 1}, attrs);
}

}  // namespace

Tensor cholesky(const Arg& a, bool upper) {
    const Here here(a.where, "cholesky");
    if (autocast().enabled) return without_autocast([&] { return cholesky(widened(a), upper); });
    return factored("cholesky", a, upper, true).factor;
}

CholeskyInfo cholesky_ex(const Arg& a, bool upper, bool check_errors) {
    const Here here(a.where, "cholesky_ex");
    if (autocast().enabled)
        return without_autocast([&] { return cholesky_ex(widened(a), upper, check_errors); });
    return factored("cholesky_ex", a, upper, check_errors);
}

// A wide A = (A1 A2) with A1 square: A1 = Q R1, and so A2 = Q (Q^T A2).
QR qr(const Arg& a, const std::string& mode) {
    const Here here(a.where, "qr");
    if (autocast().enabled) return without_autocast([&] { return qr(widened(a), mode); });
    check_tensor("qr", "A", a);
    if (mode != "reduced" && mode != "complete" && mode != "r")
        fail(ErrorKind::runtime, "qr: mode is 'reduced', 'complete' or 'r', not '", mode, "'");
    check_matrix("qr", desc_of(a.tensor));
    const std::int64_t m = a.tensor.size(-2), n = a.tensor.size(-1);
    const bool wide = smaller("qr", desc_of(a.tensor)) != n;
    const Arg tall = wide ? Arg(slice(a, -1, 0, m)) : a;
    Outputs found = decomposed(ops::qr, tall, {Attr{std::int64_t{mode == "complete"}}});
    if (wide) {
        const Tensor rest = matmul(turned(found[0]), slice(a, -1, m, n));
        found[1] = cat({found[1], rest}, -1);
    }
    if (mode != "r") return {found[0], found[1]};
    return {zeros({0}, {a.tensor.dtype(), a.tensor.device()}), found[1]};
}

SVD svd(const Arg& a, bool full_matrices) {
    const Here here(a.where, "svd");
    if (autocast().enabled) return without_autocast([&] { return svd(widened(a), full_matrices); });
    const Outputs found = decomposed(ops::svd, a, {Attr{std::int64_t{full_matrices}}});
    return {found[0], found[1], found[2]};
}

Tensor svdvals(const Arg& a) {
    const Here here(a.where, "svdvals");
    if (autocast().enabled) return without_autocast([&] { return svdvals(widened(a)); });
    return decomposed(ops::svd, a, {Attr{std::int64_t{0}}})[1];
}

Eigh eigh(const Arg& a, bool upper) {
    const Here here(a.where, "eigh");
    if (autocast().enabled) return without_autocast([&] { return eigh(widened(a), upper); });
    check_tensor("eigh", "A", a);
    check_square("eigh", desc_of(a.tensor));
    const Outputs found = decomposed(ops::eigh, upper ? Arg(turned(a)) : a);
    return {found[0], found[1]};
}

Tensor eigvalsh(const Arg& a, bool upper) {
    const Here here(a.where, "eigvalsh");
    if (autocast().enabled) return without_autocast([&] { return eigvalsh(widened(a), upper); });
    return eigh(a, upper).values;
}

Tensor pinv(const Arg& a, const Tolerance& t) {
    const Here here(a.where, "pinv");
    if (autocast().enabled) return without_autocast([&] { return pinv(widened(a), t); });
    check_tensor("pinv", "A", a);
    check_matrix("pinv", desc_of(a.tensor));
    const Tolerance least = tolerance_of("pinv", a.tensor, t);
    return apply(ops::pinv, {a}, {Attr{*least.atol}, Attr{*least.rtol}});
}

}  // namespace linalg
}  // namespace tg
