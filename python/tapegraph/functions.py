"""The code and the defaults of the functions that a compiled function calls.

A function stays the same object when `f.__code__ = g.__code__` gives it another body, which is how
IPython's autoreload brings an edited file into a notebook.
"""

from __future__ import annotations

import operator
import types
from collections.abc import Hashable, Iterator
from typing import Any

from ._lines import place
from .plain import key_of

_code = operator.attrgetter("__code__")
_defaults = operator.attrgetter("__defaults__")
_by_name = operator.attrgetter("__kwdefaults__")


class Functions:
    """Functions, and what each was made of when it was added."""

    def __init__(self) -> None:
        self._known: dict[int, types.FunctionType] = {}
        self._codes: list[types.CodeType] = []
        self._defaults: list[tuple[Any, ...] | None] = []
        self._by_name: list[dict[str, Any] | None] = []

    def add(self, function: types.FunctionType) -> bool:
        """False if it was there already."""
        if id(function) in self._known:
            return False
        self._known[id(function)] = function
        self._codes.append(function.__code__)
        self._defaults.append(function.__defaults__)
        self._by_name.append(function.__kwdefaults__)
        return True

    def have_changed(self) -> bool:
        """Asked before each call, so without a loop in Python."""
        now = self._known.values()
        same = operator.is_
        return not (
            all(map(same, map(_code, now), self._codes))
            and all(map(same, map(_defaults, now), self._defaults))
            and all(map(same, map(_by_name, now), self._by_name))
        )

    def key(self) -> Hashable:
        defaults = (None if d is None else tuple(map(key_of, d)) for d in self._defaults)
        return tuple(self._codes), tuple(defaults)

    def facts(self) -> Iterator[tuple[str, tuple[Any, str]]]:
        for function, code, defaults in zip(self._known.values(), self._codes, self._defaults):
            line = place(code.co_filename, code.co_firstlineno)
            yield f"{function.__qualname__}.__code__", (code, line)
            yield f"{function.__qualname__}.__defaults__", (defaults, line)
