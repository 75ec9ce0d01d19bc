"""The allocator's own count of the bytes of tensors."""

from __future__ import annotations

from . import _C


def statistics(device: str = "cpu") -> dict[str, int | None]:
    """Bytes alive (live), the most there were (peak), kept for reuse (kept), and the limit, None if
    there is none; and how many requests there were. A tensor of up to 64 bytes keeps them itself,
    and is not counted."""
    return _C._statistics(str(device))


def reset_peak(device: str = "cpu") -> None:
    """From here on the peak counts anew, from what is alive."""
    _C._reset_peak(str(device))


def set_limit(bytes: int | None, device: str = "cpu") -> None:
    """Lets tensors have no more than this many bytes at a time; None takes the limit away.

    What would go beyond it raises tg.OutOfMemoryError, and leaves all as it was. ValueError if it
    is below 0.
    """
    _C._set_limit(bytes, str(device))


def release_kept() -> None:
    """Gives the blocks that were kept for reuse back to the system."""
    _C._release_kept()
