"""ChainedScheduler: several schedules at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler
from .plateau import ReduceLROnPlateau


class ChainedScheduler(LRScheduler):
    """Steps every scheduler in turn; each multiplies the rate that those before it left.

    Raises ValueError if the schedulers are none, of different optimisers, or one of them is a
    ReduceLROnPlateau, whose step needs a metric; TypeError for what is no scheduler.
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        if not schedulers:
            raise ValueError("ChainedScheduler: there is no scheduler")
        for i, scheduler in enumerate(schedulers):
            if not isinstance(scheduler, LRScheduler):
                raise TypeError(
                    f"ChainedScheduler: schedulers[{i}] is no scheduler, but "
                    f"{type(scheduler).__name__}"
                )
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(
                    f"ChainedScheduler: schedulers[{i}] is a ReduceLROnPlateau, whose step needs a "
                    f"metric"
                )
            optimizer = scheduler.optimizer if optimizer is None else optimizer
            if scheduler.optimizer is not optimizer:
                raise ValueError(f"ChainedScheduler: schedulers[{i}] is of another optimiser")
        assert optimizer is not None
        self.optimizer = optimizer
        self._schedulers = list(schedulers)
        self._last_lr = self.current()

    def restart(self) -> None:
        for scheduler in self._schedulers:
            scheduler.restart()
        self._last_lr = self.current()

    def step(self) -> None:
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self.current()

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        rest = dict(state_dict)
        for scheduler, state in zip(self._schedulers, rest.pop("_schedulers")):
            scheduler.load_state_dict(state)
        super().load_state_dict(rest)
