"""Sums of products: what is in the namespace and in its linalg both."""

from __future__ import annotations

from collections.abc import Sequence

from .. import _C
from .._C import Tensor
from .._errors import placed
from ._dtypes import promoted


def matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    """(..., M, K), (..., K, N) -> (..., M, N); vectors as in Python's @."""
    return _C.matmul(*promoted(x1, x2))


def matrix_transpose(x: Tensor, /) -> Tensor:
    """(..., M, N) -> (..., N, M), a view."""
    if x.ndim < 2:
        raise placed(ValueError, f"matrix_transpose: {tuple(x.shape)} is not a matrix")
    return x.mT


def tensordot(
    x1: Tensor, x2: Tensor, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2
) -> Tensor:
    """Summed over the last `axes` dims of x1 and the first of x2, or over the pairs named."""
    x1, x2 = promoted(x1, x2)
    return _C.tensordot(x1, x2, axes if isinstance(axes, int) else [list(one) for one in axes])


def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The dot products of the vectors that lie along an axis, counted from the end."""
    x1, x2 = promoted(x1, x2)
    least = min(x1.ndim, x2.ndim)
    if not -least <= axis < least or (axis >= 0 and x1.ndim != x2.ndim):
        raise placed(IndexError, f"vecdot: axis {axis} of {x1.ndim} and {x2.ndim} dims")
    if x1.shape[axis] != x2.shape[axis]:
        text = f"vecdot: vectors of {x1.shape[axis]} and {x2.shape[axis]} elements"
        raise placed(ValueError, text)
    return (x1 * x2).sum(axis, dtype=x1.dtype)
