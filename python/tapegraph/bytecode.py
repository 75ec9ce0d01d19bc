"""The chains of names that a function's bytecode loads, as `lr` or `self.hidden.scale`."""

from __future__ import annotations

import dis
import functools
import types
from collections.abc import Iterator
from typing import Any, NamedTuple

from ._lines import INSTALLED, OURS, PYTHONS, place

no_code = functools.lru_cache.__code__  # a library's: stands for no code of a user's


def is_user_file(file: str) -> bool:
    return not file.startswith((OURS, *PYTHONS, *INSTALLED, "<frozen"))


def is_user_code(code: types.CodeType) -> bool:
    return is_user_file(code.co_filename)


class Name(NamedTuple):
    """A chain of names in some code, as `lr` or `self.hidden.scale`, and the line that has it."""

    kind: str  # "global", "cell", "local", "import", or "value": attributes of some expression
    root: str
    attributes: tuple[str, ...] = ()
    file: str = ""
    number: int = 0
    is_set: bool = False  # only written: name[key] = value, or name[key] += value

    @property
    def line(self) -> str:
        return place(self.file, self.number) if self.file else ""


def _root(op: str, arg: Any, closure: frozenset[str]) -> tuple[str, str] | None:
    """What an instruction puts on the stack, if that is a name's value."""
    name = arg[-1] if isinstance(arg, tuple) and arg else arg  # a constant may be ()
    if op in ("LOAD_GLOBAL", "LOAD_NAME"):
        return "global", name
    if op in ("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"):
        return ("cell" if name in closure else "local"), name
    if "LOAD_FAST" in op:
        return "local", name
    return None


def _assigned(instructions: list[dis.Instruction]) -> set[str]:
    """The locals that are not, or not always, what came in as a parameter."""
    found = set()
    for i in instructions:
        if i.opname.startswith(("STORE_FAST", "STORE_DEREF")):
            found.update(i.argval if isinstance(i.argval, tuple) else (i.argval,))
    return found


# What `x.a += 1` and `x[0] += 1` do to x before they read: it is needed again for the write.
_KEPT_FOR_WRITING = ("COPY", "DUP_TOP", "DUP_TOP_TWO")


def _is_set(rest: list[dis.Instruction]) -> bool:
    """Do these instructions, after `name`, make it `name[key] = ..` or `name[key] += ..`?"""
    after = ("STORE_SUBSCR", *_KEPT_FOR_WRITING)
    return len(rest) > 1 and rest[0].opname.startswith("LOAD_") and rest[1].opname in after


def _loads(code: types.CodeType, closure: frozenset[str]) -> Iterator[Name]:
    file, line, at = code.co_filename, code.co_firstlineno, 0
    instructions = [i for i in dis.get_instructions(code) if i.opname != "EXTENDED_ARG"]
    assigned = _assigned(instructions)
    current: tuple[str, str] | None = None
    attributes: list[str] = []
    module = ""
    for k, instruction in enumerate(instructions):
        starts = getattr(instruction, "line_number", None) or instruction.starts_line
        if type(starts) is int:
            line = starts
        op, arg = instruction.opname, instruction.argval
        if op in ("LOAD_ATTR", "LOAD_METHOD"):
            if current is None and instructions[k - 1].opname in _KEPT_FOR_WRITING:
                continue
            if current is None:
                current, at = ("value", ""), line
            attributes.append(arg)
            continue
        if current is not None:
            chain = tuple(attributes)
            yield Name(*current, chain, file, at, _is_set(instructions[k : k + 2]))
            if chain and current[0] == "local" and current[1] in assigned:
                yield Name("value", "", chain, file, at)
        if op in ("IMPORT_NAME", "IMPORT_FROM"):
            module = arg if op == "IMPORT_NAME" else module
            yield Name("import", module, () if op == "IMPORT_NAME" else (arg,), file, line)
        current, attributes, at = _root(op, arg, closure), [], line


def _codes(code: types.CodeType) -> Iterator[tuple[types.CodeType, frozenset[str]]]:
    """The code and that of the functions defined in it, with what each finds in the closure."""
    todo = [(code, frozenset(code.co_freevars))]
    while todo:
        here, closure = todo.pop()
        yield here, closure
        for constant in here.co_consts:
            if isinstance(constant, types.CodeType):
                todo.append((constant, closure & frozenset(constant.co_freevars)))


@functools.cache
def names_in(code: types.CodeType) -> tuple[Name, ...]:
    """The chains of names that code and the functions defined in it load."""
    return tuple(name for here, closure in _codes(code) for name in _loads(here, closure))


@functools.cache
def words_in(code: types.CodeType) -> frozenset[str]:
    """The strings in code that may be names: what getattr and globals() are asked for."""
    todo = [constant for here, _ in _codes(code) for constant in here.co_consts]
    found = set()
    while todo:
        constant = todo.pop()
        if isinstance(constant, str) and constant.isidentifier():
            found.add(constant)
        elif isinstance(constant, (tuple, frozenset)):
            todo.extend(constant)
    return frozenset(found)
