"""SGD by hand, and what all optimisers have: numbers as tensors, groups, state, errors."""

import copy
import pickle
import re

import numpy as np
import pytest
import tapegraph as tg
from errors import said


def reference(w, gradients, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """PyTorch's update in float32, operation by operation."""
    w = np.array(w, dtype=np.float32)
    f = np.float32
    buffer = None
    for g in gradients:
        d = np.array(g, dtype=np.float32)
        if weight_decay:
            d = d + w * f(weight_decay)
        if momentum:
            buffer = d if buffer is None else buffer * f(momentum) + d
            d = d + buffer * f(momentum) if nesterov else buffer
        w = w - d * f(lr)
    return w


@pytest.mark.parametrize(
    "options",
    [
        {"lr": 0.1},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01},
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01, "nesterov": True},
    ],
)
def test_sgd_is_the_reference_to_the_last_bit(options):
    rng = np.random.default_rng(0)
    start = rng.normal(size=5)
    gradients = rng.normal(size=(20, 5)).astype(np.float32)
    w = tg.tensor(start, dtype=tg.float32, requires_grad=True)
    optimizer = tg.optim.SGD([w], **options)
    for g in gradients:
        w.grad = tg.tensor(g)
        optimizer.step()
    want = reference(start, gradients, **options)
    assert w.detach().numpy().tobytes() == want.tobytes()


def test_a_parameter_without_a_gradient_stays():
    w, v = tg.ones(2, requires_grad=True), tg.ones(2, requires_grad=True)
    optimizer = tg.optim.SGD([w, v], lr=0.5)
    w.sum().backward()
    optimizer.step()
    assert w.tolist() == [0.5, 0.5] and v.tolist() == [1, 1]
    assert w.is_leaf and w.requires_grad
    optimizer.zero_grad()
    assert w.grad is None
    w.sum().backward()
    optimizer.zero_grad(set_to_none=False)
    assert w.grad.tolist() == [0, 0]


def test_the_learning_rate_can_be_set_and_is_a_tensor_inside():
    w = tg.ones(1, requires_grad=True)
    optimizer = tg.optim.SGD([w], lr=0.5)
    assert optimizer.param_groups[0]["lr"] == 0.5
    tensor = optimizer.param_groups[0].tensors["lr"]
    optimizer.param_groups[0]["lr"] = 0.25
    optimizer.param_groups[0]["lr"] *= 2
    for group in optimizer.param_groups:
        group.update(lr=0.125)
    assert tensor.item() == 0.125 and optimizer.param_groups[0]["lr"] == 0.125
    w.sum().backward()
    optimizer.step()
    assert w.tolist() == [0.875]


def test_groups_have_numbers_of_their_own():
    a, b = tg.ones(1, requires_grad=True), tg.ones(1, requires_grad=True)
    optimizer = tg.optim.SGD([{"params": [a]}, {"params": b, "lr": 1.0}], lr=0.5)
    (a + b).sum().backward()
    optimizer.step()
    assert a.tolist() == [0.5] and b.tolist() == [0]


