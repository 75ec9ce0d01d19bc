"""A GPT of two blocks learns plays, letter by letter: as PyTorch's does, and the same compiled.

letters_recorded.json holds the losses that PyTorch 2.15 gives; record_letters.py wrote it.
"""

import json
from pathlib import Path

import letter_networks as n
import numpy as np
import pytest
import tapegraph as tg
from training import Trained, from_formula, losses_to_the_bit

RECORDED = json.loads(Path(__file__).with_name("letters_recorded.json").read_text())["gpt"]
TEXT, LETTERS = n.plays()


def trained(model, steps, executor=None):
    return Trained(model, *n.gpt_training(tg, model, steps), n.LONGEST_GRADIENT, executor)


@pytest.mark.parametrize("executor", [None, "fused"])
@pytest.mark.parametrize(("name", "tolerance"), [("float64", 1e-9), ("float32", 1e-4)])
def test_step_for_step_the_losses_are_pytorchs(name, tolerance, executor):
    model = from_formula(n.gpt(tg, len(LETTERS)).to(getattr(tg, name)), n.start)
    train = trained(model, n.STEPS, executor)
    found = []
    for step in range(n.STEPS):
        found += train(*map(tg.tensor, n.plays_batch(TEXT, step)))
    np.testing.assert_allclose(found, RECORDED[name], rtol=tolerance)


def test_two_hundred_steps_are_the_tapes_bits_and_learn():
    batches = [tuple(map(tg.tensor, n.plays_batch(TEXT, step))) for step in range(200)]

    def make(executor):
        model = from_formula(n.gpt(tg, len(LETTERS), dropout=0.1), n.start)
        return trained(model, 200, executor)

    losses = n.PARTS * np.array(losses_to_the_bit(make, batches))
    last = losses[-20:].mean()
    assert losses[0].mean() > np.log(len(LETTERS))
    share = np.bincount(TEXT) / len(TEXT)
    assert -(share * np.log(share)).sum() > 3.3  # who knows only how often each letter comes
    assert last < 2.8, last


def test_a_letter_does_not_see_those_after_it():
    model = from_formula(n.gpt(tg, len(LETTERS)), n.start)
    x = tg.tensor(TEXT[None, : n.WINDOW])
    other = x.clone()
    other[0, 9] = (x[0, 9] + 1) % len(LETTERS)
    a, b = model(x), model(other)
    assert a[0, :9].tolist() == b[0, :9].tolist()
    assert all(a[0, k].tolist() != b[0, k].tolist() for k in range(9, n.WINDOW))
    np.testing.assert_allclose(model(x[:, :5]).tolist(), a[:, :5].tolist(), rtol=1e-4, atol=1e-5)


def continued(step, model, start, count, seed):
    """start and count letters more; step(x (1, WINDOW)) draws the letter behind the last."""
    tg.manual_seed(seed)
    model.eval()
    text = [LETTERS.index(c) for c in start]
    for _ in range(count):
        text.append(step(tg.tensor([text[-n.WINDOW :]])).item())
    return "".join(LETTERS[k] for k in text)


def test_with_a_seed_the_same_text_is_drawn():
    tg.manual_seed(0)
    model = n.gpt(tg, len(LETTERS))
    train = trained(model, 100, "fused")
    for step in range(100):
        train(*map(tg.tensor, n.plays_batch(TEXT, step)))

    @tg.no_grad()
    def draw(x):
        return tg.multinomial(model(x)[0, -1].softmax(-1), 1)

    start = "To be, or not to"
    text = continued(draw, model, start, 60, seed=1)
    assert text == continued(draw, model, start, 60, seed=1)
    assert text != continued(draw, model, start, 60, seed=2)
    compiled = tg.compile(draw)
    assert text == continued(compiled, model, start, 60, seed=1)
    assert compiled.traces == 1
    assert continued(draw, model, "T", 30, seed=3) == continued(compiled, model, "T", 30, seed=3)
    assert compiled.traces == n.WINDOW
