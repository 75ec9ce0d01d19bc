"""How other libraries take a tensor: the array API's namespace, devices, and DLPack by NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._C import Tensor
from ._errors import placed

_CPU = (1, 0)  # DLPack's number for the CPU's memory, and the device's index
_VERSIONS = ("2021.12", "2022.12", "2023.12")
_NUMPY_TAKES_MORE = np.lib.NumpyVersion(np.__version__) >= "2.1.0"


def namespace(self: Tensor, /, *, api_version: str | None = None) -> Any:
    """tapegraph.array_api, which has the array API standard's names."""
    if api_version not in (None, *_VERSIONS):
        text = f"__array_namespace__: there is {', '.join(_VERSIONS)}, not {api_version!r}"
        raise placed(ValueError, text)
    from . import array_api

    return array_api


def to_device(self: Tensor, device: Any, /, *, stream: Any = None) -> Tensor:
    """x.to(device), by the standard's name."""
    if stream is not None:
        raise placed(ValueError, "to_device: tapegraph has no streams; leave stream out")
    return self.to(device)


def dlpack(
    self: Tensor,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """The capsule that np.from_dlpack(x) and others ask for; it shares the tensor's bytes."""
    if self.requires_grad:
        raise placed(BufferError, "__dlpack__: this tensor requires a gradient; use x.detach()")
    dlpack_device(self)
    if dl_device not in (None, _CPU):
        raise placed(BufferError, f"__dlpack__: to the CPU {_CPU} only, not to {dl_device}")
    try:
        array = self.numpy()
    except TypeError as error:
        raise placed(BufferError, f"__dlpack__: {self.dtype} is not given; cast it") from error
    array = array.copy() if copy else array
    if _NUMPY_TAKES_MORE and max_version is not None:
        return array.__dlpack__(stream=stream, max_version=max_version)
    return array.__dlpack__(stream=stream)


def dlpack_device(self: Tensor) -> tuple[int, int]:
    """Where the bytes are, in DLPack's numbers."""
    if self.device.type != "cpu":
        raise placed(BufferError, f"__dlpack__: this tensor is on {self.device}; use x.cpu()")
    return _CPU


for _name, _method in {
    "__array_namespace__": namespace,
    "__dlpack__": dlpack,
    "__dlpack_device__": dlpack_device,
    "to_device": to_device,
}.items():
    setattr(Tensor, _name, _method)
