"""The chains of names that a function's bytecode loads, as `lr` or `self.hidden.scale`."""

from __future__ import annotations

import dis
import functools
import os
import sysconfig
import types
from collections.abc import Iterator

from ._lines import place

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_LIBRARIES = tuple(
    os.path.abspath(sysconfig.get_paths()[k]) + os.sep for k in ("stdlib", "platstdlib", "purelib")
)

no_code = functools.lru_cache.__code__  # a library's: stands for no code of a user's


def is_user_code(code: types.CodeType) -> bool:
    file = code.co_filename
    return not file.startswith((_PACKAGE, *_LIBRARIES)) and not file.startswith("<frozen")


class Name:
    """A chain of names in some code, as `lr` or `self.hidden.scale`, and the line that has it."""

    __slots__ = ("attributes", "kind", "line", "root")

    def __init__(self, kind: str, root: str, attributes: tuple[str, ...], line: str) -> None:
        self.kind = kind  # "global", "cell" or "local"
        self.root = root
        self.attributes = attributes
        self.line = line


def _loads(code: types.CodeType, closure: frozenset[str]) -> Iterator[Name]:
    line = code.co_firstlineno
    current: tuple[str, str] | None = None
    attributes: list[str] = []
    at = line
    for instruction in dis.get_instructions(code):
        starts = getattr(instruction, "line_number", None) or instruction.starts_line
        if type(starts) is int:
            line = starts
        op, arg = instruction.opname, instruction.argval
        if op in ("LOAD_ATTR", "LOAD_METHOD") and current is not None:
            attributes.append(arg)
            continue
        if current is not None:
            yield Name(*current, tuple(attributes), place(code.co_filename, at))
        current, attributes, at = None, [], line
        if op in ("LOAD_GLOBAL", "LOAD_NAME"):
            current = ("global", arg)
        elif op in ("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"):
            current = ("cell" if arg in closure else "local", arg)
        elif op.startswith("LOAD_FAST"):
            current = ("local", arg[-1] if isinstance(arg, tuple) else arg)
    if current is not None:
        yield Name(*current, tuple(attributes), place(code.co_filename, at))


@functools.cache
def names_in(code: types.CodeType) -> tuple[Name, ...]:
    """The chains of names that code and the functions defined in it load."""
    found: list[Name] = []
    todo = [(code, frozenset(code.co_freevars))]
    while todo:
        here, closure = todo.pop()
        found.extend(_loads(here, closure))
        for constant in here.co_consts:
            if isinstance(constant, types.CodeType):
                todo.append((constant, closure & frozenset(constant.co_freevars)))
    return tuple(found)
