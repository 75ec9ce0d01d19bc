// Convolutions. Three records that are each other's gradients, see kernels/cpu/convolution.h:
//
//   convolution         x (N, G C, H, W), w (G O, C, A, B)       -> y (N, G O, I, J)
//   convolution_input   y, w and the (H, W) that is wanted       -> x
//   convolution_weight  x, y and the (A, B) that is wanted       -> w
//
// All keep the first window's padding and are told the size of what they make: so a padding that
// is not the same on both sides, or rows that no window reaches, need no words of their own.
#include "kernels/cpu/convolution.h"

#include "core/autocast.h"
#include "core/ops/windows.h"

namespace tg {
namespace {

// attributes: stride, padding, dilation, groups, size
kernels::cpu::Windows windows_from(const Attrs& attrs) {
    kernels::cpu::Windows w;
    for (int d = 0; d < 2; ++d) {
        w.stride[d] = attrs.dims(0)[d];
        w.padding[d] = attrs.dims(1)[d];
        w.dilation[d] = attrs.dims(2)[d];
    }
    w.groups = attrs.integer(3);
    return w;
}

bool agree(std::int64_t a, std::int64_t b) { return a == b || is_unknown(a) || is_unknown(b); }
bool divides(std::int64_t a, std::int64_t b) { return is_unknown(b) || b % a == 0; }

// `outs` and, unless they are told, `taps`: whose channels, and whose rows and columns.
void check_operands(const Op& op, std::span<const Desc> in, const Attrs& attrs, const Dims& outs,
                    const Dims* taps = nullptr) {
    check_image(op, in[0]);
    check_image(op, in[1]);
    check_pair(op, "stride", attrs.dims(0), 1);
    check_pair(op, "padding", attrs.dims(1), 0);
    check_pair(op, "dilation", attrs.dims(2), 1);
    check_size(op, attrs.dims(4));
    const std::int64_t groups = attrs.integer(3);
    if (groups < 1 || groups > largest_step || !divides(groups, outs[taps ? 0 : 1]) ||
        in[0].dtype != in[1].dtype)
        fail(ErrorKind::value, op.name, ": ", text(in[0]), " and ", text(in[1]),
             " do not go together in ", groups, " groups");
    for (int d = 0; d < 2; ++d)
        if (const std::int64_t n = taps ? (*taps)[2 + d] : attrs.dims(4)[d]; n > largest_step)
            fail(ErrorKind::value, op.name, ": ", n, " taps are more than ", largest_step);
}

[[noreturn]] void misfit(const Op& op, const char* a, const Desc& first, const char* b,
                         const Desc& second) {
    fail(ErrorKind::runtime, op.name, ": ", a, " ", text(first), " does not fit ", b, " ",
         text(second));
}

// x (N, C, H, W), w (O, C / groups, A, B) -> (N, O, size). An (I, J) that is not known follows from
// an (H, W) that is.
Descs convolution_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    const Dims& x = in[0].shape;
    const Dims& w = in[1].shape;
    check_operands(op, in, attrs, w, &w);
    const bool known = !is_unknown(x[1]) && !is_unknown(w[1]);
    if (known && x[1] != w[1] * attrs.integer(3)) misfit(op, "x", in[0], "w", in[1]);
    Dims y{x[0], w[0], attrs.dims(4)[0], attrs.dims(4)[1]};
    for (int d = 0; d < 2; ++d) {
        if (!is_unknown(y[2 + d]) || is_unknown(x[2 + d]) || is_unknown(w[2 + d])) continue;
        const std::int64_t span = attrs.dims(2)[d] * (w[2 + d] - 1) + 1;
        y[2 + d] = windows_in(x[2 + d], attrs.dims(1)[d], span, attrs.dims(0)[d]);
        if (y[2 + d] < 1)
            fail(ErrorKind::runtime, op.name, ": no window of ", text(w), " fits into ", text(x),
                 " with padding ", text(attrs.dims(1)));
    }
    return {Desc{y, in[0].dtype, in[0].device}};
}

// y (N, O, I, J), w (O, C / groups, A, B) -> (N, C, size). An (H, W) that is not known is the least
// that has these windows.
Descs convolution_input_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    const Dims& y = in[0].shape;
    const Dims& w = in[1].shape;
    check_operands(op, in, attrs, w, &w);
    if (!agree(y[1], w[0])) misfit(op, "y", in[0], "w", in[1]);
    const std::int64_t channels = is_unknown(w[1]) ? w[1] : w[1] * attrs.integer(3);
    Dims x{y[0], channels, attrs.dims(4)[0], attrs.dims(4)[1]};
    for (int d = 0; d < 2; ++d) {
        if (!is_unknown(x[2 + d]) || is_unknown(y[2 + d]) || is_unknown(w[2 + d])) continue;
        const std::int64_t span = attrs.dims(2)[d] * (w[2 + d] - 1) + 1;
        std::int64_t last = 0;  // where the last window begins
        const bool over = __builtin_mul_overflow(y[2 + d] - 1, attrs.dims(0)[d], &last) ||
                          __builtin_add_overflow(last, span - 2 * attrs.dims(1)[d], &x[2 + d]);
        if (over || x[2 + d] < 0)
            fail(ErrorKind::runtime, op.name, ": with stride ", text(attrs.dims(0)),
                 " and padding ", text(attrs.dims(1)), ", ", text(y), " comes of no size");
    }
    return {Desc{x, in[0].dtype, in[0].device}};
}

