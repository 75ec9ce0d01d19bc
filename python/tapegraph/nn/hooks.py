"""Hooks: functions that a module calls before and after its forward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from .changes import Changes

if TYPE_CHECKING:
    from .module import Module


class RemovableHandle:
    """What registering a hook returns: remove() takes the hook off, as does the end of a with."""

    next_id = 0  # never the same twice, so an old handle removes no other hook

    def __init__(self, table: dict[int, Any]) -> None:
        self.table = table
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1

    def remove(self) -> None:
        Changes.count += 1
        self.table.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


class Hook(NamedTuple):
    """A hook, and whether it is called with the keyword arguments, and after an error too."""

    call: Callable[..., Any]
    with_kwargs: bool
    always_call: bool = False


def register(table: dict[int, Hook], hook: Hook, prepend: bool) -> RemovableHandle:
    if not callable(hook.call):
        raise TypeError(f"a hook is a function, not {type(hook.call).__name__}")
    Changes.count += 1
    handle = RemovableHandle(table)
    later = dict(table) if prepend else {}
    for key in later:
        del table[key]
    table[handle.id] = hook
    table.update(later)
    return handle


def call(module: Module, args: Any, kwargs: Any) -> Any:
    """module.forward, with the hooks before and after it."""
    called: set[int] = set()
    output = None
    try:
        for hook in list(module._forward_pre_hooks.values()):
            args, kwargs = before(module, hook, args, kwargs)
        output = module.forward(*args, **kwargs)
        for key, hook in list(module._forward_hooks.items()):
            called.add(key)
            output = after(module, hook, args, kwargs, output)
    except BaseException:
        for key, hook in list(module._forward_hooks.items()):
            if hook.always_call and key not in called:
                after(module, hook, args, kwargs, None)
        raise
    return output


def before(module: Module, hook: Hook, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments after a hook before forward."""
    if hook.with_kwargs:
        result = hook.call(module, args, kwargs)
        if result is not None and not (isinstance(result, tuple) and len(result) == 2):
            raise RuntimeError(
                f"forward pre-hook: with_kwargs=True returns None or (args, kwargs), not {result!r}"
            )
        return (args, kwargs) if result is None else result
    result = hook.call(module, args)
    if result is None:
        return args, kwargs
    return result if isinstance(result, tuple) else (result,), kwargs


def after(module: Module, hook: Hook, args: Any, kwargs: Any, output: Any) -> Any:
    """The output after a hook after forward."""
    given = (args, kwargs, output) if hook.with_kwargs else (args, output)
    result = hook.call(module, *given)
    return output if result is None else result
