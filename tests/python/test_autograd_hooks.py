"""Hooks on gradients, and retain_grad: on the tape, and in a compiled function."""

import gc

import pytest
import tapegraph as tg
from errors import said
from values import leaf


def test_a_hook_sees_the_complete_gradient_of_a_result():
    w = leaf(1.0, 2.0)
    seen = []
    y = w * 2
    z = y * y + y  # y has two users, one of them before the hook
    y.register_hook(lambda g: seen.append(g.tolist()))
    z.sum().backward()
    assert seen == [[5, 9]] and w.grad.tolist() == [10, 18]


def test_a_hook_may_replace_the_gradient():
    w = leaf(1.0, 2.0)
    y = w * 2
    y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: g + 1)
    (y * 3).sum().backward()
    assert w.grad.tolist() == [62, 62]  # 2 (10 * 3 + 1)
    v = leaf(1.0, 2.0)
    v.register_hook(lambda g: -g)
    (v * v).sum().backward()
    assert v.grad.tolist() == [-2, -4]
    (g,) = tg.autograd.grad((v * v).sum(), v)
    assert g.tolist() == [-2, -4]
    assert v.grad.tolist() == [-2, -4]


def test_a_hook_of_a_leaf_is_called_in_each_backward_until_it_is_removed():
    w = leaf(1.0)
    calls = []
    handle = w.register_hook(lambda g: calls.append("first"))
    with w.register_hook(lambda g: calls.append("second")):
        (w * 2).sum().backward()
    (w * 2).sum().backward()
    handle.remove()
    handle.remove()
    (w * 2).sum().backward()
    assert calls == ["first", "second", "first"]


def test_hooks_with_create_graph_are_on_the_tape():
    w = leaf(2.0)
    y = w * 1
    y.register_hook(lambda g: g * y)
    (g,) = tg.autograd.grad((y * y).sum(), w, create_graph=True)
    assert g.tolist() == [8]  # 2 y * y, at w
    # Its derivative 4 y passes y too, where the hook makes it 4 y * y. PyTorch gave the same.
    assert tg.autograd.grad(g.sum(), w)[0].tolist() == [16]


def test_a_hook_stays_with_the_value_that_it_was_put_on():
    w = leaf(1.0)
    seen = []
    y = w * 2
    y.register_hook(lambda g: seen.append(("before", g.item())))
    y.mul_(3)
    y.register_hook(lambda g: seen.append(("after", g.item())))
    y.sum().backward()
    assert seen == [("after", 1), ("before", 3)]


def test_a_hook_on_one_output_of_several():
    w = tg.tensor([3.0, 1.0], requires_grad=True)
    values, _ = w.max(0)
    values.register_hook(lambda g: g * 5)
    values.backward()
    assert w.grad.tolist() == [5, 0]


def test_what_is_wrong_is_said():
    w = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError) as error:
        tg.ones(2).register_hook(print)
    assert said(error) == (
        "register_hook: this tensor of shape (2,) does not require a gradient, so none would ever "
        "come"
    )
    with pytest.raises(TypeError) as error:
        w.register_hook(3)
    assert said(error) == "register_hook: hook must be a function, not int"
    with pytest.raises(RuntimeError) as error:
        (w * 2).register_post_accumulate_grad_hook(print)
    assert "this tensor of shape (2,) is the result of mul (test_autograd_hooks.py:" in str(
        error.value
    )
    assert str(error.value).endswith("so nothing is added to its .grad; use register_hook")
    with pytest.raises(RuntimeError) as error:
        tg.ones(2).retain_grad()
    assert said(error) == (
        "retain_grad: this tensor of shape (2,) does not require a gradient, so none would ever "
        "come"
    )
    for wrong, kind, text in (
        (3, TypeError, "a hook returned int, not a tensor or None"),
        (
            tg.ones(3),
            RuntimeError,
            "a hook was given a gradient of float32 (2,) on cpu, and returned float32 (3,) on cpu",
        ),
    ):
        y = w * 2
        y.register_hook(lambda g, wrong=wrong: wrong)
        with pytest.raises(kind) as error:
            y.sum().backward()
        assert said(error) == f"backward: {text}"


