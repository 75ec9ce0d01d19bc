// Pooling: the largest of each window, or the mean. Which place the largest is at is a record; the
// value is gathered from there, and so gather's gradient is max pooling's. The mean is linear: its
// gradient is a record that spreads, whose gradient is the mean again.
#include "kernels/cpu/pooling.h"

#include <algorithm>

#include "core/batching.h"
#include "core/low_precision.h"
#include "core/ops/windows.h"

namespace tg {
namespace {

// attributes: kernel, stride, padding, then dilation or divisor, size. No kernel: adaptive windows.
kernels::cpu::Pool pool_from(const Attrs& attrs, const kernels::Array& x, const kernels::Array& y) {
    kernels::cpu::Pool pool;
    kernels::cpu::PoolDim* dims[] = {&pool.rows, &pool.columns};
    for (int d = 0; d < 2; ++d) {
        kernels::cpu::PoolDim& p = *dims[d];
        p.size = x.shape[2 + d];
        p.windows = y.shape[2 + d];
        if (attrs.dims(0).empty()) continue;
        p.taps = attrs.dims(0)[d];
        p.stride = attrs.dims(1)[d];
        p.padding = attrs.dims(2)[d];
        if (const auto* dilation = std::get_if<Dims>(&attrs[3].value)) p.dilation = (*dilation)[d];
    }
    return pool;
}

void check_pool(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    check_image(op, in[0]);
    check_size(op, attrs.dims(4));
    const bool means = std::holds_alternative<std::int64_t>(attrs[3].value);
    if (means && !is_floating(in[0].dtype))
        fail(ErrorKind::value, op.name, ": ", text(in[0]), " is not floating");
    if (attrs.dims(0).empty()) return;
    check_pair(op, "kernel", attrs.dims(0), 1);
    check_pair(op, "stride", attrs.dims(1), 1);
    check_pair(op, "padding", attrs.dims(2), 0);
    if (const auto* dilation = std::get_if<Dims>(&attrs[3].value))
        check_pair(op, "dilation", *dilation, 1);
}

// x (N, C, H, W) -> (N, C, size)
Descs pooled_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    check_pool(op, in, attrs);
    Desc y = in[0];
    for (int d = 0; d < 2; ++d) {
        const std::int64_t from = y.shape[2 + d];
        y.shape[2 + d] = attrs.dims(4)[d];
        if (attrs.dims(0).empty() && from == 0)
            fail(ErrorKind::runtime, op.name, ": input ", text(in[0].shape), " has no places");
        if (!is_unknown(y.shape[2 + d]) || is_unknown(from) || attrs.dims(0).empty()) continue;
        const auto* dilation = std::get_if<Dims>(&attrs[3].value);
        const std::int64_t span = (dilation ? (*dilation)[d] : 1) * (attrs.dims(0)[d] - 1) + 1;
        y.shape[2 + d] = windows_in(from, attrs.dims(2)[d], span, attrs.dims(1)[d]);
        if (y.shape[2 + d] < 1)
            fail(ErrorKind::runtime, op.name, ": no window of ", text(attrs.dims(0)), " fits into ",
                 text(in[0].shape), " with padding ", text(attrs.dims(2)));
    }
    return {y};
}

// x (N, C, H, W) -> int64 (N, C, size)
Descs pool_argmax_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    Descs out = pooled_shape(op, in, attrs);
    out[0].dtype = DType::int64;
    return out;
}

// y (N, C, I, J) -> (N, C, size)
Descs pool_spread_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    check_pool(op, in, attrs);
    Desc x = in[0];
    for (int d = 0; d < 2; ++d) x.shape[2 + d] = attrs.dims(4)[d];
    return {x};
}

void pool_argmax_cpu(const Launch& l) {
    const kernels::cpu::Pool pool = pool_from(l.attrs, l.in[0], l.out[0]);
    if (!kernels::cpu::pool_argmax(l.out[0], l.in[0], pool))
        fail(ErrorKind::runtime, l.op.name,
             ": a window has no place inside of the input; use less "
             "padding or dilation");
}

void pool_mean_cpu(const Launch& l) {
    const kernels::cpu::Pool pool = pool_from(l.attrs, l.in[0], l.out[0]);
    kernels::cpu::pool_mean(l.out[0], l.in[0], pool, l.attrs.integer(3));
}

