// Each kernel is one call of Eigen for each matrix of a batch. Its results depend on nothing but
// the matrix: every operand is copied into memory of Eigen's own, whatever its strides were, and as
// float64, for Eigen's templates take minutes to compile twice.
#include "kernels/cpu/linalg.h"

#define EIGEN_MPL2_ONLY
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "kernels/parallel.h"

namespace tg::kernels::cpu {
namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

// ---- batches ------------------------------------------------------------------------------------

// The dims before the last `inner` of the array that has the whole batch, and a walk along them.
struct Batch {
    const Array& whole;
    int dims;
    Batch(const Array& a, int inner) : whole(a), dims(a.dims - inner) {}
    std::int64_t count() const {
        std::int64_t n = 1;
        for (int d = 0; d < dims; ++d) n *= whole.shape[d];
        return n;
    }
    // Where matrix i begins in a, whose batch dims are aligned at the right and broadcast.
    std::int64_t offset(const Array& a, int inner, std::int64_t i) const {
        std::int64_t at = 0;
        for (int d = dims - 1, own = a.dims - inner - 1; d >= 0; --d, --own) {
            const std::int64_t k = i % whole.shape[d];
            i /= whole.shape[d];
            if (own >= 0 && a.shape[own] != 1) at += k * a.strides[own];
        }
        return at;
    }
    Matrix read(const Array& a, std::int64_t i) const {
        Matrix m(a.shape[a.dims - 2], a.shape[a.dims - 1]);
        each_element(a, 2, i, [&](auto& x, std::int64_t r, std::int64_t c) { m(r, c) = x; });
        return m;
    }
    // `from` may have more rows and columns than there is room for.
    void write(const Array& a, std::int64_t i, const Matrix& from) const {
        each_element(a, 2, i, [&](auto& x, std::int64_t r, std::int64_t c) {
            x = static_cast<std::remove_reference_t<decltype(x)>>(from(r, c));
        });
    }
    void write(const Array& a, std::int64_t i, const Vector& from) const {
        each_element(a, 1, i, [&](auto& x, std::int64_t, std::int64_t k) {
            x = static_cast<std::remove_reference_t<decltype(x)>>(from(k));
        });
    }
    void write(const Array& a, std::int64_t i, double number) const {
        each_element(a, 0, i, [&](auto& x, std::int64_t, std::int64_t) {
            x = static_cast<std::remove_reference_t<decltype(x)>>(number);
        });
    }

  private:
    // f(element, row, column) of matrix, vector or number i of a.
    template <class F>
    void each_element(const Array& a, int inner, std::int64_t i, const F& f) const {
        const std::int64_t rows = inner == 2 ? a.shape[a.dims - 2] : 1;
        const std::int64_t columns = inner > 0 ? a.shape[a.dims - 1] : 1;
        const std::int64_t down = inner == 2 ? a.strides[a.dims - 2] : 0;
        const std::int64_t across = inner > 0 ? a.strides[a.dims - 1] : 0;
        const auto walk = [&](auto* first) {
            first += offset(a, inner, i);
            for (std::int64_t r = 0; r < rows; ++r)
                for (std::int64_t c = 0; c < columns; ++c) f(first[r * down + c * across], r, c);
        };
        if (a.dtype == DType::float32)
            walk(static_cast<float*>(a.data));
        else if (a.dtype == DType::float64)
            walk(static_cast<double*>(a.data));
        else
            walk(static_cast<std::int32_t*>(a.data));
    }
};

// f(i) for every matrix of the batch, until one fails.
template <class F>
Failed each(const Batch& batch, const F& f) {
    const std::int64_t count = batch.count();
    for (std::int64_t i = 0; i < count; ++i) {
        if (i > 0 && stopping()) break;
        if (!f(i)) return i;
    }
    return {};
}

// ---- what several kernels ask -------------------------------------------------------------------

struct Parts {
    Matrix u, v;
    Vector s;
};

// False if an element is not finite: the iterations might not end.
bool parts_of(const Matrix& a, bool full, Parts& out) {
    if (a.size() == 0) {
        out = {Matrix::Identity(a.rows(), a.rows()), Matrix::Identity(a.cols(), a.cols()),
               Vector(0)};
        return true;
    }
    if (!a.allFinite()) return false;
    const unsigned how = full ? Eigen::ComputeFullU | Eigen::ComputeFullV
                              : Eigen::ComputeThinU | Eigen::ComputeThinV;
    const Eigen::BDCSVD<Matrix> found(a, how);
    out = {found.matrixU(), found.matrixV(), found.singularValues()};
    return found.info() == Eigen::Success;
}

// The order of the first leading minor of a that is not positive, counted from 1: the column of its
// Cholesky factor at which the rest of the diagonal runs out. Asked only where Eigen's has failed.
std::int32_t first_bad_minor(Matrix a) {
    for (std::int64_t j = 0; j < a.rows(); ++j) {
        for (std::int64_t k = 0; k < j; ++k) a.col(j) -= a.col(k) * a(j, k);
        if (!(a(j, j) > 0)) return static_cast<std::int32_t>(j + 1);
        a.col(j) /= std::sqrt(a(j, j));
    }
    return static_cast<std::int32_t>(a.rows());
}

}  // namespace

