#include "core/optim/sgd.h"

#include "core/optim/fused.h"

namespace tg::optim {

SGD::SGD(const std::vector<Tensor>& params, const SGDOptions& options)
    : SGD({Group{params}}, options) {}

SGD::SGD(const std::vector<Group>& groups, const SGDOptions& o)
    : Optimizer("SGD", {{"lr", o.lr},
                        {"momentum", o.momentum},
                        {"dampening", o.dampening},
                        {"weight_decay", o.weight_decay},
                        {"nesterov", o.nesterov},
                        {"maximize", o.maximize}}) {
    check_not_negative({"lr", "momentum", "weight_decay"});
    if (o.nesterov && o.momentum == 0)
        fail(ErrorKind::value, "SGD: nesterov needs a momentum above 0");
    if (o.nesterov && o.dampening != 0)
        fail(ErrorKind::value, "SGD: nesterov needs a dampening of 0, and it is ", o.dampening);
    add(groups);
}

void SGD::make_state(ParamGroup& group) {
    group.make_tensor("lr");
    if (!group.uses("momentum")) return;
    for (std::size_t i = 0; i < group.params.size(); ++i) {
        const bool stepped = group.state[i].count("momentum_buffer") > 0;
        group.remember(i, "momentum_buffer");
        if (group["dampening"] != 0) group.remember_step(i, stepped);
    }
}

bool SGD::update_together(const ParamGroup& group, const std::vector<std::size_t>& places) {
    const Arg momentum = group.value("momentum");
    if (momentum.is_tensor()) return false;  // a scheduler changes it
    const kernels::SgdRule rule = {.momentum = group["momentum"],
                                   .dampening = group["dampening"],
                                   .weight_decay = group["weight_decay"],
                                   .nesterov = group["nesterov"] != 0,
                                   .maximize = group["maximize"] != 0};
    std::vector<Tensor> tensors;
    for (const std::size_t i : places) {
        tensors.push_back(group.params[i]);
        tensors.push_back(group.params[i].grad());
        if (rule.keeps(0)) tensors.push_back(group.state[i].at("momentum_buffer"));
        if (rule.counts()) tensors.push_back(group.state[i].at("step"));
    }
    return fused_sgd_(tensors, group.value("lr").tensor, rule);
}

void SGD::update(Tensor& param, Tensor g, State& state, const ParamGroup& group) {
    Tensor d = g;
    if (group["weight_decay"] != 0) d = d + param * group["weight_decay"];
    if (group.uses("momentum")) {
        const Arg momentum = group.value("momentum");
        const double dampening = group["dampening"];
        Tensor& b = state["momentum_buffer"].mul_(momentum);
        if (dampening == 0) {
            b.add_(d);
        } else {
            Tensor& steps = state["step"];
            b.add_(d * (1 - minimum(steps, 1.0) * dampening));
            steps.add_(1);
        }
        d = group["nesterov"] != 0 ? d + b * momentum : b;
    }
    param.sub_(d * group.value("lr"));
}

void SGD::load_state_dict(const StateDict& given) {
    StateDict counted = given;
    std::size_t place = 0;
    for (const auto& group : given.param_groups)
        for (std::size_t i = 0; i < group.params && place < counted.state.size(); ++i, ++place) {
            State& state = counted.state[place];
            const auto dampening = group.numbers.find("dampening");
            if (dampening != group.numbers.end() && dampening->second != 0 &&
                state.count("momentum_buffer") && !state.count("step"))
                state["step"] = scalar_tensor(1, {DType::float64});
        }
    Optimizer::load_state_dict(counted);
}

}  // namespace tg::optim
