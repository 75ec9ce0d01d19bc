"""Tensors as NumPy arrays and back, for files and pickles. NumPy has no bfloat16: its bits go."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _C
from ._C import Tensor


def values_of(tensor: Tensor) -> np.ndarray:
    """A tensor's numbers; of bfloat16, which NumPy does not have, the bits as uint16."""
    if tensor.dtype == _C.bfloat16:
        return _C._bits_of_bfloat16(tensor)
    return tensor.detach().cpu().numpy()


def tensor_of(array: np.ndarray, device: Any) -> Tensor:
    """The inverse of values_of: an array of uint16 holds the bits of bfloat16."""
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    bits = native.dtype == np.uint16
    tensor = _C._bfloat16_of_bits(native) if bits else _C.from_numpy(native)
    return tensor if device is None else tensor.to(device)
