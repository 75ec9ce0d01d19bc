"""backward, grad, modes, and the tape as Python sees it."""

import gc

import pytest
import tapegraph as tg
from errors import said
from values import leaf


def test_backward_adds_into_grad():
    w = leaf(1.0, 2.0)
    (w * w).sum().backward()
    assert w.grad.tolist() == [2, 4]
    (w * 3).sum().backward()
    assert w.grad.tolist() == [5, 7]
    w.grad = None
    assert w.grad is None


def test_the_gradient_is_one_object():
    w = leaf(1.0, 2.0)
    (w * w).sum().backward()
    assert w.grad is w.grad
    g = tg.ones(2)
    w.grad = g
    assert w.grad is g
    w.grad += 1
    assert g.tolist() == [2, 2]


def test_a_diamond_counts_every_path():
    a = leaf(1.0)
    b = a + a
    c = b + b
    c.backward(tg.ones(1))
    assert a.grad.tolist() == [4]


def test_backward_wants_a_gradient_of_the_right_shape():
    w = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError):
        (w * 2).backward()
    with pytest.raises(RuntimeError):
        (w * 2).backward(tg.ones(3))
    with pytest.raises(TypeError) as error:
        (w * 2).backward(3)
    assert said(error) == "backward: gradient must be a tensor or several, not int"
    with pytest.raises(RuntimeError):
        tg.ones(1).backward()


def test_backward_twice_needs_retain_graph():
    w = leaf(1.0, 2.0)
    loss = (w * w).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    assert w.grad.tolist() == [4, 8]
    with pytest.raises(RuntimeError, match="retain_graph"):
        loss.backward()


def test_grad_leaves_grad_alone():
    w, v = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (dw, dv) = tg.autograd.grad((w * v).sum(), [w, v])
    assert dw.tolist() == [3, 4] and dv.tolist() == [1, 2]
    assert w.grad is None
    (only,) = tg.autograd.grad(w * 2, w, tg.tensor([1.0, 10.0]))
    assert only.tolist() == [2, 20]


def test_second_derivatives():
    w = leaf(2.0)
    (g,) = tg.autograd.grad((w**3).sum(), w, create_graph=True)
    assert g.tolist() == [12]
    (h,) = tg.autograd.grad(g.sum(), w)
    assert h.tolist() == [12]
    ((w**3).sum()).backward(create_graph=True)
    assert w.grad.requires_grad


def test_unused_inputs():
    w, v = leaf(1.0), leaf(2.0)
    assert tg.autograd.grad(w.sum(), [w, v], allow_unused=True)[1] is None
    with pytest.raises(RuntimeError):
        tg.autograd.grad(w.sum(), [w, v])


def test_backward_from_several_tensors():
    w = leaf(1.0, 2.0)
    tg.autograd.backward([w.sum(), (w * w).sum()])
    assert w.grad.tolist() == [3, 5]
    with pytest.raises(RuntimeError, match="2 tensors to start from, but 1 gradients"):
        tg.autograd.backward([w.sum(), w.sum()], [None])


def test_no_grad_as_block_and_decorator():
    w = leaf(1.0)
    with tg.no_grad():
        assert not tg.is_grad_enabled() and not (w * 2).requires_grad
        with tg.enable_grad():
            assert (w * 2).requires_grad
    assert tg.is_grad_enabled()

    @tg.no_grad()
    def double(x):
        "Twice x."
        return x * 2

    @tg.no_grad
    def triple(x):
        return x * 3

    assert not double(w).requires_grad and not triple(w).requires_grad
    assert double.__doc__ == "Twice x."
    with pytest.raises(ValueError), tg.no_grad():
        int("x")
    assert tg.is_grad_enabled()
    tg.set_grad_enabled(False)
    assert not tg.is_grad_enabled()
    tg.set_grad_enabled(True)
    with tg.set_grad_enabled(False):
        assert not tg.is_grad_enabled()
    assert tg.is_grad_enabled()


def test_a_block_that_is_left_twice_changes_nothing_more():
    mode = tg.no_grad()
    mode.__enter__()
    assert not tg.is_grad_enabled()
    mode.__exit__(None, None, None)
    mode.__exit__(None, None, None)
    tg.no_grad().__exit__(None, None, None)
    assert tg.is_grad_enabled()


