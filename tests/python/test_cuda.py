"""What runs on the CPU runs on the device "cuda", by a kernel of its own or by the CPU's, with the
same results: ops, layers, optimisers, programs, data. And tg.cuda has PyTorch's names."""

import json
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tapegraph as tg
from digits_network import network
from nn_cases import played
from op_cases import leaves_of, loss_of, outputs_of

HERE = Path(__file__).parent
OPS = [
    case
    for part in ("ops", "functional", "linalg")
    for case in json.loads((HERE / f"{part}_recorded.json").read_text())["cases"]
]
LAYERS = [
    case
    for case in json.loads((HERE / "nn_recorded.json").read_text())["cases"]
    if case["inputs"] is not None
]
CPU, CUDA = tg.device("cpu"), tg.device("cuda")


def near(got, want, tolerance=1e-10):
    assert got.device == CUDA or got.numel() == 0  # block_diag() of nothing has no device
    assert got.dtype == want.dtype and got.shape == want.shape
    np.testing.assert_allclose(
        got.detach().cpu().double().numpy(), want.detach().double().numpy(), tolerance, tolerance
    )


# ---- every op ------------------------------------------------------------------------------------
def values_and_gradients(case):
    leaves = leaves_of(tg, case["shapes"])
    outputs = [o for o in outputs_of(tg, case["expression"], leaves) if isinstance(o, tg.Tensor)]
    loss = loss_of(tg, outputs)
    if loss is not None:
        loss.backward()
    return outputs, [leaf.grad for leaf in leaves]


@pytest.mark.parametrize("case", OPS, ids=[case["expression"] for case in OPS])
def test_values_and_gradients_are_the_cpus(case):
    outputs, gradients = values_and_gradients(case)
    with CUDA:
        there, gradients_there = values_and_gradients(case)
    for got, want in zip(there, outputs, strict=True):
        near(got, want, 1e-10 if want.dtype == tg.float64 else 1e-6)
    for got, want in zip(gradients_there, gradients, strict=True):
        assert (got is None) == (want is None)
        if want is not None:
            near(got, want)


DTYPES = {
    tg.float16: 2e-3,
    tg.bfloat16: 2e-2,
    tg.float32: 1e-5,
    **dict.fromkeys((tg.uint8, tg.int8, tg.int16, tg.int32, tg.int64, tg.bool), 0),
}


def in_dtype(case, dtype):
    """The outputs and the gradients where every leaf of float64 has `dtype`, or what is raised."""
    leaves = [leaf.detach() for leaf in leaves_of(tg, case["shapes"])]
    leaves = [leaf.to(dtype) if leaf.dtype == tg.float64 else leaf for leaf in leaves]
    leaves = [leaf.requires_grad_(leaf.dtype.is_floating_point) for leaf in leaves]
    try:
        outputs = [o for o in outputs_of(tg, case["expression"], leaves) if tg.is_tensor(o)]
        losses = [o.float().sum() for o in outputs if o.requires_grad]
        if losses:
            sum(losses).backward()
    except Exception as error:
        return type(error), []
    return outputs, [leaf.grad for leaf in leaves]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_op_of_every_dtype_is_the_cpus(dtype):
    ran = 0
    for case in OPS:
        want, want_gradients = in_dtype(case, dtype)
        with CUDA:
            got, gradients = in_dtype(case, dtype)
        assert isinstance(got, type) == isinstance(want, type), case
        if isinstance(want, type):
            assert got is want, case
            continue
        ran += 1
        for there, here in zip([*got, *gradients], [*want, *want_gradients], strict=True):
            assert (there is None) == (here is None), case
            if here is not None:
                near(there, here, DTYPES.get(here.dtype, 1e-9) or 1e-9)
    assert ran > len(OPS) / 4


# What Eigen computes stays on the CPU, and so do products and extrema of what meets in a place.
EIGENS = "cholesky cofactor det eigh lu_factor lu_rows pinv qr slogdet solve solve_triangular svd"
ON_THE_CPU = sorted([*EIGENS.split(), "scatter_reduce"])


