"""Nested arguments and results: where their tensors are, and all else that is in them."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from ._C import Tensor
from ._errors import placed
from .plain import identities, is_plain, plain_key

# A structure is a nested tuple that says where the tensors go: ("tensor",), ("plain", value),
# ("tuple", type, parts), ("list", parts), ("dict", names, parts), ("object", value). That of a
# call's arguments is ("call", parts, names, named parts), or a number if all are tensors.


class _Plain:
    """A value in a structure; compared by its key, so that 1 and True differ."""

    __slots__ = ("key", "value")

    def __init__(self, key: Hashable, value: Any) -> None:
        self.key = key
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Plain) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return repr(self.value)


TENSOR = ("tensor",)


def flatten(value: Any, tensors: list[Tensor], path: str) -> tuple[Any, ...]:
    if isinstance(value, Tensor):
        tensors.append(value)
        return TENSOR
    if is_plain(value):
        return "plain", _Plain(plain_key(value), value)
    if isinstance(value, tuple):
        parts = tuple(flatten(v, tensors, f"{path}[{i}]") for i, v in enumerate(value))
        return "tuple", type(value), parts
    if type(value) is list:
        return "list", tuple(flatten(v, tensors, f"{path}[{i}]") for i, v in enumerate(value))
    if type(value) is dict:
        parts = tuple(flatten(v, tensors, f"{path}[{k!r}]") for k, v in value.items())
        return "dict", tuple(value), parts
    if isinstance(value, np.generic):
        return "plain", _Plain((type(value), value.tobytes()), value)
    if isinstance(value, np.ndarray):
        raise placed(
            TypeError,
            f"compile: {path} is a NumPy array, whose numbers would be frozen into the program; "
            f"pass tg.tensor(array)",
        )
    return "object", _Plain(identities.number(value), value)


def unflatten(structure: tuple[Any, ...], tensors: Any) -> Any:
    """The value again, with the next of tensors wherever one was."""
    kind = structure[0]
    if kind == "tensor":
        return next(tensors)
    if kind in ("plain", "object"):
        return structure[1].value
    if kind == "list":
        return [unflatten(part, tensors) for part in structure[1]]
    if kind == "dict":
        return {k: unflatten(part, tensors) for k, part in zip(structure[1], structure[2])}
    parts = [unflatten(part, tensors) for part in structure[2]]
    cls = structure[1]
    if cls is tuple:
        return tuple(parts)
    return cls(*parts) if hasattr(cls, "_fields") else cls(parts)


def all_tensors(args: tuple[Any, ...]) -> bool:
    for a in args:
        if type(a) is not Tensor and not isinstance(a, Tensor):
            return False
    return True


def flatten_call(args: Any, kwargs: dict[str, Any], tensors: list[Tensor]) -> Any:
    parts = tuple(flatten(a, tensors, f"argument {i}") for i, a in enumerate(args))
    named = tuple(flatten(a, tensors, f"argument {k}") for k, a in kwargs.items())
    return "call", parts, tuple(kwargs), named


def unflatten_call(structure: Any, tensors: list[Tensor]) -> tuple[list[Any], dict[str, Any]]:
    if isinstance(structure, int):
        return tensors, {}
    rest = iter(tensors)
    args = [unflatten(part, rest) for part in structure[1]]
    return args, {k: unflatten(part, rest) for k, part in zip(structure[2], structure[3])}


def _words(structure: tuple[Any, ...]) -> str:
    kind = structure[0]
    if kind == "tensor":
        return "tensor"
    if kind == "plain":
        return repr(structure[1].value)
    if kind == "object":
        return type(structure[1].value).__name__
    if kind == "list":
        return "[" + ", ".join(map(_words, structure[1])) + "]"
    if kind == "dict":
        return "{" + ", ".join(f"{k}: {_words(p)}" for k, p in zip(*structure[1:])) + "}"
    return "(" + ", ".join(map(_words, structure[2])) + ")"


def said(structure: Any) -> str:
    if isinstance(structure, int):
        return "(" + ", ".join(["tensor"] * structure) + ")"
    named = [f"{k}={_words(part)}" for k, part in zip(*structure[2:])]
    return "(" + ", ".join([*map(_words, structure[1]), *named]) + ")"


def parts_of(given: Any) -> tuple[Any, ...]:
    """The parts of a call's structure, written out."""
    return ((TENSOR,) * given, (), ()) if isinstance(given, int) else given[1:]


def check_result(structure: tuple[Any, ...]) -> None:
    """Tensors can only be found again in what we know how to take apart."""
    kind = structure[0]
    if kind == "object":
        raise placed(
            TypeError,
            f"compile: the result holds {type(structure[1].value).__name__!r}; a compiled function "
            f"returns tensors and plain values, in tuples, lists and dicts",
        )
    for part in {"list": structure[1:2], "dict": structure[2:], "tuple": structure[2:]}.get(
        kind, ()
    ):
        for inner in part:
            check_result(inner)
