// The matrix product, with any number of batch dims.
#include "core/autocast.h"
#include "core/batching.h"
#include "core/ops/family.h"

namespace tg {
namespace {

bool may_be_equal(std::int64_t a, std::int64_t b) {
    return a == b || is_unknown(a) || is_unknown(b);
}

bool batches_fit(const Dims& a, const Dims& b) {
    for (int i = 3; i <= a.size() && i <= b.size(); ++i) {
        const std::int64_t x = a[a.size() - i];
        const std::int64_t y = b[b.size() - i];
        if (!may_be_equal(x, y) && x != 1 && y != 1) return false;
    }
    return true;
}

// The two sizes that must agree: of a vector its only one.
void check_inner(const Dims& a, const Dims& b) {
    const bool row = a.size() == 1;
    const bool column = b.size() == 1;
    const std::int64_t k = a[a.size() - 1];
    const std::int64_t rows = b[column ? 0 : b.size() - 2];
    if (may_be_equal(k, rows)) return;
    const bool fits = batches_fit(a, b);
    const bool turn_a = fits && !row && a[a.size() - 2] == rows;
    const bool turn_b = fits && !column && b[b.size() - 1] == k;
    fail(ErrorKind::runtime, "matmul: a ", text(a), " has ", k, row ? " elements" : " columns",
         ", but b ", text(b), " has ", rows, column ? " elements" : " rows",
         turn_a && turn_b ? "; transpose a or b?"
         : turn_a         ? "; transpose a?"
         : turn_b         ? "; transpose b?"
                          : "");
}

// a (..., M, K) @ b (..., K, N) -> (..., M, N)
Descs matmul_shape(const Op&, std::span<const Desc> in, const Attrs&) {
    const Dims& a = in[0].shape;
    const Dims& b = in[1].shape;
    if (a.size() < 2 || b.size() < 2)
        fail(ErrorKind::runtime, "matmul: a ", text(a), " and b ", text(b), " are no matrices");
    check_inner(a, b);
    Dims batch_a = a;
    Dims batch_b = b;
    batch_a.count -= 2;
    batch_b.count -= 2;
    Desc out = in[0];
    out.shape = broadcast("matmul", batch_a, batch_b);
    out.shape.push_back(a[a.size() - 2]);
    out.shape.push_back(b[b.size() - 1]);
    return {out};
}

// The last dims of one matrix of a batch, behind a batch dim of the kernel's own.
kernels::Array matrix(const kernels::Array& a, std::int64_t batch, std::int64_t batch_stride,
                      std::int64_t offset) {
    kernels::Array m = a;
    m.data = static_cast<char*>(a.data) + offset * size_of(a.dtype);
    m.dims = 3;
    m.shape[0] = batch;
    m.strides[0] = batch_stride;
    for (int d = 0; d < 2; ++d) {
        m.shape[1 + d] = a.shape[a.dims - 2 + d];
        m.strides[1 + d] = a.strides[a.dims - 2 + d];
    }
    return m;
}

// The kernels know one batch dim: the last. Any before it are walked here.
template <class Kernel>
bool each_batch(const Launch& l, Kernel kernel) {
    const kernels::Array& out = l.out[0];
    kernels::Array a = l.in[0];
    kernels::Array b = l.in[1];
    const int batch_dims = out.dims - 2;
    // Batch dims aligned with out's; a missing or repeated one has stride 0.
    std::int64_t stride_a[max_dims] = {};
    std::int64_t stride_b[max_dims] = {};
    std::int64_t outer = 1;
    for (int d = 0; d < batch_dims; ++d) {
        const int in_a = d - (out.dims - a.dims);
        const int in_b = d - (out.dims - b.dims);
        stride_a[d] = in_a >= 0 && a.shape[in_a] != 1 ? a.strides[in_a] : 0;
        stride_b[d] = in_b >= 0 && b.shape[in_b] != 1 ? b.strides[in_b] : 0;
        if (d + 1 < batch_dims) outer *= out.shape[d];
    }
    const int last = batch_dims - 1;
    const std::int64_t batch = last >= 0 ? out.shape[last] : 1;
    for (std::int64_t i = 0; i < outer; ++i) {
        std::int64_t rest = i, at_a = 0, at_b = 0, at_out = 0;
        for (int d = last - 1; d >= 0; --d) {
            const std::int64_t index = rest % out.shape[d];
            rest /= out.shape[d];
            at_a += index * stride_a[d];
            at_b += index * stride_b[d];
            at_out += index * out.strides[d];
        }
        const bool done = kernel(matrix(out, batch, last >= 0 ? out.strides[last] : 0, at_out),
                                 matrix(a, batch, last >= 0 ? stride_a[last] : 0, at_a),
                                 matrix(b, batch, last >= 0 ? stride_b[last] : 0, at_b));
        if (!done) return false;
    }
    return true;
}

bool matmul_on_cpu(const kernels::Array& out, const kernels::Array& a, const kernels::Array& b) {
    kernels::cpu::matmul(out, a, b);
    return true;
}

void matmul_cpu(const Launch& l) { each_batch(l, matmul_on_cpu); }
bool matmul_cuda(const Launch& l) { return each_batch(l, kernels::cuda::backend().matmul); }

// Y = A B  =>  dA = g B^T, dB = A^T g
void matmul_gradient(Backward& n) {
    if (n.wants(0)) n.give(0, matmul(n.g(), transpose(n.input(1), -2, -1)));
    if (n.wants(1)) n.give(1, matmul(transpose(n.input(0), -2, -1), n.g()));
}

}  // namespace

namespace {

// ---- vmap --------------------------------------------------------------------------------------

// A matrix that is the same for all meets the rows of all examples in one product.
Outputs batch_matmul(const Batch& b) {
    if (!b.is_batched(1) && b.dims(1) == 2) return {matmul(b.in[0], b.in[1])};
    return batch_aligned(b);
}

}  // namespace

namespace ops {
const Op matmul = {.name = "matmul",
                   .inputs = 2,
                   .promotes = Promotes::common,
                   .shape = matmul_shape,
                   .gradient = matmul_gradient,
                   .needs = {{Need::b}, {Need::a}},
                   .cpu = matmul_cpu,
                   .cuda = matmul_cuda,
                   .batch = batch_matmul};
}  // namespace ops

std::span<const Op* const> matmul_ops() {
    static const Op* const list[] = {&ops::matmul};
    return list;
}

Tensor matmul(const Arg& x, const Arg& y) {
    const Here here(x.where);
    if (!x.is_tensor() || !y.is_tensor())
        fail(ErrorKind::type, "matmul: both operands must be tensors", "; use * for a number");
    if (lowers(x.tensor, y.tensor)) return matmul(lowered(x), lowered(y));
    Tensor a = x.tensor;
    Tensor b = y.tensor;
    if (a.dims() == 0 || b.dims() == 0)
        fail(ErrorKind::runtime, "matmul: a ", text(a.shape()), " and b ", text(b.shape()),
             " must both have at least one dim");
    if (a.dtype() != b.dtype())
        fail(ErrorKind::runtime, "matmul: a is ", name_of(a.dtype()), " and b is ",
             name_of(b.dtype()), "; cast one of them");
    if (a.dtype() == DType::boolean)
        fail(ErrorKind::unsupported, "matmul: of bools it is not defined; cast them first");
    check_inner(a.shape(), b.shape());
    // A vector is a row on the left and a column on the right, and leaves no trace in the result.
    const bool row = a.dims() == 1;
    const bool column = b.dims() == 1;
    if (row) a = unsqueeze(a, 0);
    if (column) b = unsqueeze(b, 1);
    Tensor out;
    if (a.dims() > 2 && b.dims() == 2) {  // one product instead of a batch of them
        Dims shape = a.shape();
        const std::int64_t k = shape[shape.size() - 1];
        shape[shape.size() - 1] = b.shape()[1];
        Dims rows = a.shape();
        rows.count -= 1;
        const std::int64_t m = any_unknown(rows) ? -1 : element_count(rows);
        out = reshape(apply(ops::matmul, {reshape(a, {m, k}), b}), shape);
    } else {
        out = apply(ops::matmul, {a, b});
    }
    if (column) out = squeeze(out, -1);
    if (row) out = squeeze(out, column ? -1 : -2);
    return out;
}

}  // namespace tg
