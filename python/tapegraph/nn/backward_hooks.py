"""Hooks on the gradients of a module: what goes in and what comes out passes an identity op, whose
gradient rule calls them.

    x -> [identity] -> forward -> [identity] -> y
    the hooks (dx, dy) <-            pre-hooks (dy) <- dy
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from .. import _C
from .._C import Tensor
from .._errors import placed
from ..autograd import Function

if TYPE_CHECKING:
    from .module import Module

Gradients = tuple[Any, ...]


class _Passed(Function):
    """The same tensors; seen(gradients) gives the gradients that go on."""

    @staticmethod
    def forward(ctx: Any, seen: Callable[[Gradients], Gradients], *tensors: Tensor) -> Any:
        ctx.set_materialize_grads(False)
        ctx.seen = seen
        return tuple(t.view_as(t) for t in tensors)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return (None, *ctx.seen(gradients))


class BackwardHooks:
    """One call of a module with hooks on its gradients."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.inputs = 0
        self.input_tensors: list[Tensor] = []
        self.into: list[int] = []  # the places of the tensors among the arguments
        self.grad_output: Gradients = ()

    def before(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments that forward gets."""
        self.inputs = len(args)
        tensors = [a for a in args if isinstance(a, Tensor)]
        if not _wanted(tensors):
            return args
        self.input_tensors = tensors
        self.into = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        return _replaced(args, self.into, _Passed.apply(self._grad_input, *tensors))

    def after(self, output: Any) -> Any:
        """The output that the caller gets."""
        outputs = output if isinstance(output, tuple) else (output,)
        places = [i for i, o in enumerate(outputs) if isinstance(o, Tensor)]
        tensors = [outputs[i] for i in places]
        if not _wanted(tensors):
            return output

        def seen(gradients: Gradients) -> Gradients:
            return self._grad_output(_replaced((None,) * len(outputs), places, gradients), places)

        passed = _replaced(outputs, places, _Passed.apply(seen, *tensors))
        return passed if isinstance(output, tuple) else passed[0]

    def _grad_output(self, gradients: Gradients, places: list[int]) -> Gradients:
        for hook in list(self.module._backward_pre_hooks.values()):
            result = hook(self.module, gradients)
            gradients = _taken("pre-hook", "grad_output", result, gradients)
        self.grad_output = gradients
        if not self.into:  # no gradient goes further back than the parameters
            for hook in list(self.module._backward_hooks.values()):
                result = hook(self.module, (None,) * self.inputs, gradients)
                if result is not None and any(r is not None for r in _several(result)):
                    raise placed(
                        RuntimeError,
                        f"backward hook of {type(self.module).__name__}: no input of it requires a "
                        f"gradient, so the hook must return None",
                    )
        return tuple(gradients[i] for i in places)

    def _grad_input(self, gradients: Gradients) -> Gradients:
        whole = [
            _C.zeros_like(t.detach()) if g is None else g
            for g, t in zip(gradients, self.input_tensors)
        ]
        found = _replaced((None,) * self.inputs, self.into, whole)
        for hook in list(self.module._backward_hooks.values()):
            result = hook(self.module, found, self.grad_output)
            found = _taken("hook", "grad_input", result, found)
        return tuple(found[i] for i in self.into)


def _wanted(tensors: list[Tensor]) -> bool:
    return _C.is_grad_enabled() and any(t.requires_grad for t in tensors)


def _replaced(values: tuple[Any, ...], places: list[int], by: Any) -> tuple[Any, ...]:
    changed = list(values)
    for place, value in zip(places, by):
        changed[place] = value
    return tuple(changed)


def _several(result: Any) -> Gradients:
    return (result,) if isinstance(result, Tensor) else tuple(result)


def _taken(which: str, what: str, result: Any, before: Gradients) -> Gradients:
    """The gradients after a hook, which may have given others."""
    if result is None:
        return before
    if not isinstance(result, (Tensor, tuple, list)):
        raise placed(
            TypeError,
            f"backward {which}: returns None or a tuple of {what}, not {type(result).__name__}",
        )
    given = _several(result)
    if len(given) != len(before):
        raise placed(
            RuntimeError,
            f"backward {which}: {len(given)} values of {what} came back, and {len(before)} went in",
        )
    return given
