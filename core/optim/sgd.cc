#include "core/optim/optim.h"

namespace tg::optim {

SGD::SGD(std::vector<Tensor> parameters, SGDOptions options)
    : parameters_(std::move(parameters)), options_(options) {
    if (options.lr < 0 || options.momentum < 0 || options.weight_decay < 0)
        fail(ErrorKind::value, "SGD: lr ", options.lr, ", momentum ", options.momentum,
             " and weight_decay ", options.weight_decay, " must not be negative");
    if (options.nesterov && (options.momentum <= 0 || options.dampening != 0))
        fail(ErrorKind::value, "SGD: nesterov needs a momentum and no dampening");
    if (parameters_.empty()) fail(ErrorKind::value, "SGD: got no parameters");
    // One number, wherever the parameters are; float64 so that it is the number that was set.
    lr_ = scalar_tensor(options.lr, {DType::float64, Device::cpu});
    if (options.momentum == 0) return;
    for (const Tensor& p : parameters_) momentum_.push_back(zeros_like(p));
}

double SGD::lr() const { return lr_.item<double>(); }
void SGD::set_lr(double lr) { lr_.fill_(lr); }

void SGD::zero_grad() {
    for (const Tensor& p : parameters_) p.set_grad({});
}

void SGD::step(Tensor& p, Tensor& v) {
    const Tensor g = p.grad();
    if (!g.defined()) return;
    Tensor d = options_.weight_decay == 0 ? g : add(g, mul(p, options_.weight_decay));
    if (v.defined()) {
        // The buffers start at zero, so the first step's v is (1 - dampening) d; PyTorch's is d.
        mul_(v, options_.momentum);
        add_(v, d, options_.dampening == 0 ? Arg(1) : Arg(1 - options_.dampening));
        d = options_.nesterov ? add(d, mul(v, options_.momentum)) : v;
    }
    sub_(p, mul(d, to(cast(lr_, p.dtype()), p.device())));
}

void SGD::step(Where where) {
    const Here here(where);
    const NoGrad mode;
    Tensor none;
    for (std::size_t i = 0; i < parameters_.size(); ++i)
        step(parameters_[i], momentum_.empty() ? none : momentum_[i]);
}

}  // namespace tg::optim
