"""Second names of functions, which PyTorch has: tg.arctan is tg.atan, and x.arctan_ is x.atan_."""

from . import _C
from ._C import Tensor

absolute = _C.abs
arccos = _C.acos
arccosh = _C.acosh
arcsin = _C.asin
arcsinh = _C.asinh
arctan = _C.atan
arctan2 = _C.atan2
arctanh = _C.atanh
clip = _C.clamp
concat = _C.cat
concatenate = _C.cat
divide = _C.div
fix = _C.trunc
ger = _C.outer
greater = _C.gt
greater_equal = _C.ge
less = _C.lt
less_equal = _C.le
multiply = _C.mul
negative = _C.neg
not_equal = _C.ne
subtract = _C.sub
true_divide = _C.div

for _name, _op in list(globals().items()):
    if type(_op) is type(_C.exp):
        for _end in ("", "_"):
            if hasattr(Tensor, _op.__name__ + _end):
                setattr(Tensor, _name + _end, getattr(Tensor, _op.__name__ + _end))
