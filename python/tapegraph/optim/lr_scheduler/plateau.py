"""ReduceLROnPlateau: a lower rate where a metric gets no better."""

from __future__ import annotations

import math
from typing import Any

from ..._errors import placed
from ..optimizer import Optimizer
from .base import LRScheduler, Several, check_optimizer, for_each_group


class ReduceLROnPlateau(LRScheduler):
    """lr = max(lr * factor, min_lr) once a metric was no better for more than patience steps.

    Better than the best so far is, of mode "min", below best * (1 - threshold) or, with
    threshold_mode "abs", below best - threshold; of mode "max" likewise above. After a reduction,
    cooldown steps are not counted. A change of no more than eps is not made. Raises ValueError for
    a factor of 1 or more and for modes that there are not.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: Several = 0.0,
        eps: float = 1e-8,
    ) -> None:
        check_optimizer(self, optimizer)
        if factor >= 1:
            raise placed(ValueError, f"ReduceLROnPlateau: factor must be below 1, and is {factor}")
        for name, value, known in (
            ("mode", mode, ("min", "max")),
            ("threshold_mode", threshold_mode, ("rel", "abs")),
        ):
            if value not in known:
                raise placed(
                    ValueError,
                    f"ReduceLROnPlateau: {name} must be '{known[0]}' or '{known[1]}', not "
                    f"{value!r}",
                )
        self.optimizer = optimizer
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self.factor, self.patience, self.cooldown, self.eps = factor, patience, cooldown, eps
        for_each_group(self, optimizer, "min_lr", min_lr)  # raises if they are too many or few
        self.min_lr = min_lr
        self.best = math.inf if mode == "min" else -math.inf
        self.cooldown_counter = 0
        self.num_bad_epochs = 0
        self.last_epoch = 0
        self._last_lr = self.current()

    def step(self, metrics: Any) -> None:  # type: ignore[override]
        """Looks at the metric: a number, or a tensor of one element."""
        value = float(metrics)
        self.last_epoch += 1
        if self._is_better(value):
            self.best = value
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = self.current()

    def _is_better(self, value: float) -> bool:
        sign = -1 if self.mode == "min" else 1
        if self.threshold_mode == "rel":
            bar = self.best * (1 + sign * self.threshold)
        else:
            bar = self.best + sign * self.threshold
        return value < bar if self.mode == "min" else value > bar

    def _reduce(self) -> None:
        lowest = for_each_group(self, self.optimizer, "min_lr", self.min_lr)
        for group, low in zip(self.optimizer.param_groups, lowest):
            lr = max(group["lr"] * self.factor, low)
            if group["lr"] - lr > self.eps:
                group["lr"] = lr
