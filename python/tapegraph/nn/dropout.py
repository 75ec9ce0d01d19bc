"""Dropout: of elements, of channels, and SELU's."""

from __future__ import annotations

from typing import Callable, ClassVar

from .._C import Tensor
from . import functional
from .module import Module


class _Dropout(Module):
    """What the kinds share: in training `drop` runs, and in eval nothing changes."""

    __constants__ = ("p", "inplace")
    drop: ClassVar[Callable[..., Tensor]]

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        functional.check_probability(type(self).__name__, p)
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return type(self).drop(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """In training every element is 0 with probability p, or else x / (1 - p); in eval x is x.

    So the mean stays. Raises ValueError for a p outside of 0..1.
    [Srivastava et al. 2014, Dropout: a simple way to prevent neural networks from overfitting]
    """

    drop = staticmethod(functional.dropout)


class Dropout1d(_Dropout):
    """Dropout of whole channels: x (N, C, L) or (C, L). Raises RuntimeError for another shape.

    [Tompson et al. 2015, Efficient object localization using convolutional networks, 3.2]
    """

    drop = staticmethod(functional.dropout1d)


class Dropout2d(_Dropout):
    """Dropout of whole channels: x (N, C, H, W); as in PyTorch, (N, C, L) is taken so too.

    [Tompson et al. 2015, Efficient object localization using convolutional networks, 3.2]
    """

    drop = staticmethod(functional.dropout2d)


class Dropout3d(_Dropout):
    """Dropout of whole channels: x (N, C, D, H, W) or (C, D, H, W).

    Raises RuntimeError for another shape.
    """

    drop = staticmethod(functional.dropout3d)


class AlphaDropout(_Dropout):
    """Dropout for SELU: what is dropped is what selu goes to at -inf; mean and variance stay.

    [Klambauer et al. 2017, Self-normalizing neural networks]
    """

    drop = staticmethod(functional.alpha_dropout)


class FeatureAlphaDropout(_Dropout):
    """AlphaDropout of whole channels: x (N, C, ...). Raises RuntimeError for fewer dims."""

    drop = staticmethod(functional.feature_alpha_dropout)
