"""Methods of Tensor that need no speed, written in Python and put onto the compiled class."""

from __future__ import annotations

import copy
import copyreg
import html
from typing import Any

import numpy as np

from . import _C
from ._C import Tensor
from ._errors import placed
from .plain_arrays import tensor_of, values_of


def _array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    """What np.asarray(tensor) calls."""
    array = self.numpy()
    if dtype is not None and array.dtype != np.dtype(dtype):
        if copy is False:
            raise placed(
                ValueError,
                f"__array__: {array.dtype} cannot become {np.dtype(dtype)} without a copy",
            )
        return array.astype(dtype)
    return array.copy() if copy else array


def _format(self: Tensor, spec: str) -> str:
    """f"{loss:.3f}" of a tensor of no dims formats its number."""
    if self.ndim == 0 and not self.is_symbolic:
        return format(self.detach().item(), spec)
    if not spec:
        return repr(self)
    what = "a symbolic tensor" if self.is_symbolic else f"a tensor of shape {tuple(self.shape)}"
    raise placed(TypeError, f"format: {what} is not one number, so '{spec}' does not apply")


def _repr_html(self: Tensor) -> str:
    """What a notebook shows."""
    facts = [f"shape {self.shape!r}".replace("tapegraph.", ""), str(self.dtype), str(self.device)]
    if self.requires_grad:
        node = self.grad_fn
        facts.append(f"made by {node!r}" if node is not None else "requires_grad")
    return (
        f"<pre>{html.escape(repr(self))}</pre>"
        f"<small style='opacity:.7'>{html.escape(' · '.join(facts))}</small>"
    )


def _reversed(self: Tensor) -> Tensor:
    """reversed(x): x with its first dim the other way round, as in PyTorch."""
    return self.flip(0) if self.ndim else self


def _new_tensor(
    self: Tensor,
    data: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """tg.tensor(data), of this tensor's dtype and on its device unless others are given."""
    dtype = self.dtype if dtype is None else dtype
    device = self.device if device is None else device
    return _C.tensor(data, dtype=dtype, device=device, requires_grad=requires_grad)


def _deepcopy(self: Tensor, memo: dict[Any, Any]) -> Tensor:
    """copy.deepcopy(x): a leaf with its own bytes, the same requires_grad, and a copy of the .grad.

    As in PyTorch only leaves can be copied, else RuntimeError; views of one storage share the bytes
    of its copy, which is whole; and a tensor that is in several places of what is copied, as a
    parameter of two modules, stays one.
    """
    if id(self) in memo:
        return memo[id(self)]
    _check_leaf(self, "deepcopy", "x.clone() or x.detach()")
    whole = self._whole()
    key = ("tapegraph storage", whole.data_ptr() or id(self))
    if key not in memo:
        memo[key] = (whole.clone(), whole)  # whole: so that no other storage comes to lie there
    made = type(self)._make_subclass(self._part_of(memo[key][0]), self.requires_grad)
    memo[id(self)] = made
    for name, value in getattr(self, "__dict__", {}).items():  # a subclass's attributes
        setattr(made, name, copy.deepcopy(value, memo))
    grad = self.grad
    if grad is not None:
        if not grad.is_leaf:
            raise RuntimeError(
                f"deepcopy ({_C._current_line()}): the .grad was made with create_graph and is on "
                f"the tape, which is not copied; set x.grad = x.grad.detach() first"
            )
        # Not _deepcopy(grad, memo): memo knows things by id, and copy.deepcopy keeps them alive.
        made.grad = copy.deepcopy(grad, memo)
    return made


def _rebuild(cls: type[Tensor], array: np.ndarray, device: str, requires_grad: bool) -> Tensor:
    return cls._make_subclass(tensor_of(array.copy(), device), requires_grad)


def _reduce(self: Tensor, protocol: int) -> tuple[Any, ...]:
    """Pickled by value: dtype, shape, device, requires_grad, and a subclass's attributes.

    As in PyTorch the .grad is left out. As in deepcopy only leaves are taken, and views of one
    storage become apart. To keep weights, prefer tg.save: who loads a pickle runs what is in it.
    """
    _check_leaf(self, "pickle", "x.detach()")
    array = values_of(self).copy()
    state = dict(getattr(self, "__dict__", {}))
    return _rebuild, (type(self), array, str(self.device), self.requires_grad), state or None


def _reduce_op(op: Any) -> tuple[Any, ...]:
    """An op, as tg.exp or Tensor.exp_, is pickled by name, and a copy is the op itself."""
    return _op_named, (op.__name__, getattr(_C, op.__name__, None) is not op)


def _op_named(name: str, of_tensor: bool) -> Any:
    return getattr(Tensor if of_tensor else _C, name)


def _copy(self: Tensor) -> Tensor:
    """copy.copy(x): another tensor on the same bytes, with the same requires_grad and no .grad.

    Of a result it is cut off from the tape, as x.detach().
    """
    made = type(self)._make_subclass(self, self.requires_grad and self.is_leaf)
    for name, value in getattr(self, "__dict__", {}).items():
        setattr(made, name, value)
    return made


def _check_leaf(tensor: Tensor, what: str, instead: str) -> None:
    if tensor.is_symbolic:
        raise RuntimeError(
            f"{what} ({_C._current_line()}): this tensor of shape {tuple(tensor.shape)} is "
            f"symbolic: it has no value until its graph runs"
        )
    if not tensor.is_leaf:
        raise RuntimeError(
            f"{what} ({_C._current_line()}): this tensor of shape {tuple(tensor.shape)} is "
            f"the result of {tensor.grad_fn!r}; only leaves can be taken with their tape; use "
            f"{instead}"
        )


for _name, _method in {
    "new_tensor": _new_tensor,
    "__array__": _array,
    "__format__": _format,
    "_repr_html_": _repr_html,
    "__reversed__": _reversed,
    "__copy__": _copy,
    "__deepcopy__": _deepcopy,
    "__reduce_ex__": _reduce,
}.items():
    setattr(Tensor, _name, _method)
copyreg.pickle(type(_C.exp), _reduce_op)
