"""Layers that make mean 0 and variance 1, along other dims each: a row, a group, a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _C
from .._C import Tensor
from . import functional, init
from .module import Module
from .parameter import Parameter


class LayerNorm(Module):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, over the last dims, normalized_shape.

    x (..., *normalized_shape) -> the same shape; weight and bias (*normalized_shape) start as ones
    and zeros. The variance is that of the values, divided by their number.
    [Ba, Kiros & Hinton 2016, Layer normalization]
    """

    __constants__ = ("normalized_shape", "eps")

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        shape = (
            (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        )
        self.normalized_shape = shape
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        make = {"dtype": dtype, "device": device}
        self.weight = Parameter(_C.empty(shape, **make)) if elementwise_affine else None
        self.bias = Parameter(_C.empty(shape, **make)) if elementwise_affine and bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        _start(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class GroupNorm(Module):
    """x (N, C, ...) in num_groups groups of channels, each with mean 0 and variance 1.

    weight and bias (C,) are by channel. Raises ValueError if num_groups does not divide C.
    [Wu & He 2018, Group normalization]
    """

    __constants__ = ("num_groups", "num_channels", "eps")

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: num_channels {num_channels} is no multiple of num_groups {num_groups}"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        make = {"dtype": dtype, "device": device}
        self.weight = Parameter(_C.empty(num_channels, **make)) if affine else None
        self.bias = Parameter(_C.empty(num_channels, **make)) if affine and bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        _start(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return functional.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class _BatchNorm(Module):
    """Each channel with the mean and variance of the batch: x (N, C, ...)."""

    __constants__ = ("num_features", "eps", "momentum", "track_running_stats")
    shapes: tuple[str, ...] = ()  # that x may have

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        make = {"dtype": dtype, "device": device}
        self.weight = Parameter(_C.empty(num_features, **make)) if affine else None
        self.bias = Parameter(_C.empty(num_features, **make)) if affine and bias else None
        tracked = track_running_stats
        self.register_buffer("running_mean", _C.zeros(num_features, **make) if tracked else None)
        self.register_buffer("running_var", _C.ones(num_features, **make) if tracked else None)
        count = _C.zeros((), dtype=_C.int64, device=device) if tracked else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        if self.running_mean is not None:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        self.reset_running_stats()
        _start(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        shape = tuple(input.shape)
        name = type(self).__name__
        if len(shape) not in [text.count(",") + 1 for text in self.shapes]:
            raise ValueError(f"{name}: input is {' or '.join(self.shapes)}, not {shape}")
        if shape[1] != self.num_features:
            raise ValueError(
                f"{name}: input {shape} has {shape[1]} channels, and this is for "
                f"{self.num_features}"
            )
        share: float | Tensor | None = self.momentum
        if self.training and self.running_mean is not None:
            self.num_batches_tracked.add_(1)
            if share is None:
                share = 1 / self.num_batches_tracked.to(self.running_mean.dtype)
        return functional.batch_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or self.running_mean is None,
            0.0 if share is None else share,
            self.eps,
        )

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """x (N, C) or (N, C, L), each channel with the mean and variance of the batch.

    In training these are the batch's own, and the buffers running_mean and running_var (C,) move
    towards them in place: r = (1 - momentum) r + momentum s, with the variance over n - 1. With
    momentum=None they are the mean of all batches so far, which num_batches_tracked counts. In eval
    the running ones are used; the batch's again with track_running_stats=False.

    Raises ValueError for other shapes, or in training for one value a channel.
    [Ioffe & Szegedy 2015, Batch normalization]
    """

    shapes = ("(N, C)", "(N, C, L)")


class BatchNorm2d(_BatchNorm):
    """x (N, C, H, W), each channel with the mean and variance of the batch; see BatchNorm1d."""

    shapes = ("(N, C, H, W)",)


def _start(weight: Tensor | None, bias: Tensor | None) -> None:
    """The identity: times one, plus zero."""
    if weight is not None:
        init.ones_(weight)
    if bias is not None:
        init.zeros_(bias)
