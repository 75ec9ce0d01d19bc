"""autocast: products run in a lower precision, losses in float32, the rest in what comes."""

from __future__ import annotations

import warnings
from typing import Any

from .. import _C
from ..autograd.modes import _Mode


class autocast(_Mode):
    """Inside `with autocast("cpu"):`, or a function that it decorates, ops choose their dtype.

    Products (matmul, mm, bmm, baddbmm, addbmm, addmm, vecdot, linear, convolutions, prelu,
    attention) take their tensors as dtype, bfloat16 or float16; losses, prod, quantile, trace, pad
    by reflection or replication and linalg take those as float32; index_copy promotes; all else
    runs in the dtype that comes, promoted where two meet. float64 stays. The lists are those of
    PyTorch for the CPU, and serve for "cuda" too. Call backward outside: it runs in the dtypes that
    the forward ran in. Weights are cast anew at each use, whatever cache_enabled.

    Raises RuntimeError for another device_type; warns of another dtype, and then does nothing.
    """

    def __init__(
        self,
        device_type: str = "cpu",
        dtype: _C.dtype | None = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(device_type, str):
            raise TypeError(
                f"autocast: device_type is 'cpu' or 'cuda', not {type(device_type).__name__}"
            )
        if device_type not in ("cpu", "cuda"):
            raise RuntimeError(f"autocast: device_type is 'cpu' or 'cuda', not {device_type!r}")
        self.device_type = device_type
        self.dtype = _C.bfloat16 if dtype is None else dtype
        self.enabled = bool(enabled)
        self.cache_enabled = cache_enabled
        if self.enabled and self.dtype not in (_C.bfloat16, _C.float16):
            warnings.warn(
                f"autocast: dtype is bfloat16 or float16, not {dtype!r}; autocast stays off",
                stacklevel=2,
            )
            self.enabled = False

    def _another(self) -> autocast:
        return type(self)(self.device_type, self.dtype, self.enabled, self.cache_enabled)

    def __enter__(self) -> autocast:  # type: ignore[override]
        if self.enabled:
            self._before.append(_C._autocast(True, self.dtype))
        else:
            self._before.append(_C._autocast(False))
        return self

    def __exit__(self, *error: object) -> None:
        if self._before:
            _C._autocast(*self._before.pop())


def _device(device_type: Any) -> None:
    if device_type not in ("cpu", "cuda"):
        raise RuntimeError(f"autocast: device_type is 'cpu' or 'cuda', not {device_type!r}")


def is_autocast_enabled(device_type: str = "cpu") -> bool:
    """Is autocast on in this thread?"""
    _device(device_type)
    return _C._autocast()[0]


def get_autocast_dtype(device_type: str = "cpu") -> _C.dtype:
    """The dtype to which autocast lowers: bfloat16, unless an open autocast says float16."""
    _device(device_type)
    return _C._autocast()[1]
