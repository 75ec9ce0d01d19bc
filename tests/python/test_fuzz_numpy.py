"""Random programs in float64, step by step beside NumPy: values, views and in-place writes.

Every step is applied to a tape tensor and to a NumPy array; the whole program is then compiled and
run again. TAPEGRAPH_FUZZ sets how many programs there are, TAPEGRAPH_FUZZ_FROM the first's seed;
TAPEGRAPH_FUZZ_SEED runs one alone.
"""

from __future__ import annotations

import os
import random
from typing import Any, Callable

import numpy as np
import pytest
import tapegraph as tg

ALONE = os.environ.get("TAPEGRAPH_FUZZ_SEED")
FIRST = int(ALONE or os.environ.get("TAPEGRAPH_FUZZ_FROM", "0"))
COUNT = 1 if ALONE else int(os.environ.get("TAPEGRAPH_FUZZ", "150"))
Step = tuple[str, Callable[[list[Any]], Any]]


class Program:
    """A list of steps over a pool of values; the same steps run on tensors and on arrays."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.starts = [self.numbers.standard_normal(self.shape()) for _ in range(3)]
        self.steps: list[tuple[str, Callable[[Any, list[Any]], None]]] = []
        self.shapes = [a.shape for a in self.starts]
        for _ in range(self.random.randint(3, 10)):
            getattr(self, self.random.choice(KINDS))()

    def shape(self) -> tuple[int, ...]:
        return tuple(self.random.choice([0, 1, 2, 3, 4]) for _ in range(self.random.randint(0, 3)))

    def pick(self) -> int:
        return self.random.randrange(len(self.shapes))

    def add(
        self, words: str, shape: tuple[int, ...], run: Callable[[Any, list[Any]], None]
    ) -> None:
        self.steps.append((words, run))
        self.shapes.append(shape)

    def unary(self) -> None:
        i, name = self.pick(), self.random.choice(["exp", "tanh", "neg", "relu", "abs", "sign"])

        def run(on_tensors: bool, v: list[Any]) -> None:
            if on_tensors:
                v.append(getattr(tg, name)(v[i]))
            elif name == "relu":
                v.append(np.maximum(v[i], 0))
            else:
                v.append(getattr(np, {"neg": "negative"}.get(name, name))(v[i]))

        self.add(f"{name} {i}", self.shapes[i], run)

    def binary(self) -> None:
        i, j = self.pick(), self.pick()
        name = self.random.choice(["add", "sub", "mul", "maximum"])
        try:
            shape = np.broadcast_shapes(self.shapes[i], self.shapes[j])
        except ValueError:
            return
        numpy_name = {"sub": "subtract", "mul": "multiply"}.get(name, name)

        def run(on_tensors: bool, v: list[Any]) -> None:
            v.append(
                getattr(tg if on_tensors else np, name if on_tensors else numpy_name)(v[i], v[j])
            )

        self.add(f"{name} {i} {j}", shape, run)

    def compare(self) -> None:
        i = self.pick()

        def run(on_tensors: bool, v: list[Any]) -> None:
            v.append(
                tg.where(v[i] > 0.1, v[i], v[i] * 2.0)
                if on_tensors
                else np.where(v[i] > 0.1, v[i], v[i] * 2.0)
            )

        self.add(f"where {i}", self.shapes[i], run)

    def reduce(self) -> None:
        i = self.pick()
        shape = self.shapes[i]
        if not shape:
            return
        dim, keep = self.random.randrange(len(shape)), self.random.random() < 0.5
        name = self.random.choice(["sum", "mean", "amax"] if shape[dim] else ["sum"])
        after = tuple(1 if d == dim else n for d, n in enumerate(shape) if keep or d != dim)

        def run(on_tensors: bool, v: list[Any]) -> None:
            v.append(
                getattr(tg, name)(v[i], dim, keep)
                if on_tensors
                else getattr(np, name)(v[i], axis=dim, keepdims=keep)
            )

        self.add(f"{name} {i} dim {dim}", after, run)

    def product(self) -> None:
        i = self.pick()
        shape = self.shapes[i]
        if len(shape) < 2:
            return

        def run(on_tensors: bool, v: list[Any]) -> None:
            v.append(v[i] @ (v[i].transpose(-2, -1) if on_tensors else np.swapaxes(v[i], -2, -1)))

        self.add(f"matmul {i}", (*shape[:-1], shape[-2]), run)

    def turn(self) -> None:
        i = self.pick()
        order = list(range(len(self.shapes[i])))
        self.random.shuffle(order)

        def run(on_tensors: bool, v: list[Any]) -> None:
            v.append(v[i].permute(*order) if on_tensors else np.transpose(v[i], order))

        if order:
            self.add(f"permute {i} {order}", tuple(self.shapes[i][d] for d in order), run)

    def part(self) -> None:
        i = self.pick()
        shape = self.shapes[i]
        if not shape or not shape[0]:
            return
        begin = self.random.randrange(shape[0])
        index: Any = begin if self.random.random() < 0.5 else slice(begin, None, 2)
        after = shape[1:] if isinstance(index, int) else (len(range(shape[0])[index]), *shape[1:])

        def run(on_tensors: bool, v: list[Any]) -> None:
            v.append(v[i][index] if on_tensors else v[i][index, ...])

        self.add(f"{i}[{index}]", after, run)

    def write(self) -> None:
        """v[i] *= 0.5; v[i] += v[j]: seen through every view of the same memory."""
        i, j = self.random.randrange(len(self.starts), max(len(self.shapes), 4)), self.pick()
        if i >= len(self.shapes):
            return
        try:
            fits = np.broadcast_shapes(self.shapes[i], self.shapes[j]) == self.shapes[i]
        except ValueError:
            return

        def run(on_tensors: bool, v: list[Any]) -> None:
            v[i] *= 0.5
            if fits:
                v[i] += v[j] * 1.0

        self.steps.append((f"write {i} {j}", run))

    def run(self, on_tensors: bool, starts: list[Any]) -> list[Any]:
        values = [s * 1.0 for s in starts]
        values = [v if on_tensors else np.array(v) for v in values]
        for _, step in self.steps:
            step(on_tensors, values)
            if not on_tensors and not isinstance(values[-1], np.ndarray):
                values[-1] = np.array(values[-1])  # NumPy gives numbers for no dims
        return values


KINDS = [
    "unary",
    "binary",
    "compare",
    "reduce",
    "product",
    "turn",
    "part",
    "part",
    "write",
    "write",
]


@pytest.mark.parametrize("block", range(5))
def test_random_programs_give_numpys_values_on_the_tape_and_compiled(block: int) -> None:
    for seed in range(FIRST + block * COUNT // 5, FIRST + (block + 1) * COUNT // 5):
        program = Program(seed)
        expected = program.run(False, [np.array(s) for s in program.starts])
        starts = [tg.tensor(s) for s in program.starts]
        words = f"seed {seed}: " + "; ".join(w for w, _ in program.steps)
        fast = tg.compile(lambda *s, program=program: program.run(True, list(s)))
        for found in (program.run(True, starts), fast(*starts), fast(*starts)):
            for k, (a, b) in enumerate(zip(found, expected)):
                np.testing.assert_allclose(
                    a.numpy(), b, rtol=1e-12, atol=1e-12, err_msg=f"value {k} of {words}"
                )
