// Random numbers, all drawn from one generator: Philox, see kernels/philox.h.
#include <mutex>

#include "core/history.h"
#include "core/ops/creation.h"

namespace tg {
namespace {

// generator (2,) int64: seed and offset -> numbers. attributes: shape, dtype
Descs random_shape(const Op&, std::span<const Desc>, const Attrs& attrs) {
    return {Desc{attrs.dims(0), attrs.dtype(1), Device::cpu}};
}

template <void (*kernel)(const kernels::Array&, std::uint64_t, std::uint64_t)>
void random_cpu(const Launch& l) {
    const auto* state = static_cast<const std::int64_t*>(l.in[0].data);
    kernel(l.out[0], static_cast<std::uint64_t>(state[0]),
           static_cast<std::uint64_t>(state[l.in[0].strides[0]]));
}

}  // namespace

namespace ops {

const Op rand = {.name = "rand",
                 .inputs = 1,
                 .shape = random_shape,
                 .cpu = random_cpu<kernels::cpu::uniform>,
                 .attributes = {{"shape", AttrKind::dims}, {"dtype", AttrKind::dtype}},
                 .random = true,
                 .folds = false};
const Op randn = {.name = "randn",
                  .inputs = 1,
                  .shape = random_shape,
                  .cpu = random_cpu<kernels::cpu::normal>,
                  .attributes = {{"shape", AttrKind::dims}, {"dtype", AttrKind::dtype}},
                  .random = true,
                  .folds = false};

}  // namespace ops

std::span<const Op* const> random_ops() {
    static const Op* const list[] = {&ops::rand, &ops::randn};
    return list;
}

// ---- the generator ------------------------------------------------------------------------------

// The generator is a variable of two numbers. A draw reads it and moves the offset on by a count
// that depends on nothing but its size, so that a program draws what the tape would have drawn.
namespace {

struct Generator {
    std::mutex mutex;
    Tensor state = tensor(std::vector<std::int64_t>{0, 0});
};

Generator& generator() {
    static Generator& g = *new Generator;
    return g;
}

Tensor drawn(const Op& op, const Dims& shape, const Options& options, const Where& where) {
    const Here here(where);
    check_shape(op.name, shape);
    if (!is_floating(options.dtype))
        fail(ErrorKind::unsupported, op.name, ": ", name_of(options.dtype),
             " is not a floating dtype");
    const NoGrad mode;
    Generator& g = generator();
    std::lock_guard lock(g.mutex);
    const Tensor t = apply(op, {g.state}, {Attr{shape}, Attr{options.dtype}});
    const Tensor offset = select(g.state, 0, 1);
    write(offset, add(offset, element_count(shape)), op.name);
    return ready(t, options);
}

}  // namespace

void manual_seed(std::uint64_t seed) {
    Generator& g = generator();
    std::lock_guard lock(g.mutex);
    const NoGrad mode;
    write(g.state, tensor(std::vector<std::int64_t>{static_cast<std::int64_t>(seed), 0}),
          "manual_seed");
}

Tensor rng_state() {
    Generator& g = generator();
    std::lock_guard lock(g.mutex);
    const NoGrad mode;
    return clone(g.state);
}

void set_rng_state(const Tensor& state) {
    if (state.dtype() != DType::int64 || state.shape() != Dims{2})
        fail(ErrorKind::type, "set_rng_state: the state is ", describe(state),
             ", not an int64 (2,) from rng_state()");
    Generator& g = generator();
    std::lock_guard lock(g.mutex);
    const NoGrad mode;
    write(g.state, state, "set_rng_state");
}

Tensor rand(const Dims& shape, Options options, Where where) {
    return drawn(ops::rand, shape, options, where);
}

Tensor randn(const Dims& shape, Options options, Where where) {
    return drawn(ops::randn, shape, options, where);
}

}  // namespace tg
