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
