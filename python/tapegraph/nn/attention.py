"""Attention, and the layer of a transformer that is made of it.

The letters: L the length of the queries, S that of the keys, N the batch, E the embedding's size,
H the heads.
"""

from __future__ import annotations

import copy
import math
from typing import Any, Callable

from .. import _C
from .._C import Tensor
from . import functional, init
from .containers import ModuleList
from .dropout import Dropout
from .layers import Linear
from .module import Module
from .normalization import LayerNorm
from .parameter import Parameter


class MultiheadAttention(Module):
    """H times scaled_dot_product_attention, each on its own E / H columns of projections.

    query (L, N, E), key (S, N, kdim), value (S, N, vdim), or with batch_first N before L and S, or
    without N. The result is (output, weights): output as query, weights (N, L, S), the mean over
    the heads, or (N, H, L, S) without average_attn_weights, or None without need_weights.

    attn_mask (L, S) or (N H, L, S) and key_padding_mask (N, S) are of bool, True where *not* to
    look (the opposite of scaled_dot_product_attention), or of floats to add. A query that may look
    nowhere gets zeros. is_causal says that attn_mask is causal: without need_weights and
    key_padding_mask it is then not looked at. Without an attn_mask it raises RuntimeError, as do
    shapes that do not fit. add_bias_kv: a learnt key and value, bias_k and bias_v (1, 1, E),
    stand behind the others; add_zero_attn: and then a key and value of zeros. All queries may look
    at them, and the weights have a column more for each.
    [Vaswani et al. 2017, Attention is all you need, 3.2.2]
    """

    __constants__ = ("embed_dim", "num_heads", "dropout", "batch_first", "kdim", "vdim")

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if embed_dim < 1 or num_heads < 1 or embed_dim % num_heads:
            raise ValueError(
                f"MultiheadAttention: embed_dim {embed_dim} is no multiple of num_heads {num_heads}"
            )
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        make = {"dtype": dtype, "device": device}
        if self.kdim == embed_dim and self.vdim == embed_dim:
            self.in_proj_weight = Parameter(_C.empty(3 * embed_dim, embed_dim, **make))
        else:
            self.in_proj_weight = None
            self.q_proj_weight = Parameter(_C.empty(embed_dim, embed_dim, **make))
            self.k_proj_weight = Parameter(_C.empty(embed_dim, self.kdim, **make))
            self.v_proj_weight = Parameter(_C.empty(embed_dim, self.vdim, **make))
        self.in_proj_bias = Parameter(_C.empty(3 * embed_dim, **make)) if bias else None
        self.bias_k = Parameter(_C.empty(1, 1, embed_dim, **make)) if add_bias_kv else None
        self.bias_v = Parameter(_C.empty(1, 1, embed_dim, **make)) if add_bias_kv else None
        self.add_zero_attn = add_zero_attn
        self.out_proj = Linear(embed_dim, embed_dim, bias, **make)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for weight in self._parameters.values():
            if weight is not None and weight.ndim == 2:
                init.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for token in (self.bias_k, self.bias_v):
            if token is not None:
                init.xavier_normal_(token)

    def _projections(self) -> list[tuple[Tensor, Tensor | None]]:
        """The weight (E, ...) and bias (E,) of queries, keys and values."""
        thirds = [slice(k * self.embed_dim, (k + 1) * self.embed_dim) for k in range(3)]
        whole = self.in_proj_weight
        if whole is None:
            weights = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        else:
            weights = [whole[third] for third in thirds]
        bias = self.in_proj_bias
        return [(w, None if bias is None else bias[third]) for w, third in zip(weights, thirds)]

    def _heads(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """x (N, L, ...) -> (N, H, L, E / H)."""
        y = functional.linear(x, weight, bias)
        n, length, _ = y.shape
        return y.reshape(n, length, self.num_heads, -1).transpose(1, 2)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        if is_causal and attn_mask is None:
            raise RuntimeError("MultiheadAttention: is_causal needs the attn_mask that is causal")
        batched = query.ndim == 3
        given = [query, key, value]
        if not batched:
            given = [x.unsqueeze(0) for x in given]
            if key_padding_mask is not None:
                key_padding_mask = key_padding_mask.unsqueeze(0)
        elif not self.batch_first:
            given = [x.transpose(0, 1) for x in given]
        self._check(*given)
        q, k, v = (self._heads(x, *p) for x, p in zip(given, self._projections()))
        mask = self._mask(q, k, key_padding_mask, attn_mask)
        more = self.bias_k is not None or self.add_zero_attn
        if is_causal and key_padding_mask is None and not need_weights and not more:
            mask = None  # the hint says the same, and "cuda" needs no mask then
        else:
            is_causal = False
        k, v, mask = self._with_more_keys(k, v, mask)
        dropout_p = self.dropout if self.training else 0.0
        if need_weights:
            output, weights = _C._attention_and_weights(q, k, v, mask, dropout_p)
        else:
            output = _C._scaled_dot_product_attention(q, k, v, mask, dropout_p, is_causal)
        n, _, length, _ = output.shape
        output = self.out_proj(output.transpose(1, 2).reshape(n, length, self.embed_dim))
        if not batched:
            output = output.squeeze(0)
        elif not self.batch_first:
            output = output.transpose(0, 1)
        if not need_weights:
            return output, None
        if average_attn_weights:
            weights = weights.mean(1)
        return output, weights if batched else weights.squeeze(0)

    def _with_more_keys(
        self, k: Tensor, v: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """bias_k and bias_v, and zeros, behind the others; all queries may look at them."""
        n, heads, size, width = k.shape
        if self.bias_k is not None and self.bias_v is not None:
            k, v = (
                _C.cat([x, token.reshape(1, heads, 1, width).expand(n, heads, 1, width)], 2)
                for x, token in ((k, self.bias_k), (v, self.bias_v))
            )
        if self.add_zero_attn:
            k, v = (_C.pad(x, (0, 0, 0, 1)) for x in (k, v))
        more = k.shape[2] - size
        if mask is not None and more:
            mask = _C.pad(mask, (0, more), value=1.0 if mask.dtype == _C.bool else 0.0)
        return k, v, mask

    def _check(self, query: Tensor, key: Tensor, value: Tensor) -> None:
        q, k, v = tuple(query.shape), tuple(key.shape), tuple(value.shape)
        want = (self.embed_dim, self.kdim, self.vdim)
        fits = len(q) == len(k) == len(v) == 3 and (q[-1], k[-1], v[-1]) == want
        if not fits or q[0] != k[0] or k[:2] != v[:2]:
            raise RuntimeError(
                f"MultiheadAttention: as (N, L, E) query is {q}, key {k} and value {v}; the last "
                f"dims must be {want}, the first alike, and key and value of one length"
            )

    def _mask(
        self, q: Tensor, k: Tensor, padding: Tensor | None, attn_mask: Tensor | None
    ) -> Tensor | None:
        """Both masks as one for scaled_dot_product_attention, that goes with (N, H, L, S)."""
        n, heads, length, size = (*q.shape[:3], k.shape[2])
        masks = []
        if attn_mask is not None:
            shape = tuple(attn_mask.shape)
            if shape == (n * heads, length, size):
                attn_mask = attn_mask.reshape(n, heads, length, size)
            elif shape != (length, size):
                raise RuntimeError(
                    f"MultiheadAttention: attn_mask is {shape}, and must be {(length, size)} or "
                    f"{(n * heads, length, size)}"
                )
            masks.append(attn_mask)
        if padding is not None:
            if tuple(padding.shape) != (n, size):
                raise RuntimeError(
                    f"MultiheadAttention: key_padding_mask is {tuple(padding.shape)}, and must be "
                    f"{(n, size)}"
                )
            masks.append(padding.reshape(n, 1, 1, size))
        if not masks:
            return None
        if all(mask.dtype == _C.bool for mask in masks):
            return ~masks[0] if len(masks) == 1 else ~masks[0].logical_or(masks[1])
        numbers = [_number_mask(mask, q) for mask in masks]
        return numbers[0] if len(numbers) == 1 else numbers[0] + numbers[1]


def _number_mask(mask: Tensor, like: Tensor) -> Tensor:
    """-inf where a mask of bool is True, else 0; a mask of floats as it is."""
    if mask.dtype != _C.bool:
        return mask
    return _C.zeros(mask.shape, dtype=like.dtype, device=like.device).masked_fill(mask, -math.inf)


class TransformerEncoderLayer(Module):
    """x = norm1(x + attention(x)); x = norm2(x + linear2(activation(linear1(x)))), with dropout.

    With norm_first: x = x + attention(norm1(x)); x = x + feed_forward(norm2(x)). src is (L, N, E),
    or (N, L, E) with batch_first, or (L, E). activation is "relu", "gelu" or a function. The masks
    are those of MultiheadAttention.
    [Vaswani et al. 2017, 3.1; norm_first: Xiong et al. 2020]
    """

    __constants__ = ("norm_first", "activation")

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = functional.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        make = {"dtype": dtype, "device": device}
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, **make
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, **make)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **make)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, **make)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, **make)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        if isinstance(activation, str):
            known = {"relu": functional.relu, "gelu": functional.gelu}
            if activation not in known:
                raise RuntimeError(
                    f"TransformerEncoderLayer: activation is 'relu', 'gelu' or a function, not "
                    f"{activation!r}"
                )
            activation = known[activation]
        self.activation = activation

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        x, masks = src, (src_mask, src_key_padding_mask, is_causal)
        if self.norm_first:
            x = x + self._attention(self.norm1(x), *masks)
            return x + self._feed_forward(self.norm2(x))
        x = self.norm1(x + self._attention(x, *masks))
        return self.norm2(x + self._feed_forward(x))

    def _attention(
        self, x: Tensor, mask: Tensor | None, padding: Tensor | None, is_causal: bool
    ) -> Tensor:
        y, _ = self.self_attn(
            x, x, x, attn_mask=mask, key_padding_mask=padding, need_weights=False,
            is_causal=is_causal,
        )  # fmt: skip
        return self.dropout1(y)

    def _feed_forward(self, x: Tensor) -> Tensor:
        y = self.linear2(self.dropout(self.activation(self.linear1(x))))
        return self.dropout2(y)


class TransformerEncoder(Module):
    """num_layers copies of encoder_layer, one after another, and norm, if given, at the end.

    All copies start with the same weights. The masks are those of MultiheadAttention.
    enable_nested_tensor and mask_check, which choose a faster way in PyTorch, change nothing.
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = ModuleList(copy.deepcopy(encoder_layer) for _ in range(num_layers))
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        x = src
        for layer in self.layers:
            x = layer(x, mask, src_key_padding_mask, bool(is_causal))
        return x if self.norm is None else self.norm(x)
