"""The demo's second network: convolutions, on digits that are moved about, as tape and compiled.

It trains on the file's first 1,437 digits and reads the last 360, which other writers wrote.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import tapegraph as tg
import tapegraph.nn.functional as F
from tapegraph import nn
from tapegraph.datasets import TRAIN, digits

TITLE = """\
a convolutional network, 3x3 windows to 16 and 32 channels, with batch norm and dropout: on the
first 1,437 digits, moved by up to a pixel; tested on the last 360, which other writers wrote;
Adam with weight decay, clipping and a schedule"""
BATCH = 32
PEAK_LEARNING_RATE = 0.01
LONGEST_GRADIENT = 1.0


def network(seed: int) -> nn.Sequential:
    tg.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, bias=False),  # (N, 1, 8, 8) -> (N, 16, 8, 8)
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1, bias=False),  # -> (N, 32, 8, 8)
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),  # -> (N, 32, 4, 4)
        nn.Flatten(),
        nn.Dropout(0.25),
        nn.Linear(512, 10),
    )


def moved(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Each (1, 8, 8) of (N, 1, 8, 8) moved by at most a pixel each way; paper comes in behind."""
    around = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    places = random.integers(0, 3, (len(images), 2))
    return np.stack([a[:, r : r + 8, c : c + 8] for a, (r, c) in zip(around, places)])


class Way:
    """A network of its own, and a step that trains it: as it stands, or compiled."""

    def __init__(self, seed: int, steps: int, executor: str | None) -> None:
        self.net = network(seed)
        self.adam = tg.optim.Adam(self.net.parameters(), weight_decay=1e-4)
        self.schedule = tg.optim.lr_scheduler.OneCycleLR(self.adam, PEAK_LEARNING_RATE, steps)
        self.run: Any = tg.compile(self.step, executor=executor) if executor else self.step
        self.random = tg.get_rng_state()  # of the masks of dropout
        self.loss = 0.0
        self.times: list[float] = []  # ms

    def step(self, x: tg.Tensor, y: tg.Tensor) -> tg.Tensor:
        self.adam.zero_grad()
        loss = F.cross_entropy(self.net(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), LONGEST_GRADIENT)
        self.adam.step()
        return loss.detach()

    def measured_step(self, x: tg.Tensor, y: tg.Tensor) -> None:
        tg.set_rng_state(self.random)
        start = time.perf_counter()
        self.loss = self.run(x, y).item()
        self.times.append(1e3 * (time.perf_counter() - start))
        self.random = tg.get_rng_state()
        self.schedule.step()

    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> float:
        self.net.eval()
        with tg.no_grad():
            found = self.net(tg.tensor(images)).argmax(1).numpy()
        return float((found == labels).mean())


def batches(
    images: np.ndarray, labels: np.ndarray, epochs: int, seed: int
) -> Iterator[tuple[tg.Tensor, tg.Tensor]]:
    random = np.random.default_rng(seed)
    for _ in range(epochs):
        order = random.permutation(len(labels))
        for begin in range(0, len(labels) - BATCH + 1, BATCH):
            chosen = order[begin : begin + BATCH]
            yield tg.tensor(moved(images[chosen], random)), tg.tensor(labels[chosen])


def trained(epochs: int, seed: int) -> tuple[list[list[str]], bool, float]:
    """The rows of the table; whether the losses are equal; and the worst accuracy."""
    images, labels = digits()
    images = images.reshape(-1, 1, 8, 8)
    steps = epochs * (TRAIN // BATCH)
    ways = [Way(seed, steps, executor) for executor in (None, "fused")]
    for x, y in batches(images[:TRAIN], labels[:TRAIN], epochs, seed):
        for way in ways:  # in turn, so that a busy moment of the machine hits all alike
            way.measured_step(x, y)
    right = [way.accuracy(images[TRAIN:], labels[TRAIN:]) for way in ways]
    rows = [
        ["", "tape", "planned and fused"],
        [f"loss, last of {steps} steps", *(repr(way.loss) for way in ways)],
        ["accuracy, other writers", *(f"{100 * a:.2f} %" for a in right)],
        ["ms a step, its median", *(f"{statistics.median(way.times):.3f}" for way in ways)],
    ]
    return rows, ways[0].loss == ways[1].loss, min(right)
