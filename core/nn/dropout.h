// Dropout.
#pragma once

#include "core/nn/functional.h"
#include "core/nn/layer.h"
#include "core/nn/numbers.h"

namespace tg::nn {

// In training every element is 0 with probability p, or else x / (1 - p); in eval x is x.
// So the mean stays. Throws ValueError for a p outside of 0..1.
// [Srivastava et al. 2014, Dropout: a simple way to prevent neural networks from overfitting]
class Dropout final : public Layer {
  public:
    explicit Dropout(double probability = 0.5, bool in_place = false)
        : p(probability), inplace(in_place) {
        functional::check_probability("Dropout", p);
    }
    Tensor forward(const Tensor& x) override {
        return functional::dropout(x, p, is_training(), inplace);
    }
    std::string extra_repr() const override {
        return "p=" + shown(p) + ", inplace=" + shown(inplace);
    }

    double p;
    bool inplace;
};

}  // namespace tg::nn
