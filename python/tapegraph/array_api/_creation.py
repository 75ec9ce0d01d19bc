"""New tensors: from Python's numbers, from other libraries' arrays, and from a rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _C
from .._C import Tensor
from .._C import dtype as DType
from .._errors import placed


def _shape(shape: int | Sequence[int]) -> tuple[int, ...]:
    return tuple(shape) if isinstance(shape, Sequence) else (shape,)


def _has_buffer(obj: Any) -> bool:
    try:
        memoryview(obj)
    except TypeError:
        return False
    return True


def asarray(
    obj: Any, /, *, dtype: DType | None = None, device: Any = None, copy: bool | None = None
) -> Tensor:
    """A tensor of numbers, nested lists, a NumPy array, a buffer, or what speaks DLPack.

    Its bytes are shared where they can be, unless copy=True; with copy=False it is a ValueError
    where they cannot.
    """
    if isinstance(obj, Tensor):
        made, shared = obj, True
    elif isinstance(obj, np.ndarray) or (_has_buffer(obj) and not isinstance(obj, np.generic)):
        made, shared = _of_array(np.asarray(obj))
    elif hasattr(obj, "__dlpack__"):
        made, shared = _of_array(np.from_dlpack(obj))
    else:
        made, shared = _C.tensor(obj, dtype=dtype), False
    moved = made if dtype is None else made.to(dtype)
    moved = moved if device is None else moved.to(device)
    shared = shared and moved is made
    if copy is False and not shared:
        raise placed(ValueError, f"asarray: this {type(obj).__name__} cannot be shared; copy=None?")
    return moved.clone() if copy and shared else moved


def _of_array(array: np.ndarray) -> tuple[Tensor, bool]:
    """A tensor, and whether it is on the array's own bytes."""
    if array.flags.writeable and array.dtype.isnative:
        return _C.from_numpy(array), True
    return _C.from_numpy(array.astype(array.dtype.newbyteorder("="))), False


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor on the bytes of another library's array that lies in the CPU's memory."""
    if not hasattr(x, "__dlpack__"):
        raise placed(TypeError, f"from_dlpack: {type(x).__name__} has no __dlpack__")
    made, shared = _of_array(np.from_dlpack(x))
    moved = made if device is None else made.to(device)
    shared = shared and moved is made
    if copy is False and not shared:
        raise placed(ValueError, f"from_dlpack: this {type(x).__name__} cannot be shared")
    return moved.clone() if copy and shared else moved


def arange(
    start: float,
    /,
    stop: float | None = None,
    step: float = 1,
    *,
    dtype: DType | None = None,
    device: Any = None,
) -> Tensor:
    """start, start + step, .. and not stop; where that is the wrong way, nothing."""
    if stop is None:
        start, stop = 0, start
    if dtype is None:
        whole = all(isinstance(number, int) for number in (start, stop, step))
        dtype = _C.int64 if whole else _C.get_default_dtype()
    if step != 0 and (stop - start) / step <= 0:
        return _C.empty((0,), dtype=dtype, device=device)
    return _C.arange(start, stop, step, dtype=dtype, device=device)


def linspace(
    start: float,
    stop: float,
    /,
    num: int,
    *,
    dtype: DType | None = None,
    device: Any = None,
    endpoint: bool = True,
) -> Tensor:
    """num numbers at equal distances from start to stop, or to one before it."""
    if endpoint:
        return _C.linspace(start, stop, num, dtype=dtype, device=device)
    return _C.linspace(start, stop, num + 1, dtype=dtype, device=device)[:num]


def empty(shape: int | Sequence[int], *, dtype: DType | None = None, device: Any = None) -> Tensor:
    return _C.empty(_shape(shape), dtype=dtype, device=device)


def zeros(shape: int | Sequence[int], *, dtype: DType | None = None, device: Any = None) -> Tensor:
    return _C.zeros(_shape(shape), dtype=dtype, device=device)


def ones(shape: int | Sequence[int], *, dtype: DType | None = None, device: Any = None) -> Tensor:
    return _C.ones(_shape(shape), dtype=dtype, device=device)


def full(
    shape: int | Sequence[int],
    fill_value: bool | int | float,
    *,
    dtype: DType | None = None,
    device: Any = None,
) -> Tensor:
    """A Python bool fills a bool tensor, an int one of int64, a float one of the default dtype."""
    return _C.full(_shape(shape), fill_value, dtype=dtype, device=device)


def empty_like(x: Tensor, /, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    return empty(x.shape, dtype=dtype or x.dtype, device=device or x.device)


def zeros_like(x: Tensor, /, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    return zeros(x.shape, dtype=dtype or x.dtype, device=device or x.device)


def ones_like(x: Tensor, /, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    return ones(x.shape, dtype=dtype or x.dtype, device=device or x.device)


def full_like(
    x: Tensor,
    /,
    fill_value: bool | int | float,
    *,
    dtype: DType | None = None,
    device: Any = None,
) -> Tensor:
    return full(x.shape, fill_value, dtype=dtype or x.dtype, device=device or x.device)


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: DType | None = None,
    device: Any = None,
) -> Tensor:
    """(n_rows, n_cols) with ones where column - row = k."""
    columns = n_rows if n_cols is None else n_cols
    row = _C.arange(n_rows, device=device).unsqueeze(-1)
    column = _C.arange(columns, device=device)
    return (column - row == k).to(_C.get_default_dtype() if dtype is None else dtype)


def meshgrid(*arrays: Tensor, indexing: str = "xy") -> list[Tensor]:
    """Of n vectors n tensors of n dims: every point of the grid, a coordinate each."""
    if len(arrays) == 0:
        return []
    if len({x.dtype for x in arrays}) > 1:
        raise placed(ValueError, "meshgrid: the vectors must be of one dtype")
    return list(_C.meshgrid(*arrays, indexing=indexing))


def tril(x: Tensor, /, *, k: int = 0) -> Tensor:
    """Matrices (..., M, N) with zeros where column - row > k."""
    return _C.tril(x, k)


def triu(x: Tensor, /, *, k: int = 0) -> Tensor:
    """Matrices (..., M, N) with zeros where column - row < k."""
    return _C.triu(x, k)
