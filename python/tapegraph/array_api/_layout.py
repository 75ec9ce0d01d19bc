"""Shapes and the places of elements: views where they can be, copies where not."""

from __future__ import annotations

from collections.abc import Sequence

from .. import _C
from .._C import Tensor
from .._errors import placed
from ._dtypes import promoted


def place_of(name: str, axis: int, ndim: int) -> int:
    """The axis counted from the front."""
    if not -ndim <= axis < ndim:
        raise placed(IndexError, f"{name}: axis {axis} of a tensor of {ndim} dims")
    return axis % ndim


def broadcast_arrays(*arrays: Tensor) -> list[Tensor]:
    """Views of the tensors, each of the shape that they have together."""
    return list(_C.broadcast_tensors(*arrays)) if arrays else []


def broadcast_to(x: Tensor, /, shape: Sequence[int]) -> Tensor:
    return _C.broadcast_to(x, tuple(shape))


def concat(arrays: Sequence[Tensor], /, *, axis: int | None = 0) -> Tensor:
    """The tensors after one another; with axis=None their elements."""
    alike = promoted(*arrays)
    if axis is None:
        return _C.cat([x.reshape(-1) for x in alike], 0)
    return _C.cat(alike, axis)


def stack(arrays: Sequence[Tensor], /, *, axis: int = 0) -> Tensor:
    """Tensors of one shape, numbered along a new axis."""
    return _C.stack(promoted(*arrays), axis)


def unstack(x: Tensor, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The inverse of stack."""
    return tuple(_C.unbind(x, axis))


def expand_dims(x: Tensor, /, *, axis: int = 0) -> Tensor:
    """A view with a dim of size 1 more, which is at `axis`."""
    return x.unsqueeze(place_of("expand_dims", axis, x.ndim + 1))


def squeeze(x: Tensor, /, axis: int | tuple[int, ...]) -> Tensor:
    """A view without these dims, whose sizes must be 1."""
    axes = axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(place_of("squeeze", one, x.ndim) for one in axes)
    for one in axes:
        if x.shape[one] != 1:
            text = f"squeeze: dim {one} of {tuple(x.shape)} is {x.shape[one]}, not 1"
            raise placed(ValueError, text)
    return _C.squeeze(x, axes) if axes else x


def flip(x: Tensor, /, *, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """x the other way round, along all dims if none is named."""
    if axis is None:
        axis = tuple(range(x.ndim))
    return x.flip(axis if isinstance(axis, tuple) else (axis,))


def roll(
    x: Tensor,
    /,
    shift: int | tuple[int, ...],
    *,
    axis: int | tuple[int, ...] | None = None,
) -> Tensor:
    """x moved on, and what leaves at the end comes in at the front."""
    if isinstance(axis, tuple) and isinstance(shift, int):
        shift = (shift,) * len(axis)
    return _C.roll(x, shift, axis)


def moveaxis(
    x: Tensor, source: int | tuple[int, ...], destination: int | tuple[int, ...], /
) -> Tensor:
    return _C.moveaxis(x, source, destination)


def permute_dims(x: Tensor, /, axes: tuple[int, ...]) -> Tensor:
    return x.permute(tuple(axes))


def repeat(x: Tensor, repeats: int | Tensor, /, *, axis: int | None = None) -> Tensor:
    """Each element, or slice along the axis, several times; with axis=None of the elements."""
    if axis is None:
        x, axis = x.reshape(-1), 0
    axis = place_of("repeat", axis, x.ndim)
    size = x.shape[axis]
    if isinstance(repeats, int):
        repeats = _C.full((size,), repeats, device=x.device)
    ends = _C.cumsum(repeats.broadcast_to(size), 0)
    total = int(ends[-1]) if size else 0
    # Place p of the result comes from the first slice whose last copy lies behind it.
    source = _C.searchsorted(ends, _C.arange(total, device=x.device), right=True)
    return _C.index_select(x, axis, source)


def tile(x: Tensor, repetitions: tuple[int, ...], /) -> Tensor:
    return _C.tile(x, tuple(repetitions))


def reshape(x: Tensor, /, shape: Sequence[int], *, copy: bool | None = None) -> Tensor:
    """A view of another shape, or a copy where there is none; copy=False makes that an error."""
    shape = tuple(shape)
    if copy is None:
        return x.reshape(shape)
    if copy:
        return x.clone().reshape(shape)
    try:
        return x.view(shape)
    except RuntimeError as error:
        raise placed(ValueError, f"reshape: {tuple(x.shape)} has no view of {shape}") from error


def take(x: Tensor, indices: Tensor, /, *, axis: int | None = None) -> Tensor:
    """The slices along the axis that a vector of indices names; below 0 counts from the end."""
    if axis is None:
        if x.ndim != 1:
            raise placed(ValueError, f"take: give an axis of {tuple(x.shape)}")
        axis = 0
    axis = place_of("take", axis, x.ndim)
    return x[(slice(None),) * axis + (indices,)]
