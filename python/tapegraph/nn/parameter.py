"""A tensor that a module owns and an optimiser changes."""

from __future__ import annotations

from .. import _C
from .._C import Tensor


class Parameter(Tensor):
    """A leaf on the bytes of data, which requires a gradient unless told otherwise.

    Assigned to a module's attribute it is one of the module's parameters.
    """

    __slots__ = ()

    def __new__(cls, data: Tensor, requires_grad: bool = True) -> Parameter:
        return cls._make_subclass(data, requires_grad)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + _C.Tensor.__repr__(self)
