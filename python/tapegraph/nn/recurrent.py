"""Recurrent layers: one cell's formula each, applied along time, layer upon layer.

The letters: L the length in time, N the batch, I the input's size, H the hidden size, P the size of
what goes out (H, or LSTM's proj_size), D the directions (2 if bidirectional), K the layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _C
from .._C import Tensor
from . import functional
from .module import Module
from .parameter import Parameter
from .recurrent_cells import (
    check_input,
    check_nonlinearity,
    gru_step,
    lstm_step,
    rnn_step,
    uniform_all,
)
from .utils.rnn import PackedSequence

# ---- layers -------------------------------------------------------------------------------------


class _Recurrent(Module):
    """What RNN, LSTM and GRU share: parameters by layer and direction, and the walk in time."""

    __constants__: tuple[str, ...] = (
        "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout",
        "bidirectional", "proj_size",
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
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        functional.check_probability(type(self).__name__, dropout)
        for name, size in (("hidden_size", hidden_size), ("num_layers", num_layers)):
            if size < 1:
                raise ValueError(f"{type(self).__name__}: {name} must be 1 or more, not {size}")
        if proj_size and not isinstance(self, LSTM):
            raise ValueError(f"{type(self).__name__}: proj_size is for LSTM alone")
        if not 0 <= proj_size < hidden_size:
            raise ValueError(
                f"{type(self).__name__}: proj_size is {proj_size}, and must be 0 to "
                f"{hidden_size - 1}, for hidden_size {hidden_size}"
            )
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = dropout
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        rows, out = self.gates * hidden_size, proj_size or hidden_size
        for layer in range(num_layers):
            below = input_size if layer == 0 else out * self._directions
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (rows, below),
                "weight_hh": (rows, out),
            }
            if bias:
                shapes.update(bias_ih=(rows,), bias_hh=(rows,))
            if proj_size:
                shapes["weight_hr"] = (proj_size, hidden_size)
            for suffix in self._suffixes(layer):
                for name, shape in shapes.items():
                    made = _C.empty(shape, dtype=dtype, device=device)
                    self.register_parameter(f"{name}_{suffix}", Parameter(made))
        self.reset_parameters()

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _suffixes(self, layer: int) -> list[str]:
        return [f"l{layer}", f"l{layer}_reverse"][: self._directions]

    def reset_parameters(self) -> None:
        uniform_all(self, self.hidden_size)

    def _step(self, a: Tensor, state: tuple[Tensor, ...], w: Tensor, b: Any) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _walk(
        self, x: Tensor, states: list[Tensor], sizes: list[int] | None
    ) -> tuple[Tensor, list[Tensor]]:
        """x (L, N, I), each of states (K D, N, H) -> output (L, N, D P), the states at the end.

        With sizes x and the output are packed: (sum of the sizes, ...).
        """
        last: list[tuple[Tensor, ...]] = []
        for layer in range(self.num_layers):
            if layer > 0:
                x = functional.dropout(x, self.dropout, self.training)
            directions = []
            for suffix in self._suffixes(layer):
                state = tuple(s[len(last)] for s in states)
                part, state = self._direction(x, state, suffix, sizes)
                directions.append(part)
                last.append(state)
            x = _C.cat(directions, -1) if len(directions) > 1 else directions[0]
        return x, [_C.stack(list(parts)) for parts in zip(*last)]

    def _direction(
        self, x: Tensor, start: tuple[Tensor, ...], suffix: str, sizes: list[int] | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """One layer, forwards or backwards in time -> (L, N, P), or packed, and the last states."""
        w_ih, w_hh = getattr(self, f"weight_ih_{suffix}"), getattr(self, f"weight_hh_{suffix}")
        b_ih = getattr(self, f"bias_ih_{suffix}") if self.bias else None
        b_hh = getattr(self, f"bias_hh_{suffix}") if self.bias else None
        w_hr = getattr(self, f"weight_hr_{suffix}") if self.proj_size else None
        backwards = suffix.endswith("_reverse")
        a = functional.linear(x, w_ih, b_ih)  # for all times at once
        rows = list(a.unbind(0) if sizes is None else a.split(sizes))
        ended: list[tuple[Tensor, ...]] = []  # of the sequences that are shorter
        state = tuple(s[:0] for s in start) if backwards and sizes is not None else start
        outputs: list[Any] = [None] * len(rows)
        for t in reversed(range(len(rows))) if backwards else range(len(rows)):
            if sizes is not None:
                state = _of_rows(state, sizes[t], start, ended)
            state = self._step(rows[t], state, w_hh, b_hh)
            if w_hr is not None:
                state = (functional.linear(state[0], w_hr), *state[1:])
            outputs[t] = state[0]
        if ended:
            state = tuple(_C.cat(list(parts)) for parts in zip(state, *reversed(ended)))
        return (_C.stack(outputs) if sizes is None else _C.cat(outputs)), state

    def _forward(
        self,
        input: Tensor | PackedSequence,
        states: Sequence[Tensor] | None,
        names: tuple[str, ...],
    ) -> Any:
        """Checks, puts time first and a batch in if there is none, and undoes both after."""
        op = type(self).__name__
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, states, names)
        shape = tuple(input.shape)
        batched = len(shape) == 3
        order = "(N, L, I)" if self.batch_first else "(L, N, I)"
        check_input(self, shape, (2, 3), f"{order} or (L, I)")
        x = input if batched else input.unsqueeze(1)
        if batched and self.batch_first:
            x = x.transpose(0, 1)
        if x.shape[0] == 0:
            raise RuntimeError(f"{op}: input {shape} is of length 0")
        start = self._start(x, x.shape[1], states, names, shape)
        output, last = self._walk(x, start, None)
        if not batched:
            return output.squeeze(1), [s.squeeze(1) for s in last]
        return (output.transpose(0, 1) if self.batch_first else output), last

    def _forward_packed(
        self, input: PackedSequence, states: Sequence[Tensor] | None, names: tuple[str, ...]
    ) -> Any:
        """The sequences are sorted by their length, and the states are not: they go along."""
        op = type(self).__name__
        check_input(self, tuple(input.data.shape), (2,), "of (L, I) each")
        sizes = input.known_sizes(op)
        start = self._start(
            input.data, sizes[0], states, names, (len(sizes), sizes[0], self.input_size)
        )
        order, back = input.sorted_indices, input.unsorted_indices
        if order is not None:
            start = [s.index_select(1, order) for s in start]
        output, last = self._walk(input.data, start, sizes)
        if back is not None:
            last = [s.index_select(1, back) for s in last]
        return input.replaced(output), last

    def _start(
        self,
        x: Tensor,
        count: int,
        states: Sequence[Tensor] | None,
        names: tuple[str, ...],
        shape: tuple[int, ...],
    ) -> list[Tensor]:
        """The states at the start, each (K D, N, its size): those given, or zeros."""
        op, batched = type(self).__name__, len(shape) == 3
        start = []
        for i, name in enumerate(names):
            size = self.proj_size if self.proj_size and i == 0 else self.hidden_size
            want = (self.num_layers * self._directions, count, size)
            if states is None:
                start.append(_C.zeros(want, dtype=x.dtype, device=x.device))
                continue
            given = want if batched else (want[0], size)
            if tuple(states[i].shape) != given:
                raise RuntimeError(
                    f"{op}: {name} is {tuple(states[i].shape)}, and for input {shape} it must be "
                    f"{given}"
                )
            start.append(states[i] if batched else states[i].unsqueeze(1))
        return start

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        for name, default in (("proj_size", 0), ("num_layers", 1), ("bias", True),
                              ("batch_first", False), ("dropout", 0),
                              ("bidirectional", False)):  # fmt: skip
            if getattr(self, name) != default:
                text += f", {name}={getattr(self, name)}"
        return text


def _of_rows(
    state: tuple[Tensor, ...],
    count: int,
    start: tuple[Tensor, ...],
    ended: list[tuple[Tensor, ...]],
) -> tuple[Tensor, ...]:
    """The states of the first `count` sequences: some have ended, or, backwards in time, begin."""
    have = state[0].shape[0]
    if count < have:
        ended.append(tuple(s[count:] for s in state))
        return tuple(s[:count] for s in state)
    if count > have:
        return tuple(_C.cat([s, z[have:count]]) for s, z in zip(state, start))
    return state


class RNN(_Recurrent):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu, along time.

    RNN(...)(input, hx=None) -> output, h_n. input (L, N, I), or (N, L, I) with batch_first, or
    (L, I) for no batch, or a PackedSequence; hx (K D, N, H), zeros if left out. output (L, N, D H),
    or packed, has the last layer's h at every time, h_n (K D, N, H) every layer's at its
    sequence's end. Dropout is between the layers. Raises RuntimeError for other sizes, ValueError
    for other numbers of dims.
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
        check_nonlinearity("RNN", nonlinearity)
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0,
            device, dtype,
        )  # fmt: skip
        self.nonlinearity = nonlinearity

    def _step(self, a: Tensor, state: tuple[Tensor, ...], w: Tensor, b: Any) -> tuple[Tensor, ...]:
        return (rnn_step(a, state[0], w, b, self.nonlinearity == "relu"),)

    def forward(
        self, input: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Any, Tensor]:
        output, last = self._forward(input, None if hx is None else [hx], ("hx",))
        return output, last[0]


class LSTM(_Recurrent):
    """i, f, g, o = W_ih x + b_ih + W_hh h + b_hh; c' = sigmoid(f) c + sigmoid(i) tanh(g);
    h' = sigmoid(o) tanh(c').

    LSTM(...)(input, hx=None) -> output, (h_n, c_n). Shapes and arguments as in RNN; hx is a pair
    (h_0, c_0), and the weights are (4 H, ...), the gates in the order above. With proj_size the h
    that goes out and back in is W_hr h', with W_hr (P, H). [Sak, Senior & Beaufays 2014]
    """

    gates = 4

    def _step(self, a: Tensor, state: tuple[Tensor, ...], w: Tensor, b: Any) -> tuple[Tensor, ...]:
        return lstm_step(a, *state, w, b)

    def forward(
        self, input: Tensor | PackedSequence, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Any, tuple[Tensor, Tensor]]:
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
        return (gru_step(a, state[0], w, b),)

    def forward(
        self, input: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Any, Tensor]:
        output, last = self._forward(input, None if hx is None else [hx], ("hx",))
        return output, last[0]
