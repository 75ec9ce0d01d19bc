"""Recurrent layers in one step: the formula of each cell, and the cell as a module.

The letters: N the batch, I the input's size, H the hidden size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import _C
from .._C import Tensor
from . import functional, init
from .module import Module
from .parameter import Parameter

# ---- the formulas -------------------------------------------------------------------------------
#
# Each takes a (N, gates H), which is W_ih x + b_ih, and the state, and gives the new state.


def rnn_step(a: Tensor, h: Tensor, w_hh: Tensor, b_hh: Tensor | None, relu: bool) -> Tensor:
    """h' = tanh(a + W_hh h + b_hh), or relu."""
    a = a + functional.linear(h, w_hh, b_hh)
    return a.relu() if relu else a.tanh()


def lstm_step(
    a: Tensor, h: Tensor, c: Tensor, w_hh: Tensor, b_hh: Tensor | None
) -> tuple[Tensor, Tensor]:
    """i, f, g, o = a + W_hh h + b_hh; c' = sigmoid(f) c + sigmoid(i) tanh(g);
    h' = sigmoid(o) tanh(c'). [Hochreiter & Schmidhuber 1997; Gers et al. 2000]"""
    i, f, g, o = _parts(a + functional.linear(h, w_hh, b_hh), 4)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def gru_step(a: Tensor, h: Tensor, w_hh: Tensor, b_hh: Tensor | None) -> Tensor:
    """r = sigmoid(a_r + b_r), z = sigmoid(a_z + b_z), n = tanh(a_n + r b_n), all b = W_hh h + b_hh;
    h' = (1 - z) n + z h. [Cho et al. 2014]"""
    a_r, a_z, a_n = _parts(a, 3)
    b_r, b_z, b_n = _parts(functional.linear(h, w_hh, b_hh), 3)
    z = (a_z + b_z).sigmoid()
    n = (a_n + (a_r + b_r).sigmoid() * b_n).tanh()
    return (1 - z) * n + z * h


def _parts(x: Tensor, count: int) -> list[Tensor]:
    """(N, count H) -> count times (N, H)."""
    size = x.shape[-1] // count
    return [x[:, k * size : (k + 1) * size] for k in range(count)]


def uniform_all(module: Module, hidden_size: int) -> None:
    """Every parameter uniform in (-1/sqrt(H), 1/sqrt(H))."""
    bound = 1 / math.sqrt(hidden_size) if hidden_size > 0 else 0.0
    for parameter in module.parameters():
        init.uniform_(parameter, -bound, bound)


def check_input(module: Any, shape: tuple[int, ...], dims: tuple[int, int], forms: str) -> None:
    """ValueError for another number of dims; RuntimeError if the last is not of input_size."""
    op = type(module).__name__
    if len(shape) not in dims:
        raise ValueError(f"{op}: input is {forms}, not {shape}")
    if shape[-1] != module.input_size:
        raise RuntimeError(
            f"{op}: the last dim of input {shape} is {shape[-1]}, and input_size is "
            f"{module.input_size}"
        )


def check_nonlinearity(op: str, nonlinearity: str) -> None:
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"{op}: nonlinearity is 'tanh' or 'relu', not {nonlinearity!r}")


# ---- the modules --------------------------------------------------------------------------------


class _Cell(Module):
    """Weights (gates H, I) and (gates H, H); input (N, I) or (I,), states (N, H) or (H,)."""

    __constants__: tuple[str, ...] = ("input_size", "hidden_size")
    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows, make = self.gates * hidden_size, {"dtype": dtype, "device": device}
        self.weight_ih = Parameter(_C.empty(rows, input_size, **make))
        self.weight_hh = Parameter(_C.empty(rows, hidden_size, **make))
        self.bias_ih = Parameter(_C.empty(rows, **make)) if bias else None
        self.bias_hh = Parameter(_C.empty(rows, **make)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        uniform_all(self, self.hidden_size)

    def _step(self, a: Tensor, states: list[Tensor]) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _forward(self, input: Tensor, states: Sequence[Tensor] | None, count: int) -> list[Tensor]:
        op, shape = type(self).__name__, tuple(input.shape)
        check_input(self, shape, (1, 2), "(N, I) or (I,)")
        want = (*shape[:-1], self.hidden_size)
        if states is None:
            states = [_C.zeros(want, dtype=input.dtype, device=input.device)] * count
        for state in states:
            if tuple(state.shape) != want:
                raise RuntimeError(
                    f"{op}: hx is {tuple(state.shape)}, and for input {shape} it must be {want}"
                )
        x = input.reshape(-1, self.input_size)
        flat = [s.reshape(-1, self.hidden_size) for s in states]
        new = self._step(functional.linear(x, self.weight_ih, self.bias_ih), flat)
        return [s.reshape(*want) for s in new]

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(_Cell):
    """One step of RNN: input (N, I), hx (N, H), zeros if left out -> h' (N, H)."""

    __constants__ = (*_Cell.__constants__, "nonlinearity")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        check_nonlinearity("RNNCell", nonlinearity)
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity

    def _step(self, a: Tensor, states: list[Tensor]) -> tuple[Tensor, ...]:
        relu = self.nonlinearity == "relu"
        return (rnn_step(a, states[0], self.weight_hh, self.bias_hh, relu),)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._forward(input, None if hx is None else [hx], 1)[0]

    def extra_repr(self) -> str:
        last = "" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}"
        return super().extra_repr() + last


class LSTMCell(_Cell):
    """One step of LSTM: input (N, I), hx a pair of (N, H) -> (h', c'), each (N, H)."""

    gates = 4

    def _step(self, a: Tensor, states: list[Tensor]) -> tuple[Tensor, ...]:
        return lstm_step(a, states[0], states[1], self.weight_hh, self.bias_hh)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        h, c = self._forward(input, hx, 2)
        return h, c


class GRUCell(_Cell):
    """One step of GRU: input (N, I), hx (N, H) -> h' (N, H)."""

    gates = 3

    def _step(self, a: Tensor, states: list[Tensor]) -> tuple[Tensor, ...]:
        return (gru_step(a, states[0], self.weight_hh, self.bias_hh),)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._forward(input, None if hx is None else [hx], 1)[0]
