"""RMSprop: steps of the gradient over the root of its mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._C import Tensor
from .optimizer import Optimizer, ParamGroup, lerp_


class RMSprop(Optimizer):
    """p = p - lr * d, with

        g = g + weight_decay * p
        v = alpha * v + (1 - alpha) * g^2           square_avg
        m = alpha * m + (1 - alpha) * g             grad_avg, where centered
        d = g / (sqrt(v) + eps), or centered g / (sqrt(v - m^2) + eps)
        b = momentum * b + d;  d = b                momentum_buffer, where momentum is not 0

    v, m and b have their parameter's shape and start as 0. fused=True: see Optimizer. Raises
    ValueError for a negative lr, alpha, eps, weight_decay or momentum.

    [Hinton 2012, Neural networks for machine learning, lecture 6e]
    [Graves 2013, Generating sequences with recurrent neural networks, 4.2, for centered]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        self.check_ways(foreach, fused, differentiable)
        self.check_not_negative(
            lr=lr, eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha
        )
        defaults = {
            "lr": float(lr),
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
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
            if group.uses("momentum"):
                self.remember(param, "momentum_buffer")
            if group["centered"]:
                self.remember(param, "grad_avg")

    def update(self, param: Tensor, g: Tensor, group: ParamGroup) -> None:
        state, alpha = self.state[param], group["alpha"]
        lr = group.number("lr")
        state["step"].add_(1)
        if group["weight_decay"] != 0:
            g = g + param * group["weight_decay"]
        v = state["square_avg"].mul_(alpha).add_(g * (1 - alpha) * g)
        if group["centered"]:
            m = state["grad_avg"]
            lerp_(m, g, 1 - alpha)
            v = v - m * m
        root = v.sqrt() + group["eps"]
        if group.uses("momentum"):
            b = state["momentum_buffer"].mul_(group.number("momentum")).add_(g / root)
            param.sub_(b * lr)
        else:
            param.sub_(g * lr / root)
