#include "core/ops/lines.h"

#include "core/ops/family.h"
#include "kernels/lines.h"

namespace tg {

namespace {

using kernels::lines::Alone;
using kernels::lines::Lines;

// ---- shapes -------------------------------------------------------------------------------------

// x (lines, n), ... -> x's shape
Descs matrix_shape(const Op& op, std::span<const Desc> in, const Attrs&) {
    if (in[0].shape.size() != 2 || !is_floating(in[0].dtype))
        fail(ErrorKind::runtime, op.name, ": ", text(in[0]), " is no floating (lines, n)");
    return {in[0]};
}

void check_classes(const Op& op, const Desc& x, const Desc& target) {
    const bool fits = x.shape.size() == 2 && target.shape.size() == 1;
    if (!fits || target.dtype != DType::int64)
        fail(ErrorKind::runtime, op.name, ": ", text(x), " and ", text(target),
             " are no (lines, n) and int64 (lines,)");
}

// x (lines, n), target (lines,) -> (lines,)
Descs cross_entropy_shape(const Op& op, std::span<const Desc> in, const Attrs&) {
    check_classes(op, in[0], in[1]);
    return {Desc{{in[0].shape[0]}, in[0].dtype, in[0].device}};
}

// g (lines,), x (lines, n), target (lines,) -> x's shape
Descs cross_entropy_gradient_shape(const Op& op, std::span<const Desc> in, const Attrs&) {
    check_classes(op, in[1], in[2]);
    return {in[1]};
}

// x (lines, n) -> x's shape, (lines, 1)
Descs layer_norm_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    const Desc y = matrix_shape(op, in, attrs)[0];
    return {y, Desc{{y.shape[0], 1}, y.dtype, y.device}};
}

// ---- kernels ------------------------------------------------------------------------------------

// run(T{}) for each line of x, on the CPU
template <class Run>
void each_line(const kernels::Array& x, const Run& run) {
    for (std::int64_t l = 0; l < x.shape[0]; ++l) {
        if (x.dtype == DType::float32)
            run(float{}, l);
        else
            run(double{}, l);
    }
}

template <class T>
T& at(const kernels::Array& a, std::int64_t i) {
    return static_cast<T*>(a.data)[i * a.strides[0]];
}

void softmax_cpu(const Launch& l) {
    each_line(l.in[0], [&]<class T>(T, std::int64_t i) {
        kernels::lines::softmax<T>(Alone{}, Lines<T>(l.out[0])[i], Lines<const T>(l.in[0])[i],
                                   l.attrs.integer(0) != 0);
    });
}

void softmax_gradient_cpu(const Launch& l) {
    each_line(l.in[0], [&]<class T>(T, std::int64_t i) {
        kernels::lines::softmax_gradient<T>(Alone{}, Lines<T>(l.out[0])[i],
                                            Lines<const T>(l.in[0])[i], Lines<const T>(l.in[1])[i],
                                            l.attrs.integer(0) != 0);
    });
}

void check_inside(std::optional<std::int64_t> outside, std::int64_t classes) {
    if (outside)
        fail(ErrorKind::range, "cross_entropy: index ", *outside, " is outside 0..", classes - 1,
             ", the range of dim 1");
}

void cross_entropy_cpu(const Launch& l) {
    const std::int64_t classes = l.in[0].shape[1];
    each_line(l.in[0], [&]<class T>(T, std::int64_t i) {
        const std::int64_t target = at<std::int64_t>(l.in[1], i);
        if (target < 0 || target >= classes) check_inside(target, classes);
        at<T>(l.out[0], i) =
            kernels::lines::cross_entropy<T>(Alone{}, Lines<const T>(l.in[0])[i], target);
    });
}

void cross_entropy_gradient_cpu(const Launch& l) {
    each_line(l.in[1], [&]<class T>(T, std::int64_t i) {
        kernels::lines::cross_entropy_gradient<T>(Alone{}, Lines<T>(l.out[0])[i], at<T>(l.in[0], i),
                                                  Lines<const T>(l.in[1])[i],
                                                  at<std::int64_t>(l.in[2], i));
    });
}

void layer_norm_cpu(const Launch& l) {
    each_line(l.in[0], [&]<class T>(T, std::int64_t i) {
        at<T>(l.out[1], i) = kernels::lines::layer_norm<T>(Alone{}, Lines<T>(l.out[0])[i],
                                                           Lines<const T>(l.in[0])[i],
                                                           static_cast<T>(l.attrs.real(0)));
    });
}

void layer_norm_gradient_cpu(const Launch& l) {
    each_line(l.in[0], [&]<class T>(T, std::int64_t i) {
        kernels::lines::layer_norm_gradient<T>(Alone{}, Lines<T>(l.out[0])[i],
                                               Lines<const T>(l.in[0])[i],
                                               Lines<const T>(l.in[1])[i], at<T>(l.in[2], i));
    });
}

bool softmax_cuda(const Launch& l) {
    return kernels::cuda::backend().softmax(l.out[0], l.in[0], l.attrs.integer(0) != 0);
}
bool softmax_gradient_cuda(const Launch& l) {
    return kernels::cuda::backend().softmax_gradient(l.out[0], l.in[0], l.in[1],
                                                     l.attrs.integer(0) != 0);
}
bool cross_entropy_cuda(const Launch& l) {
    kernels::cuda::Outside outside;
    const bool done = kernels::cuda::backend().cross_entropy(l.out[0], l.in[0], l.in[1], outside);
    check_inside(outside, l.in[0].shape[1]);
    return done;
}
bool cross_entropy_gradient_cuda(const Launch& l) {
    return kernels::cuda::backend().cross_entropy_gradient(l.out[0], l.in[0], l.in[1], l.in[2]);
}
bool layer_norm_cuda(const Launch& l) {
    return kernels::cuda::backend().layer_norm(l.out[0], l.out[1], l.in[0], l.attrs.real(0));
}
bool layer_norm_gradient_cuda(const Launch& l) {
    return kernels::cuda::backend().layer_norm_gradient(l.out[0], l.in[0], l.in[1], l.in[2]);
}

// ---- gradients ----------------------------------------------------------------------------------

Tensor line_sum(const Tensor& x) { return sum(x, 1, true); }
Tensor line_mean(const Tensor& x) { return mean(x, 1, true); }

// y = softmax(x) of each line, or its logarithm  =>  dx = y (g - sum(g y)), or g - e^y sum(g)
void softmax_rule(Backward& n) {
    n.give(0, apply(ops::softmax_gradient, {n.g(), n.output()}, n.attrs()));
}

// Its result is dx, and h that one's gradient.
// dx = y (g - sum(g y))  =>  dg = y (h - sum(h y)), dy = h (g - sum(g y)) - g sum(h y); of the
// logarithm: dx = g - e^y sum(g)  =>  dg = h - sum(h e^y), dy = -h e^y sum(g)
void softmax_gradient_rule(Backward& n) {
    const Tensor h = n.g(), g = n.input(0).tensor, y = n.input(1).tensor;
    if (n.attrs().integer(0) != 0) {
        const Tensor weighted = h * exp(y);
        if (n.wants(0)) n.give(0, h - line_sum(weighted));
        if (n.wants(1)) n.give(1, neg(weighted * line_sum(g)));
        return;
    }
    if (n.wants(0)) n.give(0, apply(ops::softmax_gradient, {h, y}, n.attrs()));
    if (n.wants(1)) n.give(1, h * (g - line_sum(g * y)) - g * line_sum(h * y));
}

// y = -log softmax(x) at the target  =>  dx = g (softmax(x) - 1 at the target)
void cross_entropy_rule(Backward& n) {
    n.give(0, apply(ops::cross_entropy_gradient, {n.g(), n.input(0), n.input(1)}));
}

// dx = g (p - 1 at the target) with p = softmax(x)  =>  with h for its gradient,
// dg = sum(h p) - h at the target, and of x g p (h - sum(h p))
void cross_entropy_gradient_rule(Backward& n) {
    const Tensor h = n.g(), g = n.input(0).tensor, x = n.input(1).tensor;
    const Tensor p = apply(ops::softmax, {x}, {Attr{std::int64_t{0}}});
    if (n.wants(0)) n.give(0, squeeze(line_sum(h * p) - gather(h, 1, unsqueeze(n.input(2), 1)), 1));
    if (n.wants(1))
        n.give(1, unsqueeze(g, 1) * apply(ops::softmax_gradient, {h, p}, {Attr{std::int64_t{0}}}));
}

// y = (x - mean) r with r = 1 / sqrt(variance + eps)  =>  dx = r (g - mean(g) - y mean(g y)), and
// of r's own gradient g1 -g1 r^2 y / n
void layer_norm_rule(Backward& n) {
    const Tensor y = n.output(0), r = n.output(1);
    Tensor dx;
    if (n.has(0)) dx = apply(ops::layer_norm_gradient, {n.g(0), y, r});
    if (n.has(1)) {
        const Tensor by_r = n.g(1) * r * r * y * (-1.0 / static_cast<double>(y.shape()[1]));
        dx = dx.defined() ? dx + by_r : by_r;
    }
    n.give(0, dx);
}

// dx = r (g - mean(g) - y mean(g y))  =>  with h for its gradient,
// dg = r (h - mean(h) - y mean(h y)), dy = -r (h mean(g y) + g mean(h y)), dr = sum(h dx / r)
void layer_norm_gradient_rule(Backward& n) {
    const Tensor h = n.g(), g = n.input(0).tensor, y = n.input(1).tensor, r = n.input(2).tensor;
    if (n.wants(0)) n.give(0, apply(ops::layer_norm_gradient, {h, y, r}));
    const Tensor gy = line_mean(g * y);
    if (n.wants(1)) n.give(1, neg(r * (h * gy + g * line_mean(h * y))));
    if (n.wants(2)) n.give(2, line_sum(h * (g - line_mean(g) - y * gy)));
}

}  // namespace

