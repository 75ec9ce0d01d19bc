"""What of an object a compiled function may read: a user's class, and not a library's."""

from __future__ import annotations

import sys
import types
from typing import Any

from .bytecode import is_user_file
from .plain import is_plain


def _is_users(cls: type) -> bool:
    name = cls.__module__
    if name in sys.builtin_module_names or name not in sys.modules:
        return False
    return is_user_file(getattr(sys.modules[name], "__file__", None) or "")


def is_open(value: Any) -> bool:
    """Can its attributes be read by name, as those of a user's class or of a namespace?"""
    if isinstance(value, types.ModuleType):
        return is_user_file(getattr(value, "__file__", None) or "<frozen")
    return isinstance(value, types.SimpleNamespace) or any(map(_is_users, type(value).__mro__))


def own_names(value: Any) -> frozenset[str]:
    """The attributes of an object that it has itself, or from a user's class."""
    own = frozenset(getattr(value, "__dict__", ()))
    return own.union(*(vars(cls) for cls in type(value).__mro__ if _is_users(cls)))


def special_methods(cls: type) -> tuple[types.FunctionType, ...]:
    """__add__, __getitem__ and so on of a user's class, which no name in the code calls."""
    return tuple(
        function
        for owner in cls.__mro__
        if _is_users(owner)
        for name, function in vars(owner).items()
        if name.startswith("__") and isinstance(function, types.FunctionType)
        if name not in ("__init__", "__repr__", "__del__")
        if function.__code__.co_filename != "<string>"  # a dataclass's, which reads every field
    )


def defaults_of(function: types.FunctionType) -> dict[str, Any]:
    """The parameters that have a default which is no plain value."""
    code, defaults = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    all_of = {**dict(zip(names[len(names) - len(defaults) :], defaults)),
              **(function.__kwdefaults__ or {})}  # fmt: skip
    return {name: value for name, value in all_of.items() if not is_plain(value)}


def imported(name: str, function: types.FunctionType) -> types.ModuleType | None:
    package = function.__globals__.get("__package__")
    return sys.modules.get(name) or sys.modules.get(f"{package}.{name}")
