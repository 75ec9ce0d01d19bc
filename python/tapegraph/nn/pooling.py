"""Pooling and padding: images made smaller or larger, without parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._C import Tensor
from . import functional
from .convolution import numbers
from .module import Module


class MaxPool2d(Module):
    """The largest of each window: x (N, C, H, W) or (C, H, W) -> (N, C, I, J).

    stride is kernel_size unless given. With return_indices also where they are, int64, counted
    row by row in each image. See functional.max_pool2d.
    """

    __constants__ = (
        "kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode",
    )  # fmt: skip

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        return functional.max_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class AvgPool2d(Module):
    """The mean of each window: x (N, C, H, W) or (C, H, W), floating -> (N, C, I, J).

    stride is kernel_size unless given. See functional.avg_pool2d.
    """

    __constants__ = (
        "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override",
    )  # fmt: skip

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return functional.avg_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad, self.divisor_override,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AdaptiveAvgPool2d(Module):
    """The means of I x J windows: x (N, C, H, W) or (C, H, W), floating -> (N, C, I, J).

    output_size is an int or a pair; None keeps a size.
    """

    __constants__ = ("output_size",)

    def __init__(self, output_size: int | Sequence[int | None] | None) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return functional.adaptive_avg_pool2d(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool2d(Module):
    """The largest of each of I x J windows, those of AdaptiveAvgPool2d, and with return_indices
    where they are."""

    __constants__ = ("output_size", "return_indices")

    def __init__(
        self, output_size: int | Sequence[int | None] | None, return_indices: bool = False
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        return functional.adaptive_max_pool2d(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class ZeroPad2d(Module):
    """Zeros around the last two dims of x (..., H, W): one number, or left, right, top, bottom."""

    __constants__ = ("padding",)

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        self.padding = numbers("ZeroPad2d: padding", padding, 4)

    def forward(self, input: Tensor) -> Tensor:
        return functional.pad(input, self.padding)

    def extra_repr(self) -> str:
        return f"{self.padding}"
