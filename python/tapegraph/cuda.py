"""The device "cuda". Without a GPU it is an emulator that runs the same kernels on the CPU."""

from __future__ import annotations

from . import _C


def is_emulated() -> bool:
    """Do CUDA tensors live in the emulator?"""
    return _C._cuda_is_emulated()


def is_available() -> bool:
    """Is there a real GPU? (The device "cuda" always works; see is_emulated.)"""
    return not is_emulated()


def device_count() -> int:
    """How many devices "cuda" names: always one."""
    return 1


def current_device() -> int:
    return 0


def get_device_name(device: object = None) -> str:
    """ "cuda", "emulator" or "checking emulator"."""
    return _C._cuda_name()


def synchronize(device: object = None) -> None:
    """Waits until all kernels that were launched have ended."""
    _C._cuda_synchronize()
