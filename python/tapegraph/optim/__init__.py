"""Optimisers: update rules as ops, with state that is tensors from the start."""

from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Optimizer"]
