"""Linear algebra, named as in torch.linalg: tg.linalg.solve(A, B).

A matrix is the last two dims (M, N) of a tensor of float32 or float64, and the dims before are a
batch. What float32 gives is computed in float64. Where a matrix has no inverse, or no factors of
the kind, LinAlgError says which of the batch it is.
"""

from ._C import (
    LinAlgError,
    Tensor,
    matmul,
    matrix_power,
)
from ._C import _cholesky as cholesky
from ._C import _cholesky_ex as cholesky_ex
from ._C import _cond as cond
from ._C import _cross as cross
from ._C import _det as det
from ._C import _eigh as eigh
from ._C import _eigvalsh as eigvalsh
from ._C import _inv as inv
from ._C import _lstsq as lstsq
from ._C import _lu as lu
from ._C import _lu_factor as lu_factor
from ._C import _lu_solve as lu_solve
from ._C import _matrix_norm as matrix_norm
from ._C import _matrix_rank as matrix_rank
from ._C import _multi_dot as multi_dot
from ._C import _norm as norm
from ._C import _pinv as pinv
from ._C import _qr as qr
from ._C import _slogdet as slogdet
from ._C import _solve as solve
from ._C import _solve_triangular as solve_triangular
from ._C import _svd as svd
from ._C import _svdvals as svdvals
from ._C import _vander as vander
from ._C import _vecdot as vecdot
from ._C import _vector_norm as vector_norm

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eigh",
    "eigvalsh", "inv", "lstsq", "lu", "lu_factor", "lu_solve", "matmul", "matrix_norm",
    "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve",
    "solve_triangular", "svd", "svdvals", "vander", "vecdot", "vector_norm",
]  # fmt: skip


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonal of matrices (..., M, N), a view: column - row = offset."""
    return A.diagonal(offset, dim1, dim2)
