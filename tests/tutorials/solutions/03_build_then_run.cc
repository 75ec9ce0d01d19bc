Tensor mean_distance(const Tensor& x, const Tensor& target) { return abs(x - target).mean(); }

Tensor adding(const Tensor& total, const Tensor& amount) { return assign(total, total + amount); }

std::vector<Tensor> momentum_step(const Tensor& loss, const Tensor& w, const Tensor& speed,
                                  const Tensor& rate) {
    const Tensor faster = speed * 0.9 + gradients(loss, {w})[0];
    return {assign(speed, faster), assign(w, w - rate * faster)};
}
