"""What a compiled function does with .grad: the same as the tape, whoever else holds the tensor."""

import pytest
import tapegraph as tg


class State:
    """Two leaves, a result that retains its gradient, and tensors beside them."""

    def __init__(self):
        self.w = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
        self.v = tg.tensor([0.5, 0.25, 2.0], requires_grad=True)
        self.h = self.w * 2
        self.h.retain_grad()
        self.buffer = tg.zeros(3)
        self.flat = tg.arange(6.0)
        self.x = tg.tensor([1.0, -1.0, 4.0])

    def numbers(self):
        tensors = [self.w, self.v, self.h, self.buffer, self.flat, self.x]
        grads = [t.grad for t in (self.w, self.v, self.h, self.x)]
        return [None if t is None else t.tolist() for t in (*tensors, *grads)]

    def sharing(self):
        """Which .grad is whose, and lies where."""
        grads = [t.grad for t in (self.w, self.v, self.h, self.x)]
        return [
            [
                g is not None and o is not None and g.data_ptr() == o.data_ptr()
                for o in (*grads, self.buffer, self.flat, self.flat[3:])
            ]
            for g in grads
        ]


def retained(s):
    (s.h * s.v).sum().backward(retain_graph=True)


def double_retained(s):
    s.h.grad = s.x * 3 if s.h.grad is None else s.h.grad * 2
    return s.h.grad.sum()


def names_grad_outside(s):
    (s.w * s.x).sum().backward()
    s.kept = s.w.grad


def scale_second_name(s):
    s.kept.mul_(2.0)
    s.w.grad.add_(1.0)
    return s.kept.sum() + s.w.grad.sum()


def scale_second_name_last(s):
    s.w.grad.add_(1.0)
    s.kept.mul_(2.0)
    return s.kept.sum() + s.w.grad.sum()


def share_one(s):
    s.w.grad = s.v.grad = s.buffer


def add_through_both(s):
    s.w.grad.add_(s.x)
    s.v.grad.mul_(2.0)
    return s.w.grad.sum()


def set_to_buffer(s):
    s.w.grad = s.buffer
    s.buffer.add_(s.x)
    return s.w.grad.sum()


def nothing(s):
    pass


def flat_inside(s):
    s.w.grad = s.flat[:3]
    s.v.grad = s.flat[3:]
    s.flat.mul_(2.0)
    return s.w.grad.sum() - s.v.grad.sum()


def flat_outside(s):
    s.w.grad = s.flat[:3]
    s.v.grad = s.flat[3:]


def use_flat(s):
    s.flat.mul_(2.0)
    s.v.grad.add_(s.x)
    return s.w.grad.sum() - s.v.grad.sum() * s.flat.sum()


def use_flat_last(s):
    s.v.grad.add_(s.x)
    s.w.grad.mul_(3.0)
    return (s.flat * s.flat).sum()


def of_no_leaf(s):
    s.x.grad = s.x * 2 if s.x.grad is None else s.x.grad + 1
    return s.x.grad.sum()


def swap(s):
    s.w.grad, s.v.grad = s.v.grad, s.w.grad
    return s.v.grad.sum()


def two_grads(s):
    s.w.grad, s.v.grad = s.x * 2, s.x * 3


def accumulate(s):
    loss = (s.w * s.x * s.v).sum()
    loss.backward()
    s.w.grad.mul_(0.5)
    return loss


CASES = [
    (nothing, double_retained),
    (retained, double_retained),
    (names_grad_outside, scale_second_name),
    (names_grad_outside, scale_second_name_last),
    (share_one, add_through_both),
    (nothing, set_to_buffer),
    (share_one, set_to_buffer),
    (nothing, flat_inside),
    (flat_outside, flat_inside),
    (flat_outside, use_flat),
    (flat_outside, use_flat_last),
    (nothing, of_no_leaf),
    (two_grads, swap),
    (two_grads, accumulate),
    (flat_outside, accumulate),
    (share_one, accumulate),
    (nothing, accumulate),
]


