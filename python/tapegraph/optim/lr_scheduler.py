"""Schedules: what writes an optimiser's learning rates as the epochs go by.

The learning rate is a tensor, and group["lr"] = x writes it: a compiled step follows a schedule
without a new trace. Step the scheduler outside of the compiled function, after optimizer.step().

In the formulas t (last_epoch) is how many times step() was called, and lr_0 a group's first rate,
kept in it as "initial_lr". Most schedules multiply the rate that is there, as PyTorch's do, so that
several may act on one optimiser.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import FunctionType
from typing import Any, Callable, Union

from .optimizer import Optimizer

Several = Union[float, Sequence[float]]  # one for all groups, or one for each


class LRScheduler:
    """The base: a subclass writes get_lr, the rate of each group at last_epoch.

    The constructor takes a first step, to t = 0. Raises TypeError for what is no Optimizer, and
    KeyError for a last_epoch above -1 (to go on from there) where no "initial_lr" is known.
    """

    last_epoch: int

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        _check_optimizer(self, optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{type(self).__name__}: last_epoch is {last_epoch}, and param_groups[{i}] "
                    f"has no initial_lr; load the optimiser's state first"
                )
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self.start()

    def start(self) -> None:
        """The first step, which most schedules leave the rate alone at."""
        self._is_initial = True
        self.step()
        self._is_initial = False

    def restart(self) -> None:
        """Back to t = 0 and the first rate."""
        for group, lr in zip(self.optimizer.param_groups, self.base_lrs):
            group["lr"] = lr
        self.last_epoch = -1
        self.start()

    def get_lr(self) -> list[float]:
        """The rate of each group at last_epoch, from those there are."""
        raise NotImplementedError(f"{type(self).__name__}: write a get_lr function for it")

    def current(self) -> list[float]:
        """The rates there are."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def step(self) -> None:
        """Goes on by one epoch (or whatever the schedule counts), and writes the rates."""
        self.last_epoch += 1
        values, groups = self.get_lr(), self.optimizer.param_groups
        if len(values) != len(groups):
            raise ValueError(
                f"{type(self).__name__}: made for {len(values)} groups of parameters, and there "
                f"are {len(groups)}"
            )
        for group, lr in zip(groups, values):
            group["lr"] = lr
        self._last_lr = self.current()

    def get_last_lr(self) -> list[float]:
        """The rates that this scheduler wrote last."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimiser."""
        return {k: v for k, v in self.__dict__.items() if k != "optimizer"}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Takes over the attributes; the rates themselves are in the optimiser's state."""
        self.__dict__.update(state_dict)


def _check_optimizer(scheduler: LRScheduler, optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"{type(scheduler).__name__}: an optimiser is scheduled, not {type(optimizer).__name__}"
        )


def _for_each_group(scheduler: LRScheduler, optimizer: Optimizer, name: str, given: Any) -> list:
    """A value for each group, of a list with one for each or one value for all."""
    count = len(optimizer.param_groups)
    if not isinstance(given, (list, tuple)):
        return [given] * count
    if len(given) != count:
        raise ValueError(
            f"{type(scheduler).__name__}: {name} has {len(given)} values, and the optimiser has "
            f"{count} groups of parameters"
        )
    return list(given)


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
        _check_optimizer(self, optimizer)
        self.lr_lambdas = _for_each_group(self, optimizer, "lr_lambda", lr_lambda)
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
            raise ValueError(f"LinearLR: start_factor must be in (0, 1], and is {start_factor}")
        if not 0 <= end_factor <= 1:
            raise ValueError(f"LinearLR: end_factor must be in [0, 1], and is {end_factor}")
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
        _check_optimizer(self, optimizer)
        if total_steps is not None:
            self.total_steps = _positive("total_steps", total_steps)
        elif epochs is not None and steps_per_epoch is not None:
            self.total_steps = _positive("epochs", epochs) * _positive(
                "steps_per_epoch", steps_per_epoch
            )
        else:
            raise ValueError("OneCycleLR: give total_steps, or epochs and steps_per_epoch")
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start must be in [0, 1], and is {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"OneCycleLR: anneal_strategy must be 'cos' or 'linear', not {anneal_strategy!r}"
            )
        self._anneal_func_type = anneal_strategy
        self._schedule_phases = _phases(pct_start, self.total_steps, three_phase)
        self.cycle_momentum = cycle_momentum
        self.use_beta1 = "betas" in optimizer.defaults
        if cycle_momentum and not self.use_beta1 and "momentum" not in optimizer.defaults:
            raise ValueError(
                f"OneCycleLR: {type(optimizer).__name__} has neither momentum nor betas to cycle; "
                f"pass cycle_momentum=False"
            )
        each = {
            name: _for_each_group(self, optimizer, name, value)
            for name, value in {
                "max_lr": max_lr, "base_momentum": base_momentum, "max_momentum": max_momentum,
            }.items()
        }  # fmt: skip
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group["initial_lr"] = each["max_lr"][i] / div_factor
                group["max_lr"] = each["max_lr"][i]
                group["min_lr"] = group["initial_lr"] / final_div_factor
            if cycle_momentum:
                group.make_tensor("betas" if self.use_beta1 else "momentum")
                if last_epoch == -1:
                    group["max_momentum"] = each["max_momentum"][i]
                    group["base_momentum"] = each["base_momentum"][i]
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        t = self.last_epoch
        if t > self.total_steps:
            raise ValueError(f"OneCycleLR: step {t}, and there are {self.total_steps}")
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


