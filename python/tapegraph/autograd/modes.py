"""The modes: is what runs recorded on the tape?

Each is a thread's own. As a context manager it lasts until the block ends, as a decorator for each
call of the function.
"""

from __future__ import annotations

import functools
import inspect
import threading
from typing import Any, Callable, TypeVar

from .._C import _set_grad_enabled, is_grad_enabled
from .._errors import placed

F = TypeVar("F", bound=Callable[..., Any])


class _Inference(threading.local):
    on = False


_inference = _Inference()


def _set(mode: bool) -> None:
    _set_grad_enabled(mode and not _inference.on)


class _Mode:
    """A context manager and decorator; it may be entered again inside itself."""

    def __init__(self) -> None:
        self._before: list[Any] = []

    def _another(self) -> _Mode:
        """The same mode for one call of a decorated function: calls may overlap in threads."""
        return type(self)()

    def __enter__(self) -> None:
        raise NotImplementedError

    def __exit__(self, *error: object) -> None:
        if self._before:  # left once more than entered, it changes nothing
            _set_grad_enabled(self._before.pop())

    def __call__(self, function: F) -> F:
        if isinstance(function, type):
            raise placed(
                TypeError,
                f"{type(self).__name__}: a function is decorated, not the class "
                f"{function.__name__}; decorate its methods",
            )
        wrapped = _generator if inspect.isgeneratorfunction(function) else _function
        return functools.wraps(function)(wrapped(function, self))  # type: ignore[return-value]


def _function(function: Callable[..., Any], mode: _Mode) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with mode._another():
            return function(*args, **kwargs)

    return wrapped


def _generator(function: Callable[..., Any], mode: _Mode) -> Callable[..., Any]:
    """The mode holds while the generator's own code runs, not while it waits in between."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with mode._another():
            generator = function(*args, **kwargs)
        resume: Callable[[], Any] = functools.partial(next, generator)
        try:
            while True:
                try:
                    with mode._another():
                        value = resume()
                except StopIteration as end:
                    return end.value
                try:
                    resume = functools.partial(generator.send, (yield value))
                except GeneratorExit:
                    raise
                except BaseException as error:  # thrown in by the user
                    resume = functools.partial(generator.throw, error)
        finally:
            with mode._another():
                generator.close()

    return wrapped


class no_grad(_Mode):
    """Inside `with no_grad():`, or a function that it decorates, nothing is recorded."""

    def __new__(cls, function: Any = None) -> Any:
        mode = super().__new__(cls)
        if function is None:
            return mode
        mode.__init__()
        return mode(function)

    def __init__(self, function: Any = None) -> None:
        super().__init__()

    def __enter__(self) -> None:
        self._before.append(is_grad_enabled())
        _set_grad_enabled(False)


class enable_grad(no_grad):
    """Records inside a no_grad block, but not inside inference_mode."""

    def __enter__(self) -> None:
        self._before.append(is_grad_enabled())
        _set(True)


class set_grad_enabled(_Mode):
    """Sets the mode at once; as a context manager, until the block ends.

    As a decorator it sets the mode for each call of the function, and not at once.
    """

    def __init__(self, mode: bool) -> None:
        super().__init__()
        if not isinstance(mode, bool):
            raise placed(
                TypeError,
                f"set_grad_enabled: mode must be True or False, not {type(mode).__name__}",
            )
        self.mode = mode
        self._start = is_grad_enabled()
        self._used = False
        _set(mode)

    def _another(self) -> _Mode:
        return set_grad_enabled(self.mode)

    def __enter__(self) -> None:
        # The first block goes back to what was before the mode was set.
        self._before.append(is_grad_enabled() if self._used else self._start)
        self._used = True
        _set(self.mode)

    def __call__(self, function: F) -> F:
        _set_grad_enabled(self._start)
        return super().__call__(function)


class inference_mode(_Mode):
    """No_grad that enable_grad does not end; inference_mode(False) inside of it does.

    Unlike in PyTorch, what is made inside is an ordinary tensor without a tape: it may be used in
    a computation with gradients later.
    """

    def __new__(cls, mode: Any = True) -> Any:
        made = super().__new__(cls)
        if not callable(mode):
            return made
        made.__init__()
        return made(mode)

    def __init__(self, mode: Any = True) -> None:
        super().__init__()
        self.mode = mode if isinstance(mode, bool) else True

    def _another(self) -> _Mode:
        return inference_mode(self.mode)

    def __enter__(self) -> None:
        self._before.append((is_grad_enabled(), _inference.on))
        _inference.on = self.mode
        _set_grad_enabled(not self.mode)

    def __exit__(self, *error: object) -> None:
        if self._before:
            mode, _inference.on = self._before.pop()
            _set_grad_enabled(mode)


def is_inference_mode_enabled() -> bool:
    """Is this thread inside an inference_mode block?"""
    return _inference.on
