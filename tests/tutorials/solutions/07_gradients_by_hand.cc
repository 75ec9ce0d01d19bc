Tensor sum_back(const Tensor& g, const Dims& shape) {
    Tensor sums = g;
    while (sums.dims() > shape.size()) sums = sum(sums, 0);
    for (int dim = 0; dim < shape.size(); ++dim)
        if (shape[dim] == 1) sums = sum(sums, dim, true);
    return sums;
}

Tensor logsumexp_gradient(const Tensor& x, const Tensor& g) {
    return g.unsqueeze(1) * softmax(x, 1);
}

Tensor layer_norm_gradient(const Tensor& x, const Tensor& g) {
    const Tensor from_mean = x - mean(x, 1, true);
    const Tensor s = sqrt(mean(from_mean * from_mean, 1, true));
    const Tensor y = from_mean / s;
    return (g - mean(g, 1, true) - y * mean(g * y, 1, true)) / s;
}
