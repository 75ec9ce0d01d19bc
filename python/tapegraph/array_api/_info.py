"""What this namespace can do, for code that asks: __array_namespace_info__()."""

from __future__ import annotations

from typing import Any

from .. import _C
from .._C import dtype as DType
from ._dtypes import bool, float32, float64, int8, int16, int32, int64, isdtype, uint8

_DTYPES = {
    "bool": bool,
    "int8": int8,
    "int16": int16,
    "int32": int32,
    "int64": int64,
    "uint8": uint8,
    "float32": float32,
    "float64": float64,
}


class Info:
    def capabilities(self) -> dict[str, Any]:
        return {"boolean indexing": True, "data-dependent shapes": True}

    def default_device(self) -> Any:
        return _C.device("cpu")

    def default_dtypes(self, *, device: Any = None) -> dict[str, DType | None]:
        return {
            "real floating": _C.get_default_dtype(),
            "complex floating": None,
            "integral": int64,
            "indexing": int64,
        }

    def devices(self) -> list[Any]:
        """ "cuda" is always there: without a GPU it is emulated."""
        return [_C.device("cpu"), _C.device("cuda")]

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, DType]:
        """The standard's dtypes that there are, by name, all or of a kind as in isdtype."""
        return {
            name: dtype for name, dtype in _DTYPES.items() if kind is None or isdtype(dtype, kind)
        }


def __array_namespace_info__() -> Info:
    return Info()