def test_state_dicts_resume_to_the_last_bit():
    def make():
        tg.manual_seed(3)
        model = tg.nn.Linear(3, 2)
        return model, tg.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    def train(model, optimizer, steps):
        for _ in range(steps):
            optimizer.zero_grad()
            (model(tg.ones(2, 3)) ** 2).sum().backward()
            optimizer.step()

    a, oa = make()
    train(a, oa, 5)
    b, ob = make()
    b.load_state_dict(a.state_dict())
    saved = oa.state_dict()
    assert saved["param_groups"][0]["params"] == [0, 1]
    ob.load_state_dict(saved)
    train(a, oa, 5)
    train(b, ob, 5)
    assert a.weight.tolist() == b.weight.tolist()
    with pytest.raises(ValueError, match="do not fit"):
        ob.load_state_dict({"state": {}, "param_groups": []})


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (lambda w: tg.optim.SGD([w], lr=-1), ValueError,
         "SGD: lr must not be negative, and is -1"),
        (lambda w: tg.optim.SGD([], lr=1), ValueError,
         "SGD: there is no parameter to optimise"),
        (lambda w: tg.optim.SGD(w, lr=1), TypeError,
         "SGD: params must be several parameters, not one tensor; write [w]"),
        (lambda w: tg.optim.SGD([w, w], lr=1), ValueError, "SGD: a parameter is given twice"),
        (lambda w: tg.optim.SGD([3], lr=1), TypeError,
         "SGD: a parameter is a tensor, not int"),
        (lambda w: tg.optim.SGD([w], lr=1, nesterov=True), ValueError,
         "SGD: nesterov needs a momentum above 0"),
        (lambda w: tg.optim.SGD([w], 1, 0.9, 0.5, nesterov=True), ValueError,
         "SGD: nesterov needs a dampening of 0, and it is 0.5"),
        (lambda w: tg.optim.SGD({w}), TypeError,
         "SGD: a set of parameters has no order; give a list"),
        (lambda w: tg.optim.SGD([{"params": {w}}]), TypeError,
         "SGD: a set of parameters has no order; give a list"),
        (lambda w: tg.optim.SGD([w]).add_param_group([w]), TypeError,
         "SGD: a group of parameters is a dict, not list"),
        (lambda w: tg.optim.SGD([w]).add_param_group({"params": w}), ValueError,
         "SGD: a parameter is given twice"),
        (lambda w: tg.optim.Adam([w * 2]), ValueError,
         "Adam: only a leaf can be optimised; this is the result of <mul>"),
        (lambda w: tg.optim.Adam([w], betas=(0.9, 1.0)), ValueError,
         "Adam: betas[1] must be in [0, 1), and is 1.0"),
        (lambda w: tg.optim.AdamW([w], betas=(-0.5, 0.9)), ValueError,
         "AdamW: betas[0] must be in [0, 1), and is -0.5"),
        (lambda w: tg.optim.AdamW([w], eps=-1.0), ValueError,
         "AdamW: eps must not be negative, and is -1.0"),
        (lambda w: tg.optim.Adam([w], weight_decay=float("nan")), ValueError,
         "Adam: weight_decay must not be negative, and is nan"),
        (lambda w: tg.optim.RMSprop([w], alpha=-1), ValueError,
         "RMSprop: alpha must not be negative, and is -1"),
        (lambda w: tg.optim.Adagrad([w], initial_accumulator_value=-1), ValueError,
         "Adagrad: initial_accumulator_value must not be negative, and is -1"),
    ],
)  # fmt: skip
def test_what_an_optimiser_cannot_take(make, kind, text):
    with pytest.raises(kind) as error:
        make(tg.ones(1, requires_grad=True))
    assert re.sub(r" \(\w+\.py:\d+\)", "", str(error.value)) == text


def test_printing_an_optimiser():
    optimizer = tg.optim.SGD([tg.ones(1, requires_grad=True)], lr=0.1)
    assert repr(optimizer) == (
        "SGD(\n  group 0: lr=0.1, momentum=0.0, dampening=0.0, weight_decay=0.0, "
        "nesterov=False, maximize=False, fused=None\n)"
    )


# ---- all of them --------------------------------------------------------------------------------

KINDS = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {"weight_decay": 0.1}),
    ("Adam", {"amsgrad": True}),
    ("AdamW", {"weight_decay": 0.1, "maximize": True}),
    ("RMSprop", {"weight_decay": 0.1}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
    ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.5}),
]


def make(name, options):
    """A small network, and a function that trains it some steps."""
    tg.manual_seed(3)
    model = tg.nn.Sequential(tg.nn.Linear(3, 4), tg.nn.Tanh(), tg.nn.Linear(4, 2))
    optimizer = getattr(tg.optim, name)(model.parameters(), lr=0.05, **options)
    x = tg.rand(5, 3)

    def train(steps):
        for _ in range(steps):
            optimizer.zero_grad()
            (model(x) ** 2).sum().backward()
            optimizer.step()

    return model, optimizer, train


