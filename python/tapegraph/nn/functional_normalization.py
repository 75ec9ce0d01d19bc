"""Normalisations of nn.functional beside those of layers, groups and batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _C
from .._C import Tensor
from ..autograd import no_grad

EPSILON = {_C.float32: 2.0**-23, _C.float64: 2.0**-52}  # what 1 is away from the next number


def widened(x: Any) -> Any:
    """As float32 if it is float16 or bfloat16: what is made of several ops rounds once."""
    return x.float() if x is not None and x.dtype in (_C.float16, _C.bfloat16) else x


def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """input / sqrt(mean(input^2) + eps) * weight over the last dims, normalized_shape.

    weight is of that shape; eps is the dtype's smallest step from 1 unless given. Raises
    RuntimeError if input does not end in it. [Zhang & Sennrich 2019]
    """
    shape = tuple(normalized_shape)
    if not shape or tuple(input.shape[-len(shape) :]) != shape:
        raise RuntimeError(
            f"rms_norm: input {tuple(input.shape)} does not end in normalized_shape {shape}"
        )
    if weight is not None and tuple(weight.shape) != shape:
        raise RuntimeError(
            f"rms_norm: weight {tuple(weight.shape)} is not of normalized_shape {shape}"
        )
    small = EPSILON.get(input.dtype, 2.0**-23) if eps is None else eps
    dims, wide, weight = tuple(range(-len(shape), 0)), widened(input), widened(weight)
    output = wide * ((wide * wide).mean(dims, keepdim=True) + small).rsqrt()
    return (output if weight is None else output * weight).to(input.dtype)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """input (N, C, ...), each channel of each sample with mean 0 and variance 1.

    weight and bias are (C,). The running ones (C,), if given, are written in place, towards the
    means over the batch; without use_input_stats they are used instead. Raises ValueError for one
    value a channel. [Ulyanov, Vedaldi & Lempitsky 2016]
    """
    shape = tuple(input.shape)
    if len(shape) < 3:
        raise ValueError(f"instance_norm: input is (N, C, ...) with places, not {shape}")
    dtype, input, weight, bias = input.dtype, widened(input), widened(weight), widened(bias)
    dims = tuple(range(2, len(shape)))
    n = 1
    for size in shape[2:]:
        n *= size
    if use_input_stats:
        if n == 1:
            raise ValueError(
                f"instance_norm: expected more than 1 spatial element when training, got input "
                f"size {shape}"
            )
        centred = input - input.mean(dims, keepdim=True)
        var = (centred * centred).mean(dims, keepdim=True)
        if running_mean is not None and running_var is not None:
            with no_grad():
                mean = input.mean((0, *dims))
                spread = var.mean(0).reshape(-1) * (n / (n - 1))
                running_mean.mul_(1 - momentum).add_(mean * momentum)
                running_var.mul_(1 - momentum).add_(spread * momentum)
    elif running_mean is None or running_var is None:
        raise ValueError("instance_norm: without use_input_stats there must be running ones")
    else:
        along = (-1, *[1] * len(dims))
        centred, var = input - running_mean.reshape(*along), running_var.reshape(*along)
    output = centred * (var + eps).rsqrt()
    for given, scales in ((weight, True), (bias, False)):
        if given is not None:
            along_channels = given.reshape(-1, *[1] * len(dims))
            output = output * along_channels if scales else output + along_channels
    return output.to(dtype)


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """input (N, C, ...) / (k + alpha * m)^beta, m the mean of the squares of size channels around.

    Channels beyond the first and last count as 0. Raises ValueError for a tensor of less than 3
    dims. [Krizhevsky, Sutskever & Hinton 2012, 3.3]
    """
    if input.ndim < 3:
        raise ValueError(
            f"local_response_norm: input is (N, C, ...) with places, not {tuple(input.shape)}"
        )
    if size < 1:
        raise ValueError(f"local_response_norm: size is {size}, and must be at least 1")
    dtype, input = input.dtype, widened(input)
    around = [0, 0] * (input.ndim - 2) + [size // 2, (size - 1) // 2]
    squares = _C.pad(input * input, around)
    channels = input.shape[1]
    total = squares.narrow(1, 0, channels)
    for i in range(1, size):
        total = total + squares.narrow(1, i, channels)
    return (input / (total * (alpha / size) + k) ** beta).to(dtype)
