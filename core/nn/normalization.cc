#include "core/nn/normalization.h"

#include "core/nn/functional.h"
#include "core/nn/init.h"

namespace tg::nn {
namespace {

// The identity: times one, plus zero.
void start(const Tensor& weight, const Tensor& bias) {
    if (weight.defined()) init::ones_(weight);
    if (bias.defined()) init::zeros_(bias);
}

Tensor empty_if(bool wanted, const Dims& shape, const Options& options) {
    return wanted ? empty(shape, options) : Tensor();
}

}  // namespace

LayerNorm::LayerNorm(const Numbers& shape, const LayerNormOptions& o)
    : normalized_shape(shape.dims),
      eps(o.eps),
      elementwise_affine(o.elementwise_affine),
      weight(
          register_parameter("weight", empty_if(elementwise_affine, normalized_shape, o.tensors))),
      bias(register_parameter(
          "bias", empty_if(elementwise_affine && o.bias, normalized_shape, o.tensors))) {
    reset_parameters();
}

void LayerNorm::reset_parameters() { start(weight, bias); }

Tensor LayerNorm::forward(const Tensor& x) {
    return functional::layer_norm(x, normalized_shape, weight, bias, eps);
}

std::string LayerNorm::extra_repr() const {
    return tg::text(normalized_shape) + ", eps=" + shown(eps) +
           ", elementwise_affine=" + shown(elementwise_affine) + ", bias=" + shown(bias.defined());
}

GroupNorm::GroupNorm(std::int64_t groups, std::int64_t channels, const GroupNormOptions& o)
    : num_groups(groups),
      num_channels(channels),
      eps(o.eps),
      affine(o.affine),
      weight(register_parameter("weight", empty_if(affine, {channels}, o.tensors))),
      bias(register_parameter("bias", empty_if(affine && o.bias, {channels}, o.tensors))) {
    if (groups < 1 || channels % groups)
        fail(ErrorKind::value, "GroupNorm: num_channels ", channels,
             " is no multiple of num_groups ", groups);
    reset_parameters();
}

void GroupNorm::reset_parameters() { start(weight, bias); }

Tensor GroupNorm::forward(const Tensor& x) {
    return functional::group_norm(x, num_groups, weight, bias, eps);
}

std::string GroupNorm::extra_repr() const {
    return std::to_string(num_groups) + ", " + std::to_string(num_channels) +
           ", eps=" + shown(eps) + ", affine=" + shown(affine) + ", bias=" + shown(bias.defined());
}

BatchNorm::BatchNorm(std::int64_t features, const BatchNormOptions& o)
    : num_features(features),
      options(o),
      weight(register_parameter("weight", empty_if(o.affine, {features}, o.tensors))),
      bias(register_parameter("bias", empty_if(o.affine && o.bias, {features}, o.tensors))),
      running_mean(
          register_buffer("running_mean", empty_if(o.track_running_stats, {features}, o.tensors))),
      running_var(
          register_buffer("running_var", empty_if(o.track_running_stats, {features}, o.tensors))),
      num_batches_tracked(
          register_buffer("num_batches_tracked",
                          empty_if(o.track_running_stats, {}, {DType::int64, o.tensors.device}))) {
    reset_parameters();
}

void BatchNorm::reset_running_stats() {
    if (!running_mean.defined()) return;
    init::zeros_(running_mean);
    init::ones_(running_var);
    num_batches_tracked.zero_();
}

void BatchNorm::reset_parameters() {
    reset_running_stats();
    start(weight, bias);
}

Tensor BatchNorm::forward(const Tensor& x) {
    check_dims(x.shape());
    if (x.shape()[1] != num_features)
        fail(ErrorKind::value, name(), ": input ", tg::text(x.shape()), " has ", x.shape()[1],
             " channels, and this is for ", num_features);
    Arg share = options.momentum.value_or(0.0);
    if (is_training() && running_mean.defined()) {
        num_batches_tracked.add_(1);
        if (!options.momentum) share = 1 / num_batches_tracked.to(running_mean.dtype());
    }
    return functional::batch_norm(x, {.running_mean = running_mean,
                                      .running_var = running_var,
                                      .weight = weight,
                                      .bias = bias,
                                      .training = is_training() || !running_mean.defined(),
                                      .momentum = share,
                                      .eps = options.eps});
}

std::string BatchNorm::extra_repr() const {
    return std::to_string(num_features) + ", eps=" + shown(options.eps) +
           ", momentum=" + (options.momentum ? shown(*options.momentum) : "None") +
           ", affine=" + shown(options.affine) + ", bias=" + shown(bias.defined()) +
           ", track_running_stats=" + shown(options.track_running_stats);
}

void BatchNorm1d::check_dims(const Dims& shape) const {
    if (shape.size() != 2 && shape.size() != 3)
        fail(ErrorKind::value, "BatchNorm1d: input is (N, C) or (N, C, L), not ", tg::text(shape));
}

void BatchNorm2d::check_dims(const Dims& shape) const {
    if (shape.size() != 4)
        fail(ErrorKind::value, "BatchNorm2d: input is (N, C, H, W), not ", tg::text(shape));
}

}  // namespace tg::nn
