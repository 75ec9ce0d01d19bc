"""Which dtype a result has, and what a dtype can hold.

The standard knows no rule by which a tensor of no dims counts for less, as PyTorch's does: float32
and float64 are float64, whatever the shapes. `promoted` gives tensors that are alike already to the
ops, so that theirs is never asked.
"""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from functools import reduce
from typing import Any

from .. import _C
from .._C import Tensor, float32, float64, int8, int16, int32, int64, uint8
from .._C import bool as bool
from .._C import dtype as DType
from .._errors import placed

_SIGNED = (int8, int16, int32, int64)
# bfloat16 and float16 are not in the standard; tapegraph's namespace takes them along. The
# numbers: bits, bits of the fraction, and the largest exponent.
_FLOATS = {
    _C.float16: (16, 10, 15),
    _C.bfloat16: (16, 7, 127),
    float32: (32, 23, 127),
    float64: (64, 52, 1023),
}
_KINDS: dict[str, tuple[DType, ...]] = {
    "bool": (bool,),
    "signed integer": _SIGNED,
    "unsigned integer": (uint8,),
    "integral": (*_SIGNED, uint8),
    "real floating": tuple(_FLOATS),
    "complex floating": (),
    "numeric": (*_SIGNED, uint8, *_FLOATS),
}


@dataclass(frozen=True)
class finfo_object:
    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


@dataclass(frozen=True)
class iinfo_object:
    bits: int
    max: int
    min: int
    dtype: DType


def isdtype(dtype: DType, kind: Any) -> builtins.bool:
    """Is the dtype this one, of this kind ("integral", ..), or of one of a tuple of these?"""
    if isinstance(kind, tuple):
        return any(isdtype(dtype, one) for one in kind)
    if isinstance(kind, str):
        if kind not in _KINDS:
            raise placed(ValueError, f"isdtype: '{kind}' is no kind; there are {', '.join(_KINDS)}")
        return dtype in _KINDS[kind]
    return dtype == kind


def _both(a: DType, b: DType) -> DType:
    """The smallest dtype that holds both; of a float and an integer it is the float."""
    if a == b or b == bool:
        return a
    if a == bool:
        return b
    if a in _FLOATS or b in _FLOATS:
        if not (a in _FLOATS and b in _FLOATS):
            return a if a in _FLOATS else b
        if {a, b} == {_C.float16, _C.bfloat16}:
            return float32
        return a if _FLOATS[a] > _FLOATS[b] else b
    if uint8 in (a, b):  # half of its numbers are too large for int8
        return max(a if b == uint8 else b, int16, key=_SIGNED.index)
    return max(a, b, key=_SIGNED.index)


def _with_number(dtype: DType, number: bool | int | float) -> DType:
    """A Python number changes a dtype only where its kind is the higher one."""
    if isinstance(number, builtins.bool) or isdtype(dtype, "real floating"):
        return dtype
    if isinstance(number, float):
        return _C.get_default_dtype()
    return int64 if dtype == bool else dtype


def result_type(*arrays_and_dtypes: Any) -> DType:
    """The dtype that tensors and dtypes have together; Python's numbers are taken too."""
    numbers = [one for one in arrays_and_dtypes if isinstance(one, (int, float))]
    dtypes = [
        one.dtype if isinstance(one, Tensor) else one
        for one in arrays_and_dtypes
        if not isinstance(one, (int, float))
    ]
    for one in dtypes:
        if not isinstance(one, DType):
            text = f"result_type: {type(one).__name__} is neither a tensor nor a dtype"
            raise placed(TypeError, text)
    if not dtypes:
        raise placed(ValueError, "result_type: give a tensor or a dtype at least")
    return reduce(_with_number, numbers, reduce(_both, dtypes))


def promoted(*arrays: Any) -> list[Tensor]:
    """The tensors in the dtype that they have together; Python's numbers become tensors of it."""
    dtype = result_type(*arrays)
    device = next(x.device for x in arrays if isinstance(x, Tensor))
    return [
        x.to(dtype) if isinstance(x, Tensor) else _C.full((), x, dtype=dtype, device=device)
        for x in arrays
    ]


def can_cast(from_: DType | Tensor, to: DType, /) -> builtins.bool:
    """Does promotion lead from the one to the other?"""
    return result_type(from_, to) == to


def astype(x: Tensor, dtype: DType, /, *, copy: builtins.bool = True, device: Any = None) -> Tensor:
    """x in another dtype; with copy=False x itself where it has that dtype already."""
    made = x.to(dtype)
    if device is not None:
        made = made.to(device)
    return made.clone() if copy and made is x else made


def _dtype_of(type: DType | Tensor) -> DType:
    return type.dtype if isinstance(type, Tensor) else type


def finfo(type: DType | Tensor, /) -> finfo_object:
    """What a floating dtype can hold, as Python's floats."""
    dtype = _dtype_of(type)
    if dtype not in _FLOATS:
        raise placed(ValueError, f"finfo: {dtype} is not a floating dtype")
    bits, fraction, exponent = _FLOATS[dtype]
    eps = 2.0**-fraction
    largest = (2 - eps) * 2.0**exponent
    return finfo_object(bits, eps, largest, -largest, 2.0 ** (1 - exponent), dtype)


def iinfo(type: DType | Tensor, /) -> iinfo_object:
    """What an integer dtype can hold."""
    dtype = _dtype_of(type)
    if dtype not in _KINDS["integral"]:
        raise placed(ValueError, f"iinfo: {dtype} is not an integer dtype")
    bits = 8 * dtype.itemsize
    if dtype == uint8:
        return iinfo_object(bits, 255, 0, dtype)
    return iinfo_object(bits, 2 ** (bits - 1) - 1, -(2 ** (bits - 1)), dtype)
