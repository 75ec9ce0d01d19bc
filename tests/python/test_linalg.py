"""tg.linalg against NumPy, against what PyTorch 2.15 gave (linalg_recorded.json, written by
record_linalg.py), and its gradients against differences."""

import copy
import json
import math
import pickle
from pathlib import Path

import numpy as np
import pytest
import tapegraph as tg
from op_cases import leaves_of, loss_of, outputs_of
from tapegraph import linalg
from tapegraph.autograd import gradcheck, gradgradcheck

CASES = json.loads(Path(__file__).with_name("linalg_recorded.json").read_text())["cases"]
RNG = np.random.default_rng(5)


def random(*shape, dtype=tg.float64):
    return tg.tensor(RNG.standard_normal(shape), dtype=dtype)


def positive(*shape):
    """Symmetric, with eigenvalues that are apart from 0 and from each other."""
    x = random(*shape)
    return x @ x.mT + tg.eye(shape[-1], dtype=tg.float64)


def mirrored(a):
    return (a + a.mT) / 2


def near(got, want, tolerance=1e-9):
    got, want = np.array(got.tolist(), float), np.array(want, float)
    np.testing.assert_allclose(got, want, tolerance, tolerance)


# ---- what PyTorch gave ---------------------------------------------------------------------------
@pytest.mark.parametrize("case", CASES, ids=[case["expression"] for case in CASES])
def test_values_dtypes_and_gradients_are_pytorchs(case):
    leaves = leaves_of(tg, case["shapes"])
    outputs = outputs_of(tg, case["expression"], leaves)
    assert len(outputs) == len(case["outputs"])
    for output, (dtype, shape, values) in zip(outputs, case["outputs"]):
        assert str(output.dtype) == f"tapegraph.{dtype}"
        assert list(output.shape) == shape
        near(output.detach().flatten(), values)
    loss = loss_of(tg, outputs)
    if loss is None:
        assert all(gradient is None for gradient in case["gradients"])
        return
    loss.backward()
    for leaf, gradient in zip(leaves, case["gradients"]):
        assert (leaf.grad is None) == (gradient is None)
        if gradient is not None:
            near(leaf.grad.flatten(), gradient, 1e-7)


@pytest.mark.parametrize("case", CASES, ids=[case["expression"] for case in CASES])
def test_a_compiled_function_gives_the_tapes_bits(case):
    leaves, again = leaves_of(tg, case["shapes"]), leaves_of(tg, case["shapes"])
    tape = outputs_of(tg, case["expression"], leaves)
    program = tg.compile(lambda *x: outputs_of(tg, case["expression"], x))(*again)
    for a, b in zip(tape, program):
        assert a.dtype == b.dtype and a.requires_grad == b.requires_grad
        assert a.detach().numpy().tobytes() == b.detach().numpy().tobytes()
    loss = loss_of(tg, tape)
    if loss is None:
        return
    loss.backward()
    loss_of(tg, program).backward()
    for a, b in zip(leaves, again):
        assert (a.grad is None) == (b.grad is None)
        assert a.grad is None or a.grad.numpy().tobytes() == b.grad.numpy().tobytes()


