"""A convolutional network learns the digits: as PyTorch's does, and the same compiled.

digits_recorded.json holds the losses that PyTorch 2.15 gives; record_digits.py wrote it.
"""

import json
from pathlib import Path

import digits_network as d
import numpy as np
import pytest
import tapegraph as tg
from tapegraph import nn
from training import Trained, losses_to_the_bit

RECORDED = json.loads(Path(__file__).with_name("digits_recorded.json").read_text())
cross_entropy = nn.functional.cross_entropy


def trained_by_adam(model, schedule, executor=None):
    adam = tg.optim.Adam(model.parameters(), **d.ADAM)
    schedule = tg.optim.lr_scheduler.OneCycleLR(adam, **schedule)
    return Trained(model, adam, schedule, d.LONGEST_GRADIENT, executor)


def logits_of(model, images):
    model.eval()
    with tg.no_grad():
        return model(images)


def from_formula(dtype):
    model = d.network(nn).to(dtype)
    with tg.no_grad():
        for k, parameter in enumerate(model.parameters()):
            if parameter.ndim > 1:
                parameter.copy_(tg.tensor(d.start(tuple(parameter.shape), k), dtype=tg.float64))
        model[-1].bias.zero_()
    return model


@pytest.mark.parametrize("executor", [None, "fused"])
@pytest.mark.parametrize(("name", "tolerance"), [("float64", 1e-9), ("float32", 1e-4)])
def test_step_for_step_the_losses_are_pytorchs(name, tolerance, executor):
    dtype, want = getattr(tg, name), RECORDED[name]
    images, labels = d.digits()
    trained = trained_by_adam(from_formula(dtype), d.SCHEDULE, executor)
    found = []
    for step in range(d.STEPS):
        x, y = d.recorded_batch(images, labels, step)
        found += trained(tg.tensor(x, dtype=dtype), tg.tensor(y))
    np.testing.assert_allclose(found, want["losses"], rtol=tolerance)
    mean = trained.model[4].running_mean.tolist()
    np.testing.assert_allclose(mean, want["mean"], rtol=tolerance, atol=tolerance)
    logits = logits_of(trained.model, tg.tensor(images[d.TRAIN :], dtype=dtype))
    y = tg.tensor(labels[d.TRAIN :])
    assert cross_entropy(logits, y).item() == pytest.approx(want["test loss"], rel=tolerance)
    assert (logits.argmax(1) == y).sum().item() == want["correct"]


def shuffled(epochs, size, seed=0):
    """Batches (size, 1, 8, 8) of float32, shuffled and shifted by up to a pixel."""
    rng = np.random.default_rng(seed)
    images, labels = d.digits()
    for _ in range(epochs):
        order = rng.permutation(d.TRAIN)
        for begin in range(0, d.TRAIN - size + 1, size):
            chosen = order[begin : begin + size]
            x = d.shifted(images[chosen], rng.integers(0, 3, (size, 2)))
            yield x.astype(np.float32), labels[chosen]


@pytest.mark.parametrize("executor", [None, "fused"])
def test_the_digits_of_other_writers_are_read(executor):
    tg.manual_seed(0)
    epochs, size = 6, 48
    steps = epochs * (d.TRAIN // size)
    schedule = {"max_lr": 0.01, "total_steps": steps}
    trained = trained_by_adam(d.network(nn, 0.25), schedule, executor)
    for x, y in shuffled(epochs, size):
        trained(tg.tensor(x).reshape(1, size, 1, 8, 8), tg.tensor(y).reshape(1, size))
    images, labels = d.digits()
    logits = logits_of(trained.model, tg.tensor(images[d.TRAIN :].astype(np.float32)))
    right = (logits.argmax(1).numpy() == labels[d.TRAIN :]).mean()
    assert right >= 0.95, f"{right:.2%}"


def test_two_hundred_steps_are_the_tapes_bits():
    schedule = {"max_lr": 0.01, "total_steps": 200}
    batches = [
        (tg.tensor(x).reshape(2, 16, 1, 8, 8), tg.tensor(y).reshape(2, 16))
        for (x, y), _ in zip(shuffled(5, 32), range(200))
    ]
    assert len(batches) == 200
    losses_to_the_bit(
        lambda executor: trained_by_adam(d.network(nn, 0.25), schedule, executor), batches
    )
