"""Where the time goes: a table by op, or by line, and a timeline.

with tg.profiler.profile() as prof:
    step(x)
print(prof.table())
prof.export_chrome_trace("step.json")  # opens in Perfetto, or at chrome://tracing
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Callable, NamedTuple

from . import _C
from ._errors import placed

__all__ = ["Event", "Row", "Rows", "profile"]


class Event(NamedTuple):
    """One kernel that ran. Times are in nanoseconds, the start counted from the profile's."""

    name: str  # the op's; "fused": several elementwise ops in one loop; "together": several such
    line: str  # "train.py:12", the line that wrote the op; "" if not known
    start: int
    duration: int
    thread: int  # counted from 0


class Row(NamedTuple):
    """What the kernels of one name, or of one line, took together, in nanoseconds."""

    name: str
    calls: int
    total: int

    @property
    def mean(self) -> float:
        return self.total / self.calls


def _microseconds(ns: float) -> str:
    return f"{ns / 1000:.1f}"


class Rows(list[Row]):
    """A profile's rows, those that took longest first."""

    def __init__(self, rows: Iterable[Row], group_by: str) -> None:
        super().__init__(rows)
        self.group_by = group_by

    def table(self, sort_by: str | None = None, row_limit: int = 20) -> str:
        """As text: calls, total and mean microseconds, and the share of the total.

        sort_by is "total", "mean", "calls" or "name", or one of PyTorch's "cpu_time_total",
        "self_cpu_time_total", "cpu_time" and "count"; the largest come first, names in order.
        Raises ValueError for another.
        """
        if sort_by is not None and sort_by not in _ORDERS:
            raise placed(
                ValueError, f"table: sort_by is one of {', '.join(_ORDERS)}, not {sort_by!r}"
            )
        rows = list(self) if sort_by is None else sorted(self, key=_ORDERS[sort_by])
        whole = sum(row.total for row in rows)
        shown = [(self.group_by, "calls", "total us", "mean us", "share")]
        for row in rows[: max(row_limit, 0)]:
            share = f"{100 * row.total / whole if whole else 0:.1f} %"
            total, mean = _microseconds(row.total), _microseconds(row.mean)
            shown.append((row.name, str(row.calls), total, mean, share))
        widths = [max(len(line[i]) for line in shown) for i in range(5)]
        lines = []
        for line in shown:
            numbers = "  ".join(text.rjust(w) for text, w in zip(line[1:], widths[1:]))
            lines.append(f"{line[0].ljust(widths[0])}  {numbers}")
        if len(rows) > len(shown) - 1:
            lines.append(f"and {len(rows) - len(shown) + 1} more")
        return "\n".join(lines) + "\n"


def _longest(row: Row) -> float:
    return -row.total


def _longest_each(row: Row) -> float:
    return -row.mean


def _commonest(row: Row) -> float:
    return -row.calls


_ORDERS: dict[str, Callable[[Row], Any]] = {
    "total": _longest,
    "cpu_time_total": _longest,
    "self_cpu_time_total": _longest,
    "mean": _longest_each,
    "cpu_time": _longest_each,
    "calls": _commonest,
    "count": _commonest,
    "name": lambda row: row.name,
}


class profile:
    """Records every kernel that runs while it is open, in all threads: of the tape, its backward,
    and of compiled functions, whose fused groups count as one. Views have no kernel.

    Only one can be open at a time (RuntimeError). Each kernel that is timed keeps an
    Event; so profile some steps, not a night of training.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __enter__(self) -> profile:
        _C._start_profiling()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.events = [Event(*e) for e in _C._stop_profiling()]

    def key_averages(self, group_by: str = "op") -> Rows:
        """The events added up by "op" or by "line", those that took longest first."""
        if group_by not in ("op", "line"):
            raise placed(ValueError, f"key_averages: group_by is 'op' or 'line', not {group_by!r}")
        times: dict[str, list[int]] = {}
        for e in self.events:
            name = e.name if group_by == "op" else e.line or "(not known)"
            times.setdefault(name, []).append(e.duration)
        rows = [Row(name, len(each), sum(each)) for name, each in times.items()]
        return Rows(sorted(rows, key=lambda row: -row.total), group_by)

    def table(self, group_by: str = "op", row_limit: int = 20) -> str:
        """key_averages(group_by) as text."""
        return self.key_averages(group_by).table(row_limit=row_limit)

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Writes the timeline in Chrome's trace format, which Perfetto reads."""
        events = [
            {
                "name": e.name,
                "cat": "kernel",
                "ph": "X",
                "ts": e.start / 1000,
                "dur": e.duration / 1000,
                "pid": 0,
                "tid": e.thread,
                "args": {"line": e.line},
            }
            for e in self.events
        ]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"traceEvents": events, "displayTimeUnit": "ns"}, file)

    def __repr__(self) -> str:
        return f"<profile of {len(self.events)} kernels>"
