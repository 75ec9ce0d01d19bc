"""Jacobians, Hessians and products with them. The numbers are those that PyTorch 2.15 gave."""

import pytest
import tapegraph as tg
from errors import said
from tapegraph.autograd import functional as F


def double(values):
    return tg.tensor(values, dtype=tg.float64)


x = double([1.0, 2.0, 3.0])
y = double([[0.5, -1.0, 2.0], [1.5, 0.25, -0.5]])
v = (double([1.0, -2.0]), double([0.5, 0.25]))
u = (double([1.0, 0.0, -1.0]), double([[0.5] * 3] * 2))


def two(a, b):
    return b @ a.exp(), (a * b).sin().sum(1)


def number(a, b):
    return ((b @ a) ** 2 * a.sum()).sum()


def flat(result):
    """All numbers of a nest of tuples, in order."""
    if isinstance(result, tuple):
        return [n for part in result for n in flat(part)]
    return result.reshape(-1).tolist()


VALUES = [[34.1411586617, -4.1180816942], [-0.7092873864, 0.4794255386]]
VJP = [
    [-6.54978248, -10.82066182, 61.207938906],
    [3.1570731094, 6.9729092624, 21.5257923532, -5.4188793565, -14.3393209169, -40.1180209451],
]
JVP = [[-23.7154955069, 29.2166286296], [-0.018649418, 1.1605313686]]
JACOBIAN = [
    [1.3591409142, -7.3890560989, 40.1710738464, 4.0774227427, 1.8472640247, -10.0427684616],
    [2.7182818285, 7.3890560989, 20.0855369232, 0, 0, 0]
    + [0, 0, 0, 2.7182818285, 7.3890560989, 20.0855369232],
    [0.4387912809, 0.4161468365, 1.9203405733, 0.1061058025, 0.2193956405, -0.0353686008],
    [0.8775825619, -0.8322936731, 2.88051086, 0, 0, 0]
    + [0, 0, 0, 0.0707372017, 1.7551651238, 0.212211605],
]
CROSS = [69, 30, 45, 25, 38, 57, -3, 48, -9, 4, 14, 12, 33, 66, 153, -5, -10, -9]
HESSIAN_XX = [42, -4.25, 26.5, -4.25, -4.75, -16.75, 26.5, -16.75, 86]
HVP = [[147.5, 45.5, 54.5], [72, 36, 0, 66, 120, 174]]


def close(result, *lists):
    return flat(result) == pytest.approx([n for part in lists for n in part], abs=1e-9)


def test_vjp_and_jvp():
    values, product = F.vjp(two, (x, y), v)
    assert close(values, *VALUES) and close(product, *VJP)
    assert [t.shape for t in product] == [(3,), (2, 3)]
    values, product = F.jvp(two, (x, y), u)
    assert close(values, *VALUES) and close(product, *JVP)
    assert not any(t.requires_grad for t in (*values, *product))


def test_jacobian():
    found = F.jacobian(two, (x, y))
    assert close(found, *JACOBIAN)
    assert [[t.shape for t in row] for row in found] == [[(2, 3), (2, 2, 3)]] * 2


def test_hessian_and_its_products():
    found = F.hessian(number, (x, y))
    assert close(found[0][0], HESSIAN_XX) and close(found[0][1], CROSS)
    assert found[0][1].shape == (3, 2, 3) and found[1][0].shape == (2, 3, 3)
    assert flat(found[1][0].reshape(6, 3).t()) == flat(found[0][1])
    for product in (F.vhp, F.hvp):
        value, times = product(number, (x, y), u)
        assert value.item() == 123 and close(times, *HVP)


def test_one_tensor_is_no_tuple():
    assert F.jacobian(lambda a: a**2, x).tolist() == [[2, 0, 0], [0, 4, 0], [0, 0, 6]]
    assert F.hessian(lambda a: (a**3).sum(), x).tolist() == [[6, 0, 0], [0, 12, 0], [0, 0, 18]]
    assert F.hessian(lambda a: a**3, double(2.0)).tolist() == 12
    assert F.vjp(lambda a: (a * a).sum(), x)[1].tolist() == [2, 4, 6]
    assert F.jvp(lambda a: a**2, double(3.0))[1].item() == 6
    assert F.jacobian(lambda a: a * 2, tg.zeros(0)).shape == (0, 0)


