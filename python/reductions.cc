// Sums and maxima, products of matrices, softmax and the losses.
#include "python/call.h"

namespace tg::python {
namespace {

PyTypeObject* max_pair = nullptr;  // the named pair that max(dim) gives
PyTypeObject* min_pair = nullptr;

template <class F>
PyObject* computed(const Arg& x, F&& f) {
    return wrap(compute(work_of(x), f));
}

// f(x) in the dtype of argument i, if that is given: small integers, which are summed and
// multiplied as int64, go back to it.
template <class F>
PyObject* in_dtype(const Call& c, int i, F&& f) {
    Arg x(c.tensor(0));
    if (!c.given(i)) return computed(x, [&] { return f(x); });
    const DType dtype = c.dtype(i, DType::float32);
    x.tensor = cast(x, dtype);
    return computed(x, [&] { return cast(f(x), dtype); });
}

PyObject* sum(const Call& c) {
    const DimList dims = c.dim_list(1);
    const bool keepdim = c.flag(2);
    return in_dtype(c, 3, [&](const Arg& x) { return tg::sum(x, dims, keepdim); });
}

PyObject* mean(const Call& c) {
    Arg x(c.tensor(0));
    const DimList dims = c.dim_list(1);
    const bool keepdim = c.flag(2);
    if (c.given(3)) x.tensor = cast(x, c.dtype(3, DType::float32));
    return computed(x, [&] { return tg::mean(x, dims, keepdim); });
}

template <Tensor (*op)(const Arg&, const DimList&, bool)>
PyObject* over_dims(const Call& c) {
    const Arg x(c.tensor(0));
    const DimList dims = c.dim_list(1);
    const bool keepdim = c.flag(2);
    return computed(x, [&] { return op(x, dims, keepdim); });
}

// As PyTorch has it for any and all only: an empty list of dims reduces nothing.
template <Tensor (*op)(const Arg&, const DimList&, bool)>
PyObject* answer(const Call& c) {
    const bool listed = c.given(1) && (PyTuple_Check(c[1]) || PyList_Check(c[1]));
    if (!listed || PySequence_Size(c[1]) > 0) return over_dims<op>(c);
    const Arg x(c.tensor(0));
    return computed(x, [&] { return op(x, DimList(Dims{}), c.flag(2)); });
}

template <Tensor (*op)(const Arg&, std::optional<std::int64_t>, bool)>
PyObject* over_one(const Call& c) {
    const Arg x(c.tensor(0));
    std::optional<std::int64_t> dim;
    if (c.given(1)) dim = c.integer(1);
    const bool keepdim = c.flag(2);
    return computed(x, [&] { return op(x, dim, keepdim); });
}

PyObject* prod(const Call& c) {
    std::optional<std::int64_t> dim;
    if (c.given(1)) dim = c.integer(1);
    const bool keepdim = c.flag(2);
    return in_dtype(c, 3, [&](const Arg& x) { return tg::prod(x, dim, keepdim); });
}

PyObject* cumsum(const Call& c) {
    const std::int64_t dim = c.integer(1);
    return in_dtype(c, 2, [&](const Arg& x) { return tg::cumsum(x, dim); });
}

// var(x, dim), var(x, unbiased), and by keywords correction, unbiased, keepdim
template <Tensor (*op)(const Arg&, const DimList&, double, bool)>
PyObject* spread(const Call& c) {
    const Arg x(c.tensor(0));
    if (!is_floating(x.tensor.dtype()))
        fail(ErrorKind::unsupported, c.name(), ": needs a floating dtype, and this tensor is ",
             name_of(x.tensor.dtype()), "; cast it first");
    const bool flag_first = c[1] && PyBool_Check(c[1]);
    const DimList dims = flag_first ? DimList() : c.dim_list(1);
    double correction = c.real(2, 1);
    if (flag_first) correction = c[1] == Py_True ? 1 : 0;
    if (c.given(4)) correction = c.flag(4) ? 1 : 0;
    const bool keepdim = c.flag(3);
    return computed(x, [&] { return op(x, dims, correction, keepdim); });
}

template <Tensor (*whole)(const Arg&), ValuesIndices (*along)(const Arg&, std::int64_t, bool),
          Tensor (*both)(const Arg&, const Arg&), PyTypeObject** pair_type>
PyObject* extremum(const Call& c) {
    const Arg x(c.tensor(0));
    if (!c.given(1)) return computed(x, [&] { return whole(x); });
    if (is_tensor(c[1])) {
        const Arg other(c.tensor(1));
        return computed(x, [&] { return both(x, other); });
    }
    const std::int64_t dim = c.integer(1);
    const bool keepdim = c.flag(2);
    const ValuesIndices found = compute(work_of(x), [&] { return along(x, dim, keepdim); });
    return wrap_pair(*pair_type, found);
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

PyObject* standardized(const Call& c) {
    const Arg x(c.tensor(0));
    const auto last_dims = static_cast<int>(c.integer(1));
    const double eps = c.real(2, 0);
    return computed(x, [&] { return tg::standardized(x, last_dims, eps); });
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

std::string reduction(const Call& c, int i) { return c.given(i) ? c.string(i) : "mean"; }

// parameters: input, target, weight, ignore_index, reduction, label_smoothing
template <Tensor (*op)(const Arg&, const Arg&, const ClassLoss&)>
PyObject* class_loss(const Call& c) {
    const Arg x(c.tensor(0));
    const Arg target(c.tensor(1));
    const ClassLoss options{.weight = c.given(2) ? c.tensor(2) : Tensor(),
                            .ignore_index = c.integer(3, -100),
                            .reduction = reduction(c, 4),
                            .label_smoothing = c.real(5, 0)};
    return computed(x, [&] { return op(x, target, options); });
}

template <Tensor (*op)(const Arg&, const Arg&, const std::string&, const Tensor&)>
PyObject* loss(const Call& c) {
    const Arg x(c.tensor(0));
    const Arg target(c.tensor(1));
    const std::string how = reduction(c, 2);
    const Tensor weight = c.given(3) ? c.tensor(3) : Tensor();
    return computed(x, [&] { return op(x, target, how, weight); });
}

PyObject* smooth_l1_loss(const Call& c) {
    const Arg x(c.tensor(0));
    const Arg target(c.tensor(1));
    const std::string how = reduction(c, 2);
    const double beta = c.real(3, 1);
    return computed(x, [&] { return tg::smooth_l1_loss(x, target, how, beta); });
}

PyObject* binary_cross_entropy_with_logits(const Call& c) {
    const Arg x(c.tensor(0));
    const Arg target(c.tensor(1));
    const Tensor weight = c.given(2) ? c.tensor(2) : Tensor();
    const std::string how = reduction(c, 3);
    const Tensor pos_weight = c.given(4) ? c.tensor(4) : Tensor();
    return computed(x, [&] {
        return tg::binary_cross_entropy_with_logits(x, target, weight, how, pos_weight);
    });
}

PyObject* kl_div(const Call& c) {
    const Arg x(c.tensor(0));
    const Arg target(c.tensor(1));
    const std::string how = reduction(c, 2);
    const bool log_target = c.flag(3);
    return computed(x, [&] { return tg::kl_div(x, target, how, log_target); });
}

const Function functions[] = {
    {"sum(input, dim=None, keepdim=False, *, dtype=None)", sum,
     "The sum over dim (an int, several, or all). Integers are summed as int64."},
    {"mean(input, dim=None, keepdim=False, *, dtype=None)", mean,
     "The mean over dim (an int, several, or all), of a floating tensor."},
    {"amax(input, dim=None, keepdim=False)", over_dims<tg::amax>,
     "The maximum over dim. The gradient is shared between equal maxima."},
    {"amin(input, dim=None, keepdim=False)", over_dims<tg::amin>,
     "The minimum over dim. The gradient is shared between equal minima."},
    {"max(input, dim=None, keepdim=False)", extremum<tg::max, tg::max, maximum, &max_pair>,
     "max(input): the largest element. max(input, dim): the pair (values, indices).\n"
     "max(input, other): elementwise, as maximum."},
    {"min(input, dim=None, keepdim=False)", extremum<tg::min, tg::min, minimum, &min_pair>,
     "min(input): the smallest element. min(input, dim): the pair (values, indices).\n"
     "min(input, other): elementwise, as minimum."},
    {"any(input, dim=None, keepdim=False)", answer<tg::any>,
     "Is an element not 0? Over dim (an int, several, or all); of no elements: False."},
    {"all(input, dim=None, keepdim=False)", answer<tg::all>,
     "Are all elements not 0? Over dim (an int, several, or all); of no elements: True."},
    {"prod(input, dim=None, keepdim=False, *, dtype=None)", prod,
     "The product over dim, or of all. Integers are multiplied as int64."},
    {"cumsum(input, dim, *, dtype=None)", cumsum,
     "The sums of the elements up to each one along dim. Integers are summed as int64."},
    {"logsumexp(input, dim=None, keepdim=False)", over_dims<tg::logsumexp>,
     "log(sum(exp(input))) over dim, without overflow."},
    {"var(input, dim=None, correction=1, keepdim=False, unbiased=None)", spread<tg::var>,
     "The variance over dim: the squares of input - mean, divided by the count - correction."},
    {"std(input, dim=None, correction=1, keepdim=False, unbiased=None)", spread<tg::std>,
     "The square root of var. Its gradient is 0 where all elements are equal."},
    {"argmin(input, dim=None, keepdim=False)", over_one<tg::argmin>,
     "Where the minimum is, int64: the first of equals. Without dim: in the flattened tensor."},
    {"argmax(input, dim=None, keepdim=False)", over_one<tg::argmax>,
     "Where the maximum is, int64: the first of equals. Without dim: in the flattened tensor."},
    {"matmul(input, other)", matmul,
     "(..., M, K) @ (..., K, N) -> (..., M, N); vectors as in PyTorch. Batches broadcast."},
    {"softmax(input, dim, dtype=None)", softmax, "exp(x) / sum(exp(x)) along dim."},
    {"_standardized(input, last_dims, eps)", standardized,
     "(input - mean) / sqrt(variance + eps), over so many of the last dims.", Place::function},
    {"log_softmax(input, dim, dtype=None)", log_softmax, "The logarithm of softmax along dim."},
};

// Offered as tapegraph.nn.functional.
const Function in_functional[] = {
    {"linear(input, weight, bias=None)", linear,
     "input (..., in) @ weight (out, in).T + bias (out) -> (..., out).", Place::function},
    {"cross_entropy(input, target, weight=None, ignore_index=-100, reduction='mean', "
     "label_smoothing=0)",
     class_loss<tg::cross_entropy>,
     "input (N, C, ...) of logits; target (N, ...) int64 in [0, C), or probabilities of input's\n"
     "shape: -sum target * log softmax(input). weight (C,) is by class; targets equal to\n"
     "ignore_index count for nothing.",
     Place::function},
    {"nll_loss(input, target, weight=None, ignore_index=-100, reduction='mean')",
     class_loss<tg::nll_loss>,
     "input (N, C, ...) of log-probabilities, target (N, ...) int64 in [0, C).", Place::function},
    {"mse_loss(input, target, reduction='mean', weight=None)", loss<tg::mse_loss>,
     "(input - target)^2. reduction is 'mean', 'sum' or 'none'. weight has input's shape, and the\n"
     "mean is then sum(weight losses) / sum(weight).",
     Place::function},
    {"l1_loss(input, target, reduction='mean', weight=None)", loss<tg::l1_loss>,
     "|input - target|. weight as in mse_loss.", Place::function},
    {"smooth_l1_loss(input, target, reduction='mean', beta=1)", smooth_l1_loss,
     "d^2 / (2 beta) where d = |input - target| is below beta, else d - beta / 2.",
     Place::function},
    {"binary_cross_entropy_with_logits(input, target, weight=None, reduction='mean', "
     "pos_weight=None)",
     binary_cross_entropy_with_logits,
     "-(pos_weight target log s + (1 - target) log(1 - s)), s = sigmoid(input).", Place::function},
    {"kl_div(input, target, reduction='mean', log_target=False)", kl_div,
     "target (log target - input), of log-probabilities input. reduction may be 'batchmean'.",
     Place::function},
};

PyStructSequence_Field fields[] = {{"values", "the values that were picked"},
                                   {"indices", "where they are, int64"},
                                   {nullptr, nullptr}};

}  // namespace

PyTypeObject* new_pair(const char* name, const char* doc) {
    PyStructSequence_Desc description = {name, doc, fields, 2};
    PyTypeObject* type = PyStructSequence_NewType(&description);
    if (!type) throw_python();
    return type;
}

PyObject* wrap_pair(PyTypeObject* type, const ValuesIndices& found) {
    const auto pair = py::reinterpret_steal<py::object>(PyStructSequence_New(type));
    if (!pair) throw_python();
    PyStructSequence_SetItem(pair.ptr(), 0, wrap(found.values));
    PyStructSequence_SetItem(pair.ptr(), 1, wrap(found.indices));
    return new_reference(pair.ptr());
}

void bind_reductions(py::module_& m) {
    max_pair = new_pair("tapegraph.return_types.max", "What max(dim) gives.");
    min_pair = new_pair("tapegraph.return_types.min", "What min(dim) gives.");
    m.attr("_max_pair") = py::handle(reinterpret_cast<PyObject*>(max_pair));
    m.attr("_min_pair") = py::handle(reinterpret_cast<PyObject*>(min_pair));
    add_functions(m, functions);
    add_functions(m, in_functional);
}

}  // namespace tg::python
