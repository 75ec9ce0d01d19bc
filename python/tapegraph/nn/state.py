"""A module's parameters and buffers: by name, loaded, and moved."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import _C
from .._C import Tensor
from .._errors import placed
from ..autograd import no_grad
from .parameter import Parameter

if TYPE_CHECKING:
    from .module import Module


class LoadResult(NamedTuple):
    """The names that load_state_dict could not use."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return (
            f"LoadResult(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"
        )


def listed(module: Module, prefix: str, keep_vars: bool) -> OrderedDict[str, Tensor]:
    """What module.state_dict gives."""
    found: OrderedDict[str, Tensor] = OrderedDict()
    for path, part in module.named_modules(remove_duplicate=False):
        start = f"{prefix}{path}." if path else prefix
        for name, parameter in part._parameters.items():
            if parameter is not None:
                found[start + name] = parameter if keep_vars else parameter.detach()
        for name, buffer in part._buffers.items():
            if buffer is not None and name not in part._not_saved:
                found[start + name] = buffer if keep_vars else buffer.detach()
    return found


def load(module: Module, state_dict: Mapping[str, Any], strict: bool, assign: bool) -> LoadResult:
    """What module.load_state_dict does."""
    if not isinstance(state_dict, Mapping):
        raise placed(
            TypeError, f"load_state_dict: a dict is loaded, not {type(state_dict).__name__}"
        )
    own = module.state_dict()
    given = {n: v if isinstance(v, Tensor) else np.asarray(v) for n, v in state_dict.items()}
    missing = [name for name in own if name not in given]
    unexpected = [name for name in given if name not in own]
    errors = []
    if strict and missing:
        errors.append(f"Missing key(s) in state_dict: {_quoted(missing)}.")
    if strict and unexpected:
        errors.append(f"Unexpected key(s) in state_dict: {_quoted(unexpected)}.")
    errors += [
        f"size mismatch for {name}: copying a param with shape {tuple(given[name].shape)} "
        f"from checkpoint, the shape in current model is {tuple(tensor.shape)}."
        for name, tensor in own.items()
        if name in given and tuple(given[name].shape) != tuple(tensor.shape)
    ]
    if errors:
        raise RuntimeError(
            f"Error(s) in loading state_dict for {type(module).__name__} "
            f"({_C._current_line()}):\n\t" + "\n\t".join(errors)
        )
    tensors = {
        name: value if isinstance(value, Tensor) else _C.tensor(value)
        for name, value in given.items()
        if name in own
    }
    if assign:
        _put(module, tensors)
    else:
        with no_grad():
            for name, value in tensors.items():
                own[name].copy_(value)
    return LoadResult(missing, unexpected)


def _put(module: Module, tensors: dict[str, Tensor]) -> None:
    """The tensors themselves in place of the module's, under the same names."""
    for path, part in module.named_modules(remove_duplicate=False):
        start = f"{path}." if path else ""
        for name, old in part._parameters.items():
            if old is not None and start + name in tensors:
                new = tensors[start + name]
                part._parameters[name] = (
                    new if isinstance(new, Parameter) else Parameter(new, old.requires_grad)
                )
        for name, buffer in part._buffers.items():
            if buffer is not None and start + name in tensors:
                part._buffers[name] = tensors[start + name]


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def move(module: Module, target: tuple[Any, ...], named: dict[str, Any]) -> None:
    """What module.to does."""
    for value in (*target, *named.values()):
        if isinstance(value, _C.dtype) and not value.is_floating_point:
            raise placed(TypeError, f"to: parameters are of a floating dtype, which {value} is not")
    new: dict[int, tuple[Tensor, Tensor]] = {}  # by id: the old one, kept alive, and the new
    for part in module.modules():
        for table, moved in ((part._parameters, _moved_parameter), (part._buffers, _moved)):
            for name, tensor in table.items():
                if tensor is not None:
                    if id(tensor) not in new:
                        new[id(tensor)] = tensor, moved(tensor, target, named)
                    table[name] = new[id(tensor)][1]


def _moved(tensor: Tensor, target: tuple[Any, ...], named: dict[str, Any]) -> Tensor:
    """As tensor.to(...), which leaves integers' dtypes alone."""
    with no_grad():
        moved = tensor.to(*target, **named)
        if moved.dtype != tensor.dtype and not tensor.dtype.is_floating_point:
            return tensor.to(moved.device)
    return moved


def _moved_parameter(
    parameter: Parameter, target: tuple[Any, ...], named: dict[str, Any]
) -> Parameter:
    """The parameter itself if it is there already, or a new one, with its gradient."""
    moved = _moved(parameter, target, named)
    if moved is parameter:
        return parameter
    new = Parameter(moved, parameter.requires_grad)
    if parameter.grad is not None:
        new.grad = _moved(parameter.grad, target, named)
    return new
