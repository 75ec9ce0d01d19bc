// Ranges, tensors like another, and random numbers of more kinds.
#include "core/history.h"
#include "python/generator.h"

namespace tg::python {
namespace {

PyObject* eye(const Call& c) {
    const std::int64_t rows = c.integer(0);
    std::optional<std::int64_t> columns;
    if (c.given(1)) columns = c.integer(1);
    return wrap(tg::eye(rows, columns, c.options(2)));
}
PyObject* linspace(const Call& c) {
    const double start = c.number(0).as_real(), end = c.number(1).as_real();
    return wrap(tg::linspace(start, end, c.integer(2), c.options(3)));
}
PyObject* logspace(const Call& c) {
    const double start = c.number(0).as_real(), end = c.number(1).as_real();
    return wrap(tg::logspace(start, end, c.integer(2), c.real(3, 10), c.options(4)));
}

PyObject* new_zeros(const Call& c) { return wrap(tg::zeros(c.dims(1), c.options_like(2))); }
PyObject* new_ones(const Call& c) { return wrap(tg::ones(c.dims(1), c.options_like(2))); }
PyObject* new_full(const Call& c) {
    return wrap(tg::full(c.dims(1), c.number(2), c.options_like(3)));
}

// ---- random numbers -----------------------------------------------------------------------------

// randint(high, size) or randint(low, high, size).
PyObject* randint(const Call& c) {
    Options options = c.options(3);
    options.dtype = c.dtype(3, DType::int64);
    const bool brief = c[1] && (PyList_Check(c[1]) || PyTuple_Check(c[1]));
    if (brief && c.given(2)) c.wrong(1, "an int");
    const std::int64_t low = brief || !c.given(1) ? 0 : c.integer(0, 0);
    const std::int64_t high = brief || !c.given(1) ? c.integer(0) : c.integer(1);
    const Dims size = c.dims(brief ? 1 : 2);
    return wrap(tg::randint(low, high, size, options, generator_in(c, 6), python_line()));
}

// randint_like(input, high) or randint_like(input, low, high).
PyObject* randint_like(const Call& c) {
    const Options options = c.options_like(3);
    const std::int64_t low = c.given(2) ? c.integer(1, 0) : 0;
    const std::int64_t high = c.given(2) ? c.integer(2) : c.integer(1);
    const Dims& size = c.tensor(0).shape();
    return wrap(tg::randint(low, high, size, options, generator_in(c, 6), python_line()));
}

PyObject* randperm(const Call& c) {
    Options options = c.options(1);
    options.dtype = c.dtype(1, DType::int64);
    const std::int64_t n = c.integer(0);
    const Generator& generator = generator_in(c, 4);
    const Where line = python_line();
    return wrap(compute(n, [&] { return tg::randperm(n, options, generator, line); }));
}

double probability(const Call& c, int i, double otherwise) {
    const double p = c.real(i, otherwise);
    if (!(p >= 0 && p <= 1))
        fail(ErrorKind::runtime, c.name(), ": p is a probability, 0 to 1, and not ", p);
    return p;
}

Tensor draws(const Tensor& x, double p, const Generator& generator) {
    const DType dtype = is_floating(x.dtype()) ? x.dtype() : DType::float64;
    return cast(tg::bernoulli(tg::full(x.shape(), p, {dtype, x.device()}), generator), x.dtype());
}

PyObject* bernoulli(const Call& c) {
    const Arg x(c.tensor(0));
    const Generator& generator = generator_in(c, 2);
    if (c.given(1)) return wrap(draws(x.tensor, probability(c, 1, 0.5), generator));
    return wrap(compute(work_of(x), [&] { return tg::bernoulli(x, generator); }));
}

PyObject* bernoulli_(const Call& c) {
    Tensor& x = c.tensor(0);
    const Generator& generator = generator_in(c, 2);
    if (c.given(1) && is_tensor(c[1]) && c.tensor(1).dims() > 0)
        write(x, tg::bernoulli(broadcast_to(c.tensor(1), x.shape()), generator), "bernoulli_");
    else
        write(x, draws(x, probability(c, 1, 0.5), generator), "bernoulli_");
    return new_reference(c.self());
}

// normal(mean, std) of tensors and numbers, or of two numbers and a size.
PyObject* normal(const Call& c) {
    const Arg mean = c.operand(0);
    const Arg std = c.given(1) ? c.operand(1) : Arg(1.0);
    const bool tensors = mean.is_tensor() || std.is_tensor();
    if (tensors == c.given(2)) c.wrong(2, tensors ? "left out beside tensors" : "a size");
    const Generator& generator = generator_in(c, 6);
    if (tensors)
        return wrap(compute(work_of(mean), [&] { return tg::normal(mean, std, generator); }));
    Options options = c.options(3);
    const bool requires_grad = options.requires_grad;
    options.requires_grad = false;
    Tensor y = tg::normal(tg::full(c.dims(2), mean.scalar.as_real(), options), std, generator);
    if (requires_grad) y.requires_grad_(true, python_line());
    return wrap(y);
}

PyObject* multinomial(const Call& c) {
    const Arg weights(c.tensor(0));
    const std::int64_t samples = c.integer(1);
    const bool replacement = c.flag(2);
    const Generator& generator = generator_in(c, 3);
    return wrap(compute(work_of(weights),
                        [&] { return tg::multinomial(weights, samples, replacement, generator); }));
}

constexpr Place function = Place::function;
constexpr Place method = Place::method;
const Function functions[] = {
    {"eye(n, m=None, *, dtype=None, device=None, requires_grad=False)", eye,
     "(n, m), or (n, n), with 1 on the diagonal and 0 elsewhere.", function},
    {"linspace(start, end, steps, *, dtype=None, device=None, requires_grad=False)", linspace,
     "steps numbers from start to end, both counted, evenly apart.", function},
    {"logspace(start, end, steps, base=10, *, dtype=None, device=None, requires_grad=False)",
     logspace, "base to the power of linspace(start, end, steps).", function},
    {"new_zeros(input, *size, dtype=None, device=None, requires_grad=False)", new_zeros,
     "All 0, in the dtype and on the device of input.", method},
    {"new_ones(input, *size, dtype=None, device=None, requires_grad=False)", new_ones,
     "All 1, in the dtype and on the device of input.", method},
    {"new_empty(input, *size, dtype=None, device=None, requires_grad=False)", new_zeros,
     "All 0, in the dtype and on the device of input.", method},
    {"new_full(input, size, fill_value, *, dtype=None, device=None, requires_grad=False)", new_full,
     "All fill_value, in the dtype and on the device of input.", method},
    {"randint(low=0, high=None, size=None, *, dtype=None, device=None, requires_grad=False, "
     "generator=None)",
     randint,
     "randint(high, size) or randint(low, high, size): whole numbers in [low, high), int64.\n"
     "generator: as of rand. Raises RuntimeError for an empty range.",
     function},
    {"randint_like(input, low=0, high=None, *, dtype=None, device=None, requires_grad=False, "
     "generator=None)",
     randint_like, "randint in the shape and dtype of input.", function},
    {"randperm(n, *, dtype=None, device=None, requires_grad=False, generator=None)", randperm,
     "0 .. n - 1 in a random order, (n,) int64. generator: as of rand.", function},
    {"bernoulli(input, p=None, *, generator=None)", bernoulli,
     "1 with the probability that input says for each element, else 0; or with probability p.\n"
     "In input's shape and dtype. generator: as of rand. Raises RuntimeError for what is no\n"
     "probability."},
    {"bernoulli_(input, p=0.5, *, generator=None)", bernoulli_,
     "1 with probability p, else 0, in place. generator: as of rand.", method},
    {"normal(mean, std=1, size=None, *, dtype=None, device=None, requires_grad=False, "
     "generator=None)",
     normal,
     "Normal numbers: of tensors mean and std (either may be a number), or of two numbers and a\n"
     "size. generator: as of rand. Raises RuntimeError for a number std below 0.",
     function},
    {"multinomial(input, num_samples, replacement=False, *, generator=None)", multinomial,
     "Columns of input (rows, columns) or (columns,), floating weights of any sum, drawn with\n"
     "probabilities as their weights: int64 (rows, num_samples) or (num_samples,). Without\n"
     "replacement no column is drawn twice. generator: as of rand. Raises RuntimeError for "
     "weights\n"
     "that are negative, not finite or all 0, and for more samples than columns."},
};

}  // namespace

void bind_sampling(py::module_& m) { add_functions(m, functions); }

}  // namespace tg::python