// x (N, C, H, W), y (N, O, I, J) -> (O, C / groups, size)
Descs convolution_weight_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    const Dims& x = in[0].shape;
    const Dims& y = in[1].shape;
    check_operands(op, in, attrs, y);
    if (!agree(x[0], y[0]) || !divides(attrs.integer(3), x[1])) misfit(op, "x", in[0], "y", in[1]);
    const std::int64_t channels = is_unknown(x[1]) ? x[1] : x[1] / attrs.integer(3);
    return {Desc{{y[1], channels, attrs.dims(4)[0], attrs.dims(4)[1]}, in[0].dtype, in[0].device}};
}

void convolution_cpu(const Launch& l) {
    kernels::cpu::convolution(l.out[0], l.in[0], l.in[1], windows_from(l.attrs));
}
void convolution_input_cpu(const Launch& l) {
    kernels::cpu::convolution_input(l.out[0], l.in[1], l.in[0], windows_from(l.attrs));
}
void convolution_weight_cpu(const Launch& l) {
    kernels::cpu::convolution_weight(l.out[0], l.in[0], l.in[1], windows_from(l.attrs));
}

bool convolution_cuda(const Launch& l) {
    return kernels::cuda::backend().convolution(l.out[0], l.in[0], l.in[1], windows_from(l.attrs));
}
bool convolution_input_cuda(const Launch& l) {
    return kernels::cuda::backend().convolution_input(l.out[0], l.in[1], l.in[0],
                                                      windows_from(l.attrs));
}
bool convolution_weight_cuda(const Launch& l) {
    return kernels::cuda::backend().convolution_weight(l.out[0], l.in[0], l.in[1],
                                                       windows_from(l.attrs));
}

// One of the three, for the size of a tensor that is known.
Tensor applied(const Op& op, const Arg& a, const Arg& b, const Attrs& attrs, const Dims& like) {
    return apply(op, {a, b},
                 {attrs[0], attrs[1], attrs[2], attrs[3], Attr{Dims{like[2], like[3]}}});
}

}  // namespace

namespace ops {
extern const Op convolution, convolution_input, convolution_weight;
}  // namespace ops

namespace {

// All three follow from T(x, w, y) of the kernels, which is linear in each: <g, y> = T(x, w, g).

// y = convolution(x, w)  =>  dx = convolution_input(g, w), dw = convolution_weight(x, g)
void convolution_gradient(Backward& n) {
    if (n.wants(0))
        n.give(0, applied(ops::convolution_input, n.g(), n.input(1), n.attrs(), n.desc(0).shape));
    if (n.wants(1))
        n.give(1, applied(ops::convolution_weight, n.input(0), n.g(), n.attrs(), n.desc(1).shape));
}

// x = convolution_input(y, w)  =>  dy = convolution(g, w), dw = convolution_weight(g, y)
void convolution_input_gradient(Backward& n) {
    if (n.wants(0))
        n.give(0, applied(ops::convolution, n.g(), n.input(1), n.attrs(), n.desc(0).shape));
    if (n.wants(1))
        n.give(1, applied(ops::convolution_weight, n.g(), n.input(0), n.attrs(), n.desc(1).shape));
}

// w = convolution_weight(x, y)  =>  dx = convolution_input(y, g), dy = convolution(x, g)
void convolution_weight_gradient(Backward& n) {
    if (n.wants(0))
        n.give(0, applied(ops::convolution_input, n.input(1), n.g(), n.attrs(), n.desc(0).shape));
    if (n.wants(1))
        n.give(1, applied(ops::convolution, n.input(0), n.g(), n.attrs(), n.desc(1).shape));
}

}  // namespace

