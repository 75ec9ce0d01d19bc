"""Ops in place whose gradient needs what was there before: on the tape, in a trace, again."""

import pytest
import tapegraph as tg
from tapegraph.utils.checkpoint import checkpoint

X, W = [0.5, 1.5, 2.5], [2.0, -3.0, 4.0]

# The gradients of (y * [1, 2, 3]).sum() with respect to x and w, where y = x * 1 was written by
# this. Recorded from PyTorch 2.15 in float64.
WRITES = {
    "mul_": (lambda y, w: y.mul_(w), [2.0, -6.0, 12.0], [0.5, 3.0, 7.5]),
    "div_": (
        lambda y, w: y.div_(w),
        [0.5, -0.6666666666666666, 0.75],
        [-0.125, -0.3333333333333333, -0.46875],
    ),
    "pow_": (
        lambda y, w: y.pow_(w),
        [1.0, -1.1851851851851851, 187.5],
        [-0.17328679513998632, 0.24027561961965296, 107.37782014150255],
    ),
    "mul_ twice": (lambda y, w: y.mul_(w).mul_(w), [4.0, 18.0, 48.0], [2.0, -18.0, 60.0]),
    "mul_ of a view": (lambda y, w: y[1:].mul_(w[1:]), [1.0, -6.0, 12.0], [0.0, 3.0, 7.5]),
    "sin_": (
        lambda y, w: y.sin_(),
        [0.8775825618903728, 0.1414744033354058, -2.403430846640801],
        None,
    ),
    "cos_ of an element": (lambda y, w: y[0].cos_(), [-0.479425538604203, 2.0, 3.0], None),
    "abs_": (lambda y, w: y.abs_(), [1.0, 2.0, 3.0], None),
    "log_": (lambda y, w: y.log_(), [2.0, 1.3333333333333333, 1.2], None),
    "square_": (lambda y, w: y.square_(), [1.0, 6.0, 15.0], None),
    "reciprocal_": (
        lambda y, w: y.reciprocal_(),
        [-4.0, -0.8888888888888888, -0.4800000000000001],
        None,
    ),
    "erf_": (
        lambda y, w: y.erf_(),
        [0.8787825789354448, 0.23786057844725872, 0.00653485269105813],
        None,
    ),
    "clamp_": (lambda y, w: y.clamp_(1, 2), [0.0, 2.0, 0.0], None),
    "cumsum_": (lambda y, w: y.cumsum_(0), [6.0, 5.0, 3.0], None),
    "log1p_": (
        lambda y, w: y.log1p_(),
        [0.6666666666666666, 0.8, 0.8571428571428571],
        None,
    ),
    "expm1_": (
        lambda y, w: y.expm1_(),
        [1.6487212707001282, 8.96337814067613, 36.54748188211042],
        None,
    ),
}


def leaves():
    return [tg.tensor(v, dtype=tg.float64, requires_grad=True) for v in (X, W)]


def close(found, expected):
    if expected is None:
        return found is None
    return found.tolist() == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("how", ["tape", "compiled", "checkpointed", "backward in a trace"])
@pytest.mark.parametrize("name", WRITES)
def test_a_write_keeps_what_its_own_gradient_needs(name, how):
    write, gx, gw = WRITES[name]

    def loss(x, w):
        y = x * 1
        write(y, w)
        return (y * tg.arange(1.0, 4.0, dtype=tg.float64)).sum()

    def gradients(x, w):
        return tg.autograd.grad(loss(x, w), [x, w], allow_unused=True)

    x, w = leaves()
    if how == "backward in a trace":
        found = tg.compile(gradients)(x, w)
    else:
        f = {
            "tape": loss,
            "compiled": tg.compile(loss),
            "checkpointed": lambda x, w: checkpoint(loss, x, w, use_reentrant=False),
        }[how]
        found = tg.autograd.grad(f(x, w), [x, w], allow_unused=True)
    if how == "compiled" and gw is None:
        assert found[1] is None or not found[1].any()
    else:
        assert close(found[1], gw)
    assert close(found[0], gx)


def test_second_derivatives_go_through_a_write():
    x, w = leaves()
    y = (x * 1).mul_(w).mul_(x)  # x^2 w
    (g,) = tg.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = tg.autograd.grad(g.sum(), x)
    assert g.tolist() == [2 * a * b for a, b in zip(X, W)]
    assert h.tolist() == [2 * b for b in W]


def test_what_others_kept_is_still_seen_to_have_changed():
    x, w = leaves()
    y = x * 1
    z = y * w  # keeps y
    y.mul_(w)
    with pytest.raises(RuntimeError, match="mul .*needs its old input, but mul_"):
        z.sum().backward()


def test_a_write_without_a_gradient_keeps_nothing():
    w = leaves()[1]
    y = tg.ones(1000)
    before = tg.allocator.statistics()["live"]
    y.mul_(y + 1)
    with tg.no_grad():
        y.mul_(w[0])
    assert tg.allocator.statistics()["live"] == before


