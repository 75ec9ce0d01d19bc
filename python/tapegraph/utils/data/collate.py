"""Many items to one batch: tensors are stacked along a new first dim, containers item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ... import _C
from ..._C import Tensor
from ..._errors import placed


def default_collate(batch: Sequence[Any]) -> Any:
    """What a list of n items is as a batch; the first item says what they are.

    - tensors and NumPy arrays of one shape S: a tensor (n, *S) of their dtype
    - bools, ints, floats: a tensor (n,) of bool, int64 or float64
    - strings and bytes: the list
    - dicts: a dict, each key's values collated; named tuples likewise
    - tuples and lists of one length: a list, each place's values collated

    Raises TypeError for an item of another type, and RuntimeError where shapes, lengths or keys
    differ.
    """
    if len(batch) == 0:
        raise placed(RuntimeError, "default_collate: there is no item")
    first = batch[0]
    if isinstance(first, Tensor):
        return _stacked(batch, Tensor)
    if isinstance(first, np.ndarray):
        return _C.tensor(_stacked(batch, np.ndarray))
    if isinstance(first, np.generic) and first.dtype.kind in "biuf":
        _same(batch, lambda item: getattr(item, "dtype", None), "dtype")
        return _C.tensor(np.array(batch, first.dtype))
    if isinstance(first, (bool, int, float)):
        if not all(isinstance(item, (bool, int, float)) for item in batch):
            raise placed(TypeError, f"default_collate: {_kinds(batch)} do not make one batch")
        dtype = _C.bool if all(isinstance(item, bool) for item in batch) else _C.int64
        if any(isinstance(item, float) for item in batch):
            dtype = _C.float64
        return _C.tensor(list(batch), dtype=dtype)
    if isinstance(first, (str, bytes)):
        return list(batch)
    if isinstance(first, Mapping):
        _same(batch, lambda item: set(item) if isinstance(item, Mapping) else None, "keys")
        collated = {key: default_collate([item[key] for item in batch]) for key in first}
        return collated if type(first) is dict else _like(first, collated)
    if isinstance(first, Sequence):
        _same(batch, lambda item: len(item) if isinstance(item, Sequence) else None, "length")
        columns = [default_collate(column) for column in zip(*batch)]
        return type(first)(*columns) if hasattr(first, "_fields") else columns
    raise placed(
        TypeError,
        f"default_collate: an item is a {type(first).__name__}; it must be a tensor, an array, a "
        f"number, a string, or a dict, tuple or list of these; or write a collate_fn",
    )


def default_convert(item: Any) -> Any:
    """One item as it is, but NumPy's arrays and numbers in it as tensors, of their dtype."""
    if isinstance(item, np.ndarray) and item.dtype.kind in "biuf":
        return _C.tensor(item)
    if isinstance(item, np.generic) and item.dtype.kind in "biuf":
        return _C.tensor(np.array(item))
    if isinstance(item, Mapping):
        converted = {key: default_convert(value) for key, value in item.items()}
        return converted if type(item) is dict else _like(item, converted)
    if hasattr(item, "_fields"):
        return type(item)(*map(default_convert, item))
    if isinstance(item, tuple):
        return [default_convert(value) for value in item]
    if isinstance(item, Sequence) and not isinstance(item, (str, bytes)):
        return [default_convert(value) for value in item]
    return item


def pinned(batch: Any) -> Any:
    """A batch, with its tensors on the CPU in pinned memory (Tensor.pin_memory). An object with a
    method pin_memory() of its own is what that gives."""
    if hasattr(batch, "pin_memory"):
        on_device = isinstance(batch, Tensor) and batch.is_cuda
        return batch if on_device else batch.pin_memory()
    if isinstance(batch, Mapping):
        parts = {key: pinned(value) for key, value in batch.items()}
        return parts if type(batch) is dict else _like(batch, parts)
    if hasattr(batch, "_fields"):
        return type(batch)(*map(pinned, batch))
    if isinstance(batch, (tuple, list)):
        return type(batch)(map(pinned, batch))
    return batch


def _stacked(batch: Sequence[Any], kind: type) -> Any:
    if not all(isinstance(item, kind) for item in batch):
        raise placed(TypeError, f"default_collate: {_kinds(batch)} do not make one batch")
    _same(batch, lambda item: tuple(item.shape), "shape")
    _same(batch, lambda item: item.dtype, "dtype")
    return _C.stack(list(batch)) if kind is Tensor else np.stack(batch)


def _same(batch: Sequence[Any], fact: Any, what: str) -> None:
    """Raises RuntimeError unless the fact is the same for all."""
    want = fact(batch[0])
    for i, item in enumerate(batch):
        if (got := fact(item)) != want:
            raise placed(
                RuntimeError,
                f"default_collate: item 0 has {what} {want}, but item {i} has {got}; pad them, or "
                f"write a collate_fn",
            )


def _kinds(batch: Sequence[Any]) -> str:
    return " and ".join(sorted({type(item).__name__ for item in batch}))


def _like(mapping: Mapping[Any, Any], values: dict[Any, Any]) -> Any:
    """A mapping of the same type, if that can be made of a dict."""
    try:
        return type(mapping)(values)  # type: ignore[call-arg]
    except TypeError:
        return values
