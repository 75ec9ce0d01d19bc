"""Methods of Tensor that need no speed, written in Python and put onto the compiled class."""

from __future__ import annotations

import html
from typing import Any

import numpy as np

from . import _C
from ._C import Tensor


def _array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    """What np.asarray(tensor) calls."""
    array = self.numpy()
    if dtype is not None and array.dtype != np.dtype(dtype):
        if copy is False:
            raise ValueError(
                f"__array__: {array.dtype} cannot become {np.dtype(dtype)} without a copy"
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
    raise TypeError(f"format: {what} is not one number, so '{spec}' does not apply")


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


def _deepcopy(self: Tensor, memo: dict[int, Any]) -> Tensor:
    if id(self) in memo:
        return memo[id(self)]
    if not self.is_leaf:
        raise RuntimeError("deepcopy: only leaves can be copied with their tape; use x.clone()")
    copy = type(self)._make_subclass(self.detach().clone(), self.requires_grad)
    memo[id(self)] = copy
    if self.grad is not None:
        copy.grad = _deepcopy(self.grad, memo)
    return copy


def _rebuild(cls: type[Tensor], array: np.ndarray, device: str, requires_grad: bool) -> Tensor:
    return cls._make_subclass(_C.tensor(array, device=device), requires_grad)


def _reduce(self: Tensor, protocol: int) -> tuple[Any, ...]:
    """Pickled by value."""
    if not self.is_leaf:
        raise RuntimeError("pickle: only leaves can be pickled; use x.detach()")
    array = self.detach().cpu().numpy().copy()
    return _rebuild, (type(self), array, str(self.device), self.requires_grad)


def _copy(self: Tensor) -> Tensor:
    """copy.copy(x): another tensor on the same bytes."""
    return type(self)._make_subclass(self, self.requires_grad and self.is_leaf)


for _name, _method in {
    "__array__": _array,
    "__format__": _format,
    "_repr_html_": _repr_html,
    "__copy__": _copy,
    "__deepcopy__": _deepcopy,
    "__reduce_ex__": _reduce,
}.items():
    setattr(Tensor, _name, _method)
