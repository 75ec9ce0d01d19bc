"""An LSTM learns names, letter by letter: as PyTorch's does, and the same compiled.

letters_recorded.json holds the losses that PyTorch 2.15 gives; record_letters.py wrote it.
"""

import json
from pathlib import Path

import letter_networks as n
import numpy as np
import pytest
import tapegraph as tg
from training import Trained, from_formula, losses_to_the_bit

RECORDED = json.loads(Path(__file__).with_name("letters_recorded.json").read_text())["names"]
cross_entropy = tg.nn.functional.cross_entropy


def trained(model, steps, executor=None):
    return Trained(model, *n.names_training(tg, model, steps), n.LONGEST_GRADIENT, executor)


@pytest.mark.parametrize("executor", [None, "fused"])
@pytest.mark.parametrize(("name", "tolerance"), [("float64", 1e-9), ("float32", 1e-4)])
def test_step_for_step_the_losses_are_pytorchs(name, tolerance, executor):
    model = from_formula(n.names_network(tg).to(getattr(tg, name)), n.start)
    train = trained(model, n.STEPS, executor)
    known, found = n.names(), []
    for step in range(n.STEPS):
        found += train(*map(tg.tensor, n.names_batch(known, step)))
    np.testing.assert_allclose(found, RECORDED[name], rtol=tolerance)


def test_two_hundred_steps_are_the_tapes_bits_and_learn():
    known = n.names()
    batches = [tuple(map(tg.tensor, n.names_batch(known, step))) for step in range(200)]
    losses = losses_to_the_bit(
        lambda executor: trained(n.names_network(tg, dropout=0.1), 200, executor), batches
    )
    assert losses[0][0] == pytest.approx(np.log(27), rel=0.05)  # as if all letters were as likely
    last = np.mean(losses[-20:])
    assert last < 2.35, last  # 2.81 for who knows only how often each letter comes


def gradients(model):
    found = [p.grad.tolist() for p in model.parameters()]
    model.zero_grad()
    return found


def test_padding_is_as_if_each_name_went_alone():
    model = from_formula(n.names_network(tg).to(tg.float64), n.start)
    chosen = ["jo", "anna", "christopher", "eve"]
    x, y = map(tg.tensor, n.padded(chosen))
    together = cross_entropy(model(x).flatten(0, 1), y.flatten(), reduction="sum")
    together.backward()
    want = gradients(model)

    def alone(x, y):
        loss = cross_entropy(model(x)[0], y[0], reduction="sum")
        loss.backward()
        return loss.detach()

    for run in (alone, tg.compile(alone)):
        losses = []
        for name in chosen:
            x, y = n.padded([name], len(name) + 1)
            losses.append(run(tg.tensor(x), tg.tensor(y)).item())
        assert sum(losses) == pytest.approx(together.item(), rel=1e-12)
        for a, b in zip(gradients(model), want):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    assert run.traces == 4  # one for each length


def sampled(model, seed, count=5):
    """Names, a letter after the other: the state is what the LSTM has read."""
    tg.manual_seed(seed)
    found = []
    with tg.no_grad():
        for _ in range(count):
            letter, state, name = tg.zeros(1, 1, dtype=tg.int64), None, ""
            while len(name) < 20:
                logits, state = model.follow(letter, state)
                letter = tg.multinomial(logits[:, -1].softmax(-1), 1)
                if letter.item() == 0:
                    break
                name += n.NAME_LETTERS[letter.item()]
            found.append(name)
    return found


def test_with_a_seed_the_same_names_are_drawn():
    known = n.names()
    tg.manual_seed(0)
    model = n.names_network(tg)
    train = trained(model, 100, "fused")
    for step in range(100):
        train(*map(tg.tensor, n.names_batch(known, step)))
    names = sampled(model, 1)
    assert names == sampled(model, 1) != sampled(model, 2)
    assert sum(2 <= len(name) <= 12 for name in names) >= 3, names