def test_an_error_in_a_hook_comes_through():
    def fails(g):
        raise KeyError("mine")

    y = leaf(1.0) * 2
    y.register_hook(fails)
    with pytest.raises(KeyError, match="mine"):
        y.sum().backward()


def test_after_the_gradient_has_been_added():
    w = tg.nn.Parameter(tg.tensor([1.0, 2.0]))
    seen = []

    def step(p):
        assert p is w
        seen.append(p.grad.tolist())
        with tg.no_grad():
            p.sub_(p.grad)
        p.grad = None

    handle = w.register_post_accumulate_grad_hook(step)
    (w * w).sum().backward()
    assert seen == [[2, 4]] and w.tolist() == [-1, -2] and w.grad is None
    tg.autograd.grad((w * w).sum(), w)  # fills no .grad
    assert len(seen) == 1
    handle.remove()
    (w * 1).sum().backward()
    assert len(seen) == 1


def test_retain_grad():
    w = leaf(1.0, 2.0)
    y = w * 2
    assert not y.retains_grad
    y.retain_grad()
    y.retain_grad()
    assert y.retains_grad and not y.is_leaf
    z = (y * y).sum()
    z.backward(retain_graph=True)
    assert y.grad.tolist() == [4, 8] and y.grad is y.grad
    z.backward()
    assert y.grad.tolist() == [8, 16]
    y.grad = None
    assert y.grad is None
    w.retain_grad()  # a leaf has it anyway
    assert not w.retains_grad
    v = w * 3
    v.register_hook(lambda g: g * 10)
    v.retain_grad()
    v.mul_(2)
    v.sum().backward()
    assert v.grad.tolist() == [1, 1]  # that of what it is now


def test_the_absent_grad_of_a_result_is_none_with_a_warning():
    w = leaf(1.0, 2.0)
    w = w - w * 0.1
    with pytest.warns(UserWarning) as warned:
        assert w.grad is None
    assert [str(each.message) for each in warned] == [
        "grad: this tensor of shape (2,) is the result of an op and no leaf, so backward leaves no "
        ".grad in it; look at the leaf that it was made from, or call retain_grad() on it first"
    ]
    assert warned[0].filename == __file__


@pytest.mark.filterwarnings("error")
def test_an_absent_grad_that_is_to_be_expected_is_no_warning():
    w = leaf(1.0, 2.0)
    y = w * 2
    y.retain_grad()
    assert w.grad is None and y.grad is None
    assert w.detach().grad is None and tg.ones(2).mul(2).grad is None
    z = w * 2
    with pytest.raises(UserWarning, match="grad: this tensor"):
        print(z.grad)


def test_nothing_is_left_behind():
    gc.collect()
    before = tg.node_count()
    w = leaf(1.0, 2.0)
    y = w * w
    y.retain_grad()
    y.register_hook(lambda g: g * 2)
    (y * y).sum().backward(create_graph=True)
    assert y.grad.tolist() == [4, 16]
    w.grad = None
    del w, y
    gc.collect()
    assert tg.node_count() == before


def test_a_tape_can_be_walked_and_says_its_lines():
    node = (leaf(1.0) * 2).exp().grad_fn
    assert node.where == node.line and node.where.startswith("test_autograd_hooks.py:")
    ((mul, index),) = node.next_functions
    assert (mul.name(), index) == ("mul", 0)


# ---- in a compiled function ---------------------------------------------------------------------


