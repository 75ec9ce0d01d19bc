// Which pairs, choices and grids there are: indices that are known before anything runs.
#include <algorithm>
#include <limits>

#include "core/ops/family.h"
#include "core/ops/stacks.h"

namespace tg {
namespace {

constexpr std::int64_t most = std::int64_t{1} << 31;
constexpr std::int64_t most_in_one = 1 << 20;
constexpr std::int64_t most_indices = 1 << 28;  // 2 GiB of them

// The pairs of (row, col), with those columns that first and last of a row give: [first, last)
template <class Columns>
Tensor pairs(const char* op, std::int64_t row, std::int64_t col, Options options,
             const Columns& columns_of) {
    if (row < 0 || col < 0 || row > most || col > most)
        fail(ErrorKind::runtime, op, ": ", row, " rows and ", col,
             " columns; there must be at least 0 of each, and at most ", most);
    if (is_floating(options.dtype) || options.dtype == DType::boolean)
        fail(ErrorKind::runtime, op, ": dtype is ", name_of(options.dtype),
             ", and must be an integer one");
    std::int64_t total = 0;
    for (std::int64_t r = 0; r < row && total <= most_indices; ++r) {
        const auto [first, last] = columns_of(r);
        total += std::max<std::int64_t>(0, last - first);
    }
    if (total > most_indices)
        fail(ErrorKind::runtime, op, ": there are more than ", most_indices, " pairs of ", row,
             " rows and ", col, " columns");
    std::vector<std::int64_t> rows, columns;
    for (std::int64_t r = 0; r < row; ++r) {
        const auto [first, last] = columns_of(r);
        for (std::int64_t c = first; c < last; ++c) {
            rows.push_back(r);
            columns.push_back(c);
        }
    }
    const auto count = static_cast<std::int64_t>(rows.size());
    rows.insert(rows.end(), columns.begin(), columns.end());
    const Tensor found = reshape(tensor_of_integers(rows), {2, count});
    return to(cast(found, options.dtype), options.device);
}

}  // namespace

Tensor tril_indices(std::int64_t row, std::int64_t col, std::int64_t offset, Options options) {
    const std::int64_t k = std::clamp(offset, -most, most);
    return pairs("tril_indices", row, col, options, [&](std::int64_t r) {
        return std::pair<std::int64_t, std::int64_t>(0, std::min(col, r + k + 1));
    });
}

Tensor triu_indices(std::int64_t row, std::int64_t col, std::int64_t offset, Options options) {
    const std::int64_t k = std::clamp(offset, -most, most);
    return pairs("triu_indices", row, col, options, [&](std::int64_t r) {
        return std::pair<std::int64_t, std::int64_t>(std::max<std::int64_t>(0, r + k), col);
    });
}

// The choices in order, as an odometer counts: the last place that can go on does, and those behind
// it begin anew beside it, or on it if elements may come twice.
Tensor combinations(const Arg& x, std::int64_t r, bool with_replacement) {
    const Here here(x.where, "combinations");
    if (x.tensor.dims() != 1)
        fail(ErrorKind::runtime, "combinations: a tensor of shape ", text(x.tensor.shape()),
             " is no vector");
    if (r < 0 || r > most_in_one)
        fail(ErrorKind::runtime, "combinations: r is ", r, ", and must be at least 0 and at most ",
             most_in_one);
    const std::int64_t n = known_size("combinations", x.tensor, 0);
    if (r == 0) return empty({0}, {x.tensor.dtype(), x.tensor.device()});
    const std::int64_t apart = with_replacement ? 0 : 1;
    std::vector<std::int64_t> found, now;
    for (std::int64_t i = 0; i < r && i * apart <= n; ++i) now.push_back(i * apart);
    bool more = n > 0 && static_cast<std::int64_t>(now.size()) == r && (r - 1) * apart < n;
    while (more) {
        found.insert(found.end(), now.begin(), now.end());
        if (static_cast<std::int64_t>(found.size()) > most_indices)
            fail(ErrorKind::runtime, "combinations: ", n, " elements have too many choices of ", r);
        std::int64_t i = r - 1;
        while (i >= 0 && now[static_cast<std::size_t>(i)] == n - 1 - (r - 1 - i) * apart) --i;
        more = i >= 0;
        if (!more) break;
        std::int64_t next = ++now[static_cast<std::size_t>(i)];
        while (++i < r) now[static_cast<std::size_t>(i)] = next += apart;
    }
    const auto count = static_cast<std::int64_t>(found.size()) / r;
    const Tensor chosen = to(tensor_of_integers(found), x.tensor.device());
    return reshape(index_select(x, 0, chosen), {count, r});
}

Tensor cartesian_prod(const std::vector<Tensor>& tensors, Where where) {
    const Here here(where, "cartesian_prod");
    for (const Tensor& t : tensors)
        if (t.dims() != 1)
            fail(ErrorKind::runtime, "cartesian_prod: a tensor of shape ", text(t.shape()),
                 " is no vector");
    if (tensors.size() == 1) return tensors[0];
    std::vector<Tensor> columns;
    for (const Tensor& grid : meshgrid(tensors)) columns.push_back(reshape(grid, {-1}));
    return stack(columns, 1);
}

}  // namespace tg
