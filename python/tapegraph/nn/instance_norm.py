"""More layers that normalise: RMSNorm, InstanceNorm and LocalResponseNorm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _C
from .._C import Tensor
from . import functional, init
from .module import Module
from .normalization import _BatchNorm
from .parameter import Parameter


class RMSNorm(Module):
    """x / sqrt(mean(x^2) + eps) * weight over the last dims, normalized_shape; weight starts as 1.

    [Zhang & Sennrich 2019, Root mean square layer normalization]
    """

    __constants__ = ("normalized_shape", "eps", "elementwise_affine")

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
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
        made = Parameter(_C.empty(shape, dtype=dtype, device=device))
        self.weight = made if elementwise_affine else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        return functional.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class _InstanceNorm(_BatchNorm):
    dims = 1

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def forward(self, input: Tensor) -> Tensor:
        shape, name = tuple(input.shape), type(self).__name__
        if len(shape) not in (self.dims + 1, self.dims + 2):
            raise ValueError(f"{name}: input is {' or '.join(self.shapes)}, not {shape}")
        x = input if len(shape) == self.dims + 2 else input.unsqueeze(0)
        if self.affine and x.shape[1] != self.num_features:
            raise ValueError(
                f"{name}: input {shape} has {x.shape[1]} channels, and this is for "
                f"{self.num_features}"
            )
        y = functional.instance_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum, self.eps,
        )  # fmt: skip
        return y if len(shape) == self.dims + 2 else y.squeeze(0)


class InstanceNorm1d(_InstanceNorm):
    """x (N, C, L) or (C, L), each channel of each sample with mean 0 and variance 1.

    No parameters unless affine; with track_running_stats eval takes the running ones. Raises
    ValueError for other shapes. [Ulyanov, Vedaldi & Lempitsky 2016, Instance normalization]
    """

    shapes = ("(N, C, L)", "(C, L)")


class InstanceNorm2d(_InstanceNorm):
    """x (N, C, H, W) or (C, H, W), each channel of each sample alone; see InstanceNorm1d."""

    dims = 2
    shapes = ("(N, C, H, W)", "(C, H, W)")


class LocalResponseNorm(Module):
    """x (N, C, ...) / (k + alpha m)^beta, m the mean of the squares of size channels around."""

    __constants__ = ("size", "alpha", "beta", "k")

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return functional.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