# ---- gradients -----------------------------------------------------------------------------------
GRADIENTS = {
    "solve": (linalg.solve, [(2, 3, 3), (3, 2)]),
    "solve from the right": (lambda a, b: linalg.solve(a, b, left=False), [(3, 3), (2, 3)]),
    "solve_triangular": (lambda a, b: linalg.solve_triangular(a, b, upper=True), [(3, 3), (3, 2)]),
    "inv": (linalg.inv, [(3, 3)]),
    "det": (linalg.det, [(2, 3, 3)]),
    "slogdet": (lambda a: linalg.slogdet(a).logabsdet, [(3, 3)]),
    "cholesky": (lambda a: linalg.cholesky(mirrored(a @ a.mT) + tg.eye(3).double()), [(3, 3)]),
    "qr of tall": (linalg.qr, [(4, 2)]),
    "qr of wide": (linalg.qr, [(2, 4)]),
    "qr of square": (lambda a: linalg.qr(a, "complete"), [(2, 3, 3)]),
    "svdvals": (linalg.svdvals, [(2, 3, 2)]),
    "svd": (lambda a: [u * u for u in linalg.svd(a)], [(3, 3)]),
    "svd of tall": (lambda a: [u * u for u in linalg.svd(a, full_matrices=False)], [(4, 2)]),
    "svd of wide": (lambda a: [u * u for u in linalg.svd(a, full_matrices=False)], [(2, 3)]),
    "eigh": (lambda a: [u * u for u in linalg.eigh(mirrored(a))], [(3, 3)]),
    "eigvalsh": (lambda a: linalg.eigvalsh(mirrored(a)), [(2, 3, 3)]),
    "pinv of tall": (linalg.pinv, [(3, 2)]),
    "pinv of wide": (linalg.pinv, [(2, 2, 3)]),
    "lstsq": (lambda a, b: linalg.lstsq(a, b, driver="gels")[:2], [(4, 2), (4, 2)]),
    "matrix_norm": (lambda a: linalg.matrix_norm(a, "nuc"), [(3, 2)]),
    "cond": (linalg.cond, [(3, 3)]),
    "cond in the 1-norm": (lambda a: linalg.cond(a, 1), [(3, 3)]),
    "matrix_power": (lambda a: linalg.matrix_power(a, -3), [(2, 2)]),
    "multi_dot": (lambda *m: linalg.multi_dot(m), [(2, 3), (3, 2), (2, 3)]),
    "cross": (linalg.cross, [(2, 3), (1, 3)]),
    "vander": (linalg.vander, [(3,)]),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_and_their_gradients_are_the_differences(name):
    f, shapes = GRADIENTS[name]
    inputs = [random(*shape).requires_grad_() for shape in shapes]
    inputs = [tg.tensor((x.detach() * 2).tolist(), dtype=tg.float64) for x in inputs]
    inputs = [x.requires_grad_() for x in inputs]

    def all_of(*x):
        y = f(*x)
        return tuple(y) if isinstance(y, (tuple, list)) else y

    assert gradcheck(all_of, inputs, atol=1e-4, rtol=1e-4)
    assert gradgradcheck(all_of, inputs, atol=1e-3, rtol=1e-3)


def test_det_has_a_gradient_where_it_is_0():
    """PyTorch gives zeros for the first; by hand it is the matrix of cofactors."""
    x = tg.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=tg.float64, requires_grad=True)
    assert abs(float(linalg.det(x))) < 1e-15
    (g,) = tg.autograd.grad(linalg.det(x), x)
    near(g, [[4, -2], [-2, 1]])
    assert gradcheck(linalg.det, [x])
    x = tg.zeros(3, 3, requires_grad=True)
    linalg.det(x).backward()
    assert x.grad.tolist() == [[0] * 3] * 3


# ---- values --------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 40])
@pytest.mark.parametrize("dtype, tolerance", [(tg.float32, 1e-4), (tg.float64, 1e-9)])
def test_factors_multiply_to_the_matrix(n, dtype, tolerance):
    a = random(2, n + 3, n, dtype=dtype)
    for x in (a, a.mT, random(n + 3, 2, n, dtype=dtype).transpose(0, 1)):
        q, r = linalg.qr(x)
        near(q @ r, x.tolist(), tolerance)
        near(q.mT @ q, np.broadcast_to(np.eye(q.shape[-1]), (2,) + (q.shape[-1],) * 2), tolerance)
        near(r, np.triu(np.array(r.tolist())))
        u, s, vh = linalg.svd(x, full_matrices=False)
        near((u * s.unsqueeze(-2)) @ vh, x.tolist(), tolerance)
        near(s, np.linalg.svd(np.array(x.tolist()), compute_uv=False), tolerance)
        u, s, vh = linalg.svd(x)
        assert u.shape[-1] == x.shape[-2] and vh.shape[-2] == x.shape[-1]
        near(u @ u.mT, np.broadcast_to(np.eye(u.shape[-1]), u.shape), tolerance)
        p = linalg.pinv(x)
        near(x @ p @ x, x.tolist(), 10 * tolerance)
    m = a.mT @ a + tg.eye(n, dtype=dtype)
    w, v = linalg.eigh(m)
    near(m @ v, (v * w.unsqueeze(-2)).tolist(), 100 * tolerance)
    assert (w[..., 1:] >= w[..., :-1]).all()
    low = linalg.cholesky(m)
    near(low @ low.mT, m.tolist(), 100 * tolerance)
    near(linalg.solve(m, m @ a.mT), a.mT.tolist(), 100 * tolerance)
    assert w.dtype == v.dtype == low.dtype == p.dtype == dtype