namespace ops {

constexpr AttrSchema windows[] = {{"stride", AttrKind::dims},
                                  {"padding", AttrKind::dims},
                                  {"dilation", AttrKind::dims},
                                  {"groups", AttrKind::integer},
                                  {"size", AttrKind::dims}};

const Op convolution = {.name = "convolution",
                        .inputs = 2,
                        .shape = convolution_shape,
                        .gradient = convolution_gradient,
                        .needs = {{Need::b}, {Need::a}},
                        .cpu = convolution_cpu,
                        .cuda = convolution_cuda,
                        .attributes = {windows[0], windows[1], windows[2], windows[3], windows[4]},
                        .batch = batch_convolved};
const Op convolution_input = {
    .name = "convolution_input",
    .inputs = 2,
    .shape = convolution_input_shape,
    .gradient = convolution_input_gradient,
    .needs = {{Need::b}, {Need::a}},
    .cpu = convolution_input_cpu,
    .cuda = convolution_input_cuda,
    .attributes = {windows[0], windows[1], windows[2], windows[3], windows[4]},
    .batch = batch_convolved};
const Op convolution_weight = {
    .name = "convolution_weight",
    .inputs = 2,
    .shape = convolution_weight_shape,
    .gradient = convolution_weight_gradient,
    .needs = {{Need::b}, {Need::a}},
    .cpu = convolution_weight_cpu,
    .cuda = convolution_weight_cuda,
    .attributes = {windows[0], windows[1], windows[2], windows[3], windows[4]},
    .batch = batch_convolution_weight};

}  // namespace ops

std::span<const Op* const> convolution_ops() {
    static const Op* const list[] = {&ops::convolution, &ops::convolution_input,
                                     &ops::convolution_weight};
    return list;
}

// ---- what users call ----------------------------------------------------------------------------
namespace {

// The options of a convolution over `n` dims, each with one number a dim; n is 1 or 2.
struct Asked {
    const char* op;
    int n;
    Dims stride, padding, dilation, output_padding;
    std::int64_t groups;
    bool same;

    Asked(const char* name, int dims, const Convolution& o)
        : op(name),
          n(dims),
          stride(one_each(name, "stride", o.stride, dims, 1)),
          dilation(one_each(name, "dilation", o.dilation, dims, 1)),
          output_padding(one_each(name, "output_padding", o.output_padding, dims, 0)),
          groups(o.groups),
          same(o.padding.word == "same") {
        if (!same && !o.padding.word.empty() && o.padding.word != "valid")
            fail(ErrorKind::runtime, op, ": padding is '", o.padding.word,
                 "'; the words are same and valid");
        padding = one_each(op, "padding", o.padding.word.empty() ? o.padding.dims : Dims{0}, n, 0);
        for (std::int64_t s : stride)
            if (same && s != 1)
                fail(ErrorKind::runtime, op, ": padding 'same' needs stride 1, not ", text(stride));
        if (groups < 1)
            fail(ErrorKind::runtime, op, ": groups is ", groups, ", and must be at least 1");
    }

