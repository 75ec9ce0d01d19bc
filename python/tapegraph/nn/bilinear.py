"""Bilinear: a product of two inputs."""

from __future__ import annotations

import math
from typing import Any

from .. import _C
from .._C import Tensor
from . import functional, init
from .module import Module
from .parameter import Parameter


class Bilinear(Module):
    """x1 (..., in1), x2 (..., in2) -> (..., out): y_o = x1 weight[o] x2 + bias[o].

    weight (out, in1, in2) and bias (out,) start uniform in (-1/sqrt(in1), 1/sqrt(in1)).
    """

    __constants__ = ("in1_features", "in2_features", "out_features")

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"Bilinear: in1_features must be above 0, and is {in1_features}")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        make = {"dtype": dtype, "device": device}
        self.weight = Parameter(_C.empty(out_features, in1_features, in2_features, **make))
        self.bias = Parameter(_C.empty(out_features, **make)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return functional.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
