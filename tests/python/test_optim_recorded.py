"""Optimisers are PyTorch's, step for step.

optim_recorded.json holds what PyTorch 2.15 gives in float64; record_optim.py beside it wrote it.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import tapegraph as tg

RECORDED = json.loads(Path(__file__).with_name("optim_recorded.json").read_text())


def near(got, want):
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)


def gradient(t, n):
    return [((7 * t + 3 * i) % 11 - 5) / 8 for i in range(n)]


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
