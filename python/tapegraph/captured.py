"""What a function's code takes from outside of its arguments, found in its bytecode.

A compiled function is traced once, so a global number, a flag on `self` or a module's training mode
would be frozen into the program. Here the names that the bytecode loads are followed to their
values; compiled.py looks at these values before each call, and traces again if one has changed.
"""

from __future__ import annotations

import builtins
import functools
import types
from collections.abc import Hashable
from typing import Any, Callable

from . import _C
from .bytecode import Name, is_user_code, names_in, no_code
from .nn.module import Module
from .optim.optimizer import Optimizer
from .plain import identities, is_plain, plain_key

_ABSENT = object()


class Watched:
    """One value that a trace depends on: how to get at it, and what it was."""

    __slots__ = ("attributes", "label", "line", "name", "owner", "value")

    def __init__(self, owner: Any, name: Name, label: str, value: Any) -> None:
        self.owner = owner  # a globals dict, a cell, or the object itself
        self.name = name.root if name.kind == "global" else None
        self.attributes = name.attributes
        self.label = label
        self.line = name.line
        self.value = value

    def get(self) -> Any:
        owner = self.owner
        if self.name is not None:
            value = owner.get(self.name, _ABSENT)
        elif type(owner) is types.CellType:
            try:
                value = owner.cell_contents
            except ValueError:
                return _ABSENT
        else:
            value = owner
        for attribute in self.attributes:
            try:
                value = getattr(value, attribute)
            except Exception:  # a property may raise what it likes
                return _ABSENT
        return value

    def key(self) -> Hashable:
        value = self.value
        if is_plain(value):
            return self.label, plain_key(value)
        if type(value) is types.MethodType:
            return self.label, identities.number(value.__self__), value.__func__
        return self.label, identities.number(value)


