#include "core/nn/losses.h"

namespace tg::nn {

Tensor Loss::operator()(const Tensor& input, const Tensor& target, Where where) {
    const Here here(where);
    return forward(input, target);
}

CrossEntropyLoss::CrossEntropyLoss(const ClassLoss& given)
    : Loss(given.reduction),
      weight(register_buffer("weight", given.weight)),
      ignore_index(given.ignore_index),
      label_smoothing(given.label_smoothing) {}

Tensor CrossEntropyLoss::forward(const Tensor& input, const Tensor& target) {
    return cross_entropy(input, target, {weight, ignore_index, reduction, label_smoothing});
}

NLLLoss::NLLLoss(const ClassLoss& given)
    : Loss(given.reduction),
      weight(register_buffer("weight", given.weight)),
      ignore_index(given.ignore_index) {}

Tensor NLLLoss::forward(const Tensor& input, const Tensor& target) {
    return nll_loss(input, target, {weight, ignore_index, reduction});
}

Tensor MSELoss::forward(const Tensor& input, const Tensor& target) {
    return mse_loss(input, target, reduction);
}

Tensor L1Loss::forward(const Tensor& input, const Tensor& target) {
    return l1_loss(input, target, reduction);
}

Tensor SmoothL1Loss::forward(const Tensor& input, const Tensor& target) {
    return smooth_l1_loss(input, target, reduction, beta);
}

BCEWithLogitsLoss::BCEWithLogitsLoss(const Tensor& each, std::string how, const Tensor& positive)
    : Loss(std::move(how)),
      weight(register_buffer("weight", each)),
      pos_weight(register_buffer("pos_weight", positive)) {}

Tensor BCEWithLogitsLoss::forward(const Tensor& input, const Tensor& target) {
    return binary_cross_entropy_with_logits(input, target, weight, reduction, pos_weight);
}

Tensor KLDivLoss::forward(const Tensor& input, const Tensor& target) {
    return kl_div(input, target, reduction, log_target);
}

}  // namespace tg::nn
