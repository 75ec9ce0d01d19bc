"""Many elements to one, along one axis, several, all of them (None), or none of them (())."""

from __future__ import annotations

import math
from typing import Any, Callable

from .. import _C
from .._C import Tensor
from .._C import dtype as DType
from .._errors import placed
from ._dtypes import bool as bool_dtype
from ._dtypes import isdtype
from ._layout import place_of

Axis = Any  # int, tuple[int, ...] or None


def _along(op: Callable[..., Tensor], x: Tensor, axis: Axis, keepdims: bool, **more: Any) -> Tensor:
    """op over these axes. Over none of them each element is reduced alone: over a new dim of 1."""
    if axis == ():
        return op(x.unsqueeze(-1), -1, keepdim=False, **more)
    axes = range(x.ndim) if axis is None else axis
    axes = (axes,) if isinstance(axes, int) else tuple(axes)
    if not axes:
        return op(x.unsqueeze(-1), -1, keepdim=False, **more)
    return op(x, axes, keepdim=keepdims, **more)


def _total_dtype(x: Tensor, dtype: DType | None) -> DType:
    """Integers are summed in int64, so that more of them fit; floats in their own dtype."""
    return dtype or (x.dtype if isdtype(x.dtype, "real floating") else _C.int64)


def sum(
    x: Tensor, /, *, axis: Axis = None, dtype: DType | None = None, keepdims: bool = False
) -> Tensor:
    return _along(_C.sum, x, axis, keepdims, dtype=_total_dtype(x, dtype))


def prod(
    x: Tensor, /, *, axis: Axis = None, dtype: DType | None = None, keepdims: bool = False
) -> Tensor:
    return _along(_prod_over, x, axis, keepdims, dtype=_total_dtype(x, dtype))


def _prod_over(x: Tensor, dim: Any, keepdim: bool, dtype: DType) -> Tensor:
    """tg.prod takes one dim: the others are flattened into it."""
    axes = (dim,) if isinstance(dim, int) else dim
    axes = [place_of("prod", one, x.ndim) for one in axes]
    kept = [one for one in range(x.ndim) if one not in axes]
    sizes = [x.shape[one] for one in kept]
    last = x.permute(tuple(kept + axes)).reshape(*sizes, math.prod(x.shape[one] for one in axes))
    shape = [1 if one in axes else x.shape[one] for one in range(x.ndim)]
    product = _C.prod(last, -1, dtype=dtype)
    return product.reshape(shape) if keepdim else product


def max(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    return _along(_C.amax, x, axis, keepdims)


def min(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    return _along(_C.amin, x, axis, keepdims)


def mean(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    return _along(_C.mean, x, axis, keepdims)


def var(
    x: Tensor, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    """The squared distances from the mean, summed and divided by their number - correction."""
    return _along(_C.var, x, axis, keepdims, correction=correction)


def std(
    x: Tensor, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    return _along(_C.std, x, axis, keepdims, correction=correction)


def all(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    return _along(_C.all, x.to(bool_dtype), axis, keepdims)


def any(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    return _along(_C.any, x.to(bool_dtype), axis, keepdims)


def argmax(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the greatest is, the first of several; of all elements if no axis is named."""
    return _C.argmax(x, axis, keepdims)


def argmin(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    return _C.argmin(x, axis, keepdims)


def cumulative_sum(
    x: Tensor,
    /,
    *,
    axis: int | None = None,
    dtype: DType | None = None,
    include_initial: bool = False,
) -> Tensor:
    """The sums up to each element; include_initial puts a 0 before them."""
    if axis is None:
        if x.ndim != 1:
            raise placed(ValueError, f"cumulative_sum: give an axis of {tuple(x.shape)}")
        axis = 0
    axis = place_of("cumulative_sum", axis, x.ndim)
    sums = _C.cumsum(x, axis, dtype=_total_dtype(x, dtype))
    if not include_initial:
        return sums
    shape = [1 if one == axis else size for one, size in enumerate(sums.shape)]
    return _C.cat([_C.zeros(shape, dtype=sums.dtype, device=x.device), sums], axis)
