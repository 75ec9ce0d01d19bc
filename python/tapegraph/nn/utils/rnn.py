"""Sequences of several lengths as one padded tensor, and back.

The letters: N the sequences, L the longest's length.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ... import _C
from ..._C import Tensor

__all__ = ["pad_sequence", "unpad_sequence"]


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
