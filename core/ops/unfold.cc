// Windows along a dim, as a view: one element may be in several of them.
#include <algorithm>

#include "core/batching.h"
#include "core/ops/family.h"
#include "core/ops/stacks.h"

namespace tg {
namespace {

// x (..., n, ...) -> (..., count, ..., size): window i begins at i step
bool unfold_view(const Layout& in, const Attrs& attrs, Layout& out) {
    const int d = static_cast<int>(attrs.integer(0));
    const std::int64_t size = attrs.integer(1), step = attrs.integer(2);
    if (d < 0 || d >= in.shape.size() || size < 0 || step < 1 ||
        (!is_unknown(in.shape[d]) && size > in.shape[d]))
        fail(ErrorKind::value, "unfold: windows of ", size, " elements, ", step,
             " apart, do not fit dim ", d, " of ", text(in.shape));
    out = in;
    if (is_unknown(in.shape[d])) {
        out.shape[d] = new_unknown();
    } else {
        out.shape[d] = (in.shape[d] - size) / step + 1;
    }
    // The step of a window; where there is one window only, a huge one is never taken.
    const std::int64_t stride = in.strides[d];
    if (!is_unknown(stride)) out.strides[d] = out.shape[d] == 1 ? stride : stride * step;
    out.shape.push_back(size);
    out.strides.push_back(stride);
    return true;
}

// y = windows of x  =>  dx = zeros, and g added to each window
void unfold_gradient(Backward& n) {
    const Desc& desc = n.desc(0);
    const int d = static_cast<int>(n.attrs().integer(0));
    const std::int64_t size = n.attrs().integer(1);
    const Tensor place = to(arange(is_unknown(desc.shape[d]) ? 0 : desc.shape[d]), desc.device);
    const Tensor windows = unfold(place, 0, size, n.attrs().integer(2));
    // g (..., count, ..., size) -> (..., count size, ...)
    const Tensor g = movedim(n.g(), {n.g().dims() - 1}, {d + 1});
    const Tensor flat = flatten(g, d, d + 1);
    const Tensor base = zeros(desc.shape, {desc.dtype, desc.device});
    n.give(0, index_add(base, d, reshape(windows, {-1}), flat));
}

}  // namespace

namespace ops {
const Op unfold = {.name = "unfold",
                   .inputs = 1,
                   .gradient = unfold_gradient,
                   .view = unfold_view,
                   .cpu = alias_cpu,
                   .cuda = alias_cuda,
                   .attributes = {{"dim", AttrKind::integer},
                                  {"size", AttrKind::integer},
                                  {"step", AttrKind::integer}},
                   .alias = true,
                   .batch = batch_shifted<Names::dim>};
}  // namespace ops

std::span<const Op* const> unfold_ops() {
    static const Op* const list[] = {&ops::unfold};
    return list;
}

Tensor unfold(const Arg& x, std::int64_t dim, std::int64_t size, std::int64_t step) {
    const Here here(x.where, "unfold");
    const int d = wrap_dim("unfold", dim, x.tensor.dims());
    const Tensor y = x.tensor.dims() == 0 ? reshape(x, {1}) : x.tensor;
    const std::int64_t n = known_size("unfold", y, d);
    if (size < 0 || size > n)
        fail(ErrorKind::runtime, "unfold: windows of ", size, " elements do not fit dim ", d,
             " of ", text(x.tensor.shape()), ", which has ", n);
    if (step < 1) fail(ErrorKind::runtime, "unfold: the step is ", step, ", and must be 1 or more");
    const Tensor windows = apply(ops::unfold, {y}, {Attr{std::int64_t{d}}, Attr{size}, Attr{step}});
    return x.tensor.dims() == 0 ? reshape(windows, {size}) : windows;
}

}  // namespace tg
