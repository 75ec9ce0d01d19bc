std::vector<bool> predicted_errors() { return {false, true, false, true, false}; }

Tensor replaced(const Tensor& x, const Tensor& v) {
    Tensor y = x.clone();
    index_put_(y, {y < 0}, v);
    return y;
}

std::vector<Tensor> path_of(Tensor w) {
    std::vector<Tensor> path{w.detach().clone()};
    for (int i = 0; i < 3; ++i) {
        w.set_grad({});
        (w * w).sum().backward();
        const NoGrad off;
        w.sub_(0.25 * w.grad());
        path.push_back(w.detach().clone());
    }
    return path;
}
