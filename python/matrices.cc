// Norms, ranks and products of matrices.
#include "python/matrices.h"

#include <algorithm>

namespace tg::python {
namespace {

Arg cast_to(const Call& c, int dtype) {
    Arg a(c.tensor(0));
    if (c.given(dtype)) a.tensor = cast(a, c.dtype(dtype, DType::float32));
    return a;
}

// ---- norms --------------------------------------------------------------------------------------

PyObject* vector_norm(const Call& c) {
    const Arg x = cast_to(c, 4);
    const double ord = c.real(1, 2);
    const DimList dims = c.dim_list(2);
    const bool keepdim = c.flag(3);
    return wrap(compute(work_of(x), [&] { return linalg::vector_norm(x, ord, dims, keepdim); }));
}

Tensor matrix_norm_of(const Call& c, const Arg& a, const Dims& dims, bool keepdim) {
    if (!c.given(1) || PyUnicode_Check(c[1])) {
        const std::string ord = c.given(1) ? c.string(1) : "fro";
        return compute(matrix_work(a), [&] { return linalg::matrix_norm(a, ord, dims, keepdim); });
    }
    const double ord = c.real(1, 2);
    return compute(matrix_work(a), [&] { return linalg::matrix_norm(a, ord, dims, keepdim); });
}

PyObject* matrix_norm(const Call& c) {
    return wrap(matrix_norm_of(c, cast_to(c, 4), c.given(2) ? c.dims(2) : Dims{-2, -1}, c.flag(3)));
}

// Of a vector or of matrices, as dim says, or else ord and how many dims there are.
PyObject* norm(const Call& c) {
    const Arg a = cast_to(c, 4);
    DimList dims = c.dim_list(2);
    const int count = dims.all ? a.tensor.dims() : dims.dims.size();
    const bool matrix = c.given(1) && (count == 2 || PyUnicode_Check(c[1]));
    if (dims.all && c.given(1) && count > 2)
        fail(ErrorKind::runtime, "norm: with ord and without dim, the tensor needs 1 or 2 dims, ",
             "but has shape ", text(a.tensor.shape()), "; give dim");
    if (matrix && count != 2)
        fail(ErrorKind::runtime, "norm: ord '", c.string(1), "' is of matrices, but there is ",
             count, count == 1 ? " dim" : " dims");
    if (matrix) return wrap(matrix_norm_of(c, a, dims.all ? Dims{0, 1} : dims.dims, c.flag(3)));
    const double ord = c.real(1, 2);
    const bool keepdim = c.flag(3);
    return wrap(compute(work_of(a), [&] { return linalg::vector_norm(a, ord, dims, keepdim); }));
}

PyObject* cond(const Call& c) {
    const Arg a(c.tensor(0));
    if (c.given(1) && PyUnicode_Check(c[1])) {
        const std::string p = c.string(1);
        return wrap(compute(matrix_work(a), [&] { return linalg::cond(a, p); }));
    }
    const double p = c.real(1, 2);
    return wrap(compute(matrix_work(a), [&] { return linalg::cond(a, p); }));
}

PyObject* matrix_rank(const Call& c) {
    const Arg a(c.tensor(0));
    const linalg::Tolerance t = tolerance(c, 1, 2);
    const bool hermitian = c.flag(3);
    return wrap(compute(matrix_work(a), [&] { return linalg::matrix_rank(a, t, hermitian); }));
}

// ---- products -----------------------------------------------------------------------------------

PyObject* matrix_power(const Call& c) {
    const Arg a(c.tensor(0));
    const std::int64_t n = c.integer(1);
    return wrap(compute(matrix_work(a), [&] { return linalg::matrix_power(a, n); }));
}

PyObject* multi_dot(const Call& c) {
    const std::vector<Tensor> tensors = c.tensors(0);
    std::int64_t work = 0;
    for (const Tensor& t : tensors) work = std::max(work, matrix_work(t));
    const Where line = python_line();
    return wrap(compute(work, [&] { return linalg::multi_dot(tensors, line); }));
}

PyObject* linalg_cross(const Call& c) {
    const Arg a = c.tensor(0), b = c.tensor(1);
    const std::int64_t dim = c.integer(2, -1);
    return wrap(compute(work_of(a), [&] { return linalg::cross(a, b, dim); }));
}

PyObject* vecdot(const Call& c) {
    const Arg a(c.tensor(0)), b(c.tensor(1));
    const std::int64_t dim = c.integer(2, -1);
    return wrap(compute(work_of(a), [&] { return linalg::vecdot(a, b, dim); }));
}

PyObject* vander(const Call& c) {
    const Arg x(c.tensor(0));
    std::optional<std::int64_t> n;
    if (c.given(1)) n = c.integer(1);
    return wrap(compute(matrix_work(x), [&] { return linalg::vander(x, n); }));
}

constexpr Place function = Place::function;

const Function functions[] = {
    {"_vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None)", vector_norm,
     "sum(|x|^ord)^(1/ord) over dim, an int, several, or all; see tg.norm.", function},
    {"_matrix_norm(A, ord='fro', dim=None, keepdim=False, *, dtype=None)", matrix_norm,
     "The norm of matrices, the dims dim=(-2, -1). ord: 'fro', the root of the sum of squares;\n"
     "'nuc', the sum of the singular values, 2 the largest and -2 the smallest; 1 the largest sum\n"
     "of a column's |a|, inf of a row's; -1 and -inf the smallest.",
     function},
    {"_norm(A, ord=None, dim=None, keepdim=False, *, dtype=None)", norm,
     "vector_norm where dim is one dim, or ord or dim is left out (ord 2, all dims); matrix_norm\n"
     "where there are ord and two dims.",
     function},
    {"_cond(A, p=None)", cond,
     "norm(A, p) * norm(inv(A), p) of square matrices (..., N, N) -> (...), infinite where A is\n"
     "singular; for p None, 2 and -2 of any, the ratio of the extreme singular values.",
     function},
    {"_matrix_rank(A, *, atol=None, rtol=None, hermitian=False)", matrix_rank,
     "How many singular values are above max(atol, rtol * the largest): (..., M, N) -> (...) "
     "int64.\n"
     "The defaults are pinv's.",
     function},
    {"matrix_power(input, n)", matrix_power,
     "The product of n matrices input (..., N, N); below 0 of inverses, and 0 gives ones."},
    {"_multi_dot(tensors)", multi_dot,
     "The product of two or more matrices in the order that takes the fewest steps; the first may\n"
     "be a row (N,), the last a column.",
     function},
    {"_cross(input, other, *, dim=-1)", linalg_cross,
     "The cross product along dim, of size 3. The other dims broadcast.", function},
    {"_vecdot(x, y, *, dim=-1)", vecdot, "The sum of x * y over dim; the dims broadcast.",
     function},
    {"_vander(x, *, N=None)", vander,
     "x (..., n) -> (..., n, N): the powers 0 .. N - 1 of each element; N is by default n.",
     function},
};

}  // namespace

void bind_matrices(py::module_& m) { add_functions(m, functions); }

}  // namespace tg::python
