"""Recurrent layers: one cell's formula each, applied along time, layer upon layer.

The letters: L the length in time, N the batch, I the input's size, H the hidden size, D the
directions (2 if bidirectional), K the layers.
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


def _rnn_step(a: Tensor, h: Tensor, w_hh: Tensor, b_hh: Tensor | None, relu: bool) -> Tensor:
    """h' = tanh(a + W_hh h + b_hh), or relu."""
    a = a + functional.linear(h, w_hh, b_hh)
    return a.relu() if relu else a.tanh()


def _lstm_step(
    a: Tensor, h: Tensor, c: Tensor, w_hh: Tensor, b_hh: Tensor | None
) -> tuple[Tensor, Tensor]:
    """i, f, g, o = a + W_hh h + b_hh; c' = sigmoid(f) c + sigmoid(i) tanh(g);
    h' = sigmoid(o) tanh(c'). [Hochreiter & Schmidhuber 1997; Gers et al. 2000]"""
    i, f, g, o = _parts(a + functional.linear(h, w_hh, b_hh), 4)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def _gru_step(a: Tensor, h: Tensor, w_hh: Tensor, b_hh: Tensor | None) -> Tensor:
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


def _uniform_all(module: Module, hidden_size: int) -> None:
    """Every parameter uniform in (-1/sqrt(H), 1/sqrt(H))."""
    bound = 1 / math.sqrt(hidden_size) if hidden_size > 0 else 0.0
    for parameter in module.parameters():
        init.uniform_(parameter, -bound, bound)


def _check_input(module: Any, shape: tuple[int, ...], dims: tuple[int, int], forms: str) -> None:
    """ValueError for another number of dims; RuntimeError if the last is not of input_size."""
    op = type(module).__name__
    if len(shape) not in dims:
        raise ValueError(f"{op}: input is {forms}, not {shape}")
    if shape[-1] != module.input_size:
        raise RuntimeError(
            f"{op}: the last dim of input {shape} is {shape[-1]}, and input_size is "
            f"{module.input_size}"
        )


# ---- layers -------------------------------------------------------------------------------------


