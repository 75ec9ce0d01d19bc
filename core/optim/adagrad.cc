#include "core/optim/adagrad.h"

namespace tg::optim {

Adagrad::Adagrad(const std::vector<Tensor>& params, const AdagradOptions& options)
    : Adagrad({Group{params}}, options) {}

Adagrad::Adagrad(const std::vector<Group>& groups, const AdagradOptions& o)
    : Optimizer("Adagrad", {{"lr", o.lr},
                            {"lr_decay", o.lr_decay},
                            {"weight_decay", o.weight_decay},
                            {"initial_accumulator_value", o.initial_accumulator_value},
                            {"eps", o.eps},
                            {"maximize", o.maximize}}) {
    check_not_negative({"lr", "lr_decay", "eps", "weight_decay", "initial_accumulator_value"});
    add(groups);
}

void Adagrad::make_state(ParamGroup& group) {
    group.make_tensor("lr");
    for (std::size_t i = 0; i < group.params.size(); ++i) {
        group.remember_step(i);
        group.remember(i, "sum", group["initial_accumulator_value"]);
    }
}

void Adagrad::update(Tensor& param, Tensor g, State& state, const ParamGroup& group) {
    const Tensor t = state["step"].add_(1);
    if (group["weight_decay"] != 0) g = g + param * group["weight_decay"];
    const Tensor s = state["sum"].add_(g * g);
    const Tensor rate = group.value("lr") / (1 + (t - 1) * group["lr_decay"]);
    param.sub_(g * rate / (sqrt(s) + group["eps"]));
}

}  // namespace tg::optim