@pytest.mark.parametrize(("before", "step"), CASES, ids=lambda f: f.__name__)
def test_a_compiled_step_leaves_every_grad_as_the_tape_does(before, step):
    tape, program = State(), State()
    before(tape)
    before(program)
    run = tg.compile(lambda: step(program))
    for _ in range(4):
        expected = step(tape)
        assert run().tolist() == expected.tolist()
        assert program.numbers() == tape.numbers()
        assert program.sharing() == tape.sharing()


def test_a_grad_with_a_gradient_of_its_own_keeps_it_in_a_compiled_function():
    x = tg.tensor([1.0, 2.0, 3.0])
    results = []
    for wrap in (lambda f: f, tg.compile):
        w = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
        (w**3).sum().backward(create_graph=True)

        def penalty(w=w):
            return (w.grad * x).sum()

        loss = wrap(penalty)()
        (g,) = tg.autograd.grad(loss, [w])
        results.append((loss.tolist(), g.tolist()))
    assert results[0] == results[1] == (3.0 + 24.0 + 81.0, [6.0, 24.0, 54.0])


def test_a_step_runs_again_without_a_new_trace_while_grads_come_and_go():
    s = State()
    two_grads(s)
    step = tg.compile(lambda: accumulate(s))
    for _ in range(5):
        step()
    assert step.traces == 1
    s.v.grad = s.w.grad
    step()
    assert step.traces == 2
    assert "shares memory" in step.explain()


def test_a_grad_may_be_set_on_any_tensor():
    x = tg.ones(3)
    x.grad = tg.ones(3) * 2
    assert x.grad.tolist() == [2, 2, 2]
    y = x.requires_grad_() * 2
    y.grad = tg.ones(3)
    assert y.grad.tolist() == [1, 1, 1] and not y.retains_grad
    y.sum().backward()
    assert x.grad.tolist() == [4, 4, 4]
    assert y.grad.tolist() == [1, 1, 1]
    x.requires_grad_(False)
    assert x.grad.tolist() == [4, 4, 4]


def test_hooks_between_a_tensor_and_its_leaf_are_seen():
    w = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    part = w[1:]
    rows = part.reshape(2, 1)

    @tg.compile
    def step():
        w.grad = None
        (rows * rows).sum().backward()
        return w.grad.sum()

    assert step().tolist() == 10
    with part.register_hook(lambda g: g * 10):
        assert step().tolist() == 100
    assert step().tolist() == 10


def test_what_a_hook_reads_is_watched():
    scale = 2.0
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    w.register_hook(lambda g: g * scale)

    @tg.compile
    def step():
        w.grad = None
        (w * w).sum().backward()
        return w.grad.sum()

    assert [step().tolist() for _ in range(3)] == [12, 12, 12]
    assert step.traces == 1
    scale = 5.0
    assert [step().tolist() for _ in range(3)] == [30, 30, 30]
    assert step.traces == 2
    assert "scale was 2.0, is now 5.0" in step.explain()
    scale = 2.0
    assert step().tolist() == 12
    assert step.traces == 2


def test_a_method_that_is_replaced_is_noticed():
    class Scale:
        def __call__(self, x):
            return self.by(x)

        def by(self, x):
            return x * 2

    scale = Scale()
    double = tg.compile(lambda x: scale.by(x))
    called = tg.compile(lambda x: scale(x))
    one = tg.ones(1)
    assert (double(one).tolist(), called(one).tolist()) == ([2], [2])
    Scale.by = lambda self, x: x * 3
    assert (double(one).tolist(), called(one).tolist()) == ([3], [3])


