"""Every optimiser and schedule: the tape and a compiled step are one, to the last bit."""

import numpy as np
import pytest
import tapegraph as tg
from errors import said
from tapegraph import nn
from tapegraph.optim import lr_scheduler

KINDS = [
    ("SGD", {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.01}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "maximize": True}),
    ("Adam", {"weight_decay": 0.01}),
    ("Adam", {"amsgrad": True, "betas": (0.4, 0.9), "maximize": True}),
    ("AdamW", {"amsgrad": True}),
    ("RMSprop", {"weight_decay": 0.01}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
    ("Adagrad", {"lr_decay": 0.01, "weight_decay": 0.01}),
]

SCHEDULES = {
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, 25),
    "steps": lambda o: lr_scheduler.StepLR(o, 10, 0.5),
    "cycle": lambda o: lr_scheduler.OneCycleLR(
        o, 0.05, 60, cycle_momentum=type(o) is not tg.optim.Adagrad
    ),
    "warm up": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o), lr_scheduler.ExponentialLR(o, 0.9)], [6]
    ),
}


def make(name, options, schedule, clip=None):
    tg.manual_seed(1)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    head, rest = list(model[2].parameters()), list(model[0].parameters())
    kind = getattr(tg.optim, name)
    optimizer = kind([{"params": rest}, {"params": head, "lr": 0.02}], lr=0.01, **options)
    scheduler = SCHEDULES[schedule](optimizer)

    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), *clip)
            nn.utils.clip_grad_value_(model.parameters(), 0.1)
        optimizer.step()
        return loss

    return model, optimizer, scheduler, step


def everything(model, optimizer):
    tensors = [*model.parameters(), *(v for s in optimizer.state.values() for v in s.values())]
    return [t.detach().numpy().tobytes() for t in tensors]


def compare(tape, graph, executor):
    """Fifty steps of both; gives the compiled step."""
    fast = tg.compile(graph[3], executor=executor)
    rng = np.random.default_rng(0)
    for _ in range(50):
        x = tg.tensor(rng.normal(size=(16, 4)).astype(np.float32))
        y = tg.tensor(rng.integers(0, 3, 16))
        assert tape[3](x, y).item() == fast(x, y).item()
        tape[2].step()
        graph[2].step()
        assert tape[2].get_last_lr() == graph[2].get_last_lr()
    assert everything(*tape[:2]) == everything(*graph[:2])
    return fast


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_an_optimiser_steps_the_same_compiled(name, options, executor):
    made = [make(name, options, "cosine") for _ in range(2)]
    assert compare(*made, executor).traces == 1


@pytest.mark.parametrize("schedule", ["steps", "cycle", "warm up"])
@pytest.mark.parametrize(("name", "options"), KINDS)
def test_a_schedule_asks_for_no_new_trace(name, options, schedule):
    made = [make(name, options, schedule) for _ in range(2)]
    assert compare(*made, "fused").traces == 1


@pytest.mark.parametrize("clip", [(0.05,), (0.02, float("inf")), (0.5, 1)])
def test_clipping_is_the_same_compiled(clip):
    made = [make("AdamW", {}, "cosine", clip) for _ in range(2)]
    assert compare(*made, "fused").traces == 1


def test_a_state_that_is_loaded_is_seen_by_the_trace_there_is():
    x, y = tg.ones(4, 4), tg.tensor([0, 1, 2, 0])
    model, optimizer, _, step = make("Adam", {"amsgrad": True}, "steps")
    weights = {k: v.clone() for k, v in model.state_dict().items()}
    state = optimizer.state_dict()
    state["state"] = {}
    fast = tg.compile(step)
    first = [fast(x, y).item() for _ in range(5)]
    model.load_state_dict(weights)
    optimizer.load_state_dict(state)
    assert [fast(x, y).item() for _ in range(5)] == first
    assert fast.traces == 1


def test_numbers_that_are_no_tensors_ask_for_a_new_trace():
    x, y = tg.ones(4, 4), tg.tensor([0, 1, 2, 0])
    made = [make("SGD", {}, "steps") for _ in range(2)]
    fast = tg.compile(made[1][3])
    for i in range(6):
        if i == 3:
            for _, optimizer, _, _ in made:
                optimizer.param_groups[0]["momentum"] = 0.5  # makes its buffers now
        assert made[0][3](x, y).item() == fast(x, y).item()
    assert fast.traces == 2
    assert "param_groups[0]['momentum'] was 0.0, is now 0.5" in fast.explain()
    assert everything(*made[0][:2]) == everything(*made[1][:2])


def test_a_schedule_cannot_be_stepped_inside():
    _, optimizer, scheduler, step = make("SGD", {}, "steps")
    x, y = tg.ones(4, 4), tg.tensor([0, 1, 2, 0])

    def wrong(x, y):
        step(x, y)
        scheduler.step()

    with pytest.raises(RuntimeError) as error:
        tg.compile(wrong)(x, y)
    assert said(error) == (
        "lr: set to 0.01 inside of a compiled function, which would write this number at each "
        "call; set it, and step the scheduler, outside"
    )
    assert optimizer.param_groups[0].tensors["lr"].item() == 0.01


def test_a_norm_is_not_compared_inside():
    w = tg.ones(2, requires_grad=True)
    w.grad = tg.ones(2)
    with pytest.raises(RuntimeError, match="item"):
        tg.compile(lambda: nn.utils.clip_grad_norm_([w], 1.0, error_if_nonfinite=True))()
