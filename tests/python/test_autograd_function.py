"""autograd.Function: on the tape, compiled, in a graph; and what is wrong, in words."""

import gc

import pytest
import tapegraph as tg
from errors import said
from functions import Exp, Square
from tapegraph.autograd import Function, gradcheck, gradgradcheck
from tapegraph.autograd.function import once_differentiable
from values import leaf64 as leaf


class Halved(Function):
    """x**2 whose gradient is said to be x: unlike that of its ops, so it shows who was asked."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x * x).exp().log()

    @staticmethod
    def backward(ctx, g):
        return ctx.saved_tensors[0] * g


class Scaled(Function):
    """Two outputs, arguments that are no tensors, and a saved value that is neither in nor out."""

    @staticmethod
    def forward(ctx, x, factor, y, *, offset=0.0):
        ctx.factor = factor
        shifted = x + offset
        ctx.save_for_backward(shifted, y, None)
        return shifted * factor * y, y.sum()

    @staticmethod
    def backward(ctx, g, h):
        shifted, y, nothing = ctx.saved_tensors
        assert nothing is None
        dx = g * ctx.factor * y if ctx.needs_input_grad[0] else None
        return dx, None, g * shifted * ctx.factor + h


def test_forward_and_backward():
    w = leaf(1.0, 2.0)
    y = Square.apply(w)
    assert y.tolist() == [1, 4] and y.requires_grad and not y.is_leaf
    node = y.grad_fn
    assert node.name() == "Square" and node.line.startswith("test_autograd_function.py:")
    assert [f.name() for f, _ in node.next_functions] == ["leaf"]
    y.sum().backward()
    assert w.grad.tolist() == [2, 4]
    assert Square.apply(tg.ones(2)).requires_grad is False
    with tg.no_grad():
        assert Square.apply(w).requires_grad is False


def test_its_gradient_is_asked_and_not_its_ops():
    w = leaf(3.0)
    Halved.apply(w).sum().backward()
    assert w.grad.tolist() == [3]


@pytest.mark.parametrize("function", [Square, Exp])
def test_gradcheck_and_the_second_derivative(function):
    x = leaf(0.5, -1.0, 2.0)
    assert gradcheck(function.apply, x) and gradgradcheck(function.apply, x)
    (g,) = tg.autograd.grad(function.apply(x).sum(), x, create_graph=True)
    (h,) = tg.autograd.grad(g.sum(), x)
    expected = [2, 2, 2] if function is Square else x.exp().tolist()
    assert h.tolist() == expected


def scaled(x, y):
    a, b = Scaled.apply(x, 3.0, y, offset=1.0)
    return (a * a).sum() + b.exp()


def test_several_inputs_and_outputs():
    x, y = leaf(1.0, 2.0), leaf(0.5, -1.0)
    assert gradcheck(lambda p, q: Scaled.apply(p, 3.0, q, offset=1.0), (x, y))
    a, b = Scaled.apply(x, 3.0, y)
    assert a.tolist() == [1.5, -6] and b.item() == -0.5
    (g,) = tg.autograd.grad(b, y)  # the other output has no gradient: zeros
    assert g.tolist() == [1, 1]
    only = Scaled.apply(x.detach(), 3.0, y)[0]
    only.sum().backward()
    assert x.grad is None and y.grad.tolist() == [3, 6]


def test_absent_gradients_need_not_be_zeros():
    seen = []

    class Two(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            seen.append((a is None, b is None))
            return a * 2 if a is not None else b * 3

    w = leaf(1.0)
    first, second = Two.apply(w)
    first.sum().backward(retain_graph=True)
    second.sum().backward()
    assert seen == [(False, True), (True, False)] and w.grad.tolist() == [5]


def test_outputs_without_gradient():
    class Top(Function):
        @staticmethod
        def forward(ctx, x):
            place = x.argmax()
            low = x.amin()
            ctx.mark_non_differentiable(low)
            ctx.place = place
            return x.amax(), low, place, "top"

        @staticmethod
        def backward(ctx, g, none, nothing, text):
            assert none.shape == () and text is None
            return g * (tg.arange(3) == ctx.place)

    w = leaf(1.0, 5.0, 3.0)
    top, low, place, text = Top.apply(w)
    assert text == "top" and place.item() == 1
    assert top.requires_grad and not low.requires_grad and not place.requires_grad
    top.backward()
    assert w.grad.tolist() == [0, 1, 0]
    w.grad = None
    compiled = tg.compile(lambda v: Top.apply(v)[0] * 2)
    compiled(w).backward()
    assert w.grad.tolist() == [0, 2, 0]


def test_setup_context():
    class Cube(Function):
        @staticmethod
        def forward(x):
            return x**3

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g):
            return 3 * ctx.saved_tensors[0] ** 2 * g

    assert gradcheck(Cube.apply, leaf(1.0, 2.0))


def test_what_forward_returns_is_its_own():
    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            return x, x, x.reshape(-1)[:1]

        @staticmethod
        def backward(ctx, a, b, c):
            return a + b

    def f(x):
        a, b, c = Same.apply(x * 1)
        a.add_(1)
        b.mul_(2)
        return a, b, c

    w = leaf(1.0, 2.0)
    expected = [[2, 3], [2, 4], [1]]
    assert [t.tolist() for t in f(w)] == expected
    for executor in ("lines", "planned", "fused"):
        assert [t.tolist() for t in tg.compile(f, executor=executor)(w)] == expected
    a, b, _ = f(w)
    (a + b).sum().backward()
    assert w.grad.tolist() == [3, 3]


@pytest.mark.parametrize(
    "f", [lambda x, y: Square.apply(x).sum(), lambda x, y: Exp.apply(x * y).sum(), scaled]
)
def test_compiled_it_is_the_same(f, executor):
    x, y = leaf(0.5, -1.0), leaf(1.5, 0.25)
    compiled = tg.compile(f, executor=executor)

    def derivatives(function):
        value = function(x, y)
        first = tg.autograd.grad(value, (x, y), create_graph=True, materialize_grads=True)
        loss = sum((g * g).sum() for g in first)
        second = tg.autograd.grad(loss, (x, y), materialize_grads=True)
        return [t.tolist() for t in (value, *first, *second)]

    assert derivatives(compiled) == derivatives(f)

    def step(p, q):  # the gradient is taken inside
        value = f(p, q)
        return (value, *tg.autograd.grad(value, (p, q), materialize_grads=True))

    inside = tg.compile(step, executor=executor)
    assert [t.tolist() for t in inside(x, y)] == [t.tolist() for t in step(x, y)]


def test_compiled_the_own_gradient_wins():
    w = leaf(3.0)
    compiled = tg.compile(lambda x: Halved.apply(x).sum() * 2)
    compiled(w).backward()
    assert w.grad.tolist() == [6]
    text = compiled.program(improved=False).text()
    assert " function %" in text and "function = Halved" in text and " exp %" in text
    assert " function %" not in compiled.program().text()  # the passes take the line out


def test_a_program_with_a_function_is_not_read_back():
    compiled = tg.compile(lambda x: Halved.apply(x))
    compiled(leaf(3.0))
    with pytest.raises(ValueError, match="function"):
        tg.parse_program(compiled.program(improved=False).text())


def test_in_a_graph():
    w = leaf(1.0, 2.0)
    with tg.Graph() as graph:
        x = tg.placeholder("x", [2], dtype=tg.float64)
        y = (Halved.apply(w * x)).sum()
        (g,) = tg.gradients(y, [w])
    value, gradient = tg.Session(graph).run([y, g], {x: [1.0, 2.0]})
    assert float(value) == pytest.approx(17) and gradient.tolist() == [1, 8]


def test_a_tensor_on_ctx_is_found_again_in_a_program():
    class Kept(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.slope = 2 * x
            ctx.count = 3
            return x * x

        @staticmethod
        def backward(ctx, g):
            return ctx.slope * g * ctx.count

    w = leaf(1.0, 2.0)
    for f in (Kept.apply, tg.compile(lambda x: Kept.apply(x))):
        w.grad = None
        f(w).sum().backward()
        assert w.grad.tolist() == [6, 12]

    class Listed(Kept):
        @staticmethod
        def forward(ctx, x):
            ctx.slopes = [x]
            return x * x

    with pytest.raises(RuntimeError) as error:
        tg.compile(lambda x: Listed.apply(x))(w)
    assert "Listed: ctx.slopes is a list with tensors that are symbols of a graph; use" in said(
        error
    )


def test_a_global_in_forward_is_noticed():
    global SCALE
    SCALE = 2.0

    class ByScale(Function):
        @staticmethod
        def forward(ctx, x):
            return x * SCALE

        @staticmethod
        def backward(ctx, g):
            return g * SCALE

    compiled = tg.compile(lambda x: ByScale.apply(x))
    assert compiled(tg.ones(1)).item() == 2
    SCALE = 3.0
    assert compiled(tg.ones(1)).item() == 3 and compiled.traces == 2


def test_once_differentiable():
    class Once(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            return 2 * ctx.saved_tensors[0] * g

    w = leaf(3.0)
    Once.apply(w).sum().backward()
    assert w.grad.tolist() == [6]
    (g,) = tg.autograd.grad(Once.apply(w).sum(), w, create_graph=True)
    assert g.tolist() == [6]
    with pytest.raises(RuntimeError) as error:
        g.sum().backward()
    assert said(error) == (
        "Once: its backward is marked once_differentiable, so it has no second derivative"
    )


def test_nothing_is_left_behind():
    gc.collect()
    before = tg.node_count()
    w = leaf(1.0, 2.0)
    for f in (Square.apply, Exp.apply, lambda x: Scaled.apply(x, 2.0, x)[0]):
        y = f(w)
        (g,) = tg.autograd.grad(y.sum(), w, create_graph=True)
        g.sum().backward()
        w.grad = None
        del y, g
    del w
    gc.collect()
    assert tg.node_count() == before


class Both(tg.autograd.Function):
    """x * w and x + w, with a gradient that depends on which of them a loss uses."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, w)
        return x * w, x + w

    @staticmethod
    def backward(ctx, product, total):
        x, w = ctx.saved_tensors
        if total is None:
            return None, product * x * 100
        if product is None:
            return None, total * 7
        return None, product * x + total * w


def test_a_rule_that_looks_at_absent_gradients_is_asked_again_through_a_call():
    x = tg.tensor([1.0, 2.0])

    def gradients(f):
        found = []
        for used in ("first", "second", "both"):
            w = tg.tensor([3.0, 5.0], requires_grad=True)
            a, b = f(w)
            loss = {"first": a.sum(), "second": b.sum(), "both": (a * b).sum()}[used]
            (g,) = tg.autograd.grad(loss, [w])
            found.append(g.tolist())
        return found

    compiled = tg.compile(lambda w: Both.apply(x, w * w))
    expected = gradients(lambda w: Both.apply(x, w * w))
    assert gradients(compiled) == expected
    assert expected[0] == [600.0, 2000.0]

    w = tg.tensor([3.0, 5.0], requires_grad=True)
    a, _ = compiled(w)
    with tg.no_grad():
        x.mul_(2.0)
    with pytest.raises(RuntimeError, match="to call a Function's backward again"):
        a.sum().backward()