def test_a_module_whose_forward_is_replaced_is_traced_again():
    class Net(tg.nn.Module):
        def forward(self, x):
            return x * 2

    net = tg.compile(Net())
    assert net(tg.ones(1)).tolist() == [2]
    Net.forward = lambda self, x: x * 3
    assert net(tg.ones(1)).tolist() == [3]


def test_a_copy_into_a_tensor_does_not_make_it_the_other_one():
    for wrap in (lambda f: f, tg.compile):
        x = tg.tensor([1.0, 2.0], requires_grad=True)

        def step(x=x):
            y = tg.zeros(2)
            y.copy_(x)
            seen = []
            y.register_hook(lambda g: g * 10)
            (y * 3 + x).sum().backward()
            return tg.stack(seen) if seen else x.grad

        assert wrap(step)().tolist() == [31, 31]


def test_a_view_made_under_no_grad_is_not_written_with_gradients():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    for base in (w, w * 2):
        with tg.no_grad():
            view = base[:1]
        with pytest.raises(RuntimeError, match="made under no_grad would be written with grad"):
            view.mul_(w[:1])
        with pytest.raises(RuntimeError, match="made under no_grad would be written with grad"):
            tg.compile(lambda view=view: view.mul_(w[:1]))()
        with tg.no_grad():
            view.mul_(w[:1])


def _rows(x, i, j, w):
    """x[i] is a view, whatever i is: written through, and kept up with x."""
    row = x[i]
    row.add_(w)
    x.mul_(2.0)
    total = row.sum()
    row += 1
    x[j] += w
    inner = x[i][j]
    inner.mul_(3.0)
    x[i, 1:].copy_(w[1:])
    return total, row * 1, inner * 1, x * 1


def test_a_row_at_an_index_that_is_a_tensor_is_a_view_in_a_trace_too():
    results = []
    for wrap in (lambda f: f, tg.compile):
        run = wrap(_rows)
        for i, j in ((0, 1), (2, 0)):
            x = tg.arange(9.0).reshape(3, 3)
            w = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
            base = x * w
            total, row, inner, after = run(base, tg.tensor(i), tg.tensor(j), w)
            (total + (row * row).sum() + inner + (after * after).sum()).backward()
            results.append([t.tolist() for t in (total, row, inner, after, base, w.grad)])
    assert results[:2] == results[2:]


def test_a_row_of_a_leaf_is_not_written_in_a_trace():
    x = tg.zeros(3, requires_grad=True)
    for wrap in (lambda f: f, tg.compile):
        with pytest.raises(RuntimeError, match="leaf that requires a gradient"):
            wrap(lambda i: x[i].add_(1.0))(tg.tensor(1))
        with tg.no_grad():
            wrap(lambda i: x[i].add_(1.0))(tg.tensor(1))
    assert x.tolist() == [0, 2, 0]


class Counter(tg.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("n", tg.zeros(1))

    def forward(self, x):
        self.n = self.n + 1.0
        return x * self.n


def test_a_variable_that_is_set_to_a_tensor_of_the_trace_is_put_back():
    counter = Counter()
    n = counter.n
    count = tg.zeros(1)

    def closure(x):
        nonlocal count
        count = count + 1.0
        return x * count

    def broken(x):
        nonlocal count
        count = count + 1.0
        raise KeyError("x")

    x = tg.ones(1)
    with pytest.raises(RuntimeError, match=r"self\.n .*which would happen only while it is traced"):
        tg.compile(counter)(x)
    assert counter.n is n
    with pytest.raises(RuntimeError, match="count .*write into the tensor that is there"):
        tg.compile(closure)(x)
    with pytest.raises(KeyError):
        tg.compile(broken)(x)
    assert count.tolist() == [0]


def test_a_broadcast_copy_can_be_reshaped():
    for requires_grad in (False, True):
        t = tg.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=requires_grad)
        x = tg.zeros(1, 2, 4)

        def f(t=t, x=x):
            x.copy_(t)
            return x.reshape(1, 1, -1) * 1

        assert tg.compile(f)().tolist() == [[[1, 2, 3, 4, 1, 2, 3, 4]]]