def test_numpy_has_the_same_values():
    a, b = random(2, 3, 3), random(2, 3, 2)
    x, y = np.array(a.tolist()), np.array(b.tolist())
    near(linalg.det(a), np.linalg.det(x))
    near(linalg.inv(a), np.linalg.inv(x))
    near(linalg.solve(a, b), np.linalg.solve(x, y))
    for p in (None, 2, -2, 1, -1, math.inf, -math.inf, "fro", "nuc"):
        near(linalg.cond(a, p), np.linalg.cond(x, p))
        near(linalg.norm(a[0], p), np.linalg.norm(x[0], p))
    near(linalg.pinv(b), np.linalg.pinv(y))
    tall, right = random(5, 3), random(5, 2)
    solution, residuals, rank, values = linalg.lstsq(tall, right, driver="gelsd")
    want = np.linalg.lstsq(np.array(tall.tolist()), np.array(right.tolist()), rcond=None)
    for got, expected in zip((solution, residuals, rank, values), want):
        near(got, expected)
    m = positive(4, 4)
    near(linalg.eigvalsh(m), np.linalg.eigvalsh(np.array(m.tolist())))
    near(linalg.cholesky(m), np.linalg.cholesky(np.array(m.tolist())))
    assert int(linalg.matrix_rank(tg.outer(random(4), random(3)))) == 1


def test_only_the_triangle_that_is_named_is_read():
    a = tg.tensor([[4.0, math.nan], [2.0, 5.0]])
    near(linalg.cholesky(a), [[2, 0], [1, 2]], 1e-6)
    near(linalg.cholesky(a.mT, upper=True), [[2, 1], [0, 2]], 1e-6)
    near(linalg.eigvalsh(a), np.linalg.eigvalsh([[4, 2], [2, 5]]), 1e-6)
    near(linalg.eigvalsh(a.mT, "U"), linalg.eigvalsh(a).tolist())
    near(linalg.solve_triangular(a, tg.ones(2, 1), upper=False), [[0.25], [0.1]], 1e-6)


def test_results_have_names_and_are_tuples():
    u, s, vh = found = linalg.svd(tg.eye(2))
    assert found.U is u and found.S is s and found.Vh is vh
    assert linalg.qr(tg.eye(2)).R.shape == (2, 2)
    assert linalg.eigh(tg.eye(2)).eigenvalues.tolist() == [1, 1]
    assert tg.slogdet(tg.eye(2) * -3).sign == 1
    assert linalg.cholesky_ex(-tg.eye(2)).info == 1
    assert repr(found).startswith("tapegraph.return_types.linalg_svd(U=tensor(")
    for again in (copy.copy(found), pickle.loads(pickle.dumps(found))):
        assert type(again) is type(found) and again.S.tolist() == [1, 1]
    compiled = tg.compile(linalg.svd)(tg.eye(2))
    assert type(compiled) is type(found) and compiled.S.tolist() == [1, 1]


# ---- errors --------------------------------------------------------------------------------------
def says(text, f, *args, error=linalg.LinAlgError, **options):
    with pytest.raises(error) as raised:
        f(*args, **options)
    assert text in str(raised.value), str(raised.value)


def test_a_singular_matrix_is_named():
    assert issubclass(linalg.LinAlgError, RuntimeError)
    pair = tg.stack([tg.eye(2), tg.zeros(2, 2)])
    says("): the matrix (2, 2) is singular", linalg.solve, tg.zeros(2, 2), tg.ones(2))
    says("matrix 1 of (2, 2, 2) is singular", linalg.inv, pair)
    says("inv (test_linalg.py:", linalg.inv, pair)
    says("matrix 1 of (2, 2, 2) is singular", pair.inverse)
    says("matrix 1 of (2, 2, 2) is singular", tg.matrix_power, pair, -1)
    says("leading minor of order 2", linalg.cholesky, tg.tensor([[1.0, 2.0], [2.0, 1.0]]))
    assert linalg.det(pair).tolist() == [1, 0]
    assert tg.slogdet(pair).logabsdet.tolist() == [0, -math.inf]
    assert tg.logdet(-tg.eye(3)).isnan()
    assert linalg.cond(tg.stack([tg.eye(2), tg.ones(2, 2)]), 1).tolist() == [1, math.inf]


