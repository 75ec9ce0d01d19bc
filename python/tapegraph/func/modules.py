"""Modules as functions of their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from .. import _C
from .._C import Tensor
from ..nn.module import Module


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """module(*args, **kwargs) with these tensors in place of its parameters and buffers.

        per_sample = vmap(grad(lambda p, x: functional_call(model, p, (x,)).sum()), (None, 0))

    The names are state_dict's. args: a tuple, or the one argument. Other parameters stay what they
    are; with strict that is an error. With tie_weights a tensor that has two names in the module
    is replaced under both. The module itself is as before when this returns, or raises.

    Raises TypeError for args that are no tuple of dicts, RuntimeError for a name that the module
    does not have, and under strict for one that is missing; ValueError for a name that comes twice.
    """
    tensors: dict[str, Tensor] = {}
    dicts = parameter_and_buffer_dicts
    for part in [dicts] if isinstance(dicts, Mapping) else dicts:
        if not isinstance(part, Mapping):
            raise ValueError(f"functional_call: a dict of tensors, not {type(part).__name__}")
        for name, value in part.items():
            if name in tensors:
                raise ValueError(f"functional_call: {name} comes in two of the dicts")
            tensors[name] = value
    given = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, tensors, tie_weights, strict):
        return module(*given, **(kwargs or {}))


def _places(module: Module) -> dict[str, tuple[dict[str, Any], str]]:
    """By full name the table, a module's _parameters or _buffers, that holds it, and its key."""
    found = {}
    for prefix, part in module.named_modules(remove_duplicate=False):
        for table in (part._parameters, part._buffers):
            for key, value in table.items():
                if value is not None:
                    found[f"{prefix}.{key}" if prefix else key] = (table, key)
    return found


@contextmanager
def _replaced(
    module: Module, tensors: dict[str, Tensor], tie_weights: bool, strict: bool
) -> Iterator[None]:
    places = _places(module)
    unknown = [name for name in tensors if name not in places]
    if unknown:
        raise RuntimeError(f"functional_call: the module has no {', '.join(unknown)}")
    by_tensor: dict[int, Tensor] = {}
    for name, value in tensors.items():
        table, key = places[name]
        by_tensor[id(table[key])] = value
    new: list[tuple[dict[str, Any], str, Tensor]] = []
    for name, (table, key) in places.items():
        if name in tensors:
            new.append((table, key, tensors[name]))
        elif tie_weights and id(table[key]) in by_tensor:
            new.append((table, key, by_tensor[id(table[key])]))
        elif strict:
            raise RuntimeError(f"functional_call: strict, and {name} is missing")
    before = [(table, key, table[key]) for table, key, _ in new]
    try:
        for table, key, value in new:
            table[key] = value
        yield
    finally:
        for table, key, value in reversed(before):
            table[key] = value


def stack_module_state(
    models: Sequence[Module],
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """(parameters, buffers) of models that are alike, each stacked along a new dim 0, for vmap.

    Raises RuntimeError if there are none, or they differ in class or training.
    """
    if not models:
        raise RuntimeError("stack_module_state: needs at least one model")
    if len({type(m) for m in models}) > 1 or len({m.training for m in models}) > 1:
        raise RuntimeError(
            "stack_module_state: the models must be of one class, all in training or none"
        )

    def stacked(parts: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        made = {}
        for name, first in parts[0].items():
            made[name] = _C.stack([part[name].detach() for part in parts])
            if first.requires_grad:
                made[name].requires_grad_()
        return made

    return (
        stacked([dict(m.named_parameters()) for m in models]),
        stacked([dict(m.named_buffers()) for m in models]),
    )
