// Places in an order, counts by bin, and what is there once.
#include "python/call.h"

namespace tg::python {
namespace {

// parameters i and i + 1: right, side
bool from_right(const Call& c, int right, int side) {
    const bool is_right = c.flag(right);
    if (side < 0 || !c.given(side)) return is_right;
    const std::string where = c.string(side);
    if (where != "left" && where != "right")
        fail(ErrorKind::runtime, c.name(), ": side is 'left' or 'right', not '", where, "'");
    if (is_right && where == "left")
        fail(ErrorKind::runtime, c.name(), ": right is True, and side 'left'; give one of them");
    return where == "right";
}

PyObject* places(const Tensor& found, bool narrow) {
    return wrap(narrow ? cast(found, DType::int32) : found);
}

PyObject* searchsorted(const Call& c) {
    const Arg line(c.tensor(0));
    const Arg values = c.operand(1);
    const bool narrow = c.flag(2), right = from_right(c, 3, 4);
    const Tensor sorter = c.given(5) ? c.tensor(5) : Tensor();
    return places(
        compute(work_of(values), [&] { return tg::searchsorted(line, values, right, sorter); }),
        narrow);
}

PyObject* bucketize(const Call& c) {
    const Arg x = c.operand(0);
    const Arg boundaries(c.tensor(1));
    const bool narrow = c.flag(2), right = c.flag(3);
    return places(compute(work_of(x), [&] { return tg::bucketize(x, boundaries, right); }), narrow);
}

PyObject* isin(const Call& c) {
    const Arg elements = c.operand(0), test = c.operand(1);
    if (!elements.is_tensor() && !test.is_tensor()) c.wrong(0, "a tensor");
    c.flag(2);
    const bool invert = c.flag(3);
    return wrap(compute(work_of(elements), [&] { return tg::isin(elements, test, invert); }));
}

PyObject* histc(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t bins = c.integer(1, 100);
    const double low = c.real(2, 0), high = c.real(3, 0);
    return wrap(compute(work_of(x), [&] { return tg::histc(x, bins, low, high); }));
}

PyObject* argwhere(const Call& c) {
    const Arg x(c.tensor(0));
    return wrap(compute(work_of(x), [&] { return tg::nonzero(x); }));
}

PyObject* parts(const Unique& u, bool inverse, bool counts) {
    if (!inverse && !counts) return wrap(u.values);
    py::list list;
    list.append(py::cast(u.values));
    if (inverse) list.append(py::cast(u.inverse));
    if (counts) list.append(py::cast(u.counts));
    return py::tuple(list).release().ptr();
}

template <Unique (*op)(const Arg&, std::optional<std::int64_t>)>
PyObject* once(const Call& c, int first) {
    const Arg x(c.tensor(0));
    const bool inverse = c.flag(first), counts = c.flag(first + 1);
    std::optional<std::int64_t> dim;
    if (c.given(first + 2)) dim = c.integer(first + 2);
    return parts(compute(work_of(x), [&] { return op(x, dim); }), inverse, counts);
}

PyObject* unique(const Call& c) {
    c.flag(1);
    return once<tg::unique>(c, 2);
}
PyObject* unique_consecutive(const Call& c) { return once<tg::unique_consecutive>(c, 1); }

const Function functions[] = {
    {"searchsorted(sorted_sequence, input, *, out_int32=False, right=False, side=None, "
     "sorter=None)",
     searchsorted,
     "How many elements of sorted_sequence (n,), or (..., n) with input (..., m), are below each\n"
     "element of input; with right, or side='right', not above it -> input's shape, int64. sorter\n"
     "is sorted_sequence's argsort, if it is not sorted. RuntimeError where shapes do not fit.",
     Place::function},
    {"bucketize(input, boundaries, *, out_int32=False, right=False)", bucketize,
     "searchsorted(boundaries, input) of boundaries (n,).", Place::function},
    {"isin(elements, test_elements, *, assume_unique=False, invert=False)", isin,
     "Which elements are among test_elements, or with invert are not: bool of elements' shape.",
     Place::function},
    {"histc(input, bins=100, min=0, max=0)", histc,
     "How many elements are in each of bins equal parts of [min, max], or if these are equal of\n"
     "[least, largest]: (bins,) of input's floating dtype. No gradients; in a trace or graph min\n"
     "and max must be given."},
    {"argwhere(input)", argwhere, "nonzero(input): (count, dims) int64."},
    {"unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None)", unique,
     "The different elements, or slices along dim, ascending; also which of them each is, and how\n"
     "often each is there. Not within a trace or graph."},
    {"unique_consecutive(input, return_inverse=False, return_counts=False, dim=None)",
     unique_consecutive,
     "unique of runs of equal elements, or slices along dim, in input's order."},
};

}  // namespace

void bind_search(py::module_& m) { add_functions(m, functions); }

}  // namespace tg::python
