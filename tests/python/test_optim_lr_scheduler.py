"""Schedules by their formulas, from a state, and their errors; PyTorch's values are recorded."""

import math
import pickle

import pytest
import tapegraph as tg
from errors import said
from tapegraph.optim import lr_scheduler as s


def sgd(**options):
    return tg.optim.SGD([tg.ones(1, requires_grad=True)], lr=1.0, **options)


class Decay:
    def __init__(self):
        self.base = 0.5

    def __call__(self, t):
        return self.base**t


SCHEDULES = {
    "LambdaLR": lambda o: s.LambdaLR(o, Decay()),
    "StepLR": lambda o: s.StepLR(o, 3),
    "MultiStepLR": lambda o: s.MultiStepLR(o, [2, 7]),
    "ExponentialLR": lambda o: s.ExponentialLR(o, 0.9),
    "LinearLR": lambda o: s.LinearLR(o, total_iters=8),
    "CosineAnnealingLR": lambda o: s.CosineAnnealingLR(o, 10),
    "OneCycleLR": lambda o: s.OneCycleLR(o, 1.0, 12),
    "SequentialLR": lambda o: s.SequentialLR(
        o, [s.LinearLR(o), s.SequentialLR(o, [s.StepLR(o, 1), s.ExponentialLR(o, 0.9)], [2])], [4]
    ),
    "ReduceLROnPlateau": lambda o: s.ReduceLROnPlateau(o, patience=1),
}


def step(scheduler):
    if isinstance(scheduler, s.ReduceLROnPlateau):
        scheduler.step(1.0)
    else:
        scheduler.step()


def run(optimizer, scheduler, steps):
    rates = []
    for _ in range(steps):
        step(scheduler)
        group = optimizer.param_groups[0]
        assert scheduler.get_last_lr() == [group["lr"]] == [group.tensors["lr"].item()]
        rates.append((group["lr"], group["momentum"]))
    return rates


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_goes_on_from_its_state(name):
    a = sgd(momentum=0.9)
    schedule = SCHEDULES[name](a)
    run(a, schedule, 5)
    saved = pickle.loads(pickle.dumps((a.state_dict(), schedule.state_dict())))
    assert "optimizer" not in saved[1] and saved[1]["last_epoch"] == 5
    b = sgd(momentum=0.9)
    other = SCHEDULES[name](b)
    b.load_state_dict(saved[0])
    other.load_state_dict(saved[1])
    assert other.get_last_lr() == schedule.get_last_lr()
    assert run(a, schedule, 5) == run(b, other, 5)


def test_a_lambdas_state_is_its_objects_attributes():
    schedule = s.LambdaLR(sgd(), Decay())
    assert schedule.state_dict()["lr_lambdas"] == [{"base": 0.5}]
    state = {**schedule.state_dict(), "lr_lambdas": [{"base": 0.25}]}
    schedule.load_state_dict(state)
    schedule.step()
    assert schedule.get_last_lr() == [0.25]
    assert s.LambdaLR(sgd(), lambda t: t).state_dict()["lr_lambdas"] == [None]


