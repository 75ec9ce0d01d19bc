"""Functions are PyTorch's: values, dtypes and gradients, on the tape and compiled.

ops_recorded.json and functional_recorded.json hold what PyTorch 2.15 gives in float64;
record_ops.py and record_functional.py beside them wrote them, and tests/op_cases.py reads a case
for either.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import tapegraph as tg
from op_cases import leaves_of, loss_of, outputs_of

CASES = [
    case
    for part in ("ops", "functional")
    for case in json.loads(Path(__file__).with_name(f"{part}_recorded.json").read_text())["cases"]
]


class Library:
    """tg with the two constants that PyTorch has beside its functions."""

    inf = math.inf
    nan = math.nan

    def __getattr__(self, name):
        return getattr(tg, name)


T = Library()


def near(got, want, dtype):
    tolerance = 1e-10 if dtype == "float64" else 1e-6
    np.testing.assert_allclose(np.array(got, float), np.array(want, float), tolerance, tolerance)


@pytest.mark.parametrize("case", CASES, ids=[case["expression"] for case in CASES])
def test_values_dtypes_and_gradients_are_pytorchs(case):
    leaves = leaves_of(T, case["shapes"])
    outputs = outputs_of(T, case["expression"], leaves)
    assert len(outputs) == len(case["outputs"])
    for output, (dtype, shape, values) in zip(outputs, case["outputs"]):
        assert str(output.dtype) == f"tapegraph.{dtype}"
        assert list(output.shape) == shape
        near(output.detach().flatten().tolist(), values, dtype)
        if all(v != 0 for v in values):
            continue
        signs = np.signbit(output.detach().cpu().numpy().astype(float).ravel())
        finite = ~np.isnan(np.array(values, float))
        assert (signs == np.signbit(np.array(values, float)))[finite].all()
    loss = loss_of(T, outputs)
    if loss is None:
        assert all(gradient is None for gradient in case["gradients"])
        return
    loss.backward()
    for leaf, gradient in zip(leaves, case["gradients"]):
        assert (leaf.grad is None) == (gradient is None)
        if gradient is not None:
            near(leaf.grad.flatten().tolist(), gradient, "float64")


@pytest.mark.parametrize("case", CASES, ids=[case["expression"] for case in CASES])
def test_a_compiled_function_gives_the_tapes_bits(case):
    leaves, again = leaves_of(T, case["shapes"]), leaves_of(T, case["shapes"])
    tape = outputs_of(T, case["expression"], leaves)
    compiled = tg.compile(lambda *x: outputs_of(T, case["expression"], x))
    program = compiled(*again)
    for a, b in zip(tape, program):
        assert a.dtype == b.dtype and a.requires_grad == b.requires_grad
        assert a.detach().numpy().tobytes() == b.detach().numpy().tobytes()
    loss = loss_of(T, tape)
    if loss is None:
        return
    loss.backward()
    loss_of(T, program).backward()
    for a, b in zip(leaves, again):
        assert (a.grad is None) == (b.grad is None)
        assert a.grad is None or a.grad.numpy().tobytes() == b.grad.numpy().tobytes()
