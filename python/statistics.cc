// Reductions that leave NaN out, run along a dim, or ask for an element by its rank.
#include "python/call.h"

namespace tg::python {
namespace {

PyTypeObject* cummax_pair = nullptr;  // the named pairs that these give
PyTypeObject* cummin_pair = nullptr;
PyTypeObject* median_pair = nullptr;
PyTypeObject* nanmedian_pair = nullptr;
PyTypeObject* kthvalue_pair = nullptr;
PyTypeObject* mode_pair = nullptr;
PyTypeObject* aminmax_pair = nullptr;

template <Tensor (*op)(const Arg&, const DimList&, bool)>
PyObject* over_dims(const Call& c) {
    Arg x(c.tensor(0));
    const DimList dims = c.dim_list(1);
    const bool keepdim = c.flag(2);
    const bool asked = c.given(3);  // small integers, summed as int64, go back to it
    const DType dtype = c.dtype(3, DType::float32);
    if (asked) x.tensor = cast(x, dtype);
    return wrap(compute(work_of(x), [&] {
        const Tensor y = op(x, dims, keepdim);
        return asked ? cast(y, dtype) : y;
    }));
}

// var_mean(x, dim), var_mean(x, unbiased), and by keywords correction, unbiased, keepdim
template <Spread (*op)(const Arg&, const DimList&, double, bool)>
PyObject* with_mean(const Call& c) {
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
    const Spread found = compute(work_of(x), [&] { return op(x, dims, correction, keepdim); });
    return tuple_of({found.spread, found.mean});
}

PyObject* aminmax(const Call& c) {
    const Arg x(c.tensor(0));
    std::optional<std::int64_t> dim;
    if (c.given(1)) dim = c.integer(1);
    const bool keepdim = c.flag(2);
    const Extremes found = compute(work_of(x), [&] { return tg::aminmax(x, dim, keepdim); });
    return wrap_pair(aminmax_pair, {found.min, found.max});
}

template <ValuesIndices (*op)(const Arg&, std::int64_t), PyTypeObject** pair>
PyObject* running(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t dim = c.integer(1);
    return wrap_pair(*pair, compute(work_of(x), [&] { return op(x, dim); }));
}

PyObject* logcumsumexp(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t dim = c.integer(1);
    return wrap(compute(work_of(x), [&] { return tg::logcumsumexp(x, dim); }));
}

PyObject* trace(const Call& c) {
    const Arg x(c.tensor(0));
    return wrap(compute(work_of(x), [&] { return tg::trace(x); }));
}

PyObject* diff(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t n = c.integer(1, 1), dim = c.integer(2, -1);
    const Tensor before = c.given(3) ? c.tensor(3) : Tensor();
    const Tensor after = c.given(4) ? c.tensor(4) : Tensor();
    return wrap(compute(work_of(x), [&] { return tg::diff(x, n, dim, before, after); }));
}

template <Tensor (*whole)(const Arg&), ValuesIndices (*along)(const Arg&, std::int64_t, bool),
          PyTypeObject** pair>
PyObject* middle(const Call& c) {
    const Arg x(c.tensor(0));
    if (!c.given(1)) return wrap(compute(work_of(x), [&] { return whole(x); }));
    const std::int64_t dim = c.integer(1);
    const bool keepdim = c.flag(2);
    return wrap_pair(*pair, compute(work_of(x), [&] { return along(x, dim, keepdim); }));
}

PyObject* kthvalue(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t k = c.integer(1), dim = c.integer(2, -1);
    const bool keepdim = c.flag(3);
    return wrap_pair(kthvalue_pair,
                     compute(work_of(x), [&] { return tg::kthvalue(x, k, dim, keepdim); }));
}

PyObject* mode(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t dim = c.integer(1, -1);
    const bool keepdim = c.flag(2);
    return wrap_pair(mode_pair, compute(work_of(x), [&] { return tg::mode(x, dim, keepdim); }));
}

template <Tensor (*op)(const Arg&, const Arg&, std::optional<std::int64_t>, bool,
                       const std::string&)>
PyObject* quantile(const Call& c) {
    const Arg x(c.tensor(0));
    const Arg q = c.operand(1);
    std::optional<std::int64_t> dim;
    if (c.given(2)) dim = c.integer(2);
    const bool keepdim = c.flag(3);
    const std::string interpolation = c.given(4) ? c.string(4) : "linear";
    return wrap(compute(work_of(x), [&] { return op(x, q, dim, keepdim, interpolation); }));
}

const Function functions[] = {
    {"nansum(input, dim=None, keepdim=False, *, dtype=None)", over_dims<tg::nansum>,
     "The sum over dim (an int, several, or all), in which NaN counts as 0."},
    {"nanmean(input, dim=None, keepdim=False, *, dtype=None)", over_dims<tg::nanmean>,
     "The mean over dim of what is not NaN, of a floating tensor; of nothing NaN."},
    {"var_mean(input, dim=None, correction=1, keepdim=False, unbiased=None)",
     with_mean<tg::var_mean>, "(var, mean) over dim (an int, several, or all)."},
    {"std_mean(input, dim=None, correction=1, keepdim=False, unbiased=None)",
     with_mean<tg::std_mean>, "(std, mean) over dim (an int, several, or all)."},
    {"aminmax(input, *, dim=None, keepdim=False)", aminmax,
     "The pair (min, max) of all elements, or along dim."},
    {"cummax(input, dim)", running<tg::cummax, &cummax_pair>,
     "values and indices of the largest up to each element along dim: the last of equals. NaN\n"
     "stays."},
    {"cummin(input, dim)", running<tg::cummin, &cummin_pair>,
     "values and indices of the smallest up to each element along dim: the last of equals. NaN\n"
     "stays."},
    {"logcumsumexp(input, dim)", logcumsumexp,
     "log of the sums of exp(input) up to each element along dim, without overflow; of floats."},
    {"trace(input)", trace, "(M, N) -> the sum of the diagonal; integers are summed as int64."},
    {"diff(input, n=1, dim=-1, prepend=None, append=None)", diff,
     "Each element but the first less the one before, along dim, n times. prepend and append are\n"
     "joined to input first. Of bools: where two differ."},
    {"median(input, dim=None, keepdim=False)", middle<tg::median, tg::median, &median_pair>,
     "median(input): the middle element, of an even number the lower one. median(input, dim): the\n"
     "pair (values, indices). NaN where there is one."},
    {"nanmedian(input, dim=None, keepdim=False)",
     middle<tg::nanmedian, tg::nanmedian, &nanmedian_pair>, "median of what is not NaN."},
    {"kthvalue(input, k, dim=-1, keepdim=False)", kthvalue,
     "values and indices of the k-th smallest along dim, from 1 on. RuntimeError for another k."},
    {"mode(input, dim=-1, keepdim=False)", mode,
     "values and indices of the commonest along dim: the smallest of several, where it is last."},
    {"quantile(input, q, dim=None, keepdim=False, *, interpolation='linear')",
     quantile<tg::quantile>,
     "The element below which a part q of all is, along dim or of all; q is a number or (Q,) of\n"
     "input's dtype, in [0, 1], and (Q,) gives (Q, ...). Between two elements: 'linear', 'lower',\n"
     "'higher', 'midpoint' or 'nearest'. NaN where there is one. RuntimeError for integers."},
    {"nanquantile(input, q, dim=None, keepdim=False, *, interpolation='linear')",
     quantile<tg::nanquantile>, "quantile of what is not NaN."},
};

// The pair (min, max); the others have fields of values and indices.
PyTypeObject* new_extremes() {
    static PyStructSequence_Field fields[] = {
        {"min", "the smallest"}, {"max", "the largest"}, {nullptr, nullptr}};
    PyStructSequence_Desc description = {"tapegraph.return_types.aminmax", "What aminmax gives.",
                                         fields, 2};
    PyTypeObject* type = PyStructSequence_NewType(&description);
    if (!type) throw_python();
    return type;
}

}  // namespace

void bind_statistics(py::module_& m) {
    cummax_pair = new_pair("tapegraph.return_types.cummax", "What cummax gives.");
    cummin_pair = new_pair("tapegraph.return_types.cummin", "What cummin gives.");
    median_pair = new_pair("tapegraph.return_types.median", "What median(dim) gives.");
    nanmedian_pair = new_pair("tapegraph.return_types.nanmedian", "What nanmedian(dim) gives.");
    kthvalue_pair = new_pair("tapegraph.return_types.kthvalue", "What kthvalue gives.");
    mode_pair = new_pair("tapegraph.return_types.mode", "What mode gives.");
    aminmax_pair = new_extremes();
    const std::pair<const char*, PyTypeObject*> pairs[] = {
        {"_cummax_pair", cummax_pair},  {"_cummin_pair", cummin_pair},
        {"_median_pair", median_pair},  {"_nanmedian_pair", nanmedian_pair},
        {"_mode_pair", mode_pair},      {"_kthvalue_pair", kthvalue_pair},
        {"_aminmax_pair", aminmax_pair}};
    for (const auto& [name, type] : pairs)
        m.attr(name) = py::handle(reinterpret_cast<PyObject*>(type));
    add_functions(m, functions);
}

}  // namespace tg::python
