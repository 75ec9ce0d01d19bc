"""Embedding and EmbeddingBag: a table of vectors."""

from __future__ import annotations

from typing import Any

from .. import _C
from .._C import Tensor
from . import functional, init
from .module import Module
from .parameter import Parameter


class Embedding(Module):
    """input (...) int64, each in 0..num_embeddings-1 -> weight[input] (..., embedding_dim).

    weight (num_embeddings, embedding_dim) starts normal(0, 1). The row padding_idx, if one is
    given, starts as zeros and gets no gradient. With max_norm, rows that are looked up are first
    made no longer than that, in the norm of norm_type. With scale_grad_by_freq a row's gradient is
    divided by how often it was looked up. Raises IndexError for an index outside.
    """

    __constants__ = ("padding_idx", "max_norm", "norm_type")

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if padding_idx is not None:
            padding_idx = functional.row_of("Embedding", padding_idx, num_embeddings)
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        self.weight = Parameter(_C.empty(num_embeddings, embedding_dim, dtype=dtype, device=device))
        self.reset_parameters()

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """Of a table (num_embeddings, embedding_dim), which it shares; trained unless freeze."""
        if embeddings.ndim != 2:
            raise ValueError(
                f"from_pretrained: embeddings are (rows, columns), not {tuple(embeddings.shape)}"
            )
        options = {"dtype": embeddings.dtype, "device": embeddings.device}
        made = cls(
            *embeddings.shape, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse,
            **options,
        )  # fmt: skip
        made.weight = Parameter(embeddings, requires_grad=not freeze)
        return made

    def reset_parameters(self) -> None:
        init.normal_(self.weight)
        if self.padding_idx is not None:
            init.zeros_(self.weight.detach()[self.padding_idx])

    def forward(self, input: Tensor) -> Tensor:
        return functional.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type,
            self.scale_grad_by_freq, self.sparse,
        )  # fmt: skip

    def extra_repr(self) -> str:
        rest = f", padding_idx={self.padding_idx}" if self.padding_idx is not None else ""
        if self.max_norm is not None:
            rest += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            rest += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            rest += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        return f"{self.num_embeddings}, {self.embedding_dim}{rest}"


class EmbeddingBag(Module):
    """functional.embedding_bag of its own weight (num_embeddings, embedding_dim).

    It starts normal(0, 1), and the row padding_idx, if one is given, as zeros.
    forward(input, offsets=None, per_sample_weights=None) -> (B, embedding_dim).
    """

    __constants__ = (
        "num_embeddings", "embedding_dim", "max_norm", "norm_type", "scale_grad_by_freq", "mode",
        "sparse", "include_last_offset", "padding_idx",
    )  # fmt: skip

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if padding_idx is not None:
            padding_idx = functional.row_of("EmbeddingBag", padding_idx, num_embeddings)
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset
        self.padding_idx = padding_idx
        if _weight is None:
            _weight = _C.empty(num_embeddings, embedding_dim, dtype=dtype, device=device)
            self.weight = Parameter(_weight)
            self.reset_parameters()
        else:
            self.weight = Parameter(_weight)

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, max_norm: float | None = None, **options: Any
    ) -> EmbeddingBag:
        """Of a table (num_embeddings, embedding_dim), which it shares; trained unless freeze."""
        if embeddings.ndim != 2:
            raise ValueError(
                f"from_pretrained: embeddings are (rows, columns), not {tuple(embeddings.shape)}"
            )
        made = cls(*embeddings.shape, max_norm=max_norm, _weight=embeddings, **options)
        made.weight.requires_grad_(not freeze)
        return made

    def reset_parameters(self) -> None:
        init.normal_(self.weight)
        if self.padding_idx is not None:
            init.zeros_(self.weight.detach()[self.padding_idx])

    def forward(
        self,
        input: Tensor,
        offsets: Tensor | None = None,
        per_sample_weights: Tensor | None = None,
    ) -> Tensor:
        return functional.embedding_bag(
            input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq,
            self.mode, self.sparse, per_sample_weights, self.include_last_offset, self.padding_idx,
        )  # fmt: skip

    def extra_repr(self) -> str:
        rest = "" if self.max_norm is None else f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            rest += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            rest += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        rest += f", mode={self.mode!r}"
        if self.padding_idx is not None:
            rest += f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{rest}"