// ---- vmap ---------------------------------------------------------------------------------------

// The examples' lines one after another: (B, lines, n) -> (B lines, n)
Outputs batch_lines(const Batch& b) {
    std::vector<Arg> args;
    for (int i = 0; i < static_cast<int>(b.in.size()); ++i)
        args.emplace_back(flatten(b.all(i), 0, 1));
    Outputs found = apply_all(b.op, args, b.attrs);
    for (int k = 0; k < found.size(); ++k)
        found[k] = reshape(found[k], b.with_size(b.one_out[static_cast<std::size_t>(k)].shape));
    return found;
}

namespace ops {

const Op softmax = {.name = "softmax",
                    .inputs = 1,
                    .shape = matrix_shape,
                    .gradient = softmax_rule,
                    .needs = {{Need::y}},
                    .cpu = softmax_cpu,
                    .cuda = softmax_cuda,
                    .attributes = {{"log", AttrKind::integer}},
                    .batch = batch_lines};
const Op softmax_gradient = {.name = "softmax_gradient",
                             .inputs = 2,
                             .shape = matrix_shape,
                             .gradient = softmax_gradient_rule,
                             .needs = {{Need::a, Need::b}, {Need::a, Need::b}},
                             .cpu = softmax_gradient_cpu,
                             .cuda = softmax_gradient_cuda,
                             .attributes = {{"log", AttrKind::integer}},
                             .batch = batch_lines};
const Op cross_entropy = {.name = "cross_entropy",
                          .inputs = 2,
                          .shape = cross_entropy_shape,
                          .gradient = cross_entropy_rule,
                          .needs = {{Need::a, Need::b}},
                          .cpu = cross_entropy_cpu,
                          .cuda = cross_entropy_cuda,
                          .batch = batch_lines};
const Op cross_entropy_gradient = {
    .name = "cross_entropy_gradient",
    .inputs = 3,
    .shape = cross_entropy_gradient_shape,
    .gradient = cross_entropy_gradient_rule,
    .needs = {{Need::a, Need::b, Need::c}, {Need::a, Need::b, Need::c}},
    .cpu = cross_entropy_gradient_cpu,
    .cuda = cross_entropy_gradient_cuda,
    .batch = batch_lines};
const Op layer_norm = {.name = "layer_norm",
                       .inputs = 1,
                       .shape = layer_norm_shape,
                       .gradient = layer_norm_rule,
                       .needs = {{Need::y, Need::y1}},
                       .cpu = layer_norm_cpu,
                       .cuda = layer_norm_cuda,
                       .attributes = {{"eps", AttrKind::real}},
                       .batch = batch_lines};
const Op layer_norm_gradient = {.name = "layer_norm_gradient",
                                .inputs = 3,
                                .shape = matrix_shape,
                                .gradient = layer_norm_gradient_rule,
                                .needs = {{Need::a, Need::b, Need::c},
                                          {Need::a, Need::b, Need::c},
                                          {Need::a, Need::b, Need::c}},
                                .cpu = layer_norm_gradient_cpu,
                                .cuda = layer_norm_gradient_cuda,
                                .batch = batch_lines};

}  // namespace ops