def bits(model):
    return b"".join(p.detach().numpy().tobytes() for p in model.parameters())


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_training_goes_on_from_a_state_dict_to_the_last_bit(name, options):
    a, oa, train_a = make(name, options)
    train_a(5)
    weights, saved = copy.deepcopy(a.state_dict()), pickle.loads(pickle.dumps(oa.state_dict()))
    train_a(5)
    for stepped in (0, 3):  # a fresh optimiser, and one with state to forget
        b, ob, train_b = make(name, {})
        train_b(stepped)
        tensors = {id(v) for values in ob.state.values() for v in values.values()}
        b.load_state_dict(weights)
        ob.load_state_dict(saved)
        assert tensors <= {id(v) for values in ob.state.values() for v in values.values()}
        train_b(5)
        assert bits(a) == bits(b)
        assert repr(oa) == repr(ob)


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_an_optimiser_that_loads_an_empty_state_starts_anew(name, options):
    a, oa, train_a = make(name, options)
    b, ob, train_b = make(name, options)
    weights = copy.deepcopy(a.state_dict())
    train_a(4)
    a.load_state_dict(weights)
    oa.load_state_dict({**oa.state_dict(), "state": {}})
    train_a(4)
    train_b(4)
    assert bits(a) == bits(b)


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_optimisers_can_be_copied_with_their_model(name, options):
    model, optimizer, train = make(name, options)
    train(3)
    for twin_of in (copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))):
        twin, other = twin_of((model, optimizer))
        for m, o in ((twin, other), (model, optimizer)):
            for p in m.parameters():
                p.grad = tg.ones_like(p)
            o.step()
        assert bits(twin) == bits(model)


def test_the_names_in_a_state_are_pytorchs():
    names = {
        "SGD": {"momentum": 0.9},
        "Adam": {"amsgrad": True},
        "RMSprop": {"momentum": 0.9, "centered": True},
        "Adagrad": {},
    }
    found = {
        name: {k: v.shape for k, v in make(name, o)[1].state_dict()["state"][0].items()}
        for name, o in names.items()
    }
    assert found == {
        "SGD": {"momentum_buffer": (4, 3)},
        "Adam": {"step": (), "exp_avg": (4, 3), "exp_avg_sq": (4, 3), "max_exp_avg_sq": (4, 3)},
        "RMSprop": {
            "step": (), "square_avg": (4, 3), "momentum_buffer": (4, 3), "grad_avg": (4, 3),
        },
        "Adagrad": {"step": (), "sum": (4, 3)},
    }  # fmt: skip
    _, optimizer, train = make("Adam", {})
    train(3)
    assert [s["step"].item() for s in optimizer.state_dict()["state"].values()] == [3, 3, 3, 3]


class Foreign:
    """A tensor of someone else's, of which NumPy makes an array."""

    def __init__(self, values):
        self.array = np.array(values)

    def __array__(self, dtype=None, copy=None):
        return self.array


def test_a_state_of_pytorchs_sgd_has_its_first_step_behind_it():
    w = tg.zeros(1, requires_grad=True)
    optimizer = tg.optim.SGD([w], lr=1.0, momentum=0.5, dampening=0.5)
    group = {"lr": 1.0, "momentum": 0.5, "dampening": 0.5, "params": [0]}
    optimizer.load_state_dict(
        {"state": {0: {"momentum_buffer": Foreign([4.0])}}, "param_groups": [group]}
    )
    w.grad = tg.ones(1)
    optimizer.step()
    assert w.tolist() == [-2.5]  # 0.5 * 4 + 0.5 * 1
    optimizer.load_state_dict({"state": {0: {"momentum_buffer": None}}, "param_groups": [group]})
    optimizer.step()
    assert w.tolist() == [-3.5]


def test_state_that_does_not_fit_changes_nothing():
    _, optimizer, train = make("Adam", {})
    train(1)
    before = repr(optimizer)
    saved = optimizer.state_dict()
    saved["param_groups"][0]["lr"] = 9.0
    saved["state"][2] = {**saved["state"][2], "exp_avg": tg.zeros(2)}
    with pytest.raises(ValueError) as error:
        optimizer.load_state_dict(saved)
    assert said(error) == (
        "load_state_dict: exp_avg of parameter 2 is (2,), and the parameter is (2, 4)"
    )
    assert repr(optimizer) == before


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_two_groups_are_two_optimisers(name, options):
    def leaf(value):
        return tg.tensor([value, -value], requires_grad=True)

    kind = getattr(tg.optim, name)
    a, b, c, d = leaf(1.0), leaf(2.0), leaf(1.0), leaf(2.0)
    both = kind([{"params": [a], "lr": 0.3}], lr=0.1, **options)
    both.add_param_group({"params": b, "weight_decay": 0.5})
    apart = [kind([c], lr=0.3, **options), kind([d], **{**options, "lr": 0.1, "weight_decay": 0.5})]
    for i in range(4):
        for p in (a, b, c, d):
            p.grad = tg.tensor([1.0, 0.5 * i])
        both.step()
        for optimizer in apart:
            optimizer.step()
    assert a.tolist() == c.tolist() and b.tolist() == d.tolist()


