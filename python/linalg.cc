// Linear algebra: equations and factorizations. They are called tapegraph.linalg.solve and so on,
// and some have a name in the package and on the tensor too. Norms and products are in matrices.cc.
#include "python/matrices.h"

namespace tg::python {
namespace {

// ---- named results ------------------------------------------------------------------------------

// tapegraph.return_types.<name>, a tuple whose fields have names too.
PyTypeObject* new_fields(const char* name, const char* doc, std::vector<PyStructSequence_Field> f) {
    const auto count = static_cast<int>(f.size());
    f.push_back({nullptr, nullptr});
    PyStructSequence_Desc description = {name, doc, f.data(), count};
    PyTypeObject* type = PyStructSequence_NewType(&description);
    if (!type) throw_python();
    return type;
}

PyObject* results(PyTypeObject* type, std::initializer_list<Tensor> tensors) {
    const auto all = py::reinterpret_steal<py::object>(PyStructSequence_New(type));
    if (!all) throw_python();
    Py_ssize_t i = 0;
    for (const Tensor& t : tensors) PyStructSequence_SetItem(all.ptr(), i++, wrap(t));
    return new_reference(all.ptr());
}

PyTypeObject *cholesky_ex_type, *qr_type, *svd_type, *eigh_type, *slogdet_type, *lstsq_type,
    *lu_type, *lu_factor_type;

// ---- arguments ----------------------------------------------------------------------------------

template <Tensor (*op)(const Arg&, bool)>
PyObject* of_triangle(const Call& c) {
    const Arg a(c.tensor(0));
    const bool upper = c.flag(1);
    return wrap(compute(matrix_work(a), [&] { return op(a, upper); }));
}

// UPLO='L' or 'U'
bool reads_upper(const Call& c, int i) {
    if (!c.given(i)) return false;
    const std::string part = c.string(i);
    if (part == "U" || part == "u") return true;
    if (part != "L" && part != "l")
        fail(ErrorKind::runtime, c.name(), ": UPLO is 'L' or 'U', not '", part, "'");
    return false;
}

// ---- solving ------------------------------------------------------------------------------------

PyObject* solve(const Call& c) {
    const Arg a(c.tensor(0)), b(c.tensor(1));
    const bool left = c.flag(2, true);
    return wrap(compute(matrix_work(a), [&] { return linalg::solve(a, b, left); }));
}

PyObject* solve_triangular(const Call& c) {
    const Arg a(c.tensor(0)), b(c.tensor(1));
    const linalg::Triangle t{c.flag(2), c.flag(3, true), c.flag(4)};
    return wrap(compute(matrix_work(a), [&] { return linalg::solve_triangular(a, b, t); }));
}

PyObject* cholesky_solve(const Call& c) {
    const Arg b(c.tensor(0)), l(c.tensor(1));
    const bool upper = c.flag(2);
    return wrap(compute(matrix_work(l), [&] { return linalg::cholesky_solve(b, l, upper); }));
}

PyObject* slogdet(const Call& c) {
    const Arg a(c.tensor(0));
    const linalg::SignLog y = compute(matrix_work(a), [&] { return linalg::slogdet(a); });
    return results(slogdet_type, {y.sign, y.logabsdet});
}

PyObject* lstsq(const Call& c) {
    const Arg a(c.tensor(0)), b(c.tensor(1));
    std::optional<double> rcond;
    if (c.given(2)) rcond = c.real(2, 0);
    const std::string driver = c.given(3) ? c.string(3) : "gelsy";
    const linalg::LeastSquares y =
        compute(matrix_work(a), [&] { return linalg::lstsq(a, b, rcond, driver); });
    return results(lstsq_type, {y.solution, y.residuals, y.rank, y.singular_values});
}

// ---- factorizations -----------------------------------------------------------------------------

PyObject* cholesky_ex(const Call& c) {
    const Arg a(c.tensor(0));
    const bool upper = c.flag(1), check = c.flag(2);
    const linalg::CholeskyInfo y =
        compute(matrix_work(a), [&] { return linalg::cholesky_ex(a, upper, check); });
    return results(cholesky_ex_type, {y.factor, y.info});
}

PyObject* qr(const Call& c) {
    const Arg a(c.tensor(0));
    const std::string mode = c.given(1) ? c.string(1) : "reduced";
    const linalg::QR y = compute(matrix_work(a), [&] { return linalg::qr(a, mode); });
    return results(qr_type, {y.q, y.r});
}

PyObject* svd(const Call& c) {
    const Arg a(c.tensor(0));
    const bool full = c.flag(1, true);
    const linalg::SVD y = compute(matrix_work(a), [&] { return linalg::svd(a, full); });
    return results(svd_type, {y.u, y.s, y.vh});
}

PyObject* eigh(const Call& c) {
    const Arg a(c.tensor(0));
    const bool upper = reads_upper(c, 1);
    const linalg::Eigh y = compute(matrix_work(a), [&] { return linalg::eigh(a, upper); });
    return results(eigh_type, {y.values, y.vectors});
}

PyObject* eigvalsh(const Call& c) {
    const Arg a(c.tensor(0));
    const bool upper = reads_upper(c, 1);
    return wrap(compute(matrix_work(a), [&] { return linalg::eigvalsh(a, upper); }));
}

PyObject* pinv(const Call& c) {
    const Arg a(c.tensor(0));
    const linalg::Tolerance t = tolerance(c, 2, c.given(3) ? 3 : 1);  // rcond is rtol
    return wrap(compute(matrix_work(a), [&] { return linalg::pinv(a, t); }));
}

PyObject* pinverse(const Call& c) {
    const Arg a(c.tensor(0));
    const linalg::Tolerance t{{}, c.real(1, 1e-15)};
    return wrap(compute(matrix_work(a), [&] { return linalg::pinv(a, t); }));
}

void check_pivot(const Call& c) {
    if (!c.flag(1, true))
        fail(ErrorKind::unsupported, c.name(),
             ": pivot=False is not there; L and U would not exist for every matrix");
}

PyObject* lu_factor(const Call& c) {
    const Arg a(c.tensor(0));
    check_pivot(c);
    const linalg::LU y = compute(matrix_work(a), [&] { return linalg::lu_factor(a); });
    return results(lu_factor_type, {y.factors, y.pivots});
}

PyObject* lu(const Call& c) {
    const Arg a(c.tensor(0));
    check_pivot(c);
    const linalg::Permuted y = compute(matrix_work(a), [&] { return linalg::lu(a); });
    return results(lu_type, {y.p, y.l, y.u});
}

PyObject* lu_solve(const Call& c) {
    const Arg factors(c.tensor(0)), pivots(c.tensor(1)), b(c.tensor(2));
    const bool left = c.flag(3, true), adjoint = c.flag(4);
    return wrap(compute(matrix_work(factors),
                        [&] { return linalg::lu_solve(factors, pivots, b, left, adjoint); }));
}

constexpr Place function = Place::function;

const Function functions[] = {
    {"det(input)", of_matrix<linalg::det>,
     "The determinant of square matrices (..., N, N), float32 or float64 -> (...)."},
    {"_det(A)", of_matrix<linalg::det>,
     "The determinant of square matrices (..., N, N), float32 or float64 -> (...). It has a\n"
     "gradient where it is 0 too.",
     function},
    {"slogdet(input)", slogdet,
     "(sign, logabsdet), each (...), of square matrices (..., N, N): det is sign * "
     "exp(logabsdet).\n"
     "A singular matrix gives 0 and -inf."},
    {"_slogdet(A)", slogdet,
     "(sign, logabsdet), each (...), of square matrices (..., N, N): det is sign * "
     "exp(logabsdet).\n"
     "A singular matrix gives 0 and -inf.",
     function},
    {"logdet(input)", of_matrix<linalg::logdet>,
     "The logarithm of the determinant of (..., N, N) -> (...), NaN where that is negative."},
    {"inverse(input)", of_matrix<linalg::inv>,
     "The inverse of square matrices (..., N, N). Raises LinAlgError where one is singular."},
    {"_inv(A)", of_matrix<linalg::inv>,
     "The inverse of square matrices (..., N, N), float32 or float64.\n"
     "Raises LinAlgError where one is singular; rather than inv(A) @ B, write solve(A, B).",
     function},
    {"_solve(A, B, *, left=True)", solve,
     "The X of A X = B, or with left=False of X A = B. A (..., N, N), B (..., N, K), whose "
     "batches\n"
     "broadcast, or a vector: of one dim, or of A's dims without the last.\n"
     "Raises LinAlgError where a matrix is singular.",
     function},
    {"_solve_triangular(A, B, *, upper, left=True, unitriangular=False)", solve_triangular,
     "solve with the upper or the lower triangle of A (..., N, N), B (..., N, K); with\n"
     "unitriangular its diagonal counts as 1. A 0 on the diagonal gives infinities.",
     function},
    {"cholesky_solve(input, L, upper=False)", cholesky_solve,
     "The X of A X = input (..., N, K), given A's Cholesky factor L (..., N, N)."},
    {"cholesky_inverse(L, upper=False)", of_triangle<linalg::cholesky_inverse>,
     "The inverse of A (..., N, N), given its Cholesky factor L."},
    {"_lstsq(A, B, rcond=None, *, driver=None)", lstsq,
     "The X (..., N, K) of the least |A X - B|, of several the smallest: A (..., M, N), B\n"
     "(..., M, K) or (..., M). Singular values up to rcond times the largest count as 0. Gives\n"
     "(solution, residuals, rank, singular_values), of which driver says which are not empty:\n"
     "'gelsy', the default, the rank; 'gels' the residuals, the squares of |A X - B| by column, "
     "if\n"
     "M > N; 'gelsd' and 'gelss' all of these.",
     function},
    {"_cholesky(A, *, upper=False)", of_triangle<linalg::cholesky>,
     "The lower triangle L (..., N, N) of A = L @ L.mT, from the lower triangle of A; with upper,\n"
     "L.mT, from the upper. Raises LinAlgError where A is not positive-definite.",
     function},
    {"_cholesky_ex(A, *, upper=False, check_errors=False)", cholesky_ex,
     "(L, info): cholesky without an error. info (...) int32 is 0, or the order of the first\n"
     "leading minor that is not positive; L is worth nothing then.",
     function},
    {"_lu_factor(A, *, pivot=True)", lu_factor,
     "(LU, pivots) of A (..., M, N) = P @ L @ U, K the smaller of M and N: LU (..., M, N) is U, "
     "and\n"
     "below it L without its diagonal of ones; pivots (..., K) int32 says with which row, counted\n"
     "from 1, each row was swapped. Raises LinAlgError where U has a 0 on its diagonal.",
     function},
    {"_lu(A, *, pivot=True)", lu,
     "(P, L, U) of A (..., M, N) = P @ L @ U, K the smaller of M and N: P (..., M, M) with one 1 "
     "in\n"
     "each row and column, L (..., M, K), U (..., K, N).",
     function},
    {"_lu_solve(LU, pivots, B, *, left=True, adjoint=False)", lu_solve,
     "The X of A X = B, or with left=False of X A = B, given lu_factor(A) of square matrices; "
     "with\n"
     "adjoint A.mT stands for A. B (..., N, K). A singular A gives infinities.",
     function},
    {"_qr(A, mode='reduced')", qr,
     "(Q, R) of A (..., M, N) = Q @ R, K the smaller of M and N: Q (..., M, K) with orthonormal\n"
     "columns, R (..., K, N) an upper triangle. mode 'complete': Q (..., M, M), R (..., M, N), "
     "not\n"
     "differentiable if M > N. mode 'r': Q is empty.",
     function},
    {"_svd(A, full_matrices=True)", svd,
     "(U, S, Vh) of A (..., M, N) = U @ diag(S) @ Vh, K the smaller of M and N: S (..., K) falls,\n"
     "U (..., M, M) and Vh (..., N, N), or without full_matrices (..., M, K) and (..., K, N). U "
     "and\n"
     "Vh are unique up to signs; their gradients are infinite where two of S are equal.\n"
     "Raises LinAlgError where an element is infinite or NaN.",
     function},
    {"_svdvals(A)", of_matrix<linalg::svdvals>, "S of svd(A), (..., M, N) -> (..., K).", function},
    {"_eigh(A, UPLO='L')", eigh,
     "(eigenvalues, eigenvectors) of symmetric A (..., N, N), of which the lower (UPLO='U': "
     "upper)\n"
     "triangle is read: w (..., N) rises, and A = V @ diag(w) @ V.mT. V is unique up to signs; "
     "its\n"
     "gradient is infinite where two of w are equal.\n"
     "Raises LinAlgError where an element is infinite or NaN.",
     function},
    {"_eigvalsh(A, UPLO='L')", eigvalsh, "The eigenvalues of eigh(A), (..., N, N) -> (..., N).",
     function},
    {"_pinv(A, rcond=None, *, atol=None, rtol=None, hermitian=False)", pinv,
     "The pseudo-inverse of (..., M, N) -> (..., N, M). Singular values up to max(atol, rtol * "
     "the\n"
     "largest) count as 0; rtol is by default max(M, N) * epsilon, or 0 where atol is given.\n"
     "rcond is its older name.",
     function},
    {"pinverse(input, rcond=1e-15)", pinverse, "linalg.pinv(input, rtol=rcond)."},
};

}  // namespace

void bind_linalg(py::module_& m) {
    const auto add = [&](PyTypeObject*& type, const char* attribute, const char* name,
                         const char* doc, std::vector<PyStructSequence_Field> fields) {
        type = new_fields(name, doc, std::move(fields));
        m.attr(attribute) = py::handle(reinterpret_cast<PyObject*>(type));
    };
    add(cholesky_ex_type, "_cholesky_ex_results", "tapegraph.return_types.linalg_cholesky_ex",
        "What linalg.cholesky_ex gives.",
        {{"L", "the factor"}, {"info", "0, or the order of the minor that is not positive"}});
    add(qr_type, "_qr_results", "tapegraph.return_types.linalg_qr", "What linalg.qr gives.",
        {{"Q", "orthonormal columns"}, {"R", "an upper triangle"}});
    add(svd_type, "_svd_results", "tapegraph.return_types.linalg_svd", "What linalg.svd gives.",
        {{"U", "orthonormal columns"},
         {"S", "the singular values, falling"},
         {"Vh", "orthonormal rows"}});
    add(eigh_type, "_eigh_results", "tapegraph.return_types.linalg_eigh", "What linalg.eigh gives.",
        {{"eigenvalues", "rising"}, {"eigenvectors", "the columns"}});
    add(slogdet_type, "_slogdet_results", "tapegraph.return_types.linalg_slogdet",
        "What linalg.slogdet gives.",
        {{"sign", "1, -1 or 0"}, {"logabsdet", "the logarithm of |det|"}});
    add(lstsq_type, "_lstsq_results", "tapegraph.return_types.linalg_lstsq",
        "What linalg.lstsq gives.",
        {{"solution", "X"},
         {"residuals", "the squares of |A X - B| by column"},
         {"rank", "of A"},
         {"singular_values", "of A"}});
    add(lu_factor_type, "_lu_factor_results", "tapegraph.return_types.linalg_lu_factor",
        "What linalg.lu_factor gives.",
        {{"LU", "L and U in one"}, {"pivots", "with which row each was swapped"}});
    add(lu_type, "_lu_results", "tapegraph.return_types.linalg_lu", "What linalg.lu gives.",
        {{"P", "a permutation"}, {"L", "a lower triangle"}, {"U", "an upper triangle"}});
    add_functions(m, functions);
}

}  // namespace tg::python