class Captured:
    """All that a function depends on beside its arguments."""

    def __init__(self, function: Callable[..., Any], objects: dict[str, Any]) -> None:
        self.watched: list[Watched] = []
        self.modules: list[tuple[str, Module]] = []
        self.optimizers: list[tuple[str, Optimizer]] = []
        self.unchecked: list[str] = []
        self._seen: set[tuple[Any, ...]] = set()
        self._labels: set[tuple[int, str]] = set()
        self._todo: list[tuple[Any, dict[str, Any]]] = []
        for label, value in objects.items():
            self._object(label, value)
        self._function(function, objects)
        while self._todo:
            self._names(*self._todo.pop())

    def key(self) -> Hashable:
        return (
            tuple(w.key() for w in self.watched),
            tuple(_module_key(module) for _, module in self.modules),
            tuple(optimizer.trace_key() for _, optimizer in self.optimizers),
        )

    def facts(self) -> dict[str, tuple[Any, str]]:
        """label -> (value, line), to tell what has changed between two calls."""
        facts = {w.label: (w.value, w.line) for w in self.watched}
        for label, module in self.modules:
            for path, part in module.named_modules():
                facts[f"{label}.{path}.training" if path else f"{label}.training"] = (
                    part.training,
                    "",
                )
                for name in type(part).__constants__:
                    value = getattr(part, name, _ABSENT)
                    facts[f"{label}.{path}.{name}" if path else f"{label}.{name}"] = (value, "")
        for label, optimizer in self.optimizers:
            for i, group in enumerate(optimizer.param_groups):
                for name, value in group.items():
                    if name != "params" and name not in group.tensors:
                        facts[f"{label}.param_groups[{i}][{name!r}]"] = (value, "")
        return facts

    # ---- following names --------------------------------------------------------------------

    def _function(self, function: Any, local: dict[str, Any]) -> None:
        """Follows what may be called: a function, a method, a module, a partial."""
        if isinstance(function, functools.partial):
            self._partial(function)
        elif isinstance(function, Module):
            self._object(type(function).__name__, function)
        elif isinstance(function, types.MethodType):
            names = function.__func__.__code__.co_varnames if hasattr(
                function.__func__, "__code__") else ()  # fmt: skip
            self._function(function.__func__, {names[0]: function.__self__} if names else {})
        elif isinstance(function, types.FunctionType):
            inner = getattr(function, "__wrapped__", None)
            if inner is not None:
                self._function(inner, local)
            if is_user_code(function.__code__):
                key = (function.__code__, id(function.__closure__), *map(id, local.values()))
                if key not in self._seen:
                    self._seen.add(key)
                    self._todo.append((function, local))
        elif not isinstance(function, type):
            call = getattr(type(function), "__call__", None)  # noqa: B004
            if is_user_code(getattr(call, "__code__", no_code)):
                self._function(types.MethodType(call, function), {})

    def _partial(self, function: functools.partial[Any]) -> None:
        """What is bound already is as fixed as a global: its values, and objects by their names."""
        inner = function.func
        names = getattr(inner, "__code__", no_code).co_varnames
        local = {**dict(zip(names, function.args)), **function.keywords}
        for name, value in local.items():
            if is_plain(value):
                self.watched.append(Watched(value, Name("local", name, (), ""), name, value))
        self._function(inner, {k: v for k, v in local.items() if not is_plain(v)})

    def _names(self, function: types.FunctionType, local: dict[str, Any]) -> None:
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or ()))
        for name in names_in(function.__code__):
            owner: Any
            if name.kind == "global":
                owner = function.__globals__
                if name.root not in owner:
                    if hasattr(builtins, name.root):
                        continue
                    owner = function.__globals__
            elif name.kind == "cell" and name.root in cells:
                owner = cells[name.root]
            elif name.root in local:
                owner = local[name.root]
            else:
                continue
            self._follow(owner, name)

    def _follow(self, owner: Any, name: Name) -> None:
        """Watches the value at the end of a chain, or where the chain leaves what we can read."""
        kept: list[str] = []
        called = False
        watched = Watched(owner, Name(name.kind, name.root, (), name.line), "", None)
        value = watched.get()
        for attribute in name.attributes:
            if isinstance(value, _C.Tensor) or is_plain(value) or value is _ABSENT:
                break
            try:
                found = getattr(value, attribute)
            except Exception:
                found = _ABSENT
            if isinstance(value, type) and not (is_plain(found) or isinstance(found, _C.Tensor)):
                break
            if found is _ABSENT and not isinstance(value, types.ModuleType):
                break
            if _is_method_of(found, value):
                # Every look makes a new method object; its owner is what stays.
                self._function(found, {})
                called = not isinstance(value, (list, dict, set))
                break
            kept.append(attribute)
            value = found
        where = {"global": "global ", "cell": "closure variable ", "local": ""}[name.kind]
        label = where + ".".join([name.root, *kept])
        if name.kind == "local" and not kept:
            return
        if (id(owner), label) in self._labels:
            return
        self._labels.add((id(owner), label))
        full = Name(name.kind, name.root, tuple(kept), name.line)
        self._value(label, value, Watched(owner, full, label, value), called)

    def _value(self, label: str, value: Any, watched: Watched, called: bool) -> None:
        """Decides what the value is watched for; `called`: only a method of it is used."""
        if value is _ABSENT or is_plain(value):
            self.watched.append(watched)
        elif isinstance(value, (_C.Tensor, types.FunctionType, types.MethodType)):
            self.watched.append(watched)
            self._function(value, {})
        elif isinstance(value, (Module, Optimizer, functools.partial)):
            self.watched.append(watched)
            self._object(label, value)
            self._function(value, {})
        elif hasattr(value, "__wrapped_function__"):
            self.watched.append(watched)
            self._function(value.__wrapped_function__, {})
        elif isinstance(value, (types.ModuleType, type, types.BuiltinFunctionType)):
            if not isinstance(value, types.ModuleType):
                self.watched.append(watched)
        elif str(type(value).__module__).startswith("tapegraph"):
            self.watched.append(watched)
        elif called:
            self.watched.append(watched)
        else:
            if not watched.attributes:  # a property may make a new object each time
                self.watched.append(watched)
            self.unchecked.append(f"{label} ({watched.line}): {_why_not(value)}")

    def _object(self, label: str, value: Any) -> None:
        """A module or optimiser: its structure is watched, and its own code followed."""
        if isinstance(value, Module):
            if any(part is value for _, module in self.modules for part in module.modules()):
                return
            self.modules.append((label.replace("global ", ""), value))
            for part in value.modules():
                forward = type(part).forward
                if isinstance(forward, types.FunctionType):
                    first = forward.__code__.co_varnames[:1]
                    self._function(forward, dict.fromkeys(first, part))
                for hook in (*part._forward_pre_hooks.values(), *part._forward_hooks.values()):
                    self._function(hook.call, {})
                for name in type(part).__constants__:
                    self._function(getattr(part, name, None), {})
        elif isinstance(value, Optimizer):
            if not any(optimizer is value for _, optimizer in self.optimizers):
                self.optimizers.append((label.replace("global ", ""), value))


def _is_method_of(found: Any, value: Any) -> bool:
    methods = (types.MethodType, types.BuiltinMethodType)
    own = isinstance(found, methods) and found.__self__ is value
    return own and not isinstance(value, types.ModuleType)


def _why_not(value: Any) -> str:
    kind = type(value).__name__
    if isinstance(value, (list, dict, set, bytearray)):
        return f"what is in a {kind} may change without notice"
    return f"an object of {kind} may change without notice"


def _module_key(module: Module) -> Hashable:
    """The flags, the constants, the hooks and the very parameters of a module and all below it."""
    number = identities.number

    def constant(value: Any) -> Hashable:
        return plain_key(value) if is_plain(value) else number(value)

    return tuple(
        (
            path,
            number(part),
            part.training,
            tuple(constant(getattr(part, n, _ABSENT)) for n in type(part).__constants__),
            tuple(number(hook) for hook in part._forward_pre_hooks.values()),
            tuple(number(hook) for hook in part._forward_hooks.values()),
            tuple((n, None if p is None else number(p)) for n, p in part._parameters.items()),
            tuple((n, None if b is None else number(b)) for n, b in part._buffers.items()),
        )
        for path, part in module.named_modules()
    )
