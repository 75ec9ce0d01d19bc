"""On the device "cuda" a step of SGD and Adam is one op for all tensors, and has the CPU's bits."""

import numpy as np
import pytest
import tapegraph as tg
from optimizers import KINDS

SHAPES = [(5, 3), (3,), (), (0, 2), (3, 7, 2), (1,), (70, 70), (8,), (2, 2), (4,)]
OURS = [kind for kind in KINDS if kind[0] in ("SGD", "Adam", "AdamW")]
OURS += [
    ("SGD", {}),
    ("SGD", {"momentum": 0.5, "dampening": 0.25}),
    ("Adam", {}),
    ("AdamW", {"maximize": True}),
]


def made(name, options, device, dtype=tg.float32):
    rng = np.random.default_rng(0)
    params = [
        tg.tensor(rng.normal(size=s), dtype=dtype, device=device, requires_grad=True)
        for s in SHAPES
    ]
    return params, getattr(tg.optim, name)(params, lr=0.01, **options)


def give_gradients(params, seed, without=()):
    rng = np.random.default_rng(seed)
    for k, p in enumerate(params):
        g = tg.tensor(rng.normal(size=p.shape), dtype=p.dtype, device=p.device)
        p.grad = None if k in without else g


def bits(params, optimizer):
    state = [v for p in params for v in optimizer.state.get(p, {}).values()]
    return [t.detach().cpu().numpy().tobytes() for t in (*params, *state)]


def ops_of(step):
    before = tg._C.ops_run()
    step()
    return tg._C.ops_run() - before


@pytest.mark.parametrize("dtype", [tg.float32, tg.float64], ids=str)
@pytest.mark.parametrize(("name", "options"), OURS)
def test_a_step_of_ten_tensors_is_one_launch_with_the_cpus_bits(name, options, dtype):
    here, there = made(name, options, "cpu", dtype), made(name, options, "cuda", dtype)
    for seed in range(4):
        without = (1, 4) if seed == 2 else ()
        for params, _ in (here, there):
            give_gradients(params, seed, without)
        here[1].step()
        assert ops_of(there[1].step) == 1
        if tg.cuda.is_emulated():
            assert bits(*here) == bits(*there)
        for a, b in zip(here[0], there[0]):
            np.testing.assert_allclose(b.detach().cpu().numpy(), a.detach().numpy(), 1e-5, 1e-6)


def test_a_gradient_of_other_strides_is_copied_first():
    for device in ("cpu", "cuda"):
        w = tg.ones(3, 2, device=device, requires_grad=True)
        w.grad = tg.arange(6.0, device=device).reshape(2, 3).t()
        tg.optim.SGD([w], lr=0.5).step()
        assert w.tolist() == [[1, -0.5], [0.5, -1], [0, -1.5]]


def test_what_does_not_fit_takes_the_ops():
    mixed = [tg.ones(3, device="cuda"), tg.ones(3, dtype=tg.float64, device="cuda")]
    apart = [tg.ones(2, 3, device="cuda").t()]
    for params in (mixed, apart):
        params = [p.detach().requires_grad_() for p in params]
        for p in params:
            p.grad = tg.ones_like(p)
        optimizer = tg.optim.SGD(params, lr=0.5)
        assert ops_of(optimizer.step) > 1
        assert all((p == 0.5).all() for p in params)


def test_a_number_that_a_scheduler_turned_into_a_tensor_takes_the_ops():
    results = []
    for device in ("cpu", "cuda"):
        params, optimizer = made("Adam", {}, device)
        schedule = tg.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, 10)
        for seed in range(3):
            give_gradients(params, seed)
            optimizer.step()
            schedule.step()
        results.append([p.detach().cpu().numpy() for p in params])
    for a, b in zip(*results):
        np.testing.assert_allclose(b, a, 1e-6, 1e-7)


@pytest.mark.parametrize(("name", "options"), OURS)
def test_a_compiled_step_is_the_tapes(name, options):
    found = []
    for compiled in (False, True):
        tg.manual_seed(1)
        with tg.device("cuda"):
            model = tg.nn.Sequential(tg.nn.Linear(4, 8), tg.nn.Tanh(), tg.nn.Linear(8, 3))
            x = tg.linspace(-1, 1, 20).reshape(5, 4)
        optimizer = getattr(tg.optim, name)(model.parameters(), lr=0.01, **options)

        def step(x, model=model, optimizer=optimizer):
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        run = tg.compile(step) if compiled else step
        losses = [run(x).item() for _ in range(4)]
        found.append((losses, bits(list(model.parameters()), optimizer)))
        assert not compiled or run.traces == 1
    assert found[0] == found[1]


def test_a_write_by_a_step_is_a_write():
    w = tg.ones(3, device="cuda", requires_grad=True)
    y = (w * w).sum()
    w.grad = tg.ones(3, device="cuda")
    tg.optim.SGD([w], lr=0.5).step()
    with pytest.raises(RuntimeError, match="fused_sgd .*changed it in place"):
        y.backward()


def test_anomaly_detection_names_the_step():
    w = tg.ones(3, device="cuda", requires_grad=True)
    w.grad = tg.tensor([1.0, float("nan"), 0.0], device="cuda")
    with tg.autograd.detect_anomaly():
        with pytest.raises(RuntimeError, match="fused_sgd.* gave nan at index \\(1,\\)"):
            tg.optim.SGD([w], lr=0.5).step()
