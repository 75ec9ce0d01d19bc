// Tensors of numbers in a row, and the identity.
#include "core/ops/making.h"

namespace tg {

Tensor eye(std::int64_t rows, std::optional<std::int64_t> columns, Options options) {
    const std::int64_t m = columns.value_or(rows);
    if (rows < 0 || m < 0)
        fail(ErrorKind::runtime, "eye: ", rows, " rows and ", m,
             " columns; neither may be below 0");
    const Tensor ones = eq(unsqueeze(arange(rows), 1), arange(m));
    return ready(cast(ones, options.dtype), options);
}

// start + i step in the first half, end - (n - 1 - i) step in the other: so both ends are exact.
Tensor linspace(double start, double end, std::int64_t steps, Options options) {
    if (steps < 0) fail(ErrorKind::runtime, "linspace: ", steps, " steps; there may be 0 or more");
    const DType dtype = is_floating(options.dtype) ? options.dtype : DType::float64;
    const Tensor i = arange(steps, {.dtype = dtype});
    const auto last = static_cast<double>(steps - 1);
    const double step = steps > 1 ? (end - start) / last : 0;
    const Tensor front = add(mul(i, step), start);
    const Tensor back = sub(end, mul(sub(last, i), step));
    const Tensor y = where(lt(i, steps == 1 ? 1 : steps / 2), front, back);
    return ready(cast(y, options.dtype), options);
}

// base^start ... base^end
Tensor logspace(double start, double end, std::int64_t steps, double base, Options options) {
    if (steps < 0) fail(ErrorKind::runtime, "logspace: ", steps, " steps; there may be 0 or more");
    const DType dtype = is_floating(options.dtype) ? options.dtype : DType::float64;
    const Tensor y = pow(base, linspace(start, end, steps, {.dtype = dtype}));
    return ready(cast(y, options.dtype), options);
}

}  // namespace tg
