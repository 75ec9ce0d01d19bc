"""The allocator's own count of the bytes of tensors."""

from __future__ import annotations

from . import _C


def statistics(device: str = "cpu") -> dict[str, int]:
    """Bytes alive (live), the most there were (peak), kept for reuse (kept); and requests."""
    return _C._statistics(str(device))


def reset_peak(device: str = "cpu") -> None:
    """From here on the peak counts anew, from what is alive."""
    _C._reset_peak(str(device))


def release_kept() -> None:
    """Gives the blocks that were kept for reuse back to the system."""
    _C._release_kept()
