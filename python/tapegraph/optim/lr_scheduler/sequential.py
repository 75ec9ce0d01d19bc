"""SequentialLR: one schedule after the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from ..._errors import placed
from ..optimizer import Optimizer
from .base import LRScheduler, check_optimizer
from .plateau import ReduceLROnPlateau


class SequentialLR(LRScheduler):
    """One scheduler after the other: milestones are the steps at which the next begins anew.

    Raises ValueError if the schedulers are none, of another optimiser, not one more than the
    milestones, or one of them is a ReduceLROnPlateau, whose step needs a metric.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int]
    ) -> None:
        check_optimizer(self, optimizer)
        if not schedulers:
            raise placed(ValueError, "SequentialLR: there is no scheduler")
        for i, scheduler in enumerate(schedulers):
            if not isinstance(scheduler, LRScheduler):
                raise placed(
                    TypeError,
                    f"SequentialLR: schedulers[{i}] is no scheduler, but "
                    f"{type(scheduler).__name__}",
                )
            if isinstance(scheduler, ReduceLROnPlateau):
                raise placed(
                    ValueError,
                    f"SequentialLR: schedulers[{i}] is a ReduceLROnPlateau, whose step needs a "
                    f"metric",
                )
            if scheduler.optimizer is not optimizer:
                raise placed(ValueError, f"SequentialLR: schedulers[{i}] is of another optimiser")
        if len(milestones) != len(schedulers) - 1:
            raise placed(
                ValueError,
                f"SequentialLR: {len(schedulers)} schedulers need {len(schedulers) - 1} "
                f"milestones, and there are {len(milestones)}",
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
