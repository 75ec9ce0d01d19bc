"""Values that are compared as they are, and numbers for all others."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Hashable
from typing import Any, Callable

from . import _C

_PLAIN = (int, float, complex, bool, str, bytes, type(None), _C.dtype, _C.device, type(Ellipsis))


def is_plain(value: Any) -> bool:
    """Can it be compared by value, and never change in place?"""
    if type(value) in _PLAIN:
        return True
    return isinstance(value, (tuple, frozenset)) and all(is_plain(v) for v in value)


def plain_key(value: Any) -> Hashable:
    """Equal for equal values of equal types; 1, 1.0 and True, or 0.0 and -0.0, are not."""
    if isinstance(value, float):
        return float, value.hex()
    if isinstance(value, complex):
        return complex, value.real.hex(), value.imag.hex()
    if isinstance(value, tuple):
        return (type(value), *map(plain_key, value))
    return type(value), value


class _Identities:
    """Numbers for objects, the same number only ever for the same object."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[Callable[[], Any], int]] = {}
        self.next = 0

    def number(self, thing: Any) -> int:
        entry = self.known.get(id(thing))
        if entry is not None and entry[0]() is thing:
            return entry[1]
        try:
            reference: Callable[[], Any] = weakref.ref(thing)
        except TypeError:
            reference = functools.partial(lambda kept: kept, thing)
        self.next += 1
        self.known[id(thing)] = (reference, self.next)
        return self.next


identities = _Identities()


def key_of(value: Any) -> Hashable:
    """Of what is plain its value, of all else which object it is."""
    return plain_key(value) if is_plain(value) else identities.number(value)
