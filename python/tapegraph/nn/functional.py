"""Layers without parameters of their own, as functions."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .. import _C
from .._C import Tensor
from ..autograd import no_grad
from .functional_activations import (
    celu,
    elu,
    gumbel_softmax,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    mish,
    relu,
    relu6,
    rrelu,
    selu,
    silu,
    threshold,
)
from .functional_bags import embedding_bag  # noqa: F401
from .functional_dropout import (
    alpha_dropout,
    check_probability,  # noqa: F401
    dropout,
    dropout1d,
    dropout2d,
    dropout3d,
    feature_alpha_dropout,
)
from .functional_normalization import instance_norm, local_response_norm, rms_norm, widened

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "affine_grid", "alpha_dropout", "avg_pool1d", "avg_pool2d", "batch_norm", "bilinear",
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "celu", "conv1d", "conv2d",
    "conv_transpose1d", "conv_transpose2d", "cosine_embedding_loss", "cosine_similarity",
    "cross_entropy", "ctc_loss", "dropout", "dropout1d", "dropout2d", "dropout3d", "elu",
    "embedding", "feature_alpha_dropout", "fold", "gaussian_nll_loss", "gelu", "glu",
    "grid_sample", "group_norm", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish",
    "hardtanh", "hinge_embedding_loss", "huber_loss", "instance_norm", "interpolate", "kl_div",
    "l1_loss", "layer_norm", "leaky_relu", "linear", "local_response_norm", "log_softmax",
    "logsigmoid", "lp_pool1d", "lp_pool2d", "margin_ranking_loss", "max_pool1d", "max_pool2d",
    "mish", "mse_loss", "multi_margin_loss", "multilabel_soft_margin_loss", "nll_loss",
    "normalize", "one_hot", "pad", "pairwise_distance", "pixel_shuffle", "pixel_unshuffle",
    "poisson_nll_loss", "prelu", "relu", "relu6", "rms_norm", "rrelu",
    "scaled_dot_product_attention", "selu", "sigmoid", "silu", "smooth_l1_loss",
    "soft_margin_loss", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh",
    "tanhshrink", "threshold", "triplet_margin_loss", "unfold",
]  # fmt: skip

adaptive_avg_pool1d = _C.adaptive_avg_pool1d
adaptive_avg_pool2d = _C.adaptive_avg_pool2d
adaptive_max_pool1d = _C.adaptive_max_pool1d
adaptive_max_pool2d = _C.adaptive_max_pool2d
affine_grid = _C.affine_grid
avg_pool1d = _C.avg_pool1d
avg_pool2d = _C.avg_pool2d
bilinear = _C.bilinear
binary_cross_entropy = _C.binary_cross_entropy
binary_cross_entropy_with_logits = _C.binary_cross_entropy_with_logits
conv1d = _C.conv1d
conv2d = _C.conv2d
conv_transpose1d = _C.conv_transpose1d
conv_transpose2d = _C.conv_transpose2d
cosine_embedding_loss = _C.cosine_embedding_loss
cosine_similarity = _C.cosine_similarity
cross_entropy = _C.cross_entropy
ctc_loss = _C.ctc_loss
fold = _C.fold
gaussian_nll_loss = _C.gaussian_nll_loss
gelu = _C.gelu
glu = _C.glu
grid_sample = _C.grid_sample
hardshrink = _C.hardshrink
hinge_embedding_loss = _C.hinge_embedding_loss
huber_loss = _C.huber_loss
interpolate = _C.interpolate
kl_div = _C.kl_div
l1_loss = _C.l1_loss
linear = _C.linear
log_softmax = _C.log_softmax
logsigmoid = _C.logsigmoid
lp_pool1d = _C.lp_pool1d
lp_pool2d = _C.lp_pool2d
margin_ranking_loss = _C.margin_ranking_loss
max_pool1d = _C.max_pool1d
max_pool2d = _C.max_pool2d
mse_loss = _C.mse_loss
multi_margin_loss = _C.multi_margin_loss
multilabel_soft_margin_loss = _C.multilabel_soft_margin_loss
nll_loss = _C.nll_loss
normalize = _C.normalize
one_hot = _C.one_hot
pad = _C.pad
pairwise_distance = _C.pairwise_distance
pixel_shuffle = _C.pixel_shuffle
pixel_unshuffle = _C.pixel_unshuffle
poisson_nll_loss = _C.poisson_nll_loss
prelu = _C.prelu
sigmoid = _C.sigmoid
smooth_l1_loss = _C.smooth_l1_loss
soft_margin_loss = _C.soft_margin_loss
softmax = _C.softmax
softmin = _C.softmin
softplus = _C.softplus
softshrink = _C.softshrink
softsign = _C.softsign
tanh = _C.tanh
tanhshrink = _C.tanhshrink
triplet_margin_loss = _C.triplet_margin_loss
unfold = _C._unfold


# ---- embedding ----------------------------------------------------------------------------------


def row_of(op: str, padding_idx: int, rows: int) -> int:
    """padding_idx from the front. Raises AssertionError if there is no such row."""
    if not -rows <= padding_idx < rows:
        raise AssertionError(f"{op}: padding_idx {padding_idx} is outside of the {rows} rows")
    return padding_idx % rows


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of weight (V, D) that input (...) names, int64 or int32 -> (..., D).

    The row padding_idx gets no gradient. With max_norm the rows that are named and whose norm is
    larger are made that long, in weight itself. With scale_grad_by_freq a row's gradient is divided
    by how often it is named. Raises IndexError for an index outside of 0..V-1, TypeError if input
    is no tensor, RuntimeError if it is of another dtype, and NotImplementedError for sparse=True.
    """
    if sparse:
        raise NotImplementedError("embedding: gradients are not sparse here; leave sparse=False")
    if not isinstance(input, Tensor):
        raise TypeError(
            f"embedding: input must be a tensor, not {type(input).__name__}; make one by tg.tensor"
        )
    if input.dtype not in (_C.int64, _C.int32):
        raise RuntimeError(
            f"embedding: input is {input.dtype}, not int64 or int32; cast it: input.long()"
        )
    if weight.ndim != 2:
        raise RuntimeError(
            f"embedding: weight is (rows, columns), not of shape {tuple(weight.shape)}"
        )
    rows, columns = weight.shape
    index = (input.long() if input.dtype == _C.int32 else input).reshape(-1, 1)
    if max_norm is not None:
        _shorten_rows(weight, index.flatten(), max_norm, norm_type)
    found = _C.gather(weight, 0, index.expand(index.shape[0], columns))
    if scale_grad_by_freq:
        one = _C.ones(index.shape[0], dtype=weight.dtype, device=weight.device)
        counts = _C.zeros(rows, dtype=weight.dtype, device=weight.device)
        counts = counts.index_add(0, index.flatten(), one)
        found = found.detach() + (found - found.detach()) / counts[index]
    if padding_idx is not None:
        found = _C.where(index == row_of("embedding", padding_idx, rows), found.detach(), found)
    return found.reshape(*input.shape, columns)


