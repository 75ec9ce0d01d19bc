"""ASGD: stochastic gradient descent whose result is the mean of where it has been."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import _C
from .._C import Tensor
from .optimizer import Optimizer, ParamGroup


class ASGD(Optimizer):
    """p = (1 - lambd * eta) * p - eta * g, with at step t = 1, 2, ...

        g = g + weight_decay * p
        ax = ax + mu * (p - ax)                     the mean of p from step t0 on
        eta = lr / (1 + lambd * lr * t)^alpha       for the next step
        mu = 1 / max(1, t - t0)                     for the next step

    ax has its parameter's shape and starts as 0; eta and mu are float64 of no dims and start as lr
    and 1. ax, in state[p]["ax"], is the result: p itself goes on. fused=True: see Optimizer. Raises
    ValueError for a negative lr, lambd, alpha or weight_decay.

    [Polyak & Juditsky 1992, Acceleration of stochastic approximation by averaging]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        fused: bool | None = None,
    ) -> None:
        self.check_not_negative(lr=lr, lambd=lambd, alpha=alpha, weight_decay=weight_decay)
        defaults = {
            "lr": float(lr),
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def make_state(self, group: ParamGroup) -> None:
        group.make_tensor("lr")
        for param in group["params"]:
            self.remember_step(param)
            self.remember_number(param, "eta", group["lr"])
            self.remember_number(param, "mu", 1.0)
            self.remember(param, "ax")

    def update(self, param: Tensor, g: Tensor, group: ParamGroup) -> None:
        state, lambd, lr = self.state[param], group["lambd"], group.number("lr")
        t, eta, mu, ax = state["step"].add_(1), state["eta"], state["mu"], state["ax"]
        if group["weight_decay"] != 0:
            g = g + param * group["weight_decay"]
        param.mul_(1 - lambd * eta)
        param.sub_(g * eta)
        ax.copy_(_C.where(mu == 1, param, ax + (param - ax) * mu))
        eta.copy_(lr / (1 + lambd * lr * t) ** group["alpha"])
        mu.copy_(1 / (t - group["t0"]).clamp(min=1.0))
