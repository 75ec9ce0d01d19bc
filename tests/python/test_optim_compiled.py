"""Every optimiser and schedule: the tape and a compiled step are one, to the last bit."""

import numpy as np
import pytest
import tapegraph as tg
from errors import said
from optimizers import KINDS, everything, make
from tapegraph import nn


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


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_the_update_of_all_parameters_is_one_launch(name, options):
    shapes = [(64, 32), (64,), (64, 1), (1,), (), (0, 3), (20000,)]
    params = [tg.ones(shape, requires_grad=True) for shape in shapes]
    optimizer = getattr(tg.optim, name)(params, lr=0.01, **options)
    for param in params:
        param.grad = tg.ones_like(param)
    fast = tg.compile(lambda: optimizer.step())
    fast()
    assert fast.trace_records()[0]["launches"] == 1
    assert ", 1 launches\n" in fast.explain()
    apart = tg.compile(lambda: optimizer.step(), executor="planned")
    apart()
    assert apart.trace_records()[0]["launches"] > 3 * len(params)


def test_the_updates_after_a_backward_are_one_launch():
    made = [make("Adam", {}, "steps", clip) for clip in (None, (0.5,))]
    x, y = tg.ones(4, 4), tg.tensor([0, 1, 2, 0])
    for _, optimizer, _, step in made:
        fast = tg.compile(step)
        fast(x, y)
        lines = [s for s in fast.program().text().splitlines() if s.startswith("  %")]
        (update,) = [s for s in lines if " = together " in s and s.count("(8, 4)") >= 3]
        for group in optimizer.param_groups:
            for shape in [tuple(p.shape) for p in group["params"]]:
                assert str(shape) in update


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
