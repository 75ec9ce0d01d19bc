"""tg.compile: traces a function once for each kind of call, and runs the program from then on."""

from __future__ import annotations

import contextlib
import functools
import itertools
import types
import warnings
import weakref
from collections.abc import Hashable, Iterator
from typing import Any, Callable, NamedTuple

from . import _C
from ._C import Program, Tensor
from ._errors import placed
from ._lines import place
from .bytecode import no_code
from .captured import Captured
from .frozen import Drawn
from .nn.changes import Changes
from .nn.module import Module
from .plain import is_plain, plain_key
from .structure import (
    TENSOR,
    all_tensors,
    check_result,
    flatten,
    flatten_call,
    parts_of,
    said,
    unflatten,
    unflatten_call,
)


class _Key(NamedTuple):
    """All of a call's key that is not in the tensors, and the facts to explain it with."""

    extra: int
    why: str
    structure: Hashable


def _tracer(compiled: Callable[[], Compiled | None]) -> Callable[..., Any]:
    """What the core calls to trace; it refers to the compiled function only weakly."""

    def trace(symbols: list[Tensor], given: Any) -> tuple[list[Tensor], tuple[Any, ...]]:
        target = compiled()
        assert target is not None
        args, kwargs = unflatten_call(given, symbols)
        results: list[Tensor] = []
        with target._watching_draws(), target._noting_hooks(), target._keeping_symbols():
            result = target.__wrapped_function__(*args, **kwargs)
        returned = flatten(result, results, "the result")
        check_result(returned)
        after: list[Tensor] = []
        if flatten_call(args, kwargs, after)[1:] != parts_of(given) or [*map(id, after)] != [
            *map(id, symbols)
        ]:
            raise placed(
                TypeError,
                f"compile: {target._name} changes a list or dict among its arguments, which only "
                f"happens while it is traced; return what it adds instead",
            )
        return results, returned

    return trace


# ---- the compiled function ----------------------------------------------------------------------


