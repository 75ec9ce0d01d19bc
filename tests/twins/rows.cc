#include "tests/twins/twins.h"

namespace twins {

using namespace tg;

namespace {

// Two calls in training, one in eval: the running statistics move, and are used.
Outcome in_both_modes(nn::Layer&& module, const Dims& shape) {
    Outcome o{module.text()};
    const Tensor x = random_leaf(shape), y = random_leaf(shape);
    const Tensor first = module(x), second = module(y * 3);
    module.eval();
    add_gradients(o, module, {x, y}, {first, second, module(x)});
    for (const auto& [name, t] : module.state_dict()) o.tensors.push_back(t);
    return o;
}

Outcome loss(nn::Loss&& module, const Dims& shape, const Tensor& target) {
    Outcome o{module.text()};
    const Tensor x = random_leaf(shape);
    add_gradients(o, module, {x}, {module(x, target)});
    for (const auto& [name, t] : module.state_dict()) o.tensors.push_back(t);
    return o;
}

}  // namespace

void row_cases() {
    twin("LayerNorm", [] { return layer(nn::LayerNorm(4), {3, 4}); });
    twin("LayerNorm of two dims", [] {
        return layer(nn::LayerNorm({3, 4}, {.eps = 1e-3, .bias = false}), {2, 3, 4});
    });
    twin("GroupNorm", [] { return layer(nn::GroupNorm(2, 4), {3, 4, 5}); });
    twin("BatchNorm1d", [] { return in_both_modes(nn::BatchNorm1d(4), {5, 4}); });
    twin("BatchNorm1d, mean of all", [] {
        return in_both_modes(nn::BatchNorm1d(4, {.momentum = {}, .affine = false}), {5, 4, 2});
    });
    twin("BatchNorm2d", [] {
        return in_both_modes(nn::BatchNorm2d(4, {.eps = 1e-4, .momentum = 0.5}), {5, 4, 2, 3});
    });
    twin("BatchNorm2d, untracked", [] {
        return in_both_modes(nn::BatchNorm2d(4, {.track_running_stats = false}), {5, 4, 2, 3});
    });
    twin("Dropout", [] { return in_both_modes(nn::Dropout(), {5, 4}); });
    twin("Dropout in place", [] { return layer(nn::Dropout(0.2, true), {5, 4}); });
    const Tensor rows = tensor(std::vector<std::int64_t>{0, 2, 1, 2, 4});
    twin("Embedding", [&] {
        nn::Embedding module(5, 3);
        Outcome o{module.text(), {clone(module.weight.detach())}};
        add_gradients(o, module, {}, {module(rows)});
        return o;
    });
    twin("Embedding with padding", [&] {
        nn::Embedding module(5, 3, {.padding_idx = -3});
        Outcome o{module.text(), {clone(module.weight.detach())}};
        add_gradients(o, module, {}, {module(rows)});
        return o;
    });
    const Tensor classes = tensor(std::vector<std::int64_t>{0, 2, 1, 2, 3});
    const Tensor weight = tensor({0.5, 1, 2, 0.25}), target = arange(20).reshape({5, 4}) / 20;
    const Dims shape{5, 4};
    twin("CrossEntropyLoss", [&] { return loss(nn::CrossEntropyLoss(), shape, classes); });
    twin("CrossEntropyLoss with all options", [&] {
        return loss(nn::CrossEntropyLoss({weight, 2, "sum", 0.1}), shape, classes);
    });
    twin("NLLLoss", [&] { return loss(nn::NLLLoss({.weight = weight}), shape, classes); });
    twin("MSELoss", [&] { return loss(nn::MSELoss("none"), shape, target); });
    twin("L1Loss", [&] { return loss(nn::L1Loss("sum"), shape, target); });
    twin("SmoothL1Loss", [&] { return loss(nn::SmoothL1Loss("mean", 0.5), shape, target); });
    twin("BCEWithLogitsLoss",
         [&] { return loss(nn::BCEWithLogitsLoss({}, "mean", weight), shape, target); });
    twin("KLDivLoss", [&] { return loss(nn::KLDivLoss("batchmean", true), shape, target); });
    for (const double norm_type : {2.0, 3.0, std::numeric_limits<double>::infinity()})
        twin("clip_grad_norm_ " + nn::shown(norm_type), [&] {
            nn::Linear module(4, 3);
            module(randn({5, 4})).sum().backward();
            Outcome o{"", {nn::utils::clip_grad_norm_(module.parameters(), 1.5, norm_type)}};
            for (const Tensor& p : module.parameters()) o.tensors.push_back(p.grad());
            return o;
        });
    twin("clip_grad_value_", [&] {
        nn::Linear module(4, 3);
        module(randn({5, 4})).sum().backward();
        nn::utils::clip_grad_value_(module.parameters(), 1.5);
        nn::Linear other(4, 3);
        const Tensor vector = nn::utils::parameters_to_vector(other.parameters());
        nn::utils::vector_to_parameters(vector * 2, module.parameters());
        return Outcome{"", {vector, module.weight, module.bias, module.weight.grad()}};
    });
}

}  // namespace twins
