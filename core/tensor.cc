#include "core/tensor.h"

#include <cstring>

#include "core/backward.h"
#include "core/gradient.h"
#include "core/history.h"
#include "core/hooks.h"
#include "core/ops.h"
#include "core/ops/structural.h"
#include "core/recording.h"
#include "core/state.h"
#include "kernels/low_precision.h"

namespace tg {

Tensor tensor_of(Ref<Storage> storage, Layout layout) {
    Ref<Handle> handle(new Handle);
    handle->storage = std::move(storage);
    handle->history = Ref<History>(new History);
    handle->layout = layout;
    if (const Recording* r = recording()) handle->born = handle->history->born = r->id;
    return Tensor(handle);
}

Tensor empty(const Dims& shape, Options options) {
    for (std::int64_t d : shape)
        if (d < 0)
            fail(ErrorKind::runtime, "a shape with the negative size ", d, ": ", text(shape));
    Tensor t = tensor_of(allocate(shape, options.dtype, options.device), Layout::contiguous(shape));
    if (options.requires_grad) t.requires_grad_();
    return t;
}

std::uint32_t Tensor::version() const {
    if (Recording* r = recording()) return r->state(handle_->storage).version;
    return handle_->storage->version;
}

bool Tensor::requires_grad() const {
    const Handle& h = *handle_;
    if (const Recording* r = recording()) return r->wants_gradient(h);
    return wanted_outside(h);
}

bool Tensor::is_leaf() const {
    if (!requires_grad()) return true;
    const History& history = *handle_->history;
    return history.leaf && handle_->leaf;
}

// On: a new leaf. A tensor whose views were taken before gets a history of its own, so that the
// views stay outside of the tape, as in PyTorch.
Tensor& Tensor::requires_grad_(bool on, Where where) {
    const Here here(where);
    if (on == requires_grad()) return *this;
    if (!on && !is_leaf())
        fail(ErrorKind::runtime,
             "requires_grad_: only a leaf can be told not to require a gradient; use detach()");
    if (on && !is_floating(dtype()))
        fail(ErrorKind::runtime,
             "requires_grad_: only floating tensors have gradients, and this is ",
             name_of(dtype()));
    if (Recording* r = recording()) {
        if (on && r->make_leaf(*this)) return *this;
        fail(ErrorKind::runtime, "requires_grad_: not inside ", r->name,
             "; say which tensors are leaves before it is recorded, or make a leaf of "
             "x.detach().clone()");
    }
    Handle& h = *handle_;
    if (!on) {
        h.history = Ref<History>(new History);
        h.leaf = false;
        h.seen = {};
        h.version = 0;
        return *this;
    }
    make_leaf(*this);
    return *this;
}

Value new_leaf(const Desc& desc, const Attrs& layout) {
    Ref<Node> node = new_node(ops::leaf, layout);
    node->requires_grad = true;
    node->outputs.push_back(desc);
    return {node, 0};
}

void make_leaf(const Tensor& tensor, const Ref<Node>& node) {
    Handle& h = tensor.handle();
    const bool whole = h.layout == Layout::contiguous(h.storage->shape);
    const Desc desc{tensor.shape(), tensor.dtype(), tensor.device()};
    h.history = Ref<History>(new History);
    h.history->leaf = true;
    h.history->now =
        node ? Value{node, 0} : new_leaf(desc, whole ? Attrs{} : layout_attrs(h.layout));
    extras_of(*h.history->now.node).leaf = gradient_of(tensor);
    h.leaf = true;
    h.seen = h.history->now;
    h.seen_in = 0;
    h.version = 0;
}

Tensor Tensor::grad() const { return read_gradient(gradient_of(*this)); }

void Tensor::set_grad(const Tensor& grad) const {
    if (grad.defined()) {
        if (grad.shape() != shape())
            fail(ErrorKind::runtime, "grad: a gradient of shape ", text(grad.shape()),
                 " does not fit a tensor of shape ", text(shape()));
        if (grad.dtype() != dtype() || grad.device() != device())
            fail(ErrorKind::runtime, "grad: a gradient of ", name_of(grad.dtype()), " on ",
                 name_of(grad.device()), " does not fit a tensor of ", name_of(dtype()), " on ",
                 name_of(device()));
        if (grad.same(*this)) fail(ErrorKind::runtime, "grad: a tensor cannot be its own gradient");
    }
    write_gradient(gradient_of(*this), grad);
}

Tensor Tensor::detach() const { return detached(*this); }

void Tensor::backward(const Tensor& gradient, bool retain_graph, bool create_graph,
                      Where where) const {
    const Here here(where);
    const Tensor roots[] = {*this};
    const Tensor gradients[] = {gradient};
    tg::backward(roots, gradients, {retain_graph, create_graph});
}

void no_value(const Tensor& x, const char* who) {
    const Handle& h = x.handle();
    const Where made = h.seen ? h.seen.node->where : Where{};
    fail(ErrorKind::runtime, who, ": this tensor of shape ", text(x.shape()), " is a symbol of ",
         recording_name(h.storage->born), made ? ", written at " + text(made) : std::string(),
         "; it has no value until that runs: return it from there, or fetch it with a Session");
}

void* Tensor::data() const {
    const Handle& h = *handle_;
    if (is_symbolic()) {
        no_value(*this, "data");
    }
    return static_cast<char*>(h.storage->data) + h.layout.offset * size_of(dtype());
}

Scalar Tensor::item_scalar(Where where) const {
    const Here here(where);
    if (is_symbolic()) {
        no_value(*this, "item");
    }
    if (recording() && recording()->kind == Recording::traced)
        fail(ErrorKind::runtime, "item: ", recording()->name,
             " is being traced, and a number read now would be frozen into its program; keep it a "
             "tensor, or read it before the call");
    if (numel() != 1)
        fail(ErrorKind::runtime, "item: a tensor of shape ", text(shape()), " has ", numel(),
             " elements, not one");
    alignas(8) unsigned char bytes[8] = {};
    copy_bytes(bytes, Device::cpu, data(), device(), size_of(dtype()));
    const auto as = [&]<class T>(T v) {
        std::memcpy(&v, bytes, sizeof v);
        return v;
    };
    switch (dtype()) {
        case DType::boolean:
            return Scalar(bytes[0] != 0);
        case DType::uint8:
            return Scalar(static_cast<int>(as(std::uint8_t{})));
        case DType::int8:
            return Scalar(static_cast<int>(as(std::int8_t{})));
        case DType::int16:
            return Scalar(static_cast<int>(as(std::int16_t{})));
        case DType::int32:
            return Scalar(as(std::int32_t{}));
        case DType::int64:
            return Scalar(as(std::int64_t{}));
        case DType::float16:
            return Scalar(static_cast<double>(formula::widen(as(formula::Float16{}))));
        case DType::bfloat16:
            return Scalar(static_cast<double>(formula::widen(as(formula::BFloat16{}))));
        case DType::float32:
            return Scalar(static_cast<double>(as(float{})));
        case DType::float64:
            break;
    }
    return Scalar(as(double{}));
}

std::string describe(const Tensor& tensor) {
    return std::string(name_of(tensor.dtype())) + " " + text(tensor.shape());
}

}  // namespace tg
