"""What every schedule is: a count of steps, and the rates that it writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Union

from ..._errors import placed
from ..optimizer import Optimizer

Several = Union[float, Sequence[float]]  # one for all groups, or one for each


class LRScheduler:
    """The base: a subclass writes get_lr, the rate of each group at last_epoch.

    The constructor takes a first step, to t = 0. Raises TypeError for what is no Optimizer, and
    KeyError for a last_epoch above -1 (to go on from there) where no "initial_lr" is known.
    """

    last_epoch: int

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(self, optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise placed(
                    KeyError,
                    f"{type(self).__name__}: last_epoch is {last_epoch}, and param_groups[{i}] "
                    f"has no initial_lr; load the optimiser's state first",
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
            raise placed(
                ValueError,
                f"{type(self).__name__}: made for {len(values)} groups of parameters, and there "
                f"are {len(groups)}",
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


def check_optimizer(scheduler: LRScheduler, optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise placed(
            TypeError,
            f"{type(scheduler).__name__}: an optimiser is scheduled, not "
            f"{type(optimizer).__name__}",
        )


def for_each_group(scheduler: LRScheduler, optimizer: Optimizer, name: str, given: Any) -> list:
    """A value for each group, of a list with one for each or one value for all."""
    count = len(optimizer.param_groups)
    if not isinstance(given, (list, tuple)):
        return [given] * count
    if len(given) != count:
        raise placed(
            ValueError,
            f"{type(scheduler).__name__}: {name} has {len(given)} values, and the optimiser has "
            f"{count} groups of parameters",
        )
    return list(given)
