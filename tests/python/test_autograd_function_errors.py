"""autograd.Function: what is checked, and what is said where something is wrong."""

import pytest
import tapegraph as tg
from errors import said
from functions import Exp, Square
from tapegraph.autograd import Function
from values import leaf64 as leaf


def test_saved_values_are_checked_and_freed():
    w = leaf(1.0, 2.0)
    x = w * 1
    y = Square.apply(x)
    x.add_(1)
    with pytest.raises(RuntimeError, match=r"needs its old input, but add_ \(.*changed it in pla"):
        y.sum().backward()
    z = Exp.apply(w)
    z.mul_(2)
    with pytest.raises(RuntimeError, match=r"needs its old output, but mul_"):
        z.sum().backward()
    y = Square.apply(w).sum()
    y.backward(retain_graph=True)
    y.backward()
    with pytest.raises(RuntimeError, match=r"the values that Square .*kept were freed"):
        y.backward()

    def f(v):
        x = v * 1
        y = Square.apply(x)
        x.add_(1)
        y.sum().backward()

    with pytest.raises(RuntimeError, match=r"needs its old input, but add_"):
        tg.compile(f)(w)


def test_saved_tensors_are_there_only_in_backward():
    kept = []

    class Keeps(Square):
        @staticmethod
        def forward(ctx, x):
            kept.append(ctx)
            return Square.forward(ctx, x)

    Keeps.apply(leaf(1.0)).sum().backward()
    with pytest.raises(RuntimeError) as error:
        _ = kept[0].saved_tensors
    assert said(error) == (
        "saved_tensors: Keeps's are there while its backward runs, and not before or after"
    )


def returning(*gradients):
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x, n):
            return x * n

        @staticmethod
        def backward(ctx, g):
            return gradients

    return lambda: Wrong.apply(leaf(1.0, 2.0), 3).sum().backward()


@pytest.mark.parametrize(
    ("gradients", "kind", "text"),
    [
        (
            (tg.ones(2),),
            RuntimeError,
            "Wrong: its backward returned 1 gradient, but its forward was given 2 arguments; "
            "return one for each, None where there is none",
        ),
        (
            (tg.ones(2), None, tg.ones(2)),
            RuntimeError,
            "Wrong: its backward returned 3 gradients, but its forward was given 2 arguments; "
            "return one for each, None where there is none",
        ),
        (
            (3, None),
            TypeError,
            "Wrong: its backward returned int for argument 0, not a tensor or None",
        ),
        (
            (tg.ones(2), tg.ones(2)),
            RuntimeError,
            "Wrong: its backward returned a gradient for argument 1, which is no tensor; return "
            "None for it",
        ),
        (
            (tg.ones(3), None),
            RuntimeError,
            "Wrong: its backward returned a gradient of shape (3,) for input 0, which has shape "
            "(2,)",
        ),
        (
            (tg.tensor([1, 2]), None),
            RuntimeError,
            "Wrong: its backward returned a gradient of int64 on cpu for input 0, which is "
            "float64 on cpu",
        ),
    ],
)
def test_what_backward_returns_must_fit(gradients, kind, text):
    with pytest.raises(kind) as error:
        returning(*gradients)()
    assert said(error) == text


def test_more_nones_than_arguments_are_fine_and_none_is_no_gradient():
    w = leaf(1.0, 2.0)
    returning(tg.ones(2), None, None)()

    class Nothing(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return None

    Nothing.apply(w).sum().backward()
    assert w.grad is None


def test_a_gradient_may_be_broadcast_or_of_another_floating_dtype():
    class Wide(Function):
        @staticmethod
        def forward(ctx, x):
            return x.sum()

        @staticmethod
        def backward(ctx, g):
            return tg.ones(3, 2, dtype=tg.float64) * g

    w = leaf(1.0, 2.0, dtype=tg.float32)
    Wide.apply(w).backward()
    assert w.grad.tolist() == [3, 3] and w.grad.dtype == tg.float32


def raising(forward, *args):
    class Wrong(Function):
        pass

    Wrong.forward = staticmethod(forward)
    return lambda: Wrong.apply(*(args or (leaf(1.0),)))


def changes_its_input(ctx, x):
    x.detach().mul_(2)
    return x * 1


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (raising(lambda ctx, x: 3), TypeError, "Wrong: its forward returned int, and no tensor"),
        (
            raising(lambda ctx, x: ctx.save_for_backward(3)),
            TypeError,
            "save_for_backward: argument 0 is int, not a tensor or None; keep other values as "
            "attributes of ctx",
        ),
        (
            raising(lambda ctx, x: ctx.mark_dirty(x)),
            NotImplementedError,
            "mark_dirty: Wrong cannot change its inputs in place; return new tensors",
        ),
        (
            raising(changes_its_input),
            RuntimeError,
            "Wrong: its forward changed input 0 in place, of which the tape would not know; "
            "clone() it first",
        ),
        (
            lambda: Square(),
            RuntimeError,
            "Square: a Function is not made; call Square.apply",
        ),
        (
            lambda: Square.apply(leaf(1.0), offset=leaf(1.0)),
            TypeError,
            "Square: offset is given by keyword, and requires a gradient; only positional "
            "arguments have one",
        ),
        (
            raising(Function.forward),
            NotImplementedError,
            "forward: a Function defines forward(ctx, ...) as staticmethod",
        ),
    ],
)
def test_what_is_wrong_is_said(call, kind, text):
    with pytest.raises(kind) as error:
        call()
    assert said(error) == text


def test_an_error_in_backward_comes_through():
    class Fails(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        Fails.apply(leaf(1.0)).sum().backward()
    with pytest.raises(KeyError, match="mine"):
        tg.compile(lambda x: Fails.apply(x))(leaf(1.0))
