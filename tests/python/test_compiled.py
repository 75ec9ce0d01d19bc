"""tg.compile: values, keys, and what explain() tells."""

import copy
import functools
import gc
import random
import re
import signal
import threading
import time
import types
import warnings
import weakref

import numpy as np
import pytest
import tapegraph as tg
from errors import said
from tapegraph import nn
from tapegraph.nn.functional import cross_entropy

lr = 0.1
table = [1.0]


class Config:
    scale = 2.0


config = Config()


def helper(x):
    return x * lr


def test_a_function_is_traced_once_and_run_from_then_on(executor):
    calls = []

    @tg.compile(executor=executor)
    def f(x, y):
        calls.append(1)
        return (x * y).sum() + 1

    a, b = tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])
    assert [f(a, b).item(), f(b, b).item(), f(a, a).item()] == [12, 26, 6]
    assert len(calls) == f.traces == 2  # a * a shares memory between its arguments
    assert f(tg.ones(3), tg.zeros(3)).item() == 1
    assert f.traces == 3
    assert f.__name__ == "f" and "traced 3 times" in repr(f)


def test_arguments_and_results_may_be_nested():
    @tg.compile
    def f(pair, *, names, scale=2):
        a, b = pair
        return {"sum": a + b, "rest": [names["c"] * scale, None, "word", 3], "pair": (a, (b,))}

    one = tg.ones(1)
    out = f((one, one * 2), names={"c": one * 3})
    assert out["sum"].tolist() == [3] and out["rest"][0].tolist() == [6]
    assert out["rest"][1:] == [None, "word", 3]
    assert out["pair"][1][0].tolist() == [2]
    assert f([one, one * 2], names={"c": one * 3}, scale=3)["rest"][0].tolist() == [9]
    assert f.traces == 2
    assert "the arguments were ((tensor, tensor), names={c: tensor}), are now" in f.explain()


def test_gradients_flow_through_a_call(executor):
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    f = tg.compile(lambda x: (x * w * w).sum(), executor=executor)
    x = tg.tensor([3.0, 4.0], requires_grad=True)
    y = f(x)
    y.backward()
    assert w.grad.tolist() == [6, 16] and x.grad.tolist() == [1, 4]
    assert y.grad_fn.name() == "call"
    (g,) = tg.autograd.grad(f(x), w, create_graph=True)
    (h,) = tg.autograd.grad(g.sum(), w)
    assert h.tolist() == [6, 8]


def test_a_regulariser_of_weights_only_sees_the_weights_change():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    penalty = tg.compile(lambda: (w * w).sum())
    assert penalty().item() == 5
    with tg.no_grad():
        w.fill_(3)
    assert penalty().item() == 18 and penalty.traces == 1


def test_a_global_number_that_changed_is_noticed_and_explained():
    global lr
    f = tg.compile(helper)
    x = tg.ones(1, dtype=tg.float64)
    assert f(x).item() == 0.1
    lr = 5.0
    try:
        assert f(x).item() == 5.0
        assert "why: global lr was 0.1, is now 5.0 (test_compiled.py:" in f.explain()
    finally:
        lr = 0.1
    assert f(x).item() == 0.1 and f.traces == 2


def test_callees_attributes_closures_and_types_are_watched():
    global helper
    k = 2

    def f(x):
        return helper(x) * config.scale + k

    g = tg.compile(f)
    x = tg.ones(1, dtype=tg.float64)
    assert g(x).item() == 0.1 * 2 + 2
    config.scale = 3.0
    k = 10
    try:
        assert g(x).item() == 0.1 * 3 + 10
        why = g.trace_records()[-1]["why"]
        assert "global config.scale was 2.0, is now 3.0" in why
        assert "closure variable k was 2, is now 10" in why
        before = helper
        helper = lambda x: x * 7  # noqa: E731
        assert g(x).item() == 7.0 * 3 + 10
        helper = before
        k = 10.0
        traces = g.traces
        assert g(x).item() == 0.1 * 3 + 10
        assert g.traces == traces + 1
    finally:
        config.scale = 2.0


