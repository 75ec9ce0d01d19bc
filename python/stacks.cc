// Tensors joined, cut and turned by NumPy's names, pairs and windows; products by their older
// names.
#include <algorithm>

#include "python/call.h"

namespace tg::python {
namespace {

// ---- products -----------------------------------------------------------------------------------

template <Tensor (*op)(const Arg&, const Arg&)>
PyObject* product(const Call& c) {
    const Arg a(c.tensor(0)), b(c.tensor(1));
    return wrap(compute(std::max(work_of(a), work_of(b)), [&] { return op(a, b); }));
}

PyObject* kron(const Call& c) {
    const Arg a(c.tensor(0)), b(c.tensor(1));
    return wrap(compute(work_of(a) * work_of(b), [&] { return tg::kron(a, b); }));
}

PyObject* cross(const Call& c) {
    const Arg a(c.tensor(0)), b(c.tensor(1));
    std::optional<std::int64_t> dim;
    if (c.given(2)) dim = c.integer(2);
    return wrap(compute(work_of(a), [&] { return tg::cross(a, b, dim); }));
}

// parameters: input, two factors, beta, alpha
template <Tensor (*op)(const Arg&, const Arg&, const Arg&, const Arg&, const Arg&)>
PyObject* blended(const Call& c) {
    const Arg x(c.tensor(0)), a(c.tensor(1)), b(c.tensor(2));
    const Arg beta(c.given(3) ? c.number(3) : Scalar(1));
    const Arg alpha(c.given(4) ? c.number(4) : Scalar(1));
    return wrap(
        compute(std::max(work_of(a), work_of(b)), [&] { return op(x, a, b, beta, alpha); }));
}

// ---- joined -------------------------------------------------------------------------------------

template <Tensor (*op)(const std::vector<Tensor>&, Where)>
PyObject* joined(const Call& c) {
    return wrap(op(c.tensors(0), python_line()));
}
template <Tensor (*op)(const std::vector<Tensor>&, Where)>
PyObject* star_joined(const Call& c) {
    return wrap(op(c.star_tensors(0), python_line()));
}

// One tensor, or a tuple for several or a list.
template <Tensor (*op)(const Arg&)>
PyObject* at_least(const Call& c) {
    std::vector<Tensor> tensors = c.star_tensors(0);
    const bool one = c.rest_count() == 1 && is_tensor(c.rest(0));
    for (Tensor& t : tensors) t = op(t);
    return one ? wrap(tensors[0]) : tuple_of(tensors);
}

PyObject* broadcast_tensors(const Call& c) {
    std::vector<Tensor> tensors = c.star_tensors(0);
    Dims shape;
    for (const Tensor& t : tensors) shape = broadcast("broadcast_tensors", shape, t.shape());
    for (Tensor& t : tensors) t = expand(t, shape);
    return tuple_of(tensors);
}

// ---- cut ----------------------------------------------------------------------------------------

// An int, ints, or a tensor of either.
PyObject* cut(const Call& c, int i, std::int64_t dim, bool evenly) {
    const Tensor& x = c.tensor(0);
    py::object what = py::reinterpret_borrow<py::object>(c[i] ? c[i] : Py_None);
    if (is_tensor(what.ptr())) {
        if (is_floating(tensor_in(what.ptr()).dtype()) || tensor_in(what.ptr()).dims() > 1)
            c.wrong(i, "an int or ints");
        what = what.attr("tolist")();
    }
    std::int64_t sections = 0;
    if (to_integer(what.ptr(), sections)) {
        const std::int64_t n = x.size(dim);
        if (evenly && (sections < 1 || n % sections != 0))
            fail(ErrorKind::runtime, c.name(), ": dim ", dim, " of ", text(x.shape()), " is ", n,
                 ", which does not make ", sections, " equal parts");
        return tuple_of(tg::tensor_split(x, sections, dim));
    }
    if (!PyList_Check(what.ptr()) && !PyTuple_Check(what.ptr())) c.wrong(i, "an int or ints");
    std::vector<std::int64_t> indices;
    for (const py::handle item : py::reinterpret_borrow<py::sequence>(what)) {
        std::int64_t index = 0;
        if (!to_integer(item.ptr(), index)) c.wrong(i, "an int or ints");
        indices.push_back(index);
    }
    return tuple_of(tg::tensor_split(x, indices, dim));
}

PyObject* tensor_split(const Call& c) { return cut(c, 1, c.integer(2, 0), false); }

template <int least>
PyObject* numpy_split(const Call& c) {
    const Tensor& x = c.tensor(0);
    if (x.dims() < least)
        fail(ErrorKind::runtime, c.name(), ": a tensor of shape ", text(x.shape()), " has ",
             x.dims(), x.dims() == 1 ? " dim" : " dims", "; it needs ", least, " or more");
    return cut(c, 1, least == 2 ? 0 : least == 1 ? (x.dims() > 1 ? 1 : 0) : 2, true);
}

// ---- turned, windows and pairs ------------------------------------------------------------------

PyObject* ravel(const Call& c) {
    const Arg x(c.tensor(0));
    return wrap(compute(work_of(x), [&] { return tg::ravel(x); }));
}

PyObject* rot90(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t k = c.integer(1, 1);
    const Dims dims = c.given(2) ? to_dims(c.name(), c[2]) : Dims{0, 1};
    return wrap(compute(work_of(x), [&] { return tg::rot90(x, k, dims); }));
}

template <int dim>
PyObject* flipped(const Call& c) {
    const Arg x(c.tensor(0));
    if (x.tensor.dims() <= dim)
        fail(ErrorKind::runtime, c.name(), ": a tensor of shape ", text(x.tensor.shape()),
             " has no dim ", dim);
    return wrap(compute(work_of(x), [&] { return tg::flip(x, {dim}); }));
}

PyObject* unfold(const Call& c) {
    return wrap(tg::unfold(c.tensor(0), c.integer(1), c.integer(2), c.integer(3)));
}

template <Tensor (*op)(std::int64_t, std::int64_t, std::int64_t, Options)>
PyObject* triangle(const Call& c) {
    Options options = c.options(3);
    options.dtype = c.dtype(3, DType::int64);
    return wrap(op(c.integer(0), c.integer(1), c.integer(2, 0), options));
}

PyObject* combinations(const Call& c) {
    return wrap(tg::combinations(c.tensor(0), c.integer(1, 2), c.flag(2)));
}

PyObject* swapped(const Call& c) {
    return wrap(tg::transpose(c.tensor(0), c.integer(1), c.integer(2)));
}

constexpr Place function = Place::function;
const Function functions[] = {
    {"baddbmm(input, batch1, batch2, *, beta=1, alpha=1)", blended<tg::baddbmm>,
     "beta * input + alpha * (batch1 @ batch2), of (B, M, K) and (B, K, N); input broadcasts. "
     "With\n"
     "beta 0 it is not looked at."},
    {"addbmm(input, batch1, batch2, *, beta=1, alpha=1)", blended<tg::addbmm>,
     "beta * input + alpha * the sum over B of (B, M, K) @ (B, K, N) -> (M, N)."},
    {"addmv(input, mat, vec, *, beta=1, alpha=1)", blended<tg::addmv>,
     "beta * input + alpha * (mat (M, K) @ vec (K,)) -> (M,)."},
    {"addr(input, vec1, vec2, *, beta=1, alpha=1)", blended<tg::addr>,
     "beta * input + alpha * outer(vec1 (M,), vec2 (N,)) -> (M, N)."},
    {"kron(input, other)", kron,
     "(..., M) and (..., N) -> (..., M N): other times each element of input, in its place."},
    {"cross(input, other, dim=None)", cross,
     "The cross product of vectors of 3 along dim; without dim along the first of size 3."},
    {"vdot(input, other)", product<tg::vdot>, "(K,) and (K,) -> (): the dot product."},
    {"inner(input, other)", product<tg::inner>,
     "(..., K) and (..., K) -> input's other dims, then other's: sums over the last dims."},
    {"dstack(tensors)", joined<tg::dstack>, "Joined along dim 2; vectors (n,) are (1, n, 1).",
     function},
    {"column_stack(tensors)", joined<tg::column_stack>,
     "Joined along dim 1; vectors and numbers are columns.", function},
    {"row_stack(tensors)", joined<tg::vstack>, "vstack, by NumPy's name.", function},
    {"block_diag(*tensors)", star_joined<tg::block_diag>,
     "Matrices, vectors as rows, and numbers, one after another down the diagonal of zeros.",
     function},
    {"cartesian_prod(*tensors)", star_joined<tg::cartesian_prod>,
     "n vectors -> (count, n): each choice of one element of each. One vector is itself.",
     function},
    {"atleast_1d(*tensors)", at_least<tg::atleast_1d>,
     "A number as (1,), else the tensor; of several a tuple.", function},
    {"atleast_2d(*tensors)", at_least<tg::atleast_2d>,
     "With dims of size 1 in front, up to 2; of several tensors a tuple.", function},
    {"atleast_3d(*tensors)", at_least<tg::atleast_3d>,
     "(n,) as (1, n, 1), (m, n) as (m, n, 1); of several tensors a tuple.", function},
    {"broadcast_tensors(*tensors)", broadcast_tensors,
     "Views of the shape to which they all broadcast. A tuple.", function},
    {"tensor_split(input, indices_or_sections, dim=0)", tensor_split,
     "Views of so many parts of dim, the first ones larger by one; or cut before each of the\n"
     "indices. A tuple."},
    {"hsplit(input, indices_or_sections)", numpy_split<1>,
     "tensor_split along dim 1, of a vector along dim 0; RuntimeError for unequal parts."},
    {"vsplit(input, indices_or_sections)", numpy_split<2>,
     "tensor_split along dim 0 of 2 dims or more; RuntimeError for unequal parts."},
    {"dsplit(input, indices_or_sections)", numpy_split<3>,
     "tensor_split along dim 2 of 3 dims or more; RuntimeError for unequal parts."},
    {"ravel(input)", ravel, "(n,): a view where it can be one, else a copy."},
    {"rot90(input, k=1, dims=None)", rot90,
     "Turned by k quarters, from the first of two dims, (0, 1) unless given, to the second."},
    {"fliplr(input)", flipped<1>, "flip of dim 1."},
    {"flipud(input)", flipped<0>, "flip of dim 0."},
    {"swapdims(input, dim0, dim1)", swapped, "transpose, by another name."},
    {"unfold(input, dimension, size, step)", unfold,
     "A view of the windows of size elements, step apart, along a dim of n: there stands their\n"
     "number (n - size) // step + 1, and a window is the last dim. RuntimeError where none fits.",
     Place::method},
    {"tril_indices(row, col, offset=0, *, dtype=None, device=None, requires_grad=False)",
     triangle<tg::tril_indices>,
     "(2, count) int64: rows and columns of what tril(offset) keeps of (row, col).", function},
    {"triu_indices(row, col, offset=0, *, dtype=None, device=None, requires_grad=False)",
     triangle<tg::triu_indices>,
     "(2, count) int64: rows and columns of what triu(offset) keeps of (row, col).", function},
    {"combinations(input, r=2, with_replacement=False)", combinations,
     "input (n,) -> (count, r): each choice of r elements, in order.", function},
};

}  // namespace

void bind_stacks(py::module_& m) { add_functions(m, functions); }

}  // namespace tg::python
