"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import _C
from ..autograd import no_grad
from .optimizer import Optimizer, ParamGroup


class SGD(Optimizer):
    """p = p - lr * d, in PyTorch's order of arithmetic, with

        d = g + weight_decay * p
        b = momentum * b + d          where momentum is not 0; b starts as 0
        d = b, or with nesterov d + momentum * b

    The learning rate is a tensor (group["lr"] = x writes it) and so is every b.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        for name, value in (("lr", lr), ("momentum", momentum), ("weight_decay", weight_decay)):
            if value < 0:
                raise ValueError(f"SGD: {name} must not be negative, and is {value}")
        if dampening != 0:
            raise ValueError("SGD: dampening is not supported; leave it at 0")
        if nesterov and momentum == 0:
            raise ValueError("SGD: nesterov needs a momentum above 0")
        defaults = {
            "lr": float(lr),
            "momentum": momentum,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
        }
        super().__init__(params, defaults)

    def make_state(self, group: ParamGroup) -> None:
        group.make_tensor("lr", group["params"][0].device if group["params"] else "cpu")
        for param in group["params"]:
            if group["momentum"] != 0:
                self.state[param] = {"momentum_buffer": _C.zeros_like(param)}

    @no_grad()
    def step(self) -> None:
        """Changes every parameter that has a gradient."""
        for group in self.param_groups:
            lr = group.tensors["lr"]
            momentum, weight_decay = group["momentum"], group["weight_decay"]
            for param in group["params"]:
                d = param.grad
                if d is None:
                    continue
                if weight_decay != 0:
                    d = d + param * weight_decay
                if momentum != 0:
                    buffer = self.state[param]["momentum_buffer"]
                    buffer.mul_(momentum).add_(d)
                    d = d + buffer * momentum if group["nesterov"] else buffer
                param.sub_(d * lr)
