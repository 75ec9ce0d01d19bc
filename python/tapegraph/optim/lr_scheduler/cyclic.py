"""CyclicLR: the rate up and down again and again, and momentum the other way."""

from __future__ import annotations

import math
from typing import Any, Callable

from ..optimizer import Optimizer
from .base import LRScheduler, Several, check_optimizer, for_each_group
from .more_formulas import state_without


class CyclicLR(LRScheduler):
    """Up from base_lr to max_lr in step_size_up steps, and down in step_size_down, time and again.

    The height of a cycle is scaled by mode: "triangular" not, "triangular2" halved each time,
    "exp_range" times gamma^t; or by scale_fn of the cycle, 1, 2, ..., or for scale_mode
    "iterations" of t. With cycle_momentum momentum (or beta1 of betas) goes the other way, between
    max_momentum and base_momentum; it becomes a tensor. Raises ValueError for another mode and for
    an optimiser without momentum or betas.

    [Smith 2017, Cyclical learning rates for training neural networks]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: Several,
        max_lr: Several,
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: Several = 0.8,
        max_momentum: Several = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(self, optimizer)
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(
                f"CyclicLR: mode is 'triangular', 'triangular2' or 'exp_range', not {mode!r}"
            )
        bases = for_each_group(self, optimizer, "base_lr", base_lr)
        self.max_lrs = for_each_group(self, optimizer, "max_lr", max_lr)
        down = step_size_up if step_size_down is None else step_size_down
        self.total_size = float(step_size_up + down)
        if not step_size_up > 0 or not down > 0:
            raise ValueError(
                f"CyclicLR: step sizes must be above 0, and are {step_size_up} and {down}"
            )
        self.step_ratio = step_size_up / self.total_size
        self.mode = mode
        self.gamma = gamma
        self.scale_fn = scale_fn
        by_steps = mode == "exp_range" if scale_fn is None else scale_mode == "iterations"
        self.scale_mode = "iterations" if by_steps else "cycle"
        self.cycle_momentum = cycle_momentum
        self.use_beta1 = "betas" in optimizer.defaults
        if cycle_momentum:
            self._begin_momentum(optimizer, base_momentum, max_momentum, last_epoch)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, bases):
                group["lr"] = group["initial_lr"] = lr
        super().__init__(optimizer, last_epoch)
        self.base_lrs = bases

    def _begin_momentum(
        self, optimizer: Optimizer, base_momentum: Several, max_momentum: Several, last_epoch: int
    ) -> None:
        if not self.use_beta1 and "momentum" not in optimizer.defaults:
            raise ValueError(
                f"CyclicLR: {type(optimizer).__name__} has neither momentum nor betas to cycle; "
                f"pass cycle_momentum=False"
            )
        self.base_momentums = for_each_group(self, optimizer, "base_momentum", base_momentum)
        self.max_momentums = for_each_group(self, optimizer, "max_momentum", max_momentum)
        for group in optimizer.param_groups:
            group.make_tensor("betas" if self.use_beta1 else "momentum")

    def get_lr(self) -> list[float]:
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        up = x <= self.step_ratio
        part = x / self.step_ratio if up else (x - 1) / (self.step_ratio - 1)
        part *= self._scale(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            groups = zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums)
            for group, least, most in groups:
                momentum = most - (most - least) * part
                if self.use_beta1:
                    group["betas"] = (momentum, *group["betas"][1:])
                else:
                    group["momentum"] = momentum
        return [low + (high - low) * part for low, high in zip(self.base_lrs, self.max_lrs)]

    def _scale(self, x: float) -> float:
        if self.scale_fn is not None:
            return self.scale_fn(x)
        if self.mode == "triangular2":
            return 1 / (2.0 ** (x - 1))
        return self.gamma**x if self.mode == "exp_range" else 1.0

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimiser and scale_fn."""
        return state_without(self, "scale_fn")
