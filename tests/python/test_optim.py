"""SGD by hand, and what all optimisers have: numbers as tensors, groups, state, errors."""

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
    ],
)  # fmt: skip
def test_what_an_optimiser_cannot_take(make, kind, text):
    with pytest.raises(kind) as error:
        make(tg.ones(1, requires_grad=True))
    assert said(error) == text


def test_printing_an_optimiser():
    optimizer = tg.optim.SGD([tg.ones(1, requires_grad=True)], lr=0.1)
    assert repr(optimizer) == (
        "SGD(\n  group 0: lr=0.1, momentum=0.0, dampening=0.0, weight_decay=0.0, "
        "nesterov=False, maximize=False\n)"
    )
