// Images made larger and smaller, and windows as columns, which tapegraph.nn.functional offers.
#include <cmath>

#include "python/call.h"

namespace tg::python {
namespace {

bool is_list(PyObject* o) { return PyTuple_Check(o) || PyList_Check(o); }

// One number or some; empty if not given.
std::vector<std::int64_t> sizes(const Call& c, int i) {
    std::vector<std::int64_t> list;
    if (!c.given(i)) return list;
    if (!is_list(c[i])) return {c.integer(i)};
    for (const py::handle item : py::reinterpret_borrow<py::sequence>(c[i]))
        list.push_back(to_dim(c.name(), item.ptr()));
    if (list.empty()) c.wrong(i, "an int or a tuple of ints that is not empty");
    return list;
}

std::vector<double> factors(const Call& c, int i) {
    std::vector<double> list;
    if (!c.given(i)) return list;
    if (!is_list(c[i])) return {c.real(i, 1)};
    for (const py::handle item : py::reinterpret_borrow<py::sequence>(c[i])) {
        Scalar number;
        if (!to_number(item.ptr(), number)) c.wrong(i, "a float or a tuple of floats");
        list.push_back(number.as_real());
    }
    if (list.empty()) c.wrong(i, "a float or a tuple of floats that is not empty");
    return list;
}

// input, size, scale_factor, mode, align_corners, recompute_scale_factor, antialias
PyObject* interpolate(const Call& c) {
    const Arg x(c.tensor(0));
    Interpolation options{.size = sizes(c, 1),
                          .scale_factor = factors(c, 2),
                          .mode = c.given(3) ? c.string(3) : "nearest",
                          .recompute_scale_factor = c.flag(5)};
    if (c.given(4)) options.align_corners = c.flag(4);
    if (c.flag(6))
        fail(ErrorKind::unsupported, "interpolate: antialias is not there; pool the image first");
    return wrap(compute(work_of(x), [&] { return tg::interpolate(x, options); }));
}

PyObject* grid_sample(const Call& c) {
    const Arg x(c.tensor(0)), grid(c.tensor(1));
    const Sampling options{c.given(2) ? c.string(2) : "bilinear",
                           c.given(3) ? c.string(3) : "zeros", c.flag(4)};
    const std::int64_t work = std::max(work_of(x), work_of(grid));
    return wrap(compute(work, [&] { return tg::grid_sample(x, grid, options); }));
}

PyObject* affine_grid(const Call& c) {
    const Arg theta(c.tensor(0));
    const Dims size = c.dims(1);
    const bool align_corners = c.flag(2);
    return wrap(
        compute(work_of(theta), [&] { return tg::affine_grid(theta, size, align_corners); }));
}

template <Tensor (*op)(const Arg&, std::int64_t)>
PyObject* shuffled(const Call& c) {
    const Arg x(c.tensor(0));
    const std::int64_t factor = c.integer(1);
    return wrap(compute(work_of(x), [&] { return op(x, factor); }));
}

Dims some(const Call& c, int i, const Dims& otherwise) {
    if (!c.given(i)) return otherwise;
    const std::vector<std::int64_t> list = sizes(c, i);
    return Dims(std::span<const std::int64_t>(list));
}

// kernel_size, dilation, padding, stride from argument `first` on
Columns columns(const Call& c, int first) {
    return {.kernel = some(c, first, {}),
            .dilation = some(c, first + 1, {1}),
            .padding = some(c, first + 2, {0}),
            .stride = some(c, first + 3, {1})};
}

PyObject* unfold(const Call& c) {
    const Arg x(c.tensor(0));
    const Columns options = columns(c, 1);
    return wrap(compute(work_of(x), [&] { return tg::unfold(x, options); }));
}

PyObject* fold(const Call& c) {
    const Arg x(c.tensor(0));
    const Dims size = some(c, 1, {});
    const Columns options = columns(c, 2);
    return wrap(compute(work_of(x), [&] { return tg::fold(x, size, options); }));
}

constexpr Place function = Place::function;
const Function functions[] = {
    {"interpolate(input, size=None, scale_factor=None, mode='nearest', align_corners=None, "
     "recompute_scale_factor=None, antialias=False)",
     interpolate,
     "input (N, C, L), (N, C, H, W) or (N, C, D, H, W) with other sizes but N and C: size, or\n"
     "scale_factor times the old ones, one number or one a dim. mode: 'nearest', PyTorch's\n"
     "older rounding down, 'nearest-exact', 'linear', 'bilinear', 'trilinear', 'bicubic' or\n"
     "'area', the means of adaptive_avg_pool. align_corners: the outermost places lie on each\n"
     "other. Raises ValueError or NotImplementedError for what does not go together.",
     function},
    {"grid_sample(input, grid, mode='bilinear', padding_mode='zeros', align_corners=None)",
     grid_sample,
     "input (N, C, H, W) at the points grid (N, h, w, 2) -> (N, C, h, w), or (N, C, D, H, W) at\n"
     "(N, d, h, w, 3) -> (N, C, d, h, w). A point is (x, y) or (x, y, z), with -1 and 1 at the "
     "outer\n"
     "edges of the image, or with align_corners at the centres of its outermost elements. mode:\n"
     "'bilinear', 'nearest', or of (N, C, H, W) 'bicubic'. padding_mode: outside there are "
     "'zeros',\n"
     "the nearest element ('border'), or the image in a mirror ('reflection').",
     function},
    {"affine_grid(theta, size, align_corners=None)", affine_grid,
     "The points of an image's elements, moved: theta (N, 2, 3) and size (N, C, H, W) -> a grid\n"
     "(N, H, W, 2) for grid_sample, or (N, 3, 4) and (N, C, D, H, W) -> (N, D, H, W, 3).",
     function},
    {"pixel_shuffle(input, upscale_factor)", shuffled<tg::pixel_shuffle>,
     "(..., C r r, H, W) -> (..., C, H r, W r): channels become places. Raises RuntimeError if\n"
     "the channels are no multiple of r^2.",
     function},
    {"pixel_unshuffle(input, downscale_factor)", shuffled<tg::pixel_unshuffle>,
     "(..., C, H r, W r) -> (..., C r r, H, W): places become channels.", function},
    {"_unfold(input, kernel_size, dilation=1, padding=0, stride=1)", unfold,
     "input (N, C, H, W) or (C, H, W) -> (N, C A B, L): each of the L windows of A x B places,\n"
     "as conv2d has them, as a column. Raises RuntimeError for what does not fit.",
     function},
    {"fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1)", fold,
     "input (N, C A B, L) or (C A B, L) -> (N, C, *output_size): each column's numbers added to\n"
     "the places of its window. What unfold is the gradient of. Raises RuntimeError for what\n"
     "does not fit.",
     function},
};

}  // namespace

void bind_resize(py::module_& m) { add_functions(m, functions); }

}  // namespace tg::python
