"""OneCycleLR: the rate up and down once, and momentum the other way."""

from __future__ import annotations

import math
from typing import Any

from ..._errors import placed
from ..optimizer import Optimizer
from .base import LRScheduler, Several, check_optimizer, for_each_group


class OneCycleLR(LRScheduler):
    """Up from max_lr / div_factor to max_lr in the first pct_start of all steps, then down.

    The end is div_factor * final_div_factor below max_lr. With three_phase the way down is as long
    as the way up, and the rest goes on to the end. Between two ends the rate follows half a cosine,
    or a line. With cycle_momentum momentum (or beta1 of betas) goes the other way, from
    max_momentum to base_momentum and back; it becomes a tensor.

    There are total_steps, or epochs * steps_per_epoch; a step beyond them raises ValueError, and so
    do numbers out of range and an optimiser without momentum or betas.

    [Smith & Topin 2018, Super-convergence: very fast training using large learning rates]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Several,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: Several = 0.85,
        max_momentum: Several = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(self, optimizer)
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        if not 0 <= pct_start <= 1:
            raise placed(ValueError, f"OneCycleLR: pct_start must be in [0, 1], and is {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise placed(
                ValueError,
                f"OneCycleLR: anneal_strategy must be 'cos' or 'linear', not {anneal_strategy!r}",
            )
        self._anneal_func_type = anneal_strategy
        self._schedule_phases = _phases(pct_start, self.total_steps, three_phase)
        self.cycle_momentum = cycle_momentum
        self.use_beta1 = "betas" in optimizer.defaults
        if cycle_momentum and not self.use_beta1 and "momentum" not in optimizer.defaults:
            raise placed(
                ValueError,
                f"OneCycleLR: {type(optimizer).__name__} has neither momentum nor betas to cycle; "
                f"pass cycle_momentum=False",
            )
        rates = for_each_group(self, optimizer, "max_lr", max_lr)
        least = for_each_group(self, optimizer, "base_momentum", base_momentum)
        most = for_each_group(self, optimizer, "max_momentum", max_momentum)
        for i, group in enumerate(optimizer.param_groups):
            if cycle_momentum:
                group.make_tensor("betas" if self.use_beta1 else "momentum")
            if last_epoch > -1:  # they are in the group already
                continue
            group["initial_lr"] = rates[i] / div_factor
            group["max_lr"] = rates[i]
            group["min_lr"] = group["initial_lr"] / final_div_factor
            if cycle_momentum:
                group["max_momentum"] = most[i]
                group["base_momentum"] = least[i]
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        t = self.last_epoch
        if t > self.total_steps:
            raise placed(ValueError, f"OneCycleLR: step {t}, and there are {self.total_steps}")
        start = 0.0
        for phase in self._schedule_phases:
            end = phase["end_step"]
            if t <= end or phase is self._schedule_phases[-1]:
                break
            start = end
        part = (t - start) / (end - start) if end != start else 1.0
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(self._between(group[phase["start_lr"]], group[phase["end_lr"]], part))
            if self.cycle_momentum:
                momentum = self._between(
                    group[phase["start_momentum"]], group[phase["end_momentum"]], part
                )
                if self.use_beta1:
                    group["betas"] = (momentum, *group["betas"][1:])
                else:
                    group["momentum"] = momentum
        return rates

    def _between(self, start: float, end: float, part: float) -> float:
        if self._anneal_func_type == "linear":
            return (end - start) * part + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)


def _total(total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
    if total_steps is not None:
        return _positive("total_steps", total_steps)
    if epochs is None or steps_per_epoch is None:
        raise placed(ValueError, "OneCycleLR: give total_steps, or epochs and steps_per_epoch")
    return _positive("epochs", epochs) * _positive("steps_per_epoch", steps_per_epoch)


def _positive(name: str, value: Any) -> int:
    if not isinstance(value, int) or value <= 0:
        raise placed(ValueError, f"OneCycleLR: {name} must be an integer above 0, and is {value!r}")
    return value


def _phases(pct_start: float, steps: int, three_phase: bool) -> list[dict[str, Any]]:
    """Of each phase its last step, and the names of the numbers at its two ends."""
    names = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
    top = float(pct_start * steps) - 1
    up = (top, "initial_lr", "max_lr", "max_momentum", "base_momentum")
    down = (steps - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")
    back = (2 * float(pct_start * steps) - 2, "max_lr", "initial_lr", *down[3:])
    rest = (steps - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum")
    return [dict(zip(names, p)) for p in ([up, back, rest] if three_phase else [up, down])]