// ---- solving ------------------------------------------------------------------------------------

Failed solve(const Array& x, const Array& a, const Array& b, bool may_be_singular) {
    if (x.size() == 0) return {};
    const Batch batch(x, 2);
    return each(batch, [&](std::int64_t i) {
        const Eigen::PartialPivLU<Matrix> lu(batch.read(a, i));
        const bool singular = (lu.matrixLU().diagonal().array() == 0).any();
        Matrix found = batch.read(b, i);
        if (singular)
            found.setConstant(std::numeric_limits<double>::infinity());
        else
            found = lu.solve(found).eval();
        batch.write(x, i, found);
        return may_be_singular || !singular;
    });
}

Failed solve_triangular(const Array& x, const Array& a, const Array& b, bool upper, bool unit) {
    if (x.size() == 0) return {};
    const Batch batch(x, 2);
    return each(batch, [&](std::int64_t i) {
        const Matrix m = batch.read(a, i);
        Matrix found = batch.read(b, i);
        if (upper && unit)
            m.triangularView<Eigen::UnitUpper>().solveInPlace(found);
        else if (upper)
            m.triangularView<Eigen::Upper>().solveInPlace(found);
        else if (unit)
            m.triangularView<Eigen::UnitLower>().solveInPlace(found);
        else
            m.triangularView<Eigen::Lower>().solveInPlace(found);
        batch.write(x, i, found);
        return true;
    });
}

Failed lu(const Array& y, const Array& pivots, const Array& a, bool must) {
    const Batch batch(y, 2);
    return each(batch, [&](std::int64_t i) {
        Matrix m = batch.read(a, i);
        const std::int64_t steps = std::min(m.rows(), m.cols());
        Vector swaps(steps);
        bool singular = false;
        for (std::int64_t k = 0; k < steps; ++k) {
            std::int64_t best = k;
            for (std::int64_t r = k + 1; r < m.rows(); ++r)
                if (std::abs(m(r, k)) > std::abs(m(best, k))) best = r;
            m.row(k).swap(m.row(best));
            swaps(k) = static_cast<double>(best + 1);
            singular = singular || m(k, k) == 0;
            if (m(k, k) == 0) continue;  // nothing is below it either
            const std::int64_t below = m.rows() - k - 1, right = m.cols() - k - 1;
            m.col(k).tail(below) /= m(k, k);
            m.bottomRightCorner(below, right) -= m.col(k).tail(below) * m.row(k).tail(right);
        }
        batch.write(y, i, m);
        batch.write(pivots, i, swaps);
        return !must || !singular;
    });
}

Failed lu_rows(const Array& rows, const Array& pivots) {
    const Batch batch(rows, 1);
    const std::int64_t size = rows.shape[rows.dims - 1], step = rows.strides[rows.dims - 1];
    const std::int64_t steps = pivots.shape[pivots.dims - 1];
    return each(batch, [&](std::int64_t i) {
        auto* to = static_cast<std::int64_t*>(rows.data) + batch.offset(rows, 1, i);
        const auto* from =
            static_cast<const std::int32_t*>(pivots.data) + batch.offset(pivots, 1, i);
        for (std::int64_t r = 0; r < size; ++r) to[r * step] = r;
        for (std::int64_t k = 0; k < steps; ++k) {
            const std::int64_t other = from[k * pivots.strides[pivots.dims - 1]] - 1;
            if (k >= size || other < 0 || other >= size) return false;
            std::swap(to[k * step], to[other * step]);
        }
        return true;
    });
}

Failed det(const Array& y, const Array& a) {
    const Batch batch(y, 0);
    return each(batch, [&](std::int64_t i) {
        const Matrix m = batch.read(a, i);
        batch.write(y, i, m.size() == 0 ? 1.0 : Eigen::PartialPivLU<Matrix>(m).determinant());
        return true;
    });
}

