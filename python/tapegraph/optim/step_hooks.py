"""Hooks before and after an optimiser's step."""

from __future__ import annotations

import functools
from typing import Any, Callable


def with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """step, and the hooks around it: hook(optimizer, args, kwargs).

    One before it may return (args, kwargs) to go on with. Raises RuntimeError for anything else.
    """

    @functools.wraps(step)
    def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
        for hook in list(self.step_pre_hooks.values()):
            found = hook(self, args, kwargs)
            if found is None:
                continue
            if not isinstance(found, tuple) or len(found) != 2:
                raise RuntimeError(
                    f"step: a hook before it returned {type(found).__name__}, and neither None "
                    f"nor (args, kwargs)"
                )
            args, kwargs = found
        result = step(self, *args, **kwargs)
        for hook in list(self.step_post_hooks.values()):
            hook(self, args, kwargs)
        return result

    return hooked