def test_what_has_no_kernel_says_so():
    """In a process of its own: an op says so once."""
    code = """
import tapegraph as tg, test_cuda
with test_cuda.CUDA:
    for case in test_cuda.OPS:
        for dtype in (tg.float64, tg.bfloat16):
            test_cuda.in_dtype(case, dtype)
"""
    path = os.pathsep.join([str(HERE), *sys.path])
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    told = re.findall(
        r"tapegraph: (\w+) has no CUDA kernel for this case; it runs on the CPU", run.stderr
    )
    assert sorted(told) == ON_THE_CPU


def test_a_wish_that_cannot_be_is_said_at_the_first_launch():
    run = subprocess.run(
        [sys.executable, "-c", "import tapegraph as tg\ntg.ones(2, device='cuda')"],
        env={**os.environ, "TAPEGRAPH_CUDA": "chekcing", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert 'TAPEGRAPH_CUDA is "chekcing", not emulator or checking' in run.stderr


# ---- layers, optimisers, programs ----------------------------------------------------------------
@pytest.mark.parametrize(
    "case", LAYERS, ids=lambda c: f"{c['name']} {c['args']} {c['inputs']}"[:60]
)
def test_layers_are_the_cpus(case):
    want = played(tg, case)
    with CUDA:
        got = played(tg, case)
    for (shape, values), (shape_there, there) in zip(want["outputs"], got["outputs"], strict=True):
        assert shape == shape_there
        np.testing.assert_allclose(there, values, 1e-10, 1e-10)
    for values, there in zip(want["gradients"], got["gradients"], strict=True):
        np.testing.assert_allclose(np.array(there, float), np.array(values, float), 1e-10, 1e-10)


def trained(device, compiled, fused=False):
    """Losses and weights of a convolutional network after a few steps on one batch."""
    tg.manual_seed(5)
    with tg.device(device):
        model = network(tg.nn, dropout=0.25).double()
        optimizer = tg.optim.Adam(model.parameters(), lr=0.01, fused=fused)
        x = tg.linspace(-1, 1, 8 * 64, dtype=tg.float64).reshape(8, 1, 8, 8).sin()
        y = tg.arange(8)

    def step(x, y):
        optimizer.zero_grad()
        loss = tg.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        tg.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss

    step = tg.compile(step) if compiled else step
    return [step(x, y) for _ in range(3)], list(model.state_dict().values())


@pytest.mark.parametrize("compiled", [False, True], ids=["tape", "compiled"])
@pytest.mark.parametrize("fused", [False, True], ids=["single", "fused"])
def test_a_network_learns_as_on_the_cpu(compiled, fused):
    losses, weights = trained("cpu", False)
    losses_there, weights_there = trained("cuda", compiled, fused)
    for got, want in zip([*losses_there, *weights_there], [*losses, *weights], strict=True):
        near(got, want, 1e-9)


def test_a_graph_runs_there():
    g = tg.Graph()
    with g, CUDA:
        x = tg.placeholder("x", [None, 2])
        w = tg.ones(2, 3)
        y = (x.to("cuda") @ w).sum(0)
    with tg.Session(g) as session:
        got = session.run(y, {x: np.ones((4, 2), np.float32)})
    assert np.asarray(got.cpu() if isinstance(got, tg.Tensor) else got).tolist() == [8, 8, 8]


def test_a_graph_is_on_the_default_device():
    tg.set_default_device("cuda")
    try:
        w = tg.ones(2, requires_grad=True)
        with tg.Graph() as g:
            x, y = tg.placeholder("x", [None, 2]), tg.placeholder("y", [2], device="cpu")
            loss = (x * w).sum()
            step = tg.assign(w, w - 0.1 * tg.gradients(loss, [w])[0])
        assert x.device == CUDA and y.device == CPU
        with tg.Session(g) as session:
            assert session.run([loss, step], {x: [[3.0, 4.0]]})[0] == 7
    finally:
        tg.set_default_device("cpu")
    np.testing.assert_allclose(w.tolist(), [0.7, 0.6], rtol=1e-6)


def test_data_comes_from_the_cpu_and_goes_there():
    data = tg.utils.data.TensorDataset(tg.arange(6.0).reshape(6, 1), tg.arange(6))
    with CUDA:
        total = tg.zeros(())
        for x, y in tg.utils.data.DataLoader(data, batch_size=4):
            assert x.device == CPU and y.device == CPU
            total += x.to(CUDA).sum() + y.cuda().sum()
    assert total.item() == 30


# ---- streams ------------------------------------------------------------------------------------
def test_each_thread_has_a_current_stream():
    first, second, usual = tg.cuda.Stream(), tg.cuda.Stream(), tg.cuda.default_stream()
    assert first != second != usual and first == first and usual.cuda_stream == 0
    assert tg.cuda.current_stream() == usual
    with tg.cuda.stream(first), second, first, tg.cuda.stream(None):
        assert tg.cuda.current_stream() == first
        with ThreadPoolExecutor(1) as other:
            assert other.submit(tg.cuda.current_stream).result() == usual
    assert tg.cuda.current_stream() == usual
    with pytest.raises(ZeroDivisionError), first:
        raise ZeroDivisionError
    assert tg.cuda.current_stream() == usual
    tg.cuda.set_stream(first)
    assert tg.cuda.current_stream() == first
    tg.cuda.set_stream(usual)
    event = tg.cuda.Event()
    for wrong in (
        lambda: tg.cuda.set_stream(1),
        lambda: tg.cuda.stream(1),
        lambda: event.record(1),
        lambda: event.wait(1),
        lambda: first.wait_stream(1),
    ):
        with pytest.raises(TypeError, match="stream must be a Stream, not int"):
            wrong()
    for wrong in (lambda: first.wait_event(1), lambda: first.record_event(1)):
        with pytest.raises(TypeError, match="event must be an Event, not int"):
            wrong()


def test_streams_that_wait_for_each_other_give_the_same_numbers():
    x, first, second = tg.ones(1000, device="cuda"), tg.cuda.Stream(), tg.cuda.Stream()
    first.wait_stream(tg.cuda.current_stream())
    with first:
        y = x * 2
        done = first.record_event()
    second.wait_event(done)
    with second:
        z = y + 1
        y.record_stream(second)
    second.synchronize()
    assert second.query() and z.tolist() == [3.0] * 1000
    assert (done.wait(), done.wait(first), tg.cuda.Event().wait()) == (None, None, None)
    with pytest.raises(RuntimeError, match="on the cpu, where no stream is"):
        tg.ones(1).record_stream(first)
    with pytest.raises(TypeError, match="stream .* must be a tapegraph.cuda.Stream"):
        y.record_stream(3)


def test_a_freed_block_is_for_the_stream_on_which_it_was_taken():
    def place():
        return tg.empty(54321, device="cuda").data_ptr()

    stream = tg.cuda.Stream()
    usual = place()
    with stream:
        own = place()
        x = tg.empty(54321, device="cuda")
        assert x.data_ptr() == own != usual
    x.record_stream(tg.cuda.default_stream())
    del x  # here, yet it is still the stream's
    assert place() == usual
    with stream:
        assert place() == own
        kept = tg.empty(54321, device="cuda")
    del stream
    assert place() in (own, usual)
    assert kept.data_ptr() == own
    del kept
    assert place() == own  # which is the default stream's by now


# ---- pinned memory ------------------------------------------------------------------------------
def test_a_pinned_tensor_has_the_same_numbers_elsewhere():
    x = tg.arange(6.0).reshape(2, 3).t()
    pinned = x.pin_memory()
    assert pinned.is_pinned() and not x.is_pinned() and pinned.pin_memory() is pinned
    assert pinned.tolist() == x.tolist() and pinned.is_contiguous()
    assert pinned[1].is_pinned() and not (pinned + 0).is_pinned() and not pinned.cuda().is_pinned()
    pinned[0, 0] = 9
    assert x[0, 0].item() == 0
    for shape in ((), (0, 3)):
        assert tg.zeros(shape).pin_memory().shape == shape
    assert tg.tensor([True]).pin_memory().dtype == tg.bool


def test_a_copy_from_pinned_memory_outlives_it():
    on_device = [
        (tg.full((1000,), i).pin_memory().to("cuda", non_blocking=True)) for i in range(20)
    ]
    tg.cuda.synchronize()
    assert [y.sum().item() for y in on_device] == [1000 * i for i in range(20)]
    x = tg.ones(3)
    for y in (x.cuda(non_blocking=True), x.cuda(0), x.cuda("cuda"), x.pin_memory().cuda(CUDA)):
        assert y.device == CUDA and y.tolist() == [1, 1, 1]
    step = tg.compile(lambda x: x.to("cuda", non_blocking=True) * 2)
    assert step(x.pin_memory()).tolist() == [2, 2, 2]


def test_what_cannot_be_pinned_is_an_error():
    w = tg.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="only tensors on the cpu .* is on cuda"):
        tg.ones(2).cuda().pin_memory()
    with pytest.raises(RuntimeError, match="gradients flow .* pin x.detach"):
        w.pin_memory()
    assert w.detach().pin_memory().tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="pin_memory .*: not inside"):
        tg.compile(lambda x: x.pin_memory())(tg.ones(2))
    with pytest.raises(RuntimeError, match="device must be"):
        w.cuda("cpu")


