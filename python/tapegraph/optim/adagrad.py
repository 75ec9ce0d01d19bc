"""Adagrad: steps of the gradient over the root of the sum of all its squares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._C import Tensor
from .optimizer import Optimizer, ParamGroup


class Adagrad(Optimizer):
    """p = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps) at step t = 1, 2, ..., with

        g = g + weight_decay * p
        s = s + g^2                                 sum; it starts as initial_accumulator_value

    s has its parameter's shape; t (step) is float64 of no dims. fused=True: see Optimizer. Raises
    ValueError if a number is negative.

    [Duchi, Hazan & Singer 2011, Adaptive subgradient methods]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        self.check_ways(foreach, fused, differentiable)
        numbers = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
        }
        self.check_not_negative(**numbers)
        super().__init__(params, {**numbers, "lr": float(lr), "maximize": maximize, "fused": fused})

    def make_state(self, group: ParamGroup) -> None:
        group.make_tensor("lr")
        for param in group["params"]:
            self.remember_step(param)
            self.remember(param, "sum", group["initial_accumulator_value"])

    def update(self, param: Tensor, g: Tensor, group: ParamGroup) -> None:
        state = self.state[param]
        t = state["step"].add_(1)
        if group["weight_decay"] != 0:
            g = g + param * group["weight_decay"]
        s = state["sum"].add_(g * g)
        rate = group.number("lr") / (1 + (t - 1) * group["lr_decay"])
        param.sub_(g * rate / (s.sqrt() + group["eps"]))