def test_a_tensor_that_was_replaced_is_another_one():
    w = tg.ones(1)
    f = tg.compile(lambda x: x + w)
    assert f(tg.ones(1)).item() == 2
    w = tg.full((1,), 5.0)
    assert f(tg.ones(1)).item() == 6
    assert "closure variable w is another Tensor than before" in f.explain()


def test_what_is_checked_and_what_is_not_is_listed():
    long = [*range(150)]
    f = tg.compile(lambda x: x * table[0] * lr * long[3] * len(eval("[1, 2]")))
    f(tg.ones(1))
    text = f.explain()
    assert "frozen into the program, and checked at each call:" in text
    assert "global table: 1 element (test_compiled.py:" in text
    assert "closure variable long: 100 elements (test_compiled.py:" in text
    assert "global lr = 0.1 (test_compiled.py:" in text
    assert "used, but not checked: a change is not noticed" in text
    assert re.search(r"closure variable long \(test_compiled.py:\d+\): 50 elements beyond", text)
    assert re.search(r"eval\(\) \(test_compiled.py:\d+\): what it finds by a name made", text)


def test_the_library_s_own_functions_do_not_change():
    f = tg.compile(lambda x: tg.zeros(1) + cross_entropy(x, tg.tensor([0])) + x.relu().sum())
    f(tg.ones(1, 2))
    assert "not checked" not in f.explain()


def test_plain_arguments_are_part_of_the_key():
    f = tg.compile(lambda x, n: x * n)
    x = tg.ones(1)
    assert f(x, 2).item() == 2 and f(x, 3).item() == 3 and f(x, 2).item() == 2
    assert f.traces == 2
    f(x, 2.0)
    assert f.traces == 3
    f(x, True)
    assert f.traces == 4


def test_shapes_dtypes_grad_mode_and_default_dtype_are_part_of_the_key():
    f = tg.compile(lambda x: x * 2)
    f(tg.ones(2))
    f(tg.ones(3))
    f(tg.ones(2, dtype=tg.float64))
    f(tg.ones(2, requires_grad=True))
    with tg.no_grad():
        f(tg.ones(2))
    assert f.traces == 5
    assert "argument 0 is float32 (3,), and was float32 (2,)" in f.explain()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.scale = 2.0
        self.calls = 0

    def forward(self, x):
        y = self.layer(x) * self.scale
        return y if self.training else y * 0


def test_a_module_is_compiled_with_its_flags_and_parameters():
    net = Net()
    f = tg.compile(net)
    x = tg.ones(1, 2)
    assert f(x).tolist() == net(x).tolist()
    net.calls += 1
    f(x)
    assert f.traces == 1
    net.eval()
    assert f(x).tolist() == [[0, 0]]
    assert "training was True, is now False" in f.explain()
    net.train()
    net.scale = 4.0
    assert f(x).tolist() == net(x).tolist()
    net.layer.weight = nn.Parameter(tg.zeros(2, 2))
    assert f(x).tolist() == net(x).tolist()
    assert f.traces == 4
    assert len(list(f.parameters())) == 2


def test_methods_are_compiled_by_decorator_and_by_call():
    class Model:
        def __init__(self, factor):
            self.factor = factor

        @tg.compile
        def twice(self, x):
            return x * 2 * self.factor

        def once(self, x):
            return x * self.factor

    a, b = Model(1.0), Model(10.0)
    x = tg.ones(1)
    assert a.twice(x).item() == 2 and b.twice(x).item() == 20
    a.factor = 3.0
    assert a.twice(x).item() == 6
    once = tg.compile(a.once)
    assert once(x).item() == 3
    a.factor = 4.0
    assert once(x).item() == 4


def make_training(seed, momentum=0.9):
    tg.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1, momentum=momentum, weight_decay=0.01)

    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return model, optimizer, step


