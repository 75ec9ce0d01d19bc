// Several views of one tensor, and tensors put side by side.
#include <algorithm>

#include "core/ops/family.h"

namespace tg {
namespace {

constexpr std::int64_t most_parts = 1 << 20;

// The dim, wrapped; its size must be known.
int cut_dim(const char* op, const Tensor& x, std::int64_t dim) {
    if (x.dims() == 0)
        fail(ErrorKind::runtime, op, ": a tensor of no dims cannot be cut; it needs 1 dim or more");
    const int d = wrap_dim(op, dim, x.dims());
    known_size(op, x, d);
    return d;
}

void check_parts(const char* op, std::int64_t parts) {
    if (parts > most_parts)
        fail(ErrorKind::runtime, op, ": ", parts, " parts are too many; there may be ", most_parts);
}

std::vector<Tensor> equal_parts(const char* op, const Arg& x, std::int64_t size, int d) {
    const std::int64_t n = x.tensor.shape()[d];
    check_parts(op, size > 0 ? n / size : 1);
    std::vector<Tensor> parts;
    std::int64_t begin = 0;
    do {
        const std::int64_t end = size < n - begin ? begin + size : n;
        parts.push_back(slice(x, d, begin, end));
        begin = end;
    } while (begin < n);
    return parts;
}

}  // namespace

Tensor narrow(const Arg& x, std::int64_t dim, std::int64_t start, std::int64_t length) {
    const Here here(x.where, "narrow");
    const int d = cut_dim("narrow", x.tensor, dim);
    const std::int64_t n = x.tensor.shape()[d];
    if (length < 0)
        fail(ErrorKind::runtime, "narrow: the length is ", length, ", and must be at least 0");
    if (start < -n || start > n)
        fail(ErrorKind::index, "narrow: start ", start, " is outside ", -n, "..", n, ", for dim ",
             d, " of ", text(x.tensor.shape()));
    if (start < 0) start += n;
    if (length > n - start)
        fail(ErrorKind::runtime, "narrow: ", length, " elements from ", start,
             " on reach past dim ", d, " of ", text(x.tensor.shape()));
    return slice(x, d, start, start + length);
}

std::vector<Tensor> split(const Arg& x, std::int64_t size, std::int64_t dim) {
    const Here here(x.where, "split");
    const int d = cut_dim("split", x.tensor, dim);
    const std::int64_t n = x.tensor.shape()[d];
    if (size < 0 || (size == 0 && n > 0))
        fail(ErrorKind::runtime, "split: parts of ", size, " elements do not make up dim ", d,
             " of ", text(x.tensor.shape()));
    return equal_parts("split", x, size, d);
}

std::vector<Tensor> split(const Arg& x, const std::vector<std::int64_t>& sizes, std::int64_t dim) {
    const Here here(x.where, "split");
    const int d = cut_dim("split", x.tensor, dim);
    const std::int64_t n = x.tensor.shape()[d];
    std::int64_t rest = n;
    for (std::int64_t size : sizes) {
        if (size < 0) fail(ErrorKind::runtime, "split: the size ", size, " is negative");
        rest = size > rest ? -1 : rest - size;
        if (rest < 0) break;
    }
    if (rest != 0)
        fail(ErrorKind::runtime, "split: the sizes make up ", rest < 0 ? "more" : "less",
             " than the ", n, " of dim ", d, " of ", text(x.tensor.shape()));
    std::vector<Tensor> parts;
    std::int64_t begin = 0;
    for (std::int64_t size : sizes) {
        parts.push_back(slice(x, d, begin, begin + size));
        begin += size;
    }
    return parts;
}

// Parts of ceil(n / chunks), the last one smaller; there may be fewer than asked for.
std::vector<Tensor> chunk(const Arg& x, std::int64_t chunks, std::int64_t dim) {
    const Here here(x.where, "chunk");
    const int d = cut_dim("chunk", x.tensor, dim);
    const std::int64_t n = x.tensor.shape()[d];
    if (chunks < 1)
        fail(ErrorKind::runtime, "chunk: ", chunks, " chunks; there must be at least 1");
    if (n > 0) return equal_parts("chunk", x, (n - 1) / chunks + 1, d);
    check_parts("chunk", chunks);
    return split(x, std::vector<std::int64_t>(static_cast<std::size_t>(chunks), 0), d);
}

std::vector<Tensor> unbind(const Arg& x, std::int64_t dim) {
    const Here here(x.where, "unbind");
    if (x.tensor.dims() == 0)
        fail(ErrorKind::index, "unbind: a tensor of no dims has nothing to unbind");
    const int d = cut_dim("unbind", x.tensor, dim);
    const std::int64_t n = x.tensor.shape()[d];
    check_parts("unbind", n);
    std::vector<Tensor> parts;
    for (std::int64_t i = 0; i < n; ++i) parts.push_back(select(x, d, i));
    return parts;
}

Tensor hstack(const std::vector<Tensor>& tensors, Where where) {
    const Here here(where, "hstack");
    if (tensors.empty()) fail(ErrorKind::runtime, "hstack: an empty list of tensors");
    std::vector<Tensor> parts;
    for (const Tensor& t : tensors) parts.push_back(t.dims() == 0 ? reshape(t, {1}) : t);
    return cat(parts, parts[0].dims() == 1 ? 0 : 1);
}

Tensor vstack(const std::vector<Tensor>& tensors, Where where) {
    const Here here(where, "vstack");
    if (tensors.empty()) fail(ErrorKind::runtime, "vstack: an empty list of tensors");
    std::vector<Tensor> parts;
    for (const Tensor& t : tensors) {
        const Tensor row = t.dims() == 0 ? reshape(t, {1}) : t;
        parts.push_back(row.dims() == 1 ? unsqueeze(row, 0) : row);
    }
    return cat(parts, 0);
}

// out k: tensor k along dim k, repeated along all others
std::vector<Tensor> meshgrid(const std::vector<Tensor>& tensors, const std::string& indexing,
                             Where where) {
    const Here here(where, "meshgrid");
    if (tensors.empty()) fail(ErrorKind::runtime, "meshgrid: an empty list of tensors");
    if (indexing != "ij" && indexing != "xy")
        fail(ErrorKind::runtime, "meshgrid: indexing is 'ij' or 'xy', not '", indexing, "'");
    Dims shape;
    for (const Tensor& t : tensors) {
        if (t.dims() > 1)
            fail(ErrorKind::runtime, "meshgrid: a tensor of shape ", text(t.shape()),
                 " is no vector");
        if (t.dtype() != tensors[0].dtype())
            fail(ErrorKind::runtime, "meshgrid: tensors of ", name_of(tensors[0].dtype()), " and ",
                 name_of(t.dtype()), "; they must be of one dtype");
        shape.push_back(t.dims() == 0 ? 1 : t.shape()[0]);
    }
    std::vector<Tensor> grids;
    for (int k = 0; k < shape.size(); ++k) {
        Dims column = Dims::of(shape.size(), 1);
        column[k] = shape[k];
        Tensor grid = expand(reshape(tensors[static_cast<std::size_t>(k)], column), shape);
        if (indexing == "xy" && shape.size() > 1) grid = transpose(grid, 0, 1);
        grids.push_back(grid);
    }
    return grids;
}

}  // namespace tg
