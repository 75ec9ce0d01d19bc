// Linear equations and determinants. One record solves A X = B; the inverse and the gradients of
// all others are made of it.
#include <limits>

#include "core/autocast.h"
#include "core/batching.h"
#include "core/low_precision.h"
#include "core/ops/matrices.h"

namespace tg {

// ---- what the files about linear algebra share --------------------------------------------------

Desc desc_of(const Tensor& x) { return {x.shape(), x.dtype(), x.device()}; }

Tensor eye_like(const Tensor& a, std::int64_t n) { return eye(n, {}, {a.dtype(), a.device()}); }

Dims batch_of(const Dims& shape, int inner) {
    Dims batch = shape;
    batch.count -= inner;
    return batch;
}

void check_tensor(const char* op, const char* what, const Arg& a) {
    if (!a.is_tensor()) fail(ErrorKind::type, op, ": ", what, " must be a tensor");
}

void check_matrix(const char* op, const Desc& a) {
    if (a.dtype != DType::float32 && a.dtype != DType::float64)
        fail(ErrorKind::unsupported, op, ": needs float32 or float64, and this tensor is ",
             name_of(a.dtype), "; cast it first");
    if (a.shape.size() < 2)
        fail(ErrorKind::runtime, op, ": a tensor of shape ", text(a.shape),
             " is no matrix: it needs two dims or more");
}

void check_square(const char* op, const Desc& a) {
    check_matrix(op, a);
    const std::int64_t m = a.shape[a.shape.size() - 2], n = a.shape[a.shape.size() - 1];
    if (m != n && !is_unknown(m) && !is_unknown(n))
        fail(ErrorKind::runtime, op, ": A ", text(a.shape), " has ", m, " rows and ", n,
             " columns, and must be square");
}

std::int64_t smaller(const char* op, const Desc& a) {
    const std::int64_t m = a.shape[a.shape.size() - 2], n = a.shape[a.shape.size() - 1];
    if (m != n && (is_unknown(m) || is_unknown(n)))
        fail(ErrorKind::runtime, op, ": the sizes of the matrices ", text(a.shape),
             " must be known while the graph is built; give the placeholder those sizes");
    return m < n ? m : n;
}

void check_found(const Launch& l, const kernels::cpu::Failed& failed, const char* what) {
    if (!failed) return;
    const kernels::Array& a = l.in[0];
    const kernels::Array& whole = l.in.size() == 2 ? l.out[0] : a;  // to whose batch a broadcasts
    Dims shape;
    for (int d = 0; d < whole.dims - 2; ++d) shape.push_back(whole.shape[d]);
    for (int d = a.dims - 2; d < a.dims; ++d) shape.push_back(a.shape[d]);
    if (a.dims == 2)
        fail(ErrorKind::linalg, l.op.name, ": the matrix ", text(Dims{a.shape[0], a.shape[1]}), " ",
             what);
    fail(ErrorKind::linalg, l.op.name, ": matrix ", *failed, " of ", text(shape), " ", what);
}

namespace {

// ---- shapes -------------------------------------------------------------------------------------

// A (..., N, N), B (..., N, K) -> (..., N, K)
Descs solve_shape(const Op& op, std::span<const Desc> in, const Attrs&) {
    check_square(op.name, in[0]);
    check_matrix(op.name, in[1]);
    const Dims &a = in[0].shape, &b = in[1].shape;
    if (in[0].dtype != in[1].dtype)
        fail(ErrorKind::runtime, op.name, ": A is ", name_of(in[0].dtype), " and B is ",
             name_of(in[1].dtype), "; cast one of them");
    const std::int64_t n = a[a.size() - 1], rows = b[b.size() - 2];
    if (n != rows && !is_unknown(n) && !is_unknown(rows))
        fail(ErrorKind::runtime, op.name, ": A ", text(a), " has ", n, " rows, but B ", text(b),
             " has ", rows);
    Desc x = in[1];
    x.shape = broadcast(op.name, batch_of(a), batch_of(b));
    x.shape.push_back(rows);
    x.shape.push_back(b[b.size() - 1]);
    return {x};
}

// A (..., N, N) -> the same
Descs square_shape(const Op& op, std::span<const Desc> in, const Attrs&) {
    check_square(op.name, in[0]);
    return {in[0]};
}

// A (..., N, N) -> (...)
Descs det_shape(const Op& op, std::span<const Desc> in, const Attrs&) {
    check_square(op.name, in[0]);
    Desc y = in[0];
    y.shape = batch_of(y.shape);
    return {y};
}

// A (..., N, N) -> (...), (...)
Descs slogdet_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    const Desc y = det_shape(op, in, attrs)[0];
    return {y, y};
}

// ---- kernels ------------------------------------------------------------------------------------

void solve_cpu(const Launch& l) {
    check_found(l, kernels::cpu::solve(l.out[0], l.in[0], l.in[1], l.attrs.integer(0) != 0),
                "is singular");
}

void solve_triangular_cpu(const Launch& l) {
    kernels::cpu::solve_triangular(l.out[0], l.in[0], l.in[1], l.attrs.integer(0) != 0,
                                   l.attrs.integer(1) != 0);
}

void det_cpu(const Launch& l) { kernels::cpu::det(l.out[0], l.in[0]); }

void slogdet_cpu(const Launch& l) { kernels::cpu::slogdet(l.out[0], l.out[1], l.in[0]); }

void cofactor_cpu(const Launch& l) { kernels::cpu::cofactor(l.out[0], l.in[0]); }

// A^-T, infinite where there is none
Tensor turned_inverse(const Tensor& a) {
    const std::int64_t n = known_size("inv", a, a.dims() - 1);
    return apply(ops::solve, {turned(a), eye_like(a, n)}, {Attr{std::int64_t{1}}});
}

Tensor triangular(const Tensor& a, const Tensor& b, bool upper, bool unit) {
    return apply(ops::solve_triangular, {a, b},
                 {Attr{std::int64_t{upper}}, Attr{std::int64_t{unit}}});
}

}  // namespace