def test_a_closure_is_called_with_gradients_recorded():
    w = tg.ones(1, requires_grad=True)
    optimizer = tg.optim.Adam([w], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with tg.no_grad():
        assert optimizer.step(closure).item() == 1
    assert w.item() == pytest.approx(0.5)


def test_a_momentum_that_was_0_gets_its_buffer():
    for kind in (tg.optim.SGD, tg.optim.RMSprop):
        w, v = tg.ones(1, requires_grad=True), tg.ones(1, requires_grad=True)
        late, early = kind([w], lr=0.1), kind([v], lr=0.1, momentum=0.9)
        late.param_groups[0]["momentum"] = 0.9
        for _ in range(3):
            w.grad, v.grad = tg.ones(1), tg.ones(1)
            late.step()
            early.step()
        assert w.item() == v.item() < 0.5


def test_parameters_of_no_dims_and_of_no_elements_are_stepped():
    for name, options in KINDS:
        w, none = tg.tensor(1.0, requires_grad=True), tg.zeros(0, requires_grad=True)
        optimizer = getattr(tg.optim, name)([w, none], lr=0.1, **options)
        w.grad, none.grad = tg.tensor(1.0), tg.zeros(0)
        optimizer.step()
        assert w.dtype == tg.float32 and w.shape == () and w.item() != 1


def test_an_optimiser_of_ones_own_writes_update():
    class Sign(tg.optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": 0.5})

        def update(self, param, g, group):
            param.sub_(g.sign() * group["lr"])

    w = tg.ones(2, requires_grad=True)
    w.grad = tg.tensor([3.0, -3.0])
    Sign([w]).step()
    assert w.tolist() == [0.5, 1.5]
    with pytest.raises(NotImplementedError) as error:
        tg.optim.Optimizer([w], {}).step()
    assert said(error) == "Optimizer: write an update function for it"


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_optimisers_take_the_ways_of_pytorch(name):
    make = getattr(tg.optim, name)

    def weights():
        w = tg.ones(2, requires_grad=True)
        w.grad = tg.tensor([0.5, -1.0])
        return w

    plain, other = weights(), weights()
    make([plain], lr=0.1).step()
    make([other], lr=0.1, foreach=True).step()
    assert other.tolist() == plain.tolist() != [1, 1]
    with pytest.raises(RuntimeError, match=f"{name}: give either fused or foreach, not both"):
        make([other], foreach=True, fused=True)
    with pytest.raises(NotImplementedError, match=f"{name}: a step goes on no tape"):
        make([other], differentiable=True)


def test_betas_are_two_numbers():
    w = tg.ones(1, requires_grad=True)
    for betas in ({}, 0.9, (0.9,)):
        with pytest.raises(TypeError, match="betas must be two numbers, and is"):
            tg.optim.Adam([w], 0.1, betas)


@pytest.mark.parametrize("compiled", [False, True])
def test_hooks_run_before_and_after_a_step(compiled):
    w = tg.ones(2, requires_grad=True)
    optimizer = tg.optim.SGD([w], 0.5)
    seen = []
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append((o, "before")))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append((o, "after")))

    def step():
        optimizer.zero_grad()
        w.sum().backward()
        optimizer.step()

    (tg.compile(step) if compiled else step)()
    assert seen == [(optimizer, "before"), (optimizer, "after")] and w.tolist() == [0.5, 0.5]
    before.remove()
    step()
    assert len(seen) == 3

    called = []
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((lambda: called.append(1),), {}))
    optimizer.step()
    assert called == [1]
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError, match="a hook before it returned int, and neither None"):
        optimizer.step()
