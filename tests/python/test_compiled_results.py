"""What a compiled function leaves behind is what it leaves on the tape: whose memory, whose
gradient, and which object."""

import weakref

import numpy as np
import pytest
import tapegraph as tg


def bits(t):
    return None if t is None else (tuple(t.shape), t.requires_grad, t.is_leaf, t.tolist())


def both_ways(function, use, executor):
    """What `use` finds in the results of two calls, on the tape and compiled."""
    found = []
    for compiled in (False, True):
        f = tg.compile(function, executor=executor) if compiled else function
        calls = []
        for _ in range(2):
            x = tg.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
            calls.append([bits(t) for t in (*use(f(x)), x, x.grad)])
        found.append(calls)
    assert found[0] == found[1]
    return found[0][0]


def view_and_base(x):
    y = x * 2
    return y, y[0:2], y.view(2, 2), y.detach()


def write_a_view(results):
    y, part, square, plain = results
    part.mul_(10)
    ((y * y).sum() + square[1].sum()).backward()
    return y, part, square, plain


def write_the_base(results):
    y, part, square, plain = results
    with tg.no_grad():
        y.add_(1)
    (part.sum() * square.sum()).backward()
    return y, part, square, plain


def write_what_is_detached(results):
    y, part, square, plain = results
    plain.zero_()
    (part * 3).sum().backward()
    return y, part, square, plain


@pytest.mark.parametrize("use", [write_a_view, write_the_base, write_what_is_detached])
def test_views_made_inside_share_their_memory_outside(use, executor):
    both_ways(view_and_base, use, executor)


def test_views_of_an_argument_are_views_of_it(executor):
    x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    w = tg.tensor([5.0, 6.0], requires_grad=True)
    for f in (lambda x: (x[1:], w[0]), tg.compile(lambda x: (x[1:], w[0]), executor=executor)):
        part, first = f(x)
        with tg.no_grad():
            x.add_(1)
            w.add_(1)
        assert part.tolist() == x.tolist()[1:] and float(first) == float(w[0])
        with pytest.raises(RuntimeError, match="view of a leaf"):
            part.add_(1)
        (part.sum() * first).backward()
        assert x.grad.tolist() == [0, float(w[0]), float(w[0])]
        x.grad = w.grad = None


def test_a_result_has_the_tapes_strides():
    for f in (
        lambda x: (x * 2).t(),
        lambda x: (x * 2)[:, 1],
        lambda x: (x[:1] + 1).expand(3, 2),
        lambda x: x.t(),
    ):
        x = tg.ones(3, 2)
        assert tg.compile(f)(x).stride() == f(x).stride()


def test_what_is_set_on_a_result_stays_set(executor):
    def retained(x):
        y = x * 2
        y.retain_grad()
        return y, (y * y).sum()

    def use(results):
        y, loss = results
        (loss + y.sum()).backward()
        return y, loss, y.grad

    _, _, grad, *_ = both_ways(lambda x: retained(x)[:1] * 2, lambda r: use((r[0], r[1].sum())),
                               executor)  # fmt: skip
    assert grad[3] == [2.0] * 4

    def with_grad(x):
        y = x.detach() * 2
        y.grad = x.detach() * 5
        y.grad.grad = y.grad * 2
        return y

    both_ways(with_grad, lambda y: (y, y.grad, y.grad.grad), executor)


def test_a_leaf_made_inside_is_one_outside(executor):
    def made(x):
        y = tg.ones(4)
        y.requires_grad_()
        return y, (y * x).sum(), y[0:2]

    def use(results):
        y, loss, part = results
        (loss + part.sum() * 3).backward()
        return y, y.grad, part

    both_ways(made, use, executor)
    both_ways(lambda x: made(x)[1], lambda loss: (loss, loss.backward()), executor)

    def trained_inside(x):
        y = tg.ones(4).requires_grad_()
        (y * x.detach()).sum().backward()
        return y

    assert both_ways(trained_inside, lambda y: (y, y.grad), executor)[1][3] == [1, 2, 3, 4]


def test_a_tensor_made_of_numbers_inside_is_new_at_each_call(executor):
    def written(x):
        c = tg.tensor([1.0, 2.0, 3.0, 4.0])
        c.add_(x.detach())
        return c, c[0:2]

    def returned(x):
        c = tg.tensor([1.0, 2.0])
        return c, c[0:1]

    both_ways(written, lambda r: r, executor)
    both_ways(returned, lambda r: (r[0].zero_(), r[1]), executor)

    x = tg.ones(4)
    f = tg.compile(returned, executor=executor)
    f(x)[0].zero_()
    assert f(x)[0].tolist() == [1, 2]

    def of_an_array(x):
        c = tg.from_numpy(np.ones(4, dtype=np.float32))
        c.add_(x)
        return c

    with pytest.raises(RuntimeError, match=r"use tg\.tensor\(array\), which copies"):
        tg.compile(of_an_array, executor=executor)(x)


