"""Layers without parameters of their own, as functions."""

from __future__ import annotations

from .. import _C
from .._C import Tensor

__all__ = ["cross_entropy", "linear", "log_softmax", "mse_loss", "one_hot", "relu", "softmax",
           "tanh"]  # fmt: skip

linear = _C.linear
mse_loss = _C.mse_loss
one_hot = _C.one_hot
relu = _C.relu
tanh = _C.tanh
softmax = _C.softmax
log_softmax = _C.log_softmax


def cross_entropy(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """-log softmax(input)[target]: input (N, C) of logits, target (N,) int64 in [0, C).

    reduction: "mean" -> (), "sum" -> (), "none" -> (N,).
    """
    return _C.cross_entropy(input, target, reduction)