std::span<const Op* const> line_ops() {
    static const Op* const list[] = {&ops::softmax,       &ops::softmax_gradient,
                                     &ops::cross_entropy, &ops::cross_entropy_gradient,
                                     &ops::layer_norm,    &ops::layer_norm_gradient};
    return list;
}

// ---- from any shape to lines and back -----------------------------------------------------------

bool takes_lines(const Tensor& x, int dim) {
    if (x.device() != Device::cuda || x.dims() == 0) return false;
    if (x.dtype() != DType::float32 && x.dtype() != DType::float64) return false;
    int unknown = 0;
    for (int d = 0; d < x.dims(); ++d) unknown += d != dim && is_unknown(x.shape()[d]);
    return unknown <= 1 && x.shape()[dim] > 0;
}

namespace {

// The shape to go back to, of which one size may be unknown.
Dims known(Dims shape) {
    for (std::int64_t& size : shape)
        if (is_unknown(size)) size = -1;
    return shape;
}

Tensor as_lines(const Tensor& x, std::int64_t n) {
    return x.dims() == 2 && x.shape()[1] == n ? x : reshape(x, {-1, n});
}

}  // namespace

Tensor softmax_of_lines(const Tensor& x, int dim, bool log) {
    const bool last = dim == x.dims() - 1;
    const Tensor moved = last ? x : transpose(x, dim, -1);
    const Tensor flat = as_lines(moved, moved.shape()[moved.dims() - 1]);
    const Tensor y = apply(ops::softmax, {flat}, {Attr{std::int64_t{log}}});
    const Tensor back = flat.same(moved) ? y : reshape(y, known(moved.shape()));
    return last ? back : transpose(back, dim, -1);
}

