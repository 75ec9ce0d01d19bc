// Random numbers, drawn from a generator (core/generator.h) by Philox (kernels/philox.h).
#include "core/batching.h"
#include "core/low_precision.h"
#include "core/ops/integers.h"
#include "core/ops/making.h"
#include "core/recording.h"

namespace tg {
namespace {

// A program may be read from a file: so its generator is not taken for granted.
void check_generator(const Op& op, const Desc& state) {
    if (state.dtype != DType::int64 || state.shape != Dims{2} || state.device != Device::cpu)
        fail(ErrorKind::value, op.name, ": the generator is ", text(state), " on ",
             name_of(state.device), ", not the int64 (2,) on cpu that it must be");
}

// generator (2,) int64, seed and offset -> the shape and dtype asked for
Descs random_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    check_generator(op, in[0]);
    return {Desc{attrs.dims(0), attrs.dtype(1), device_at(attrs, 2)}};
}

template <void (*kernel)(const kernels::Array&, std::uint64_t, std::uint64_t)>
void random_cpu(const Launch& l) {
    const auto* state = static_cast<const std::int64_t*>(l.in[0].data);
    kernel(l.out[0], static_cast<std::uint64_t>(state[0]),
           static_cast<std::uint64_t>(state[l.in[0].strides[0]]));
}

// The generator's numbers are on the CPU, wherever the draw is for: so where the device has no
// kernel, the CPU's makes what is then taken there.
template <auto kernel>
bool random_cuda(const Launch& l) {
    const auto* state = static_cast<const std::int64_t*>(l.in[0].data);
    const kernels::Array& out = l.out[0];
    if ((kernels::cuda::backend().*kernel)(out, static_cast<std::uint64_t>(state[0]),
                                           static_cast<std::uint64_t>(state[l.in[0].strides[0]])))
        return true;
    const std::int64_t bytes = out.size() * size_of(out.dtype);
    std::vector<std::uint64_t> room(static_cast<std::size_t>(bytes / 8 + 1));
    kernels::Array host = out;
    host.data = room.data();
    run_on_cpu({l.op, l.attrs, l.in, {&host, 1}});
    copy_bytes(out.data, Device::cuda, host.data, Device::cpu, bytes);
    return true;
}

// generator (2,) int64 -> int64 (n,)
Descs randperm_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    check_generator(op, in[0]);
    return {Desc{{attrs.integer(0)}, DType::int64, device_at(attrs, 1)}};
}

// Passes on what are all probabilities.
void refuse_no_probability(bool found) {
    if (found) fail(ErrorKind::runtime, "probability: an element is below 0, above 1 or NaN");
}

void probability_cpu(const Launch& l) {
    refuse_no_probability(kernels::cpu::holds_no_probability(l.in[0]));
    kernels::cpu::copy(l.out[0], l.in[0]);
}

bool probability_cuda(const Launch& l) {
    const kernels::cuda::Backend& device = kernels::cuda::backend();
    bool found = false;
    if (!device.holds_no_probability(l.in[0], found)) return false;
    refuse_no_probability(found);
    return device.copy(l.out[0], l.in[0]);
}

// weights (rows, columns) and u (rows, draws), both float64 -> int64 (rows, samples)
Descs multinomial_shape(const Op& op, std::span<const Desc> in, const Attrs& attrs) {
    const bool matrices = in[0].shape.size() == 2 && in[1].shape.size() == 2;
    const bool wide = in[0].dtype == DType::float64 && in[1].dtype == DType::float64;
    const std::int64_t samples = attrs.integer(0);
    const std::int64_t drawn = attrs.integer(1) != 0 ? samples : matrices ? in[0].shape[1] : 0;
    if (!matrices || !wide || in[0].shape[0] != in[1].shape[0] || in[1].shape[1] != drawn ||
        samples < 0 || samples > drawn)
        fail(ErrorKind::value, op.name, ": weights ", text(in[0]), " and numbers ", text(in[1]),
             " do not fit ", samples, " samples");
    return {Desc{{in[0].shape[0], samples}, DType::int64, in[0].device}};
}

