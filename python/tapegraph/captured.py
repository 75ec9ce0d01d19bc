"""What a function's code takes from outside of its arguments, found in its bytecode.

A compiled function is traced once, so a global number, a flag on `self` or a module's training mode
would be frozen into the program. Here the names that the bytecode loads are followed to their
values; compiled.py looks at these values before each call, and traces again if one has changed.

What a local name stands for is not known, but for the parameters. So `k.lr` of an unknown k is
watched on each object that the function is given or names, where it has an lr.
"""

from __future__ import annotations

import builtins
import functools
import types
from collections.abc import Hashable, Iterable
from typing import Any, Callable

import numpy as np

from . import _C
from .autograd.function import Function
from .bytecode import Name, is_user_code, names_in, no_code, words_in
from .contents import LIMIT, WRITERS, Contents, is_container
from .frozen import frozen_call
from .functions import Functions
from .nn.module import Module
from .objects import defaults_of, imported, is_open, own_names, special_methods
from .optim.optimizer import Optimizer
from .plain import identities, is_plain, key_of
from .watched import ABSENT, Watched

_OP = type(_C.matmul)  # tg.matmul, tg.zeros, nn.functional.cross_entropy, ...


class Captured:
    """All that a function depends on beside its arguments."""

    def __init__(
        self,
        function: Callable[..., Any],
        objects: dict[str, Any],
        hooks: Iterable[Callable[..., Any]] = (),
    ) -> None:
        self.watched: list[Watched] = []
        self.containers: list[Watched] = []
        self.modules: list[tuple[str, Module]] = []
        self.optimizers: list[tuple[str, Optimizer]] = []
        self.unchecked: list[str] = []
        self.frozen: dict[tuple[str, int, str], str] = {}  # file, line and call -> what is kept
        self._functions = Functions()  # whose code has been followed
        self._seen: set[tuple[Any, ...]] = set()
        self._labels: set[tuple[int, str, bool]] = set()
        self._todo: list[tuple[Any, dict[str, Any]]] = []
        self._objects: dict[int, tuple[str, Any, frozenset[str]]] = {}
        self._loose: dict[tuple[str, ...], Name] = {}
        for label, value in objects.items():
            self._reached(label, value)
        self._function(function, objects)
        for hook in hooks:  # on gradients: their code runs in a trace too
            self._function(hook, {})
        while self._todo:
            self._names(*self._todo.pop())
        self._objects.clear()

    def key(self) -> Hashable:
        return (
            tuple(w.key() for w in (*self.watched, *self.containers)),
            self._functions.key(),
            tuple(_module_key(module) for _, module in self.modules),
            tuple(optimizer.trace_key() for _, optimizer in self.optimizers),
        )

    def has_changed(self) -> bool:
        """Is any value not the very object that it was? Asked before each call."""
        for watched in self.watched:
            if watched.get() is not watched.value:
                return True
        for watched in self.containers:
            if not (watched.contents and watched.contents.same(watched.get())):
                return True
        return self._functions.have_changed()

    def take_back(self) -> list[str]:
        """Puts back what a trace has set to one of its symbols; says what that was."""
        said = []
        for w in (*self.watched, *self.containers):
            now = w.get()
            if now is not w.value and _C._is_symbolic(now) and w.set(w.value):
                said.append(f"{w.label} ({w.line})")
        return said

    def facts(self) -> dict[str, tuple[Any, str]]:
        """label -> (value, line), to tell what has changed between two calls."""
        facts = {w.label: (w.value, w.line) for w in self.watched}
        facts.update(self._functions.facts())
        for w in self.containers:
            if w.contents:
                facts.update((label, (v, w.line)) for label, v in w.contents.leaves(w.label))
        for label, module in self.modules:
            for path, part in module.named_modules():
                at = f"{label}.{path}" if path else label
                for name in ("training", *type(part).__constants__):
                    facts[f"{at}.{name}"] = (getattr(part, name, ABSENT), "")
        for label, optimizer in self.optimizers:
            for i, group in enumerate(optimizer.param_groups):
                for name, value in group.items():
                    if name != "params" and name not in group.tensors:
                        facts[f"{label}.param_groups[{i}][{name!r}]"] = (value, "")
        return facts

    # ---- following code ---------------------------------------------------------------------

    def _function(self, function: Any, local: dict[str, Any]) -> None:
        """Follows what may be called: a function, a method, a module, a partial."""
        if isinstance(function, functools.partial):
            self._partial(function)
        elif isinstance(function, Module):
            self._reached(type(function).__name__, function)
        elif isinstance(function, types.MethodType):
            names = getattr(function.__func__, "__code__", no_code).co_varnames
            self._function(function.__func__, {names[0]: function.__self__} if names else {})
        elif isinstance(function, types.FunctionType):
            inner = getattr(function, "__wrapped__", None)
            if inner is not None:
                self._function(inner, local)
            if is_user_code(function.__code__):
                self._note(function)
                key = (function.__code__, id(function.__closure__), *map(id, local.values()))
                if key not in self._seen:
                    self._seen.add(key)
                    self._todo.append((function, {**defaults_of(function), **local}))
        elif not isinstance(function, type):
            call = getattr(type(function), "__call__", None)  # noqa: B004
            if is_user_code(getattr(call, "__code__", no_code)):
                self._method(function, "__call__", Name("local", type(function).__name__))
                self._function(types.MethodType(call, function), {})

    def _note(self, function: types.FunctionType) -> None:
        """Its code may be replaced, and so may the defaults: as a whole, or one of them by name."""
        if not self._functions.add(function) or function.__kwdefaults__ is None:
            return
        label = f"{function.__qualname__}.__kwdefaults__"
        here = Name("local", label, ("__kwdefaults__",), function.__code__.co_filename,
                    function.__code__.co_firstlineno)  # fmt: skip
        self._container(label, Watched(function, here, label, function.__kwdefaults__))

    def _partial(self, function: functools.partial[Any]) -> None:
        """What is bound already is as fixed as a global: its values, and objects by their names."""
        inner = function.func
        names = getattr(inner, "__code__", no_code).co_varnames
        local = {**dict(zip(names, function.args)), **function.keywords}
        for name, value in local.items():
            if is_plain(value):
                self.watched.append(Watched(value, Name("local", name), name, value))
            else:
                self._reached(name, value)
        self._function(inner, {k: v for k, v in local.items() if not is_plain(v)})

    def _names(self, function: types.FunctionType, local: dict[str, Any]) -> None:
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or ()))
        for name in names_in(function.__code__):
            if name.kind == "import":
                module = imported(name.root, function)
                if module is not None:
                    self._follow(module, name)
            elif name.kind == "cell" and name.root in cells:
                self._follow(cells[name.root], name)
            elif name.kind == "global":
                if name.root in function.__globals__ or not hasattr(builtins, name.root):
                    self._follow(function.__globals__, name)
                else:
                    self._builtin(function, name)
            elif name.root in local:
                self._follow(local[name.root], name)
            elif name.attributes:
                self._loosen(name)

    def _builtin(self, function: types.FunctionType, name: Name) -> None:
        """getattr, globals and their like: the names that they are asked for stand in the code."""
        if name.root in ("getattr", "hasattr", "vars"):
            for word in words_in(function.__code__):
                self._loosen(name._replace(attributes=(word,)))
        elif name.root in ("globals", "eval", "exec"):
            for word in words_in(function.__code__):
                if word in function.__globals__:
                    self._follow(function.__globals__, name._replace(root=word, attributes=()))
            self.unchecked.append(
                f"{name.root}() ({name.line}): what it finds by a name made at run time"
            )

    # ---- following names --------------------------------------------------------------------

    def _follow(self, owner: Any, name: Name) -> None:
        """Watches the value at the end of a chain, or where the chain leaves what we can read."""
        kept: list[str] = []
        method = ""  # of the value: all that is used of it
        watched = Watched(owner, name._replace(attributes=()), "", None)
        value = watched.get()
        self._call(value, name, name.root)
        for attribute in name.attributes:
            if isinstance(value, _C.Tensor) or is_plain(value) or value is ABSENT:
                break
            try:
                found = getattr(value, attribute)
            except Exception:
                found = ABSENT
            self._call(found, name, ".".join([name.root, *kept, attribute]))
            if isinstance(value, type) and not (is_plain(found) or isinstance(found, _C.Tensor)
                                                or is_container(found)):  # fmt: skip
                break
            if found is ABSENT and not isinstance(value, types.ModuleType):
                break
            if _is_method_of(found, value):
                # Every look makes a new method object; its owner is what stays.
                self._method(value, attribute, name)
                self._function(found, {})
                method = attribute
                break
            kept.append(attribute)
            value = found
        where = {"global": "global ", "cell": "closure variable "}.get(name.kind, "")
        label = where + ".".join([name.root, *kept])
        if name.kind == "local" and not kept and not is_container(value):
            return
        read = not (is_container(value) and (name.is_set or method in WRITERS))
        if (id(owner), label, read) in self._labels:
            return
        self._labels.add((id(owner), label, read))
        here = Watched(owner, name._replace(attributes=tuple(kept)), label, value)
        self._value(label, value, here, bool(method), read)

    def _method(self, value: Any, attribute: str, name: Name) -> None:
        """A method of a user's class may be replaced by another."""
        cls = type(value)
        function = getattr(cls, attribute, None)
        label = f"{cls.__qualname__}.{attribute}"
        if not isinstance(function, types.FunctionType) or not is_user_code(function.__code__):
            return
        if (id(cls), label, True) not in self._labels:
            self._labels.add((id(cls), label, True))
            here = name._replace(kind="local", attributes=(attribute,))
            self.watched.append(Watched(cls, here, label, function))

    def _value(self, label: str, value: Any, watched: Watched, called: bool, read: bool) -> None:
        """Decides what the value is watched for; `called`: only a method of it is used."""
        if is_container(value):
            if read:
                self._container(label, watched)
            elif not watched.attributes:
                self.watched.append(watched)
            return
        self._reached(label, value)
        if isinstance(value, types.ModuleType):
            return
        # A property may make a new object each time.
        if value is ABSENT or is_plain(value) or called or _lasts(value) or not watched.attributes:
            self.watched.append(watched)
        if hasattr(value, "__wrapped_function__"):
            self._function(value.__wrapped_function__, {})
        if not (called or _lasts(value) or is_plain(value) or value is ABSENT or is_open(value)):
            kind = type(value).__name__
            self.unchecked.append(
                f"{label} ({watched.line}): an object of {kind} may change without notice"
            )

    def _container(self, label: str, watched: Watched) -> None:
        """A list, dict, ...: its elements are compared, and objects in it looked into."""
        watched.contents = contents = Contents(watched.value)
        self.containers.append(watched)
        if contents.skipped:
            self.unchecked.append(
                f"{label} ({watched.line}): {contents.skipped} elements beyond the {LIMIT} that "
                f"are checked"
            )
        for at, element in contents.leaves(label):
            self._reached(at.replace("global ", ""), element)

    def _reached(self, label: str, value: Any) -> None:
        """Something that the function can get at: its own code, and its attributes, count."""
        if isinstance(value, type) and issubclass(value, Function):
            for method in (value.forward, value.setup_context, value.backward):
                self._function(method, {})
        if is_plain(value) or value is ABSENT or isinstance(value, (_C.Tensor, type)):
            return
        if isinstance(value, Module):
            self._module(label, value)
        elif isinstance(value, Optimizer):
            if not any(optimizer is value for _, optimizer in self.optimizers):
                self.optimizers.append((label.replace("global ", ""), value))
        elif isinstance(value, (types.FunctionType, types.MethodType, functools.partial)):
            self._function(value, {})
        else:
            self._function(value, {})
            self._object(label, value)

    def _module(self, label: str, value: Module) -> None:
        """A module: its structure is watched, and its own code followed."""
        if any(part is value for _, module in self.modules for part in module.modules()):
            return
        self.modules.append((label.replace("global ", ""), value))
        for path, part in value.named_modules():
            self._object(f"{label}.{path}" if path else label, part)
            forward = type(part).forward
            if isinstance(forward, types.FunctionType):
                self._method(part, "forward", Name("local", path))
                first = forward.__code__.co_varnames[:1]
                self._function(forward, dict.fromkeys(first, part))
            for hook in (*part._forward_pre_hooks.values(), *part._forward_hooks.values()):
                self._function(hook.call, {})
            for hook in (*part._backward_pre_hooks.values(), *part._backward_hooks.values()):
                self._function(hook, {})
            for name in type(part).__constants__:
                self._function(getattr(part, name, None), {})

    # ---- attributes of unknown objects ------------------------------------------------------

    def _object(self, label: str, value: Any) -> None:
        """An object that some unknown name may stand for."""
        if id(value) in self._objects or not is_open(value):
            return
        names = own_names(value)
        self._objects[id(value)] = (label, value, names)
        for name in list(self._loose.values()):
            if name.attributes[0] in names:
                self._attribute(label, value, name)
        for special in special_methods(type(value)):
            self._function(types.MethodType(special, value), {})

    def _loosen(self, name: Name) -> None:
        """The attributes of an unknown value: of its attribute too, for that may be unknown."""
        for k in range(len(name.attributes)):
            rest = name._replace(attributes=name.attributes[k:])
            if rest.attributes in self._loose:
                continue
            self._loose[rest.attributes] = rest
            for label, value, names in list(self._objects.values()):
                if rest.attributes[0] in names:
                    self._attribute(label, value, rest)

    def _attribute(self, label: str, value: Any, name: Name) -> None:
        found = getattr(type(value), name.attributes[0], None)
        if isinstance(found, property):  # it is not called here: perhaps nobody else does
            if found.fget is not None:
                self._function(types.MethodType(found.fget, value), {})
            return
        self._follow(value, name._replace(kind="local", root=label.replace("global ", "")))

    def _call(self, found: Any, name: Name, label: str) -> None:
        kept = frozen_call(found)
        if kept:
            self.frozen[name.file, name.number, label] = kept


