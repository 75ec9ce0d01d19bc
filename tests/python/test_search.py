"""Places, counts and what is there once, and ranks: what PyTorch 2.15 gives, and errors."""

import math

import pytest
import tapegraph as tg
from errors import said

NAN, INF = math.nan, math.inf


def lists(result):
    return [part.tolist() for part in result] if isinstance(result, tuple) else result.tolist()


def test_unique_of_elements_and_of_slices():
    x = tg.tensor([[1, 2], [1, 2], [0, 3]])
    found = tg.unique(x, dim=0, return_inverse=True, return_counts=True)
    assert lists(found) == [[[0, 3], [1, 2]], [1, 1, 0], [1, 2]]
    assert lists(tg.tensor([[1, 2, 1], [0, 3, 0]]).unique(dim=1, return_inverse=True)) == [
        [[1, 2], [0, 3]],
        [0, 1, 0],
    ]
    assert lists(x.unique(return_inverse=True, return_counts=True)) == [
        [0, 1, 2, 3],
        [[1, 2], [1, 2], [0, 3]],
        [1, 2, 2, 1],
    ]
    values, counts = tg.unique(tg.tensor([NAN, NAN, 1.0]), return_counts=True)
    assert values.tolist()[0] == 1 and counts.tolist() == [1, 1, 1]
    assert tg.unique(tg.zeros(0, 2), dim=0).shape == (0, 2)
    assert tg.unique(tg.zeros(0)).shape == (0,)
    cube = tg.tensor([[[1, 2], [3, 4]], [[1, 2], [3, 4]], [[1, 2], [0, 9]]])
    assert lists(cube.unique(dim=0)) == [[[1, 2], [0, 9]], [[1, 2], [3, 4]]]
    with pytest.raises(RuntimeError) as error:
        tg.unique(tg.zeros(2, 0), dim=0)
    assert said(error) == (
        "unique: dim 1 of (2, 0) is 0: the slices along dim 0 have no elements to compare"
    )


def test_unique_consecutive_keeps_the_order():
    x = tg.tensor([1, 1, 2, 1, 1])
    found = tg.unique_consecutive(x, return_inverse=True, return_counts=True)
    assert lists(found) == [[1, 2, 1], [0, 0, 1, 2, 2], [2, 1, 2]]
    rows = tg.tensor([[1, 1], [1, 1], [2, 1]])
    assert lists(rows.unique_consecutive(True, True, dim=0)) == [
        [[1, 1], [2, 1]],
        [0, 0, 1],
        [2, 1],
    ]
    assert tg.unique_consecutive(tg.tensor([[1, 1], [1, 2]])).tolist() == [1, 2]


def test_histc_counts_between_two_numbers_or_all():
    x = tg.arange(6.0)
    assert tg.histc(x, 3).tolist() == [2, 2, 2]
    assert x.histc(3, 0, 4).tolist() == [2, 1, 2]
    assert tg.histc(tg.ones(3), 3).tolist() == [0, 3, 0]
    assert tg.histc(tg.tensor([NAN, 1.0, 0.5]), 3, 0, 2).tolist() == [1, 1, 0]
    assert tg.histc(tg.zeros(0), 3).tolist() == [0, 0, 0]
    assert tg.histc(x).shape == (100,)


def test_a_tensor_may_say_where_to_cut():
    x = tg.arange(3)
    assert lists(x.tensor_split(tg.tensor(2))) == [[0, 1], [2]]
    assert lists(x.tensor_split(tg.tensor([1, 2]))) == [[0], [1], [2]]


def test_argwhere_is_nonzero():
    assert tg.argwhere(tg.tensor([[0, 1], [2, 0]])).tolist() == [[0, 1], [1, 0]]


def test_each_slice_is_there_as_often_as_a_tensor_says():
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x.repeat_interleave(tg.tensor([2, 1]), 0)
    assert y.tolist() == [[1, 2], [1, 2], [3, 4]]
    y.sum().backward()
    assert x.grad.tolist() == [[2, 2], [1, 1]]
    assert x.repeat_interleave(tg.tensor([0, 1, 2, 0])).tolist() == [2, 3, 3]
    assert x.repeat_interleave(tg.tensor([2]), -1).shape == (2, 4)
    assert tg.repeat_interleave(tg.tensor([1, 0, 2])).tolist() == [0, 2, 2]
    assert tg.zeros(0).repeat_interleave(tg.tensor([], dtype=tg.int64)).shape == (0,)


CALLS = [
    (lambda x: x.repeat_interleave(x.long()), "give output_size"),
    (lambda x: x.unique(), "unique"),
    (lambda x: x.unique_consecutive(dim=0), "unique_consecutive"),
    (lambda x: x.histc(3), "histc"),
    (lambda x: x.argwhere(), "index"),
]


@pytest.mark.parametrize(("call", "op"), CALLS, ids=[op for _, op in CALLS])
def test_a_shape_that_depends_on_data_is_an_error_in_a_trace(call, op):
    with pytest.raises(RuntimeError, match=op):
        tg.compile(call)(tg.ones(3))


def test_ranks_of_nothing():
    assert math.isnan(tg.zeros(0).median().item())
    assert tg.zeros(0, dtype=tg.int64).median().item() == -(2**63)
    assert tg.zeros(2, 0).median(0).values.shape == (0,)
    assert math.isnan(tg.nanmean(tg.zeros(0)).item())
    assert tg.nansum(tg.zeros(2, 0), 1).tolist() == [0, 0]
    assert tg.diff(tg.zeros(1)).shape == (0,)
    assert tg.cummax(tg.zeros(2, 0), 0).indices.shape == (2, 0)


