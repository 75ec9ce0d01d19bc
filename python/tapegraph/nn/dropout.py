"""Dropout."""

from __future__ import annotations

from .._C import Tensor
from . import functional
from .module import Module


class Dropout(Module):
    """In training every element is 0 with probability p, or else x / (1 - p); in eval x is x.

    So the mean stays. Raises ValueError for a p outside of 0..1.
    [Srivastava et al. 2014, Dropout: a simple way to prevent neural networks from overfitting]
    """

    __constants__ = ("p", "inplace")

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        functional.check_probability("Dropout", p)
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return functional.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
