"""What the tests of training steps share, on the tape and compiled."""

import numpy as np
import tapegraph as tg
from tapegraph import nn


def losses_both_ways(make, batch, executor, steps=10):
    """The losses of make()'s (model, step) on the tape, which the compiled step's are to the bit.

    batch(rng) gives a step's arguments. The step must be traced once, and leave the same state.
    """
    found = []
    for compiled in (False, True):
        model, step = make()
        run = tg.compile(step, executor=executor) if compiled else step
        rng = np.random.default_rng(0)
        losses = [run(*batch(rng)).item() for _ in range(steps)]
        found.append((losses, {k: v.tolist() for k, v in model.state_dict().items()}))
    assert found[0] == found[1]
    assert run.traces == 1
    return found[0][0]


def from_formula(model, start):
    """The model with the weights start(name, shape, k), k the parameter's number."""
    with tg.no_grad():
        for k, (name, parameter) in enumerate(model.named_parameters()):
            parameter.copy_(tg.tensor(start(name, tuple(parameter.shape), k), dtype=tg.float64))
    return model


class Trained:
    """A classifier, what trains it, and the step that adds up the gradients of several batches.

    A batch is x (K, N, ...) and y (K, N, ...), K parts of N; the model's logits end in the classes.
    """

    def __init__(self, model, optimizer, schedule, longest_gradient, executor=None):
        self.model = model
        self.optimizer = optimizer
        self.schedule = schedule
        self.longest_gradient = longest_gradient
        self.run = tg.compile(self.step, executor=executor) if executor else self.step

    def step(self, x, y):
        self.optimizer.zero_grad()
        losses = []
        for k in range(x.shape[0]):
            logits = self.model(x[k])
            logits = logits.reshape(-1, logits.shape[-1])
            loss = nn.functional.cross_entropy(logits, y[k].reshape(-1)) / x.shape[0]
            loss.backward()
            losses.append(loss.detach())
        nn.utils.clip_grad_norm_(self.model.parameters(), self.longest_gradient)
        self.optimizer.step()
        return tg.stack(losses)

    def __call__(self, x, y):
        losses = self.run(x, y)
        self.schedule.step()
        return losses.tolist()

    def bytes(self):
        state = [v for s in self.optimizer.state.values() for v in s.values()]
        tensors = [*self.model.state_dict().values(), *state]
        return [t.detach().numpy().tobytes() for t in tensors]


def losses_to_the_bit(make, batches, few=20):
    """The losses that make(executor), a Trained, has for the batches: fused, and with another
    number of threads, to the bit the same, and so are the weights and the optimizer's state; with
    the other executors too, for a few steps."""
    found = []
    before = tg.get_num_threads()
    for executor, threads in ((None, 1), (None, 2), ("lines", 1), ("planned", 2), ("fused", 2)):
        tg.set_num_threads(threads)
        tg.manual_seed(3)
        trained = make(executor)
        count = len(batches) if executor in (None, "fused") else few
        losses = [trained(*batch) for batch in batches[:count]]
        found.append((losses, trained.bytes()))
        if executor:
            assert trained.run.traces == 1
    tg.set_num_threads(before)
    (losses, last), *others = found
    assert losses[-1] != losses[-2]
    for other, their_last in others:
        assert other == losses[: len(other)]
        if len(other) == len(losses):
            assert their_last == last
    return losses
