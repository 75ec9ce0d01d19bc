"""`./dev demo`: one network, trained on real digits as a tape and as a graph, side by side.

The same function, train_step, runs in three ways: as it stands, each op as Python comes to it (the
tape); traced once and run line by line; traced once, its memory planned and its elementwise lines
fused. A fourth writes the same step down by hand first, as TensorFlow 1 had it. All begin with the
same weights and see the same batches; so every loss must be the same, to the last digit. A fifth
runs the tape on the device "cuda", where sums add up in another order: the last digits differ.

A second table trains a convolutional network, demo_convolution.py, as a tape and compiled.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import statistics
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Callable, TypeVar

import numpy as np

import tapegraph as tg
import tapegraph.nn.functional as F
from tapegraph import demo_convolution
from tapegraph.datasets import split_digits

T = TypeVar("T")

BATCH = 32
LEARNING_RATE = 0.1
MOMENTUM = 0.9
CLOSE = 1e-3  # the losses on cuda, whose kernels add in another order, relative to the CPU's
ENOUGH = 0.95  # test accuracy, below which the demo has failed


def network(hidden: int, seed: int) -> tg.nn.Sequential:
    tg.manual_seed(seed)
    return tg.nn.Sequential(tg.nn.Linear(64, hidden), tg.nn.ReLU(), tg.nn.Linear(hidden, 10))


# ---- the five ways ------------------------------------------------------------------------------


class Way:
    """A network of its own, and a step that trains it on a batch and gives the loss."""

    def __init__(self, name: str, hidden: int, seed: int, device: str = "cpu") -> None:
        self.name = name
        self.device = device
        self.net = network(hidden, seed).to(device)
        self.losses: list[float] = []  # of the present epoch
        self.epochs: list[float] = []  # their means
        self.times: list[float] = []  # ms, of every step but the first
        self.first = 0.0
        self.peak: list[int] = []
        self.nodes: list[int] = []
        self.ops: list[int] = []

    def step(self, x: tg.Tensor, y: tg.Tensor) -> Any:
        raise NotImplementedError

    def measured_step(self, x: tg.Tensor, y: tg.Tensor) -> None:
        # All but the last step's gradients: they are of the step's making.
        x, y = x.to(self.device), y.to(self.device)
        tg.allocator.reset_peak(self.device)
        gradients = sum(4 * p.grad.numel() for p in self.net.parameters() if p.grad is not None)
        live = self.bytes("live") - gradients
        nodes, ops = tg.nodes_made(), tg.ops_run()
        start = time.perf_counter()
        loss = self.step(x, y)
        took = 1e3 * (time.perf_counter() - start)
        if self.losses or self.epochs:
            self.times.append(took)
            self.nodes.append(tg.nodes_made() - nodes)
            self.ops.append(tg.ops_run() - ops)
            self.peak.append(self.bytes("peak") - live)
        else:
            self.first += took
        self.losses.append(float(loss))

    def bytes(self, which: str) -> int:
        return tg.allocator.statistics(self.device)[which] or 0

    def end_epoch(self) -> None:
        self.epochs.append(float(np.mean(self.losses)))
        self.losses.clear()

    def accuracy(self, images: tg.Tensor, labels: np.ndarray) -> float:
        with tg.no_grad():
            found = self.net(images.to(self.device)).argmax(1).cpu().numpy()
        return float((found == labels).mean())


class Traced(Way):
    """train_step, as it stands or compiled."""

    def __init__(
        self, name: str, hidden: int, seed: int, executor: str | None = None, device: str = "cpu"
    ) -> None:
        super().__init__(name, hidden, seed, device)
        net = self.net
        sgd = tg.optim.SGD(net.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)

        def train_step(x: tg.Tensor, y: tg.Tensor) -> tg.Tensor:
            sgd.zero_grad()
            logits = net(x)
            loss = F.cross_entropy(logits, y)
            loss.backward()
            sgd.step()
            return loss.detach()

        train_step.__qualname__ = "train_step"  # the picture's title
        self.run: Any = tg.compile(train_step, executor=executor) if executor else train_step

    def step(self, x: tg.Tensor, y: tg.Tensor) -> Any:
        return self.run(x, y)


class Built(Way):
    """The same step written down before it runs: placeholders, gradients, assignments."""

    def __init__(self, name: str, hidden: int, seed: int) -> None:
        super().__init__(name, hidden, seed)
        start = time.perf_counter()
        weights = list(self.net.parameters())
        momenta = [tg.zeros_like(w) for w in weights]
        graph = tg.Graph("train_step")
        with graph:
            self.x = tg.placeholder("x", [None, 64])
            self.y = tg.placeholder("y", [None], tg.int64)
            logits = self.net(self.x)
            loss = F.cross_entropy(logits, self.y)
            updates = []
            for w, v, g in zip(weights, momenta, tg.gradients(loss, weights)):
                assert g is not None
                moved = v * MOMENTUM + g
                updates += [tg.assign(v, moved), tg.assign(w, w - moved * LEARNING_RATE)]
        self.fetches = [loss, *updates]
        self.session = tg.Session(graph)
        self.first = 1e3 * (time.perf_counter() - start)

    def step(self, x: tg.Tensor, y: tg.Tensor) -> Any:
        return self.session.run(self.fetches, {self.x: x, self.y: y})[0]


# ---- a planted error ----------------------------------------------------------------------------


def planted(x: tg.Tensor, w: tg.Tensor) -> tg.Tensor:
    return x @ w  # a (32, 64) times a (32, 10): this line is wrong


def line_of(error: Exception) -> str:
    """The line of this file that the error was raised at, or else the one that it names."""
    frames = traceback.extract_tb(error.__traceback__)
    inner = [f.lineno for f in frames if f.filename == __file__ and f.name == planted.__name__]
    named = re.findall(r"demo\.py:\d+", str(error))
    return f"demo.py:{inner[-1]}" if inner else (named or ["not named"])[0]


def planted_errors() -> list[tuple[str, str]]:
    """For each way, where and when the planted error shows up."""
    x, w = tg.zeros(32, 64), tg.zeros(32, 10, requires_grad=True)
    found: list[tuple[str, str]] = []

    def attempt(when: str, run: Callable[[], Any]) -> bool:
        try:
            run()
        except (RuntimeError, ValueError, TypeError) as error:
            found.append((line_of(error), when))
            return True
        return False

    attempt("when the line runs", lambda: planted(x, w))
    for executor in ("lines", "fused"):
        attempt("at the first call", partial(tg.compile(planted, executor=executor), x, w))
    with tg.Graph():
        attempt("when it is built", lambda: planted(tg.placeholder("x", [None, 64]), w))
    attempt("when the line runs", lambda: planted(x.cuda(), w.cuda()))
    graph = tg.Graph()
    with graph:
        unknown = tg.placeholder("x", [None, None])
        y = planted(unknown, w)
    attempt("when it runs", lambda: tg.Session(graph).run(y, {unknown: x}))
    return found


# ---- the table ----------------------------------------------------------------------------------


def progress(items: Iterable[T], total: int) -> Iterator[T]:
    """With a bar on a terminal: tqdm's, or a line of our own; without one, nothing."""
    if not sys.stderr.isatty():
        yield from items
        return
    with contextlib.suppress(ImportError):
        from tqdm import tqdm  # type: ignore[import-untyped]

        yield from tqdm(items, total=total, desc="training", unit="epoch", leave=False)
        return
    for i, item in enumerate(items):
        filled = 40 * i // total
        bar = "#" * filled + "." * (40 - filled)
        print(f"\rtraining [{bar}] {i}/{total} epochs", end="", file=sys.stderr, flush=True)
        yield item
    print("\r\033[K", end="", file=sys.stderr, flush=True)


