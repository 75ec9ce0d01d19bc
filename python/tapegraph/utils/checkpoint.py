"""checkpoint: memory for time. A part of a model that keeps none of its values for the backward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

from .. import _C
from .._C import Tensor
from .._errors import placed


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = False,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """function(*args, **kwargs); what its ops keep for the backward is dropped, and computed again.

    The values and gradients are the same to the last bit: with preserve_rng_state the second run
    draws the same random numbers. Arguments and results may be anything, as may captured tensors
    have gradients; what others hold too, as weights, is not dropped. function must do the same both
    times, else the backward raises RuntimeError, as it does where an argument was changed in place
    in between. Under no_grad, in a Graph and in a compiled function it is just called: there the
    planner sees to the memory. Raises ValueError for use_reentrant=True.
    """
    if use_reentrant:
        raise placed(
            ValueError,
            "checkpoint: use_reentrant=True is not offered; use_reentrant=False does all that it "
            "does, and takes captured tensors and autograd.grad too",
        )
    if not callable(function):
        raise placed(TypeError, f"checkpoint: a function is called, not {type(function).__name__}")
    if _C._is_recording() or not _C.is_grad_enabled():
        return function(*args, **kwargs)
    first: list[Any] = []

    def run() -> list[Tensor]:
        result = function(*args, **kwargs)
        if not first:
            first.append(result)
        return []

    tensors = [a for a in (*args, *kwargs.values()) if isinstance(a, Tensor)]
    _C._checkpoint(run, tensors, preserve_rng_state)
    result = first[0]
    first[0] = None  # the tape must not hold what hangs on it
    return result


def checkpoint_sequential(
    functions: Any,
    segments: int,
    input: Any,
    use_reentrant: bool | None = False,
    preserve_rng_state: bool = True,
) -> Any:
    """Runs modules one after another on input, in segments of which each is a checkpoint.

    functions is an nn.Sequential or a list. The last segment is none: its values are wanted first.
    """
    steps: Sequence[Any] = list(
        functions.children() if hasattr(functions, "children") else functions
    )
    if not 1 <= segments <= max(len(steps), 1):
        raise placed(
            ValueError,
            f"checkpoint_sequential: {len(steps)} functions cannot be cut into {segments} segments",
        )

    def part(begin: int, end: int) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            for step in steps[begin:end]:
                x = step(x)
            return x

        return run

    size = len(steps) // segments
    for k in range(segments - 1):
        input = checkpoint(
            part(k * size, (k + 1) * size),
            input,
            use_reentrant=use_reentrant,
            preserve_rng_state=preserve_rng_state,
        )
    return part((segments - 1) * size, len(steps))(input)
