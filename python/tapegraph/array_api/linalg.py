"""The standard's extension linalg: tapegraph's own linalg under the standard's signatures.

What it says of matrices holds for the last two dims; those before are a batch.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import _C
from .. import linalg as ours
from .._C import Tensor
from .._C import dtype as DType
from .._errors import placed
from ._dtypes import promoted
from ._products import matmul, matrix_transpose, tensordot, vecdot
from ._reductions import sum as _sum

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm",
    "matrix_power", "matrix_rank", "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve",
    "svd", "svdvals", "tensordot", "trace", "vecdot", "vector_norm",
]  # fmt: skip


class eigh_result(NamedTuple):
    eigenvalues: Tensor
    eigenvectors: Tensor


class qr_result(NamedTuple):
    Q: Tensor
    R: Tensor


class slogdet_result(NamedTuple):
    sign: Tensor
    logabsdet: Tensor


class svd_result(NamedTuple):
    U: Tensor
    S: Tensor
    Vh: Tensor


def cholesky(x: Tensor, /, *, upper: bool = False) -> Tensor:
    return ours.cholesky(x, upper=upper)


def cross(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The product of vectors of three that is orthogonal to both."""
    x1, x2 = promoted(x1, x2)
    dims = max(x1.ndim, x2.ndim)
    x1, x2 = (x.reshape((1,) * (dims - x.ndim) + tuple(x.shape)) for x in (x1, x2))
    return ours.cross(x1, x2, dim=axis)


def det(x: Tensor, /) -> Tensor:
    return ours.det(x)


def diagonal(x: Tensor, /, *, offset: int = 0) -> Tensor:
    return ours.diagonal(x, offset=offset)


def eigh(x: Tensor, /) -> eigh_result:
    return eigh_result(*ours.eigh(x))


def eigvalsh(x: Tensor, /) -> Tensor:
    return ours.eigvalsh(x)


def inv(x: Tensor, /) -> Tensor:
    return ours.inv(x)


def matrix_norm(x: Tensor, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    return ours.matrix_norm(x, ord, (-2, -1), keepdims)


def matrix_power(x: Tensor, n: int, /) -> Tensor:
    return ours.matrix_power(x, n)


def matrix_rank(x: Tensor, /, *, rtol: float | Tensor | None = None) -> Tensor:
    """How many singular values are above rtol times the largest."""
    if isinstance(rtol, Tensor):
        values = ours.svdvals(x)
        return (values > rtol.unsqueeze(-1) * values[..., :1]).sum(-1)
    return ours.matrix_rank(x, rtol=rtol)


def outer(x1: Tensor, x2: Tensor, /) -> Tensor:
    """(M,), (N,) -> (M, N)."""
    return _C.outer(*promoted(x1, x2))


def pinv(x: Tensor, /, *, rtol: float | None = None) -> Tensor:
    return ours.pinv(x, rtol=rtol)


def qr(x: Tensor, /, *, mode: str = "reduced") -> qr_result:
    if mode not in ("reduced", "complete"):
        raise placed(ValueError, f"qr: mode '{mode}' is neither 'reduced' nor 'complete'")
    return qr_result(*ours.qr(x, mode))


def slogdet(x: Tensor, /) -> slogdet_result:
    return slogdet_result(*ours.slogdet(x))


def solve(x1: Tensor, x2: Tensor, /) -> Tensor:
    """X of x1 X = x2. x2 is one vector only if it has one dim; else its last two are matrices."""
    x1, x2 = promoted(x1, x2)
    if x2.ndim == 1:
        return ours.solve(x1, x2.unsqueeze(-1)).squeeze(-1)
    # Ours takes an x2 of x1's shape without its last dim for a batch of vectors: a batch dim of 1
    # more says that these are matrices.
    if x2.ndim == x1.ndim - 1 and x2.shape == x1.shape[:-1]:
        x2 = x2.unsqueeze(0)
    return ours.solve(x1, x2)


def svd(x: Tensor, /, *, full_matrices: bool = True) -> svd_result:
    return svd_result(*ours.svd(x, full_matrices))


def svdvals(x: Tensor, /) -> Tensor:
    return ours.svdvals(x)


def trace(x: Tensor, /, *, offset: int = 0, dtype: DType | None = None) -> Tensor:
    return _sum(ours.diagonal(x, offset=offset), axis=-1, dtype=dtype)


def vector_norm(
    x: Tensor,
    /,
    *,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
    ord: float = 2,
) -> Tensor:
    if axis == ():
        return abs(x)
    return ours.vector_norm(x, ord, axis, keepdims)