class Compiled:
    """What tg.compile makes of a function: call it as the function.

    Tensors may stand in tuples, lists and dicts, in arguments and results alike. A call is traced
    anew if a shape, dtype, device, plain argument, or a captured value that the code reads is new;
    explain() says which. Random numbers and times of Python's are drawn once, with a warning.
    """

    def __init__(self, function: Callable[..., Any], executor: str) -> None:
        self.__wrapped_function__ = function
        name = getattr(function, "__name__", None) or type(function).__name__
        self._name = name.replace("<locals>.", "")
        self._program = _C._compiled(self._name, _tracer(weakref.ref(self)), executor)
        self._captured: Captured | None = None
        self._changes = -1
        self._known: dict[Hashable, int] = {}
        self._numbers = itertools.count()  # never the same twice: a trace may be under way
        self._last: _Key | None = None
        self._facts: dict[str, tuple[Any, str]] = {}
        self._warned: set[Any] = set()
        self._hooks: dict[int, Callable[..., Any]] = {}  # on gradients, that have run in a trace
        self._hooks_are_new = False
        if not isinstance(function, Module):
            functools.update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        tensors: Any = args
        structure: Any = len(args)
        if kwargs or not all_tensors(args):
            tensors = []
            structure = flatten_call(args, kwargs, tensors)
        key = self._last
        if key is None or key.structure != structure or self._has_changed():
            key = self._new_key(structure, args, kwargs)
        results, returned = self._program.call(tensors, key.extra, key.why, structure)
        if self._hooks_are_new:
            self._follow_hooks(key, args, kwargs)
        return results[0] if returned is TENSOR else unflatten(returned, iter(results))

    # ---- the key ----------------------------------------------------------------------------

    def _has_changed(self) -> bool:
        """Is anything captured not the very object that it was at the last call?"""
        captured = self._captured
        return captured is None or self._changes != Changes.count or captured.has_changed()

    def _new_key(self, structure: Any, args: Any, kwargs: dict[str, Any]) -> _Key:
        """Looks everything over, and gives the number of this kind of call."""
        captured = self._looked_over(args, kwargs)
        self._captured, self._changes = captured, Changes.count
        facts = captured.facts()
        full = (structure, captured.key())
        why = self._difference(structure, facts) if self._last is not None else ""
        extra = self._known.get(full)
        if extra is None:
            extra = self._known.setdefault(full, next(self._numbers))
        self._facts = facts
        self._last = _Key(extra, why, structure)
        return self._last

    def _looked_over(self, args: Any, kwargs: dict[str, Any]) -> Captured:
        function = self.__wrapped_function__
        return Captured(function, _objects(function, args, kwargs), self._hooks.values())

    def _follow_hooks(self, key: _Key, args: Any, kwargs: dict[str, Any]) -> None:
        """A trace has met hooks. What they read is part of the key from now on, of its own too."""
        self._hooks_are_new = False
        self._known = {k: n for k, n in self._known.items() if n != key.extra}
        captured = self._looked_over(args, kwargs)
        self._known[key.structure, captured.key()] = key.extra
        self._captured, self._facts = captured, captured.facts()

    @contextlib.contextmanager
    def _keeping_symbols(self) -> Iterator[None]:
        """No variable and no attribute is left with a symbol of the trace."""
        done = False
        try:
            yield
            done = True
        finally:
            taken_back = self._captured.take_back() if self._captured else []
            if done and taken_back:
                raise placed(
                    RuntimeError,
                    f"compile: {self._name} sets {', '.join(taken_back)} to a tensor that it "
                    f"computes, which would happen only while it is traced; write into the tensor "
                    f"that is there, as in x.copy_(value), or return the new one",
                )

    @contextlib.contextmanager
    def _noting_hooks(self) -> Iterator[None]:
        hooks: list[Callable[..., Any]] = []
        _C._note_hooks(hooks)
        try:
            yield
        finally:
            _C._note_hooks(None)
            for hook in hooks:
                if id(hook) not in self._hooks:
                    self._hooks[id(hook)] = hook
                    self._hooks_are_new = True

    def _difference(self, structure: Any, facts: dict[str, tuple[Any, str]]) -> str:
        """What is new since the last call, in words."""
        words = []
        last = self._last.structure if self._last else structure
        if last != structure:
            words.append(f"the arguments were {said(last)}, are now {said(structure)}")
        for label, (value, line) in facts.items():
            old = self._facts.get(label, (value, line))[0]
            if old is value or (is_plain(old) and is_plain(value)
                                and plain_key(old) == plain_key(value)):  # fmt: skip
                continue
            at = f" ({line})" if line else ""
            if is_plain(old) and is_plain(value):
                words.append(f"{label} was {old!r}, is now {value!r}{at}")
            else:
                words.append(f"{label} is another {type(value).__name__} than before{at}")
        if not words and last == structure and self._last is not None:
            words.append("a module's parameters, or a function that is called, are others")
        more = [f"and {len(words) - 3} more"] if len(words) > 3 else []
        return "; ".join(words[:3] + more)

    @contextlib.contextmanager
    def _watching_draws(self) -> Iterator[None]:
        """Warns of random numbers and times that a trace keeps as they were."""
        frozen = self._captured.frozen if self._captured else {}
        for at, kept in frozen.items():
            if at not in self._warned:
                self._warned.add(at)
                file, number, call = at
                _warn(
                    f"compile: {call} ({place(file, number)}) is called while {self._name} is "
                    f"traced, and its {kept} is kept for all later calls; {_INSTEAD[kept]}",
                    file,
                    number,
                )
        drawn = Drawn()
        yield
        if "number" not in frozen.values() and drawn.by_now() and None not in self._warned:
            self._warned.add(None)
            code = getattr(self.__wrapped_function__, "__code__", no_code)
            _warn(
                f"compile: something that {self._name} calls draws random numbers from Python or "
                f"NumPy while it is traced, and they are kept for all later calls; "
                f"{_INSTEAD['number']}",
                code.co_filename,
                code.co_firstlineno,
            )

    # ---- what users ask ---------------------------------------------------------------------

    @property
    def traces(self) -> int:
        """How many times the function has been traced."""
        return len(self._program.traces())

    def trace_records(self) -> list[dict[str, Any]]:
        """Of each trace: key, why, milliseconds, calls, launches (kernels a call runs), reads,
        writes, and the programs."""
        return self._program.traces()

    def program(self, trace: int = -1, improved: bool = True) -> Program:
        """The program of a trace (the latest), after the passes or as it was written."""
        records = self._program.traces()
        if not records:
            raise placed(
                RuntimeError, f"program: {self._name} has not been traced yet; call it first"
            )
        return records[trace]["improved" if improved else "written"]

    def explain(self) -> str:
        """Each trace, and what asked for it; and what was captured but cannot be checked."""
        lines = [self._program.explain().rstrip("\n")]
        captured = self._captured
        if captured is not None:
            baked = [w for w in captured.watched if is_plain(w.value)]
            if baked or captured.containers:
                lines.append("frozen into the program, and checked at each call:")
                lines += [f"  {w.label} = {w.value!r} ({w.line})" for w in baked]
                lines += [
                    f"  {w.label}: {w.contents.said()} ({w.line})"
                    for w in captured.containers
                    if w.contents
                ]
            if captured.frozen:
                lines.append("frozen when it was traced:")
                lines += [
                    f"  the {kept} of {call} ({place(file, number)})"
                    for (file, number, call), kept in captured.frozen.items()
                ]
            if captured.unchecked:
                lines.append("used, but not checked: a change is not noticed")
                lines += [f"  {text}" for text in captured.unchecked]
        return "\n".join(lines)

    def clear(self) -> None:
        """Forgets all traces."""
        self._program.clear()
        self._known.clear()
        self._last = None

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __copy__(self) -> Compiled:
        raise placed(
            TypeError,
            f"copy: {self._name} is compiled, and its traces are its own; compile it again",
        )

    def __deepcopy__(self, memo: Any) -> Compiled:
        return self.__copy__()

    def __getattr__(self, name: str) -> Any:
        # A compiled module still has its parameters, and so on.
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.__wrapped_function__, name)

    def __repr__(self) -> str:
        return f"<compiled {self._name}, traced {self.traces} times>"


