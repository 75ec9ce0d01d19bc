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
    if (options.dampening != 0) begun_ = scalar_tensor(0, {DType::float64, Device::cpu});
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
        mul_(v, options_.momentum);
        if (begun_.defined()) {
            const Tensor part = where(eq(begun_, 0), 1.0, 1 - options_.dampening);
            add_(v, mul(d, to(cast(part, p.dtype()), p.device())));
        } else {
            add_(v, d);
        }
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
    if (begun_.defined()) fill_(begun_, 1);
}

}  // namespace tg::optim