def _shorten_rows(weight: Tensor, index: Tensor, max_norm: float, norm_type: float) -> None:
    with no_grad():
        rows = weight[index]
        norms = rows.norm(norm_type, -1, keepdim=True)
        shorter = rows * (max_norm / (norms + 1e-7))
        weight[index] = _C.where(norms > max_norm, shorter, rows)


# ---- normalisation ------------------------------------------------------------------------------


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(input - mean) / sqrt(var + eps) * weight + bias over the last dims, normalized_shape.

    weight and bias are of that shape. Raises RuntimeError if input does not end in it.
    """
    shape = tuple(normalized_shape)
    if not shape or tuple(input.shape[-len(shape) :]) != shape:
        raise RuntimeError(
            f"layer_norm: input {tuple(input.shape)} does not end in normalized_shape {shape}"
        )
    for name, given in (("weight", weight), ("bias", bias)):
        if given is not None and tuple(given.shape) != shape:
            raise RuntimeError(
                f"layer_norm: {name} {tuple(given.shape)} is not of normalized_shape {shape}"
            )
    wide = widened(input)
    output = _C._standardized(wide, len(shape), eps)
    return _affine(output, widened(weight), widened(bias)).to(input.dtype)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """input (N, C, ...) in num_groups groups of channels, each with mean 0 and variance 1.

    weight and bias are (C,). Raises RuntimeError if num_groups does not divide C.
    """
    shape = tuple(input.shape)
    if len(shape) < 2 or num_groups < 1 or shape[1] % num_groups:
        raise RuntimeError(
            f"group_norm: input {shape} is no (N, C, ...) with C a multiple of num_groups "
            f"{num_groups}"
        )
    size = math.prod(shape[2:]) * (shape[1] // num_groups)
    groups = widened(input).reshape(shape[0], num_groups, size)
    output = _C._standardized(groups, 1, eps).reshape(*shape)
    weight, bias = widened(weight), widened(bias)
    output = _affine(output, _by_channel(weight, shape), _by_channel(bias, shape))
    return output.to(input.dtype)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float | Tensor = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """input (N, C, ...) with, in each channel, the batch's mean and variance or the running ones.

    In training the batch's, and then the running ones (C,), if given, are written in place:
    r = (1 - momentum) r + momentum s. Raises ValueError in training for one value a channel.
    """
    shape, dtype = tuple(input.shape), input.dtype
    input, weight, bias = widened(input), widened(weight), widened(bias)
    if training:
        dims = (0, *range(2, len(shape)))
        n = math.prod(shape) // max(shape[1], 1)
        if n == 1:
            raise ValueError(
                f"batch_norm: expected more than 1 value per channel when training, got input "
                f"size {shape}"
            )
        mean = input.mean(dims)
        centred = input - _by_channel(mean, shape)
        var = (centred * centred).mean(dims)
        if running_mean is not None and running_var is not None:
            with no_grad():
                _move(running_mean, mean, momentum)
                _move(running_var, var * (n / (n - 1)), momentum)
    elif running_mean is None or running_var is None:
        raise ValueError("batch_norm: without training there must be a running mean and variance")
    else:
        centred, var = input - _by_channel(running_mean, shape), running_var
    scale = (var + eps).rsqrt()
    if weight is not None:
        scale = scale * weight
    output = centred * _by_channel(scale, shape)
    return (output if bias is None else output + _by_channel(bias, shape)).to(dtype)


def _affine(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def _by_channel(x: Tensor | None, shape: tuple[int, ...]) -> Tensor | None:
    """(C,) -> (C, 1, ...), so that it goes with (N, C, ...)."""
    return x if x is None else x.reshape(-1, *[1] * (len(shape) - 2))


def _move(running: Tensor, batch: Tensor, momentum: float | Tensor) -> None:
    running.mul_(1 - momentum).add_(batch.detach() * momentum)


# ---- attention ----------------------------------------------------------------------------------


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(query key^T scale + mask) value, scale = 1 / sqrt(E) unless given.

    query (..., L, E), key (..., S, E), value (..., S, V) -> (..., L, V). attn_mask broadcasts to
    (..., L, S): of bool, True where a query may look; of floats, added. A query that may look
    nowhere gets zeros. is_causal lets query i look at keys 0 to i; together with attn_mask it
    raises RuntimeError. dropout_p drops in any mode: pass 0 in eval. With enable_gqa query may have
    several heads, (..., H, L, E), for each of key and value.

    On "cuda", without attn_mask and dropout_p, it is one launch, its gradient two, and no (L, S)
    matrix is stored. [Dao 2023, FlashAttention-2]
    [Vaswani et al. 2017, Attention is all you need, 3.2.1]
    """
    if attn_mask is not None and attn_mask.dtype not in (_C.bool, query.dtype):
        raise RuntimeError(
            f"scaled_dot_product_attention: attn_mask is {attn_mask.dtype}, and must be bool or "
            f"query's {query.dtype}"
        )
    if enable_gqa:
        key, value = (_heads_repeated(query, x) for x in (key, value))
    options = (attn_mask, dropout_p, is_causal, scale)
    return _C._scaled_dot_product_attention(query, key, value, *options)


def _heads_repeated(query: Tensor, x: Tensor) -> Tensor:
    """x (..., H / n, S, E) for query (..., H, L, E), with each head n times."""
    if query.ndim < 3 or x.ndim < 3 or query.shape[-3] % max(x.shape[-3], 1):
        raise RuntimeError(
            f"scaled_dot_product_attention: enable_gqa needs a multiple of the heads, dim -3, of "
            f"{tuple(x.shape)} in query {tuple(query.shape)}"
        )
    return x.repeat_interleave(query.shape[-3] // max(x.shape[-3], 1), -3)
