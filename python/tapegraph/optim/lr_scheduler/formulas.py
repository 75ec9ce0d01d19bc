"""Schedules whose rate is a formula of t."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from types import FunctionType
from typing import Any, Callable

from ..._errors import placed
from ..optimizer import Optimizer
from .base import LRScheduler, check_optimizer, for_each_group


class LambdaLR(LRScheduler):
    """lr = lr_0 * lr_lambda(t); a list has a function for each group.

    state_dict keeps of a function nothing, but of a callable object its attributes.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(self, optimizer)
        self.lr_lambdas = for_each_group(self, optimizer, "lr_lambda", lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [lr * f(self.last_epoch) for f, lr in zip(self.lr_lambdas, self.base_lrs)]

    def state_dict(self) -> dict[str, Any]:
        kept = [None if isinstance(f, FunctionType) else dict(f.__dict__) for f in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": kept}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        rest = dict(state_dict)
        for function, attributes in zip(self.lr_lambdas, rest.pop("lr_lambdas")):
            if attributes is not None:
                function.__dict__.update(attributes)
        super().load_state_dict(rest)


class StepLR(LRScheduler):
    """lr = lr * gamma at every step_size-th step: lr_0 * gamma^floor(t / step_size)."""

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0 or self.last_epoch % self.step_size != 0:
            return self.current()
        return [lr * self.gamma for lr in self.current()]


class MultiStepLR(LRScheduler):
    """lr = lr * gamma at each of milestones; one that is there twice counts twice."""

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch not in self.milestones:
            return self.current()
        return [lr * self.gamma ** self.milestones[self.last_epoch] for lr in self.current()]


class ExponentialLR(LRScheduler):
    """lr = lr * gamma at each step: lr_0 * gamma^t."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return self.current() if self._is_initial else [lr * self.gamma for lr in self.current()]


class LinearLR(LRScheduler):
    """lr = lr_0 * factor; factor goes from start_factor to end_factor in total_iters steps.

    The step to t multiplies by factor(t) / factor(t - 1) = 1 + (e - s) / (n s + (t - 1) (e - s)).
    Raises ValueError unless 0 < start_factor <= 1 and 0 <= end_factor <= 1.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise placed(
                ValueError, f"LinearLR: start_factor must be in (0, 1], and is {start_factor}"
            )
        if not 0 <= end_factor <= 1:
            raise placed(ValueError, f"LinearLR: end_factor must be in [0, 1], and is {end_factor}")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        t, n, s = self.last_epoch, self.total_iters, self.start_factor
        if t == 0:
            return [lr * s for lr in self.current()]
        if self._is_initial or t > n:
            return self.current()
        rise = self.end_factor - s
        return [lr * (1.0 + rise / (n * s + (t - 1) * rise)) for lr in self.current()]


class CosineAnnealingLR(LRScheduler):
    """lr = eta_min + (lr_0 - eta_min) (1 + cos(pi t / T_max)) / 2: down to eta_min, and up again.

    The step to t multiplies lr - eta_min by (1 + cos(pi t / T_max)) / (1 + cos(pi (t-1) / T_max)),
    or, where that would divide by 0, begins the way up.

    [Loshchilov & Hutter 2017, SGDR: stochastic gradient descent with warm restarts]
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        t, n, low = self.last_epoch, self.T_max, self.eta_min
        if self._is_initial:
            return self.current()
        if (t - 1 - n) % (2 * n) == 0:
            up = (1 - math.cos(math.pi / n)) / 2
            return [lr + (base - low) * up for base, lr in zip(self.base_lrs, self.current())]
        ratio = (1 + math.cos(math.pi * t / n)) / (1 + math.cos(math.pi * (t - 1) / n))
        return [ratio * (lr - low) + low for lr in self.current()]
