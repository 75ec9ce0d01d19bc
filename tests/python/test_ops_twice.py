"""Compositions have the gradients of differences, and so have these gradients."""

import pytest
import tapegraph as tg
from op_cases import leaves_of

CASES = [
    ("t.sinc(x)", [[5]]),
    ("t.logaddexp(x, y)", [[2, 3], [3]]),
    ("t.xlogy(x, y * y + 1)", [[2, 3], [3]]),
    ("t.xlogy(x.clone(), y * y + 1), x.clone().xlogy_(y * y + 1)", [[2, 3], [3]]),
    ("t.fmax(x, y) ** 2, t.fmin(x, y) ** 2, t.logaddexp2(x, y)", [[2, 3], [3]]),
    ("t.lgamma(x * x + 0.5), t.digamma(x * x + 0.5), t.polygamma(2, x * x + 1)", [[2, 3]]),
    ("x.scatter_reduce(0, t.tensor([[0, 0, 1], [1, 0, 1]]), y, 'prod') ** 2", [[2, 3], [2, 3]]),
    (
        "x.scatter_reduce(1, t.tensor([[0, 0], [2, 1]]), y, 'amax') ** 2, "
        "x.scatter_reduce(1, t.tensor([[0, 0], [2, 1]]), y, 'mean', include_self=False) ** 2",
        [[2, 3], [2, 2]],
    ),
    ("t.logit(x * 0.4 + 0.5), t.diag_embed(x, 1) ** 2", [[2, 3]]),
    ("t.float_power(x * x + 1, y)", [[3], [3]]),
    ("t.frac(x * 4.3)", [[5]]),
    ("t.atan2(x, y), t.hypot(x, y), t.copysign(x, y)", [[2, 3], [3]]),
    ("t.logcumsumexp(x * 3, 1)", [[2, 5]]),
    ("t.cummax(x, 1).values ** 2, t.cummin(x, 0).values ** 2", [[3, 4]]),
    ("t.var_mean(x, 1)", [[3, 4]]),
    ("t.std_mean(x, 0)", [[3, 4]]),
    ("t.median(x, 1).values ** 2, t.kthvalue(x, 2).values ** 3", [[3, 5]]),
    ("t.quantile(x, 0.3, 1) ** 2", [[3, 5]]),
    ("t.nanmean(x) ** 2, t.nansum(x, 0) ** 2, t.trace(x) ** 2, t.diff(x, 2) ** 2", [[3, 4]]),
    ("t.baddbmm(x, y, z, beta=0.5, alpha=2)", [[2, 1], [2, 2, 3], [2, 3, 2]]),
    ("t.addmv(x, y, z), t.addr(z, x, z), t.kron(y, x)", [[2], [2, 3], [3]]),
    ("t.cross(x, y), t.inner(x, y)", [[3, 3], [3, 3]]),
    ("x.unfold(1, 2, 1) ** 2, x.unfold(0, 2, 2) ** 2", [[3, 4]]),
    ("t.rot90(x) ** 2, t.block_diag(x, y) ** 2, t.dstack([x, x]) ** 2", [[2, 3], [3]]),
    ("t.combinations(x).prod(1), t.cartesian_prod(x, y).prod(1)", [[3], [2]]),
]


def different(shapes):
    """Leaves without two equal elements: which of these is chosen has no derivative."""
    leaves = leaves_of(tg, shapes)
    for x in leaves:
        with tg.no_grad():
            x += tg.arange(x.numel(), dtype=tg.float64).reshape(x.shape) / 256
    return leaves


@pytest.mark.parametrize(("expression", "shapes"), CASES, ids=[case[0] for case in CASES])
def test_gradients_and_their_gradients_are_those_of_differences(expression, shapes):
    def f(*leaves):
        value = eval(expression, {"t": tg, **dict(zip("xyz", leaves))})
        return tuple(value) if isinstance(value, (list, tuple)) else value

    assert tg.autograd.gradcheck(f, different(shapes))
    assert tg.autograd.gradgradcheck(f, different(shapes))


def test_a_window_is_a_view_of_what_it_is_cut_from():
    x = tg.arange(5.0)
    windows = x.unfold(0, 3, 1)
    assert windows.data_ptr() == x.data_ptr() and windows.stride() == (1, 1)
    x[2] = 9
    assert windows.tolist() == [[0, 1, 9], [1, 9, 3], [9, 3, 4]]
    w = tg.ones(4, requires_grad=True)
    y = w * 1
    apart = y.unfold(0, 2, 2)
    apart.mul_(tg.tensor([[2.0, 3.0], [4.0, 5.0]]))
    (y * tg.tensor([1.0, 10.0, 100.0, 1000.0])).sum().backward()
    assert w.grad.tolist() == [2, 30, 400, 5000]