def _objects(function: Any, args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """What is neither tensor nor plain among the arguments, by the names of their parameters."""
    code = getattr(function, "__code__", None)
    if isinstance(function, Module):
        code = getattr(type(function).forward, "__code__", None)
    names = code.co_varnames[: code.co_argcount] if code else ()
    if isinstance(function, (Module, types.MethodType)):
        names = names[1:]
    found: dict[str, Any] = {}
    for i, value in enumerate(args):
        _add_objects(value, names[i] if i < len(names) else f"argument {i}", found)
    for name, value in kwargs.items():
        _add_objects(value, name, found)
    return found


def _add_objects(value: Any, label: str, found: dict[str, Any]) -> None:
    if isinstance(value, (list, tuple)):
        for i, v in enumerate(value):
            _add_objects(v, f"{label}[{i}]", found)
    elif isinstance(value, dict):
        for k, v in value.items():
            _add_objects(v, f"{label}[{k!r}]", found)
    elif not isinstance(value, Tensor) and not is_plain(value):
        found[label] = value


_INSTEAD = {
    "number": "draw with tg.rand or tg.randn, or pass a tensor of it",
    "time": "take it outside",
}


def _warn(text: str, file: str, line: int) -> None:
    warnings.warn_explicit(text, UserWarning, file, line)


def compile(function: Callable[..., Any] | None = None, *, executor: str = "fused") -> Any:
    """Makes a function, method or module into one that is traced once and then run as a program.

    executor: "lines" (one op after another), "planned" (memory laid out once) or "fused"
    (elementwise groups run together too); all three give the tape's values to the last bit.
    Works as a decorator, with or without these arguments.
    """
    if function is None:
        return functools.partial(compile, executor=executor)
    if not callable(function):
        raise placed(TypeError, f"compile: a function is compiled, not {type(function).__name__}")
    return Compiled(function, executor)


class Lockstep(NamedTuple):
    """What lockstep found: are tape and program equal, over how many lines, and both, in text."""

    equal: bool
    lines: int
    text: str

    def __str__(self) -> str:
        return self.text


def lockstep(
    function: Callable[..., Any], *args: Any, executor: str = "planned", **kwargs: Any
) -> Lockstep:
    """Runs function(*args, **kwargs) as a tape and as a program beside each other, line by line.

    Stops at the first line whose values differ; then what was returned and written is compared with
    what the compiled function would give. State that function writes is put back.
    lockstep(function, (a, b)) is lockstep(function, a, b); a function of one tuple is given
    ((a, b),). Raises ValueError where no op runs, so that there is nothing to compare.
    """
    if len(args) == 1 and isinstance(args[0], tuple) and not kwargs:
        (args,) = args
    function = getattr(function, "__wrapped_function__", function)
    tensors: list[Tensor] = []
    structure = flatten_call(args, kwargs, tensors)

    def flat(symbols: list[Tensor]) -> list[Tensor]:
        given, named = unflatten_call(structure, symbols)
        results: list[Tensor] = []
        flatten(function(*given, **named), results, "the result")
        return results

    found = Lockstep(*_C._lockstep(flat, tensors, executor))
    if found.equal and found.lines == 0:
        raise placed(
            ValueError,
            f"lockstep: {getattr(function, '__name__', function)} runs no op on the "
            f"{len(tensors)} tensors that it is given, so there is nothing to compare",
        )
    return found