def test_with_the_backward_inside_a_hook_becomes_lines():
    w = leaf(1.0, 2.0)
    calls = []

    def step(x):
        y = w * x
        y.register_hook(lambda g: calls.append(g.is_symbolic) or g * 10)
        y.retain_grad()
        (y * y).sum().backward()
        return y.grad

    x = tg.tensor([3.0, 4.0])
    expected = step(x)
    assert w.grad.tolist() == [180, 640] and calls == [False]
    for executor in ("lines", "planned", "fused"):
        w.grad = None
        compiled = tg.compile(step, executor=executor)
        for _ in range(2):
            w.grad = None
            assert compiled(x).tolist() == expected.tolist()
            assert w.grad.tolist() == [180, 640]
    assert calls[1:] == [True] * 3  # once for each trace


def test_with_the_backward_outside_a_hook_inside_is_refused():
    w = leaf(1.0, 2.0)

    def f(x):
        y = w * x
        y.register_hook(lambda g: g * 10)
        return y.sum()

    with pytest.raises(RuntimeError) as error:
        tg.compile(f)(tg.ones(2))
    assert "a hook was registered on the result of mul (test_autograd_hooks.py:" in str(error.value)
    assert str(error.value).endswith(
        "but the gradient is taken outside of it, where the hook is not; call backward inside, or "
        "use a Function"
    )


def test_the_hooks_of_a_leaf_hold_inside_and_outside():
    w = leaf(1.0, 2.0)
    loss = tg.compile(lambda x: (w * x).sum())
    x = tg.tensor([3.0, 4.0])

    def step(x):
        (w * x).sum().backward()
        return w.grad

    inside = tg.compile(step)
    assert inside(x).tolist() == [3, 4]
    handle = w.register_hook(lambda g: g * 10)
    w.grad = None
    assert inside(x).tolist() == [30, 40]  # it is noticed
    w.grad = None
    loss(x).backward()
    assert w.grad.tolist() == [30, 40]
    handle.remove()
    w.grad = None
    assert inside(x).tolist() == [3, 4] and inside.traces == 2
    given = tg.compile(lambda v: tg.autograd.grad((v * v).sum(), v)[0])
    assert given(w).tolist() == [2, 4]
    with w.register_hook(lambda g: g * 10):
        assert given(w).tolist() == [20, 40]
    assert given(w).tolist() == [2, 4] and given.traces == 2


@pytest.mark.parametrize("name", ["register_hook", "retain_grad"])
def test_what_was_made_outside_gets_its_hooks_outside(name):
    w = leaf(1.0, 2.0)
    y = w * 2
    given = () if name == "retain_grad" else (print,)
    for f, x in (
        (lambda x: [getattr(y, name)(*given), (y * x).sum()][1], tg.ones(2)),
        (lambda x: [getattr(x, name)(*given), (w * x).sum()][1], w),
    ):
        with pytest.raises(RuntimeError) as error:
            tg.compile(f)(x)
        assert f"{name} (test_autograd_hooks.py:" in str(error.value)
        assert "): this tensor was made outside of" in str(error.value)
        assert str(error.value).endswith("where its gradient goes on: call it there, before")


def test_a_leaf_made_inside_has_its_own_hooks():
    def f(x):
        v = x.detach().clone().requires_grad_()
        v.register_hook(lambda g: g * 10)
        (v * v).sum().backward()
        return v.grad

    x = leaf(1.0, 2.0)
    assert f(x).tolist() == tg.compile(f)(x).tolist() == [20, 40]


def test_a_post_accumulate_hook_in_a_compiled_step():
    def made():
        w = tg.nn.Parameter(tg.tensor([1.0, 2.0]))

        def update(p):
            with tg.no_grad():
                p.sub_(p.grad)
            p.grad = None

        w.register_post_accumulate_grad_hook(update)

        def step(x):
            loss = (w * x).sum()
            loss.backward()
            return loss

        return w, step

    x = tg.tensor([0.5, 0.25])
    a, step = made()
    b, other = made()
    compiled = tg.compile(other)
    for _ in range(3):
        assert step(x).item() == compiled(x).item()
    assert a.tolist() == b.tolist() == [-0.5, 1.25] and b.grad is None