void pool_spread_cpu(const Launch& l) {
    const kernels::cpu::Pool pool = pool_from(l.attrs, l.out[0], l.in[0]);
    kernels::cpu::pool_spread(l.out[0], l.in[0], pool, l.attrs.integer(3));
}

bool pool_argmax_cuda(const Launch& l) {
    return kernels::cuda::backend().pool_argmax(l.out[0], l.in[0],
                                                pool_from(l.attrs, l.in[0], l.out[0]));
}

bool pool_mean_cuda(const Launch& l) {
    return kernels::cuda::backend().pool_mean(
        l.out[0], l.in[0], pool_from(l.attrs, l.in[0], l.out[0]), l.attrs.integer(3));
}

bool pool_spread_cuda(const Launch& l) {
    return kernels::cuda::backend().pool_spread(
        l.out[0], l.in[0], pool_from(l.attrs, l.out[0], l.in[0]), l.attrs.integer(3));
}

Tensor pooled(const Op& op, const Tensor& x, const Attrs& a, const Dims& like) {
    return apply(op, {x}, {a[0], a[1], a[2], a[3], Attr{Dims{like[2], like[3]}}});
}

}  // namespace

namespace ops {
extern const Op pool_mean, pool_spread;
}  // namespace ops

namespace {

// y = M x, each row of M a window's mean  =>  dx = M^T g
void pool_mean_gradient(Backward& n) {
    n.give(0, pooled(ops::pool_spread, n.g(), n.attrs(), n.desc(0).shape));
}

// y = M^T x  =>  dx = M g
void pool_spread_gradient(Backward& n) {
    n.give(0, pooled(ops::pool_mean, n.g(), n.attrs(), n.desc(0).shape));
}

}  // namespace

namespace ops {

constexpr AttrSchema kernel{"kernel", AttrKind::dims}, stride{"stride", AttrKind::dims},
    padding{"padding", AttrKind::dims}, dilation{"dilation", AttrKind::dims},
    divisor{"divisor", AttrKind::integer}, size{"size", AttrKind::dims};

const Op pool_argmax = {.name = "pool_argmax",
                        .inputs = 1,
                        .shape = pool_argmax_shape,
                        .cpu = pool_argmax_cpu,
                        .cuda = pool_argmax_cuda,
                        .attributes = {kernel, stride, padding, dilation, size},
                        .batch = batch_as_samples};
const Op pool_mean = {.name = "pool_mean",
                      .inputs = 1,
                      .shape = pooled_shape,
                      .gradient = pool_mean_gradient,
                      .cpu = pool_mean_cpu,
                      .cuda = pool_mean_cuda,
                      .attributes = {kernel, stride, padding, divisor, size},
                      .batch = batch_as_samples};
const Op pool_spread = {.name = "pool_spread",
                        .inputs = 1,
                        .shape = pool_spread_shape,
                        .gradient = pool_spread_gradient,
                        .cpu = pool_spread_cpu,
                        .cuda = pool_spread_cuda,
                        .attributes = {kernel, stride, padding, divisor, size},
                        .batch = batch_as_samples};

}  // namespace ops

std::span<const Op* const> pooling_ops() {
    static const Op* const list[] = {&ops::pool_argmax, &ops::pool_mean, &ops::pool_spread};
    return list;
}

// ---- what users call ----------------------------------------------------------------------------
namespace {

// x, its batch dim put in front, and the attributes but the fourth.
struct Asked {
    const char* op;
    Tensor given, x;
    Dims kernel, stride, padding, dilation, size;

    Asked(const char* name, const Arg& input, const Pooling& o) : Asked(name, input) {
        if (o.kernel.empty()) fail(ErrorKind::runtime, op, ": kernel_size is one number or two");
        kernel = one_each(op, "kernel_size", o.kernel, 2, 1);
        stride = o.stride.empty() ? kernel : one_each(op, "stride", o.stride, 2, 1);
        padding = one_each(op, "padding", o.padding, 2, 0);
        dilation = one_each(op, "dilation", o.dilation, 2, 1);
        for (int d = 0; d < 2; ++d) count(d, o.ceil_mode);
    }

