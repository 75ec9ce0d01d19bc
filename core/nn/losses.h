// Losses as modules.
#pragma once

#include "core/nn/module.h"

namespace tg::nn {

// reduction: "mean", "sum" or "none".
class Loss : public Module {
  public:
    virtual Tensor forward(const Tensor& input, const Tensor& target) = 0;
    Tensor operator()(const Tensor& input, const Tensor& target, Where where = Where::here());
    std::string reduction;

  protected:
    explicit Loss(std::string how) : reduction(std::move(how)) {}
};

// -log softmax(input)[target]: input (N, C, ...) of logits, target (N, ...) int64, or probabilities
// of input's shape. weight (C,) is by class.
class CrossEntropyLoss final : public Loss {
  public:
    explicit CrossEntropyLoss(const ClassLoss& given = {});
    Tensor forward(const Tensor& input, const Tensor& target) override;
    Tensor& weight;
    std::int64_t ignore_index;
    double label_smoothing;
};

// -input[target]: input (N, C, ...) of log-probabilities, target (N, ...) int64.
class NLLLoss final : public Loss {
  public:
    explicit NLLLoss(const ClassLoss& given = {});
    Tensor forward(const Tensor& input, const Tensor& target) override;
    Tensor& weight;
    std::int64_t ignore_index;
};

struct MSELoss final : Loss {  // (input - target)^2
    explicit MSELoss(std::string how = "mean") : Loss(std::move(how)) {}
    Tensor forward(const Tensor& input, const Tensor& target) override;
};

struct L1Loss final : Loss {  // |input - target|
    explicit L1Loss(std::string how = "mean") : Loss(std::move(how)) {}
    Tensor forward(const Tensor& input, const Tensor& target) override;
};

// d^2 / (2 beta) where d = |input - target| is below beta, else d - beta / 2.
struct SmoothL1Loss final : Loss {
    explicit SmoothL1Loss(std::string how = "mean", double b = 1) : Loss(std::move(how)), beta(b) {}
    Tensor forward(const Tensor& input, const Tensor& target) override;
    double beta;
};

// -(pos_weight target log s + (1 - target) log(1 - s)), s = sigmoid(input).
class BCEWithLogitsLoss final : public Loss {
  public:
    explicit BCEWithLogitsLoss(const Tensor& each = {}, std::string how = "mean",
                               const Tensor& positive = {});
    Tensor forward(const Tensor& input, const Tensor& target) override;
    Tensor& weight;
    Tensor& pos_weight;
};

// target (log target - input): input of log-probabilities, target of probabilities.
struct KLDivLoss final : Loss {
    explicit KLDivLoss(std::string how = "mean", bool log = false)
        : Loss(std::move(how)), log_target(log) {}
    Tensor forward(const Tensor& input, const Tensor& target) override;
    bool log_target;
};

}  // namespace tg::nn