void multinomial_cpu(const Launch& l) {
    const char* problem =
        kernels::cpu::multinomial(l.out[0], l.in[0], l.in[1], l.attrs.integer(1) != 0);
    if (problem) fail(ErrorKind::runtime, "multinomial: ", problem);
}

}  // namespace

namespace ops {

const Op rand = {.name = "rand",
                 .inputs = 1,
                 .shape = random_shape,
                 .cpu = random_cpu<kernels::cpu::uniform>,
                 .cuda = random_cuda<&kernels::cuda::Backend::uniform>,
                 .attributes = {{"shape", AttrKind::dims},
                                {"dtype", AttrKind::dtype},
                                {"device", AttrKind::integer}},
                 .random = true,
                 .folds = false};
const Op randn = {.name = "randn",
                  .inputs = 1,
                  .shape = random_shape,
                  .cpu = random_cpu<kernels::cpu::normal>,
                  .cuda = random_cuda<&kernels::cuda::Backend::normal>,
                  .attributes = {{"shape", AttrKind::dims},
                                 {"dtype", AttrKind::dtype},
                                 {"device", AttrKind::integer}},
                  .random = true,
                  .folds = false};

const Op randperm = {.name = "randperm",
                     .inputs = 1,
                     .shape = randperm_shape,
                     .cpu = random_cpu<kernels::cpu::shuffle>,
                     .cuda = random_cuda<&kernels::cuda::Backend::shuffle>,
                     .attributes = {{"n", AttrKind::integer}, {"device", AttrKind::integer}},
                     .random = true,
                     .folds = false};
const Op probability = {.name = "probability",
                        .inputs = 1,
                        .shape = same_shape,
                        .cpu = probability_cpu,
                        .cuda = probability_cuda,
                        .batch = batch_aligned};
const Op multinomial = {
    .name = "multinomial",
    .inputs = 2,
    .shape = multinomial_shape,
    .cpu = multinomial_cpu,
    .attributes = {{"samples", AttrKind::integer}, {"replacement", AttrKind::integer}}};

}  // namespace ops

std::span<const Op* const> random_ops() {
    static const Op* const list[] = {&ops::rand, &ops::randn, &ops::randperm, &ops::probability,
                                     &ops::multinomial};
    return list;
}

// ---- what users call ----------------------------------------------------------------------------

namespace {

Tensor floats(const Op& op, const Dims& shape, DType dtype, Device device,
              const Generator& generator) {
    return generator.draw(op, {Attr{shape}, Attr{dtype}, as_attr(device)}, element_count(shape));
}

Tensor floats(const Op& op, const Dims& shape, const Options& options, const Generator& generator,
              const Where& where) {
    const Here here(where);
    check_shape(op.name, shape);
    if (!is_floating(options.dtype))
        fail(ErrorKind::unsupported, op.name, ": ", name_of(options.dtype),
             " is not a floating dtype");
    generator.check_device(op.name, options.device);
    return ready(floats(op, shape, options.dtype, options.device, generator), options);
}

}  // namespace

void manual_seed(std::uint64_t seed) { default_generator().manual_seed(seed); }
Tensor rng_state() { return default_generator().get_state(); }
void set_rng_state(const Tensor& state) { default_generator().set_state(state); }

Tensor rand(const Dims& shape, Options options, const Generator& generator, Where where) {
    return floats(ops::rand, shape, options, generator, where);
}

Tensor randn(const Dims& shape, Options options, const Generator& generator, Where where) {
    return floats(ops::randn, shape, options, generator, where);
}

// low + floor(u (high - low)), of a u of 53 bits
Tensor randint(std::int64_t low, std::int64_t high, const Dims& shape, Options options,
               const Generator& generator, Where where) {
    const Here here(where, "randint");
    std::int64_t span = 0;
    if (low >= high)
        fail(ErrorKind::runtime, "randint: low is ", low, " and high ", high,
             "; low must be below high");
    if (__builtin_sub_overflow(high, low, &span) || span > (std::int64_t{1} << 53))
        fail(ErrorKind::runtime, "randint: from ", low, " to ", high,
             " are more than 2^53 numbers");
    check_fits("randint", low, options.dtype);
    check_fits("randint", high - 1, options.dtype);
    check_shape("randint", shape);
    generator.check_device("randint", options.device);
    const Tensor u = floats(ops::rand, shape, DType::float64, options.device, generator);
    const Tensor y = add(cast(mul(u, static_cast<double>(span)), DType::int64), low);
    return ready(cast(y, options.dtype), options);
}

