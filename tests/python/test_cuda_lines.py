"""softmax, log_softmax, cross_entropy and layer_norm are one launch each on "cuda", with the CPU's
values, gradients and gradients of these."""

import numpy as np
import pytest
import tapegraph as tg

F = tg.nn.functional
TARGET = tg.tensor([2, 0, 1, 2])
PIXELS = tg.tensor([[[0, 2], [1, 1]], [[2, 2], [0, 1]]])
CASES = {
    "softmax of the last dim": ((4, 5), lambda x: x.softmax(-1)),
    "softmax of the first dim": ((4, 5), lambda x: x.softmax(0)),
    "softmax of a middle dim": ((2, 5, 3), lambda x: x.softmax(1)),
    "softmax of a vector": ((5,), lambda x: x.softmax(0)),
    "softmax of a transpose": ((5, 4), lambda x: x.t().softmax(1)),
    "log_softmax": ((2, 3, 5), lambda x: x.log_softmax(2)),
    "log_softmax of a middle dim": ((2, 3, 5), lambda x: x.log_softmax(-2)),
    "cross_entropy": ((4, 3), lambda x: F.cross_entropy(x, TARGET.to(x.device))),
    "of one sample": ((3,), lambda x: F.cross_entropy(x, TARGET[0].to(x.device))),
    "of pixels": ((2, 3, 2, 2), lambda x: F.cross_entropy(x, PIXELS.to(x.device))),
    "without two": (
        (4, 3),
        lambda x: F.cross_entropy(x, TARGET.to(x.device), ignore_index=2, reduction="none"),
    ),
    "of weighted classes": (
        (4, 3),
        lambda x: F.cross_entropy(
            x, TARGET.to(x.device), tg.tensor([1.0, 2.0, 0.5], dtype=x.dtype, device=x.device)
        ),
    ),
    "smoothed": ((4, 3), lambda x: F.cross_entropy(x, TARGET.to(x.device), label_smoothing=0.1)),
    "layer_norm": ((4, 5), lambda x: F.layer_norm(x, (5,))),
    "layer_norm of two dims": ((2, 3, 4), lambda x: F.layer_norm(x, (3, 4), eps=1e-2)),
    "layer_norm with a weight": (
        (4, 3),
        lambda x: F.layer_norm(x, (3,), x[0].detach() + 1, x[1].detach()),
    ),
    "group_norm": ((2, 4, 3), lambda x: F.group_norm(x, 2)),
}


def numbers(shape, device, dtype=tg.float64):
    values = np.random.default_rng(0).standard_normal(shape)
    return tg.tensor(values, dtype=dtype).to(device).requires_grad_()


def near(got, expected, tolerance=1e-12):
    np.testing.assert_allclose(
        got.detach().cpu().numpy(), expected.detach().numpy(), rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize("name", CASES)
def test_values_and_two_gradients_are_the_cpus(name):
    shape, f = CASES[name]
    found = []
    for device in ("cpu", "cuda"):
        x = numbers(shape, device)
        y = f(x)
        weights = tg.arange(float(y.numel()), dtype=y.dtype, device=device).reshape(y.shape)
        (g,) = tg.autograd.grad((y * (weights + 1)).sum(), x, create_graph=True)
        (gg,) = tg.autograd.grad((g * g).sum(), x)
        found.append((y, g, gg))
    for got, expected in zip(found[1], found[0]):
        near(got, expected, 1e-10)


@pytest.mark.parametrize("name", CASES)
def test_a_program_has_the_tapes_bits(name):
    shape, f = CASES[name]
    x = numbers(shape, "cuda", tg.float32)

    def both(x):
        y = f(x)
        return y, tg.autograd.grad(y.sum(), x)[0]

    step = tg.compile(both)
    for got, expected in zip(step(x), both(x)):
        assert got.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("f", "launches"),
    [
        (lambda x: x.softmax(1), 1),
        (lambda x: x.log_softmax(-1), 1),
        (lambda x: F.layer_norm(x, (64,)), 1),
    ],
)
def test_it_is_one_launch_and_its_gradient_another(f, launches):
    x = tg.ones(8, 64, device="cuda", requires_grad=True)
    g = tg.ones(8, 64, device="cuda")
    before = tg.ops_run()
    y = f(x)
    assert tg.ops_run() - before == launches
    before = tg.ops_run()
    tg.autograd.grad(y, x, g)
    assert tg.ops_run() - before == launches


def test_float16_is_computed_in_float32_and_rounded_once():
    x = tg.randn(3, 70)
    for f in (lambda x: x.softmax(1), lambda x: F.layer_norm(x, (70,))):
        assert f(x.half().cuda()).tolist() == f(x.half()).tolist()


@pytest.mark.parametrize(
    "f", [lambda x: x.softmax(1), lambda x: F.layer_norm(x, (5,)), lambda x: x.log_softmax(0)]
)
def test_examples_of_vmap_are_lines(f):
    x = tg.randn(2, 3, 5, dtype=tg.float64)
    gradient = tg.func.grad(lambda x: (f(x) ** 2).sum())
    near(tg.vmap(f)(x.cuda()), tg.vmap(f)(x))
    near(tg.vmap(gradient)(x.cuda()), tg.vmap(gradient)(x))


def test_a_graph_need_not_know_how_many_lines_there_are():
    graph = tg.Graph()
    with graph, tg.device("cuda"):
        x = tg.placeholder("x", [None, 3])
        y = x.to("cuda").softmax(1)
    with tg.Session(graph) as session:
        for n in (1, 4):
            value = np.random.default_rng(n).standard_normal((n, 3)).astype(np.float32)
            got = session.run(y, {x: value})
            got = got.cpu().numpy() if isinstance(got, tg.Tensor) else np.asarray(got)
            np.testing.assert_allclose(got, tg.tensor(value).softmax(1).numpy(), rtol=1e-6)


def test_empty_and_infinite_lines_are_as_on_the_cpu():
    inf, nan = float("inf"), float("nan")
    rows = [[-inf, -inf], [-inf, 1], [inf, 1], [nan, 1], [1000, -1000]]
    for f in (lambda x: x.softmax(1), lambda x: x.log_softmax(1)):
        x = tg.tensor(rows)
        np.testing.assert_allclose(f(x.cuda()).cpu().numpy(), f(x).numpy(), rtol=1e-6)
    for shape in ((0, 3), (3, 0)):
        assert tg.ones(shape, device="cuda").softmax(1).shape == shape
    assert tg.tensor(2.0, device="cuda").softmax(0).item() == 1


def test_a_class_that_is_outside_is_an_error_and_later_launches_work():
    x = tg.rand(3, 5, device="cuda")
    for wrong in (5, -1):
        with pytest.raises(IndexError, match=rf"cross_entropy .*index {wrong} is outside 0..4"):
            F.cross_entropy(x, tg.tensor([0, wrong, 1], device="cuda"))
    assert F.cross_entropy(x, tg.tensor([0, 4, 1], device="cuda")).item() > 0
