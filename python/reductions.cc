// Sums and maxima, products of matrices, softmax and the losses.

#include "python/call.h"

namespace tg::python {
namespace {

PyTypeObject* values_indices = nullptr;  // the named pair that max(dim) gives

template <class F>
PyObject* computed(const Arg& x, F&& f) {
    return wrap(compute(work_of(x), f));
}

PyObject* sum(const Call& c) {
    Arg x(c.tensor(0));
    const DimList dims = c.dim_list(1);
    const bool keepdim = c.flag(2);
    if (c.given(3)) x.tensor = cast(x, c.dtype(3, DType::float32));
    return computed(x, [&] { return tg::sum(x, dims, keepdim); });
}

PyObject* mean(const Call& c) {
    Arg x(c.tensor(0));
    const DimList dims = c.dim_list(1);
    const bool keepdim = c.flag(2);
    if (c.given(3)) x.tensor = cast(x, c.dtype(3, DType::float32));
    return computed(x, [&] { return tg::mean(x, dims, keepdim); });
}

PyObject* amax(const Call& c) {
    const Arg x(c.tensor(0));
    const DimList dims = c.dim_list(1);
    const bool keepdim = c.flag(2);
    return computed(x, [&] { return tg::amax(x, dims, keepdim); });
}

PyObject* argmax(const Call& c) {
    const Arg x(c.tensor(0));
    std::optional<std::int64_t> dim;
    if (c.given(1)) dim = c.integer(1);
    const bool keepdim = c.flag(2);
    return computed(x, [&] { return tg::argmax(x, dim, keepdim); });
}

// max(x): one number. max(x, dim): values and indices. max(x, other): elementwise.
PyObject* max(const Call& c) {
    const Arg x(c.tensor(0));
    if (!c.given(1)) return computed(x, [&] { return tg::max(x); });
    if (is_tensor(c[1])) {
        const Arg other(c.tensor(1));
        return computed(x, [&] { return maximum(x, other); });
    }
    const std::int64_t dim = c.integer(1);
    const bool keepdim = c.flag(2);
    const ValuesIndices both = compute(work_of(x), [&] { return tg::max(x, dim, keepdim); });
    const auto pair = py::reinterpret_steal<py::object>(PyStructSequence_New(values_indices));
    if (!pair) throw_python();
    PyStructSequence_SetItem(pair.ptr(), 0, wrap(both.values));
    PyStructSequence_SetItem(pair.ptr(), 1, wrap(both.indices));
    return new_reference(pair.ptr());
}

PyObject* matmul(const Call& c) {
    const Arg a(c.tensor(0));
    const Arg b(c.tensor(1));
    const bool vector = b.tensor.dims() < 2 || b.tensor.is_symbolic();
    const std::int64_t work = work_of(a) * (vector ? 1 : b.tensor.size(-1)) / 8;
    return wrap(compute(work, [&] { return tg::matmul(a, b); }));
}

PyObject* softmax(const Call& c) {
    Arg x(c.tensor(0));
    const std::int64_t dim = c.integer(1);
    if (c.given(2)) x.tensor = cast(x, c.dtype(2, DType::float32));
    return computed(x, [&] { return tg::softmax(x, dim); });
}

PyObject* log_softmax(const Call& c) {
    Arg x(c.tensor(0));
    const std::int64_t dim = c.integer(1);
    if (c.given(2)) x.tensor = cast(x, c.dtype(2, DType::float32));
    return computed(x, [&] { return tg::log_softmax(x, dim); });
}

PyObject* linear(const Call& c) {
    const Arg x(c.tensor(0));
    const Arg weight(c.tensor(1));
    const Tensor bias = c.given(2) ? c.tensor(2) : Tensor();
    const std::int64_t work =
        work_of(x) * (weight.tensor.dims() > 0 ? weight.tensor.shape()[0] : 1);
    return wrap(compute(work / 8, [&] { return tg::linear(x, weight, bias); }));
}

PyObject* cross_entropy(const Call& c) {
    const Arg x(c.tensor(0));
    const Arg target(c.tensor(1));
    const std::string reduction = c.given(2) ? c.string(2) : "mean";
    return computed(x, [&] { return tg::cross_entropy(x, target, reduction); });
}

PyObject* mse_loss(const Call& c) {
    const Arg x(c.tensor(0));
    const Arg target(c.tensor(1));
    const std::string reduction = c.given(2) ? c.string(2) : "mean";
    return computed(x, [&] { return tg::mse_loss(x, target, reduction); });
}

const Function functions[] = {
    {"sum(input, dim=None, keepdim=False, *, dtype=None)", sum,
     "The sum over dim (an int, several, or all). Integers are summed as int64."},
    {"mean(input, dim=None, keepdim=False, *, dtype=None)", mean,
     "The mean over dim (an int, several, or all), of a floating tensor."},
    {"amax(input, dim=None, keepdim=False)", amax,
     "The maximum over dim. The gradient is shared between equal maxima."},
    {"max(input, dim=None, keepdim=False)", max,
     "max(input): the largest element. max(input, dim): the pair (values, indices).\n"
     "max(input, other): elementwise, as maximum."},
    {"argmax(input, dim=None, keepdim=False)", argmax,
     "Where the maximum is, int64: the first of equals. Without dim: in the flattened tensor."},
    {"matmul(input, other)", matmul,
     "(..., M, K) @ (..., K, N) -> (..., M, N); vectors as in PyTorch. Batches broadcast."},
    {"softmax(input, dim, dtype=None)", softmax, "exp(x) / sum(exp(x)) along dim."},
    {"log_softmax(input, dim, dtype=None)", log_softmax, "The logarithm of softmax along dim."},
};

// Offered as tapegraph.nn.functional.
const Function in_functional[] = {
    {"linear(input, weight, bias=None)", linear,
     "input (..., in) @ weight (out, in).T + bias (out) -> (..., out).", Place::function},
    {"cross_entropy(input, target, reduction='mean')", cross_entropy,
     "input (N, C) of logits, target (N,) int64 in [0, C): -log softmax(input)[target].\n"
     "reduction is 'mean', 'sum' or 'none'.",
     Place::function},
    {"mse_loss(input, target, reduction='mean')", mse_loss,
     "(input - target)^2. reduction is 'mean', 'sum' or 'none'.", Place::function},
};

PyStructSequence_Field fields[] = {
    {"values", "the maxima"}, {"indices", "where they are, int64"}, {nullptr, nullptr}};
PyStructSequence_Desc description = {"tapegraph.return_types.max", "What max(dim) gives.", fields,
                                     2};

}  // namespace

void bind_reductions(py::module_& m) {
    values_indices = PyStructSequence_NewType(&description);
    if (!values_indices) throw_python();
    add_functions(m, functions);
    add_functions(m, in_functional);
}

}  // namespace tg::python
