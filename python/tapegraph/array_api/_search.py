"""Order, and what depends on the values: places, and the different values of a tensor."""

from __future__ import annotations

from typing import NamedTuple

from .. import _C
from .._C import Tensor
from .._errors import placed
from ._dtypes import promoted


class unique_all_result(NamedTuple):
    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class unique_counts_result(NamedTuple):
    values: Tensor
    counts: Tensor


class unique_inverse_result(NamedTuple):
    values: Tensor
    inverse_indices: Tensor


def argsort(
    x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True
) -> Tensor:
    """The places of the elements in order; stable: equal ones stay as they stood."""
    return _C.argsort(x, axis, descending, stable)


def sort(x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    return _C.sort(x, axis, descending, stable).values


def searchsorted(
    x1: Tensor, x2: Tensor, /, *, side: str = "left", sorter: Tensor | None = None
) -> Tensor:
    """Where in the sorted vector x1 each element of x2 would be put."""
    x1, x2 = promoted(x1, x2)
    return _C.searchsorted(x1, x2, side=side, sorter=None if sorter is None else sorter.long())


def nonzero(x: Tensor, /) -> tuple[Tensor, ...]:
    """The places of what is not 0: a vector of indices for each dim."""
    if x.ndim == 0:
        raise placed(ValueError, "nonzero: a tensor of no dims has no places")
    return tuple(_C.nonzero(x, as_tuple=True))


def unique_all(x: Tensor, /) -> unique_all_result:
    """The different values in order, where each is first, which each element is, how often.

    A NaN is different from every other.
    """
    values, inverse, counts = _C.unique(x, return_inverse=True, return_counts=True)
    # Sorted by their values, the elements stand in groups; each group begins with its first.
    order = _C.argsort(inverse.reshape(-1), stable=True)
    first = order[_C.cumsum(counts, 0) - counts]
    return unique_all_result(values, first, inverse.reshape(x.shape), counts)


def unique_counts(x: Tensor, /) -> unique_counts_result:
    values, counts = _C.unique(x, return_counts=True)
    return unique_counts_result(values, counts)


def unique_inverse(x: Tensor, /) -> unique_inverse_result:
    values, inverse = _C.unique(x, return_inverse=True)
    return unique_inverse_result(values, inverse.reshape(x.shape))


def unique_values(x: Tensor, /) -> Tensor:
    return _C.unique(x)