def table(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = []
    for i, row in enumerate(rows):
        cells = [row[0].ljust(widths[0]), *(c.rjust(n) for c, n in zip(row[1:], widths[1:]))]
        lines.append("  ".join(cells).rstrip())
        if i == 0:
            lines.append("  ".join("-" * n for n in widths))
    return "\n".join(lines)


def comparison(ways: list[Way], accuracies: list[float], errors: list[tuple[str, str]]) -> str:
    def row(label: str, cell: Callable[[Way], str]) -> list[str]:
        return [label, *map(cell, ways)]

    def loss(epoch: int, way: Way) -> str:
        return repr(way.epochs[epoch])

    def median(values: list[Any]) -> Any:
        return statistics.median(values)

    rows = [row("", lambda w: w.name)]
    for epoch in range(len(ways[0].epochs)):
        rows.append(row(f"loss, epoch {epoch + 1}", partial(loss, epoch)))
    rows += [
        ["test accuracy", *(f"{100 * a:.2f} %" for a in accuracies)],
        row("ms a step, median", lambda w: f"{median(w.times):.3f}"),
        row("ms for the first step", lambda w: f"{w.first:.2f}"),
        row("peak bytes of a step", lambda w: f"{median(w.peak):,.0f}"),
        row("nodes built a step", lambda w: f"{median(w.nodes):g}"),
        row("ops run a step", lambda w: f"{median(w.ops):g}"),
        ["a wrong shape shows", *(when for _, when in errors[: len(ways)])],
        ["  and names the line", *(line for line, _ in errors[: len(ways)])],
    ]
    return table(rows)


def cuda_name() -> str:
    return "tape on cuda, emulated" if tg.cuda.is_emulated() else "tape on cuda"


def trained(args: argparse.Namespace) -> tuple[list[Way], list[float]]:
    (images, labels), (test_images, test_labels) = split_digits(args.seed)
    ways: list[Way] = [
        Traced("tape", args.hidden, args.seed),
        Traced("graph line by line", args.hidden, args.seed, "lines"),
        Traced("planned and fused", args.hidden, args.seed, "fused"),
        Built("TensorFlow 1 style", args.hidden, args.seed),
        Traced(cuda_name(), args.hidden, args.seed, device="cuda"),
    ]
    random = np.random.default_rng(args.seed)
    batches = len(labels) // BATCH
    for _ in progress(range(args.epochs), args.epochs):
        order = random.permutation(len(labels))
        for b in range(batches):
            chosen = order[b * BATCH : (b + 1) * BATCH]
            x, y = tg.tensor(images[chosen]), tg.tensor(labels[chosen])
            for way in ways:  # in turn, so that a busy moment of the machine hits all alike
                way.measured_step(x, y)
        for way in ways:
            way.end_epoch()
    test = tg.tensor(test_images)
    return ways, [way.accuracy(test, test_labels) for way in ways]


def write_pictures(ways: list[Way], folder: Path) -> list[Path]:
    tape, fused = ways[0], ways[2]
    assert isinstance(fused, Traced)
    x, y = tg.zeros(BATCH, 64), tg.zeros(BATCH, dtype=tg.int64)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "tape.svg", folder / "graph.svg"]
    logits = tape.net(x)
    loss = F.cross_entropy(logits, y)
    paths[0].write_text(tg.tape_svg(loss), encoding="utf-8")
    paths[1].write_text(fused.run.program().svg(), encoding="utf-8")
    return paths


