"""Sequences of several lengths as one padded tensor, or packed, and back.

The letters: N the sequences, L the longest's length. Packed is time after time, without padding:

    padded (L, N)      a0 b0 c0      data          a0 b0 c0  a1 b1 c1  a2 b2  a3
                       a1 b1 c1      batch_sizes       3         3       2     1
                       a2 b2 .
                       a3 .  .

The longest comes first, so a step of a recurrent layer takes the first rows of the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ... import _C
from ..._C import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


def pad_sequence(
    sequences: Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """N tensors (L_i, ...) -> (L, N, ...), or (N, L, ...) with batch_first, that ends each in
    padding_value, or with padding_side="left" begins it so.

    -100 is the padding that cross_entropy leaves out. Each length makes another shape, so a
    compiled function is traced again when the longest is of a new length. Raises RuntimeError for
    no sequences, TypeError for what is no tensor, and RuntimeError for tensors that differ in more
    than their length.
    """
    given = list(sequences)
    if not given:
        raise RuntimeError("pad_sequence: there are no sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"pad_sequence: padding_side is 'left' or 'right', not {padding_side!r}")
    for k, one in enumerate(given):
        if not isinstance(one, Tensor):
            raise TypeError(f"pad_sequence: sequence {k} is no tensor, but {type(one).__name__}")
        if one.ndim == 0 or one.shape[1:] != given[0].shape[1:]:
            raise RuntimeError(
                f"pad_sequence: sequence {k} is {tuple(one.shape)}, and sequence 0 "
                f"{tuple(given[0].shape)}; only the first dim may differ"
            )
    longest = max(one.shape[0] for one in given)
    padded = []
    for one in given:
        room = longest - one.shape[0]
        ends = (room, 0) if padding_side == "left" else (0, room)
        # pad counts from the last dim: nothing for all but the first.
        padded.append(_C.pad(one, (*(0, 0) * (one.ndim - 1), *ends), value=padding_value))
    return _C.stack(padded, 0 if batch_first else 1)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False
) -> list[Tensor]:
    """The first lengths[i] of each sequence i of (L, N, ...), or of (N, L, ...) with batch_first.

    They are views. Raises ValueError if there are not N lengths of 0 to L.
    """
    by_sequence = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    counts = lengths.tolist() if isinstance(lengths, Tensor) else list(lengths)
    count, longest = by_sequence.shape[:2]
    if len(counts) != count or not all(0 <= c <= longest for c in counts):
        raise ValueError(
            f"unpad_sequence: {count} sequences of up to {longest} need as many lengths, each 0 to "
            f"{longest}, and not {counts}"
        )
    return [by_sequence[k, :c] for k, c in enumerate(counts)]


# ---- packed -------------------------------------------------------------------------------------


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """N sequences time after time: what pack_padded_sequence and pack_sequence make.

    data (sum of the lengths, ...); batch_sizes (L,), int64: how many sequences are so long;
    sorted_indices (N,): which sequence comes first, second, and so on, or None if they came in
    order; unsorted_indices: its inverse. RNN, LSTM and GRU take it and give one back. In a compiled
    function pack inside: its program depends on the lengths.
    """

    sizes: list[int]  # batch_sizes, where they are known

    def __new__(
        cls,
        data: Tensor,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if batch_sizes is None:  # data is the pair (data, batch_sizes)
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                raise AssertionError("PackedSequence: data is a pair, or batch_sizes is missing")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if isinstance(batch_sizes, Tensor) and batch_sizes.device.type != "cpu":
            raise ValueError(f"PackedSequence: batch_sizes is on {batch_sizes.device}, not the CPU")
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def known_sizes(self, op: str) -> list[int]:
        """batch_sizes as numbers. Raises RuntimeError for an argument of a compiled function."""
        if hasattr(self, "sizes"):
            return self.sizes
        if _C._is_recording():
            raise RuntimeError(
                f"{op}: a packed sequence has no lengths before the function runs; pack inside of "
                f"it, or pass the padded tensor"
            )
        return self.batch_sizes.tolist()

    def replaced(self, data: Tensor) -> PackedSequence:
        """Other data, packed alike."""
        alike = type(self)(data, *self[1:])
        if hasattr(self, "sizes"):
            alike.sizes = self.sizes
        return alike

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The data by Tensor.to, with the indices on its device; self if it is so already."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        moved = [None if i is None else i.to(data.device) for i in self[2:]]
        alike = type(self)(data, self.batch_sizes, *moved)
        if hasattr(self, "sizes"):
            alike.sizes = self.sizes
        return alike

    def double(self) -> PackedSequence:
        return self.to(_C.float64)

    def float(self) -> PackedSequence:
        return self.to(_C.float32)

    def half(self) -> PackedSequence:
        return self.to(_C.float16)

    def cpu(self) -> PackedSequence:
        return self.to("cpu")

    def cuda(self) -> PackedSequence:
        return self.to("cuda")

    @property
    def is_cuda(self) -> bool:
        return self.data.is_cuda


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """(N,) -> (N,), int64: inverse[permutation[i]] = i. None of None."""
    return None if permutation is None else permutation.argsort()


def pack_padded_sequence(
    input: Tensor,
    lengths: Tensor | Sequence[int],
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """(L, N, ...), or (N, L, ...) with batch_first, and N lengths -> packed.

    With enforce_sorted the lengths must come in falling order; else they are sorted here, and what
    is made of the packed sequence comes back in the order that they came in. Raises RuntimeError
    for another order, a length outside of 1 to L, or another number of lengths.
    """
    op = "pack_padded_sequence"
    if input.ndim < 2:
        raise IndexError(f"{op}: input {tuple(input.shape)} needs two dims or more")
    by_time = input.transpose(0, 1) if batch_first else input
    longest, count = by_time.shape[:2]
    if isinstance(lengths, Tensor) and _C._is_recording():
        raise RuntimeError(
            f"{op}: a program depends on the lengths, and those of a tensor are not known while it "
            f"is written; give a list of numbers"
        )
    counts = lengths.tolist() if isinstance(lengths, Tensor) else [int(n) for n in lengths]
    if count == 0 or longest == 0:
        raise RuntimeError(f"{op}: input {tuple(input.shape)} holds no sequence")
    if len(counts) != count:
        raise RuntimeError(f"{op}: there are {count} sequences and {len(counts)} lengths")
    if not all(1 <= n <= longest for n in counts):
        raise RuntimeError(
            f"{op}: the lengths {counts} must be 1 to {longest}, for input {tuple(input.shape)}"
        )
    order = sorted(range(count), key=lambda k: -counts[k])
    if enforce_sorted and order != list(range(count)):
        raise RuntimeError(
            f"{op}: the lengths {counts} do not fall; say enforce_sorted=False, or sort them"
        )
    sizes = [sum(n > t for n in counts) for t in range(max(counts))]
    places = [t * count + k for t, size in enumerate(sizes) for k in order[:size]]
    at = _C.tensor(places, device=input.device)
    data = by_time.reshape(longest * count, *by_time.shape[2:]).index_select(0, at)
    by_length = None if enforce_sorted else _C.tensor(order, device=input.device)
    packed = PackedSequence(data, _C.tensor(sizes, device="cpu"), by_length)
    packed.sizes = sizes
    return packed


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """(L, N, ...), or (N, L, ...) with batch_first, that end in padding_value, and the N lengths.

    total_length: in place of the longest's length. Raises ValueError if that is longer.
    """
    op = "pad_packed_sequence"
    sizes = sequence.known_sizes(op)
    longest, count = len(sizes), sizes[0]
    if total_length is not None:
        if total_length < longest:
            raise ValueError(
                f"{op}: total_length is {total_length}, and the longest sequence has {longest}"
            )
        sizes = sizes + [0] * (total_length - longest)
    data = sequence.data
    rest = tuple(data.shape[1:])
    filling = _C.full((1, *rest), padding_value, dtype=data.dtype, device=data.device)
    # Row t of the padded tensor: the sizes[t] rows of time t, then the filling behind the data.
    places: list[list[int]] = []
    begin = 0
    for size in sizes:
        places.append([*range(begin, begin + size), *[data.shape[0]] * (count - size)])
        begin += size
    flat = _C.tensor([place for row in places for place in row], device=data.device)
    padded = _C.cat([data, filling]).index_select(0, flat).reshape(len(sizes), count, *rest)
    lengths = _C.tensor([sum(size > k for size in sizes) for k in range(count)], device="cpu")
    order = sequence.unsorted_indices
    if order is not None:
        padded, lengths = padded.index_select(1, order), lengths.index_select(0, order.cpu())
    return (padded.transpose(0, 1) if batch_first else padded), lengths


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """N tensors (L_i, ...) -> packed; as pack_padded_sequence(pad_sequence(sequences), ...)."""
    lengths = [one.shape[0] for one in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The N tensors (L_i, ...) again."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
