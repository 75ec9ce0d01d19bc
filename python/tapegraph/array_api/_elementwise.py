"""Functions of one element, or of one of each of two tensors that broadcast.

Two tensors are brought to one dtype first. Integers that an op of floats gets become floats of the
default dtype.
"""

from __future__ import annotations

from typing import Any, Callable

from .. import _C
from .._C import Tensor
from ._dtypes import bool as bool_dtype
from ._dtypes import isdtype, promoted


def _of_one(op: Callable[[Tensor], Tensor], name: str) -> Callable[[Tensor], Tensor]:
    def function(x: Tensor, /) -> Tensor:
        return op(x)

    return _named(function, name)


def _of_two(op: Callable[[Tensor, Tensor], Tensor], name: str) -> Callable[[Any, Any], Tensor]:
    def function(x1: Tensor, x2: Tensor, /) -> Tensor:
        return op(*promoted(x1, x2))

    return _named(function, name)


def _floats_of_two(
    op: Callable[[Tensor, Tensor], Tensor], name: str
) -> Callable[[Any, Any], Tensor]:
    def function(x1: Tensor, x2: Tensor, /) -> Tensor:
        x1, x2 = promoted(x1, x2)
        if not isdtype(x1.dtype, "real floating"):
            x1, x2 = x1.to(_C.get_default_dtype()), x2.to(_C.get_default_dtype())
        return op(x1, x2)

    return _named(function, name)


def _named(function: Any, name: str) -> Any:
    function.__name__ = function.__qualname__ = name
    return function


def _sign(x: Tensor) -> Tensor:
    """-1, 0 or 1, and NaN of NaN, where PyTorch's is 0."""
    return _C.where(_C.isnan(x), x, _C.sign(x)) if x.dtype.is_floating_point else _C.sign(x)


abs = _of_one(_C.abs, "abs")
acos = _of_one(_C.acos, "acos")
acosh = _of_one(_C.acosh, "acosh")
asin = _of_one(_C.asin, "asin")
asinh = _of_one(_C.asinh, "asinh")
atan = _of_one(_C.atan, "atan")
atanh = _of_one(_C.atanh, "atanh")
bitwise_invert = _of_one(_C.bitwise_not, "bitwise_invert")
ceil = _of_one(_C.ceil, "ceil")
cos = _of_one(_C.cos, "cos")
cosh = _of_one(_C.cosh, "cosh")
exp = _of_one(_C.exp, "exp")
expm1 = _of_one(_C.expm1, "expm1")
floor = _of_one(_C.floor, "floor")
isfinite = _of_one(_C.isfinite, "isfinite")
isinf = _of_one(_C.isinf, "isinf")
isnan = _of_one(_C.isnan, "isnan")
log = _of_one(_C.log, "log")
log10 = _of_one(_C.log10, "log10")
log1p = _of_one(_C.log1p, "log1p")
log2 = _of_one(_C.log2, "log2")
logical_not = _of_one(_C.logical_not, "logical_not")
negative = _of_one(_C.neg, "negative")
positive = _of_one(_C.positive, "positive")
round = _of_one(_C.round, "round")
sign = _of_one(_sign, "sign")
signbit = _of_one(_C.signbit, "signbit")
sin = _of_one(_C.sin, "sin")
sinh = _of_one(_C.sinh, "sinh")
sqrt = _of_one(_C.sqrt, "sqrt")
square = _of_one(_C.square, "square")
tan = _of_one(_C.tan, "tan")
tanh = _of_one(_C.tanh, "tanh")
trunc = _of_one(_C.trunc, "trunc")

add = _of_two(_C.add, "add")
bitwise_and = _of_two(_C.bitwise_and, "bitwise_and")
bitwise_left_shift = _of_two(_C.bitwise_left_shift, "bitwise_left_shift")
bitwise_or = _of_two(_C.bitwise_or, "bitwise_or")
bitwise_right_shift = _of_two(_C.bitwise_right_shift, "bitwise_right_shift")
bitwise_xor = _of_two(_C.bitwise_xor, "bitwise_xor")
divide = _of_two(_C.div, "divide")
equal = _of_two(_C.eq, "equal")
floor_divide = _of_two(_C.floor_divide, "floor_divide")
greater = _of_two(_C.gt, "greater")
greater_equal = _of_two(_C.ge, "greater_equal")
less = _of_two(_C.lt, "less")
less_equal = _of_two(_C.le, "less_equal")
logical_and = _of_two(_C.logical_and, "logical_and")
logical_or = _of_two(_C.logical_or, "logical_or")
logical_xor = _of_two(_C.logical_xor, "logical_xor")
maximum = _of_two(_C.maximum, "maximum")
minimum = _of_two(_C.minimum, "minimum")
multiply = _of_two(_C.mul, "multiply")
not_equal = _of_two(_C.ne, "not_equal")
pow = _of_two(_C.pow, "pow")
remainder = _of_two(_C.remainder, "remainder")
subtract = _of_two(_C.sub, "subtract")

atan2 = _floats_of_two(_C.atan2, "atan2")
copysign = _floats_of_two(_C.copysign, "copysign")
hypot = _floats_of_two(_C.hypot, "hypot")
logaddexp = _floats_of_two(_C.logaddexp, "logaddexp")


def clip(x: Tensor, /, min: Any = None, max: Any = None) -> Tensor:
    """x between two bounds, numbers or tensors that broadcast with it; of x's dtype."""
    if min is None and max is None:
        return x.clone()
    bounds = [
        _C.full((), bound, dtype=x.dtype, device=x.device)
        if isinstance(bound, (int, float))
        else bound
        for bound in (min, max)
    ]
    return _C.clamp(x, *(None if bound is None else bound.to(x.dtype) for bound in bounds))


def where(condition: Tensor, x1: Tensor, x2: Tensor, /) -> Tensor:
    """x1 where the condition is true, else x2."""
    return _C.where(condition.to(bool_dtype), *promoted(x1, x2))
