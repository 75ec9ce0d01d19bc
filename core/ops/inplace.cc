// In place: compute the value, then write it into the tensor. write.cc says what a write means.
#include "core/history.h"
#include "core/ops/family.h"
#include "core/ops/written.h"
#include "core/recording.h"

namespace tg {
namespace {

int category(DType d) { return d == DType::boolean ? 0 : is_integral(d) ? 1 : 2; }

// x's bytes are about to change, and the gradient of the very op that computed the new ones may
// need the old: y *= w is  dw = g y_old. So what its node has kept of x becomes a copy. Lines of a
// recording have each value for good: there the node only forgets that it was in x.
void keep_old(const Tensor& x, const Tensor& value) {
    const Value made = value_of(value);
    if (!made || !made.node->requires_grad) return;
    const NoGrad mode;
    for (Saved& saved : made.node->saved) {
        const bool of_x = !is_output(saved.what) && saved.storage == x.handle().storage;
        if (!of_x || saved.version != x.version()) continue;
        const Tensor old = recording() ? value : clone(tensor_for({}, saved.storage, saved.layout));
        saved = Saved{saved.what, old.handle().storage, old.handle().layout, old.version()};
    }
}

}  // namespace

Tensor& written(Tensor& x, const Tensor& value, const char* op) {
    if (category(value.dtype()) > category(x.dtype()))
        fail(ErrorKind::runtime, op, ": the result is ", name_of(value.dtype()),
             " and cannot be kept in a tensor of ", name_of(x.dtype()));
    if (value.dims() > x.dims())
        fail(ErrorKind::runtime, op, ": the result has shape ", text(value.shape()),
             ", which does not fit into ", text(x.shape()));
    keep_old(x, value);
    write(x, value, op, true);
    return x;
}

Tensor& add_(Tensor& x, const Arg& y, const Arg& alpha) {
    const Here here(y.where);
    return written(x, add(x, y, alpha), "add_");
}

Tensor& sub_(Tensor& x, const Arg& y, const Arg& alpha) {
    const Here here(y.where);
    return written(x, sub(x, y, alpha), "sub_");
}

Tensor& mul_(Tensor& x, const Arg& y) {
    const Here here(y.where);
    return written(x, mul(x, y), "mul_");
}

Tensor& div_(Tensor& x, const Arg& y) {
    const Here here(y.where);
    return written(x, div(x, y), "div_");
}

Tensor& copy_(Tensor& x, const Arg& y) {
    const Here here(y.where);
    if (y.is_tensor()) {
        write(x, y.tensor, "copy_");
        return x;
    }
    return fill_(x, y);
}

Tensor& fill_(Tensor& x, const Arg& value) {
    const Here here(value.where);
    if (value.is_tensor()) {
        if (value.tensor.dims() != 0)
            fail(ErrorKind::runtime, "fill_: the value has shape ", text(value.tensor.shape()),
                 ", not that of one number");
        write(x, value.tensor, "fill_");
        return x;
    }
    write(x, full({}, value.scalar, {x.dtype(), x.device()}), "fill_");
    return x;
}

Tensor& zero_(Tensor& x, Where where) {
    const Here here(where);
    return fill_(x, 0);
}

Tensor& in_place(Tensor& x, Tensor (*op)(const Arg&), const char* name, Where where) {
    const Here here(where);
    return written(x, op(x), name);
}

}  // namespace tg
