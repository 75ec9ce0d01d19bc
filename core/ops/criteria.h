// More losses, and how far apart and how alike vectors are.
#pragma once

#include <optional>
#include <string>

#include "core/apply.h"

namespace tg {

// ---- distances: core/ops/distances.cc ----------------------------------------------------------
// All broadcast.
Tensor cosine_similarity(const Arg& x1, const Arg& x2, std::int64_t dim = 1, double eps = 1e-8);
// |x1 - x2 + eps|_p over the last dim
Tensor pairwise_distance(const Arg& x1, const Arg& x2, double p = 2, double eps = 1e-6,
                         bool keepdim = false);
// x / |x|_p over dims; a norm below eps counts as eps
Tensor normalize(const Arg& x, double p = 2, const DimList& dims = 1, double eps = 1e-12);
// x1 (..., I), x2 (..., J), weight (O, I, J), bias (O,) -> (..., O): x1 W_o x2 + b_o
Tensor bilinear(const Arg& x1, const Arg& x2, const Arg& weight, const Tensor& bias = {});

// ---- more losses: core/ops/criteria.cc ---------------------------------------------------------
// reduction: "mean", "sum" or "none".
// weight: of input's shape; the mean is that of weight losses
Tensor huber_loss(const Arg& input, const Arg& target, const std::string& reduction = "mean",
                  double delta = 1, const Tensor& weight = {});
// input of probabilities; a log counts as -100 at least
Tensor binary_cross_entropy(const Arg& input, const Arg& target, const Tensor& weight = {},
                            const std::string& reduction = "mean");
struct PoissonLoss {
    bool log_input = true, full = false;
    double eps = 1e-8;
    std::string reduction = "mean";
};
Tensor poisson_nll_loss(const Arg& input, const Arg& target, const PoissonLoss& options = {});
struct GaussianLoss {
    bool full = false;
    double eps = 1e-6;
    std::string reduction = "mean";
};
// var: of input's shape, or without its last dim, or with 1 there
Tensor gaussian_nll_loss(const Arg& input, const Arg& target, const Arg& var,
                         const GaussianLoss& options = {});
// target 1 or -1
Tensor soft_margin_loss(const Arg& input, const Arg& target, const std::string& reduction = "mean");
Tensor hinge_embedding_loss(const Arg& input, const Arg& target, double margin = 1,
                            const std::string& reduction = "mean");
Tensor margin_ranking_loss(const Arg& input1, const Arg& input2, const Arg& target,
                           double margin = 0, const std::string& reduction = "mean");
// inputs (N, D), target (N,); or (D,) and ()
Tensor cosine_embedding_loss(const Arg& input1, const Arg& input2, const Arg& target,
                             double margin = 0, const std::string& reduction = "mean");
struct TripletLoss {
    double margin = 1, p = 2, eps = 1e-6;
    bool swap = false;
    std::string reduction = "mean";
};
Tensor triplet_margin_loss(const Arg& anchor, const Arg& positive, const Arg& negative,
                           const TripletLoss& options = {});
struct MarginLoss {
    std::int64_t p = 1;  // or 2
    double margin = 1;
    Tensor weight = {};  // (C,), by class
    std::string reduction = "mean";
};
// input (N, C) or (C,), target (N,) or () int64
Tensor multi_margin_loss(const Arg& input, const Arg& target, const MarginLoss& options = {});
// input and target (N, C) or (C,)
Tensor multilabel_soft_margin_loss(const Arg& input, const Arg& target, const Tensor& weight = {},
                                   const std::string& reduction = "mean");

// ---- alignments: core/ops/alignment.cc ---------------------------------------------------------
struct CtcLoss {
    std::int64_t blank = 0;
    std::string reduction = "mean";
    bool zero_infinity = false;
};
// log_probs (T, N, C) or (T, C), targets (N, S), or of all rows one after the other, lengths (N,)
Tensor ctc_loss(const Arg& log_probs, const Arg& targets, const Arg& input_lengths,
                const Arg& target_lengths, const CtcLoss& options = {});

}  // namespace tg