@pytest.mark.parametrize("threads", [1, 2])
def test_a_training_step_is_the_tapes_to_the_last_bit(executor, threads):
    tg.set_num_threads(threads)
    tapes, tape_optimizer, tape_step = make_training(1)
    graphs, graph_optimizer, step = make_training(1)
    graph_step = tg.compile(step, executor=executor)
    rng = np.random.default_rng(0)
    for i in range(200):
        x = tg.tensor(rng.normal(size=(16, 4)).astype(np.float32))
        y = tg.tensor(rng.integers(0, 3, 16))
        assert tape_step(x, y).item() == graph_step(x, y).item()
        if i == 100:
            for optimizer in (tape_optimizer, graph_optimizer):
                optimizer.param_groups[0]["lr"] = 0.01
    assert graph_step.traces == 1
    for a, b in zip(tapes.parameters(), graphs.parameters()):
        assert a.detach().numpy().tobytes() == b.detach().numpy().tobytes()
    tg.set_num_threads(2)


def test_an_optimisers_plain_numbers_are_watched():
    _, optimizer, step = make_training(2)
    f = tg.compile(step)
    x, y = tg.ones(2, 4), tg.tensor([0, 1])
    f(x, y)
    f(x, y)
    assert f.traces == 1
    optimizer.param_groups[0]["momentum"] = 0.5
    f(x, y)
    assert f.traces == 2
    assert "param_groups[0]['momentum'] was 0.9, is now 0.5" in f.explain()


def test_an_exception_in_a_trace_undoes_everything():
    w = tg.ones(2, requires_grad=True)
    fail = True

    @tg.compile
    def f(x):
        with tg.no_grad():
            w.mul_(2)
        if fail:
            raise KeyError("mine")
        return x * w

    with pytest.raises(KeyError, match="mine"):
        f(tg.ones(2))
    assert w.tolist() == [1, 1] and not (w * 1).is_symbolic
    fail = False
    assert f(tg.ones(2)).tolist() == [2, 2] and w.tolist() == [2, 2]


@pytest.mark.parametrize(
    ("function", "match"),
    [
        (lambda x: x if x.sum() > 0 else -x, "this tensor is a symbol of <lambda>"),
        (lambda x: x * x.sum().item(), r"item \(test_compiled.py:"),
        (lambda x: x.numpy(), r"numpy \(test_compiled.py:\d+\): this tensor of shape"),
        (lambda x: x.tolist(), r"tolist \(test_compiled.py:\d+\): this tensor of shape"),
        (lambda x: x + float(x.sum()), "is a symbol of"),
        (lambda x: x[int(x.sum())], "is a symbol of"),
    ],
)
def test_a_value_that_a_trace_does_not_have_is_an_error(function, match):
    with pytest.raises(RuntimeError, match=match):
        tg.compile(function)(tg.ones(2))


def test_numbers_of_other_tensors_are_not_frozen_silently():
    w = tg.ones(2)
    for read in (lambda: w.numpy(), lambda: w.tolist(), lambda: w.sum().item()):
        with pytest.raises(RuntimeError, match="trace|symbol"):
            tg.compile(lambda x, read=read: [x, read()])(tg.ones(2))


def test_numpy_arguments_are_refused_with_the_way_out():
    with pytest.raises(TypeError) as error:
        tg.compile(lambda x: x)(np.ones(2))
    assert said(error) == (
        "compile: argument 0 is a NumPy array, whose numbers would be frozen into the program; "
        "pass tg.tensor(array)"
    )


def test_a_leaked_symbol_is_an_error_outside():
    kept = []
    tg.compile(lambda x: kept.append(x * 2) or x)(tg.ones(2))
    assert "symbolic" in repr(kept[0])
    for use in (lambda: kept[0] + 1, lambda: kept[0].tolist(), lambda: kept[0].sum().item()):
        with pytest.raises(RuntimeError, match="is a symbol of"):
            use()


def test_a_compiled_function_inside_another_joins_its_lines():
    inner = tg.compile(lambda x: x * 2)
    outer = tg.compile(lambda x: (inner(x) + 1, {"y": inner(x)}))
    a, b = outer(tg.ones(1))
    assert a.item() == 3 and b["y"].item() == 2
    assert inner(tg.ones(1)).item() == 2


