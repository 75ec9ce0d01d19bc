"""Convolutions: a small window of weights, moved over a signal or an image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import _C
from .._C import Tensor
from . import functional, init
from .module import Module
from .parameter import Parameter

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def numbers(what: str, given: int | Sequence[int], dims: int) -> tuple[int, ...]:
    """One for each dim. Raises ValueError for another number of them."""
    each = tuple(given) if isinstance(given, Sequence) else (given,) * dims
    if len(each) != dims:
        raise ValueError(f"{what} {each} is neither one number nor {dims}")
    return each


class _Convolution(Module):
    """What all have: weight and bias uniform in (-1/sqrt(k), 1/sqrt(k)), k the size of a window."""

    __constants__ = (
        "stride", "padding", "dilation", "groups", "padding_mode", "output_padding", "in_channels",
        "out_channels", "kernel_size",
    )  # fmt: skip
    bias: Tensor | None
    weight: Tensor
    dims = 2
    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: str | int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if groups < 1:
            raise ValueError(f"{name}: groups is {groups}, and must be at least 1")
        for which, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ValueError(f"{name}: {which} {channels} is no multiple of groups {groups}")
        if padding_mode not in PADDING_MODES:
            raise ValueError(
                f"{name}: padding_mode is {padding_mode!r}; there are {', '.join(PADDING_MODES)}"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = numbers(f"{name}: kernel_size", kernel_size, self.dims)
        self.stride = numbers(f"{name}: stride", stride, self.dims)
        self.padding = _padding(name, padding, self.stride)
        self.dilation = numbers(f"{name}: dilation", dilation, self.dims)
        self.output_padding = (0,) * self.dims
        self.groups = groups
        self.padding_mode = padding_mode
        first, second = (in_channels, out_channels)[:: 1 if self.transposed else -1]
        make = {"dtype": dtype, "device": device}
        self.weight = Parameter(_C.empty(first, second // groups, *self.kernel_size, **make))
        self.bias = Parameter(_C.empty(out_channels, **make)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        window = self.weight.shape[1] * math.prod(self.kernel_size)
        if self.bias is not None and window > 0:
            init.uniform_(self.bias, -1 / math.sqrt(window), 1 / math.sqrt(window))

    def extra_repr(self) -> str:
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        for name, usual in (("padding", 0), ("dilation", 1), ("output_padding", 0)):
            value = getattr(self, name)
            if value != (usual,) * self.dims:
                text += f", {name}={value}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text

    def _padded(self, input: Tensor) -> tuple[Tensor, str | tuple[int, ...]]:
        """The input, and the padding that is still to come: modes but zeros are done here."""
        if self.padding_mode == "zeros":
            return input, self.padding
        around: list[int] = []
        for d in reversed(range(self.dims)):
            if self.padding == "same":
                total = self.dilation[d] * (self.kernel_size[d] - 1)
                around += [total // 2, total - total // 2]
            else:
                around += [0, 0] if self.padding == "valid" else [int(self.padding[d])] * 2
        return functional.pad(input, around, self.padding_mode), (0,) * self.dims


def _padding(
    name: str, padding: str | int | Sequence[int], stride: tuple[int, ...]
) -> str | tuple[int, ...]:
    if not isinstance(padding, str):
        return numbers(f"{name}: padding", padding, len(stride))
    if padding not in ("same", "valid"):
        raise ValueError(f"{name}: padding is {padding!r}; the words are same and valid")
    if padding == "same" and any(s != 1 for s in stride):
        raise ValueError(f"{name}: padding 'same' needs stride 1, not {stride}")
    return padding


class Conv2d(_Convolution):
    """x (N, C, H, W) or (C, H, W) -> (N, O, I, J): weight (O, C / groups, *kernel_size), bias (O,).

    I = (H + 2 padding - dilation (kernel_size - 1) - 1) // stride + 1, and J likewise; sizes are an
    int or a pair. padding may be "valid", none, or "same", which keeps the size and needs stride 1;
    padding_mode says what it is made of. groups cuts the channels into that many convolutions.

    Raises ValueError for arguments that do not go together, RuntimeError for an x that does not
    fit. [LeCun et al. 1998, Gradient-based learning applied to document recognition]
    """

    def forward(self, input: Tensor) -> Tensor:
        x, padding = self._padded(input)
        return functional.conv2d(
            x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )


class Conv1d(_Convolution):
    """x (N, C, L) or (C, L) -> (N, O, I): weight (O, C / groups, kernel_size), bias (O,).

    As Conv2d, along one dim.
    """

    dims = 1

    def forward(self, input: Tensor) -> Tensor:
        x, padding = self._padded(input)
        return functional.conv1d(
            x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )


class ConvTranspose2d(_Convolution):
    """x (N, C, H, W) or (C, H, W) -> (N, O, I, J): weight (C, O / groups, *kernel_size), bias (O,).

    What a Conv2d of these sizes would take to give x's size, and the gradient of it:
    I = (H - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1. Several sizes
    shrink to the same H: output_padding, or output_size in forward, says which is meant.

    Raises ValueError for arguments that do not go together, RuntimeError for an x that does not
    fit. [Zeiler et al. 2010, Deconvolutional networks]
    """

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        output_padding: int | Sequence[int] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | Sequence[int] = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(
                f"{type(self).__name__}: padding_mode is {padding_mode!r}, and only zeros is"
            )
        extra = numbers(f"{type(self).__name__}: output_padding", output_padding, self.dims)
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip
        self.output_padding = extra

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        extra = self.output_padding
        if output_size is not None:
            extra = self._output_padding(tuple(input.shape), tuple(output_size))
        transposed = functional.conv_transpose1d if self.dims == 1 else functional.conv_transpose2d
        return transposed(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups,
            self.dilation,
        )  # fmt: skip

    def _output_padding(self, shape: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...]:
        """What makes the output (..., *wanted); ValueError if no output_padding does."""
        name, n = type(self).__name__, self.dims
        if len(wanted) not in (n, len(shape)):
            raise ValueError(f"{name}: output_size {wanted} is not of {n} or all dims")
        extra = []
        for d, size in enumerate(wanted[-n:]):
            least = (shape[d - n] - 1) * self.stride[d] - 2 * int(self.padding[d])
            least += self.dilation[d] * (self.kernel_size[d] - 1) + 1
            most = least + self.stride[d] - 1
            if not least <= size <= most:
                raise ValueError(
                    f"{name}: output_size {wanted} for input {shape}: {size} is outside of "
                    f"{least}..{most}"
                )
            extra.append(size - least)
        return tuple(extra)


class ConvTranspose1d(ConvTranspose2d):
    """x (N, C, L) or (C, L) -> (N, O, I): weight (C, O / groups, kernel_size), bias (O,).

    As ConvTranspose2d, along one dim.
    """

    dims = 1