namespace ops {
extern const Op det, cofactor, slogdet;
}  // namespace ops

// ---- gradients ----------------------------------------------------------------------------------
namespace {

// A X = B  =>  dB = A^-T g, dA = -dB X^T [Giles 2008]
void solve_gradient(Backward& n) {
    const Tensor db = apply(ops::solve, {turned(n.input(0)), n.g()}, n.attrs());
    if (n.wants(0)) n.give(0, neg(matmul(db, turned(n.output()))));
    if (n.wants(1)) n.give(1, db);
}

// A X = B, A triangular  =>  dB = A^-T g, dA = the same triangle of -dB X^T [Giles 2008]
void solve_triangular_gradient(Backward& n) {
    const bool upper = n.attrs().integer(0) != 0, unit = n.attrs().integer(1) != 0;
    const Tensor db = triangular(turned(n.input(0)), n.g(), !upper, unit);
    if (n.wants(0)) {
        const Tensor da = neg(matmul(db, turned(n.output())));
        n.give(0, upper ? triu(da, unit ? 1 : 0) : tril(da, unit ? -1 : 0));
    }
    if (n.wants(1)) n.give(1, db);
}

// y = det A  =>  dA = g C, C the cofactors of A [Giles 2008]
void det_gradient(Backward& n) {
    n.give(0, mul(as_matrix(n.g()), apply(ops::cofactor, {n.input(0)})));
}

// C = det(A) X, X = A^-T  =>  dA = <g, X> C - C g^T X: the product rule, with dX = -X dA^T X
void cofactor_gradient(Backward& n) {
    const Tensor x = turned_inverse(n.input(0).tensor), c = n.output(), g = n.g();
    const Tensor along = sum(mul(g, x), Dims{-2, -1}, true);
    n.give(0, sub(mul(along, c), matmul(c, matmul(turned(g), x))));
}

// (s, y) = (sign, log |det A|)  =>  dA = g_y A^-T [Giles 2008]
void slogdet_gradient(Backward& n) {
    n.give(0, mul(as_matrix(n.g(1)), turned_inverse(n.input(0).tensor)));
}

constexpr Need a = Need::a, y = Need::y;

}  // namespace

namespace ops {

const Op solve = {.name = "solve",
                  .inputs = 2,
                  .shape = solve_shape,
                  .gradient = solve_gradient,
                  .needs = {{a, y}, {a}},
                  .cpu = solve_cpu,
                  .attributes = {{"may_be_singular", AttrKind::integer}},
                  .batch = batch_aligned};
const Op solve_triangular = {
    .name = "solve_triangular",
    .inputs = 2,
    .shape = solve_shape,
    .gradient = solve_triangular_gradient,
    .needs = {{a, y}, {a}},
    .cpu = solve_triangular_cpu,
    .attributes = {{"upper", AttrKind::integer}, {"unitriangular", AttrKind::integer}},
    .batch = batch_aligned};
const Op det = {.name = "det",
                .inputs = 1,
                .shape = det_shape,
                .gradient = det_gradient,
                .needs = {{a}},
                .cpu = det_cpu,
                .batch = batch_aligned};
const Op cofactor = {.name = "cofactor",
                     .inputs = 1,
                     .shape = square_shape,
                     .gradient = cofactor_gradient,
                     .needs = {{a, y}},
                     .cpu = cofactor_cpu,
                     .batch = batch_aligned};
const Op slogdet = {.name = "slogdet",
                    .inputs = 1,
                    .shape = slogdet_shape,
                    .gradient = slogdet_gradient,
                    .needs = {{a}},
                    .cpu = slogdet_cpu,
                    .batch = batch_aligned};

}  // namespace ops

