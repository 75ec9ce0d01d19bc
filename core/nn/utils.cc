#include "core/nn/utils.h"

#include <cmath>

namespace tg::nn::utils {
namespace {

std::vector<Tensor> gradients(const std::vector<Tensor>& parameters) {
    std::vector<Tensor> all;
    for (const Tensor& p : parameters)
        if (const Tensor g = p.grad(); g.defined()) all.push_back(g);
    return all;
}

Tensor norm_of(const Tensor& x, double norm_type) {
    if (norm_type == 2) return sqrt((x * x).sum());
    if (std::isinf(norm_type)) return amax(abs(x));
    return pow(pow(abs(x), norm_type).sum(), 1 / norm_type);
}

}  // namespace

Tensor clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, double norm_type,
                       bool error_if_nonfinite, Where where) {
    const Here here(where);
    const NoGrad mode;
    if (!(norm_type > 0))
        fail(ErrorKind::value, "clip_grad_norm_: norm_type must be above 0, and is ", norm_type);
    std::vector<Tensor> grads = gradients(parameters), norms;
    for (const Tensor& g : grads)
        if (g.numel() > 0) norms.push_back(norm_of(g, norm_type));
    if (norms.empty()) return scalar_tensor(0.0);
    for (Tensor& n : norms) n = n.to(norms[0].device());
    const Tensor norm = norm_of(stack(norms), norm_type);
    if (error_if_nonfinite && !std::isfinite(norm.item<double>()))
        fail(ErrorKind::runtime, "clip_grad_norm_: the norm of the gradients is ",
             norm.item<double>(),
             ", so they cannot be clipped; to scale them by it anyway pass "
             "error_if_nonfinite=false");
    const Tensor scale = clamp(max_norm / (norm + 1e-6), {}, 1.0);
    for (Tensor& g : grads) g.mul_(scale.to(g.device()));
    return norm;
}

void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value, Where where) {
    const Here here(where);
    const NoGrad mode;
    for (Tensor& g : gradients(parameters)) g.copy_(clamp(g, -clip_value, clip_value));
}

Tensor parameters_to_vector(const std::vector<Tensor>& parameters, Where where) {
    const Here here(where);
    std::vector<Tensor> flat;
    for (const Tensor& p : parameters) flat.push_back(p.reshape({-1}));
    return cat(flat);
}

void vector_to_parameters(const Tensor& vector, const std::vector<Tensor>& parameters,
                          Where where) {
    const Here here(where);
    std::int64_t count = 0, start = 0;
    for (const Tensor& p : parameters) count += p.numel();
    if (vector.shape() != Dims{count})
        fail(ErrorKind::runtime, "vector_to_parameters: vec is ", text(vector.shape()),
             ", and the parameters have ", count, " elements");
    const NoGrad mode;
    for (Tensor p : parameters) {
        p.copy_(vector.slice(0, start, start + p.numel()).reshape(p.shape()));
        start += p.numel();
    }
}

}  // namespace tg::nn::utils
