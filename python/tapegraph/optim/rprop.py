"""Rprop: only the signs of the gradient count, and each element has a step of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import _C
from .._C import Tensor
from .optimizer import Optimizer, ParamGroup


class Rprop(Optimizer):
    """p = p - s * sign(g), for gradients of all examples at once; element by element

        if g * g_before > 0:  s = min(etas[1] * s, step_sizes[1])
        if g * g_before < 0:  s = max(etas[0] * s, step_sizes[0]), and g = 0
        g_before = g

    s (step_size) and g_before (prev) have their parameter's shape and start as lr and 0.
    fused=True: see Optimizer. Raises ValueError for a negative lr, and unless
    0 < etas[0] < 1 < etas[1].

    [Riedmiller & Braun 1993, A direct adaptive method for faster backpropagation learning]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        *,
        maximize: bool = False,
        fused: bool | None = None,
    ) -> None:
        self.check_not_negative(lr=lr)
        if not 0 < etas[0] < 1 < etas[1]:
            raise ValueError(
                f"Rprop: etas must be one number in (0, 1) and one above 1, and are {etas}"
            )
        defaults = {
            "lr": float(lr),
            "etas": (float(etas[0]), float(etas[1])),
            "step_sizes": (float(step_sizes[0]), float(step_sizes[1])),
            "maximize": maximize,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def make_state(self, group: ParamGroup) -> None:
        group.make_tensor("lr")  # which only the first steps are made of
        for param in group["params"]:
            self.remember_step(param)
            self.remember(param, "prev")
            self.remember(param, "step_size", group["lr"])

    def update(self, param: Tensor, g: Tensor, group: ParamGroup) -> None:
        state, (shrink, grow) = self.state[param], group["etas"]
        state["step"].add_(1)
        prev, size = state["prev"], state["step_size"]
        way = g * prev
        turned = way < 0
        scaled = _C.where(way > 0, size * grow, _C.where(turned, size * shrink, size))
        size.copy_(scaled.clamp(*group["step_sizes"]))
        prev.copy_(_C.where(turned, 0.0, g))
        param.sub_(prev.sign() * size)
