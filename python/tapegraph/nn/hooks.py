"""Hooks: functions that a module calls before and after its forward, and in the backward of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from .._errors import placed
from .backward_hooks import BackwardHooks
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


def register(table: dict[int, Any], hook: Any, prepend: bool) -> RemovableHandle:
    function = hook.call if isinstance(hook, Hook) else hook
    if not callable(function):
        raise placed(TypeError, f"a hook is a function, not {type(function).__name__}")
    Changes.count += 1
    handle = RemovableHandle(table)
    later = dict(table) if prepend else {}
    for key in later:
        del table[key]
    table[handle.id] = hook
    table.update(later)
    return handle


class Hooked:
    """What a module has of hooks."""

    _forward_pre_hooks: dict[int, Hook]
    _forward_hooks: dict[int, Hook]
    _backward_pre_hooks: dict[int, Callable[..., Any]]
    _backward_hooks: dict[int, Callable[..., Any]]

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """hook(module, args) is called before forward; what it returns takes the place of args.

        A value that is no tuple is the only argument. With with_kwargs it is hook(module, args,
        kwargs), and returns None or (args, kwargs).
        """
        return register(self._forward_pre_hooks, Hook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """hook(module, args, output) is called after forward; a result takes output's place.

        With with_kwargs it is hook(module, args, kwargs, output). With always_call it is also
        called, with None as output, if forward raises; the error goes on.
        """
        return register(self._forward_hooks, Hook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """hook(module, grad_output) is called before the gradient goes back through forward.

        grad_output is a tuple, with None for an output that got no gradient or is no tensor; a
        tuple that the hook returns takes its place.
        """
        return register(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """hook(module, grad_input, grad_output) is called when the gradients of all inputs are
        there; a tuple that it returns takes grad_input's place.

        Both are tuples, with None for what is no tensor; arguments by keyword do not count. Where
        no input requires a gradient, all of grad_input is None.
        """
        return register(self._backward_hooks, hook, prepend)


def call(module: Module, args: Any, kwargs: Any) -> Any:
    """module.forward, with the hooks before and after it."""
    called: set[int] = set()
    output = None
    seeing = module._backward_hooks or module._backward_pre_hooks
    gradients = BackwardHooks(module) if seeing else None
    try:
        for hook in list(module._forward_pre_hooks.values()):
            args, kwargs = before(module, hook, args, kwargs)
        if gradients is not None:
            args = gradients.before(args)
        output = module.forward(*args, **kwargs)
        for key, hook in list(module._forward_hooks.items()):
            called.add(key)
            output = after(module, hook, args, kwargs, output)
    except BaseException:
        for key, hook in list(module._forward_hooks.items()):
            if hook.always_call and key not in called:
                after(module, hook, args, kwargs, None)
        raise
    return output if gradients is None else gradients.after(output)


def before(module: Module, hook: Hook, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments after a hook before forward."""
    if hook.with_kwargs:
        result = hook.call(module, args, kwargs)
        if result is not None and not (isinstance(result, tuple) and len(result) == 2):
            raise placed(
                RuntimeError,
                f"forward pre-hook: with_kwargs=True returns None or (args, kwargs), not "
                f"{result!r}",
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