# ---- the default device --------------------------------------------------------------------------
def test_the_default_device_is_where_new_tensors_are():
    def made():
        return [
            tg.zeros(2), tg.ones(1), tg.full((2,), 3), tg.empty(2), tg.eye(2), tg.arange(3),
            tg.linspace(0, 1, 3), tg.rand(2), tg.randn(2), tg.randint(0, 3, (2,)), tg.randperm(3),
            tg.tensor([1.0]), tg.tensor(np.ones(2)), tg.as_tensor(np.ones(2)),
            tg.nn.Linear(2, 1).weight, tg.tril_indices(2, 2), tg.logspace(0, 1, 2),
            tg.normal(0.0, 1.0, (2,)),
        ]  # fmt: skip

    with CUDA:
        assert {t.device for t in made()} == {CUDA}
        assert tg.from_numpy(np.ones(1)).device == CPU  # it shares the array's memory
        assert tg.zeros(1, device="cpu").device == CPU
        with CPU:
            assert tg.zeros(1).device == CPU
        assert tg.get_default_device() == CUDA
        found = []
        thread = threading.Thread(target=lambda: found.append(tg.get_default_device()))
        thread.start()
        thread.join()
        assert found == [CPU]  # each thread has its own
    assert {t.device for t in made()} == {CPU}
    tg.set_default_device("cuda")
    assert tg.ones(1).device == CUDA
    tg.set_default_device(None)
    assert tg.ones(1).device == CPU


