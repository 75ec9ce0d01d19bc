"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .. import _C
from .._C import Tensor
from .._errors import placed
from .optimizer import Optimizer, ParamGroup


class SGD(Optimizer):
    """p = p - lr * d, in PyTorch's order of arithmetic, with

        d = g + weight_decay * p
        b = momentum * b + (1 - dampening) * d      where momentum is not 0; the first b is d
        d = b, or with nesterov d + momentum * b

    Every b (momentum_buffer) has its parameter's shape and starts as 0. Where there is dampening a
    count of steps tells which b is the first. fused=True: see Optimizer. Raises ValueError for a
    negative lr, momentum or weight_decay, and for nesterov without a momentum or with dampening.

    [Sutskever et al. 2013, On the importance of initialization and momentum in deep learning]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        self.check_ways(foreach, fused, differentiable)
        self.check_not_negative(lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and momentum == 0:
            raise placed(ValueError, "SGD: nesterov needs a momentum above 0")
        if nesterov and dampening != 0:
            raise placed(ValueError, f"SGD: nesterov needs a dampening of 0, and it is {dampening}")
        defaults = {
            "lr": float(lr),
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def make_state(self, group: ParamGroup) -> None:
        group.make_tensor("lr")
        for param in group["params"]:
            if group.uses("momentum"):
                stepped = "momentum_buffer" in self.state.get(param, {})
                self.remember(param, "momentum_buffer")
                if group["dampening"] != 0:
                    self.remember_step(param, float(stepped))

    def update(self, param: Tensor, g: Tensor, group: ParamGroup) -> None:
        d = g
        if group["weight_decay"] != 0:
            d = d + param * group["weight_decay"]
        if group.uses("momentum"):
            momentum, dampening = group.number("momentum"), group["dampening"]
            state = self.state[param]
            b = state["momentum_buffer"].mul_(momentum)
            if dampening == 0:
                b.add_(d)
            else:
                b.add_(d * (1 - _C.minimum(state["step"], 1.0) * dampening))
                state["step"].add_(1)
            d = d + b * momentum if group["nesterov"] else b
        param.sub_(d * group.number("lr"))

    def update_together(self, pairs: list[tuple[Tensor, Tensor]], group: ParamGroup) -> bool:
        momentum, dampening = group.number("momentum"), group["dampening"]
        if isinstance(momentum, Tensor):  # a scheduler changes it
            return False
        tensors = []
        for param, g in pairs:
            tensors += [param, g]
            if momentum != 0:
                tensors.append(self.state[param]["momentum_buffer"])
            if momentum != 0 and dampening != 0:
                tensors.append(self.state[param]["step"])
        return _C._fused_sgd(
            tensors, group.number("lr"), momentum, dampening, group["weight_decay"],
            bool(group["nesterov"]), bool(group["maximize"]),
        )  # fmt: skip

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Also of PyTorch's, where a momentum_buffer is there from the first step on, uncounted."""
        state = dict(state_dict["state"])
        for group in state_dict["param_groups"]:
            for place in group["params"]:
                values = state.get(place, {})
                if group.get("dampening", 0) != 0 and values.get("momentum_buffer") is not None:
                    state[place] = {"step": 1.0, **values}
        super().load_state_dict({**state_dict, "state": state})