def test_a_generator_has_the_mode_in_each_step_and_its_caller_not():
    seen = []

    @tg.no_grad()
    def steps(first):
        """Some steps."""
        try:
            given = yield first, tg.is_grad_enabled()
            try:
                yield given, tg.is_grad_enabled()
            except KeyError as error:
                yield error.args[0], tg.is_grad_enabled()
            return "end"
        finally:
            seen.append(tg.is_grad_enabled())

    assert steps.__name__ == "steps" and steps.__doc__ == "Some steps."
    it = steps(1)
    assert next(it) == (1, False) and tg.is_grad_enabled()
    assert it.send(2) == (2, False) and tg.is_grad_enabled()
    assert it.throw(KeyError(3)) == (3, False) and tg.is_grad_enabled()
    with pytest.raises(StopIteration) as end:
        next(it)
    assert end.value.value == "end" and tg.is_grad_enabled() and seen == [False]
    other = steps(1)
    next(other)
    other.close()
    assert seen == [False, False] and tg.is_grad_enabled()
    with tg.no_grad():
        assert next(tg.enable_grad(steps)(5)) == (5, False)

        @tg.enable_grad()
        def on():
            yield tg.is_grad_enabled()

        assert [*on()] == [True] and not tg.is_grad_enabled()


def test_the_tape_can_be_walked():
    w = leaf(1.0, 2.0)
    y = (w * 2).exp()
    node = y.grad_fn
    assert node.name() == "exp" and node.line.startswith("test_autograd.py:")
    (mul, index), *_ = node.next_functions
    assert mul.name() == "mul" and index == 0
    assert repr(mul) == f"<mul ({mul.line})>"
    (first, _), *_ = mul.next_functions
    assert first.name() == "leaf" and first.next_functions == ()
    assert y.grad_fn == node and w.grad_fn is None
    assert "exp" in tg.tape_text(y) and "test_autograd.py" in tg.tape_text(y)


def test_requires_grad_can_be_set_on_floating_leaves():
    x = tg.ones(2)
    x.requires_grad = True
    assert x.requires_grad_() is x and x.is_leaf
    x.requires_grad = False
    assert not x.requires_grad
    with pytest.raises(RuntimeError, match="only floating tensors"):
        tg.tensor([1], requires_grad=True)
    with pytest.raises(RuntimeError, match="only a leaf"):
        (leaf(1.0) * 2).requires_grad = False
    with pytest.raises(TypeError):
        x.requires_grad = 1


def test_grad_must_fit():
    w = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"shape \(3,\) does not fit"):
        w.grad = tg.ones(3)
    with pytest.raises(TypeError) as error:
        w.grad = 3
    assert said(error) == "grad: must be a tensor or None, not int"


def test_a_saved_value_that_was_changed_names_both_lines():
    w = leaf(1.0, 2.0)
    y = w.exp()
    y.add_(1)
    with pytest.raises(RuntimeError) as error:
        y.sum().backward()
    text = str(error.value)
    assert "exp" in text and "add_" in text
    assert text.count("test_autograd.py:") == 3  # of backward, exp and add_


def test_in_place_on_views_of_views_on_the_tape():
    w = leaf(1.0, 2.0, 3.0, 4.0)
    y = w * 1
    y.reshape(2, 2)[1][0].mul_(10)
    y.sum().backward()
    assert w.grad.tolist() == [1, 1, 10, 1]


def test_a_long_tape_is_built_walked_and_freed():
    w = leaf(1.0)
    x = w
    for _ in range(200_000):
        x = x + 0.0
    x.backward(tg.ones(1))
    assert w.grad.tolist() == [1]
    before = tg.node_count()
    del x
    gc.collect()
    assert before - tg.node_count() >= 200_000


F = tg.nn.functional


@pytest.mark.parametrize(
    "f",
    [
        F.relu,
        F.leaky_relu,
        F.relu6,
        F.hardtanh,
        F.hardsigmoid,
        lambda x: F.prelu(x, tg.tensor([0.25])),
        lambda x: F.max_pool2d(x.reshape(1, 1, 2), 1),
    ],
)
def test_the_second_derivative_of_what_has_bends_is_zero_and_no_error(f):
    x = tg.tensor([0.5, -1.0], requires_grad=True)
    (g,) = tg.autograd.grad(f(x).sum(), x, create_graph=True)
    plain = tg.autograd.grad(f(x).sum(), x)[0]
    assert g.requires_grad and g.tolist() == plain.tolist() and not plain.requires_grad
    ((g.norm() - 1) ** 2).backward()
    assert x.grad.tolist() == [0, 0]


def test_what_is_straight_has_no_second_derivative():
    x = tg.tensor([0.5, -1.0], requires_grad=True)
    (g,) = tg.autograd.grad((x * 2).sum(), x, create_graph=True)
    assert not g.requires_grad
