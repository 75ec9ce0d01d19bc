"""Padding as modules: what stands around an image or a signal; see functional.pad."""

from __future__ import annotations

from collections.abc import Sequence

from .._C import Tensor
from . import functional
from .convolution import numbers
from .module import Module


class _Pad(Module):
    __constants__ = ("padding",)
    dims = 2
    mode = "constant"

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        self.padding = numbers(f"{type(self).__name__}: padding", padding, 2 * self.dims)

    def forward(self, input: Tensor) -> Tensor:
        return functional.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    __constants__ = ("padding", "value")

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return functional.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ReflectionPad1d(_Pad):
    """mode "reflect" around x (..., L): left, right, or one number for all."""

    dims, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """mode "reflect" around x (..., H, W): left, right, top, bottom, or one number for all."""

    dims, mode = 2, "reflect"


class ReplicationPad1d(_Pad):
    """mode "replicate" around x (..., L): left, right, or one number for all."""

    dims, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """mode "replicate" around x (..., H, W): left, right, top, bottom, or one number for all."""

    dims, mode = 2, "replicate"


class CircularPad1d(_Pad):
    """mode "circular" around x (..., L): left, right, or one number for all."""

    dims, mode = 1, "circular"


class CircularPad2d(_Pad):
    """mode "circular" around x (..., H, W): left, right, top, bottom, or one number for all."""

    dims, mode = 2, "circular"


class ZeroPad1d(_Pad):
    """mode "constant" around x (..., L): left, right, or one number for all."""

    dims, mode = 1, "constant"


class ConstantPad1d(_ConstantPad):
    """value around x (..., L): left, right, or one number for all."""

    dims = 1


class ConstantPad2d(_ConstantPad):
    """value around x (..., H, W): left, right, top, bottom, or one number for all."""

    dims = 2