def test_the_pairs_have_names():
    x = tg.tensor([[3.0, 1.0, 2.0]])
    assert repr(x.median(1)).startswith("tapegraph.return_types.median(values=tensor([2.])")
    assert x.aminmax().min == 1 and x.aminmax().max == 3
    assert x.kthvalue(1).indices.tolist() == [1]


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda x: x.median(1), IndexError,
         "median: dim 1 of (2, 0) is 0: there is no element to choose"),
        (lambda x: x.bool().median(), NotImplementedError,
         "median: is not defined for bool; cast the tensor first"),
        (lambda x: x[:, None].kthvalue(9, 0), RuntimeError,
         "kthvalue: k is 9, and must be between 1 and the 2 of dim 0 of (2, 1, 0)"),
        (lambda x: x.quantile(0.5), RuntimeError,
         "quantile: there is no element in (2, 0) to choose"),
        (lambda x: tg.ones(2).quantile(1.5), RuntimeError,
         "quantile: q is 1.5, and must be between 0 and 1"),
        (lambda x: tg.ones(2).quantile(tg.tensor([0.5, 2.0])), RuntimeError,
         "quantile: an element of q is not between 0 and 1"),
        (lambda x: tg.ones(2).quantile(0.5, interpolation="x"), RuntimeError,
         "quantile: interpolation is 'linear', 'lower', 'higher', 'midpoint' or 'nearest', not "
         "'x'"),
        (lambda x: tg.arange(3).quantile(0.5), RuntimeError,
         "quantile: needs a floating dtype, and this tensor is int64; cast it first"),
        (lambda x: tg.arange(3).nanmean(), NotImplementedError,
         "nanmean: needs a floating dtype, and this tensor is int64; cast it first"),
        (lambda x: tg.arange(3).logcumsumexp(0), NotImplementedError,
         "logcumsumexp: needs a floating dtype, and this tensor is int64; cast it first"),
        (lambda x: tg.ones(3).trace(), RuntimeError,
         "trace: a tensor of shape (3,) is no matrix; it needs 2 dims"),
        (lambda x: tg.ones(3).diff(-1), RuntimeError, "diff: n is -1, and must be at least 0"),
        (lambda x: tg.ones(3).diff(prepend=x), RuntimeError,
         "diff: prepend or append (2, 0) has 2 dims, and the input (3,) has 1"),
        (lambda x: tg.searchsorted(tg.ones(2), tg.ones(2), right=True, side="left"), RuntimeError,
         "searchsorted: right is True, and side 'left'; give one of them"),
        (lambda x: tg.searchsorted(tg.ones(2), tg.ones(2), side="x"), RuntimeError,
         "searchsorted: side is 'left' or 'right', not 'x'"),
        (lambda x: tg.bucketize(tg.ones(2), x), RuntimeError,
         "bucketize: the boundaries (2, 0) must have 1 dim"),
        (lambda x: tg.isin(1, 2), TypeError, "isin: elements must be a tensor, not int"),
        (lambda x: tg.ones(2).histc(0), RuntimeError, "histc: bins is 0, and must be at least 1"),
        (lambda x: tg.ones(2).histc(3, 2, 1), RuntimeError,
         "histc: min is 2 and max 1; max must be the larger"),
        (lambda x: tg.ones(2).histc(3, 0, INF), RuntimeError,
         "histc: the bins would reach from 0 to inf; both must be finite"),
        (lambda x: tg.baddbmm(tg.ones(3), tg.ones(2, 2, 3), tg.ones(2, 3, 2)), RuntimeError,
         "baddbmm: shapes (3,) and (2, 2, 2) do not broadcast: dim -1 is 3 and 2; make them equal, "
         "or one of them 1"),
        (lambda x: tg.addr(tg.arange(2), tg.arange(2), tg.arange(2), beta=0.5), RuntimeError,
         "addr: beta is 0.5, but the tensors are of integers; cast them, or use a whole beta"),
        (lambda x: tg.cross(tg.ones(2), tg.ones(2)), RuntimeError,
         "cross: a (2,) has no dim of size 3"),
        (lambda x: tg.inner(tg.ones(2, 3), tg.ones(2)), RuntimeError,
         "inner: the last dims of a (2, 3) and b (2,) are 3 and 2; they must be equal"),
        (lambda x: x.rot90(1, (0, 0)), RuntimeError,
         "rot90: dims (0, 0) are both dim 0 of (2, 0)"),
        (lambda x: tg.ones(3).hsplit(2), RuntimeError,
         "hsplit: dim 0 of (3,) is 3, which does not make 2 equal parts"),
        (lambda x: tg.ones(3).vsplit(1), RuntimeError,
         "vsplit: a tensor of shape (3,) has 1 dim; it needs 2 or more"),
        (lambda x: tg.ones(3).tensor_split(0), RuntimeError,
         "tensor_split: 0 sections; there must be at least 1, and at most 1048576"),
        (lambda x: tg.tril_indices(-1, 3), RuntimeError,
         "tril_indices: -1 rows and 3 columns; there must be at least 0 of each, and at most "
         "2147483648"),
        (lambda x: tg.combinations(x), RuntimeError,
         "combinations: a tensor of shape (2, 0) is no vector"),
        (lambda x: tg.block_diag(tg.ones(1, 1, 1)), RuntimeError,
         "block_diag: a tensor of shape (1, 1, 1) has more than 2 dims"),
    ],
)  # fmt: skip
def test_errors_say_what_was_given(call, kind, text):
    with pytest.raises(kind) as error:
        call(tg.zeros(2, 0))
    assert said(error) == text