Tensor randperm(std::int64_t n, Options options, const Generator& generator, Where where) {
    const Here here(where, "randperm");
    if (n < 0) fail(ErrorKind::runtime, "randperm: n is ", n, ", and must be at least 0");
    check_fits("randperm", n > 0 ? n - 1 : 0, options.dtype);
    generator.check_device("randperm", options.device);
    const Tensor order = generator.draw(ops::randperm, {Attr{n}, as_attr(options.device)}, n);
    return ready(cast(order, options.dtype), options);
}

Tensor bernoulli(const Arg& p, const Generator& generator) {
    const Here here(p.where, "bernoulli");
    const DType dtype = p.tensor.dtype();
    if (!is_floating(dtype))
        fail(ErrorKind::unsupported, "bernoulli: the probabilities are ", name_of(dtype),
             ", not of a floating dtype");
    const Tensor u = rand(p.tensor.shape(), {dtype, p.tensor.device()}, generator);
    return cast(lt(u, apply(ops::probability, {p})), dtype);
}

// mean + std z, with z from a normal distribution of mean 0 and variance 1
Tensor normal(const Arg& mean, const Arg& std, const Generator& generator) {
    const Here here(mean.where, "normal");
    if (!std.is_tensor() && !(std.scalar.as_real() >= 0))
        fail(ErrorKind::runtime, "normal: std is ", text(std.scalar), ", and must be at least 0");
    const NoGrad mode;
    const bool known = std.is_tensor() && !std.tensor.is_symbolic() && !recording();
    if (known && any(lt(std, 0)).item<bool>())
        fail(ErrorKind::runtime, "normal: an element of std ", text(std.tensor.shape()),
             " is below 0");
    const Tensor& like = mean.is_tensor() ? mean.tensor : std.tensor;
    if (!is_floating(like.dtype()))
        fail(ErrorKind::unsupported, "normal: is not defined for ", name_of(like.dtype()),
             "; cast the tensor first");
    Dims shape = like.shape();
    if (std.is_tensor()) shape = broadcast("normal", shape, std.tensor.shape());
    const Tensor z = randn(shape, {like.dtype(), like.device()}, generator);
    return add(mul(z, std), mean);
}

Tensor multinomial(const Arg& weights, std::int64_t samples, bool replacement,
                   const Generator& generator) {
    const Here here(weights.where, "multinomial");
    const Tensor& w = weights.tensor;
    if (w.dims() != 1 && w.dims() != 2)
        fail(ErrorKind::runtime, "multinomial: weights ", text(w.shape()),
             " are neither (columns,) nor (rows, columns)");
    if (!is_floating(w.dtype()))
        fail(ErrorKind::runtime, "multinomial: the weights are ", name_of(w.dtype()),
             ", not of a floating dtype");
    const std::int64_t columns = known_size("multinomial", w, w.dims() - 1);
    if (samples < 1 || (!replacement && samples > columns))
        fail(ErrorKind::runtime, "multinomial: ", samples, " samples of ", columns, " columns",
             samples < 1 ? "; there must be at least 1" : " without replacement");
    if (w.dims() == 1)
        return squeeze(multinomial(unsqueeze(weights, 0), samples, replacement, generator), 0);
    const std::int64_t rows = known_size("multinomial", w, 0);
    const Tensor u =
        rand({rows, replacement ? samples : columns}, {DType::float64, w.device()}, generator);
    return apply(ops::multinomial, {cast(weights, DType::float64), u},
                 {Attr{samples}, Attr{std::int64_t{replacement}}});
}

}  // namespace tg