def test_an_error_inside_leaves_the_default_device_as_it_was():
    with pytest.raises(KeyError), CUDA:
        raise KeyError
    assert tg.get_default_device() == CPU
    with pytest.raises(RuntimeError, match="left more often than entered"):
        CUDA.__exit__(None, None, None)
    with pytest.raises(RuntimeError, match="'tpu' is not known; there are 'cpu' and 'cuda'"):
        tg.set_default_device("tpu")
    assert tg.get_default_device() == CPU


def test_a_compiled_function_is_traced_for_each_default_device():
    f = tg.compile(lambda x: x + tg.ones(2, device=None).to(x.device))
    assert f(tg.zeros(2)).device == CPU
    with CUDA:
        assert f(tg.zeros(2)).device == CUDA
    assert f(tg.zeros(2)).device == CPU


# ---- tg.cuda -------------------------------------------------------------------------------------
def test_the_devices_properties_are_named_as_cudas():
    found = tg.cuda.get_device_properties()
    assert found.warp_size == 32 and found.max_threads_per_block == 1024
    assert found.total_memory > 0 and found.shared_memory_per_block >= 48 * 1024
    assert tg.cuda.get_device_name() == found.name
    assert tg.cuda.get_device_capability("cuda:0") == (found.major, found.minor)
    assert tg.cuda.is_available() == (not tg.cuda.is_emulated()) == (found.major > 0)
    assert tg.cuda.device_count() == 1 and tg.cuda.current_device() == 0
    for wrong, error in ((1, RuntimeError), ("cpu", ValueError), (1.5, TypeError)):
        with pytest.raises(error, match="get_device_properties: device"):
            tg.cuda.get_device_properties(wrong)


