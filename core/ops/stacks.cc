// Tensors joined, cut and turned by NumPy's names.
#include "core/ops/stacks.h"

#include <algorithm>

#include "core/ops/family.h"

namespace tg {

Tensor ravel(const Arg& x) {
    const Here here(x.where, "ravel");
    return reshape(x, {-1});
}

Tensor atleast_1d(const Arg& x) {
    const Here here(x.where, "atleast_1d");
    return x.tensor.dims() == 0 ? reshape(x, {1}) : x.tensor;
}

Tensor atleast_2d(const Arg& x) {
    const Here here(x.where, "atleast_2d");
    const Tensor y = atleast_1d(x);
    return y.dims() == 1 ? unsqueeze(y, 0) : y;
}

Tensor atleast_3d(const Arg& x) {
    const Here here(x.where, "atleast_3d");
    const Tensor y = atleast_2d(x);
    return y.dims() == 2 ? unsqueeze(y, 2) : y;
}

namespace {

void check_some(const char* op, const std::vector<Tensor>& tensors) {
    if (tensors.empty()) fail(ErrorKind::runtime, op, ": an empty list of tensors");
}

}  // namespace

Tensor dstack(const std::vector<Tensor>& tensors, Where where) {
    const Here here(where, "dstack");
    check_some("dstack", tensors);
    std::vector<Tensor> parts;
    for (const Tensor& t : tensors) parts.push_back(atleast_3d(t));
    return cat(parts, 2);
}

Tensor column_stack(const std::vector<Tensor>& tensors, Where where) {
    const Here here(where, "column_stack");
    check_some("column_stack", tensors);
    std::vector<Tensor> parts;
    for (const Tensor& t : tensors) parts.push_back(t.dims() < 2 ? unsqueeze(atleast_1d(t), 1) : t);
    return cat(parts, 1);
}

// ---- parts --------------------------------------------------------------------------------------
namespace {

constexpr std::int64_t most_parts = 1 << 20;

int cut_dim(const Tensor& x, std::int64_t dim) {
    if (x.dims() == 0) fail(ErrorKind::runtime, "tensor_split: a tensor of no dims cannot be cut");
    return wrap_dim("tensor_split", dim, x.dims());
}

}  // namespace

std::vector<Tensor> tensor_split(const Arg& x, std::int64_t sections, std::int64_t dim) {
    const Here here(x.where, "tensor_split");
    const int d = cut_dim(x.tensor, dim);
    const std::int64_t n = known_size("tensor_split", x.tensor, d);
    if (sections < 1 || sections > most_parts)
        fail(ErrorKind::runtime, "tensor_split: ", sections,
             " sections; there must be at least 1, and at most ", most_parts);
    std::vector<Tensor> parts;
    std::int64_t begin = 0;
    for (std::int64_t i = 0; i < sections; ++i) {
        const std::int64_t end = begin + n / sections + (i < n % sections ? 1 : 0);
        parts.push_back(slice(x, d, begin, end));
        begin = end;
    }
    return parts;
}

// A part goes from its index to the next one, and is empty where that is before it.
std::vector<Tensor> tensor_split(const Arg& x, const std::vector<std::int64_t>& indices,
                                 std::int64_t dim) {
    const Here here(x.where, "tensor_split");
    const int d = cut_dim(x.tensor, dim);
    const std::int64_t n = known_size("tensor_split", x.tensor, d);
    std::vector<Tensor> parts;
    std::int64_t begin = 0;
    for (std::int64_t end : indices) {
        parts.push_back(slice(x, d, begin, end));
        begin = end;
    }
    parts.push_back(slice(x, d, begin, n));
    return parts;
}

// ---- turned, and side by side -------------------------------------------------------------------

Tensor rot90(const Arg& x, std::int64_t k, const Dims& dims) {
    const Here here(x.where, "rot90");
    const int n = x.tensor.dims();
    if (dims.size() != 2) fail(ErrorKind::runtime, "rot90: dims ", text(dims), " must be 2 dims");
    if (n < 2)
        fail(ErrorKind::runtime, "rot90: a tensor of shape ", text(x.tensor.shape()), " has ", n,
             n == 1 ? " dim" : " dims", "; it needs 2 or more");
    const int from = wrap_dim("rot90", dims[0], n), to = wrap_dim("rot90", dims[1], n);
    if (from == to)
        fail(ErrorKind::runtime, "rot90: dims ", text(dims), " are both dim ", from, " of ",
             text(x.tensor.shape()));
    switch ((k % 4 + 4) % 4) {
        case 1:
            return transpose(flip(x, {to}), from, to);
        case 2:
            return flip(x, {from, to});
        case 3:
            return transpose(flip(x, {from}), from, to);
        default:
            return clone(x);
    }
}

Tensor block_diag(const std::vector<Tensor>& tensors, Where where) {
    const Here here(where, "block_diag");
    if (tensors.empty()) return zeros({1, 0});
    std::int64_t columns = 0;
    for (const Tensor& t : tensors) {
        if (t.dims() > 2)
            fail(ErrorKind::runtime, "block_diag: a tensor of shape ", text(t.shape()),
                 " has more than 2 dims");
        columns += t.dims() == 0 ? 1 : known_size("block_diag", t, t.dims() - 1);
    }
    std::vector<Tensor> rows;
    std::int64_t before = 0;
    for (const Tensor& t : tensors) {
        const Tensor block = atleast_2d(t);
        const std::int64_t m = known_size("block_diag", block, 0), n = block.shape()[1];
        const Options like{t.dtype(), t.device()};
        rows.push_back(
            cat({zeros({m, before}, like), block, zeros({m, columns - before - n}, like)}, 1));
        before += n;
    }
    return cat(rows, 0);
}

}  // namespace tg
