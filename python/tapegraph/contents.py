"""What is in a list, dict, set or small array that a compiled function reads."""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np

from .plain import is_plain, key_of

LIMIT = 100  # elements that are watched, those of inner lists counted too
_DEEPEST = 4

# Methods that only write: a list that a function appends to is not one that it reads.
WRITERS = frozenset(
    ["add", "append", "appendleft", "clear", "discard", "extend", "insert", "update"]
)
_KINDS = (list, dict, set, deque, bytearray, np.ndarray)


def is_container(value: Any) -> bool:
    """Has it elements that may change, or, in a tuple, that are not plain?"""
    return isinstance(value, _KINDS) or (
        isinstance(value, (tuple, frozenset)) and not is_plain(value)
    )


class Contents:
    """The elements of a container at one time, in order, up to a limit.

    same() is asked before each call, so it goes by identity, without a loop in Python; key() goes
    by value, and tells whether other objects mean another trace.
    """

    __slots__ = ("inner", "kind", "length", "names", "skipped", "values")

    def __init__(self, value: Any, room: int = LIMIT, depth: int = 1) -> None:
        self.kind = type(value)
        self.length = value.shape if isinstance(value, np.ndarray) else len(value)
        self.names: list[Any] = []
        self.skipped = 0  # elements beyond the limit
        if isinstance(value, np.ndarray):
            self.values: list[Any] = [
                value.dtype.str,
                value.tobytes() if value.size <= room else b"",
            ]
            self.skipped = 0 if value.size <= room else value.size
        else:
            self.values = [v for v, _ in zip(self._elements(value), range(room))]
            self.skipped = len(value) - len(self.values)
        if isinstance(value, dict):
            self.names = [k for k, _ in zip(value, range(room))]
        self.inner: dict[int, Contents] = {}
        left = room - len(self.values)
        for i, element in enumerate(self.values):
            if not is_container(element):
                continue
            part = Contents(element, left if depth < _DEEPEST else 0, depth + 1)
            self.inner[i] = part
            left -= part.count()
            self.skipped += part.skipped

    def count(self) -> int:
        return len(self.values) + sum(part.count() for part in self.inner.values())

    def said(self) -> str:
        n = self.length if isinstance(self.length, tuple) else self.count()
        return f"an array of shape {n}" if isinstance(n, tuple) else f"{n} element{'s' * (n != 1)}"

    @staticmethod
    def _elements(value: Any) -> Any:
        return value.values() if isinstance(value, dict) else value

    def same(self, now: Any) -> bool:
        """Are these the very elements that it holds now?"""
        if type(now) is not self.kind:
            return False
        if isinstance(now, np.ndarray):
            if now.shape != self.length or now.dtype.str != self.values[0]:
                return False
            return bool(self.skipped) or now.tobytes() == self.values[1]
        try:
            return (
                len(now) == self.length
                and all(map(operator.is_, self._elements(now), self.values))
                and all(map(operator.is_, now, self.names))
                and all(part.same(self.values[i]) for i, part in self.inner.items())
            )
        except RuntimeError:  # another thread changes it just now
            return False

    def key(self) -> Hashable:
        parts = tuple(
            self.inner[i].key() if i in self.inner else key_of(v) for i, v in enumerate(self.values)
        )
        known = tuple(map(key_of, self.names))
        ordered = frozenset(parts) if issubclass(self.kind, (set, frozenset)) else parts
        return self.kind, self.length, known, ordered

    def leaves(self, label: str) -> Iterator[tuple[str, Any]]:
        """Each element that is no container, and how it is reached: table['rates'][0]."""
        if issubclass(self.kind, np.ndarray):
            yield f"the numbers of {label}", self.values[1]
            return
        yield f"the length of {label}", self.length
        for i, v in enumerate(self.values):
            if issubclass(self.kind, (set, frozenset)):
                at = f"{label}: element {i}"
            else:
                at = f"{label}[{(self.names[i] if self.names else i)!r}]"
            if i in self.inner:
                yield from self.inner[i].leaves(at)
            else:
                yield at, v
