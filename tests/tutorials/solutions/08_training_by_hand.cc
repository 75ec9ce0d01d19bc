void backward_in_parts(const Tensor& w, const std::vector<Tensor>& xs,
                       const std::vector<Tensor>& ys) {
    double count = 0;
    for (const Tensor& part : ys) count += static_cast<double>(part.size(0));
    w.set_grad({});
    for (std::size_t i = 0; i < xs.size(); ++i) {
        const double share = static_cast<double>(ys[i].size(0)) / count;
        (loss_of(w, xs[i], ys[i]) * share).backward();
    }
}

void nesterov_step(Tensor w, Tensor v, double rate) {
    const NoGrad off;
    v.mul_(0.9).add_(w.grad());
    w.sub_((w.grad() + v * 0.9) * rate);
}

Tensor train(Tensor w, const Tensor& x, const Tensor& y, double rate, int steps) {
    Tensor total = scalar_tensor(0.0);
    for (int i = 0; i < steps; ++i) {
        const Tensor loss = loss_of(w, x, y);
        w.set_grad({});
        loss.backward();
        const NoGrad off;
        w.sub_(w.grad() * rate);
        total = total + loss.detach();
    }
    return total / steps;
}
