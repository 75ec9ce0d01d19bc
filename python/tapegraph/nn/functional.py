"""Layers without parameters of their own, as functions."""

from __future__ import annotations

from .. import _C
from .._C import Tensor

__all__ = [
    "binary_cross_entropy_with_logits", "cross_entropy", "dropout", "elu", "embedding", "gelu",
    "kl_div", "l1_loss", "leaky_relu", "linear", "log_softmax", "logsigmoid", "mse_loss",
    "nll_loss", "one_hot", "relu", "sigmoid", "silu", "smooth_l1_loss", "softmax", "softplus",
    "tanh",
]  # fmt: skip

binary_cross_entropy_with_logits = _C.binary_cross_entropy_with_logits
cross_entropy = _C.cross_entropy
gelu = _C.gelu
kl_div = _C.kl_div
l1_loss = _C.l1_loss
linear = _C.linear
log_softmax = _C.log_softmax
mse_loss = _C.mse_loss
nll_loss = _C.nll_loss
one_hot = _C.one_hot
sigmoid = _C.sigmoid
smooth_l1_loss = _C.smooth_l1_loss
softmax = _C.softmax
softplus = _C.softplus
tanh = _C.tanh


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0)."""
    return input.relu_() if inplace else _C.relu(input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x / (1 + exp(-x))."""
    # The gradient needs the old x: in place, it is of a copy.
    return input.copy_(_C.silu(input.clone())) if inplace else _C.silu(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x above 0, negative_slope x below."""
    if inplace:
        return input.copy_(_C.leaky_relu(input.clone(), negative_slope))
    return _C.leaky_relu(input, negative_slope)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x above 0, alpha (exp(x) - 1) below."""
    return input.copy_(_C.elu(input.clone(), alpha)) if inplace else _C.elu(input, alpha)


def logsigmoid(input: Tensor) -> Tensor:
    """log(1 / (1 + exp(-input))), without overflow."""
    return -_C.softplus(-input, 1, float("inf"))


# ---- dropout and embedding ----------------------------------------------------------------------


def check_probability(op: str, p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"{op}: p is a probability, 0 to 1, and not {p}")


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each element 0 with probability p, or else input / (1 - p); input itself if not training.

    The numbers are tg.rand_like(input), so a compiled function draws the tape's. For p = 0 none
    are drawn. Raises ValueError for a p outside of 0..1.
    """
    check_probability("dropout", p)
    if not training or p == 0:
        return input
    scale = 1 / (1 - p) if p < 1 else 0.0
    mask = (_C.rand_like(input) >= p).to(input.dtype) * scale
    return input.mul_(mask) if inplace else input * mask


def row_of(op: str, padding_idx: int, rows: int) -> int:
    """padding_idx from the front. Raises ValueError if there is no such row."""
    if not -rows <= padding_idx < rows:
        raise ValueError(f"{op}: padding_idx {padding_idx} is outside of the {rows} rows")
    return padding_idx % rows


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """The rows of weight (V, D) that input (...) int64 names -> (..., D).

    The row padding_idx gets no gradient. Raises IndexError for an index outside of 0..V-1.
    """
    rows, columns = weight.shape
    index = input.reshape(-1, 1)
    found = _C.gather(weight, 0, index.expand(index.shape[0], columns))
    if padding_idx is not None:
        found = _C.where(index == row_of("embedding", padding_idx, rows), found.detach(), found)
    return found.reshape(*input.shape, columns)
