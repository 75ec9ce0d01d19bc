"""Dropout: of elements, of whole channels, and the kind that keeps SELU's mean and spread."""

from __future__ import annotations

import math

from .. import _C
from .._C import Tensor

# What selu goes to at minus infinity: -1.0507... * 1.6732... [Klambauer et al. 2017]
SATURATED = -1.7580993408473766


def check_probability(op: str, p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"{op}: p is a probability, 0 to 1, and not {p}")


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each element 0 with probability p, or else input / (1 - p); input itself if not training.

    The numbers are tg.rand_like(input), so a compiled function draws the tape's. For p = 0 none
    are drawn. Raises ValueError for a p outside of 0..1.
    """
    check_probability("dropout", p)
    return _dropped(input, input, p, training, inplace)


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """dropout of whole channels: input (N, C, L) or (C, L).

    Raises ValueError for a p outside of 0..1, and RuntimeError for another shape.
    """
    check_probability("dropout1d", p)
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: input {tuple(input.shape)} must be (N, C, L) or (C, L); use dropout"
        )
    return _dropped(input, _channels(input, input.ndim - 1), p, training, inplace)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """dropout of whole channels: input (N, C, H, W); as in PyTorch, (N, C, L) is taken so too.

    Raises ValueError for a p outside of 0..1, and RuntimeError for an input of fewer dims.
    """
    check_probability("dropout2d", p)
    return _dropped(input, _of_batch("dropout2d", input), p, training, inplace)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """dropout of whole channels: input (N, C, D, H, W) or (C, D, H, W).

    Raises ValueError for a p outside of 0..1, and RuntimeError for another shape.
    """
    check_probability("dropout3d", p)
    if input.ndim not in (4, 5):
        raise RuntimeError(
            f"dropout3d: input {tuple(input.shape)} must be (N, C, D, H, W) or (C, D, H, W); "
            f"use dropout"
        )
    return _dropped(input, _channels(input, input.ndim - 3), p, training, inplace)


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Each element with probability p what selu goes to at -inf, then scaled and shifted.

    So an input of mean 0 and variance 1 keeps them. Raises ValueError for a p outside of 0..1.
    [Klambauer et al. 2017, Self-normalizing neural networks]
    """
    check_probability("alpha_dropout", p)
    return _saturated(input, input, p, training, inplace)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """alpha_dropout of whole channels: input (N, C, ...).

    Raises ValueError for a p outside of 0..1, and RuntimeError for an input of fewer dims.
    """
    check_probability("feature_alpha_dropout", p)
    return _saturated(input, _of_batch("feature_alpha_dropout", input), p, training, inplace)


def _channels(input: Tensor, dims: int) -> Tensor:
    """One element for each place of the first dims, the other sizes 1: what is drawn for."""
    for d in range(dims, input.ndim):
        input = input.narrow(d, 0, 1)
    return input


def _of_batch(op: str, input: Tensor) -> Tensor:
    if input.ndim < 2:
        raise RuntimeError(f"{op}: input {tuple(input.shape)} must be (N, C, ...)")
    return _channels(input, 2)


def _dropped(input: Tensor, drawn: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    if not training or p == 0:
        return input
    scale = 1 / (1 - p) if p < 1 else 0.0
    mask = (_C.rand_like(drawn) >= p).to(input.dtype) * scale
    return input.mul_(mask) if inplace else input * mask


# y = a (x, or s where it is dropped) + b, with a = 1 / sqrt((1 - p) (1 + p s^2)) and b = -a p s
def _saturated(input: Tensor, drawn: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    if not training or p == 0:
        return input
    if p == 1:
        return input.mul_(0.0) if inplace else input * 0.0
    scale = 1 / math.sqrt((1 - p) * (1 + p * SATURATED**2))
    kept = (_C.rand_like(drawn) >= p).to(input.dtype)
    shift = (1 - kept) * (SATURATED * scale) - scale * p * SATURATED
    return input.mul_(kept * scale).add_(shift) if inplace else input * (kept * scale) + shift