def _is_method_of(found: Any, value: Any) -> bool:
    methods = (types.MethodType, types.BuiltinMethodType)
    own = isinstance(found, methods) and found.__self__ is value
    return own and not isinstance(value, types.ModuleType)


def _lasts(value: Any) -> bool:
    """Is it the same object at each look, and is what it stands for followed or fixed?"""
    kinds = (_C.Tensor, types.FunctionType, types.MethodType, types.BuiltinFunctionType, type,
             Module, Optimizer, functools.partial, np.generic, _OP)  # fmt: skip
    return (
        isinstance(value, kinds)
        or hasattr(value, "__wrapped_function__")
        or str(type(value).__module__).startswith("tapegraph")
    )


def _module_key(module: Module) -> Hashable:
    """The flags, the constants, the hooks and the very parameters of a module and all below it."""
    number = identities.number

    return tuple(
        (
            path,
            number(part),
            part.training,
            tuple(key_of(getattr(part, n, ABSENT)) for n in type(part).__constants__),
            tuple(number(hook) for hook in part._forward_pre_hooks.values()),
            tuple(number(hook) for hook in part._forward_hooks.values()),
            tuple(number(hook) for hook in part._backward_pre_hooks.values()),
            tuple(number(hook) for hook in part._backward_hooks.values()),
            tuple((n, None if p is None else number(p)) for n, p in part._parameters.items()),
            tuple((n, None if b is None else number(b)) for n, b in part._buffers.items()),
        )
        for path, part in module.named_modules()
    )
