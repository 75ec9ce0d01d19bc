"""Calls whose result is another each time, but is taken once, when a function is traced."""

from __future__ import annotations

import datetime
import random
import sys
import time
import types
from typing import Any

_CLOCKS = frozenset(
    name
    for name in vars(time)
    if name.startswith(("time", "perf_counter", "monotonic", "process_time", "thread_time"))
)
_KINDS = ("builtin_function_or_method", "method", "function", "cython_function_or_method")


def _is_generator(value: Any) -> bool:
    return isinstance(value, random.Random) or (
        str(type(value).__module__).startswith("numpy.random")
        and type(value).__name__ in ("RandomState", "Generator")
    )


def frozen_call(found: Any) -> str:
    """What a trace keeps of a call to this, in words: "number" or "time"; "" for all else."""
    if type(found).__name__ not in _KINDS:
        return ""
    owner = getattr(found, "__self__", None)
    name = getattr(found, "__name__", "")
    if _is_generator(owner):
        return (
            "" if name in ("seed", "getstate", "setstate", "get_state", "set_state") else "number"
        )
    module = getattr(found, "__module__", None)
    if module == "secrets" or (module == "uuid" and name in ("uuid1", "uuid4")):
        return "number"
    if found is getattr(sys.modules.get("os"), "urandom", None):
        return "number"
    if isinstance(owner, types.ModuleType) and owner is time and name in _CLOCKS:
        return "time"
    if isinstance(owner, type) and issubclass(owner, datetime.date):
        return "time" if name in ("now", "utcnow", "today") else ""
    return ""


class Drawn:
    """Notices that Python's or NumPy's own generator was drawn from, by whomever."""

    def __init__(self) -> None:
        self.before = self._states()

    @staticmethod
    def _states() -> tuple[Any, ...]:
        numpy = sys.modules.get("numpy.random")
        state = numpy.get_state() if numpy is not None else ()
        return random.getstate(), tuple(
            part if i != 1 else part.tobytes() for i, part in enumerate(state)
        )

    def by_now(self) -> bool:
        return self._states() != self.before
