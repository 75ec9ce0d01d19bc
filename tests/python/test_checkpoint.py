"""utils.checkpoint: less memory, the same numbers."""

import gc

import pytest
import tapegraph as tg
from errors import said
from functions import Square
from tapegraph.utils.checkpoint import checkpoint, checkpoint_sequential


def stack(depth, width=64, dropout=0.0):
    tg.manual_seed(1)
    layers = []
    for _ in range(depth):
        layers += [tg.nn.Linear(width, width), tg.nn.Tanh(), tg.nn.Dropout(dropout)]
    return tg.nn.Sequential(*layers)


def plainly(module, x):
    return module(x)


def by_checkpoint(module, x):
    return checkpoint(module, x, use_reentrant=False)


def gradients(run, module, x):
    x = x.detach().requires_grad_()
    module.zero_grad()
    tg.manual_seed(7)
    loss = (run(module, x) ** 2).sum()
    loss.backward()
    after = tg.rand(3).tolist()  # the generator goes on from the same place
    return [loss.item(), after, x.grad.tolist(), *(p.grad.tolist() for p in module.parameters())]


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_values_and_gradients_are_the_same_to_the_last_bit(dropout):
    module, x = stack(3, 8, dropout), tg.randn(5, 8)
    assert gradients(by_checkpoint, module, x) == gradients(plainly, module, x)
    sequential = gradients(lambda m, v: checkpoint_sequential(m, 3, v), module, x)
    assert sequential == gradients(plainly, module, x)


def peak_of(run, module, x):
    gc.collect()
    tg.allocator.release_kept()
    tg.allocator.reset_peak()
    before = tg.allocator.statistics()["live"]
    (run(module, x) ** 2).sum().backward()
    peak = tg.allocator.statistics()["peak"] - before
    module.zero_grad()
    return peak


def test_the_peak_is_lower():
    module = stack(16, 64)
    x = tg.randn(256, 64)
    one = 256 * 64 * 4
    whole = peak_of(plainly, module, x)
    parts = peak_of(lambda m, v: checkpoint_sequential(m, 4, v), module, x)
    assert whole > 16 * one
    assert parts < whole - 5 * one


def test_only_what_the_tape_alone_holds_is_dropped():
    w = tg.randn(64, 64, requires_grad=True)
    x = tg.randn(64, 64)
    kept = []

    def part(x):
        a = (x @ w).exp()
        kept.append(a)
        return a.exp().exp()

    checkpoint(part, x)
    live = tg.allocator.statistics()["live"]
    kept.clear()
    y = checkpoint(lambda x: (x @ w).exp().exp().exp(), x)
    held = tg.allocator.statistics()["live"] - live
    assert held <= y.nbytes  # the result, and nothing in between


def test_captured_tensors_and_grad_and_keywords():
    w = tg.tensor([2.0, 3.0], requires_grad=True)
    x = tg.tensor([1.0, 4.0], requires_grad=True)
    runs = []

    def part(x, scale, *, shift):
        runs.append(1)
        return (x * w).exp() * scale, {"sum": (x + shift).sum()}

    y, other = checkpoint(part, x, 0.5, shift=x * 2)
    loss = y.sum() * other["sum"]
    found = tg.autograd.grad(loss, (x, w))
    assert len(runs) == 2
    y, other = part(x, 0.5, shift=x * 2)
    expected = tg.autograd.grad(y.sum() * other["sum"], (x, w))
    assert [g.tolist() for g in found] == [g.tolist() for g in expected]
    assert x.grad is None


def test_second_derivatives_and_retain_graph():
    x = tg.tensor([0.5, 1.0], requires_grad=True)

    def derivatives(y):
        (g,) = tg.autograd.grad(y.sum(), x, create_graph=True)
        (h,) = tg.autograd.grad(g.sum(), x)
        return g.tolist(), h.tolist()

    part = lambda x: (x.exp() * x).tanh()  # noqa: E731
    assert derivatives(checkpoint(part, x)) == derivatives(part(x))
    y = checkpoint(part, x).sum()
    y.backward(retain_graph=True)
    first = x.grad.tolist()
    y.backward()
    assert x.grad.tolist() == [2 * g for g in first]
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        y.backward()


