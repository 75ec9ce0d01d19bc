// Tensors from nothing: filled, counted, given. Random ones are in random.cc.
#include <cstring>

#include "core/batching.h"
#include "core/ops/integers.h"
#include "core/ops/making.h"
#include "core/ops/structural.h"
#include "core/pinned.h"
#include "core/recording.h"

namespace tg {
namespace {

// -> the shape, dtype and device asked for
Descs full_shape(const Op&, std::span<const Desc>, const Attrs& attrs) {
    return {Desc{attrs.dims(0), attrs.dtype(1), device_at(attrs, 2)}};
}

void full_cpu(const Launch& l) {
    if (std::holds_alternative<double>(l.attrs[3].value))
        kernels::cpu::fill(l.out[0], l.attrs.real(3));
    else
        kernels::cpu::fill(l.out[0], l.attrs.integer(3));
}

// One element is made on the host, by the CPU's kernel, and repeated on the device.
bool full_cuda(const Launch& l) {
    alignas(8) unsigned char element[8] = {};
    const kernels::Array one = array_of(element, l.out[0].dtype, Layout{});
    full_cpu({l.op, l.attrs, {}, {&one, 1}});
    return kernels::cuda::backend().fill(l.out[0], element);
}

// -> (end,)
Descs arange_shape(const Op&, std::span<const Desc>, const Attrs& attrs) {
    return {Desc{{attrs.integer(0)}, attrs.dtype(1), device_at(attrs, 2)}};
}

void arange_cpu(const Launch& l) { kernels::cpu::arange(l.out[0]); }
bool arange_cuda(const Launch& l) { return kernels::cuda::backend().arange(l.out[0]); }

// -> the shape and dtype asked for: a tensor's bytes, baked in
Descs constant_shape(const Op&, std::span<const Desc>, const Attrs& attrs) {
    const auto bytes = static_cast<std::int64_t>(attrs.string(2).size());
    if (element_count(attrs.dims(0)) * size_of(attrs.dtype(1)) != bytes)
        fail(ErrorKind::value, "constant: ", bytes, " bytes are no ", name_of(attrs.dtype(1)), " ",
             text(attrs.dims(0)));
    return {Desc{attrs.dims(0), attrs.dtype(1), Device::cpu}};
}

void constant_cpu(const Launch& l) {
    const std::string& bytes = l.attrs.string(2);
    if (!bytes.empty()) std::memcpy(l.out[0].data, bytes.data(), bytes.size());
}

// x -> x's shape: a copy on another device
Descs to_shape(const Op&, std::span<const Desc> in, const Attrs& attrs) {
    return {Desc{in[0].shape, in[0].dtype, device_at(attrs, 0)}};
}

void to_kernel(const Launch& l) {
    copy_bytes(l.out[0].data, device_at(l.attrs, 0), l.in[0].data, device_at(l.attrs, 1),
               l.out[0].size() * size_of(l.out[0].dtype));
}

bool to_cuda(const Launch& l) {
    to_kernel(l);
    return true;
}

// y = x on another device  =>  dx = g on x's
void to_gradient(Backward& n) { n.give(0, to(n.g(), device_at(n.attrs(), 1))); }

}  // namespace

namespace ops {

const Op full = {.name = "full",
                 .inputs = 0,
                 .shape = full_shape,
                 .cpu = full_cpu,
                 .cuda = full_cuda,
                 .attributes = {{"shape", AttrKind::dims},
                                {"dtype", AttrKind::dtype},
                                {"device", AttrKind::integer},
                                {"value", AttrKind::real}}};
const Op arange = {
    .name = "arange",
    .inputs = 0,
    .shape = arange_shape,
    .cpu = arange_cpu,
    .cuda = arange_cuda,
    .attributes = {
        {"end", AttrKind::integer}, {"dtype", AttrKind::dtype}, {"device", AttrKind::integer}}};
const Op constant = {.name = "constant",
                     .inputs = 0,
                     .shape = constant_shape,
                     .cpu = constant_cpu,
                     .attributes = {{"shape", AttrKind::dims},
                                    {"dtype", AttrKind::dtype},
                                    {"bytes", AttrKind::string}},
                     .low_precision = true};
const Op to = {.name = "to",
               .inputs = 1,
               .shape = to_shape,
               .gradient = to_gradient,
               .cpu = to_kernel,
               .cuda = to_cuda,
               .attributes = {{"device", AttrKind::integer}, {"from", AttrKind::integer}},
               .low_precision = true,
               .batch = batch_aligned};

}  // namespace ops

std::span<const Op* const> creation_ops() {
    static const Op* const list[] = {&ops::full, &ops::arange, &ops::constant, &ops::to};
    return list;
}

Tensor ready(const Tensor& t, const Options& options) {
    Tensor out = t.device() == options.device ? t : to(t, options.device);
    if (options.requires_grad) out.requires_grad_(true, current_line());
    return out;
}

void check_shape(const char* op, const Dims& shape) {
    for (std::int64_t d : shape)
        if (d < 0 && !is_unknown(d))
            fail(ErrorKind::runtime, op, ": the shape ", text(shape), " has a negative size");
}

Tensor full(const Dims& shape, Scalar value, Options options) {
    check_shape("full", shape);
    check_fits("full", value, options.dtype);
    const Attr number = is_floating(value.dtype) ? Attr{value.real} : Attr{value.integer};
    const Tensor t = apply(ops::full, std::span<const Arg>{},
                           {Attr{shape}, Attr{options.dtype}, as_attr(options.device), number});
    return ready(t, options);
}

Tensor zeros(const Dims& shape, Options options) {
    check_shape("zeros", shape);
    return full(shape, 0, options);
}

Tensor ones(const Dims& shape, Options options) {
    check_shape("ones", shape);
    return full(shape, 1, options);
}

Tensor zeros_like(const Tensor& x) { return zeros(x.shape(), {x.dtype(), x.device()}); }
Tensor ones_like(const Tensor& x) { return ones(x.shape(), {x.dtype(), x.device()}); }
Tensor scalar_tensor(Scalar value, Options options) { return full({}, value, options); }

Tensor arange(std::int64_t end, Options options) {
    if (end < 0) fail(ErrorKind::runtime, "arange: the end is ", end, ", below 0");
    return ready(apply(ops::arange, std::span<const Arg>{},
                       {Attr{end}, Attr{options.dtype}, as_attr(options.device)}),
                 options);
}

// The values are copied before any recording could see them, so they run at once in all modes.
template <class T>
static Tensor filled_with(const T* values, std::int64_t n, const Dims& shape, DType from,
                          Options options) {
    const RecordingScope now(nullptr);
    Tensor t = empty(shape, {from, Device::cpu});
    if (n > 0) std::memcpy(t.data(), values, static_cast<std::size_t>(n) * sizeof(T));
    return ready(cast(t, options.dtype), options);
}

Tensor tensor_of_floats(const std::vector<float>& values, Options options) {
    const auto n = static_cast<std::int64_t>(values.size());
    return filled_with(values.data(), n, {n}, DType::float32, options);
}

Tensor tensor_of_integers(const std::vector<std::int64_t>& values) {
    const auto n = static_cast<std::int64_t>(values.size());
    return filled_with(values.data(), n, {n}, DType::int64, {.dtype = DType::int64});
}

namespace {

// Appends the numbers of one level in order; every row must look like the first.
void flatten_into(const std::vector<Braces>& rows, int depth, Dims& shape,
                  std::vector<double>& numbers) {
    if (depth == shape.size()) shape.push_back(static_cast<std::int64_t>(rows.size()));
    if (shape[depth] != static_cast<std::int64_t>(rows.size()))
        fail(ErrorKind::value, "tensor: a row of dim ", depth, " has ", rows.size(),
             " elements, and the first one ", shape[depth]);
    for (const Braces& row : rows) {
        if (row.nested != rows[0].nested || (!row.nested && shape.size() > depth + 1))
            fail(ErrorKind::value, "tensor: dim ", depth, " holds both numbers and rows");
        if (row.nested)
            flatten_into(row.list, depth + 1, shape, numbers);
        else
            numbers.push_back(row.number);
    }
}

}  // namespace

Tensor tensor(std::initializer_list<Braces> rows, Options options) {
    Dims shape;
    std::vector<double> numbers;
    flatten_into(rows, 0, shape, numbers);
    return filled_with(numbers.data(), static_cast<std::int64_t>(numbers.size()), shape,
                       DType::float64, options);
}

Tensor constant(const Tensor& x) {
    if (x.is_symbolic()) x.data();  // throws
    Tensor host;
    {
        const RecordingScope now(nullptr);
        const NoGrad mode;
        host = contiguous(to(x.detach(), Device::cpu));
    }
    const auto* bytes = static_cast<const char*>(host.data());
    const std::string copy(bytes, static_cast<std::size_t>(host.numel() * size_of(host.dtype())));
    const Tensor t = apply(ops::constant, std::span<const Arg>{},
                           {Attr{host.shape()}, Attr{host.dtype()}, Attr{copy}});
    return to(t, x.device());
}

Tensor to(const Arg& x, Device device, bool non_blocking) {
    const Here here(x.where);
    if (x.tensor.device() == device) return x.tensor;
    const BegunCopies begun(non_blocking);
    return apply(ops::to, {contiguous(x)}, {as_attr(device), as_attr(x.tensor.device())});
}

}  // namespace tg