def test_programs_can_be_read():
    f = tg.compile(lambda x: (x * 2).exp().sum())
    with pytest.raises(RuntimeError, match="has not been traced yet"):
        f.program()
    f(tg.ones(3))
    assert "exp" in f.program(improved=False).text()
    assert f.program(improved=False) == tg.parse_program(f.program(improved=False).text())
    f.clear()
    assert f.traces == 0 and f(tg.ones(3)).item() > 22


def test_a_compiled_function_and_what_it_captured_can_die():
    w = tg.ones(3)
    f = tg.compile(lambda x: x * w)
    f(tg.ones(3))
    alive = weakref.ref(f)
    del f
    gc.collect()
    assert alive() is None


def test_lockstep_compares_line_by_line():
    w = tg.ones(3, requires_grad=True)
    result = tg.lockstep(lambda x: (x * w).exp().sum(), tg.ones(3))
    assert result.equal and result.lines >= 3
    assert "exp" in str(result) and "equal" in str(result)


def test_what_is_compiled_must_be_callable():
    with pytest.raises(TypeError) as error:
        tg.compile(3)
    assert said(error) == "compile: a function is compiled, not int"
    with pytest.raises(ValueError):
        tg.compile(lambda x: x, executor="fast")


def test_an_output_that_is_not_used_adds_nothing():
    """Its gradient is absent, as on the tape, and no zeros that inf would turn into NaN."""

    def several(w, v):
        return w * 2, (w * v).exp(), 1 / (w - w), (v * v).sum()

    fast = tg.compile(several)
    for used in ([0], [1], [0, 1], [3], [0, 3], [0, 1, 3], [2, 3]):
        found = []
        for f in (several, fast):
            w = tg.tensor([1.0, -0.0, 3.0], requires_grad=True)
            v = tg.tensor([0.5, 2.0, 1.0], requires_grad=True)
            outputs = f(w, v)
            total = sum((outputs[k].sum() for k in used), tg.tensor(0.0))
            first = tg.autograd.grad(total, [w, v], create_graph=True, allow_unused=True)
            wanted = [g.sum() for g in first if g is not None and g.requires_grad]
            second = tg.autograd.grad(sum(wanted), [w, v], allow_unused=True) if wanted else ()
            found.append([None if g is None else g.detach().numpy().tobytes()
                          for g in (*first, *second)])  # fmt: skip
            w.grad = v.grad = None
            outputs = f(w, v)
            sum((outputs[k].sum() for k in used), tg.tensor(0.0)).backward()
            found[-1] += [None if x.grad is None else x.grad.numpy().tobytes() for x in (w, v)]
        assert found[0] == found[1], used


def test_where_a_compiled_call_is_not_the_tape():
    """What lesson 4 says of it."""
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    product = tg.compile(lambda w, v: (w * v).sum())
    v = tg.tensor([3.0, 4.0])
    loss = product(w, v)
    v.add_(1)
    loss.backward()  # it kept what it needs
    assert w.grad.tolist() == [3, 4]

    two = tg.compile(lambda w: (w * 2, w * w))
    a, b = two(w)
    a.sum().backward()
    with pytest.raises(RuntimeError, match="retain_graph"):
        b.sum().backward()  # one node, freed as one

    named, seen = tg.ones(2), []
    tg.compile(lambda x: seen.append(x is named) or x + named)(named)
    assert seen == [False]

    p = tg.nn.Parameter(tg.ones(2))
    tg.compile(lambda x: seen.append(isinstance(x, tg.nn.Parameter)) or x * 1)(p)
    x = tg.ones(2)
    tg.compile(lambda x, i: x[i])(x, tg.tensor(0)).add_(1)
    assert seen == [False, False] and x.tolist() == [1, 1]

    layer = tg.nn.Linear(2, 2)
    through = tg.compile(lambda x: layer(x))
    before = through(x)
    layer.forward = lambda x: x * 0
    assert through(x).tolist() == before.tolist()
    through.clear()
    assert through(x).tolist() == [0, 0]

    wrong = tg.tensor([5])
    tg.compile(lambda x: (x[wrong], x.sum())[1])(tg.ones(2))  # nobody sees x[wrong]
    with pytest.raises(IndexError):
        tg.compile(lambda x: x[wrong])(tg.ones(2))

    lines, table = [], tg.zeros(4)
    tg.compile(lambda row: lines.append(1) or row + table.sum())(table[1:3])
    assert len(lines) == 2  # traced again: the first time showed that the two share memory


