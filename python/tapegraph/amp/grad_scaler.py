"""GradScaler: float16's smallest number is 6e-8, and gradients are often smaller.

The loss is multiplied by a scale, so all gradients are; before the optimiser's step they are
divided by it again, in float32. Where one has overflown, the step is left out and the scale is
halved; after growth_interval good steps it is doubled.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from .. import _C
from .._C import Tensor
from ..autograd.modes import no_grad


class _Stage(Enum):
    READY = 0
    UNSCALED = 1
    STEPPED = 2


class GradScaler:
    """Scales losses, and steps an optimiser unless a gradient is infinite or NaN.

    init_scale: the first scale. growth_factor, backoff_factor: what it is multiplied by after
    growth_interval steps without, and after one with, an infinite or NaN gradient.
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if enabled and not growth_factor > 1.0:
            raise AssertionError(f"GradScaler: growth_factor must be above 1, not {growth_factor}")
        if enabled and not backoff_factor < 1.0:
            raise AssertionError(
                f"GradScaler: backoff_factor must be below 1, not {backoff_factor}"
            )
        self._device = device
        self._enabled = enabled
        self._scale = float(init_scale)
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._growth_tracker = 0
        self._scaled = False  # has a loss been?
        self._stages: dict[int, _Stage] = {}
        self._overflows: dict[int, bool] = {}

    # ---- the three calls of a loop --------------------------------------------------------------

    def scale(self, outputs: Any) -> Any:
        """The tensor, or each of an iterable, times the scale."""
        if not self._enabled:
            return outputs
        self._scaled = True
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if isinstance(outputs, Iterable):
            scaled = [self.scale(output) for output in outputs]
            return tuple(scaled) if isinstance(outputs, tuple) else scaled
        raise ValueError(
            f"scale: outputs are a tensor or an iterable of tensors, not {type(outputs).__name__}"
        )

    def unscale_(self, optimizer: Any) -> None:
        """Divides the gradients of the optimiser's parameters by the scale, as before clipping.

        Raises RuntimeError if they were since the last update, or step was called, AssertionError
        if nothing was scaled.
        """
        if not self._enabled:
            return
        self._check_scaled("unscale_")
        stage = self._stages.get(id(optimizer), _Stage.READY)
        if stage is _Stage.UNSCALED:
            raise RuntimeError(
                "unscale_: has already been called on this optimizer since the last update()"
            )
        if stage is _Stage.STEPPED:
            raise RuntimeError("unscale_: is called before step, not after; call update() first")
        self._stages[id(optimizer)] = _Stage.UNSCALED
        self._overflows[id(optimizer)] = self._divide(optimizer)

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """optimizer.step(), unless a gradient is infinite or NaN; divides them first if need be.

        Raises RuntimeError if it was called since the last update, or with a closure,
        AssertionError if nothing was scaled.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        self._check_scaled("step")
        if "closure" in kwargs or args:
            raise RuntimeError("step: a closure is not possible while a GradScaler is enabled")
        if self._stages.get(id(optimizer)) is _Stage.STEPPED:
            raise RuntimeError("step: has already been called since the last update()")
        if id(optimizer) not in self._overflows:
            self.unscale_(optimizer)
        self._stages[id(optimizer)] = _Stage.STEPPED
        if self._overflows[id(optimizer)]:
            return None
        return optimizer.step(**kwargs)

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Moves the scale by what the steps since the last update have met; or sets it.

        Raises AssertionError if there was no step.
        """
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._overflows:
            raise AssertionError("update: no step was made since the last one")
        elif any(self._overflows.values()):
            self._scale *= self._backoff_factor
            self._growth_tracker = 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._scale *= self._growth_factor
                self._growth_tracker = 0
        self._stages.clear()
        self._overflows.clear()

    def _check_scaled(self, name: str) -> None:
        if not self._scaled:
            raise AssertionError(f"{name}: no loss was scaled before; call scale(loss).backward()")

    def _divide(self, optimizer: Any) -> bool:
        """Divides all gradients; has one of them a number that is not finite?"""
        overflow = False
        with no_grad():
            for group in optimizer.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    if p.grad.dtype == _C.float16:
                        raise ValueError("unscale_: a gradient of float16 cannot be unscaled")
                    p.grad.mul_(1.0 / self._scale)
                    overflow = overflow or not bool(p.grad.isfinite().all())
        return overflow

    # ---- what it is ------------------------------------------------------------------------------

    def get_scale(self) -> float:
        """The scale now; 1 if not enabled."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        self._growth_interval = new_interval

    def is_enabled(self) -> bool:
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """All that resuming needs; empty if not enabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The inverse of state_dict. Raises RuntimeError if it is empty, KeyError if a key is
        missing."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "load_state_dict: the state is empty, as that of a GradScaler that is not enabled"
            )
        self._scale = float(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._growth_tracker = state_dict["_growth_tracker"]