def test_more_ops_have_a_form_in_place():
    x = tg.tensor([[1.5, -2.5], [0.0, 3.0]])
    assert x.clone().trunc_().tolist() == [[1, -2], [0, 3]]
    assert x.clone().tril_().tolist() == [[1.5, 0], [0, 3]]
    assert x.clone().triu_(1).tolist() == [[0, -2.5], [0, 0]]
    assert x.clone().cumsum_(1).tolist() == [[1.5, -1], [0, 3]]
    assert x.clone().logical_not_().tolist() == [[0, 0], [1, 0]]
    m = x > 0
    assert m.clone().logical_and_(x > 2).tolist() == [[False, False], [False, True]]
    assert m.clone().logical_or_(x < 0).tolist() == [[True, True], [False, True]]
    assert m.clone().logical_xor_(m).tolist() == [[False, False], [False, False]]
    n = tg.tensor([1, 2])
    with pytest.raises(RuntimeError, match=r"pow_ .*: the result is float32 and cannot be kept"):
        n.pow_(0.5)


X1 = [0.5, -0.2]
# The gradient of y.sum() with respect to x where y = x * 1 was written by an operator. Recorded
# from PyTorch 2.15.
OPERATORS = {
    "**=": (2, [1.0, -0.4]),
    "%=": (0.3, [1.0, 1.0]),
    "*=": (3, [3.0, 3.0]),
    "/=": (2, [0.5, 0.5]),
    "+=": (2, [1.0, 1.0]),
}


def in_place(x, sign, y):
    names = {"x": x, "y": y}
    exec(f"x {sign} y", names)
    return names["x"]


@pytest.mark.parametrize("sign", OPERATORS)
def test_an_operator_in_place_keeps_what_its_gradient_needs(sign):
    number, expected = OPERATORS[sign]

    def loss(x):
        return in_place(x * 1, sign, number).sum()

    for f in (loss, tg.compile(loss)):
        x = tg.tensor(X1, requires_grad=True)
        f(x).backward()
        assert x.grad.tolist() == pytest.approx(expected, rel=1e-6)


def test_an_operator_in_place_gives_back_the_very_object():
    for sign, y in [("**=", 2), ("//=", 2), ("%=", 2), ("&=", 2), ("|=", 2), ("^=", 2)]:
        x = tg.tensor([5, 7])
        assert in_place(x, sign, y) is x
        assert x.tolist() == [eval(f"{v} {sign[:-1]} {y}") for v in (5, 7)]


@pytest.mark.parametrize(
    "x, sign, y, said",
    [
        ([1, 2], "**=", 2.5, r"pow_ \(.*\): the result is float32 and cannot be kept in a .*int64"),
        ([1, 2], "//=", 2.5, r"floor_divide_ .*: the result is float32 and cannot be kept"),
        ([1, 2], "%=", 2.5, r"remainder_ .*: the result is float32 and cannot be kept"),
        ([True, False], "&=", 3, r"bitwise_and_ .*: the result is int64 and cannot be kept in a t"),
        ([True, False], "|=", 3, r"bitwise_or_ .*: the result is int64 and cannot be kept"),
        ([True, False], "^=", 3, r"bitwise_xor_ .*: the result is int64 and cannot be kept"),
    ],
)
def test_an_operator_in_place_keeps_the_kind_of_number(x, sign, y, said):
    x = tg.tensor(x)
    before = x.tolist()
    with pytest.raises(RuntimeError, match=said):
        in_place(x, sign, y)
    assert x.tolist() == before


def test_an_exponent_fits_into_the_integers():
    x = tg.tensor([1, 2], dtype=tg.uint8)
    said = r"pow .*: 300 does not fit uint8, which holds 0 to 255"
    with pytest.raises(RuntimeError, match=said):
        x**300
    with pytest.raises(RuntimeError, match=said):
        in_place(x, "**=", 300)
    assert (x**7).tolist() == [1, 128]
    with pytest.raises(RuntimeError, match="does not fit int32"):
        x.int() ** 2**31
    assert (tg.tensor([1], dtype=tg.int32) ** (2**31 - 1)).tolist() == [1]


def test_the_way_out_of_a_write_too_early_fits_the_op():
    def error(write):
        x = tg.tensor(X1, requires_grad=True)
        y = x.exp()
        z = y.sum()
        write(y)
        with pytest.raises(RuntimeError, match="needs its old output") as e:
            z.backward()
        return str(e.value).rsplit("; ", 1)[1]

    assert error(lambda y: y.add_(1)) == "write y = y + 1 instead of y += 1, or clone first"
    assert error(lambda y: y.div_(2)) == "write y = y / 1 instead of y /= 1, or clone first"
    assert (
        error(lambda y: y.tanh_()) == "call tanh instead, which makes a new tensor, or clone first"
    )


@pytest.mark.parametrize("compiled", [False, True])
def test_a_view_made_under_no_grad_is_not_written_with_gradients_on(compiled):
    def loss(x):
        y = x * 1
        with tg.no_grad():
            v = y[0]
        v.mul_(5)
        return y.sum()

    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    with pytest.raises(RuntimeError, match=r"mul_ .*a view of shape \(2,\) that was made under no"):
        (tg.compile(loss) if compiled else loss)(x)


@pytest.mark.parametrize(
    "first",
    [
        lambda y: y.unbind(0)[0],
        lambda y: y.split(1)[0],
        lambda y: y.chunk(2)[0],
        lambda y: next(iter(y)),
        lambda y: y[0],
    ],
)
def test_a_write_to_one_of_several_views_has_its_gradient(first):
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x * 1
    first(y).mul_(5)
    y.sum().backward()
    assert x.grad.tolist() == [[5, 5], [1, 1]]
