// Convolutions, pooling and padding, which tapegraph.nn.functional offers.
#include "python/call.h"

namespace tg::python {
namespace {

// One number or some; empty if not given.
Dims numbers(const Call& c, int i, const Dims& otherwise) {
    if (!c.given(i)) return otherwise;
    if (!PyTuple_Check(c[i]) && !PyList_Check(c[i])) return Dims{c.integer(i)};
    const Dims dims = c.dims(i);
    if (dims.empty()) c.wrong(i, "an int or a tuple of ints that is not empty");
    return dims;
}

Padding padding(const Call& c, int i) {
    if (c.given(i) && PyUnicode_Check(c[i])) return Padding(c.string(i));
    return Padding(numbers(c, i, {0}));
}

Tensor bias(const Call& c) { return c.given(2) ? c.tensor(2) : Tensor(); }

template <Tensor (*op)(const Arg&, const Arg&, const Tensor&, const Convolution&)>
PyObject* computed(const Call& c, const Convolution& options) {
    const Arg x(c.tensor(0));
    const Arg weight(c.tensor(1));
    const Tensor b = bias(c);
    const std::int64_t work = work_of(x) / 8 * std::max<std::int64_t>(1, work_of(weight) / 8);
    return wrap(compute(work, [&] { return op(x, weight, b, options); }));
}

// input, weight, bias, stride, padding, dilation, groups
template <Tensor (*op)(const Arg&, const Arg&, const Tensor&, const Convolution&)>
PyObject* convolution(const Call& c) {
    return computed<op>(c, {.stride = numbers(c, 3, {1}),
                            .padding = padding(c, 4),
                            .dilation = numbers(c, 5, {1}),
                            .groups = c.integer(6, 1)});
}

// input, weight, bias, stride, padding, output_padding, groups, dilation
template <Tensor (*op)(const Arg&, const Arg&, const Tensor&, const Convolution&)>
PyObject* transposed(const Call& c) {
    return computed<op>(c, {.stride = numbers(c, 3, {1}),
                            .padding = padding(c, 4),
                            .dilation = numbers(c, 7, {1}),
                            .groups = c.integer(6, 1),
                            .output_padding = numbers(c, 5, {0})});
}

PyObject* pair(const ValuesIndices& found) {
    const auto values = py::reinterpret_steal<py::object>(wrap(found.values));
    const auto indices = py::reinterpret_steal<py::object>(wrap(found.indices));
    return PyTuple_Pack(2, values.ptr(), indices.ptr());
}

// input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
template <ValuesIndices (*op)(const Arg&, const Pooling&)>
PyObject* max_pool(const Call& c) {
    const Arg x(c.tensor(0));
    const Pooling options{.kernel = numbers(c, 1, {}),
                          .stride = numbers(c, 2, {}),
                          .padding = numbers(c, 3, {0}),
                          .dilation = numbers(c, 4, {1}),
                          .ceil_mode = c.flag(5)};
    const ValuesIndices found = compute(work_of(x), [&] { return op(x, options); });
    return c.flag(6) ? pair(found) : wrap(found.values);
}

// input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
PyObject* avg_pool2d(const Call& c) {
    const Arg x(c.tensor(0));
    Pooling options{.kernel = numbers(c, 1, {}),
                    .stride = numbers(c, 2, {}),
                    .padding = numbers(c, 3, {0}),
                    .ceil_mode = c.flag(4),
                    .count_include_pad = c.flag(5, true)};
    if (c.given(6)) options.divisor_override = c.integer(6);
    return wrap(compute(work_of(x), [&] { return tg::avg_pool2d(x, options); }));
}

// A size, or two of which None keeps the input's.
Dims output_size(const Call& c) {
    const auto checked_size = [&](std::int64_t size) {
        if (size < 0) fail(ErrorKind::runtime, c.name(), ": output_size ", size, " is below 0");
        return size;
    };
    if (!c[1] || (!PyTuple_Check(c[1]) && !PyList_Check(c[1])))
        return Dims{c.given(1) ? checked_size(c.integer(1)) : -1};
    if (const Py_ssize_t n = PySequence_Fast_GET_SIZE(c[1]); n != 2)
        fail(ErrorKind::runtime, c.name(), ": output_size is one size or two, not ", n);
    Dims dims;
    for (const py::handle item : py::reinterpret_borrow<py::sequence>(c[1])) {
        dims.push_back(item.is_none() ? -1 : checked_size(to_dim(c.name(), item.ptr())));
    }
    return dims;
}

PyObject* adaptive_avg_pool2d(const Call& c) {
    const Arg x(c.tensor(0));
    const Dims size = output_size(c);
    return wrap(compute(work_of(x), [&] { return tg::adaptive_avg_pool2d(x, size); }));
}

PyObject* adaptive_max_pool2d(const Call& c) {
    const Arg x(c.tensor(0));
    const Dims size = output_size(c);
    const ValuesIndices found =
        compute(work_of(x), [&] { return adaptive_max_pool2d_with_indices(x, size); });
    return c.flag(2) ? pair(found) : wrap(found.values);
}

// input, kernel_size, stride, padding, ceil_mode, count_include_pad
PyObject* avg_pool1d(const Call& c) {
    const Arg x(c.tensor(0));
    const Pooling options{.kernel = numbers(c, 1, {}),
                          .stride = numbers(c, 2, {}),
                          .padding = numbers(c, 3, {0}),
                          .ceil_mode = c.flag(4),
                          .count_include_pad = c.flag(5, true)};
    return wrap(compute(work_of(x), [&] { return tg::avg_pool1d(x, options); }));
}

// An int, or a tuple of one.
std::int64_t row_size(const Call& c) {
    const Dims size = numbers(c, 1, {});
    if (size.size() != 1) c.wrong(1, "an int or a tuple of one");
    if (size[0] < 0) fail(ErrorKind::runtime, c.name(), ": output_size ", size[0], " is below 0");
    return size[0];
}

PyObject* adaptive_avg_pool1d(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t size = row_size(c);
    return wrap(compute(work_of(x), [&] { return tg::adaptive_avg_pool1d(x, size); }));
}

PyObject* adaptive_max_pool1d(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t size = row_size(c);
    const ValuesIndices found =
        compute(work_of(x), [&] { return adaptive_max_pool1d_with_indices(x, size); });
    return c.flag(2) ? pair(found) : wrap(found.values);
}

// input, norm_type, kernel_size, stride, ceil_mode
template <Tensor (*op)(const Arg&, double, const Pooling&)>
PyObject* lp_pool(const Call& c) {
    const Arg x(c.tensor(0));
    const double p = c.number(1).as_real();
    const Pooling options{
        .kernel = numbers(c, 2, {}), .stride = numbers(c, 3, {}), .ceil_mode = c.flag(4)};
    return wrap(compute(work_of(x), [&] { return op(x, p, options); }));
}

PyObject* pad(const Call& c) {
    const Arg x(c.tensor(0));
    if (!PyTuple_Check(c[1]) && !PyList_Check(c[1])) c.wrong(1, "a tuple of ints");
    std::vector<std::int64_t> by;
    for (const py::handle item : py::reinterpret_borrow<py::sequence>(c[1]))
        by.push_back(to_dim(c.name(), item.ptr()));
    const std::string mode = c.given(2) ? c.string(2) : "constant";
    const Scalar value = c.given(3) ? c.number(3) : Scalar(0);
    return wrap(compute(work_of(x), [&] { return tg::pad(x, by, mode, value); }));
}

constexpr Place function = Place::function;
const Function functions[] = {
    {"conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1)",
     convolution<tg::conv2d>,
     "input (N, C, H, W) or (C, H, W), weight (O, C / groups, A, B), bias (O,) -> (N, O, I, J),\n"
     "I = (H + 2 padding - dilation (A - 1) - 1) // stride + 1, and J from W and B likewise.\n"
     "stride, padding and dilation are an int or a pair; padding may be 'valid', none, or 'same',\n"
     "which needs stride 1. Raises RuntimeError for what does not fit.",
     function},
    {"conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1)",
     convolution<tg::conv1d>,
     "input (N, C, L) or (C, L), weight (O, C / groups, A), bias (O,) -> (N, O, I); see conv2d.",
     function},
    {"conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, "
     "dilation=1)",
     transposed<tg::conv_transpose2d>,
     "input (N, C, H, W) or (C, H, W), weight (C, O / groups, A, B), bias (O,) -> (N, O, I, J),\n"
     "I = (H - 1) stride - 2 padding + dilation (A - 1) + output_padding + 1: what a conv2d with\n"
     "this weight would take for input, and its gradient. output_padding is below stride or\n"
     "dilation. Raises RuntimeError for what does not fit.",
     function},
    {"max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, "
     "return_indices=False)",
     max_pool<max_pool2d_with_indices>,
     "The largest of each window: input (N, C, H, W) or (C, H, W) -> (N, C, I, J). stride is\n"
     "kernel_size unless given; padding, at most half of it, counts as -inf; with ceil_mode a "
     "last\n"
     "window may reach beyond it. return_indices: also where they are, int64, row W + column.\n"
     "Of equals the first; NaN wins. Raises RuntimeError for what does not fit.",
     function},
    {"avg_pool2d(input, kernel_size, stride=None, padding=0, ceil_mode=False, "
     "count_include_pad=True, divisor_override=None)",
     avg_pool2d,
     "The mean of each window: input (N, C, H, W) or (C, H, W), floating -> (N, C, I, J). The\n"
     "zeros of the padding count, unless count_include_pad=False; divisor_override divides\n"
     "instead of their number. Otherwise as max_pool2d.",
     function},
    {"adaptive_avg_pool2d(input, output_size)", adaptive_avg_pool2d,
     "The means of I x J windows that share the image, of nearly one size: input (N, C, H, W) or\n"
     "(C, H, W), floating -> (N, C, I, J). output_size is an int or a pair; None keeps a size.",
     function},
    {"adaptive_max_pool2d(input, output_size, return_indices=False)", adaptive_max_pool2d,
     "The largest of each window of adaptive_avg_pool2d; return_indices as in max_pool2d.",
     function},
    {"conv_transpose1d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, "
     "dilation=1)",
     transposed<tg::conv_transpose1d>,
     "input (N, C, L) or (C, L), weight (C, O / groups, A), bias (O,) -> (N, O, I); see\n"
     "conv_transpose2d.",
     function},
    {"max_pool1d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, "
     "return_indices=False)",
     max_pool<max_pool1d_with_indices>,
     "The largest of each window: input (N, C, L) or (C, L) -> (N, C, I); see max_pool2d.",
     function},
    {"avg_pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, "
     "count_include_pad=True)",
     avg_pool1d,
     "The mean of each window: input (N, C, L) or (C, L), floating -> (N, C, I); see avg_pool2d.",
     function},
    {"adaptive_avg_pool1d(input, output_size)", adaptive_avg_pool1d,
     "The means of I windows that share the row: input (N, C, L) or (C, L) -> (N, C, I).",
     function},
    {"adaptive_max_pool1d(input, output_size, return_indices=False)", adaptive_max_pool1d,
     "The largest of each window of adaptive_avg_pool1d; return_indices as in max_pool1d.",
     function},
    {"lp_pool1d(input, norm_type, kernel_size, stride=None, ceil_mode=False)",
     lp_pool<tg::lp_pool1d>,
     "(sum x^p)^(1/p) over each window, p = norm_type: input (N, C, L) or (C, L).", function},
    {"lp_pool2d(input, norm_type, kernel_size, stride=None, ceil_mode=False)",
     lp_pool<tg::lp_pool2d>,
     "(sum x^p)^(1/p) over each window, p = norm_type: input (N, C, H, W) or (C, H, W).", function},
    {"pad(input, pad, mode='constant', value=None)", pad,
     "Each two numbers of pad say how many places are put before and after a dim, from the last\n"
     "dim on; negative ones are cut off. mode: 'constant', of value or 0; or, for the last dims "
     "of\n"
     "(N, C, ...) or (C, ...), 'reflect', 'replicate' or 'circular'. Raises RuntimeError if more\n"
     "is asked than is there, NotImplementedError for other modes and dims.",
     function},
};

}  // namespace

void bind_windows(py::module_& m) { add_functions(m, functions); }

}  // namespace tg::python