def test_a_named_tensor_beside_a_window_of_its_memory_is_returned_whole():
    whole = tg.arange(6.0)
    f = tg.compile(lambda part: (whole.detach(), part.sum()))
    assert f(whole[2:])[0].tolist() == [0, 1, 2, 3, 4, 5]
    assert f(tg.ones(4))[0].tolist() == [0, 1, 2, 3, 4, 5]


def test_a_grad_that_is_a_tensor_whose_own_grad_was_read_before(executor):
    x = tg.tensor([1.0, 2.0])
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    w.grad = x

    def f():
        return [p.grad if p.grad is None else p.grad * 2 for p in (x, w)]

    compiled = tg.compile(f, executor=executor)
    for _ in range(3):
        assert compiled()[1].tolist() == f()[1].tolist() == [2, 4]


def test_a_gradient_made_inside_may_be_shared():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    v = tg.tensor([1.0, 2.0], requires_grad=True)

    @tg.compile
    def f(x):
        y = x * 2
        w.grad = y
        v.grad = w.grad
        return y

    y = f(tg.ones(2))
    w.grad.zero_()
    assert v.grad.tolist() == y.tolist() == [0, 0]


def _view_and_base():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    x = w * 2
    return x, x[:1]


def test_what_is_retained_is_of_the_value_that_a_tensor_has_now():
    """PyTorch gave these numbers."""
    x, v = _view_and_base()
    x.retain_grad()
    x[0] = 5.0
    x.sum().backward()
    assert x.grad.tolist() == [1, 1]
    x, v = _view_and_base()
    x.retain_grad()
    v.mul_(3.0)
    x.sum().backward()
    assert x.grad.tolist() == [1, 1]
    x, v = _view_and_base()
    v.retain_grad()
    x.mul_(3.0)
    v.sum().backward()
    assert v.grad.tolist() == [1]
    x, v = _view_and_base()
    v.retain_grad()
    v.mul_(3.0)
    (x.sum() + v.sum()).backward()
    assert v.grad.tolist() == [1]
    for wrap in (lambda f: f, tg.compile):
        x, v = _view_and_base()
        x.retain_grad()
        wrap(lambda a: a.mul_(3.0))(x)
        x.sum().backward()
        assert x.grad.tolist() == [1, 1]


def test_hooks_after_a_write_through_a_view_see_their_own_gradient():
    """PyTorch gave these numbers."""
    for on_view, expected in ((True, [2, 66, 66]), (False, [20, 120, 120])):
        for wrap in (lambda f: f, tg.compile):
            w = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
            x = w * 2
            v = x[1:]
            wrap(lambda v=v: v.mul_(3.0))()
            (v if on_view else x).register_hook(lambda g: g * 10)
            (x.sum() + v.sum()).backward()
            assert w.grad.tolist() == expected


def test_what_only_a_trace_would_do_is_an_error():
    w = tg.tensor([1.0, 2.0], requires_grad=True)

    def hook(g):
        handle.remove()
        return g * 10

    handle = w.register_hook(hook)
    with pytest.raises(RuntimeError, match="registered outside of .*remove it outside"):
        tg.compile(lambda: (w * 2).sum().backward())()
    handle.remove()
    with pytest.raises(RuntimeError, match="leaves set_grad_enabled changed"):
        tg.compile(lambda x: (x, tg.set_grad_enabled(False))[0])(w)
    assert tg.is_grad_enabled()


def test_the_call_of_a_class_that_is_replaced_is_noticed():
    class Scale:
        def __call__(self, x):
            return x * 2

    scale = Scale()
    f = tg.compile(lambda x: scale(x))
    assert f(tg.ones(1)).tolist() == [2]
    Scale.__call__ = lambda self, x: x * 3
    assert f(tg.ones(1)).tolist() == [3]
