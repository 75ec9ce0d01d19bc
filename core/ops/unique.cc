// What is there once. The size of the result depends on the data, so a recording, where every shape
// is known from the start, has no place for it.
#include "core/history.h"
#include "core/ops/family.h"
#include "core/ops/rows.h"
#include "core/recording.h"

namespace tg {
namespace {

void check_values(const char* op, const Arg& x) {
    if (recording() || x.tensor.is_symbolic())
        fail(ErrorKind::runtime, op,
             ": the size of its result depends on the data, and a recording must know it; find it "
             "outside, and give it as an argument");
}

// rows (n, ...) in the order in which they are looked at, which is x's own `order`: each that
// differs from the one before begins a new run of equals.
Unique runs(const Tensor& rows, const Tensor& order) {
    const std::int64_t n = rows.shape()[0];
    const Device device = rows.device();
    Tensor begins = ones({n}, {DType::boolean, device});
    if (n > 1) {
        Tensor differs = ne(slice(rows, 0, 1, n), slice(rows, 0, 0, n - 1));
        if (differs.dims() > 1) differs = any(flatten(differs, 1), 1);
        slice(begins, 0, 1, n).copy_(differs);
    }
    const Tensor first = nonzero_flat(begins, "");
    const Tensor end = full({1}, n, {DType::int64, device});
    const Tensor run = sub(cumsum(cast(begins, DType::int64), 0), 1);
    Unique u;
    u.values = index_select(rows, 0, first);
    u.inverse = scatter(run, 0, order, run);
    u.counts = sub(slice(cat({first, end}), 0, 1, first.numel() + 1), first);
    return u;
}

// x as rows along dim, or its elements.
Tensor rows_of(const char* op, const Tensor& x, std::optional<std::int64_t> dim) {
    if (!dim || x.dims() == 0) return reshape(x.detach(), {-1});
    const int d = wrap_dim(op, *dim, x.dims());
    for (int k = 0; k < x.dims(); ++k)
        if (k != d && x.shape()[k] == 0)
            fail(ErrorKind::runtime, op, ": dim ", k, " of ", text(x.shape()),
                 " is 0: the slices along dim ", d, " have no elements to compare");
    return movedim(x.detach(), {d}, {0});
}

// The rows back along dim; or the inverse in x's shape.
Unique as_asked(Unique u, const Tensor& x, std::optional<std::int64_t> dim) {
    if (!dim || x.dims() == 0)
        u.inverse = reshape(u.inverse, x.shape());
    else
        u.values = contiguous(movedim(u.values, {0}, {wrap_dim("unique", *dim, x.dims())}));
    return u;
}

// Lexicographic, the first column before the others: a stable sort by the last column, then by the
// one before it, and so on to the first.
Tensor order_of(const Tensor& rows) {
    const Tensor table = rows.dims() == 1 ? unsqueeze(rows, 1) : flatten(rows, 1);
    Tensor order = to(arange(table.shape()[0]), rows.device());
    for (std::int64_t c = table.shape()[1]; c-- > 0;)
        order = take(order, argsort(take(select(table, 1, c), order), 0));
    return order;
}

}  // namespace

Unique unique(const Arg& x, std::optional<std::int64_t> dim) {
    const Here here(x.where, "unique");
    check_values("unique", x);
    const NoGrad mode;
    const Tensor rows = rows_of("unique", x.tensor, dim);
    const Tensor order = order_of(rows);
    return as_asked(runs(index_select(rows, 0, order), order), x.tensor, dim);
}

Unique unique_consecutive(const Arg& x, std::optional<std::int64_t> dim) {
    const Here here(x.where, "unique_consecutive");
    check_values("unique_consecutive", x);
    const NoGrad mode;
    const Tensor rows = rows_of("unique_consecutive", x.tensor, dim);
    const Tensor order = to(arange(rows.shape()[0]), rows.device());
    return as_asked(runs(rows, order), x.tensor, dim);
}

}  // namespace tg