def test_a_tensor_is_one_object():
    x, y = tg.ones(2), tg.ones(2)
    a, b, c = tg.compile(lambda x, y: (x, y, x))(x, y)
    assert a is x and b is y and c is x
    z, again = tg.compile(lambda x: [x * 2] * 2)(x)
    assert z is again
    assert x.contiguous() is x

    def by_identity(parameters):
        return sum((p * p).sum() for p in {id(p): p for p in parameters}.values())

    for f in (by_identity, tg.compile(by_identity)):
        assert float(f([x, x, y])) == 4
        assert float(f([x, y, x])) == 4
        assert float(f([x, y, tg.ones(2)])) == 6

    seen = []
    w = tg.ones(2, requires_grad=True)
    w.register_post_accumulate_grad_hook(lambda t: seen.append(t is w))
    w.sum().backward()
    assert seen == [True]


def test_an_object_that_is_being_taken_apart_is_not_handed_out_again():
    x = tg.ones(2)
    kept = [x.view(2)]
    reference = weakref.ref(kept[0], lambda _: kept.append(tg.ones(2)))
    kept.clear()
    assert reference() is None and kept[0].tolist() == [1, 1]


def test_a_leaf_may_be_given_behind_a_view_of_it():
    def f(v, u):
        assert u.is_leaf and not v.is_leaf
        (u * u).sum().backward()
        return u.grad + v.detach()

    for g in (f, tg.compile(f)):
        u = tg.ones(2, 2, requires_grad=True)
        assert g(u[0], u).tolist() == [[3, 3], [3, 3]]


def test_views_share_their_memory_also_without_their_leaf_or_their_way(executor):
    def of_a_leaf(x):
        y = (x.detach() * 2).requires_grad_()
        return y[0:2], y[1:3]

    def write_first(results):
        first, second = results
        with tg.no_grad():
            first[1] = 9.0
        (first * second).sum().backward()
        return first, second

    both_ways(of_a_leaf, write_first, executor)
    with pytest.raises(RuntimeError, match="view of a leaf"):
        tg.compile(of_a_leaf, executor=executor)(tg.ones(4))[0].mul_(2)

    f = tg.compile(lambda x: walked(x), executor=executor)

    def walked(x):
        y = tg.exp(x)
        y.sum().backward()
        return y.detach(), y

    plain, y = f(tg.ones(2, requires_grad=True))
    plain.zero_()
    assert y.tolist() == [0, 0]


def test_a_window_may_be_written_through_detach(executor):
    w = tg.tensor([2.0, 3.0], requires_grad=True)

    def f(x):
        y = x.detach()
        y.mul_(w[0])
        return y

    found = []
    for g in (f, tg.compile(f, executor=executor)):
        x = tg.tensor([1.0, 2.0, 3.0])
        y = g(x[0:2])
        y.sum().backward()
        found.append((x.tolist(), y.tolist(), w.grad.tolist()))
        w.grad = None
    assert found[0] == found[1] == ([2, 4, 3], [2, 4], [3, 0])


def test_second_derivatives_of_a_call_that_writes_what_it_reads(executor):
    count = tg.ones(1)

    def f(x):
        count.add_(1)
        return (x**3 * count).sum()

    found = []
    for g in (f, tg.compile(f, executor=executor)):
        count.fill_(1)
        x = tg.tensor([1.0, 2.0], requires_grad=True)
        (first,) = tg.autograd.grad(g(x), x, create_graph=True)
        (first * first).sum().backward()
        found.append((count.item(), first.tolist(), x.grad.tolist()))
    assert found[0] == found[1]

    model = tg.nn.Sequential(tg.nn.Linear(2, 3), tg.nn.BatchNorm1d(3))
    x = tg.randn(5, 2, requires_grad=True)
    loss = tg.compile(lambda x: (model(x) ** 3).sum(), executor=executor)(x)
    (first,) = tg.autograd.grad(loss, x, create_graph=True)
    first.pow(2).sum().backward()  # a gradient penalty
    assert x.grad is not None


def test_a_number_of_a_trace_is_never_used_again():
    once = [1]

    def f(x, n):
        if once:
            once.pop()
            fast.clear()
        return x * n

    fast = tg.compile(f)
    x = tg.ones(1)
    assert [float(fast(x, n)) for n in (1, 2, 1)] == [1, 2, 1]


def test_a_compiled_function_inside_another_reads_what_that_one_made():
    def outer(x):
        y = x * 2
        return tg.compile(lambda v: v * y)(x)

    assert tg.compile(outer)(tg.ones(2)).tolist() == [2, 2]
