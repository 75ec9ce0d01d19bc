"""embedding_bag: the sums, means or maxima of rows of a table, a bag of rows each."""

from __future__ import annotations

import math

from .. import _C
from .._C import Tensor
from . import functional


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The "sum", "mean" or "max" of bags of rows of weight (V, D) -> (B, D).

    input (B, L) names L rows for each bag; input (n,) with offsets (B,), int64, where each bag
    begins, names as many as fit; with include_last_offset there is one offset more, the end of the
    last. An empty bag is zeros. Rows padding_idx are left out. per_sample_weights, of input's
    shape, multiply the rows of a sum. The others as in embedding.
    Raises ValueError for shapes and modes that do not fit, NotImplementedError for
    per_sample_weights in another mode than "sum".
    """
    bag, count = _bags(input, offsets, include_last_offset)
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"embedding_bag: mode is 'sum', 'mean' or 'max', not {mode!r}")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("embedding_bag: scale_grad_by_freq does not go with mode 'max'")
    if per_sample_weights is not None:
        if per_sample_weights.shape != input.shape:
            raise ValueError(
                f"embedding_bag: per_sample_weights {tuple(per_sample_weights.shape)} must have "
                f"the shape of input, {tuple(input.shape)}"
            )
        if mode != "sum":
            raise NotImplementedError(
                f"embedding_bag: per_sample_weights are for mode 'sum', not {mode!r}"
            )
    flat = input.reshape(-1)
    rows = functional.embedding(
        flat, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse
    )
    used = _C.ones(flat.shape, dtype=_C.bool, device=flat.device)
    if padding_idx is not None:
        used = flat != functional.row_of("embedding_bag", padding_idx, weight.shape[0])
    if mode == "max":
        return _largest(rows, bag, used, count)
    scale = used.to(rows.dtype)
    sums = _C.zeros(count, rows.shape[1], dtype=rows.dtype, device=rows.device)
    if per_sample_weights is not None:
        scale = scale * per_sample_weights.reshape(-1)
    sums = sums.index_add(0, bag, rows * scale[:, None])
    if mode == "sum":
        return sums
    sizes = _C.zeros(count, dtype=rows.dtype, device=rows.device).index_add(0, bag, scale)
    return sums / sizes.clamp(min=1)[:, None]


def _bags(input: Tensor, offsets: Tensor | None, include_last: bool) -> tuple[Tensor, int]:
    """For each of input's elements the number of its bag, and how many bags there are."""
    op = "embedding_bag"
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(
                f"{op}: input {tuple(input.shape)} has a bag in each row; leave offsets out"
            )
        count, length = input.shape
        return _C.arange(count, device=input.device).repeat_interleave(length), count
    if input.ndim != 1:
        raise ValueError(f"{op}: input has 1 or 2 dims, and this one is {tuple(input.shape)}")
    if offsets is None or offsets.ndim != 1:
        given = "none" if offsets is None else str(tuple(offsets.shape))
        raise ValueError(f"{op}: input {tuple(input.shape)} needs offsets (B,), not {given}")
    size = input.shape[0]
    begins = offsets[:-1] if include_last else offsets
    if not _C._is_recording() and offsets.shape[0] > 0:
        if offsets[0].item() != 0:
            raise RuntimeError(f"{op}: offsets[0] is {offsets[0].item()}, and must be 0")
        if offsets[-1].item() > size:
            raise RuntimeError(
                f"{op}: offsets[-1] is {offsets[-1].item()}, and input has {size} elements"
            )
    places = _C.arange(size, dtype=begins.dtype, device=input.device)
    return _C.searchsorted(begins, places, right=True) - 1, begins.shape[0]


def _largest(rows: Tensor, bag: Tensor, used: Tensor, count: int) -> Tensor:
    """The largest of each bag's rows, column by column; the first of several takes the gradient.

    All rows (1, n, D) are laid beside all bags (B, 1, 1).
    """
    size, width = rows.shape
    if size == 0:
        return _C.zeros(count, width, dtype=rows.dtype, device=rows.device)
    mine = (bag == _C.arange(count, device=bag.device)[:, None]).logical_and(used)  # (B, n)
    places = _C.where(mine[:, :, None], rows.detach(), -math.inf).argmax(1)  # (B, D)
    found = rows.gather(0, places)
    return _C.where(mine.any(1)[:, None], found, _C.zeros((), dtype=rows.dtype))
