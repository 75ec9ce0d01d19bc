"""Several Python threads at once."""

import threading

import tapegraph as tg


def run(count, work):
    errors = []

    def guarded(i):
        try:
            work(i)
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert not any(t.is_alive() for t in threads)
    assert errors == []


def test_threads_have_tapes_and_modes_of_their_own():
    w = tg.ones(1000, requires_grad=True)

    def work(i):
        with tg.set_grad_enabled(i % 2 == 0):
            for _ in range(50):
                y = (w * i).sum()
                assert y.requires_grad == (i % 2 == 0)
                assert y.item() == 1000 * i
                if y.requires_grad:
                    (g,) = tg.autograd.grad(y, w)
                    assert g[0].item() == i

    run(4, work)


def test_one_compiled_function_is_called_from_many_threads():
    w = tg.tensor([2.0], requires_grad=True)
    f = tg.compile(lambda x: (x * w).sum())

    def work(i):
        for n in range(1, 30):
            assert f(tg.full((n,), float(i))).item() == 2.0 * i * n
            f.explain()

    run(4, work)
    assert f.traces == 29


def test_threads_record_graphs_of_their_own():
    def work(i):
        for _ in range(20):
            graph = tg.Graph(f"thread {i}")
            with graph:
                x = tg.placeholder("x", [None])
                y = x * i
            assert tg.Session(graph).run(y, {x: [1, 2]}).tolist() == [i, 2 * i]

    run(4, work)


def test_others_run_while_a_large_kernel_does():
    x = tg.ones(1500, 1500)
    ticks = []
    done = threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(1)
            done.wait(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    for _ in range(3):
        x @ x
    done.set()
    thread.join()
    assert len(ticks) > 3


def test_tensors_die_on_other_threads_with_their_arrays():
    import numpy as np

    def work(i):
        for _ in range(200):
            x = tg.from_numpy(np.ones(100))
            (x * 2).sum()

    run(4, work)


def test_threads_share_leaves_and_none_of_their_gradients_is_lost():
    shared = tg.ones(3, requires_grad=True)
    stop = threading.Event()

    def walk(rounds):
        for k in range(rounds):
            (shared * 2).sum().backward()
            own = tg.ones(2, requires_grad=True)  # a leaf that dies on its tape
            loss = (own * own * shared[0]).sum()
            del own
            if k % 2:
                loss.detach()

    def read():
        while not stop.is_set():
            if shared.grad is not None:
                shared.grad.tolist()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        run(4, lambda i: walk(2000))
    finally:
        stop.set()
        reader.join()
    assert shared.grad.tolist() == [16000, 16000, 16000]


def test_threads_that_write_the_same_tensor_do_not_end_the_process():
    w = tg.zeros(100_000)
    small = tg.zeros(3)

    def write(k):
        for _ in range(50):
            w.add_(1)
            w[k:].mul_(1)
            small.add_(1)
            tg.compile(lambda t: t.mul_(1))(w)

    run(4, write)
    assert float(small[0]) <= 200 and float(w[0]) <= 200
