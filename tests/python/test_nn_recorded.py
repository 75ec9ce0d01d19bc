"""Layers are PyTorch's: values, gradients, buffers, names, shapes and texts.

nn_recorded.json holds what PyTorch 2.15 gives in float64; record_nn.py beside it wrote it, and
tests/nn_cases.py plays a case with either.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import tapegraph as tg
from nn_cases import make, played

RECORDED = json.loads(Path(__file__).with_name("nn_recorded.json").read_text())
CALLED = [case for case in RECORDED["cases"] if case["inputs"] is not None]
MADE = [case for case in RECORDED["cases"] if case["args"] is not None]


def near(got, want):
    np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10)


def name_of(case):
    return f"{case['name']} {case['args']} {case['inputs']}"[:60]


@pytest.mark.parametrize("case", CALLED, ids=name_of)
@pytest.mark.parametrize("compiled", [False, True], ids=["tape", "compiled"])
def test_values_and_gradients_are_pytorchs(case, compiled):
    got = played(tg, case, tg.compile if compiled else lambda module: module)
    assert [shape for shape, _ in got["outputs"]] == [shape for shape, _ in case["outputs"]]
    for (_, values), (_, want) in zip(got["outputs"], case["outputs"]):
        near(values, want)
    for values, want in zip(got["gradients"], case["gradients"]):
        near(values, want)
    for part in ("parameters", "buffers"):
        assert list(got[part]) == list(case[part])
        for key, want in case[part].items():
            near(got[part][key], want)


@pytest.mark.parametrize("case", MADE, ids=name_of)
def test_names_shapes_and_texts_are_pytorchs(case):
    module = make(tg, case)
    state = {key: list(value.shape) for key, value in module.state_dict().items()}
    assert list(state.items()) == list(case["state"].items())
    # Its output projection is a Linear of another name, against quantising.
    assert repr(module) == case["repr"].replace("NonDynamicallyQuantizableLinear", "Linear")
