"""Ctrl-C ends long work within a second, and leaves tensors whole."""

import collections
import operator
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
import tapegraph as tg


def twenty_seconds():
    """Round and round, but not for ever if nothing interrupts."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        yield


def interrupted_after(seconds, work):
    """How long after the signal work() ended with KeyboardInterrupt."""
    sent = []

    def send():
        time.sleep(seconds)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        work()
    ended = time.monotonic()
    thread.join()
    return ended - sent[0]


def test_one_long_kernel_is_ended():
    x = tg.ones(2500, 2500)

    def work():
        for _ in twenty_seconds():
            x @ x

    assert interrupted_after(0.3, work) < 5.0


def test_a_training_loop_is_ended_with_weights_whole():
    tg.manual_seed(0)
    model = tg.nn.Linear(64, 64)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    x = tg.randn(256, 64)

    @tg.compile
    def step(x):
        optimizer.zero_grad()
        loss = (model(x) * model(x)).mean()
        loss.backward()
        optimizer.step()
        return loss

    def work():
        for _ in twenty_seconds():
            step(x)

    step(x)
    assert interrupted_after(0.3, work) < 5.0
    assert all(float((p * 0).sum()) == 0 for p in model.parameters())
    assert float(step(x)) >= 0


def test_a_handler_of_the_users_own_is_called_and_its_error_is_the_one():
    class Mine(Exception):
        pass

    def handler(number, frame):
        raise Mine("stop")

    before = signal.signal(signal.SIGINT, handler)
    try:
        x = tg.ones(2500, 2500)
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(Mine, match="stop"):
            for _ in twenty_seconds():
                x @ x
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_handler_that_returns_lets_the_work_go_on():
    seen = []
    before = signal.signal(signal.SIGINT, lambda *_: seen.append(1))
    try:
        x = tg.ones(1200, 1200)
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        deadline = time.monotonic() + 5
        while not seen and time.monotonic() < deadline:
            y = x @ x
        assert seen and float(y[0, 0]) == 1200
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "work",
    [
        "x @ x",
        "one.expand(2**45).sum()",
        "one.expand(2**45).amax()",
        "one.expand(2**45).argmax()",
        "one.expand(2**45, 20).sum(0)",
        "one.expand(20, 2**45).sum(1)",
        "tg.zeros(3).scatter_add(0, (one * 2).long().expand(2**45), one.expand(2**45))",
        "tg.arange(2**30)",
        "x[:2000, :2000].contiguous().cuda() @ x[:2000, :2000].contiguous().cuda()",
        "tg.tensor([1.0] * 10**8)",
        "tg.zeros(10**9, dtype=tg.uint8).tolist()",
    ],
)
def test_one_call_of_many_seconds_is_ended_from_outside(work, threads):
    program = textwrap.dedent(f"""
        import sys, time
        import tapegraph as tg
        tg.set_num_threads({threads})
        x = tg.ones(9000, 9000)
        one = tg.ones(1)
        print("ready", flush=True)
        try:
            {work}
        except KeyboardInterrupt:
            print("interrupted", float(x.sum()) == 81e6)
            sys.exit(7)
        print("finished")
    """)
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert child.stdout.readline() == "ready\n"
    time.sleep(0.3)
    sent = time.monotonic()
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=60)
    assert (out, child.returncode) == ("interrupted True\n", 7)
    assert time.monotonic() - sent < 10


def alarmed_after(seconds, function, argument):
    """The same of function(argument), again and again in C alone: it is ended only if it asks.

    The signal comes from a timer, for a thread of Python's would wait for the interpreter's lock.
    """
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    began = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with pytest.raises(KeyboardInterrupt):
            collections.deque(map(function, [argument] * 1000), maxlen=0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return time.monotonic() - began - seconds


@pytest.mark.parametrize("show", [tg.tape_text, tg.tape_svg])
def test_the_text_of_a_long_tape_is_ended(show):
    y = tg.ones(1, requires_grad=True)
    for _ in range(50_000):
        y = y + 1
    assert alarmed_after(0.3, show, y) < 5.0


def test_the_text_of_a_long_program_and_its_reading_are_ended():
    graph = tg.Graph()
    with graph:
        x = tg.placeholder("x", [1])
        y = x
        for _ in range(20_000):
            y = y + x
    text = graph.text()
    assert alarmed_after(0.3, tg.parse_program, text) < 5.0
    program = tg.parse_program(text)
    show = operator.methodcaller("text")
    assert alarmed_after(0.3, show, program) < 5.0
