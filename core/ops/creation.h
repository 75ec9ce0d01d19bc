// Tensors out of nothing, of numbers, and of random numbers.
#pragma once

#include <optional>
#include <type_traits>
#include <vector>

#include "core/apply.h"
#include "core/generator.h"

namespace tg {

// ---- creation: core/ops/creation.cc ------------------------------------------------------------
Tensor zeros(const Dims& shape, Options options = {});
Tensor ones(const Dims& shape, Options options = {});
Tensor full(const Dims& shape, Scalar value, Options options = {});
Tensor arange(std::int64_t end, Options options = {.dtype = DType::int64});
// uniform in [0, 1)
Tensor rand(const Dims& shape, Options options = {},
            const Generator& generator = default_generator(), Where where = Where::here());
// of mean 0 and variance 1
Tensor randn(const Dims& shape, Options options = {},
             const Generator& generator = default_generator(), Where where = Where::here());
void manual_seed(std::uint64_t seed);     // of the default generator
Tensor rng_state();                       // of the default generator: seed and offset, (2,) int64
void set_rng_state(const Tensor& state);  // goes on from there
Tensor zeros_like(const Tensor& x);
Tensor ones_like(const Tensor& x);

// ---- more creation: core/ops/ranges.cc ---------------------------------------------------------
Tensor eye(std::int64_t rows, std::optional<std::int64_t> columns = {}, Options options = {});
Tensor linspace(double start, double end, std::int64_t steps, Options options = {});
Tensor logspace(double start, double end, std::int64_t steps, double base = 10,
                Options options = {});

// ---- more random numbers: core/ops/random.cc ---------------------------------------------------
// Drawn from `generator`, which moves on: core/generator.h.

// whole numbers in [low, high)
Tensor randint(std::int64_t low, std::int64_t high, const Dims& shape,
               Options options = {.dtype = DType::int64},
               const Generator& generator = default_generator(), Where where = Where::here());
// 0 .. n - 1, shuffled
Tensor randperm(std::int64_t n, Options options = {.dtype = DType::int64},
                const Generator& generator = default_generator(), Where where = Where::here());
// 1 with probability p, else 0; p's shape and dtype
Tensor bernoulli(const Arg& p, const Generator& generator = default_generator());
// of both's shape
Tensor normal(const Arg& mean, const Arg& std, const Generator& generator = default_generator());
// weights (rows, columns) or (columns,) -> int64 (rows, samples) or (samples,)
Tensor multinomial(const Arg& weights, std::int64_t samples, bool replacement = false,
                   const Generator& generator = default_generator());

// Numbers in braces, nested as deep as the tensor has dims: tensor({{1, 2}, {3, 4}}).
struct Braces {
    double number = 0;
    std::vector<Braces> list;
    bool nested = false;
    Braces(double n) : number(n) {}
    Braces(std::initializer_list<Braces> rows) : list(rows), nested(true) {}
};
Tensor tensor(std::initializer_list<Braces> rows, Options options = {});
// The numbers of a vector; float32 and int64 keep their dtype unless another is asked for.
Tensor tensor_of_floats(const std::vector<float>& values, Options options);
Tensor tensor_of_integers(const std::vector<std::int64_t>& values);
template <class T>
requires std::is_same_v<T, float> Tensor tensor(const std::vector<T>& values,
                                                Options options = {}) {
    return tensor_of_floats(values, options);
}
template <class T>
requires std::is_same_v<T, std::int64_t> Tensor tensor(const std::vector<T>& values) {
    return tensor_of_integers(values);
}
Tensor scalar_tensor(Scalar value, Options options = {});
// x itself if it is there already. non_blocking: from pinned memory the copy is only begun, see
// core/pinned.h; a program that is written down waits for its copies.
Tensor to(const Arg& x, Device device, bool non_blocking = false);
Tensor constant(const Tensor& x);  // bakes x's values into a recording

}  // namespace tg
