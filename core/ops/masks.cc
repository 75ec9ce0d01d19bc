// Which elements a mask picks. How many these are depends on the data, so a recording, where every
// shape is known from the start, has no place for it.
#include <algorithm>
#include <limits>

#include "core/history.h"
#include "core/low_precision.h"
#include "core/ops/family.h"
#include "core/ops/rows.h"
#include "core/recording.h"

namespace tg {
namespace {

void check_mask(const char* op, const Arg& mask) {
    if (mask.tensor.dtype() != DType::boolean)
        fail(ErrorKind::runtime, op, ": the mask is ", name_of(mask.tensor.dtype()),
             ", not bool; compare it: mask != 0");
}

// A mask whose elements are known: itself on the tape, and the value of a constant in a recording,
// where any other is an error.
Tensor known(const Tensor& mask, const char* instead) {
    const Recording* r = recording();
    if (!r) {
        if (mask.is_symbolic()) no_value(mask, "index");
        return mask;
    }
    const Ref<Node> node = mask.is_symbolic() ? value_of(mask).node : nullptr;
    if (!node || node->op != find_op("constant"))
        fail(ErrorKind::runtime, "index: how many elements of a mask ", text(mask.shape()),
             " are true depends on the data, and ", r->name,
             " is being written down, where every shape must be known; ", instead,
             "; a mask that never changes can be given as constant(mask)");
    const RecordingScope now(nullptr);
    return apply(*node->op, std::span<const Arg>{}, node->attrs);
}

Tensor found_in(const Tensor& mask, bool flat, const char* instead) {
    const Tensor value = known(mask, instead);
    Tensor found;
    {
        const RecordingScope now(nullptr);
        const NoGrad mode;
        Tensor host = to(value.detach(), Device::cpu);
        if (is_low(host)) host = ne(host, 0);
        if (flat) host = reshape(host, {-1});
        const kernels::Array in = array_of(host);
        found = empty({kernels::cpu::count_nonzero(in), host.dims()}, {DType::int64});
        check_interrupt();
        kernels::cpu::nonzero(array_of(found), in);
        check_interrupt();
        if (flat) found = reshape(found, {-1});
        found = to(found, mask.device());
    }
    return recording() ? constant(found) : found;
}

}  // namespace

Tensor nonzero_of(const Tensor& mask, const char* instead) {
    return found_in(mask, false, instead);
}

Tensor nonzero_flat(const Tensor& mask, const char* instead) {
    return found_in(mask, true, instead);
}

Tensor nonzero(const Arg& x) {
    const Here here(x.where, "nonzero");
    return nonzero_of(x.tensor, "find it outside, and give it as an argument");
}

Tensor masked_select(const Arg& x, const Arg& mask) {
    const Here here(x.where, "masked_select");
    check_mask("masked_select", mask);
    const Dims shape = broadcast("masked_select", x.tensor.shape(), mask.tensor.shape());
    const Tensor found =
        nonzero_flat(mask.tensor.shape() == shape ? mask.tensor : expand(mask, shape),
                     "write where(mask, x, 0), or x * mask, and go on with all of x");
    return take(expand(x, shape), found);
}

// Of the elements of source number 1, 2, ... go to the true places in order; number 0, an extra
// one, is looked up for all others.
Tensor masked_scatter(const Arg& x, const Arg& mask, const Arg& source) {
    const Here here(x.where, "masked_scatter");
    check_mask("masked_scatter", mask);
    if (source.tensor.dtype() != x.tensor.dtype())
        fail(ErrorKind::runtime, "masked_scatter: the source is ", name_of(source.tensor.dtype()),
             " and the tensor ", name_of(x.tensor.dtype()), "; cast one");
    const Dims shape = broadcast("masked_scatter", x.tensor.shape(), mask.tensor.shape());
    const Tensor inside = reshape(expand(mask, shape), {-1});
    const Tensor number = mul(cumsum(cast(inside, DType::int64), 0), inside);
    const Tensor extra = zeros({1}, {x.tensor.dtype(), x.tensor.device()});
    const Tensor numbered = cat({extra, reshape(source, {-1})}, 0);
    return where(expand(mask, shape), reshape(take(numbered, number), shape), x);
}

// ---- counts -------------------------------------------------------------------------------------

Tensor bincount(const Arg& x, const Tensor& weights, std::int64_t minlength) {
    const Here here(x.where, "bincount");
    const Tensor i = x.tensor;
    if (i.dims() != 1 || !is_integral(i.dtype()))
        fail(ErrorKind::runtime, "bincount: the input must be (n,) of ints, not ", describe(i));
    if (minlength < 0)
        fail(ErrorKind::runtime, "bincount: minlength is ", minlength, ", and must be at least 0");
    if (weights.defined() && weights.shape() != i.shape())
        fail(ErrorKind::runtime, "bincount: the weights ", text(weights.shape()), " and the input ",
             text(i.shape()), " must have one shape");
    if (recording() || i.is_symbolic())
        fail(ErrorKind::runtime, "bincount: the size of its result depends on the data; write ",
             "zeros(n).index_add(0, x, weights) within a recording");
    const NoGrad mode;
    const std::int64_t most = i.numel() == 0 ? -1 : amax(i).item_scalar().as_integer();
    if (most == std::numeric_limits<std::int64_t>::max())
        fail(ErrorKind::memory, "bincount: counts up to ", most, " do not fit into memory");
    if (i.numel() > 0 && amin(i).item_scalar().as_integer() < 0)
        fail(ErrorKind::runtime,
             "bincount: the input has an element below 0: ", amin(i).item_scalar().as_integer());
    const DType dtype = !weights.defined()                  ? DType::int64
                        : weights.dtype() == DType::float32 ? DType::float32
                                                            : DType::float64;
    const Tensor none = zeros({std::max(most + 1, minlength)}, {dtype, i.device()});
    const Tensor one =
        weights.defined() ? cast(weights, dtype) : ones(i.shape(), {dtype, i.device()});
    return index_add(none, 0, cast(i, DType::int64), one);
}

}  // namespace tg
