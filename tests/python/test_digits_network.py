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

RECORDED = json.loads(Path(__file__).with_name("digits_recorded.json").read_text())
cross_entropy = nn.functional.cross_entropy


class Trained:
    """A model, what trains it, and the step that adds up the gradients of several batches."""

    def __init__(self, model, schedule, executor=None):
        self.model = model
        self.adam = tg.optim.Adam(model.parameters(), **d.ADAM)
        self.schedule = tg.optim.lr_scheduler.OneCycleLR(self.adam, **schedule)
        self.run = tg.compile(self.step, executor=executor) if executor else self.step

    def step(self, x, y):
        self.adam.zero_grad()
        losses = []
        for k in range(x.shape[0]):
            loss = cross_entropy(self.model(x[k]), y[k]) / x.shape[0]
            loss.backward()
            losses.append(loss.detach())
        nn.utils.clip_grad_norm_(self.model.parameters(), d.LONGEST_GRADIENT)
        self.adam.step()
        return tg.stack(losses)

    def __call__(self, x, y):
        losses = self.run(x, y)
        self.schedule.step()
        return losses.tolist()

    def logits(self, images):
        self.model.eval()
        with tg.no_grad():
            found = self.model(images)
        self.model.train()
        return found

    def bytes(self):
        state = [v for s in self.adam.state.values() for v in s.values()]
        tensors = [*self.model.state_dict().values(), *state]
        return [t.detach().numpy().tobytes() for t in tensors]


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
    trained = Trained(from_formula(dtype), d.SCHEDULE, executor)
    found = []
    for step in range(d.STEPS):
        x, y = d.recorded_batch(images, labels, step)
        found += trained(tg.tensor(x, dtype=dtype), tg.tensor(y))
    np.testing.assert_allclose(found, want["losses"], rtol=tolerance)
    mean = trained.model[4].running_mean.tolist()
    np.testing.assert_allclose(mean, want["mean"], rtol=tolerance, atol=tolerance)
    logits = trained.logits(tg.tensor(images[d.TRAIN :], dtype=dtype))
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
    trained = Trained(d.network(nn, 0.25), schedule, executor)
    for x, y in shuffled(epochs, size):
        trained(tg.tensor(x).reshape(1, size, 1, 8, 8), tg.tensor(y).reshape(1, size))
    images, labels = d.digits()
    logits = trained.logits(tg.tensor(images[d.TRAIN :].astype(np.float32)))
    right = (logits.argmax(1).numpy() == labels[d.TRAIN :]).mean()
    assert right >= 0.95, f"{right:.2%}"


def test_two_hundred_steps_are_the_tapes_bits():
    schedule = {"max_lr": 0.01, "total_steps": 200}
    batches = [batch for batch, _ in zip(shuffled(5, 32), range(200))]
    assert len(batches) == 200
    found = []
    for executor, threads in ((None, 1), (None, 2), ("lines", 1), ("planned", 2), ("fused", 2)):
        before = tg.get_num_threads()
        tg.set_num_threads(threads)
        tg.manual_seed(3)
        trained = Trained(d.network(nn, 0.25), schedule, executor)
        count = 200 if executor in (None, "fused") else 20
        losses = [
            trained(tg.tensor(x).reshape(2, 16, 1, 8, 8), tg.tensor(y).reshape(2, 16))
            for x, y in batches[:count]
        ]
        tg.set_num_threads(before)
        found.append((losses, trained.bytes()))
        if executor:
            assert trained.run.traces == 1
    (losses, last), *others = found
    assert losses[-1] != losses[-2]
    for other, their_last in others:
        assert other == losses[: len(other)]
        if len(other) == len(losses):
            assert their_last == last
