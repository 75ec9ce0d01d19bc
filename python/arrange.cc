// Parts of tensors, dims moved, elements repeated or in another order, diagonals.
#include "python/call.h"

namespace tg::python {
namespace {

PyObject* narrow(const Call& c) {
    return wrap(tg::narrow(c.tensor(0), c.integer(1), c.integer(2), c.integer(3)));
}

// An int, or a list of ints.
PyObject* split(const Call& c) {
    const Tensor& x = c.tensor(0);
    const std::int64_t dim = c.integer(2, 0);
    if (!PyList_Check(c[1]) && !PyTuple_Check(c[1]))
        return tuple_of(tg::split(x, c.integer(1), dim));
    std::vector<std::int64_t> sizes;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(c[1]); ++i) {
        std::int64_t size = 0;
        if (!to_integer(PySequence_Fast_GET_ITEM(c[1], i), size)) c.wrong(1, "an int or ints");
        sizes.push_back(size);
    }
    return tuple_of(tg::split(x, sizes, dim));
}
PyObject* chunk(const Call& c) {
    return tuple_of(tg::chunk(c.tensor(0), c.integer(1), c.integer(2, 0)));
}
PyObject* unbind(const Call& c) { return tuple_of(tg::unbind(c.tensor(0), c.integer(1, 0))); }
PyObject* hstack(const Call& c) { return wrap(tg::hstack(c.tensors(0), python_line())); }
PyObject* vstack(const Call& c) { return wrap(tg::vstack(c.tensors(0), python_line())); }
PyObject* meshgrid(const Call& c) {
    const std::string indexing = c.given(1) ? c.string(1) : "ij";
    return tuple_of(tg::meshgrid(c.star_tensors(0), indexing, python_line()));
}

PyObject* movedim(const Call& c) { return wrap(tg::movedim(c.tensor(0), c.dims(1), c.dims(2))); }
PyObject* swapaxes(const Call& c) {
    return wrap(tg::transpose(c.tensor(0), c.integer(1), c.integer(2)));
}
PyObject* unflatten(const Call& c) {
    return wrap(tg::unflatten(c.tensor(0), c.integer(1), c.dims(2)));
}
PyObject* broadcast_to(const Call& c) { return wrap(tg::broadcast_to(c.tensor(0), c.dims(1))); }
PyObject* expand_as(const Call& c) { return wrap(tg::expand(c.tensor(0), c.tensor(1).shape())); }
PyObject* view_as(const Call& c) { return wrap(tg::view(c.tensor(0), c.tensor(1).shape())); }
PyObject* reshape_as(const Call& c) {
    const Arg x(c.tensor(0));
    const Dims shape = c.tensor(1).shape();
    return wrap(compute(work_of(x), [&] { return tg::reshape(x, shape); }));
}

// How many elements x has when each of its dims is there `times` as often.
std::int64_t work_of_copies(const Arg& x, const Dims& times) {
    double work = static_cast<double>(work_of(x));
    for (std::int64_t t : times) work *= static_cast<double>(std::max<std::int64_t>(t, 0));
    return work < 1e15 ? static_cast<std::int64_t>(work) : gil_threshold;
}

template <Tensor (*op)(const Arg&, const Dims&)>
PyObject* copies(const Call& c) {
    const Arg x(c.tensor(0));
    const Dims times = c.dims(1);
    return wrap(compute(work_of_copies(x, times), [&] { return op(x, times); }));
}

// of x and repeats, a number or a tensor; or of repeats alone, which repeats 0, 1, 2, ...
PyObject* repeat_interleave(const Call& c) {
    std::optional<std::int64_t> dim, size;
    if (c.given(2)) dim = c.integer(2);
    if (c.given(3)) size = c.integer(3);
    if (!c.given(1)) {
        const Arg times(c.tensor(0));
        if (times.tensor.dims() != 1)
            fail(ErrorKind::runtime, "repeat_interleave: repeats alone must be (n,), not ",
                 text(times.tensor.shape()));
        const Arg places(arange(times.tensor.shape()[0]));
        return wrap(
            compute(work_of(times), [&] { return tg::repeat_interleave(places, times, 0, size); }));
    }
    const Arg x(c.tensor(0));
    if (is_tensor(c[1])) {
        const Arg times(c.tensor(1));
        return wrap(
            compute(work_of(x), [&] { return tg::repeat_interleave(x, times, dim, size); }));
    }
    const std::int64_t times = c.integer(1);
    const Tensor y =
        compute(work_of_copies(x, {times}), [&] { return tg::repeat_interleave(x, times, dim); });
    const std::int64_t found = y.dims() > 0 ? y.shape()[dim ? wrap_dim("", *dim, y.dims()) : 0] : 1;
    if (size && *size != found)
        fail(ErrorKind::runtime, "repeat_interleave: the result has ", found,
             " slices, and output_size is ", *size);
    return wrap(y);
}

PyObject* flip(const Call& c) {
    const Arg x(c.tensor(0));
    const Dims dims = c.dims(1);
    return wrap(compute(work_of(x), [&] { return tg::flip(x, dims); }));
}

PyObject* roll(const Call& c) {
    const Arg x(c.tensor(0));
    const Dims shifts = c.dims(1);
    const DimList dims = c.given(2) ? DimList(c.dims(2)) : DimList();
    return wrap(compute(work_of(x), [&] { return tg::roll(x, shifts, dims); }));
}

PyObject* diagonal(const Call& c) {
    return wrap(tg::diagonal(c.tensor(0), c.integer(1, 0), c.integer(2, 0), c.integer(3, 1)));
}

PyObject* diag_embed(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t offset = c.integer(1, 0), dim1 = c.integer(2, -2), dim2 = c.integer(3, -1);
    return wrap(compute(work_of(x), [&] { return tg::diag_embed(x, offset, dim1, dim2); }));
}

template <Tensor (*op)(const Arg&, std::int64_t)>
PyObject* by_diagonal(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t diagonal = c.integer(1, 0);
    return wrap(compute(work_of(x), [&] { return op(x, diagonal); }));
}

const Function functions[] = {
    {"narrow(input, dim, start, length)", narrow,
     "A view of length elements of dim, from start on. Raises RuntimeError past its end."},
    {"split(input, split_size_or_sections, dim=0)", split,
     "Views of split_size elements of dim each, the last one smaller; or of the sizes in a list,\n"
     "which must add up to dim's: RuntimeError. A tuple."},
    {"chunk(input, chunks, dim=0)", chunk,
     "Views of equal parts of dim, the last one smaller: at most chunks of them. A tuple."},
    {"unbind(input, dim=0)", unbind, "A view for each index of dim, which is gone. A tuple."},
    {"hstack(tensors)", hstack, "Joined along dim 1; vectors and numbers along dim 0.",
     Place::function},
    {"vstack(tensors)", vstack, "Joined along dim 0; vectors and numbers are rows.",
     Place::function},
    {"meshgrid(*tensors, indexing='ij')", meshgrid,
     "n vectors -> n views of shape (len 0, ..., len n-1): grid k varies along dim k as vector k.\n"
     "indexing='xy' swaps the first two dims. A tuple.",
     Place::function},
    {"movedim(input, source, destination)", movedim,
     "A view with the dims in source, an int or several, moved to the places in destination."},
    {"moveaxis(input, source, destination)", movedim, "movedim, by NumPy's name."},
    {"swapaxes(input, axis0, axis1)", swapaxes, "transpose, by NumPy's name."},
    {"unflatten(input, dim, sizes)", unflatten,
     "A view with dim made several; one size may be -1: what is left."},
    {"broadcast_to(input, *size)", broadcast_to, "A view with dims of size 1 repeated: expand."},
    {"expand_as(input, other)", expand_as, "expand to the shape of other.", Place::method},
    {"view_as(input, other)", view_as, "view in the shape of other.", Place::method},
    {"reshape_as(input, other)", reshape_as, "reshape to the shape of other.", Place::method},
    {"repeat(input, *repeats)", copies<tg::repeat>,
     "A copy with dim i repeated repeats[i] times; more repeats than dims add dims in front.",
     Place::method},
    {"tile(input, *dims)", copies<tg::tile>,
     "A copy with the last dims repeated; dims without a number once."},
    {"repeat_interleave(input, repeats=None, dim=None, *, output_size=None)", repeat_interleave,
     "A copy with each element repeats (an int) times in a row along dim; without dim flattened."},
    {"flip(input, *dims)", flip, "A copy with the order along dims turned round."},
    {"roll(input, shifts, dims=None)", roll,
     "A copy shifted along dims; what leaves at the end comes in at the front. Without dims it is\n"
     "shifted as if flattened."},
    {"diagonal(input, offset=0, dim1=0, dim2=1)", diagonal,
     "A view of the elements whose index in dim2 is that in dim1 + offset, as the last dim."},
    {"diag_embed(input, offset=0, dim1=-2, dim2=-1)", diag_embed,
     "(..., n) -> zeros with input on the diagonal of dim1 and dim2 of the result."},
    {"diagflat(input, offset=0)", by_diagonal<tg::diagflat>, "diag of input as one vector."},
    {"diag(input, diagonal=0)", by_diagonal<tg::diag>,
     "(N,) -> a matrix with it on a diagonal; (N, M) -> a copy of that diagonal."},
    {"tril(input, diagonal=0)", by_diagonal<tg::tril>,
     "(..., N, M) with 0 where column > row + diagonal."},
    {"triu(input, diagonal=0)", by_diagonal<tg::triu>,
     "(..., N, M) with 0 where column < row + diagonal."},
};

}  // namespace

void bind_arrange(py::module_& m) { add_functions(m, functions); }

}  // namespace tg::python