def _positive(name: str, value: Any) -> int:
    if not isinstance(value, int) or value <= 0:
        raise ValueError(f"OneCycleLR: {name} must be an integer above 0, and is {value!r}")
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
        _check_optimizer(self, optimizer)
        if factor >= 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be below 1, and is {factor}")
        for name, value, known in (
            ("mode", mode, ("min", "max")),
            ("threshold_mode", threshold_mode, ("rel", "abs")),
        ):
            if value not in known:
                raise ValueError(
                    f"ReduceLROnPlateau: {name} must be '{known[0]}' or '{known[1]}', not {value!r}"
                )
        self.optimizer = optimizer
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self.factor, self.patience, self.cooldown, self.eps = factor, patience, cooldown, eps
        _for_each_group(self, optimizer, "min_lr", min_lr)  # raises if they are too many or few
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
        lowest = _for_each_group(self, self.optimizer, "min_lr", self.min_lr)
        for group, low in zip(self.optimizer.param_groups, lowest):
            lr = max(group["lr"] * self.factor, low)
            if group["lr"] - lr > self.eps:
                group["lr"] = lr


class SequentialLR(LRScheduler):
    """One scheduler after the other: milestones are the steps at which the next begins anew.

    Raises ValueError if the schedulers are none, of another optimiser, not one more than the
    milestones, or one of them is a ReduceLROnPlateau, whose step needs a metric.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int]
    ) -> None:
        _check_optimizer(self, optimizer)
        if not schedulers:
            raise ValueError("SequentialLR: there is no scheduler")
        for i, scheduler in enumerate(schedulers):
            if not isinstance(scheduler, LRScheduler):
                raise TypeError(
                    f"SequentialLR: schedulers[{i}] is no scheduler, but {type(scheduler).__name__}"
                )
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(
                    f"SequentialLR: schedulers[{i}] is a ReduceLROnPlateau, whose step needs a "
                    f"metric"
                )
            if scheduler.optimizer is not optimizer:
                raise ValueError(f"SequentialLR: schedulers[{i}] is of another optimiser")
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR: {len(schedulers)} schedulers need {len(schedulers) - 1} "
                f"milestones, and there are {len(milestones)}"
            )
        self.optimizer = optimizer
        self._schedulers = list(schedulers)
        self._milestones = list(milestones)
        self.restart()

    def restart(self) -> None:
        self.last_epoch = 0
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first.restart()
        self._last_lr = first.get_last_lr()

    def step(self) -> None:
        self.last_epoch += 1
        at = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[at]
        if at > 0 and self._milestones[at - 1] == self.last_epoch:
            scheduler.restart()
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        rest = dict(state_dict)
        for scheduler, state in zip(self._schedulers, rest.pop("_schedulers")):
            scheduler.load_state_dict(state)
        super().load_state_dict(rest)
