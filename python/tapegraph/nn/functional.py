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
elu = _C.elu
gelu = _C.gelu
kl_div = _C.kl_div
l1_loss = _C.l1_loss
leaky_relu = _C.leaky_relu
linear = _C.linear
log_softmax = _C.log_softmax
mse_loss = _C.mse_loss
nll_loss = _C.nll_loss
one_hot = _C.one_hot
relu = _C.relu
sigmoid = _C.sigmoid
silu = _C.silu
smooth_l1_loss = _C.smooth_l1_loss
softmax = _C.softmax
softplus = _C.softplus
tanh = _C.tanh


def logsigmoid(input: Tensor) -> Tensor:
    """log(1 / (1 + exp(-input))), without overflow."""
    return -_C.softplus(-input, 1, float("inf"))
