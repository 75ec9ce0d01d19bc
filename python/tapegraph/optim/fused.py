"""What fused=True does: the update of all parameters is one compiled program.

The rule is the one that otherwise runs op by op: it is traced, and the passes make one loop of a
parameter's ops, and one launch of all loops. So the numbers are the same, to the last bit.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import _C
from ..nn.changes import Changes

if TYPE_CHECKING:
    from .optimizer import Optimizer, ParamGroup


class FusedStep:
    """An optimiser's step over some of its groups, as a program.

    It is traced anew when a parameter gets or loses its .grad, when there are other parameters or
    other state tensors, and when a number changes that is no tensor, such as weight_decay.
    Older traces are kept for when all is as before.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        weak = weakref.ref(optimizer)  # the core would keep it alive for ever

        def trace(symbols: list[Any], groups: Sequence[ParamGroup]) -> tuple[list[Any], tuple[()]]:
            target = weak()
            assert target is not None
            target.update_all(groups)
            return [], ()

        self._program = _C._compiled(f"{type(optimizer).__name__}.step", trace, "fused")
        self._known: dict[Any, tuple[int, list[Any]]] = {}
        self._numbers = itertools.count()
        self._last: tuple[int, list[int], int] = (-1, [], 0)

    def __call__(self, optimizer: Optimizer, groups: Sequence[ParamGroup]) -> None:
        state = optimizer.state
        params = [p for group in groups for p in group["params"]]
        tensors = [t for p in params for t in (p, *state.get(p, {}).values())]
        ids = [*map(id, tensors)]
        changes, last_ids, number = self._last
        if changes != Changes.count or last_ids != ids:
            key = (optimizer.trace_key(), tuple(map(id, groups)), tuple(ids))
            # Kept with their numbers, so that no other tensor gets one of these ids.
            number, _ = self._known.setdefault(key, (next(self._numbers), [*groups, *tensors]))
            self._last = (Changes.count, ids, number)
        self._program.call([], number, "parameters, state or numbers are others", groups)

    @property
    def traces(self) -> int:
        return len(self._program.traces())

    def explain(self) -> str:
        return self._program.explain()
