#include "core/optim/rmsprop.h"

namespace tg::optim {

RMSprop::RMSprop(const std::vector<Tensor>& params, const RMSpropOptions& options)
    : RMSprop({Group{params}}, options) {}

RMSprop::RMSprop(const std::vector<Group>& groups, const RMSpropOptions& o)
    : Optimizer("RMSprop", {{"lr", o.lr},
                            {"alpha", o.alpha},
                            {"eps", o.eps},
                            {"weight_decay", o.weight_decay},
                            {"momentum", o.momentum},
                            {"centered", o.centered},
                            {"maximize", o.maximize}}) {
    check_not_negative({"lr", "eps", "momentum", "weight_decay", "alpha"});
    add(groups);
}

void RMSprop::make_state(ParamGroup& group) {
    group.make_tensor("lr");
    for (std::size_t i = 0; i < group.params.size(); ++i) {
        group.remember_step(i);
        group.remember(i, "square_avg");
        if (group.uses("momentum")) group.remember(i, "momentum_buffer");
        if (group["centered"] != 0) group.remember(i, "grad_avg");
    }
}

void RMSprop::update(Tensor& param, Tensor g, State& state, const ParamGroup& group) {
    const Arg lr = group.value("lr");
    const double alpha = group["alpha"];
    state["step"].add_(1);
    if (group["weight_decay"] != 0) g = g + param * group["weight_decay"];
    Tensor v = state["square_avg"].mul_(alpha).add_(g * (1 - alpha) * g);
    if (group["centered"] != 0) {
        Tensor& m = state["grad_avg"];
        lerp_(m, g, 1 - alpha);
        v = v - m * m;
    }
    const Tensor root = sqrt(v) + group["eps"];
    if (group.uses("momentum")) {
        const Tensor b = state["momentum_buffer"].mul_(group.value("momentum")).add_(g / root);
        param.sub_(b * lr);
    } else {
        param.sub_(g * lr / root);
    }
}

}  // namespace tg::optim
