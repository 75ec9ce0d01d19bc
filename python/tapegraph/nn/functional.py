"""Layers without parameters of their own, as functions."""

from __future__ import annotations

from .. import _C
from .._C import Tensor

__all__ = [
    "binary_cross_entropy_with_logits", "cross_entropy", "elu", "gelu", "kl_div", "l1_loss",
    "leaky_relu", "linear", "log_softmax", "logsigmoid", "mse_loss", "nll_loss", "one_hot",
    "relu", "sigmoid", "silu", "smooth_l1_loss", "softmax", "softplus", "tanh",
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
