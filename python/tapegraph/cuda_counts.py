"""What a checked kernel's launch did to memory, line by line: Kernel.counts of cuda_kernel.py."""

from __future__ import annotations

import html
import json
from typing import NamedTuple


class LineCounts(NamedTuple):
    """One line of the source. A warp's instruction counts once for its up to 32 lanes."""

    place: str  # "kernel.cu:7", line 7 of the source
    warps: int  # instructions of warps
    lanes: float  # active in each, of 32
    bytes_read: int
    bytes_written: int
    sectors: int  # of 32 bytes of global memory that were touched,
    ideal_sectors: int  # and how few hold the same bytes
    bank_passes: int  # over the 32 banks of shared memory,
    ideal_bank_passes: int  # how few there could be,
    most_bank_passes: int  # and the most of one instruction: 1 is without conflict
    atomics: int  # instructions,
    atomic_passes: int  # and how often their lanes queued for one address
    operations: int  # of lanes, if the kernel computes with simt::counted_float


class Counts(NamedTuple):
    """A launch; prints as the table `text`."""

    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    bytes_read: int  # as threads asked for them
    bytes_written: int
    sectors: int
    operations: int
    lines: list[LineCounts]  # in the order of the source
    cut: bool  # a loop without barriers was too long: its first rounds are counted
    text: str
    svg: str  # which lane of warp 0 of block 0 touched which bytes, as a picture

    def line(self, number: int) -> LineCounts:
        """That of line `number` of the source, the first being 1. KeyError: there is none."""
        for counts in self.lines:
            if counts.place == f"kernel.cu:{number}":
                return counts
        raise KeyError(f"line {number} of the kernel did nothing that is counted")

    @property
    def intensity(self) -> float:
        """Operations for each byte of the sectors, as if there were no cache."""
        return self.operations / (32 * self.sectors) if self.sectors else 0.0

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.text)}</pre>{self.svg}"


def read_counts(from_json: str, text: str, svg: str) -> Counts:
    """From the three forms in which simt/check gives them."""
    launch = json.loads(from_json)
    lines = [
        LineCounts(
            place=line["place"],
            warps=line["instructions"],
            lanes=line["lanes"] / max(line["instructions"], 1),
            bytes_read=line["bytes_read"],
            bytes_written=line["bytes_written"],
            sectors=line["sectors"],
            ideal_sectors=line["ideal_sectors"],
            bank_passes=line["passes"],
            ideal_bank_passes=line["ideal_passes"],
            most_bank_passes=line["most_passes"],
            atomics=line["atomics"],
            atomic_passes=line["atomic_passes"],
            operations=line["operations"],
        )
        for line in launch["lines"]
    ]
    return Counts(
        grid=tuple(launch["grid"]),
        block=tuple(launch["block"]),
        bytes_read=launch["bytes_read"],
        bytes_written=launch["bytes_written"],
        sectors=launch["sectors"],
        operations=launch["operations"],
        lines=lines,
        cut=launch["cut"],
        text=text,
        svg=svg,
    )
