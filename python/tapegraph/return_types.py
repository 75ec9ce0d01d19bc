"""The named tuples that max(dim), sort, linalg.svd and others give, where pickle looks for them."""

from ._C import _aminmax_pair as aminmax
from ._C import _cholesky_ex_results as linalg_cholesky_ex
from ._C import _cummax_pair as cummax
from ._C import _cummin_pair as cummin
from ._C import _eigh_results as linalg_eigh
from ._C import _kthvalue_pair as kthvalue
from ._C import _lstsq_results as linalg_lstsq
from ._C import _lu_factor_results as linalg_lu_factor
from ._C import _lu_results as linalg_lu
from ._C import _max_pair as max  # noqa: A004
from ._C import _median_pair as median
from ._C import _min_pair as min  # noqa: A004
from ._C import _mode_pair as mode
from ._C import _nanmedian_pair as nanmedian
from ._C import _qr_results as linalg_qr
from ._C import _slogdet_results as linalg_slogdet
from ._C import _sort_pair as sort
from ._C import _svd_results as linalg_svd
from ._C import _topk_pair as topk

__all__ = [
    "aminmax", "cummax", "cummin", "kthvalue", "linalg_cholesky_ex", "linalg_eigh",
    "linalg_lstsq", "linalg_lu", "linalg_lu_factor", "linalg_qr",
    "linalg_slogdet", "linalg_svd", "max", "median", "min", "mode", "nanmedian", "sort", "topk",
]  # fmt: skip