def test_checkpoints_inside_checkpoints():
    x = tg.tensor([0.5, 1.0], requires_grad=True)
    inner = lambda x: (x.exp() * x).tanh()  # noqa: E731

    def outer(x):
        return checkpoint(inner, x * 2).exp() * checkpoint(inner, x)

    def plain(x):
        return inner(x * 2).exp() * inner(x)

    checkpoint(outer, x).sum().backward()
    found = x.grad.tolist()
    x.grad = None
    plain(x).sum().backward()
    assert found == x.grad.tolist()


def test_a_function_of_ones_own_inside():
    x = tg.tensor([0.5, 1.0], requires_grad=True)
    checkpoint(lambda x: Square.apply(x.exp()), x).sum().backward()
    found = x.grad.tolist()
    x.grad = None
    Square.apply(x.exp()).sum().backward()
    assert found == x.grad.tolist()


def test_where_nothing_is_recorded_it_is_a_call():
    module, x = stack(2, 8), tg.randn(5, 8)
    runs = []

    def part(x):
        runs.append(1)
        return module(x).sum()

    with tg.no_grad():
        checkpoint(part, x)
    step = tg.compile(lambda x: checkpoint(part, x))
    expected = part(x)
    runs.clear()
    y = step(x)
    assert y.item() == expected.item()
    y.backward()
    found = [p.grad.tolist() for p in module.parameters()]
    assert runs == [1]
    module.zero_grad()
    expected.backward()
    assert found == [p.grad.tolist() for p in module.parameters()]


def test_no_nodes_are_left_behind():
    gc.collect()
    before = tg.node_count()
    x = tg.tensor([0.5, 1.0], requires_grad=True)
    y = checkpoint(lambda x: (x.exp() * x).tanh(), x * 2)
    y.sum().backward()
    del y
    checkpoint(lambda x: (x.exp() * x).tanh(), x * 2)
    del x
    gc.collect()
    assert tg.node_count() == before


def test_it_must_do_the_same_both_times():
    x = tg.tensor([0.5, 1.0], requires_grad=True)
    turns = []

    def more(x):
        turns.append(1)
        return x.exp().exp() if len(turns) == 1 else x.exp().exp().exp()

    with pytest.raises(RuntimeError) as error:
        checkpoint(more, x).sum().backward()
    assert said(error).endswith(
        "checkpoint: the function made 2 nodes of the tape the first time, and 3 when it was "
        "computed again for the backward; it must do the same both times"
    )
    turns.clear()

    def other(x):
        turns.append(1)
        y = x * 2
        return (y.exp() if len(turns) == 1 else y.tanh()) * y

    with pytest.raises(RuntimeError) as error:
        checkpoint(other, x).sum().backward()
    assert (
        "the function did something else when it was computed again for the backward: tanh ("
        in (str(error.value))
    )
    assert ", and the first time exp (test_checkpoint.py:" in str(error.value)


def test_an_argument_must_not_be_written_in_between():
    x = tg.tensor([0.5, 1.0], requires_grad=True)
    v = x * 2
    y = checkpoint(lambda v: v.exp().exp(), v)
    v.add_(1)
    with pytest.raises(RuntimeError) as error:
        y.sum().backward()
    assert "argument 0 is needed again for the backward, but add_ (test_checkpoint.py:" in str(
        error.value
    )


def test_what_is_wrong_is_said():
    with pytest.raises(ValueError) as error:
        checkpoint(print, use_reentrant=True)
    assert said(error) == (
        "checkpoint: use_reentrant=True is not offered; use_reentrant=False does all that it "
        "does, and takes captured tensors and autograd.grad too"
    )
    with pytest.raises(TypeError) as error:
        checkpoint(3)
    assert said(error) == "checkpoint: a function is called, not int"
    with pytest.raises(ValueError) as error:
        checkpoint_sequential([tg.exp], 2, tg.ones(1))
    assert said(error) == ("checkpoint_sequential: 1 functions cannot be cut into 2 segments")
    x = tg.tensor([0.5], requires_grad=True)

    def fails(x):
        x.exp()
        raise KeyError("mine")

    with pytest.raises(KeyError):
        checkpoint(fails, x)
    y = checkpoint(lambda x: x.exp().exp(), x)  # and the next is not disturbed
    y.sum().backward()
