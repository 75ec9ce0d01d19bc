// Norms, ranks and products of matrices, made of other ops.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/autocast.h"
#include "core/low_precision.h"
#include "core/ops/matrices.h"

namespace tg {

// ---- tolerances ---------------------------------------------------------------------------------

linalg::Tolerance tolerance_of(const char* op, const Tensor& a, const linalg::Tolerance& t) {
    const std::int64_t m = known_size(op, a, a.dims() - 2), n = known_size(op, a, a.dims() - 1);
    const double epsilon = a.dtype() == DType::float32 ? std::numeric_limits<float>::epsilon()
                                                       : std::numeric_limits<double>::epsilon();
    const double usual = t.atol.value_or(0) > 0 ? 0 : static_cast<double>(m > n ? m : n) * epsilon;
    return {t.atol.value_or(0), t.rtol.value_or(usual)};
}

namespace linalg {

// ---- norms --------------------------------------------------------------------------------------
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

void check_floating(const char* op, const Arg& x) {
    check_tensor(op, "x", x);
    if (!is_floating(x.tensor.dtype()))
        fail(ErrorKind::runtime, op, ": needs a floating dtype, and this tensor is ",
             name_of(x.tensor.dtype()), "; cast it first");
}

// The two dims, counted from 0.
Dims matrix_dims(const Tensor& a, const Dims& dims) {
    if (dims.size() != 2)
        fail(ErrorKind::runtime, "matrix_norm: dim ", text(dims), " has ", dims.size(),
             " numbers, not two");
    const Dims found{wrap_dim("matrix_norm", dims[0], a.dims()),
                     wrap_dim("matrix_norm", dims[1], a.dims())};
    if (found[0] == found[1])
        fail(ErrorKind::runtime, "matrix_norm: dim ", text(dims), " names dim ", found[0],
             " twice");
    return found;
}

// The norm (...) of matrices (..., M, N), by a function of theirs.
template <class Norm>
Tensor of_matrices(const Arg& a, const Dims& given, bool keepdim, const Norm& norm_of) {
    check_floating("matrix_norm", a);
    check_matrix("matrix_norm", desc_of(a.tensor));
    const Dims dims = matrix_dims(a.tensor, given);
    Tensor y = norm_of(movedim(a, dims, {-2, -1}));
    if (!keepdim) return y;
    for (const std::int64_t d : {std::min(dims[0], dims[1]), std::max(dims[0], dims[1])})
        y = unsqueeze(y, d);
    return y;
}

}  // namespace

Tensor vector_norm(const Arg& x, double ord, const DimList& dims, bool keepdim) {
    const Here here(x.where, "vector_norm");
    check_floating("vector_norm", x);
    return norm(x, ord, dims, keepdim);
}

Tensor matrix_norm(const Arg& a, const std::string& ord, const Dims& dims, bool keepdim) {
    const Here here(a.where, "matrix_norm");
    if (is_low(a) && ord == "fro") return rounded(matrix_norm(widened(a), ord, dims, keepdim), a);
    if (ord == "fro")
        return of_matrices(a, dims, keepdim, [](const Tensor& m) {
            return norm(m, 2, Dims{-2, -1});
        });
    if (ord == "nuc")
        return of_matrices(a, dims, keepdim,
                           [](const Tensor& m) { return sum(svdvals(m), DimList(-1)); });
    fail(ErrorKind::runtime, "matrix_norm: ord is 'fro', 'nuc', 1, 2, inf or one of these numbers ",
         "below 0, not '", ord, "'");
}

Tensor matrix_norm(const Arg& a, double ord, const Dims& dims, bool keepdim) {
    const Here here(a.where, "matrix_norm");
    const double size = std::abs(ord);
    if (size != 1 && size != 2 && size != infinity)
        fail(ErrorKind::runtime, "matrix_norm: ord is 'fro', 'nuc', 1, 2, inf or one of these ",
             "numbers below 0, not ", ord);
    if (is_low(a) && size != 2) return rounded(matrix_norm(widened(a), ord, dims, keepdim), a);
    return of_matrices(a, dims, keepdim, [&](const Tensor& m) {
        const Tensor lengths = size == 2   ? svdvals(m)
                               : size == 1 ? sum(abs(m), DimList(-2))
                                           : sum(abs(m), DimList(-1));
        return ord > 0 ? amax(lengths, DimList(-1)) : amin(lengths, DimList(-1));
    });
}

// ---- conditions and ranks -----------------------------------------------------------------------
namespace {

// A^-1, infinite where there is none
Tensor inverse_or_infinity(const Arg& a) {
    check_square("cond", desc_of(a.tensor));
    const Tensor one = eye_like(a.tensor, known_size("cond", a.tensor, a.tensor.dims() - 1));
    return apply(ops::solve, {a, one}, {Attr{std::int64_t{1}}});
}

}  // namespace

Tensor cond(const Arg& a, const std::string& p) {
    const Here here(a.where, "cond");
    if (autocast().enabled) return without_autocast([&] { return cond(widened(a), p); });
    check_tensor("cond", "A", a);
    return mul(matrix_norm(a, p), matrix_norm(inverse_or_infinity(a), p));
}

Tensor cond(const Arg& a, double p) {
    const Here here(a.where, "cond");
    if (autocast().enabled) return without_autocast([&] { return cond(widened(a), p); });
    check_tensor("cond", "A", a);
    if (std::abs(p) != 2) return mul(matrix_norm(a, p), matrix_norm(inverse_or_infinity(a), p));
    const Tensor s = svdvals(a);
    const Tensor ratio = div(amax(s, DimList(-1)), amin(s, DimList(-1)));
    return p > 0 ? ratio : div(1, ratio);
}

Tensor matrix_rank(const Arg& a, const Tolerance& tolerance, bool hermitian) {
    const Here here(a.where, "matrix_rank");
    if (autocast().enabled)
        return without_autocast([&] { return matrix_rank(widened(a), tolerance, hermitian); });
    check_tensor("matrix_rank", "A", a);
    check_matrix("matrix_rank", desc_of(a.tensor));
    const Tolerance t = tolerance_of("matrix_rank", a.tensor, tolerance);
    const Tensor s = hermitian ? abs(eigvalsh(a)) : svdvals(a);
    if (s.shape()[s.dims() - 1] == 0) return sum(gt(s, 0), DimList(-1));
    const Tensor least = maximum(mul(amax(s, DimList(-1), true), *t.rtol), *t.atol);
    return sum(gt(s, least), DimList(-1));
}

// ---- products -----------------------------------------------------------------------------------

Tensor matrix_power(const Arg& a, std::int64_t n) {
    const Here here(a.where, "matrix_power");
    check_tensor("matrix_power", "A", a);
    if (is_low(a)) return without_autocast([&] { return rounded(matrix_power(widened(a), n), a); });
    check_square("matrix_power", desc_of(a.tensor));
    if (n == 0) {
        const std::int64_t size = known_size("matrix_power", a.tensor, a.tensor.dims() - 1);
        return clone(expand(eye_like(a.tensor, size), a.tensor.shape()));
    }
    // A^n is the product of those of A, A^2, A^4, ... that n is the sum of.
    Tensor square = n < 0 ? inv(a) : a.tensor, y;
    const auto whole = static_cast<std::uint64_t>(n);
    for (std::uint64_t left = n < 0 ? 0 - whole : whole;; square = matmul(square, square)) {
        if (left & 1) y = y.defined() ? matmul(y, square) : square;
        left >>= 1;
        if (left == 0) return n == 1 ? clone(y) : y;
    }
}

namespace {

// Where to split the product of matrices i..j so that it takes the fewest multiplications:
// matrix i is sizes[i] x sizes[i + 1]. cost(i, j) = the least over k in i..j-1 of
// cost(i, k) + cost(k + 1, j) + sizes[i] sizes[k + 1] sizes[j + 1].
std::vector<std::size_t> best_splits(const std::vector<std::int64_t>& sizes) {
    const std::size_t n = sizes.size() - 1;
    std::vector<double> cost(n * n);
    std::vector<std::size_t> best(n * n);
    for (std::size_t length = 1; length < n; ++length)
        for (std::size_t i = 0; i + length < n; ++i) {
            const std::size_t j = i + length;
            cost[i * n + j] = infinity;
            for (std::size_t k = i; k < j; ++k) {
                const double here = cost[i * n + k] + cost[(k + 1) * n + j] +
                                    static_cast<double>(sizes[i]) *
                                        static_cast<double>(sizes[k + 1]) *
                                        static_cast<double>(sizes[j + 1]);
                if (here >= cost[i * n + j]) continue;
                cost[i * n + j] = here;
                best[i * n + j] = k;
            }
        }
    return best;
}

Tensor product(const std::vector<Tensor>& m, const std::vector<std::size_t>& split, std::size_t i,
               std::size_t j) {
    if (i == j) return m[i];
    const std::size_t k = split[i * m.size() + j];
    return matmul(product(m, split, i, k), product(m, split, k + 1, j));
}

}  // namespace

Tensor multi_dot(const std::vector<Tensor>& tensors, Where where) {
    const Here here(where, "multi_dot");
    if (tensors.size() < 2)
        fail(ErrorKind::runtime, "multi_dot: ", tensors.size(),
             " tensors, and it takes at least 2");
    constexpr std::size_t most = 1000;  // the search for the order takes their number cubed
    if (tensors.size() > most)
        fail(ErrorKind::runtime, "multi_dot: ", tensors.size(), " tensors, and it takes at most ",
             most);
    std::vector<Tensor> m = tensors;
    const bool row = m.front().dims() == 1, column = m.back().dims() == 1;
    if (row) m.front() = unsqueeze(m.front(), 0);
    if (column) m.back() = unsqueeze(m.back(), 1);
    std::vector<std::int64_t> sizes;
    for (std::size_t i = 0; i < m.size(); ++i) {
        if (m[i].dims() != 2)
            fail(ErrorKind::runtime, "multi_dot: tensor ", i, " has shape ", text(m[i].shape()),
                 ", and must be a matrix; only the first and the last may be vectors");
        sizes.push_back(known_size("multi_dot", m[i], 0));
        if (i > 0 && m[i - 1].shape()[1] != sizes.back())
            fail(ErrorKind::runtime, "multi_dot: tensor ", i - 1, " ", text(m[i - 1].shape()),
                 " has ", m[i - 1].shape()[1], " columns, but tensor ", i, " ", text(m[i].shape()),
                 " has ", sizes.back(), " rows");
    }
    sizes.push_back(known_size("multi_dot", m.back(), 1));
    Tensor y = product(m, best_splits(sizes), 0, m.size() - 1);
    if (column) y = squeeze(y, -1);
    return row ? squeeze(y, 0) : y;
}

// c_i = a_(i+1) b_(i+2) - a_(i+2) b_(i+1), counted round
Tensor cross(const Arg& a, const Arg& b, std::int64_t dim) {
    const Here here(a.where, "cross");
    check_tensor("cross", "a", a);
    check_tensor("cross", "b", b);
    const Dims &x = a.tensor.shape(), &y = b.tensor.shape();
    if (x.size() != y.size())
        fail(ErrorKind::runtime, "cross: a ", text(x), " and b ", text(y), " have ", x.size(),
             " and ", y.size(), " dims, and must have as many");
    const int d = wrap_dim("cross", dim, x.size());
    if (x.empty() || x[d] != 3 || y[d] != 3)
        fail(ErrorKind::runtime, "cross: dim ", dim, " of a ", text(x), " and b ", text(y),
             " must have size 3");
    if (is_low(a)) return rounded(cross(widened(a), widened(b), d), a, b);
    const auto from = [&](const Arg& t, int by) { return roll(t, {-by}, DimList(d)); };
    return sub(mul(from(a, 1), from(b, 2)), mul(from(a, 2), from(b, 1)));
}

Tensor vecdot(const Arg& a, const Arg& b, std::int64_t dim) {
    const Here here(a.where, "vecdot");
    check_tensor("vecdot", "x", a);
    check_tensor("vecdot", "y", b);
    if (lowers(a.tensor, b.tensor)) return vecdot(lowered(a), lowered(b), dim);
    if (is_low(a))
        return without_autocast([&] { return rounded(vecdot(widened(a), widened(b), dim), a, b); });
    return sum(mul(a, b), DimList(dim));
}

Tensor vander(const Arg& x, std::optional<std::int64_t> given) {
    const Here here(x.where, "vander");
    check_tensor("vander", "x", x);
    if (x.tensor.dims() == 0) fail(ErrorKind::runtime, "vander: x needs one dim or more");
    if (given && *given <= 1)
        fail(ErrorKind::runtime, "vander: N is ", *given, ", and must be greater than 1");
    const std::int64_t n = given ? *given : known_size("vander", x.tensor, x.tensor.dims() - 1);
    Tensor column = unsqueeze(x, -1);
    if (!is_floating(column.dtype())) column = cast(column, DType::int64);
    const Tensor one = ones_like(column);
    if (n <= 1) return n == 0 ? slice(one, -1, 0, 0) : one;
    Dims wide = column.shape();
    wide[wide.size() - 1] = n - 1;
    return cat({one, cumprod(expand(column, wide), -1)}, -1);
}

// ---- least squares ------------------------------------------------------------------------------

// X = A^+ B
LeastSquares lstsq(const Arg& a, const Arg& b, std::optional<double> rcond,
                   const std::string& driver) {
    const Here here(a.where, "lstsq");
    if (autocast().enabled)
        return without_autocast([&] { return lstsq(widened(a), widened(b), rcond, driver); });
    check_tensor("lstsq", "A", a);
    check_tensor("lstsq", "B", b);
    check_matrix("lstsq", desc_of(a.tensor));
    const bool values = driver == "gelsd" || driver == "gelss";
    if (!values && driver != "gelsy" && driver != "gels")
        fail(ErrorKind::runtime, "lstsq: driver is 'gels', 'gelsy', 'gelsd' or 'gelss', not '",
             driver, "'");
    const Dims& shape = a.tensor.shape();
    const bool vector = b.tensor.dims() == shape.size() - 1;
    const Tensor right = vector ? unsqueeze(b, -1) : b.tensor;
    check_matrix("lstsq", desc_of(right));
    const std::int64_t m = shape[shape.size() - 2], rows = right.size(-2);
    if (m != rows && !is_unknown(m) && !is_unknown(rows))
        fail(ErrorKind::runtime, "lstsq: A ", text(shape), " has ", m, " rows, but B ",
             text(b.tensor.shape()), " has ", rows);
    const Tolerance tolerance{{}, rcond};
    const Tensor x = matmul(pinv(a, tolerance), right);
    const Options options{a.tensor.dtype(), a.tensor.device()};
    LeastSquares found{vector ? squeeze(x, -1) : x, zeros({0}, options),
                       zeros({0}, {DType::int64, a.tensor.device()}), zeros({0}, options)};
    if (m > shape[shape.size() - 1] && driver != "gelsy") {
        const Tensor miss = sub(matmul(a, x), right);
        found.residuals = sum(mul(miss, miss), DimList(-2));
    }
    if (driver != "gels") found.rank = matrix_rank(a.tensor.detach(), tolerance);
    if (values) found.singular_values = svdvals(a);
    return found;
}

}  // namespace linalg
}  // namespace tg