@pytest.mark.parametrize(
    ("make", "formula"),
    [
        (lambda o: s.LambdaLR(o, lambda t: 0.95**t), lambda t: 0.95**t),
        (lambda o: s.StepLR(o, 4, 0.5), lambda t: 0.5 ** (t // 4)),
        (lambda o: s.MultiStepLR(o, [3, 8], 0.5), lambda t: 0.5 ** ((t >= 3) + (t >= 8))),
        (lambda o: s.ExponentialLR(o, 0.9), lambda t: 0.9**t),
        (lambda o: s.LinearLR(o, 0.5, 0.25, 6), lambda t: 0.5 - 0.25 * min(t, 6) / 6),
        (lambda o: s.CosineAnnealingLR(o, 7, 0.1),
         lambda t: 0.1 + 0.9 * (1 + math.cos(math.pi * t / 7)) / 2),
    ],
)  # fmt: skip
def test_a_schedule_is_its_formula(make, formula):
    optimizer = sgd()
    schedule = make(optimizer)
    for t in range(30):
        assert schedule.get_last_lr()[0] == pytest.approx(formula(t), rel=1e-11, abs=1e-13)
        schedule.step()


def test_schedules_multiply():
    optimizer = sgd()
    both = [s.StepLR(optimizer, 2, 0.5), s.ExponentialLR(optimizer, 0.5)]
    for _ in range(4):
        for schedule in both:
            schedule.step()
    assert optimizer.param_groups[0]["lr"] == 0.5**2 * 0.5**4


def test_a_cycle_starts_a_momentum_that_was_0():
    optimizer = sgd()
    s.OneCycleLR(optimizer, 0.5, 10)
    w = optimizer.param_groups[0]["params"][0]
    w.grad = tg.ones(1)
    optimizer.step()
    assert optimizer.state[w]["momentum_buffer"].tolist() == [1]
    assert optimizer.param_groups[0].tensors["momentum"].item() == 0.95


def test_a_cycle_whose_way_up_is_one_step_is_at_the_top():
    optimizer = sgd()
    s.OneCycleLR(optimizer, 0.5, 10, pct_start=0.1)
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_a_cycle_ends():
    schedule = s.OneCycleLR(sgd(), 1.0, 2)
    schedule.step()
    schedule.step()
    with pytest.raises(ValueError) as error:
        schedule.step()
    assert said(error) == "OneCycleLR: step 3, and there are 2"


def test_a_schedule_of_ones_own_writes_get_lr():
    class Half(s.LRScheduler):
        def get_lr(self):
            return [lr / 2 for lr in self.base_lrs]

    schedule = Half(sgd())
    assert schedule.get_last_lr() == [0.5]
    with pytest.raises(NotImplementedError) as error:
        s.LRScheduler(sgd())
    assert said(error) == "LRScheduler: write a get_lr function for it"


def test_going_on_from_an_epoch_needs_the_first_rate():
    optimizer = sgd()
    with pytest.raises(KeyError, match=r"StepLR .*: last_epoch is 3, and param_groups\[0\] has no"):
        s.StepLR(optimizer, 2, last_epoch=3)
    optimizer.param_groups[0]["initial_lr"] = 8.0
    schedule = s.LambdaLR(optimizer, lambda t: 0.5**t, last_epoch=2)
    assert schedule.last_epoch == 3 and schedule.get_last_lr() == [1.0]


def test_a_group_that_came_later_has_no_rate():
    optimizer = sgd()
    schedule = s.LambdaLR(optimizer, lambda t: 0.5)
    optimizer.add_param_group({"params": [tg.ones(1, requires_grad=True)]})
    with pytest.raises(ValueError) as error:
        schedule.step()
    assert said(error) == "LambdaLR: made for 1 groups of parameters, and there are 2"


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (lambda o: s.StepLR(3, 2), TypeError, "StepLR: an optimiser is scheduled, not int"),
        (lambda o: s.LambdaLR(o, [abs, abs]), ValueError,
         "LambdaLR: lr_lambda has 2 values, and the optimiser has 1 groups of parameters"),
        (lambda o: s.LinearLR(o, 0.0), ValueError,
         "LinearLR: start_factor must be in (0, 1], and is 0.0"),
        (lambda o: s.LinearLR(o, end_factor=1.5), ValueError,
         "LinearLR: end_factor must be in [0, 1], and is 1.5"),
        (lambda o: s.OneCycleLR(o, 1.0), ValueError,
         "OneCycleLR: give total_steps, or epochs and steps_per_epoch"),
        (lambda o: s.OneCycleLR(o, 1.0, 2.5), ValueError,
         "OneCycleLR: total_steps must be an integer above 0, and is 2.5"),
        (lambda o: s.OneCycleLR(o, 1.0, epochs=0, steps_per_epoch=3), ValueError,
         "OneCycleLR: epochs must be an integer above 0, and is 0"),
        (lambda o: s.OneCycleLR(o, 1.0, 5, pct_start=1.5), ValueError,
         "OneCycleLR: pct_start must be in [0, 1], and is 1.5"),
        (lambda o: s.OneCycleLR(o, 1.0, 5, anneal_strategy="sin"), ValueError,
         "OneCycleLR: anneal_strategy must be 'cos' or 'linear', not 'sin'"),
        (lambda o: s.OneCycleLR(tg.optim.Adagrad([tg.ones(1)]), 1.0, 5), ValueError,
         "OneCycleLR: Adagrad has neither momentum nor betas to cycle; pass cycle_momentum=False"),
        (lambda o: s.ReduceLROnPlateau(o, factor=1.0), ValueError,
         "ReduceLROnPlateau: factor must be below 1, and is 1.0"),
        (lambda o: s.ReduceLROnPlateau(o, "low"), ValueError,
         "ReduceLROnPlateau: mode must be 'min' or 'max', not 'low'"),
        (lambda o: s.ReduceLROnPlateau(o, threshold_mode="x"), ValueError,
         "ReduceLROnPlateau: threshold_mode must be 'rel' or 'abs', not 'x'"),
        (lambda o: s.ReduceLROnPlateau(o, min_lr=[0, 0]), ValueError,
         "ReduceLROnPlateau: min_lr has 2 values, and the optimiser has 1 groups of parameters"),
        (lambda o: s.SequentialLR(o, [], []), ValueError, "SequentialLR: there is no scheduler"),
        (lambda o: s.SequentialLR(o, [3], []), TypeError,
         "SequentialLR: schedulers[0] is no scheduler, but int"),
        (lambda o: s.SequentialLR(o, [s.ReduceLROnPlateau(o)], []), ValueError,
         "SequentialLR: schedulers[0] is a ReduceLROnPlateau, whose step needs a metric"),
        (lambda o: s.SequentialLR(o, [s.StepLR(sgd(), 1)], []), ValueError,
         "SequentialLR: schedulers[0] is of another optimiser"),
        (lambda o: s.SequentialLR(o, [s.StepLR(o, 1)], [3]), ValueError,
         "SequentialLR: 1 schedulers need 0 milestones, and there are 1"),
    ],
)  # fmt: skip
def test_what_a_schedule_cannot_take(make, kind, text):
    with pytest.raises(kind) as error:
        make(sgd())
    assert said(error) == text