def test_a_program_says_so_when_it_runs():
    f = tg.compile(linalg.inv)
    assert f(tg.eye(2) * 2).tolist() == [[0.5, 0], [0, 0.5]]
    says("the matrix (2, 2) is singular", f, tg.zeros(2, 2))
    with tg.Graph() as graph:
        x = tg.placeholder("x", [None, 2, 2])
        y = linalg.solve(x, tg.ones(2, 1))
    session = tg.Session(graph)
    assert session.run(y, {x: [[[2.0, 0.0], [0.0, 4.0]]]}).tolist() == [[[0.5], [0.25]]]
    says(
        "matrix 1 of (2, 2, 2) is singular",
        session.run,
        y,
        {x: np.stack([np.eye(2)] * 2) * [[[1]], [[0]]]},
    )


def test_numbers_that_are_none_end_in_an_error_or_in_nan():
    for bad in (math.nan, math.inf):
        x = tg.full((3, 3), bad)
        for f in (linalg.svd, linalg.svdvals, linalg.eigh, linalg.pinv, linalg.matrix_rank):
            says("has an infinite or NaN element", f, x)
        says("leading minor of order", linalg.cholesky, x)
        y = x.clone().requires_grad_()
        linalg.det(y).backward()
        assert y.grad.isnan().all()
        assert linalg.det(x).isnan() and linalg.slogdet(x).logabsdet.shape == ()
        for f in (linalg.inv, lambda a: linalg.solve(a, a), linalg.qr):
            try:
                f(x)
            except linalg.LinAlgError:
                pass


def test_shapes_and_dtypes_that_do_not_fit():
    ones = tg.ones
    says("has 2 rows and 3 columns", linalg.det, ones(2, 3), error=RuntimeError)
    says("no matrix", linalg.svd, ones(3), error=RuntimeError)
    says("int64", linalg.det, tg.tensor([[1]]), error=RuntimeError)
    says(
        "A is float32 and B is float64",
        linalg.solve,
        ones(2, 2),
        ones(2, 1).double(),
        error=RuntimeError,
    )
    says("do not broadcast", linalg.solve, ones(2, 2, 2), ones(3, 2, 1), error=RuntimeError)
    says("has 2 rows, but B (3, 1) has 3", linalg.solve, ones(2, 2), ones(3, 1), error=RuntimeError)
    says("not 'full'", linalg.qr, ones(2, 2), "full", error=RuntimeError)
    says("UPLO is 'L' or 'U'", linalg.eigh, ones(2, 2), "M", error=RuntimeError)
    says("not 'two'", linalg.matrix_norm, ones(2, 2), "two", error=RuntimeError)
    says("not 3", linalg.matrix_norm, ones(2, 2), 3, error=RuntimeError)
    says("give dim", linalg.norm, ones(2, 2, 2), 2, error=RuntimeError)
    says("names dim 0 twice", linalg.matrix_norm, ones(2, 2), dim=(0, -2), error=RuntimeError)
    says("at least 2", linalg.multi_dot, [ones(2, 2)], error=RuntimeError)
    says(
        "has 2 columns, but tensor 1 (3, 2) has 3 rows",
        linalg.multi_dot,
        [ones(2, 2), ones(3, 2)],
        error=RuntimeError,
    )
    says("must have size 3", linalg.cross, ones(2), ones(2), error=RuntimeError)
    says("greater than 1", linalg.vander, ones(2), N=1, error=RuntimeError)
    says("no matrix", tg.trace, ones(3), error=RuntimeError)
    says("driver is", linalg.lstsq, ones(2, 1), ones(2, 1), driver="lu", error=RuntimeError)
    x = tg.ones(3, 2, requires_grad=True)
    says("has no gradient", linalg.qr(x, "complete").Q.sum().backward, error=RuntimeError)
    says("upper", linalg.solve_triangular, ones(2, 2), ones(2, 1), error=TypeError)


def test_powers_of_any_size():
    a = tg.tensor([[1.0, 1.0], [0.0, 1.0]], dtype=tg.float64)
    assert tg.matrix_power(a, 2**40).tolist() == [[1, 2**40], [0, 1]]
    assert tg.matrix_power(a, -(2**63)).tolist() == [[1, -(2.0**63)], [0, 1]]
    assert tg.matrix_power(a, 1) is not a