    std::int64_t span(const Tensor& weight, int d) const {
        const std::int64_t taps = weight.shape()[2 + d];
        return is_unknown(taps) ? taps : dilation[d] * (taps - 1) + 1;
    }
    Attrs attrs(Dims size) const {
        Dims lists[] = {stride, padding, dilation, size};
        for (Dims& list : lists)  // of one dim: a picture of one row
            if (n == 1) list.insert(0, &list == &lists[1] ? 0 : 1);
        return {Attr{lists[0]}, Attr{lists[1]}, Attr{lists[2]}, Attr{groups}, Attr{lists[3]}};
    }
};

void check_tensors(const Asked& a, const Arg& x, const Arg& weight, const Tensor& bias) {
    if (!x.is_tensor() || !weight.is_tensor())
        fail(ErrorKind::type, a.op, ": input and weight must be tensors");
    const Tensor& w = weight.tensor;
    if (w.dims() != a.n + 2)
        fail(ErrorKind::runtime, a.op, ": weight ", text(w.shape()), " has ", w.dims(),
             w.dims() == 1 ? " dim, not " : " dims, not ", a.n + 2);
    for (int d = 2; d < w.dims(); ++d)
        if (w.shape()[d] == 0 || w.shape()[d] > largest_step)
            fail(ErrorKind::runtime, a.op, ": weight ", text(w.shape()),
                 " must have at least 1 and at most ", largest_step, " taps in dim ", d);
    if (x.tensor.dtype() != w.dtype())
        fail(ErrorKind::runtime, a.op, ": input is ", name_of(x.tensor.dtype()), " and weight is ",
             name_of(w.dtype()), "; cast one of them");
    if (w.dtype() == DType::boolean)
        fail(ErrorKind::unsupported, a.op, ": is not defined for bool; cast the tensors first");
    if (bias.defined() && bias.dtype() != w.dtype())
        fail(ErrorKind::runtime, a.op, ": bias is ", name_of(bias.dtype()), " and weight is ",
             name_of(w.dtype()), "; cast one of them");
}

void check_channels(const Asked& a, const Tensor& x, const Tensor& w, std::int64_t wanted) {
    if (!agree(x.shape()[1], wanted))
        fail(ErrorKind::runtime, a.op, ": input ", text(x.shape()), " has ", x.shape()[1],
             " channels, but weight ", text(w.shape()), " with groups ", a.groups, " takes ",
             wanted);
    if (!is_unknown(w.shape()[0]) && (w.shape()[0] % a.groups != 0 || w.shape()[0] == 0))
        fail(ErrorKind::runtime, a.op, ": weight ", text(w.shape()), " has ", w.shape()[0],
             " in dim 0, which is no positive multiple of groups ", a.groups);
}

// y + bias (O,) for each channel, and the dims that were added taken off again.
Tensor finished(const Asked& a, const Tensor& x, Tensor y, const Tensor& bias) {
    if (a.n == 1) y = squeeze(y, 2);
    if (bias.defined()) {
        const std::int64_t outs = y.shape()[1];
        if (bias.dims() != 1 || !agree(bias.shape()[0], outs))
            fail(ErrorKind::runtime, a.op, ": bias ", text(bias.shape()), " needs one number for ",
                 "each of ", outs, " channels of the result");
        Dims shape = Dims::of(a.n + 1, 1);
        shape[0] = bias.shape()[0];
        y = add(y, reshape(bias, shape));
    }
    return x.dims() == a.n + 1 ? squeeze(y, 0) : y;
}

// (N, C, L) as (N, C, 1, L)
Tensor as_picture(const Tensor& x) { return x.dims() == 3 ? unsqueeze(x, 2) : x; }

Tensor convolved(Asked a, const Arg& input, const Arg& weight, const Tensor& bias) {
    check_tensors(a, input, weight, bias);
    const Tensor& w = weight.tensor;
    const Tensor x = batched(a.op, input.tensor, a.n + 2);
    const std::int64_t taken = is_unknown(w.shape()[1]) ? w.shape()[1] : w.shape()[1] * a.groups;
    check_channels(a, x, w, taken);
    Dims size;
    for (int d = 0; d < a.n; ++d) {
        const std::int64_t from = x.shape()[2 + d], span = a.span(w, d);
        if (a.same) a.padding[d] = (span - 1) / 2;
        size.push_back(is_unknown(from) || is_unknown(span) ? new_unknown() : 0);
        if (a.same)
            size[d] = from;
        else if (!is_unknown(size[d]))
            size[d] = windows_in(from, a.padding[d], span, a.stride[d]);
        if (size[d] == 0 && !(a.same && from == 0))
            fail(ErrorKind::runtime, a.op, ": the kernel of weight ", text(w.shape()), " spans ",
                 span, " in dim ", 2 + d, ", more than input ", text(x.shape()), " with padding ",
                 text(a.padding), " has");
    }
    return finished(a, input.tensor,
                    apply(ops::convolution, {as_picture(x), as_picture(w)}, a.attrs(size)), bias);
}

}  // namespace

