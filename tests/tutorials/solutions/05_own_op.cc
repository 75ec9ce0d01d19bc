Tensors smooth_abs_backward(BackwardPass& pass) {
    return {pass.g(0) * pass.saved(0) / pass.saved(1)};
}

Tensor limit_gradient(const Tensor& x) {
    return function(
        "limit_gradient", [](ForwardPass&, const Tensors& in) { return Tensors{in[0]}; },
        [](BackwardPass& pass) { return Tensors{clamp(pass.g(0), -1, 1)}; }, {x})[0];
}

Tensors share_backward(BackwardPass& pass) {
    const Tensor g = pass.g(0), total = pass.saved(0), y = pass.saved(1);
    return {(g - (g * y).sum()) / total};
}