def test_a_gradient_from_before_may_be_written_in_place(executor):
    """As optimizer.zero_grad(set_to_none=False) does, or clip_grad_norm_, compiled by itself."""
    found = []
    for compiled in (False, True):
        w = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        w.grad = given = tg.tensor([[5.0, 6.0], [7.0, 8.0]]).t()

        def step(w=w):
            with tg.no_grad():
                w.grad[0].mul_(0.5)
                w.sub_(w.grad)
                w.grad.add_(1)

        def zero(w=w):
            w.grad.zero_()

        def of_argument(x):
            x.grad.fill_(3)

        same = tg.lockstep(step, executor=executor)
        assert same.equal, same.text
        assert given.tolist() == [[5, 7], [6, 8]]
        if compiled:
            step, zero, of_argument = (
                tg.compile(f, executor=executor) for f in (step, zero, of_argument)
            )
        for f in (step, step, zero, lambda w=w, f=of_argument: f(w), step):
            f()
            found.append((w.tolist(), w.grad.tolist(), given.tolist()))
    assert found[:5] == found[5:]
    assert found[2][2] == [[0, 0], [0, 0]]  # it is still the tensor that was given


def test_a_leaf_among_the_arguments_is_trained():
    def step(w, x):
        ((w * x) ** 2).sum().backward()
        assert w.is_leaf and w.grad is not None
        with tg.no_grad():
            w.sub_(w.grad * 0.1)
        w.grad = None

    found = []
    for f in (step, tg.compile(step)):
        for w in (
            tg.ones(3, requires_grad=True),
            tg.ones(3, 2).t().requires_grad_(),
            tg.ones(4)[1:3].requires_grad_(),
        ):
            for _ in range(3):
                f(w, tg.ones(1))
            found.append(w.tolist())
    assert found[:3] == found[3:] and found[0] == pytest.approx([0.512] * 3)


def test_what_cannot_be_taken_apart_is_refused():
    class Pair:
        def __init__(self, x):
            self.x = x

    with pytest.raises(TypeError, match="the result holds 'Pair'"):
        tg.compile(lambda x: Pair(x * 2))(tg.ones(2))
    with pytest.raises(TypeError, match="changes a list or dict among its arguments"):
        tg.compile(lambda x, kept: kept.append(x * 2))(tg.ones(2), [])
    with pytest.raises(TypeError, match="changes a list or dict among its arguments"):
        tg.compile(lambda d: d.update(y=d["x"] * 2))({"x": tg.ones(2)})
    compiled = tg.compile(lambda x: x)
    with pytest.raises(TypeError, match="compile it again"):
        copy.copy(compiled)


def test_an_object_that_is_called_is_looked_into():
    class Scale:
        k = 2.0

        def __call__(self, x):
            return x * self.k

    scale = Scale()
    for f in (tg.compile(scale), tg.compile(functools.partial(lambda s, x: x * s.k, scale))):
        scale.k = 2.0
        assert f(tg.ones(1)).tolist() == [2]
        scale.k = 3.0
        assert f(tg.ones(1)).tolist() == [3]


def test_a_trace_that_runs_outlives_clear():
    f = tg.compile(lambda x: x.exp().sum())
    x = tg.ones(1 << 18)
    f(x)
    thread = threading.Thread(target=lambda: [f.clear() for _ in range(300)])
    thread.start()
    for _ in range(30):
        f(x)
    thread.join()


