"""What the notebooks about CUDA share; device.h is its twin."""

from __future__ import annotations

import re
import shutil
import sys
from typing import Any, Callable, NamedTuple

import tapegraph as tg
from check import error_of, not_solved

# Whether checked=True can be had here.
CHECKS = sys.platform == "linux" and shutil.which("g++") is not None


def kernel(source: str, name: str, **options: Any) -> Any:
    """tg.cuda.compile_kernel; an exercise's kernel that still says not_solved() is not compiled."""
    if "not_solved()" in re.sub(r"//[^\n]*|/\*.*?\*/", "", source, flags=re.DOTALL):
        not_solved()
    return tg.cuda.compile_kernel(source, name, **options)


def report_of(launch: Callable[[], Any]) -> str:
    """What is wrong with a launch, without the kernel's name in front."""
    return error_of(launch).partition("CUDA: ")[2] or "no error"


def numbers(values: Any) -> str:
    """As "1 2.5 3"."""
    return " ".join(f"{value:g}" for value in values)


# ---- counters -----------------------------------------------------------------------------------


def ratio(given: int, ideal: int) -> str:
    return f"{given} for {ideal}" if given else "-"


def show_counts(kernel: Any, source: str) -> None:
    """A table of the source's lines that touched memory of the device, in the latest launch."""
    rows = [("line", "read", "written", "sectors", "bank passes")]
    for line in kernel.counts.lines:
        number = int(line.place.rpartition(":")[2])
        code = source.splitlines()[number - 1].partition("//")[0].strip()
        sectors = ratio(line.sectors, line.ideal_sectors)
        passes = ratio(line.bank_passes, line.ideal_bank_passes)
        rows.append((code, str(line.bytes_read), str(line.bytes_written), sectors, passes))
    width = max(len(code) for code, *_ in rows)
    for code, read, written, sectors, passes in rows:
        print(f"{code:<{width}} {read:>8} {written:>8}  {sectors:>18}  {passes:>13}")


class Totals(NamedTuple):
    """Of all lines together."""

    sectors: int
    passes: int
    most_passes: int


def totals(kernel: Any) -> Totals:
    lines = kernel.counts.lines
    return Totals(
        sum(line.sectors for line in lines),
        sum(line.bank_passes for line in lines),
        max((line.most_bank_passes for line in lines), default=0),
    )
