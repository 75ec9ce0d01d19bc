"""The named pairs that max(dim), min(dim), sort and topk give, where pickle looks for them."""

from ._C import _max_pair as max  # noqa: A004
from ._C import _min_pair as min  # noqa: A004
from ._C import _sort_pair as sort
from ._C import _topk_pair as topk

__all__ = ["max", "min", "sort", "topk"]
