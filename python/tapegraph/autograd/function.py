"""Function: an op of one's own, with a forward and a backward in Python.

    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g

    y = Square.apply(w)

On the tape it is one node. In a compiled function or a Graph forward's ops are lines as any, and a
line `function` says that their gradient is Square's; backward is called once, with symbols, when
the gradient is written down, and its ops become lines too.
"""

from __future__ import annotations

import functools
from typing import Any, Callable

from .. import _C
from .._C import Tensor
from .._errors import placed
from .modes import no_grad


class FunctionCtx:
    """What forward leaves for backward. Plain values may be kept as attributes of one's own."""

    def __init__(self, name: str, needs_input_grad: tuple[bool, ...]) -> None:
        self._name = name
        self._saved: tuple[Tensor | None, ...] = ()
        self._fixed: tuple[Tensor, ...] = ()
        self._materialize = True
        self._pass: Any = None
        self.needs_input_grad = needs_input_grad

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keeps tensors for backward, which finds them in saved_tensors.

        Inputs, outputs and others; None is kept too. That none was changed in place since is
        checked.
        """
        for i, t in enumerate(tensors):
            if t is not None and not isinstance(t, Tensor):
                raise placed(
                    TypeError,
                    f"save_for_backward: argument {i} is {type(t).__name__}, not a tensor or None; "
                    f"keep other values as attributes of ctx",
                )
        self._saved = tensors

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What save_for_backward kept; RuntimeError if it was changed in place, or freed."""
        if self._pass is None:
            raise placed(
                RuntimeError,
                f"saved_tensors: {self._name}'s are there while its backward runs, and not before "
                f"or after",
            )
        return tuple(self._pass.saved()[: len(self._saved)])

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Outputs that have no gradient. Those that are not floating have none anyway."""
        self._fixed = outputs

    def set_materialize_grads(self, value: bool) -> None:
        """With False an output's absent gradient is None in backward, and not zeros."""
        self._materialize = bool(value)

    def mark_dirty(self, *inputs: Tensor) -> None:
        """Not offered: raises NotImplementedError."""
        raise NotImplementedError(
            f"mark_dirty: {self._name} cannot change its inputs in place; return new tensors"
        )


def _kept_attributes(ctx: FunctionCtx) -> list[str]:
    """Attributes that hold a symbol: another program must find its own in them."""
    names = []
    for name, value in vars(ctx).items():
        if name.startswith("_"):
            continue
        if isinstance(value, Tensor) and value.is_symbolic:
            names.append(name)
        elif isinstance(value, (list, tuple)) and any(
            isinstance(v, Tensor) and v.is_symbolic for v in value
        ):
            raise placed(
                RuntimeError,
                f"{ctx._name}: ctx.{name} is a {type(value).__name__} with tensors that are "
                f"symbols of a graph; use ctx.save_for_backward",
            )
    return names