def test_a_step_is_not_begun_in_the_middle_of_itself():
    w = tg.zeros(1)

    @tg.compile
    def step(x):
        s = x.exp().sum()
        w.add_(1)
        return s

    step(tg.ones(1 << 22))
    errors = []

    def handler(*_):
        try:
            step(tg.ones(1 << 22))
        except RuntimeError as error:
            errors.append(str(error))

    before = signal.signal(signal.SIGALRM, handler)
    try:
        for _ in range(200):
            signal.setitimer(signal.ITIMER_REAL, 0.002)
            step(tg.ones(1 << 22))
            if errors:
                break
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert all("in the middle of a step" in text for text in errors)


RATE = np.float64(1)


class Settings:
    rate = 1.0


def test_other_objects_behind_a_name_are_noticed():
    global RATE
    by_global = tg.compile(lambda x: x * float(RATE))
    by_class = tg.compile(lambda x: x * Settings.rate)
    kept = {"rate": 1.0}
    by_closure = tg.compile(lambda x: x * kept["rate"])
    assert [f(tg.ones(1)).item() for f in (by_global, by_class, by_closure)] == [1, 1, 1]
    RATE, Settings.rate, kept = np.float64(9), 9.0, {"rate": 9.0}
    assert [f(tg.ones(1)).item() for f in (by_global, by_class, by_closure)] == [9, 9, 9]
    RATE, Settings.rate = np.float64(1), 1.0


class Rates:
    def __init__(self, lr):
        self.lr = lr

    @property
    def doubled(self):
        return self.lr * 2

    def __mul__(self, x):
        return x * self.lr


def by_an_alias(x, c):
    k = c
    return x * k.lr


def by_a_helpers_parameter(x, c):
    def rate(settings):
        return settings.lr

    return x * rate(c)


def by_a_loop(x, c):
    for k in [c]:
        x = x * k.lr
    return x


def by_getattr(x, c):
    return x * getattr(c, "lr")  # noqa: B009


def by_vars(x, c):
    return x * vars(c)["lr"]


def by_a_property_of_an_alias(x, c):
    k = c
    return x * k.doubled / 2


def by_an_operator(x, c):
    return c * x


def by_keywords(x, **k):
    return x * k["c"].lr


def by_a_rest(x, *rest):
    return x * rest[0].lr


def by_a_keyword_with_a_default(x, *, c=None):
    k = c or config
    return x * k.lr


@pytest.mark.parametrize(
    "function",
    [by_an_alias, by_a_helpers_parameter, by_a_loop, by_getattr, by_vars, by_an_operator,
     by_a_property_of_an_alias, by_keywords, by_a_rest, by_a_keyword_with_a_default],
)  # fmt: skip
def test_an_attribute_is_watched_whatever_name_its_object_has(function):
    c, x = Rates(2.0), tg.ones(1)
    by_name = function in (by_keywords, by_a_keyword_with_a_default)
    f = tg.compile(function)
    call = (lambda: f(x, c=c)) if by_name else (lambda: f(x, c))
    assert [call().item(), call().item(), f.traces] == [2, 2, 1]
    c.lr = 5.0
    assert [call().item(), call().item(), f.traces] == [5, 5, 2]
    assert "lr was 2.0, is now 5.0 (test_compiled.py:" in f.trace_records()[-1]["why"]
    c.unused = 1
    assert [call().item(), f.traces] == [5, 2]


def test_objects_in_lists_and_other_holders_are_looked_into():
    c, x = Rates(2.0), tg.ones(1)
    held = {"first": [c]}
    space = types.SimpleNamespace(c=c)

    def default(x, rates=c):
        return x * rates.lr

    functions = [
        lambda x: x * held["first"][0].lr,
        lambda x: x * sum(k.lr for k in held["first"]),
        lambda x: x * space.c.lr,
        default,
        functools.partial(lambda c, x: x * c.lr, c),
        functools.partial(lambda x, c: x * c.lr, c=c),
    ]
    compiled = [tg.compile(f) for f in functions]
    nested = tg.compile(lambda x, cs: x * cs[0]["c"].lr)
    assert [f(x).item() for f in compiled] == [2] * 6 and nested(x, [{"c": c}]).item() == 2
    c.lr = 3.0
    assert [f(x).item() for f in compiled] == [3] * 6 and nested(x, [{"c": c}]).item() == 3


