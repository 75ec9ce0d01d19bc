std::vector<int> predicted() { return {4, 54, 32}; }

Tensor last_states(const Tensor& x, const Tensor& w, const Tensor& counts) {
    Tensor h = zeros({x.size(0), x.size(2)});
    for (std::int64_t t = 0; t < x.size(1); ++t) {
        const Tensor next = tanh(select(x, 1, t) + matmul(h, w));
        h = where((t < counts).unsqueeze(1), next, h);
    }
    return h;
}

Tensor clip(Tensors gradients, double limit) {
    Tensors squares;
    for (const Tensor& g : gradients) squares.push_back((g * g).sum());
    const Tensor length = sqrt(stack(squares).sum());
    const Tensor scale = minimum(1, limit / length);
    for (Tensor& g : gradients) g.mul_(scale);
    return length;
}