def test_memory_is_counted():
    before = tg.cuda.memory_allocated()
    x = tg.ones(1000, device="cuda")
    assert tg.cuda.memory_allocated() >= before + 4000
    assert tg.cuda.max_memory_allocated() >= tg.cuda.memory_allocated()
    free, total = tg.cuda.mem_get_info()
    assert 0 < free < total
    del x
    assert tg.cuda.memory_allocated() == before
    tg.cuda.reset_peak_memory_stats()
    assert tg.cuda.max_memory_allocated() == before
    tg.cuda.empty_cache()
    assert tg.cuda.memory_reserved() == before


def test_the_summary_has_the_numbers_and_a_device_is_for_with():
    x = tg.ones(1000, device="cuda")
    text = tg.cuda.memory_summary()
    assert f"{tg.cuda.memory_allocated():,} bytes" in text
    assert len(text.splitlines()) == 4
    with tg.cuda.device(0), tg.cuda.device("cuda"):
        assert tg.ones(2, device="cuda").device == x.device
    with pytest.raises(RuntimeError, match="device 1 is not there"):
        tg.cuda.device(1)


def test_out_of_memory_is_an_error_and_leaves_all_as_it_was():
    with pytest.raises(tg.cuda.OutOfMemoryError, match="out of memory"):
        tg.ones(1 << 45, device="cuda")
    assert tg.ones(3, device="cuda").sum().item() == 3


def test_derivatives_of_a_function_of_a_cuda_tensor():
    x = tg.rand(3, dtype=tg.float64)
    for f in (tg.func.jacrev, tg.func.jacfwd, tg.func.hessian):
        got = f(lambda x: (x.sin() ** 2).cumsum(0))(x.cuda())
        near(got, f(lambda x: (x.sin() ** 2).cumsum(0))(x))


def test_two_threads_may_be_within_one_stream():
    outer, shared = tg.cuda.Stream(), tg.cuda.Stream()
    inside, other_inside, other_left = (threading.Event() for _ in range(3))
    found = []

    def one():
        with outer:
            with shared:
                inside.set()
                other_inside.wait()
            found.append(tg.cuda.current_stream() == outer)
            other_left.set()

    def other():
        inside.wait()
        with shared:
            other_inside.set()
            other_left.wait()
        found.append(tg.cuda.current_stream() == tg.cuda.default_stream())

    threads = [threading.Thread(target=f) for f in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True, True]
    with pytest.raises(RuntimeError, match="in no `with stream:` that could end"):
        outer.__exit__()


def test_events_tell_the_time_between_launches():
    begin, end = tg.cuda.Event(enable_timing=True), tg.cuda.Event(enable_timing=True)
    with pytest.raises(ValueError, match="the first event was not recorded"):
        begin.elapsed_time(end)
    begin.record()
    with tg.cuda.stream(tg.cuda.Stream()):
        tg.ones(1000, device="cuda").exp()
    end.record(tg.cuda.current_stream())
    end.synchronize()
    assert end.query() and begin.elapsed_time(end) > 0
    with pytest.raises(ValueError, match="enable_timing=True"):
        begin.elapsed_time(tg.cuda.current_stream().record_event())
    with pytest.raises(TypeError, match="end_event must be an Event, not float"):
        begin.elapsed_time(1.0)
    tg.cuda.synchronize()
