"""tg.lockstep: equal where tape and program are, and else the first line that differs."""

import itertools
import random

import pytest
import tapegraph as tg
from errors import said

SHAPE = (4, 3)


class Step:
    """A random function of views, writes with and without gradients, and a backward inside."""

    def __init__(self, seed):
        rng = random.Random(seed)
        tg.manual_seed(seed)
        kinds = rng.choices(range(15), k=rng.randrange(3, 9))
        self.steps = [(kind, rng.random()) for kind in kinds]
        self.w = tg.rand(SHAPE, dtype=tg.float64).requires_grad_()
        self.state = tg.rand(SHAPE, dtype=tg.float64)
        if rng.random() < 0.5:
            self.w.grad = tg.rand(SHAPE, dtype=tg.float64)
        whole = self.state[0:4] if rng.random() < 0.3 else tg.rand(SHAPE, dtype=tg.float64)
        self.x = whole

    def __call__(self, x):
        y = x * self.w
        v = y[1:3]
        for kind, number in self.steps:
            y, v = self.step(kind, number, x, y, v)
        return y.sum(), v * 2, self.state

    def step(self, kind, number, x, y, v):
        w, state = self.w, self.state
        if kind == 0:
            y = y.exp() * 0.1
        elif kind == 1:
            v = y.t()[0:2]
        elif kind == 2:
            y.add_(number)
        elif kind == 3:
            v.mul_(v.detach() * number)
        elif kind == 4:
            y = y.reshape(2, 6).reshape(SHAPE)
        elif kind == 5:
            y = y + state
        elif kind == 6:
            y.sum().backward(retain_graph=True)
        elif kind == 7:
            (g,) = tg.autograd.grad((y * y).sum(), w, create_graph=True)
            y = y + g.sum()
        with tg.no_grad():
            if kind == 8:
                y.detach().reshape(2, 6).mul_(number)
            elif kind == 9:
                state.reshape(12).copy_(y.reshape(12))
            elif kind == 10:
                state[0:2] = v.sum() * number
            elif kind == 11:
                w.sub_(w.grad * 0.1 if w.grad is not None else w * number)
            elif kind == 12:
                state.t().copy_((x * 2).t())
            elif kind == 13:
                y.copy_(y.t().contiguous().t() * 0.5)
            elif kind == 14:
                state.add_(tg.rand(SHAPE, dtype=tg.float64))
        return y, v

    def kept(self):
        """All that it may write, in bytes."""
        tensors = (self.w.detach(), self.state, tg.get_rng_state())
        grad = self.w.grad
        return [t.numpy().tobytes() for t in tensors], None if grad is None else grad.tolist()


@pytest.mark.parametrize("seed", range(60))
def test_equal_programs_are_equal_whatever_is_written(seed):
    step = Step(seed)
    before = step.kept()
    for executor in ("lines", "planned", "fused"):
        try:
            found = tg.lockstep(step, step.x, executor=executor)
        except RuntimeError as error:  # the tape itself refuses
            assert "needs its old input" in str(error)
        else:
            assert found.equal, found.text
            assert found.lines >= 3
        assert step.kept() == before


def test_the_first_line_that_differs_is_found():
    numbers = itertools.count(1)

    def f(x):
        y = x.exp()
        with tg.no_grad():
            y.detach().reshape(4).mul_(0.5)
        y = y * next(numbers)  # another number at each call
        return y.sum()

    found = tg.lockstep(f, tg.zeros(2, 2))
    *same, last = found.text.splitlines()
    assert not found.equal
    assert not any("DIFFER" in line for line in same)
    assert last.split()[0] == "mul" and "DIFFER" in last
    line = f.__code__.co_firstlineno + 4
    assert last.endswith(f"test_lockstep.py:{line}")
    assert "1, .." in last and "0.5, .." in last


def test_another_number_of_ops_differs():
    turns = itertools.count(0)
    found = tg.lockstep(lambda x: x.exp() if next(turns) else x.exp() + 1, tg.zeros(2))
    assert not found.equal
    assert found.text.endswith("the tape ran 1 ops, and the trace wrote 2\n")


def test_what_only_the_end_shows_is_compared():
    values = itertools.cycle([tg.zeros(2), tg.ones(2)])
    w = tg.full((2,), 7.0)

    def f(x):
        w.copy_(next(values))
        return x * 2

    found = tg.lockstep(f, tg.zeros(2))
    assert not found.equal and found.lines == 1
    assert found.text.splitlines()[-1].split()[0] == "copy_"
    assert w.tolist() == [7, 7]
    tensors = itertools.cycle([tg.zeros(2), tg.ones(2)])
    found = tg.lockstep(lambda x: next(tensors), tg.zeros(2))
    assert not found.equal and "result 0" in found.text


@pytest.mark.parametrize("rows", [slice(0, 2), slice(1, 3), slice(0, 4)])
def test_an_argument_that_shares_memory_with_what_is_read(rows):
    base = tg.rand(4, 3)
    before = base.tolist()

    def f(x):
        y = x * 2 + base.sum()
        x.add_(1)
        return y + base.sum(), base

    found = tg.lockstep(f, base[rows])
    assert found.equal, found.text
    assert found.lines == 6 and base.tolist() == before


def test_an_error_on_the_tape_puts_the_state_back():
    w = tg.ones(2)
    turns = itertools.count(0)

    def f(x):
        w.add_(1)
        if next(turns):
            raise ValueError("no")
        return x * w

    with pytest.raises(ValueError, match="no"):
        tg.lockstep(f, tg.ones(2))
    assert w.tolist() == [1, 1]


def test_the_arguments_may_be_given_in_one_tuple():
    a, b = tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])
    for found in (tg.lockstep(tg.mul, (a, b)), tg.lockstep(tg.mul, a, b)):
        assert found.equal and found.lines == 1
    found = tg.lockstep(lambda pair: pair[0] * pair[1], ((a, b),))
    assert found.equal and found.lines == 1


def test_nothing_to_compare_is_an_error():
    with pytest.raises(ValueError) as error:
        tg.lockstep(lambda pair: pair * 2, [tg.ones(2)])
    assert said(error) == (
        "lockstep: <lambda> runs no op on the 1 tensors that it is given, so there is nothing to "
        "compare"
    )
