#include "core/optim/sgd.h"

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