def test_a_method_of_an_object_takes_objects_too():
    class Net:
        scale = 1.0

        def step(self, x, c):
            k = c
            return x * k.lr * self.scale

    net, c = Net(), Rates(2.0)
    f = tg.compile(net.step)
    assert f(tg.ones(1), c).item() == 2
    c.lr = 3.0
    assert f(tg.ones(1), c).item() == 3
    net.scale = 2.0
    assert f(tg.ones(1), c).item() == 6


def test_a_module_that_is_imported_inside_is_watched(tmp_path, monkeypatch):
    (tmp_path / "rates_of_a_test.py").write_text("lr = 2.0\nwd = 1.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    import rates_of_a_test

    def by_module(x):
        import rates_of_a_test as r

        return x * r.lr

    def by_name(x):
        from rates_of_a_test import wd, lr  # noqa: I001

        return x * lr * wd

    f, g, x = tg.compile(by_module), tg.compile(by_name), tg.ones(1)
    assert f(x).item() == g(x).item() == 2
    rates_of_a_test.lr = 3.0
    assert f(x).item() == g(x).item() == 3


def test_a_global_asked_for_by_its_name_is_watched():
    global lr
    f = tg.compile(lambda x: x * globals()["lr"])
    x = tg.ones(1, dtype=tg.float64)
    assert f(x).item() == 0.1
    lr = 5.0
    try:
        assert f(x).item() == 5.0 and f.traces == 2
    finally:
        lr = 0.1
    assert re.search(r"globals\(\) \(test_compiled.py:\d+\): what it finds", f.explain())


def test_what_is_in_a_container_is_watched():
    kept = {"rates": [1.0, 2.0], "names": ("a", [3.0])}
    weights = [tg.ones(1), tg.full((1,), 2.0)]
    chosen, few = {1, 2}, np.array([1.0, 2.0])
    f = tg.compile(
        lambda x: x * kept["rates"][0] * kept["names"][1][0] * weights[1] * len(chosen) * few.sum()
    )
    x = tg.ones(1)

    def value():
        first = f(x).item()
        traces = f.traces
        assert f(x).item() == first and f.traces == traces
        return first

    assert value() == 1 * 3 * 2 * 2 * 3
    kept["rates"][0] = 5.0
    assert value() == 5 * 3 * 2 * 2 * 3
    assert "kept['rates'][0] was 1.0, is now 5.0" in f.trace_records()[-1]["why"]
    kept["names"][1][0] = 1.0
    assert value() == 5 * 1 * 2 * 2 * 3
    weights[1] = tg.ones(1)
    assert value() == 5 * 1 * 1 * 2 * 3
    chosen.add(3)
    assert value() == 5 * 1 * 1 * 3 * 3
    few[0] = 8.0
    assert value() == 5 * 1 * 1 * 3 * 10
    kept["rates"].append(1.0)
    assert value() == 5 * 1 * 1 * 3 * 10
    assert "the length of closure variable kept['rates'] was 2, is now 3" in f.explain()
    traces = f.traces
    kept["rates"] = [5.0, 2.0, 1.0]
    assert value() == 5 * 1 * 1 * 3 * 10 and f.traces == traces  # equal, so the same trace


def test_what_is_only_written_or_counted_asks_for_no_new_trace():
    seen, kept, calls = [], {"calls": 0}, [0]

    class Counter:
        calls = 0

        def step(self, x):
            self.calls += 1
            seen.append(len(x.shape))
            kept["last"] = 1
            kept["calls"] += 1
            calls[0] += 1
            return x * 2

    counter = Counter()
    g = tg.compile(counter.step)
    assert [g(tg.ones(1)).item() for _ in range(3)] == [2, 2, 2]
    assert g.traces == counter.calls == calls[0] == kept["calls"] == 1 and seen == [1]

    def f(x):
        calls[0] += 1
        return x * calls[0]

    g = tg.compile(f)
    assert [g(tg.ones(1)).item() for _ in range(3)] == [2, 3, 4]  # read too


def draws_by_a_library(x):
    return x * sorted(random.sample([1.0, 1.0], 1))[0]


@pytest.mark.parametrize(
    ("function", "call", "kept"),
    [
        (lambda x: x * random.random(), "random.random", "number"),
        (lambda x: x * np.random.rand(), "np.random.rand", "number"),
        (lambda x, r=random.Random(0): x * r.gauss(0, 1), "r.gauss", "number"),  # noqa: B008
        (lambda x: x * time.time(), "time.time", "time"),
        (lambda x: x * time.perf_counter(), "time.perf_counter", "time"),
        (draws_by_a_library, "random.sample", "number"),
    ],
)
def test_a_number_drawn_while_tracing_is_warned_of(function, call, kept):
    f = tg.compile(function)
    instead = {"number": "draw with tg.rand or tg.randn, or pass a tensor of it",
               "time": "take it outside"}  # fmt: skip
    with pytest.warns(UserWarning) as warned:
        first = f(tg.ones(1)).item()
    assert [re.sub(r" \(test_compiled.py:\d+\)", "", str(w.message)) for w in warned] == [
        f"compile: {call} is called while {function.__name__} is traced, and its {kept} is kept "
        f"for all later calls; {instead[kept]}"
    ]
    line = function.__code__.co_firstlineno
    assert warned[0].filename == __file__ and line <= warned[0].lineno <= line + 1
    assert re.search(rf"the {kept} of {call} \(test_compiled.py:\d+\)", f.explain())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert f(tg.ones(1)).item() == first
        assert f(tg.ones(2)).tolist() is not None  # warned of once


def test_draws_that_no_name_shows_are_warned_of():
    draw = {"it": [random.random]}
    f = tg.compile(lambda x: x * draw["it"][0]())
    with pytest.warns(UserWarning, match="something that <lambda> calls draws random numbers"):
        f(tg.ones(1))
    random.seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tg.compile(lambda x: x * tg.rand(1))(tg.ones(1))


def test_an_empty_tuple_may_stand_in_the_code():
    compiled = tg.compile(lambda x: x.sum() if x.shape == () else x * 2)
    assert compiled(tg.ones(2)).tolist() == [2, 2]
    assert compiled(tg.tensor(3.0)).item() == 3


def test_another_body_in_the_same_function_is_traced():
    """IPython's autoreload brings an edited file in by f.__code__ = edited.__code__."""

    def called(x, k=2, *, m=1):
        return x * k * m

    def body(x):
        return called(x)

    def edited(x):
        return called(x) + 100

    f, x = tg.compile(body), tg.ones(1)
    first = called.__code__
    assert f(x).item() == 2
    called.__code__ = (lambda x, k=2, *, m=1: x - k).__code__
    assert f(x).item() == -1
    assert "called.__code__ is another code than before (test_compiled.py:" in f.explain()
    called.__code__ = first
    assert f(x).item() == 2 and f.traces == 2
    called.__defaults__ = (5,)
    assert f(x).item() == 5
    assert "called.__defaults__ was (2,), is now (5,)" in f.explain()
    called.__kwdefaults__ = {"m": 3}
    assert f(x).item() == 15
    called.__kwdefaults__["m"] = 4
    assert f(x).item() == 20
    assert "called.__kwdefaults__['m'] was 3, is now 4" in f.explain()
    body.__code__ = edited.__code__
    assert f(x).item() == 120
    assert [f(x).item(), f.traces] == [120, 6]


def test_another_body_of_a_method_is_traced():
    class Net(nn.Module):
        def forward(self, x):
            return self.scaled(x) + 1

        def scaled(self, x):
            return x * 2

    f, x = tg.compile(Net()), tg.ones(1)
    assert f(x).item() == 3
    Net.scaled.__code__ = (lambda self, x: x * 7).__code__
    assert f(x).item() == 8
    Net.forward.__code__ = (lambda self, x: x - 1).__code__
    assert f(x).item() == 0
    assert f.traces == 3
