"""One value that a compiled function depends on beside its arguments."""

from __future__ import annotations

import types
from collections.abc import Hashable
from typing import Any

from .bytecode import Name
from .contents import Contents
from .plain import identities, key_of

ABSENT = object()


class Watched:
    """One value that a trace depends on: how to get at it, and what it was."""

    __slots__ = ("attributes", "contents", "label", "line", "name", "owner", "value")

    def __init__(self, owner: Any, name: Name, label: str, value: Any) -> None:
        self.owner = owner  # a globals dict, a cell, or the object itself
        self.name = name.root if name.kind == "global" else None
        self.attributes = name.attributes
        self.label = label
        self.line = name.line
        self.value = value
        self.contents: Contents | None = None  # of a list, dict, ... that is read

    def get(self) -> Any:
        try:
            return self._after(self.attributes)
        except Exception:  # a property may raise what it likes
            return ABSENT

    def _after(self, attributes: tuple[str, ...]) -> Any:
        owner = self.owner
        if self.name is not None:
            value = owner.get(self.name, ABSENT)
        elif type(owner) is types.CellType:
            value = owner.cell_contents
        else:
            value = owner
        for attribute in attributes:
            value = getattr(value, attribute)
        return value

    def set(self, value: Any) -> bool:
        """Can it be set, and is it now?"""
        try:
            if self.attributes:
                setattr(self._after(self.attributes[:-1]), self.attributes[-1], value)
            elif self.name is not None:
                self.owner[self.name] = value
            else:
                self.owner.cell_contents = value
        except Exception:
            return False
        return True

    def key(self) -> Hashable:
        value = self.value
        if self.contents is not None:
            return self.label, self.contents.key()
        if type(value) is types.MethodType:
            return self.label, identities.number(value.__self__), value.__func__
        return self.label, key_of(value)
