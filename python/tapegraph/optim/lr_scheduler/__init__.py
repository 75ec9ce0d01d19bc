"""Schedules: what writes an optimiser's learning rates as the epochs go by.

The learning rate is a tensor, and group["lr"] = x writes it: a compiled step follows a schedule
without a new trace. Step the scheduler outside of the compiled function, after optimizer.step().

In the formulas t (last_epoch) is how many times step() was called, and lr_0 a group's first rate,
kept in it as "initial_lr". Most schedules multiply the rate that is there, as PyTorch's do, so that
several may act on one optimiser.
"""

from .base import LRScheduler
from .chained import ChainedScheduler
from .cyclic import CyclicLR
from .formulas import CosineAnnealingLR, ExponentialLR, LambdaLR, LinearLR, MultiStepLR, StepLR
from .more_formulas import (
    ConstantLR,
    CosineAnnealingWarmRestarts,
    MultiplicativeLR,
    PolynomialLR,
)
from .one_cycle import OneCycleLR
from .plateau import ReduceLROnPlateau
from .sequential import SequentialLR

__all__ = [
    "ChainedScheduler", "ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts",
    "CyclicLR", "ExponentialLR", "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR",
    "MultiplicativeLR", "OneCycleLR", "PolynomialLR", "ReduceLROnPlateau", "SequentialLR", "StepLR",
]  # fmt: skip