std::span<const Op* const> solving_ops() {
    static const Op* const list[] = {&ops::solve, &ops::solve_triangular, &ops::det, &ops::cofactor,
                                     &ops::slogdet};
    return list;
}

// ---- what users call ----------------------------------------------------------------------------
namespace linalg {
namespace {

const Attrs& strict() {
    static const Attrs& attrs = *new Attrs{Attr{std::int64_t{0}}};
    return attrs;
}

// PyTorch's rule: one dim, or A's dims without the last.
bool is_vector(const Dims& a, const Dims& b) {
    if (b.size() == 1) return true;
    return b.size() == a.size() - 1 && b == batch_of(a, 1);
}

}  // namespace

Tensor solve(const Arg& a, const Arg& b, bool left) {
    const Here here(a.where, "solve");
    if (autocast().enabled)
        return without_autocast([&] { return solve(widened(a), widened(b), left); });
    check_tensor("solve", "A", a);
    check_tensor("solve", "B", b);
    check_square("solve", desc_of(a.tensor));
    const bool vector = is_vector(a.tensor.shape(), b.tensor.shape());
    if (vector && !left) {  // as PyTorch: x A = b for a vector is A^T x = b
        return squeeze(apply(ops::solve, {turned(a), unsqueeze(b, -1)}, strict()), -1);
    }
    if (vector) return squeeze(apply(ops::solve, {a, unsqueeze(b, -1)}, strict()), -1);
    if (left) return apply(ops::solve, {a, b}, strict());
    check_matrix("solve", desc_of(b.tensor));
    return turned(apply(ops::solve, {turned(a), turned(b)}, strict()));
}

Tensor solve_triangular(const Arg& a, const Arg& b, const Triangle& t) {
    const Here here(a.where, "solve_triangular");
    check_tensor("solve_triangular", "A", a);
    check_tensor("solve_triangular", "B", b);
    if (t.left) return triangular(a.tensor, b.tensor, t.upper, t.unitriangular);
    check_square("solve_triangular", desc_of(a.tensor));
    check_matrix("solve_triangular", desc_of(b.tensor));
    return turned(triangular(turned(a), turned(b), !t.upper, t.unitriangular));
}

Tensor inv(const Arg& a) {
    const Here here(a.where, "inv");
    if (autocast().enabled) return without_autocast([&] { return inv(widened(a)); });
    check_tensor("inv", "A", a);
    check_square("inv", desc_of(a.tensor));
    const std::int64_t n = known_size("inv", a.tensor, a.tensor.dims() - 1);
    return apply(ops::solve, {a, eye_like(a.tensor, n)}, strict());
}

Tensor det(const Arg& a) {
    const Here here(a.where, "det");
    check_tensor("det", "A", a);
    return apply(ops::det, {a});
}

SignLog slogdet(const Arg& a) {
    const Here here(a.where, "slogdet");
    check_tensor("slogdet", "A", a);
    const Outputs found = apply_all(ops::slogdet, {&a, 1});
    return {found[0], found[1]};
}

Tensor logdet(const Arg& a) {
    const Here here(a.where, "logdet");
    const SignLog found = slogdet(a);
    return where(lt(found.sign, 0), std::numeric_limits<double>::quiet_NaN(), found.logabsdet);
}

// A = L L^T: first L Y = B, then L^T X = Y
Tensor cholesky_solve(const Arg& b, const Arg& l, bool upper) {
    const Here here(b.where, "cholesky_solve");
    if (autocast().enabled)
        return without_autocast([&] { return cholesky_solve(widened(b), widened(l), upper); });
    check_tensor("cholesky_solve", "B", b);
    check_tensor("cholesky_solve", "L", l);
    check_square("cholesky_solve", desc_of(l.tensor));
    const Tensor lower = upper ? turned(l) : l.tensor;
    return triangular(turned(lower), triangular(lower, b.tensor, false, false), true, false);
}

Tensor cholesky_inverse(const Arg& l, bool upper) {
    const Here here(l.where, "cholesky_inverse");
    if (autocast().enabled)
        return without_autocast([&] { return cholesky_inverse(widened(l), upper); });
    check_tensor("cholesky_inverse", "L", l);
    check_square("cholesky_inverse", desc_of(l.tensor));
    const std::int64_t n = known_size("cholesky_inverse", l.tensor, l.tensor.dims() - 1);
    return cholesky_solve(eye_like(l.tensor, n), l, upper);
}

}  // namespace linalg
}  // namespace tg