class _Application:
    """One call of apply: which argument and which output is which tensor."""

    def __init__(self, function: type[Function], args: tuple[Any, ...], kwargs: Any) -> None:
        self.function = function
        self.name = function.__name__
        self.args = args
        self.kwargs = kwargs
        self.places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        self.tensors = [args[i] for i in self.places]
        on = _C.is_grad_enabled()
        self.ctx = FunctionCtx(
            self.name, tuple(on and isinstance(a, Tensor) and a.requires_grad for a in args)
        )
        self.count = len(args)
        self.attributes: list[str] = []
        self.outputs: list[int] = []  # places of the tensors among what forward returned
        self.returned: Any = None

    def run(self) -> tuple[Any, ...]:
        ctx, function = self.ctx, self.function
        if function.setup_context is not Function.setup_context:
            returned = function.forward(*self.args, **self.kwargs)
            function.setup_context(ctx, self.args, returned)
        else:
            returned = function.forward(ctx, *self.args, **self.kwargs)
        self.returned = returned
        several = list(returned) if isinstance(returned, (tuple, list)) else [returned]
        self.outputs = [i for i, y in enumerate(several) if isinstance(y, Tensor)]
        if not self.outputs:
            raise placed(
                TypeError,
                f"{self.name}: its forward returned {type(returned).__name__}, and no tensor",
            )
        self.width = len(several)
        self.attributes = _kept_attributes(ctx)
        kept = [getattr(ctx, name) for name in self.attributes]
        saved = [*ctx._saved, *kept]
        result = ([several[i] for i in self.outputs], saved, list(ctx._fixed), ctx._materialize)
        # From here on the tensors are core's, so that the tape does not hold itself.
        ctx._saved = (None,) * len(ctx._saved)
        ctx._fixed = ()
        self.args, self.kwargs = (), {}
        return result

    def result(self, tensors: list[Tensor]) -> Any:
        returned, self.returned = self.returned, None
        if not isinstance(returned, (tuple, list)):
            return tensors[0]
        values = list(returned)
        for i, t in zip(self.outputs, tensors):
            values[i] = t
        return tuple(values)

    def rule(self, backward_pass: Any, gradients: list[Tensor | None]) -> list[Tensor | None]:
        ctx = self.ctx
        if self.attributes:
            ctx = FunctionCtx.__new__(FunctionCtx)
            vars(ctx).update(vars(self.ctx))
            values = backward_pass.saved()[len(ctx._saved) :]
            for name, value in zip(self.attributes, values):
                setattr(ctx, name, value)
        all_gradients: list[Tensor | None] = [None] * self.width
        for i, g in zip(self.outputs, gradients):
            all_gradients[i] = g
        before, ctx._pass = ctx._pass, backward_pass
        try:
            found = self.function.backward(ctx, *all_gradients)
        finally:
            ctx._pass = before
        return self._sorted(found)

    def _sorted(self, found: Any) -> list[Tensor | None]:
        """The gradients of the tensors among the arguments."""
        given = list(found) if isinstance(found, (tuple, list)) else [found]
        more = given[self.count :]
        if len(given) < self.count or any(g is not None for g in more):
            raise placed(
                RuntimeError,
                f"{self.name}: its backward returned {_counted(len(given), 'gradient')}, but its "
                f"forward was given {_counted(self.count, 'argument')}; return one for each, None "
                f"where there is none",
            )
        for i, g in enumerate(given[: self.count]):
            if g is not None and not isinstance(g, Tensor):
                raise placed(
                    TypeError,
                    f"{self.name}: its backward returned {type(g).__name__} for argument {i}, not "
                    f"a tensor or None",
                )
            if g is not None and i not in self.places:
                raise placed(
                    RuntimeError,
                    f"{self.name}: its backward returned a gradient for argument {i}, which is no "
                    f"tensor; return None for it",
                )
        return [given[i] for i in self.places]


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" + ("" if n == 1 else "s")


class Function:
    """Base class of ops of one's own: static methods forward(ctx, ...) and backward(ctx, ...).

    forward gets what apply is given: tensors and anything else. It runs with gradients off, and
    returns a tensor or a tuple; what is an input, or a view of one, is copied. backward gets a
    gradient for each output and returns one for each positional argument of forward, None where
    there is none; where it uses differentiable ops, second derivatives work. Instead of ctx in
    forward, setup_context(ctx, inputs, output) may be defined. What forward gets by keyword has no
    gradient.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        raise placed(
            RuntimeError, f"{cls.__name__}: a Function is not made; call {cls.__name__}.apply"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """To be written: forward(ctx, *args) -> a tensor or a tuple."""
        raise NotImplementedError("forward: a Function defines forward(ctx, ...) as staticmethod")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """May be written: saves for backward, where forward has no ctx."""
        raise NotImplementedError

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """To be written: backward(ctx, *gradients) -> a gradient for each argument."""
        raise NotImplementedError("backward: a Function defines backward(ctx, ...) as staticmethod")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Runs forward, and puts one node onto the tape."""
        for name, value in kwargs.items():
            if isinstance(value, Tensor) and value.requires_grad and _C.is_grad_enabled():
                raise placed(
                    TypeError,
                    f"{cls.__name__}: {name} is given by keyword, and requires a gradient; only "
                    f"positional arguments have one",
                )
        application = _Application(cls, args, kwargs)
        run, rule = application.run, application.rule
        tensors = _C._apply_function(cls.__name__, run, rule, application.tensors)
        application.tensors = []
        return application.result(tensors)


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates a backward whose ops have no gradient: a second derivative then is an error."""

    @functools.wraps(backward)
    def wrapped(ctx: FunctionCtx, *gradients: Any) -> Any:
        with no_grad():
            found = backward(ctx, *gradients)
        if not _C.is_grad_enabled():
            return found
        several = list(found) if isinstance(found, (tuple, list)) else [found]
        behind = (*gradients, *ctx.saved_tensors)
        ties = [t for t in behind if isinstance(t, Tensor) and t.requires_grad]
        if not ties:
            return found
        tied = [_Once.apply(ctx._name, g, *ties) if isinstance(g, Tensor) else g for g in several]
        return tuple(tied) if isinstance(found, (tuple, list)) else tied[0]

    return wrapped


class _Once(Function):
    @staticmethod
    def forward(ctx: Any, name: str, gradient: Tensor, *ties: Tensor) -> Any:
        ctx.name = name
        return gradient.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        raise placed(
            RuntimeError,
            f"{ctx.name}: its backward is marked once_differentiable, so it has no second "
            f"derivative",
        )