Tensor conv2d(const Arg& x, const Arg& weight, const Tensor& bias, const Convolution& options) {
    const Here here(x.where, "conv2d");
    if (lowers(x.tensor, weight.tensor, bias))
        return conv2d(lowered(x), lowered(weight), lowered(bias), options);
    return convolved(Asked("conv2d", 2, options), x, weight, bias);
}

Tensor conv1d(const Arg& x, const Arg& weight, const Tensor& bias, const Convolution& options) {
    const Here here(x.where, "conv1d");
    if (lowers(x.tensor, weight.tensor, bias))
        return conv1d(lowered(x), lowered(weight), lowered(bias), options);
    return convolved(Asked("conv1d", 1, options), x, weight, bias);
}

namespace {

// The least size that has these windows, (I - 1) s + span - 2 p, and output_padding rows more,
// which no window but the last reaches: of each s sizes with as many windows, that picks one.
Tensor transposed(const Asked& a, const Arg& input, const Arg& weight, const Tensor& bias,
                  const Padding& padding) {
    check_tensors(a, input, weight, bias);
    if (!padding.word.empty())
        fail(ErrorKind::type, a.op, ": padding is a number or two, not '", padding.word, "'");
    const Tensor& w = weight.tensor;
    const Tensor x = batched(a.op, input.tensor, a.n + 2);
    check_channels(a, x, w, w.shape()[0]);
    Dims size;
    for (int d = 0; d < a.n; ++d) {
        const std::int64_t from = x.shape()[2 + d], span = a.span(w, d);
        const std::int64_t more = a.output_padding[d];
        if (more > 0 && more >= a.stride[d] && more >= a.dilation[d])
            fail(ErrorKind::runtime, a.op, ": output_padding ", text(a.output_padding),
                 " must be smaller than stride ", text(a.stride), " or dilation ",
                 text(a.dilation));
        if (is_unknown(from) || is_unknown(span)) {
            if (more > 0)
                fail(ErrorKind::runtime, a.op, ": output_padding ", text(a.output_padding),
                     " needs to know the size of dim ", 2 + d, " of input ", text(x.shape()),
                     "; give the placeholder that size");
            size.push_back(new_unknown());
            continue;
        }
        std::int64_t reach = 0;
        if (__builtin_mul_overflow(from - 1, a.stride[d], &reach) ||
            __builtin_add_overflow(reach, span + more - 2 * a.padding[d], &reach) || reach < 1 ||
            from < 1)
            fail(ErrorKind::runtime, a.op, ": input ", text(x.shape()), " and weight ",
                 text(w.shape()), " with padding ", text(a.padding), " give no size in dim ",
                 2 + d);
        size.push_back(reach);
    }
    return finished(a, input.tensor,
                    apply(ops::convolution_input, {as_picture(x), as_picture(w)}, a.attrs(size)),
                    bias);
}

}  // namespace

Tensor conv_transpose2d(const Arg& x, const Arg& weight, const Tensor& bias,
                        const Convolution& options) {
    const Here here(x.where, "conv_transpose2d");
    if (lowers(x.tensor, weight.tensor, bias))
        return conv_transpose2d(lowered(x), lowered(weight), lowered(bias), options);
    return transposed(Asked("conv_transpose2d", 2, options), x, weight, bias, options.padding);
}

Tensor conv_transpose1d(const Arg& x, const Arg& weight, const Tensor& bias,
                        const Convolution& options) {
    const Here here(x.where, "conv_transpose1d");
    if (lowers(x.tensor, weight.tensor, bias))
        return conv_transpose1d(lowered(x), lowered(weight), lowered(bias), options);
    return transposed(Asked("conv_transpose1d", 1, options), x, weight, bias, options.padding);
}

}  // namespace tg
