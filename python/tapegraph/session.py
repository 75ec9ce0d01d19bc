"""Session: runs parts of a Graph, in the TensorFlow 1 style."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from . import _C
from ._C import Graph, Program, Tensor
from ._errors import placed


def _leaves(fetches: Any, into: list[Tensor]) -> None:
    """The tensors of a fetch, in order."""
    if isinstance(fetches, Tensor):
        into.append(fetches)
    elif isinstance(fetches, Mapping):
        for fetch in fetches.values():
            _leaves(fetch, into)
    elif isinstance(fetches, (list, tuple)):
        for fetch in fetches:
            _leaves(fetch, into)
    else:
        raise placed(
            TypeError,
            f"Session.run: a fetch is a tensor, or a list, tuple or dict of them, not "
            f"{type(fetches).__name__}",
        )


def _filled(fetches: Any, values: Any) -> Any:
    """The fetch again, with an array in place of each tensor."""
    if isinstance(fetches, Tensor):
        return next(values)
    if isinstance(fetches, Mapping):
        return {key: _filled(fetch, values) for key, fetch in fetches.items()}
    filled = [_filled(fetch, values) for fetch in fetches]
    if isinstance(fetches, tuple):
        return type(fetches)(*filled) if hasattr(fetches, "_fields") else tuple(filled)
    return filled


def _said(value: Any, ragged: bool) -> str:
    """What was fed that no tensor can be made of."""
    kind = type(value).__name__
    if isinstance(value, (list, tuple)):
        return f"a {kind} whose parts differ in length" if ragged else f"a {kind} of no numbers"
    return f"an array of {value.dtype}" if isinstance(value, np.ndarray) else f"one {kind}"


class Session:
    """Runs the lines of a graph that a fetch needs.

    executor: "lines" (one op after another), "planned" (memory laid out once) or "fused"
    (elementwise groups run together too).
    """

    def __init__(self, graph: Graph, executor: str = "fused") -> None:
        if not isinstance(graph, Graph):
            raise placed(TypeError, f"Session: graph must be a Graph, not {type(graph).__name__}")
        self.graph = graph
        self._session = _C._session(graph, executor)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def run(self, fetches: Any, feed_dict: Mapping[Tensor, Any] | None = None) -> Any:
        """The values of fetches, as NumPy arrays (and NumPy numbers where there are no dims).

        fetches is a tensor of the graph, or a list, tuple or dict of them; the result has the same
        form. feed_dict gives each placeholder that is needed its value: an array, list, number or
        tensor. Raises ValueError where one is missing or does not fit, TypeError where it is none.
        """
        wanted: list[Tensor] = []
        _leaves(fetches, wanted)
        if feed_dict is not None and not isinstance(feed_dict, Mapping):
            raise placed(
                TypeError,
                f"Session.run: feed_dict is a dict from placeholders to values, as {{x: batch}}, "
                f"not {type(feed_dict).__name__}",
            )
        feeds = [(x, self._fed(x, value)) for x, value in (feed_dict or {}).items()]
        values = self._session.run(wanted, feeds)
        arrays = (value.detach().cpu().numpy() for value in values)
        return _filled(fetches, (array[()] if array.ndim == 0 else array for array in arrays))

    def _fed(self, x: Any, value: Any) -> Tensor:
        """A value as placeholder x wants it; numbers, lists and arrays take its dtype."""
        if not isinstance(x, Tensor):
            raise placed(
                TypeError,
                f"Session.run: a key of feed_dict is a placeholder, not {type(x).__name__}; "
                f"give the tensor that tg.placeholder returned",
            )
        wanted = self._session.placeholder(x)
        if not isinstance(value, Tensor):
            try:
                value = _C.as_tensor(value if isinstance(value, np.ndarray) else np.asarray(value))
            except (TypeError, ValueError) as error:
                fed = _said(value, ragged=isinstance(error, ValueError))
                raise placed(
                    type(error),
                    f"Session.run: {wanted}, but was fed {fed}; feed numbers: an array, a list "
                    f"with rows of one length, or a tensor",
                ) from None
        if value.dtype != x.dtype:
            value = value.to(x.dtype)
        return value.detach()

    def program(self, fetches: Any) -> Program:
        """What is written down for these fetches, unknown dims and all."""
        wanted: list[Tensor] = []
        _leaves(fetches, wanted)
        return self._session.program(wanted)

    def last(self) -> Program | None:
        """The program that ran last, as the passes have improved it."""
        return self._session.last()

    def lines_run(self) -> int:
        """How many lines the last run ran."""
        return self._session.lines_run()
