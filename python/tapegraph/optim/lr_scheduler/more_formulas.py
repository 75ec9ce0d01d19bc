"""More schedules whose rate is a formula of t."""

from __future__ import annotations

import math
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler
from .formulas import LambdaLR


class MultiplicativeLR(LambdaLR):
    """lr = lr * lr_lambda(t) at every step t = 1, 2, ...; a list has a function for each group."""

    def get_lr(self) -> list[float]:
        if self.last_epoch <= 0:
            return self.current()
        return [lr * f(self.last_epoch) for f, lr in zip(self.lr_lambdas, self.current())]


class ConstantLR(LRScheduler):
    """lr = lr_0 * factor for the first total_iters steps, then lr_0.

    Raises ValueError for a factor outside of (0, 1].
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < factor <= 1:
            raise ValueError(f"ConstantLR: factor must be in (0, 1], and is {factor}")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return [lr * self.factor for lr in self.current()]
        if self.last_epoch != self.total_iters:
            return self.current()
        return [lr * (1.0 / self.factor) for lr in self.current()]


class PolynomialLR(LRScheduler):
    """lr = lr_0 * (1 - t / total_iters)^power, and 0 from then on.

    The step to t multiplies by ((1 - t / n) / (1 - (t - 1) / n))^power.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        t, n = self.last_epoch, self.total_iters
        if t == 0 or self._is_initial or t > n:
            return self.current()
        left = ((1.0 - t / n) / (1.0 - (t - 1) / n)) ** self.power
        return [lr * left for lr in self.current()]


class CosineAnnealingWarmRestarts(LRScheduler):
    """lr = eta_min + (lr_0 - eta_min) (1 + cos(pi T_cur / T_i)) / 2, begun anew after T_i steps.

    The first T_i is T_0, each further one T_mult times the last. step(epoch) goes to an epoch,
    which may be a fraction. Raises ValueError unless T_0 and T_mult are integers above 0.

    [Loshchilov & Hutter 2017, SGDR: stochastic gradient descent with warm restarts]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        for name, value in (("T_0", T_0), ("T_mult", T_mult)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(
                    f"CosineAnnealingWarmRestarts: {name} must be an integer above 0, and is "
                    f"{value!r}"
                )
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        part = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (lr - self.eta_min) * part for lr in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        else:
            self._go_to(epoch)
        self.last_epoch = math.floor(epoch) - 1
        super().step()

    def _go_to(self, epoch: float) -> None:
        if epoch < 0:
            raise ValueError(
                f"CosineAnnealingWarmRestarts: an epoch must not be negative, and is {epoch}"
            )
        begin, self.T_i = 0, self.T_0
        if self.T_mult == 1:
            begin = math.floor(epoch / self.T_0) * self.T_0
        while epoch - begin >= self.T_i:
            begin += self.T_i
            self.T_i *= self.T_mult
        self.T_cur = epoch - begin


def state_without(scheduler: LRScheduler, *names: str) -> dict[str, Any]:
    """A state_dict without attributes that are functions."""
    return {k: v for k, v in LRScheduler.state_dict(scheduler).items() if k not in names}
