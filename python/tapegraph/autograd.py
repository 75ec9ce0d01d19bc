"""Gradients: backward, grad, and the modes in which nothing is recorded."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from typing import Any, Callable, TypeVar

from ._C import Node, Tensor, _backward, _grad, _set_grad_enabled, is_grad_enabled, tape_text

__all__ = [
    "Node",
    "backward",
    "enable_grad",
    "grad",
    "is_grad_enabled",
    "no_grad",
    "set_grad_enabled",
    "tape_text",
]

F = TypeVar("F", bound=Callable[..., Any])


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Adds the gradients of tensors into the .grad of the leaves they were made of.

    grad_tensors are the gradients to start from, one for each tensor and of its shape; it may be
    left out where a tensor has one element. Raises RuntimeError if nothing requires a gradient or
    the tape has been freed.
    """
    _backward(tensors, grad_tensors, retain_graph, create_graph)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of the sum of outputs with respect to each of inputs, in their shapes.

    With create_graph they are on the tape themselves, for second derivatives. An input that
    outputs were not made of raises RuntimeError, or gives None with allow_unused.
    """
    return _grad(outputs, inputs, grad_outputs, retain_graph, create_graph, allow_unused)


class _Mode:
    """A context manager and decorator that sets whether ops are recorded."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self.before: list[bool] = []

    def __enter__(self) -> None:
        self.before.append(is_grad_enabled())
        _set_grad_enabled(self.mode)

    def __exit__(self, *error: object) -> None:
        if self.before:  # left once more than entered, it changes nothing
            _set_grad_enabled(self.before.pop())

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):
            return self._generator(function)

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with _Mode(self.mode):
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]

    def _generator(self, function: F) -> F:
        """Each step of the generator has the mode, and what asks for the next one has its own."""

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            generator = function(*args, **kwargs)
            step, given = generator.send, None
            while True:
                try:
                    with _Mode(self.mode):
                        made = step(given)
                except StopIteration as end:
                    return end.value
                try:
                    step, given = generator.send, (yield made)
                except GeneratorExit:
                    with _Mode(self.mode):
                        generator.close()
                    raise
                except BaseException as error:
                    step, given = generator.throw, error

        return wrapped  # type: ignore[return-value]


def no_grad(function: Any = None) -> Any:
    """Inside `with no_grad():`, or a function that it decorates, nothing is recorded."""
    mode = _Mode(False)
    return mode if function is None else mode(function)


def enable_grad(function: Any = None) -> Any:
    """Records inside a no_grad block."""
    mode = _Mode(True)
    return mode if function is None else mode(function)


class set_grad_enabled(_Mode):
    """Sets the mode at once; as a context manager, until the block ends."""

    def __init__(self, mode: bool) -> None:
        super().__init__(mode)
        self.before.append(is_grad_enabled())
        _set_grad_enabled(mode)

    def __enter__(self) -> None:
        pass
