"""What is done to all parameters at once: gradients clipped, values as one vector."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ... import _C
from ..._C import Tensor
from ...autograd import no_grad
from . import rnn  # noqa: F401


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    given = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad for p in given if p.grad is not None]


def _norm(x: Tensor, norm_type: float) -> Tensor:
    if norm_type == 2:
        return (x * x).sum().sqrt()
    if norm_type == math.inf:
        return x.abs().amax()
    return (x.abs() ** norm_type).sum() ** (1 / norm_type)


@no_grad()
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """g = g * min(max_norm / (norm + 1e-6), 1) for every gradient g; gives the norm before.

    The norm is of all gradients as one vector: (sum |g|^norm_type)^(1 / norm_type), or the largest
    |g| for inf; no dims. It is scaled and never compared, so a compiled step clips without knowing
    it. error_if_nonfinite compares, outside of compiled functions only, and raises RuntimeError for
    nan or inf; no gradient has changed then. Raises ValueError for a norm_type that is not above 0.

    [Pascanu, Mikolov & Bengio 2013, On the difficulty of training recurrent neural networks, 3.2]
    """
    norm_type = float(norm_type)
    if not norm_type > 0:
        raise ValueError(f"clip_grad_norm_: norm_type must be above 0, and is {norm_type}")
    grads = _gradients(parameters)
    norms = [_norm(g, norm_type) for g in grads if g.numel() > 0]
    if not norms:
        return _C.tensor(0.0)
    norm = _norm(_C.stack([n.to(norms[0].device) for n in norms]), norm_type)
    if error_if_nonfinite and not math.isfinite(norm.item()):
        raise RuntimeError(
            f"clip_grad_norm_: the norm of the gradients is {norm.item()}, so they cannot be "
            f"clipped; to scale them by it anyway pass error_if_nonfinite=False"
        )
    scale = (float(max_norm) / (norm + 1e-6)).clamp(max=1.0)
    for g in grads:
        g.mul_(scale.to(g.device))
    return norm


@no_grad()
def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """g = min(max(g, -clip_value), clip_value), element by element, for every gradient g."""
    for g in _gradients(parameters):
        g.clamp_(-float(clip_value), float(clip_value))


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters, each row by row, as one vector (N,); it is on their tape."""
    return _C.cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Writes vec (N,) into the parameters, in the order of parameters_to_vector.

    The values are copied, so compiled functions see them; vec stays apart. Raises TypeError if vec
    is no tensor, and RuntimeError, having written nothing, if the parameters have not N elements.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters: vec is a tensor, not {type(vec).__name__}")
    given = list(parameters)
    count = sum(p.numel() for p in given)
    if tuple(vec.shape) != (count,):
        raise RuntimeError(
            f"vector_to_parameters: vec is {tuple(vec.shape)}, and the parameters have {count} "
            f"elements"
        )
    start = 0
    with no_grad():
        for p in given:
            p.copy_(vec[start : start + p.numel()].reshape(p.shape))
            start += p.numel()
