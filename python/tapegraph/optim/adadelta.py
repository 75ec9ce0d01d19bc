"""Adadelta: steps whose unit is the parameter's own, without a rate to choose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._C import Tensor
from .optimizer import Optimizer, ParamGroup


class Adadelta(Optimizer):
    """p = p - lr * d, with

        g = g + weight_decay * p
        v = rho * v + (1 - rho) * g^2               square_avg
        d = sqrt(u + eps) / sqrt(v + eps) * g
        u = rho * u + (1 - rho) * d^2               acc_delta

    u and v have their parameter's shape and start as 0. fused=True: see Optimizer. Raises
    ValueError for a negative lr, eps or weight_decay, and for a rho outside of [0, 1].

    [Zeiler 2012, ADADELTA: an adaptive learning rate method, algorithm 1]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        fused: bool | None = None,
    ) -> None:
        self.check_not_negative(lr=lr, eps=eps, weight_decay=weight_decay)
        if not 0 <= rho <= 1:
            raise ValueError(f"Adadelta: rho must be in [0, 1], and is {rho}")
        defaults = {
            "lr": float(lr),
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def make_state(self, group: ParamGroup) -> None:
        group.make_tensor("lr")
        for param in group["params"]:
            self.remember_step(param)
            self.remember(param, "square_avg")
            self.remember(param, "acc_delta")

    def update(self, param: Tensor, g: Tensor, group: ParamGroup) -> None:
        state, rho, eps = self.state[param], group["rho"], group["eps"]
        state["step"].add_(1)
        if group["weight_decay"] != 0:
            g = g + param * group["weight_decay"]
        v = state["square_avg"].mul_(rho).add_(g * (1 - rho) * g)
        u = state["acc_delta"]
        d = (u + eps).sqrt() / (v + eps).sqrt() * g
        u.mul_(rho).add_(d * (1 - rho) * d)
        param.sub_(d * group.number("lr"))
