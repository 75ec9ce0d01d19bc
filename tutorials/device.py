"""What the notebooks about CUDA share; device.h is its twin."""

from __future__ import annotations

from typing import Any, Callable

import tapegraph as tg
from check import error_of, not_solved


def kernel(source: str, name: str, **options: Any) -> Any:
    """tg.cuda.compile_kernel; an exercise's kernel that still says not_solved() is not compiled."""
    return not_solved() if "not_solved()" in source else compiled(source, name, **options)


def compiled(source: str, name: str, **options: Any) -> Any:
    return tg.cuda.compile_kernel(source, name, **options)


def report_of(launch: Callable[[], Any]) -> str:
    """What is wrong with a launch, without the kernel's name in front."""
    return error_of(launch).partition("CUDA: ")[2] or "no error"


def numbers(values: Any) -> str:
    """As "1 2.5 3"."""
    return " ".join(f"{value:g}" for value in values)
