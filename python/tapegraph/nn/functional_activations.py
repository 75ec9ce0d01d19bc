"""Activations of nn.functional that may write into their input, and those that draw numbers."""

from __future__ import annotations

from typing import Callable

from .. import _C
from .._C import Tensor


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0)."""
    return input.relu_() if inplace else _C.relu(input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x / (1 + exp(-x))."""
    return _here_or_new(inplace, _C.silu, input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x above 0, negative_slope x below."""
    return _here_or_new(inplace, _C.leaky_relu, input, negative_slope)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x above 0, alpha (exp(x) - 1) below."""
    return _here_or_new(inplace, _C.elu, input, alpha)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """x, kept within min_val and max_val. Raises ValueError if they are the wrong way round."""
    return _here_or_new(inplace, _C.hardtanh, input, min_val, max_val)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6)."""
    return _here_or_new(inplace, _C.relu6, input)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """relu6(x + 3) / 6."""
    return _here_or_new(inplace, _C.hardsigmoid, input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x relu6(x + 3) / 6."""
    return _here_or_new(inplace, _C.hardswish, input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x tanh(log(1 + exp(x)))."""
    return _here_or_new(inplace, _C.mish, input)


def _here_or_new(
    inplace: bool, op: Callable[..., Tensor], input: Tensor, *options: float
) -> Tensor:
    # The gradient needs the old x: in place, it is of a copy.
    return input.copy_(op(input.clone(), *options)) if inplace else op(input, *options)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """scale * elu(input, alpha), with the two for which mean 0 and variance 1 stay so.

    [Klambauer et al. 2017, Self-normalizing neural networks]
    """
    return _here_or_new(inplace, _C.selu, input)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x above 0, alpha (exp(x / alpha) - 1) below. Raises RuntimeError for an alpha of 0."""
    return _here_or_new(inplace, _C.celu, input, alpha)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x above threshold, value elsewhere."""
    return _here_or_new(inplace, _C.threshold, input, threshold, value)


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """x above 0, a x below: in training each a is drawn from lower..upper, else it is their mean.

    The numbers are tg.rand_like(input), so a compiled function draws the tape's. Raises
    RuntimeError if lower is above upper. [Xu et al. 2015, Empirical evaluation of rectified
    activations in convolutional network]
    """
    if not lower <= upper:
        raise RuntimeError(f"rrelu: lower {lower} is above upper {upper}")
    if training:
        slope = _C.rand_like(input) * (upper - lower) + lower
        return _here_or_new(inplace, lambda x: _C.where(x > 0, x, x * slope), input)
    return _here_or_new(inplace, _C.leaky_relu, input, (lower + upper) / 2)


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """softmax((logits + g) / tau) along dim, g = -log(-log u), u drawn from (0, 1).

    Its largest place is drawn with probability softmax(logits). hard: 1 there and 0 elsewhere, with
    the gradient of the soft ones. eps changes nothing, as in PyTorch.
    [Jang, Gu & Poole 2017, Categorical reparameterization with Gumbel-softmax]
    """
    if not logits.is_floating_point():
        raise NotImplementedError(f"gumbel_softmax: is not defined for {logits.dtype}")
    u = _C.rand_like(logits)
    least = 1e-45 if logits.dtype == _C.float32 else 5e-324  # where u is 0, so is -log(1 - u)
    waiting = -_C.log1p(-u)
    noise = -_C.where(waiting == 0, least, waiting).log()
    soft = _C.softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    place = soft.argmax(dim, keepdim=True)
    ones = _C.zeros_like(soft).scatter(dim, place, 1.0)
    return ones - soft.detach() + soft