def test_what_was_before_is_part_of_it_only_with_create_graph():
    w = double([1.0, 2.0]).requires_grad_()
    plain = F.jacobian(lambda a: a**2, w * 3)
    assert plain.tolist() == [[6, 0], [0, 12]] and not plain.requires_grad
    kept = F.jacobian(lambda a: a**2, w * 3, create_graph=True)
    (g,) = tg.autograd.grad(kept.sum(), w)
    assert g.tolist() == [6, 6]
    _, product = F.hvp(lambda a: (a**3).sum(), w, double([1.0, 1.0]), create_graph=True)
    assert product.tolist() == [6, 12]
    assert tg.autograd.grad(product.sum(), w)[0].tolist() == [6, 6]
    assert w.grad is None


def test_they_record_under_no_grad():
    with tg.no_grad():
        assert F.jacobian(lambda a: a * 2, x).tolist()[0] == [2, 0, 0]
        assert not tg.is_grad_enabled()


def test_what_does_not_depend_is_zeros_unless_strict():
    constant = double([5.0, 6.0])
    assert F.jacobian(lambda a: constant, x).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert F.vjp(lambda a, b: a.sum(), (x, y))[1][1].tolist() == [[0, 0, 0]] * 2
    assert F.jvp(lambda a: constant, x, x)[1].tolist() == [0, 0]
    assert F.hessian(lambda a: a.sum(), x).tolist() == [[0, 0, 0]] * 3
    assert F.hvp(lambda a: a.sum(), x, x)[1].tolist() == [0, 0, 0]
    for call in (
        lambda: F.vjp(lambda a: constant, x, constant, strict=True),
        lambda: F.jvp(lambda a: constant, x, x, strict=True),
        lambda: F.jacobian(lambda a: constant, x, strict=True),
    ):
        with pytest.raises(RuntimeError, match=r"output 0 of shape \(2,\) does not depend"):
            call()
    with pytest.raises(RuntimeError) as error:
        F.vjp(lambda a, b: a.sum(), (x, y), strict=True)
    assert said(error) == (
        "vjp: the output does not depend on input 1; strict=False takes the derivative for zeros"
    )
    with pytest.raises(RuntimeError, match="the derivative with respect to input 0 does"):
        F.hessian(lambda a: a.sum(), x, strict=True)
    with pytest.raises(RuntimeError, match="the output does not depend on input 1"):
        F.jvp(lambda a, b: a * 2, (x, y), u, strict=True)


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (
            lambda: F.vjp(lambda a: a * 2, x),
            RuntimeError,
            "vjp: v may only be left out where output is a single number, not (3,)",
        ),
        (
            lambda: F.jvp(lambda a: a, x),
            RuntimeError,
            "jvp: v may only be left out where input is a single number, not (3,)",
        ),
        (
            lambda: F.vjp(lambda a: a, x, y),
            RuntimeError,
            "vjp: v[0] has shape (2, 3), but output 0 has shape (3,)",
        ),
        (
            lambda: F.hvp(number, (x, y), x),
            RuntimeError,
            "hvp: v has 1 tensors, but input has 2",
        ),
        (
            lambda: F.hessian(lambda a: a, x),
            RuntimeError,
            "hessian: func must return a single number, not (3,)",
        ),
        (
            lambda: F.jacobian(lambda a: 3, x),
            TypeError,
            "jacobian: what func returned must be a tensor, not int",
        ),
        (
            lambda: F.jacobian(lambda a: a, (x, 3)),
            TypeError,
            "jacobian: inputs[1] must be a tensor, not int",
        ),
        (
            lambda: F.jacobian(lambda a: a, tg.tensor([1])),
            RuntimeError,
            "jacobian: inputs[0] is tapegraph.int64, and only floating tensors have derivatives",
        ),
        (
            lambda: F.jacobian(lambda a: a, x, vectorize=True),
            NotImplementedError,
            "jacobian: vectorize=True is not offered, the rows are computed one by one; "
            "tg.func.jacrev and tg.func.hessian compute them at once",
        ),
        (
            lambda: F.hessian(number, (x, y), outer_jacobian_strategy="forward-mode"),
            NotImplementedError,
            "hessian: the strategy is 'reverse-mode', not 'forward-mode': there is no forward mode",
        ),
    ],
)
def test_what_is_wrong_is_said(call, kind, text):
    with pytest.raises(kind) as error:
        call()
    assert said(error) == text


def test_compiled_it_is_the_same():
    def products(a, b):
        jacobian = F.jacobian(lambda p: two(p, b), a)
        return (*jacobian, *F.vhp(number, (a, b), u)[1], *F.jvp(two, (a, b), u)[1])

    expected = products(x, y)
    for executor in ("lines", "planned", "fused"):
        found = tg.compile(products, executor=executor)(x, y)
        assert flat(found) == flat(expected)