    // Adaptive windows.
    Asked(const char* name, const Arg& input, const Dims& asked) : Asked(name, input) {
        size = one_each(op, "output_size", asked, 2, -1);
        for (int d = 0; d < 2; ++d)
            if (size[d] == -1) size[d] = x.shape()[2 + d];
        if (x.shape()[2] == 0 || x.shape()[3] == 0)
            fail(ErrorKind::runtime, op, ": input ", text(x.shape()), " has no places");
    }

    Attrs attrs(const Attr& fourth) const {
        return {Attr{kernel}, Attr{stride}, Attr{padding}, fourth, Attr{size}};
    }
    Tensor finished(const Tensor& y) const { return given.dims() == 3 ? squeeze(y, 0) : y; }

  private:
    Asked(const char* name, const Arg& input) : op(name), given(input.tensor) {
        if (!input.is_tensor()) fail(ErrorKind::type, op, ": input must be a tensor");
        x = batched(op, given, 4);
    }

    void count(int d, bool ceil_mode) {
        const std::int64_t from = x.shape()[2 + d], span = dilation[d] * (kernel[d] - 1) + 1;
        if (padding[d] > kernel[d] / 2)
            fail(ErrorKind::runtime, op, ": padding ", text(padding), " is more than half of ",
                 "kernel_size ", text(kernel));
        if (is_unknown(from) && ceil_mode)
            fail(ErrorKind::runtime, op, ": ceil_mode needs to know the size of dim ", 2 + d,
                 " of input ", text(x.shape()), "; give the placeholder that size");
        size.push_back(is_unknown(from) ? new_unknown()
                                        : windows_in(from, padding[d], span, stride[d], ceil_mode));
        if (size[d] == 0 || from == 0)
            fail(ErrorKind::runtime, op, ": a window spans ", span, " in dim ", 2 + d,
                 ", more than input ", text(x.shape()), " with padding ", text(padding), " has");
    }
};

// The largest of each window, and its place in its image. As one row, an image is gathered from.
ValuesIndices largest(const Asked& a) {
    if (a.x.dtype() == DType::boolean)
        fail(ErrorKind::unsupported, a.op, ": is not defined for bool; cast the tensor first");
    const Dims& x = a.x.shape();
    const Tensor index = apply(ops::pool_argmax, {a.x}, a.attrs(Attr{a.dilation}));
    const auto as_row = [&](const Tensor& t) { return flatten(t, 2, 3); };
    const Tensor values = gather(as_row(a.x), 2, as_row(index));
    return {a.finished(reshape(values, {x[0], x[1], index.shape()[2], index.shape()[3]})),
            a.finished(index)};
}

Tensor mean_of(const Asked& a, std::int64_t divisor) {
    if (!is_floating(a.x.dtype()))
        fail(ErrorKind::unsupported, a.op, ": needs a floating dtype, and this tensor is ",
             name_of(a.x.dtype()), "; cast it first");
    return a.finished(apply(ops::pool_mean, {a.x}, a.attrs(Attr{divisor})));
}

}  // namespace

ValuesIndices max_pool2d_with_indices(const Arg& x, const Pooling& options) {
    const Here here(x.where, "max_pool2d");
    return largest(Asked("max_pool2d", x, options));
}

Tensor max_pool2d(const Arg& x, const Pooling& options) {
    const Here here(x.where, "max_pool2d");
    return largest(Asked("max_pool2d", x, options)).values;
}

Tensor avg_pool2d(const Arg& x, const Pooling& options) {
    const Here here(x.where, "avg_pool2d");
    using namespace kernels::cpu;
    if (options.divisor_override && *options.divisor_override < 1)
        fail(ErrorKind::runtime, "avg_pool2d: divisor_override is ", *options.divisor_override,
             ", and must be at least 1");
    const std::int64_t counted = options.count_include_pad ? places_padded : places_inside;
    return mean_of(Asked("avg_pool2d", x, options), options.divisor_override.value_or(counted));
}

Tensor adaptive_avg_pool2d(const Arg& x, const Dims& size) {
    const Here here(x.where, "adaptive_avg_pool2d");
    return mean_of(Asked("adaptive_avg_pool2d", x, size), kernels::cpu::places_inside);
}

ValuesIndices adaptive_max_pool2d_with_indices(const Arg& x, const Dims& size) {
    const Here here(x.where, "adaptive_max_pool2d");
    return largest(Asked("adaptive_max_pool2d", x, size));
}

