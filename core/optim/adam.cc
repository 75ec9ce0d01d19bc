#include "core/optim/adam.h"

#include "core/optim/fused.h"

namespace tg::optim {

Adam::Adam(const char* name, const std::vector<Group>& groups, const AdamOptions& o)
    : Optimizer(name, {{"lr", o.lr},
                       {"beta1", o.betas.first},
                       {"beta2", o.betas.second},
                       {"eps", o.eps},
                       {"weight_decay", o.weight_decay},
                       {"amsgrad", o.amsgrad},
                       {"maximize", o.maximize},
                       {"decoupled_weight_decay", o.decoupled_weight_decay}}) {
    check_not_negative({"lr", "eps", "weight_decay"});
    const double betas[] = {o.betas.first, o.betas.second};
    for (int i = 0; i < 2; ++i)
        if (!(betas[i] >= 0 && betas[i] < 1))
            fail(ErrorKind::value, name, ": betas[", i, "] must be in [0, 1), and is ", betas[i]);
    add(groups);
}

Adam::Adam(const std::vector<Tensor>& params, const AdamOptions& options)
    : Adam("Adam", {Group{params}}, options) {}

Adam::Adam(const std::vector<Group>& groups, const AdamOptions& options)
    : Adam("Adam", groups, options) {}

void Adam::make_state(ParamGroup& group) {
    group.make_tensor("lr");
    for (std::size_t i = 0; i < group.params.size(); ++i) {
        group.remember_step(i);
        group.remember(i, "exp_avg");
        group.remember(i, "exp_avg_sq");
        if (group["amsgrad"] != 0) group.remember(i, "max_exp_avg_sq");
    }
}

bool Adam::update_together(const ParamGroup& group, const std::vector<std::size_t>& places) {
    for (const char* beta : {"beta1", "beta2"})
        if (group.value(beta).is_tensor()) return false;  // a scheduler changes it
    const kernels::AdamRule rule = {.beta1 = group["beta1"],
                                    .beta2 = group["beta2"],
                                    .eps = group["eps"],
                                    .weight_decay = group["weight_decay"],
                                    .amsgrad = group["amsgrad"] != 0,
                                    .maximize = group["maximize"] != 0,
                                    .decoupled = group["decoupled_weight_decay"] != 0};
    std::vector<Tensor> tensors;
    for (const std::size_t i : places) {
        const State& state = group.state[i];
        tensors.push_back(group.params[i]);
        tensors.push_back(group.params[i].grad());
        for (const char* name : {"exp_avg", "exp_avg_sq"}) tensors.push_back(state.at(name));
        if (rule.amsgrad) tensors.push_back(state.at("max_exp_avg_sq"));
        tensors.push_back(state.at("step"));
    }
    return fused_adam_(tensors, group.value("lr").tensor, rule);
}

void Adam::update(Tensor& param, Tensor g, State& state, const ParamGroup& group) {
    const Arg lr = group.value("lr"), beta1 = group.value("beta1"), beta2 = group.value("beta2");
    const double weight_decay = group["weight_decay"];
    const Tensor t = state["step"].add_(1);
    Tensor &m = state["exp_avg"], v = state["exp_avg_sq"];
    if (weight_decay != 0) {
        if (group["decoupled_weight_decay"] != 0)
            param.mul_(1 - lr * weight_decay);
        else
            g = g + param * weight_decay;
    }
    lerp_(m, g, one_minus(beta1));
    v.mul_(beta2).add_(g * one_minus(beta2) * g);
    if (group["amsgrad"] != 0) {
        Tensor& largest = state["max_exp_avg_sq"];
        v = largest.copy_(maximum(largest, v));
    }
    const Tensor root = sqrt(v) / sqrt(1 - pow(beta2, t)) + group["eps"];
    param.sub_(m * (lr / (1 - pow(beta1, t))) / root);
}

namespace {

AdamOptions decoupled(const AdamWOptions& o) {
    return {.lr = o.lr,
            .betas = o.betas,
            .eps = o.eps,
            .weight_decay = o.weight_decay,
            .amsgrad = o.amsgrad,
            .maximize = o.maximize,
            .decoupled_weight_decay = true};
}

}  // namespace

AdamW::AdamW(const std::vector<Tensor>& params, const AdamWOptions& options)
    : AdamW({Group{params}}, options) {}

AdamW::AdamW(const std::vector<Group>& groups, const AdamWOptions& options)
    : Adam("AdamW", groups, decoupled(options)) {}

}  // namespace tg::optim