def parsed(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--hidden", type=int, default=64, help="width of the hidden layer")
    parser.add_argument("--seed", type=int, default=0, help="of the weights and of the shuffling")
    parser.add_argument("--threads", type=int, help="that share a kernel's work")
    parser.add_argument("--quick", action="store_true", help="5 epochs")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the two pictures")
    args = parser.parse_args(argv)
    if args.quick:
        args.epochs = 5
    args.convolution = args.epochs // 2 + 1
    if args.epochs < 1 or args.hidden < 1:
        parser.error("--epochs and --hidden are at least 1")
    return args


def main(argv: list[str] | None = None) -> int:
    args = parsed(argv)
    if args.threads:
        tg.set_num_threads(args.threads)
    print(
        f"a 64-{args.hidden}-10 network on 1,437 handwritten digits, tested on 360 others; batches "
        f"of {BATCH}, SGD\nwith momentum; {tg.cpu_level()}, {tg.get_num_threads()} threads\n"
    )
    start = time.perf_counter()
    ways, accuracies = trained(args)
    errors = planted_errors()
    print(comparison(ways, accuracies, errors))
    print(f"\n(where a size is None, the last shows it {errors[-1][1]}, and names {errors[-1][0]})")
    print(f"\n{demo_convolution.TITLE}\n")
    rows, equal, right = demo_convolution.trained(args.convolution, args.seed)
    print(table(rows), end="\n\n")
    for path in write_pictures(ways, args.out):
        print(f"wrote {path}")
    print(f"in {time.perf_counter() - start:.1f} s")

    failed = 0
    *here, there = ways
    if not equal or any(way.epochs != ways[0].epochs for way in here):
        print("FAILED: the losses differ", file=sys.stderr)
        failed = 1
    if not np.allclose(there.epochs, ways[0].epochs, rtol=CLOSE):
        print(f"FAILED: the losses on cuda differ by more than {CLOSE:g}", file=sys.stderr)
        failed = 1
    if min(right, *accuracies) < ENOUGH:
        print(f"FAILED: the test accuracy is below {100 * ENOUGH:g} %", file=sys.stderr)
        failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
