// Indices that are data: gather and scatter, rows by index, masks, and order.
#include "core/history.h"
#include "core/ops/written.h"
#include "python/call.h"

namespace tg::python {
namespace {

// ---- one dim, by index --------------------------------------------------------------------------

PyObject* gather(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t dim = c.integer(1);
    const Arg index(c.tensor(2));
    return wrap(compute(work_of(index), [&] { return tg::gather(x, dim, index); }));
}

// The argument `src`, or a number by the name of `value`, where the function has one.
Arg source(const Call& c) {
    if (c.given(3) && c.given(4)) fail(ErrorKind::type, c.name(), ": give src or value, not both");
    const int i = c.given(4) ? 4 : 3;
    if (!c.given(i)) c.wrong(3, "a tensor or a number");
    return c.operand(i);
}

// f(x, dim, index, src), for all the ops of that form.
template <auto f>
Tensor by_dim(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t dim = c.integer(1);
    const Arg index(c.tensor(2));
    const Arg src = source(c);
    if (!src.is_tensor() && f != &tg::scatter && f != &tg::index_fill) c.wrong(3, "a tensor");
    return compute(work_of(x), [&] { return f(x, dim, index, src); });
}

// What `made` gives, as it is or written into the call's first argument.
using Made = Tensor (*)(const Call&);
template <Made made>
PyObject* changed(const Call& c) {
    return wrap(made(c));
}
template <Made made>
PyObject* in_place(const Call& c) {
    const Tensor y = made(c);
    compute(work_of(y), [&] { written(c.tensor(0), y, c.name()); });
    return new_reference(c.self());
}

// scatter, or by reduce what is there and src added or multiplied.
Tensor stored(const Call& c) {
    if (!c.given(5)) return by_dim<tg::scatter>(c);
    const std::string how = c.string(5);
    if (how != "add" && how != "multiply")
        fail(ErrorKind::runtime, "scatter: reduce is 'add' or 'multiply', not '", how,
             "'; scatter_reduce has more");
    const Tensor& x = c.tensor(0);
    const std::int64_t dim = c.integer(1);
    const Tensor index = c.tensor(2);
    const Arg given = source(c);
    return compute(work_of(x), [&] {
        const Arg src =
            given.is_tensor()
                ? given
                : Arg(expand(full({}, given.scalar, {x.dtype(), x.device()}), index.shape()));
        return how == "add" ? tg::scatter_add(x, dim, index, src)
                            : tg::scatter_reduce(x, dim, index, src, "prod");
    });
}

Tensor reduced(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t dim = c.integer(1);
    const Arg index(c.tensor(2));
    const Arg src(c.tensor(3));
    const std::string how = c.string(4);
    const bool include_self = c.flag(5, true);
    return compute(work_of(x),
                   [&] { return tg::scatter_reduce(x, dim, index, src, how, include_self); });
}

Tensor added(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t dim = c.integer(1);
    const Arg index(c.tensor(2));
    const Arg source(c.tensor(3));
    const Arg alpha = c.given(4) ? c.operand(4) : Arg(1);
    return compute(work_of(x), [&] { return tg::index_add(x, dim, index, source, alpha); });
}

PyObject* index_select(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t dim = c.integer(1);
    const Arg index(c.tensor(2));
    return wrap(compute(work_of(x), [&] { return tg::index_select(x, dim, index); }));
}

PyObject* take(const Call& c) {
    const Arg x(c.tensor(0));
    const Arg index(c.tensor(1));
    return wrap(compute(work_of(index), [&] { return tg::take(x, index); }));
}

PyObject* take_along_dim(const Call& c) {
    const Arg x(c.tensor(0));
    const Arg index(c.tensor(1));
    std::optional<std::int64_t> dim;
    if (c.given(2)) dim = c.integer(2);
    return wrap(compute(work_of(x), [&] { return tg::take_along_dim(x, index, dim); }));
}

// Without a number of classes it is what the largest index needs.
PyObject* one_hot(const Call& c) {
    const Arg index(c.tensor(0));
    std::int64_t classes = c.integer(1, -1);
    if (classes == -1) {
        if (index.tensor.numel() == 0)
            fail(ErrorKind::runtime,
                 "one_hot: no index says how many classes there are; give "
                 "num_classes");
        const NoGrad mode;
        classes = amax(index, {}).item<std::int64_t>(python_line()) + 1;
    }
    return wrap(tg::one_hot(index, classes));
}

// ---- several dims -------------------------------------------------------------------------------

// A tuple or list of index tensors and masks; None for a dim that is not indexed.
Key key_of(const Call& c, int i) {
    if (!c[i] || !(PyTuple_Check(c[i]) || PyList_Check(c[i]))) c.wrong(i, "a tuple of tensors");
    Key key;
    for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(c[i]); ++k) {
        PyObject* part = PySequence_Fast_GET_ITEM(c[i], k);
        if (part == Py_None)
            key.push_back(Slice{});
        else if (is_tensor(part))
            key.push_back(tensor_in(part));
        else
            fail(ErrorKind::type, c.name(), ": element ", k,
                 " of indices must be a tensor or None, not ", type_name(part));
    }
    if (key.empty()) fail(ErrorKind::index, c.name(), ": indices is empty");
    return key;
}

PyObject* index_put(const Call& c) {
    const Arg x(c.tensor(0));
    const Key key = key_of(c, 1);
    const Arg values = c.operand(2);
    const bool accumulate = c.flag(3);
    return wrap(compute(work_of(x), [&] { return tg::index_put(x, key, values, accumulate); }));
}

PyObject* index_put_(const Call& c) {
    Tensor x = c.tensor(0);
    const Key key = key_of(c, 1);
    const Arg values = c.operand(2);
    const bool accumulate = c.flag(3);
    compute(work_of(x), [&] { tg::index_put_(x, key, values, accumulate); });
    return new_reference(c.self());
}

// ---- masks --------------------------------------------------------------------------------------

PyObject* nonzero(const Call& c) {
    const Arg x(c.tensor(0));
    const bool as_tuple = c.flag(1);
    const Tensor found = compute(work_of(x), [&] { return tg::nonzero(x); });
    if (!as_tuple) return wrap(found);
    if (x.tensor.dims() == 0)
        return py::make_tuple(tg::reshape(tg::nonzero(reshape(x, {1})), {-1})).release().ptr();
    py::tuple columns(x.tensor.dims());
    for (int d = 0; d < x.tensor.dims(); ++d)
        columns[static_cast<std::size_t>(d)] = py::cast(select(found, 1, d));
    return columns.release().ptr();
}

PyObject* masked_select(const Call& c) {
    const Arg x(c.tensor(0));
    const Arg mask(c.tensor(1));
    return wrap(compute(work_of(x), [&] { return tg::masked_select(x, mask); }));
}

Tensor scattered(const Call& c) {
    const Arg x(c.tensor(0));
    const Arg mask(c.tensor(1));
    const Arg source(c.tensor(2));
    return compute(work_of(x), [&] { return tg::masked_scatter(x, mask, source); });
}

PyObject* bincount(const Call& c) {
    const Arg x(c.tensor(0));
    const Tensor weights = c.given(1) ? c.tensor(1) : Tensor{};
    const std::int64_t minlength = c.integer(2, 0);
    return wrap(compute(work_of(x), [&] { return tg::bincount(x, weights, minlength); }));
}

// ---- order --------------------------------------------------------------------------------------

PyTypeObject* sort_pair = nullptr;
PyTypeObject* topk_pair = nullptr;

PyObject* sort(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t dim = c.integer(1, -1);
    const bool descending = c.flag(2);
    c.flag(3);
    return wrap_pair(sort_pair, compute(work_of(x), [&] { return tg::sort(x, dim, descending); }));
}

PyObject* argsort(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t dim = c.integer(1, -1);
    const bool descending = c.flag(2);
    c.flag(3);
    return wrap(compute(work_of(x), [&] { return tg::argsort(x, dim, descending); }));
}

PyObject* topk(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t k = c.integer(1);
    const std::int64_t dim = c.integer(2, -1);
    const bool largest = c.flag(3, true);
    c.flag(4, true);
    return wrap_pair(topk_pair, compute(work_of(x), [&] { return tg::topk(x, k, dim, largest); }));
}

constexpr Place method = Place::method;
const Function functions[] = {
    {"gather(input, dim, index)", gather,
     "out[i, j] = input[index[i, j], j] for dim 0; index int64 or int32, out has its shape.\n"
     "Raises IndexError for an index outside of 0..n-1."},
    {"scatter_add(input, dim, index, src)", changed<by_dim<tg::scatter_add>>,
     "input, with src[i, j] added at [index[i, j], j] for dim 0. index is nowhere larger than\n"
     "src, nor than input but in dim."},
    {"scatter_add_(input, dim, index, src)", in_place<by_dim<tg::scatter_add>>,
     "scatter_add, in place.", method},
    {"scatter(input, dim, index, src=None, *, value=None, reduce=None)", changed<stored>,
     "input, with src[i, j], or the number value, stored at [index[i, j], j] for dim 0; of "
     "several\n"
     "in one place the last stays, and each gets the gradient. With reduce='add' or 'multiply'\n"
     "they are added to what is there, or multiply it."},
    {"scatter_(input, dim, index, src=None, *, value=None, reduce=None)", in_place<stored>,
     "scatter, in place.", method},
    {"scatter_reduce(input, dim, index, src, reduce, *, include_self=True)", changed<reduced>,
     "input, with src[i, j] combined into [index[i, j], j] for dim 0. reduce is 'sum', 'prod',\n"
     "'mean', 'amax' or 'amin'; without include_self what is in input does not count where there\n"
     "is any. Equal extremes share the gradient."},
    {"scatter_reduce_(input, dim, index, src, reduce, *, include_self=True)", in_place<reduced>,
     "scatter_reduce, in place.", method},
    {"index_select(input, dim, index)", index_select,
     "The slices of input (..., n, ...) along dim that index (k,) names -> (..., k, ...).\n"
     "Raises IndexError for an index outside of 0..n-1."},
    {"index_add(input, dim, index, source, *, alpha=1)", changed<added>,
     "input, with alpha * source (..., k, ...) added to the slices that index (k,) names."},
    {"index_add_(input, dim, index, source, *, alpha=1)", in_place<added>, "index_add, in place.",
     method},
    {"index_copy(input, dim, index, source)", changed<by_dim<tg::index_copy>>,
     "input, with the slices that index (k,) names replaced by source (..., k, ...)."},
    {"index_copy_(input, dim, index, source)", in_place<by_dim<tg::index_copy>>,
     "index_copy, in place.", method},
    {"index_fill(input, dim, index, value)", changed<by_dim<tg::index_fill>>,
     "input, with one number in the slices that index (k,) names; -1 is the last."},
    {"index_fill_(input, dim, index, value)", in_place<by_dim<tg::index_fill>>,
     "index_fill, in place.", method},
    {"take(input, index)", take,
     "The elements of input, counted in order, that index names -> index's shape; -1 is the last."},
    {"take_along_dim(input, indices, dim=None)", take_along_dim,
     "gather, with input and indices broadcast in all dims but dim; of both flattened without "
     "dim."},
    {"one_hot(input, num_classes=-1)", one_hot,
     "input (...) int64 in [0, num_classes) -> (..., num_classes) int64, with one 1 a row.",
     Place::function},
    {"index_put(input, indices, values, accumulate=False)", index_put,
     "input, with values stored, or added, at [indices]: a tuple of index tensors and masks, with\n"
     "None for a dim that is not indexed. Of several in one place the last stays, or all add up."},
    {"index_put_(input, indices, values, accumulate=False)", index_put_, "index_put, in place.",
     method},
    {"nonzero(input, *, as_tuple=False)", nonzero,
     "Where input (of d dims) is not 0: (count, d) int64, or d tensors (count,). Not within a\n"
     "trace or graph, where shapes do not depend on data: RuntimeError."},
    {"masked_select(input, mask)", masked_select,
     "The elements where mask, which broadcasts, is True -> (count,). Not within a trace or "
     "graph:\n"
     "there write tg.where(mask, input, 0)."},
    {"masked_scatter(input, mask, source)", changed<scattered>,
     "input, but the first elements of source where mask, which broadcasts, is True.\n"
     "Raises IndexError if source has too few."},
    {"masked_scatter_(input, mask, source)", in_place<scattered>, "masked_scatter, in place.",
     method},
    {"bincount(input, weights=None, minlength=0)", bincount,
     "How often each of 0, 1, 2, ... is in input (n,) of ints, or the sum of its weights (n,).\n"
     "No gradients; not within a trace or graph."},
    {"sort(input, dim=-1, descending=False, stable=False)", sort,
     "values and indices in order along dim. Equals keep their order also if not stable; NaN is\n"
     "larger than any number."},
    {"argsort(input, dim=-1, descending=False, stable=False)", argsort,
     "The indices that sort gives."},
    {"topk(input, k, dim=-1, largest=True, sorted=True)", topk,
     "values and indices of the k largest, or smallest, along dim, in order. Raises RuntimeError\n"
     "if there are less than k."},
};

}  // namespace

void bind_indexing(py::module_& m) {
    sort_pair = new_pair("tapegraph.return_types.sort", "What sort gives.");
    topk_pair = new_pair("tapegraph.return_types.topk", "What topk gives.");
    m.attr("_sort_pair") = py::handle(reinterpret_cast<PyObject*>(sort_pair));
    m.attr("_topk_pair") = py::handle(reinterpret_cast<PyObject*>(topk_pair));
    add_functions(m, functions);
}

}  // namespace tg::python
