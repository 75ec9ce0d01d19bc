"""Optimisers, schedules and clipping are PyTorch's, step for step.

optim_recorded.json holds what PyTorch 2.15 gives in float64; record_optim.py beside it wrote it,
and tests/optim_cases.py has what both do.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import tapegraph as tg
from optim_cases import gradient, make_schedule, two_groups

RECORDED = json.loads(Path(__file__).with_name("optim_recorded.json").read_text())


def near(got, want):
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)


def name_of(case):
    return " ".join([case.get("name", ""), *(f"{k}={v}" for k, v in case["options"].items())])


@pytest.mark.parametrize("case", RECORDED["optimizers"], ids=name_of)
def test_an_optimiser_is_pytorchs(case):
    a = tg.tensor([1.0, -2.0, 0.5], dtype=tg.float64, requires_grad=True)
    b = tg.tensor([[0.25], [3.0]], dtype=tg.float64, requires_grad=True)
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in case["options"].items()}
    optimizer = getattr(tg.optim, case["name"])([a, b], **options)
    for t, want in enumerate(case["values"]):
        a.grad = tg.tensor(gradient(t, 3), dtype=tg.float64)
        if t >= 3:
            b.grad = tg.tensor(gradient(t, 2), dtype=tg.float64).reshape(2, 1)
        assert optimizer.step() is None
        near(a.tolist() + b.flatten().tolist(), want)


@pytest.mark.parametrize("case", RECORDED["schedules"], ids=name_of)
def test_a_schedule_is_pytorchs(case):
    optimizer = two_groups(tg, case["optimizer"])
    schedule = make_schedule(tg, optimizer, case["name"], case["options"])
    for t, want in enumerate(case["values"]):
        if t > 0:
            schedule.step()
        near(schedule.get_last_lr(), [lr for lr, _ in want])
        for group, (lr, momentum) in zip(optimizer.param_groups, want):
            near(group["lr"], lr)
            assert group.tensors["lr"].item() == group["lr"]
            near(group["betas"][0] if "betas" in group else group["momentum"], momentum)
            if "momentum" in group.tensors:
                assert group.tensors["momentum"].item() == group["momentum"]
            if "betas" in group.tensors:
                assert tuple(b.item() for b in group.tensors["betas"]) == group["betas"]


@pytest.mark.parametrize("case", RECORDED["plateaus"], ids=name_of)
def test_reductions_on_a_plateau_are_pytorchs(case):
    optimizer = two_groups(tg, "SGD")
    schedule = tg.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **case["options"])
    for metric, want in zip(RECORDED["metrics"], case["values"]):
        schedule.step(tg.tensor(metric, dtype=tg.float64))
        near(schedule.get_last_lr(), want)


@pytest.mark.parametrize("case", RECORDED["clips"], ids=lambda c: f"{c['norm_type']}")
def test_clipping_to_a_norm_is_pytorchs(case):
    a = tg.zeros(3, dtype=tg.float64, requires_grad=True)
    b = tg.zeros(2, 2, dtype=tg.float64, requires_grad=True)
    a.grad = tg.tensor(gradient(1, 3), dtype=tg.float64)
    b.grad = tg.tensor(gradient(2, 4), dtype=tg.float64).reshape(2, 2)
    norm_type = math.inf if case["norm_type"] == "inf" else case["norm_type"]
    norm = tg.nn.utils.clip_grad_norm_([a, b], case["max_norm"], norm_type)
    near(norm.item(), case["norm"])
    near(a.grad.tolist() + b.grad.flatten().tolist(), case["values"])