Tensor adaptive_max_pool2d(const Arg& x, const Dims& size) {
    const Here here(x.where, "adaptive_max_pool2d");
    return largest(Asked("adaptive_max_pool2d", x, size)).values;
}

// ---- rows: pictures with one row ----------------------------------------------------------------
namespace {

Dims of_row(const char* op, const char* what, const Dims& given, std::int64_t other,
            std::int64_t least) {
    return {other, one_each(op, what, given, 1, least)[0]};
}

Pooling of_row(const char* op, const Pooling& o) {
    Pooling p = o;
    if (o.kernel.empty()) fail(ErrorKind::runtime, op, ": kernel_size is one number");
    p.kernel = of_row(op, "kernel_size", o.kernel, 1, 1);
    p.stride = o.stride.empty() ? p.kernel : of_row(op, "stride", o.stride, 1, 1);
    p.padding = of_row(op, "padding", o.padding, 0, 0);
    p.dilation = of_row(op, "dilation", o.dilation, 1, 1);
    return p;
}

// (N, C, L) or (C, L) -> the same with a dim of 1 before the last
Tensor as_picture(const char* op, const Arg& x) {
    if (!x.is_tensor()) fail(ErrorKind::type, op, ": input must be a tensor");
    batched(op, x.tensor, 3);
    return unsqueeze(x, -2);
}

ValuesIndices as_rows(const ValuesIndices& found) {
    return {squeeze(found.values, -2), squeeze(found.indices, -2)};
}

// The mean of x^p over a window, times its places, is the sum.
Tensor rooted(const Tensor& means, double places, double p) {
    const Tensor positive = mul(sign(means), relu(abs(means)));
    return pow(mul(positive, places), 1 / p);
}

}  // namespace

ValuesIndices max_pool1d_with_indices(const Arg& x, const Pooling& options) {
    const char* op = "max_pool1d";
    const Here here(x.where, op);
    return as_rows(largest(Asked(op, as_picture(op, x), of_row(op, options))));
}

Tensor max_pool1d(const Arg& x, const Pooling& options) {
    const Here here(x.where, "max_pool1d");
    return max_pool1d_with_indices(x, options).values;
}

Tensor avg_pool1d(const Arg& x, const Pooling& options) {
    using namespace kernels::cpu;
    const char* op = "avg_pool1d";
    const Here here(x.where, op);
    const std::int64_t counted = options.count_include_pad ? places_padded : places_inside;
    return squeeze(mean_of(Asked(op, as_picture(op, x), of_row(op, options)), counted), -2);
}

Tensor adaptive_avg_pool1d(const Arg& x, std::int64_t size) {
    const char* op = "adaptive_avg_pool1d";
    const Here here(x.where, op);
    const Asked a(op, as_picture(op, x), Dims{-1, size});
    return squeeze(mean_of(a, kernels::cpu::places_inside), -2);
}

ValuesIndices adaptive_max_pool1d_with_indices(const Arg& x, std::int64_t size) {
    const char* op = "adaptive_max_pool1d";
    const Here here(x.where, op);
    return as_rows(largest(Asked(op, as_picture(op, x), Dims{-1, size})));
}

Tensor adaptive_max_pool1d(const Arg& x, std::int64_t size) {
    const Here here(x.where, "adaptive_max_pool1d");
    return adaptive_max_pool1d_with_indices(x, size).values;
}

Tensor lp_pool1d(const Arg& x, double p, const Pooling& options) {
    const char* op = "lp_pool1d";
    const Here here(x.where, op);
    if (is_low(x)) return rounded(lp_pool1d(widened(x), p, options), x);
    const Pooling o = of_row(op, options);
    const Asked a(op, pow(as_picture(op, x), p), o);
    const Tensor means = mean_of(a, kernels::cpu::places_padded);
    return squeeze(rooted(means, static_cast<double>(a.kernel[1]), p), -2);
}

Tensor lp_pool2d(const Arg& x, double p, const Pooling& options) {
    const Here here(x.where, "lp_pool2d");
    if (is_low(x)) return rounded(lp_pool2d(widened(x), p, options), x);
    const Asked a("lp_pool2d", pow(x, p), options);
    const Tensor means = mean_of(a, kernels::cpu::places_padded);
    return rooted(means, static_cast<double>(a.kernel[0] * a.kernel[1]), p);
}

}  // namespace tg