// Of a triangle the determinant is the product of the diagonal: its logarithm is a sum, which does
// not overflow.
Failed slogdet(const Array& sign, const Array& logabsdet, const Array& a) {
    const Batch batch(sign, 0);
    return each(batch, [&](std::int64_t i) {
        const Matrix m = batch.read(a, i);
        double s = 1, sum = 0;
        if (m.size() > 0) {
            const Eigen::PartialPivLU<Matrix> lu(m);
            s = static_cast<double>(lu.permutationP().determinant());
            for (std::int64_t k = 0; k < m.rows(); ++k) {
                const double pivot = lu.matrixLU()(k, k);
                s *= pivot > 0 ? 1.0 : pivot < 0 ? -1.0 : pivot;  // 0 and NaN stay
                sum += std::log(std::abs(pivot));
            }
        }
        batch.write(sign, i, s);
        batch.write(logabsdet, i, sum);
        return true;
    });
}

// a = U diag(s) V^T  =>  cof a = det(U) det(V) U diag(c) V^T, c_i the product of the other s_j;
// where a is singular too.
Failed cofactor(const Array& y, const Array& a) {
    if (y.size() == 0) return {};
    const Batch batch(y, 2);
    return each(batch, [&](std::int64_t i) {
        const Matrix m = batch.read(a, i);
        Parts parts;
        if (!parts_of(m, true, parts)) {
            batch.write(y, i, Matrix(Matrix::Constant(m.rows(), m.cols(), std::nan(""))));
            return true;
        }
        const auto n = parts.s.size();
        Vector others = Vector::Ones(n);
        for (std::int64_t k = 0; k < n; ++k)
            for (std::int64_t j = 0; j < n; ++j)
                if (j != k) others(k) *= parts.s(j);
        const double turn = parts.u.determinant() * parts.v.determinant() > 0 ? 1.0 : -1.0;
        const Matrix found = turn * (parts.u * others.asDiagonal() * parts.v.transpose());
        batch.write(y, i, found);
        return true;
    });
}

// ---- factorizations -----------------------------------------------------------------------------

Failed cholesky(const Array& l, const Array& info, const Array& a, bool must) {
    const Batch batch(l, 2);
    return each(batch, [&](std::int64_t i) {
        const Matrix m = batch.read(a, i);
        std::int32_t bad = 0;
        if (m.size() > 0) {
            const Eigen::LLT<Matrix> found(m);
            const Matrix lower = found.matrixL();
            batch.write(l, i, lower);
            if (found.info() != Eigen::Success || !lower.diagonal().allFinite())
                bad = first_bad_minor(m);
        }
        batch.write(info, i, bad);
        return bad == 0 || !must;
    });
}

Failed qr(const Array& q, const Array& r, const Array& a) {
    const Batch batch(a, 2);
    return each(batch, [&](std::int64_t i) {
        const Matrix m = batch.read(a, i);
        const auto width = q.shape[q.dims - 1];
        Matrix left = Matrix::Identity(m.rows(), width), right = m;
        if (m.size() > 0) {
            const Eigen::HouseholderQR<Matrix> found(m);
            left.applyOnTheLeft(found.householderQ());
            right = found.matrixQR().triangularView<Eigen::Upper>();
        }
        batch.write(q, i, left);
        batch.write(r, i, right);
        return true;
    });
}

Failed svd(const Array& u, const Array& s, const Array& vh, const Array& a) {
    const Batch batch(a, 2);
    const bool full = u.shape[u.dims - 1] == u.shape[u.dims - 2] &&
                      vh.shape[vh.dims - 1] == vh.shape[vh.dims - 2];
    return each(batch, [&](std::int64_t i) {
        Parts parts;
        if (!parts_of(batch.read(a, i), full, parts)) return false;
        batch.write(u, i, parts.u);
        batch.write(s, i, parts.s);
        batch.write(vh, i, Matrix(parts.v.transpose()));
        return true;
    });
}

Failed eigh(const Array& w, const Array& v, const Array& a) {
    if (v.size() == 0) return {};
    const Batch batch(v, 2);
    return each(batch, [&](std::int64_t i) {
        const Matrix m = batch.read(a, i);
        if (!m.triangularView<Eigen::Lower>().toDenseMatrix().allFinite()) return false;
        const Eigen::SelfAdjointEigenSolver<Matrix> found(m);
        batch.write(w, i, found.eigenvalues());
        batch.write(v, i, found.eigenvectors());
        return found.info() == Eigen::Success;
    });
}

Failed pinv(const Array& y, const Array& a, double atol, double rtol) {
    if (y.size() == 0) return {};
    const Batch batch(y, 2);
    return each(batch, [&](std::int64_t i) {
        Parts parts;
        if (!parts_of(batch.read(a, i), false, parts)) return false;
        const double least = std::max(atol, rtol * parts.s(0));
        for (double& s : parts.s) s = s > least ? 1 / s : 0.0;
        const Matrix found = parts.v * parts.s.asDiagonal() * parts.u.transpose();
        batch.write(y, i, found);
        return true;
    });
}

}  // namespace tg::kernels::cpu