Tensor cross_entropy_of_lines(const Tensor& x, const Tensor& target, int dim) {
    const Tensor moved = dim == x.dims() - 1 ? x : movedim(x, {dim}, {-1});
    const Tensor flat = as_lines(moved, moved.shape()[moved.dims() - 1]);
    const Tensor classes = target.dims() == 1 ? target : reshape(target, {-1});
    const Tensor losses = apply(ops::cross_entropy, {flat, classes});
    return target.dims() == 1 ? losses : reshape(losses, known(target.shape()));
}

Tensor standardized(const Arg& input, int last_dims, double eps) {
    const Here here(input.where, "layer_norm");
    const Tensor& x = input.tensor;
    Dims dims;
    std::int64_t n = 1;
    bool is_known = true;
    for (int d = -last_dims; d < 0; ++d) {
        dims.push_back(d);
        n *= x.shape()[x.dims() + d];
        is_known = is_known && !is_unknown(x.shape()[x.dims() + d]);
    }
    if (!is_known || n == 0 || !takes_lines(x, x.dims() - 1)) {
        const Tensor centred = x - mean(x, dims, true);
        return centred * rsqrt(mean(centred * centred, dims, true) + eps);
    }
    const Tensor flat = as_lines(x, n);
    const Arg args[] = {flat};
    const Tensor y = apply_all(ops::layer_norm, args, {Attr{eps}})[0];
    return flat.same(x) ? y : reshape(y, known(x.shape()));
}

}  // namespace tg
