"""Ops against numbers that PyTorch 2.15 gave, where its behaviour is a choice."""

import math

import numpy as np
import pytest
import tapegraph as tg
from tapegraph.nn import functional as F
from values import leaf64 as leaf


def test_a_clamped_gradient_passes_inside():
    for low, high, want in (
        (-1, 1, [0, 0, 1, 0, 0]),
        (-1, None, [0, 0, 1, 1, 1]),
        (None, 1, [1, 1, 1, 0, 0]),
    ):
        x = leaf(-2.0, -1.0, 0.0, 1.0, 2.0)
        tg.clamp(x, low, high).sum().backward()
        assert x.grad.tolist() == want
    x = leaf(math.nan)
    tg.clamp(x, 0, 1).backward()
    assert math.isnan(tg.clamp(x, 0, 1)) and x.grad.item() == 0
    x, low = leaf(0.0, 1.0, 2.0), leaf(1.0, 1.0, 1.0)
    tg.clamp(x, min=low).sum().backward()  # a tensor that is equal shares the gradient
    assert x.grad.tolist() == [0, 0.5, 1] and low.grad.tolist() == [1, 0.5, 0]
    assert tg.clamp(tg.tensor([1, 5]), max=3).tolist() == [1, 3]


def test_the_gamma_functions_keep_their_digits_near_a_pole_and_far_below_zero():
    """Numbers of 40 digits, rounded; the second takes no loop of as many steps."""
    x = leaf(-1e-6, -1e6 + 0.25)
    for n, want in (
        (0, [999999.4227826903, 10.67391815437449]),
        (1, [1000000000001.645, 19.739207802178967]),
        (3, [6.000000000000001e24, 1558.545456544039]),
    ):
        np.testing.assert_allclose(tg.polygamma(n, x).tolist(), want, rtol=1e-13)


def test_products_with_zeros_have_gradients():
    for numbers, want in (
        ([2.0, 0.0, 5.0], [0, 10, 0]),
        ([0.0, 0.0, 5.0], [0, 0, 0]),
        ([2.0, 3.0, 5.0], [15, 10, 6]),
    ):
        x = leaf(*numbers)
        tg.prod(x).backward()
        assert x.grad.tolist() == want
    assert tg.prod(tg.tensor([2, 3])).dtype == tg.int64
    assert float(tg.prod(tg.zeros(0))) == 1


def test_a_spread_of_equal_numbers():
    x = leaf(3.0, 3.0)
    tg.std(x).backward()
    assert x.grad.tolist() == [0, 0]
    assert math.isnan(tg.var(leaf(1.0)))
    assert float(tg.var(leaf(1.0), unbiased=False)) == 0
    np.testing.assert_allclose(
        tg.std(leaf(1.0, 2.0, 4.0).detach(), correction=0), 1.247219128924647
    )
    assert tg.var(tg.ones(2, 3), 1).shape == (2,)
    assert tg.var(tg.ones(2, 3), dim=1, keepdim=True).shape == (2, 1)


def test_extrema_of_nothing_and_of_nan():
    x = tg.tensor([[3.0, math.nan], [1.0, 2.0]])
    assert math.isnan(x.min()) and x.argmin().item() == 1
    values, indices = x.min(1)
    assert math.isnan(values[0]) and values[1] == 1 and indices.tolist() == [1, 0]
    assert not tg.any(tg.zeros(0)) and tg.all(tg.zeros(0))
    assert tg.all(tg.tensor([math.nan])) and tg.any(tg.tensor([0, 2]))
    assert tg.logsumexp(tg.tensor([-math.inf, -math.inf]), 0) == -math.inf
    assert tg.logsumexp(tg.tensor([1000.0, 1000.0]), 0) == pytest.approx(1000 + math.log(2))


def test_class_losses_as_recorded():
    x = tg.tensor([[1.0, 2.0, 0.5], [0.1, -1.0, 3.0], [0.0, 0.0, 0.0]], dtype=tg.float64)
    t = tg.tensor([2, 0, -100])
    w = tg.tensor([0.2, 0.5, 1.0], dtype=tg.float64)
    np.testing.assert_allclose(F.cross_entropy(x, t), 2.467571501534218)
    np.testing.assert_allclose(F.cross_entropy(x, t, weight=w), 2.132103023250036)
    np.testing.assert_allclose(F.cross_entropy(x, t, label_smoothing=0.1), 2.4042381682008847)
    both = F.cross_entropy(x, t, weight=w, label_smoothing=0.1)
    np.testing.assert_allclose(both, 2.0630522516254866)
    assert F.cross_entropy(x, t, reduction="none")[2] == 0
    assert math.isnan(F.cross_entropy(x, tg.tensor([-100, -100, -100])))
    assert F.cross_entropy(tg.zeros(2, 3, 4), tg.zeros(2, 4, dtype=tg.int64)).shape == ()