class _Recurrent(Module):
    """What RNN, LSTM and GRU share: parameters by layer and direction, and the walk in time."""

    __constants__: tuple[str, ...] = (
        "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout",
        "bidirectional",
    )  # fmt: skip
    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        functional.check_probability(type(self).__name__, dropout)
        for name, size in (("hidden_size", hidden_size), ("num_layers", num_layers)):
            if size < 1:
                raise ValueError(f"{type(self).__name__}: {name} must be 1 or more, not {size}")
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = dropout
        self.bidirectional = bidirectional
        for layer in range(num_layers):
            below = input_size if layer == 0 else hidden_size * self._directions
            for suffix in self._suffixes(layer):
                shapes = {"weight_ih": (below,), "weight_hh": (hidden_size,)}
                if bias:
                    shapes.update(bias_ih=(), bias_hh=())
                for name, columns in shapes.items():
                    made = _C.empty(
                        (self.gates * hidden_size, *columns), dtype=dtype, device=device
                    )
                    self.register_parameter(f"{name}_{suffix}", Parameter(made))
        self.reset_parameters()

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _suffixes(self, layer: int) -> list[str]:
        return [f"l{layer}", f"l{layer}_reverse"][: self._directions]

    def reset_parameters(self) -> None:
        _uniform_all(self, self.hidden_size)

    def _step(self, a: Tensor, state: tuple[Tensor, ...], w: Tensor, b: Any) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _walk(self, x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """x (L, N, I), each of states (K D, N, H) -> output (L, N, D H), the states at the end."""
        last: list[tuple[Tensor, ...]] = []
        for layer in range(self.num_layers):
            if layer > 0:
                x = functional.dropout(x, self.dropout, self.training)
            directions = []
            for suffix in self._suffixes(layer):
                state = tuple(s[len(last)] for s in states)
                part, state = self._direction(x, state, suffix)
                directions.append(part)
                last.append(state)
            x = _C.cat(directions, -1) if len(directions) > 1 else directions[0]
        return x, [_C.stack(list(parts)) for parts in zip(*last)]

    def _direction(
        self, x: Tensor, state: tuple[Tensor, ...], suffix: str
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """One layer, forwards or backwards in time -> (L, N, H) and the state at the end."""
        w_ih, w_hh = getattr(self, f"weight_ih_{suffix}"), getattr(self, f"weight_hh_{suffix}")
        b_ih = getattr(self, f"bias_ih_{suffix}") if self.bias else None
        b_hh = getattr(self, f"bias_hh_{suffix}") if self.bias else None
        a = functional.linear(x, w_ih, b_ih)  # for all times at once
        outputs: list[Any] = [None] * x.shape[0]
        times = range(x.shape[0])
        for t in reversed(times) if suffix.endswith("_reverse") else times:
            state = self._step(a[t], state, w_hh, b_hh)
            outputs[t] = state[0]
        return _C.stack(outputs), state

    def _forward(
        self, input: Tensor, states: Sequence[Tensor] | None, names: tuple[str, ...]
    ) -> Any:
        """Checks, puts time first and a batch in if there is none, and undoes both after."""
        op = type(self).__name__
        shape = tuple(input.shape)
        batched = len(shape) == 3
        order = "(N, L, I)" if self.batch_first else "(L, N, I)"
        _check_input(self, shape, (2, 3), f"{order} or (L, I)")
        x = input if batched else input.unsqueeze(1)
        if batched and self.batch_first:
            x = x.transpose(0, 1)
        if x.shape[0] == 0:
            raise RuntimeError(f"{op}: input {shape} is of length 0")
        want = (self.num_layers * self._directions, x.shape[1], self.hidden_size)
        if states is None:
            zero = _C.zeros(want, dtype=input.dtype, device=input.device)
            states = [zero] * len(names)
        else:
            given = want if batched else (want[0], want[2])
            for name, state in zip(names, states):
                if tuple(state.shape) != given:
                    raise RuntimeError(
                        f"{op}: {name} is {tuple(state.shape)}, and for input {shape} it must be "
                        f"{given}"
                    )
            states = [s if batched else s.unsqueeze(1) for s in states]
        output, last = self._walk(x, list(states))
        if not batched:
            return output.squeeze(1), [s.squeeze(1) for s in last]
        return (output.transpose(0, 1) if self.batch_first else output), last

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        for name, default in (("num_layers", 1), ("bias", True), ("batch_first", False),
                              ("dropout", 0), ("bidirectional", False)):  # fmt: skip
            if getattr(self, name) != default:
                text += f", {name}={getattr(self, name)}"
        return text


class RNN(_Recurrent):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu, along time.

    RNN(...)(input, hx=None) -> output, h_n. input (L, N, I), or (N, L, I) with batch_first, or
    (L, I) for no batch; hx (K D, N, H), zeros if left out. output (L, N, D H) has the last layer's
    h at every time, h_n (K D, N, H) every layer's at the end. Dropout is between the layers.
    Raises RuntimeError for other sizes, ValueError for other numbers of dims.
    """

    __constants__ = (*_Recurrent.__constants__, "nonlinearity")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        _check_nonlinearity("RNN", nonlinearity)
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device,
            dtype,
        )  # fmt: skip
        self.nonlinearity = nonlinearity

    def _step(self, a: Tensor, state: tuple[Tensor, ...], w: Tensor, b: Any) -> tuple[Tensor, ...]:
        return (_rnn_step(a, state[0], w, b, self.nonlinearity == "relu"),)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        output, last = self._forward(input, None if hx is None else [hx], ("hx",))
        return output, last[0]


class LSTM(_Recurrent):
    """i, f, g, o = W_ih x + b_ih + W_hh h + b_hh; c' = sigmoid(f) c + sigmoid(i) tanh(g);
    h' = sigmoid(o) tanh(c').

    LSTM(...)(input, hx=None) -> output, (h_n, c_n). Shapes and arguments as in RNN; hx is a pair
    (h_0, c_0), and the weights are (4 H, ...), the gates in the order above.
    """

    gates = 4

    def _step(self, a: Tensor, state: tuple[Tensor, ...], w: Tensor, b: Any) -> tuple[Tensor, ...]:
        return _lstm_step(a, *state, w, b)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        if hx is not None and (isinstance(hx, Tensor) or len(hx) != 2):
            raise RuntimeError("LSTM: hx is a pair (h_0, c_0)")
        output, last = self._forward(input, hx, ("h_0", "c_0"))
        return output, (last[0], last[1])


class GRU(_Recurrent):
    """r, z = sigmoid(W_ih x + b_ih + W_hh h + b_hh) for the first two gates;
    n = tanh(W_in x + b_in + r (W_hn h + b_hn)); h' = (1 - z) n + z h.

    GRU(...)(input, hx=None) -> output, h_n. Shapes and arguments as in RNN; the weights are
    (3 H, ...), in the order r, z, n.
    """

    gates = 3

    def _step(self, a: Tensor, state: tuple[Tensor, ...], w: Tensor, b: Any) -> tuple[Tensor, ...]:
        return (_gru_step(a, state[0], w, b),)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        output, last = self._forward(input, None if hx is None else [hx], ("hx",))
        return output, last[0]


def _check_nonlinearity(op: str, nonlinearity: str) -> None:
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"{op}: nonlinearity is 'tanh' or 'relu', not {nonlinearity!r}")


# ---- single steps -------------------------------------------------------------------------------


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
        _uniform_all(self, self.hidden_size)

    def _step(self, a: Tensor, states: list[Tensor]) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _forward(self, input: Tensor, states: Sequence[Tensor] | None, count: int) -> list[Tensor]:
        op, shape = type(self).__name__, tuple(input.shape)
        _check_input(self, shape, (1, 2), "(N, I) or (I,)")
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
        _check_nonlinearity("RNNCell", nonlinearity)
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity

    def _step(self, a: Tensor, states: list[Tensor]) -> tuple[Tensor, ...]:
        relu = self.nonlinearity == "relu"
        return (_rnn_step(a, states[0], self.weight_hh, self.bias_hh, relu),)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._forward(input, None if hx is None else [hx], 1)[0]

    def extra_repr(self) -> str:
        last = "" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}"
        return super().extra_repr() + last


class LSTMCell(_Cell):
    """One step of LSTM: input (N, I), hx a pair of (N, H) -> (h', c'), each (N, H)."""

    gates = 4

    def _step(self, a: Tensor, states: list[Tensor]) -> tuple[Tensor, ...]:
        return _lstm_step(a, states[0], states[1], self.weight_hh, self.bias_hh)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        h, c = self._forward(input, hx, 2)
        return h, c


class GRUCell(_Cell):
    """One step of GRU: input (N, I), hx (N, H) -> h' (N, H)."""

    gates = 3

    def _step(self, a: Tensor, states: list[Tensor]) -> tuple[Tensor, ...]:
        return (_gru_step(a, states[0], self.weight_hh, self.bias_hh),)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._forward(input, None if hx is None else [hx], 1)[0]