def test_rounding_is_to_even_and_ints_stay():
    assert tg.round(tg.tensor([0.5, 1.5, -0.5, 2.5])).tolist() == [0, 2, 0, 2]
    assert tg.floor(tg.tensor([3])).dtype == tg.int64
    assert tg.sigmoid(tg.tensor([1000.0, -1000.0])).tolist() == [1, 0]
    assert tg.cumsum(tg.tensor([True, True]), 0).tolist() == [1, 2]


def test_the_generator_goes_on_from_a_state_that_was_kept():
    tg.manual_seed(3)
    tg.rand(5)
    kept = tg.get_rng_state()
    drawn = tg.randn(7).tolist()
    tg.rand(2)
    tg.set_rng_state(kept)
    assert tg.randn(7).tolist() == drawn and kept.dtype == tg.int64
    with pytest.raises(TypeError, match="not the int64"):
        tg.set_rng_state(tg.ones(2))


def test_an_index_may_be_int32_and_a_source_larger_as_in_pytorch():
    """Recorded from PyTorch 2.15."""
    x = tg.zeros(3, 5, requires_grad=True)
    src = tg.arange(12.0).reshape(3, 4).requires_grad_()
    index = tg.tensor([[0, 1], [1, 2]])
    for i in (index, index.int()):
        y = x.scatter_add(0, i, src)
        assert y.tolist() == [[0, 0, 0, 0, 0], [4, 1, 0, 0, 0], [0, 5, 0, 0, 0]]
        assert y.gather(1, i[:, :1]).tolist() == [[0], [1]]
        (g,) = tg.autograd.grad((y * y).sum(), src)
        assert g.tolist() == [[0, 2, 0, 0], [8, 10, 0, 0], [0, 0, 0, 0]]
    both = tg.compile(lambda x, i, src: x.scatter_add(0, i, src))(x, index.int(), src)
    assert both.tolist() == x.scatter_add(0, index, src).tolist()


def test_an_empty_list_may_be_joined_to_anything_as_in_pytorch():
    """Recorded from PyTorch 2.15: shapes, dtypes and the empty tensor's gradient."""
    none, x = tg.zeros(0, requires_grad=True), tg.ones(2, 3)
    for dim in (0, 1, -1, -2):
        for f in (tg.cat, tg.compile(tg.cat)):
            assert f([none, x], dim).shape == (2, 3)
            assert f([x, none, x], dim).shape == ((4, 3) if dim in (0, -2) else (2, 6))
    y = tg.cat([none, x.requires_grad_()])
    assert [g.tolist() for g in tg.autograd.grad(y.sum(), [none, x])] == [[], [[1] * 3] * 2]
    assert tg.cat([tg.zeros(0, dtype=tg.float64), tg.ones(2, 3)]).dtype == tg.float64
    assert tg.cat([tg.zeros(0), tg.ones(2, 3, dtype=tg.int64)]).dtype == tg.float32
    assert tg.cat([tg.zeros(0), tg.zeros(0)], 1).shape == (0,)
    assert tg.cat([tg.zeros(0), tg.ones(2)]).tolist() == [1, 1]
    with pytest.raises(IndexError):
        tg.cat([tg.zeros(0), tg.ones(2, 3)], 2)
    with tg.Graph() as graph:
        rows = tg.placeholder("rows", [None, 3])
        joined = tg.cat([tg.zeros(0), rows])
    assert tg.Session(graph).run(joined, {rows: [[1.0, 2.0, 3.0]]}).tolist() == [[1, 2, 3]]


def test_a_hard_sigmoid_is_a_sixth_between_its_corners():
    x = leaf(-4.0, -1.0, 0.5, 4.0)
    F.hardsigmoid(x).sum().backward()  # PyTorch's own sixth is a float32
    assert x.grad.tolist() == pytest.approx([0, 1 / 6, 1 / 6, 0])


def test_the_log_of_a_sigmoid_is_finite_on_both_sides():
    x = leaf(-1000.0, 0.0, 1000.0)
    y = F.logsigmoid(x)
    y.sum().backward()
    assert y.tolist() == pytest.approx([-1000, -math.log(2), 0])
    assert x.grad.tolist() == [1, 0.5, 0]


def test_the_slope_of_a_power_is_as_exact_as_float64():
    x = leaf(2.0)
    (x**0.3 + 3.0**x).backward()
    assert x.grad.item() == pytest.approx(0.3 * 2**-0.7 + 9 * math.log(3), rel=1e-15)
