"""Layers are PyTorch's: values, gradients, buffers, names, shapes and texts.

nn_recorded.json holds what PyTorch 2.15 gives in float64; record_nn.py beside it wrote it.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import tapegraph as tg
from tapegraph import nn

RECORDED = json.loads(Path(__file__).with_name("nn_recorded.json").read_text())
CALLED = [case for case in RECORDED["cases"] if case["inputs"] is not None]
MADE = [case for case in RECORDED["cases"] if case["args"] is not None]


def near(got, want):
    np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10)


def fill(shape, k):
    values = [((7 * i * i + 3 * i + 5 * k) % 31 - 15) / 16 for i in range(math.prod(shape))]
    return tg.tensor(values, dtype=tg.float64).reshape(list(shape))


def argument(spec):
    if isinstance(spec, dict) and "module" in spec:
        name, *args = spec["module"]
        return getattr(nn, name)(*map(argument, args))
    if isinstance(spec, dict) and "pair" in spec:
        return tuple(spec["pair"])
    if isinstance(spec, dict):
        return {key: argument(value) for key, value in spec.items()}
    return [argument(part) for part in spec] if isinstance(spec, list) else spec


def given(spec, leaves):
    if isinstance(spec, list):
        leaves.append(fill(spec, 3 + len(leaves)).requires_grad_())
        return leaves[-1]
    kind, value = next(iter(spec.items()))
    if kind == "pair":
        return tuple(given(part, leaves) for part in value)
    return value if kind == "plain" else tg.tensor(value)


def tensors(value):
    if isinstance(value, (tuple, list)):
        return [t for part in value for t in tensors(part)]
    return [] if value is None else [value]


def make(case):
    return getattr(nn, case["name"])(*map(argument, case["args"]), **case.get("options", {}))


def name_of(case):
    return f"{case['name']} {case['args']} {case['inputs']}"[:60]


@pytest.mark.parametrize("case", CALLED, ids=name_of)
@pytest.mark.parametrize("compiled", [False, True], ids=["tape", "compiled"])
def test_values_and_gradients_are_pytorchs(case, compiled):
    leaves = []
    if case["args"] is None:
        module = getattr(nn.functional, case["name"])
        parameters, buffers = {}, {}
    else:
        module = make(case).double()
        parameters, buffers = dict(module.named_parameters()), dict(module.named_buffers())
        with tg.no_grad():
            for k, parameter in enumerate(parameters.values()):
                parameter.copy_(fill(parameter.shape, k))
    values = [given(spec, leaves) for spec in case["inputs"]]
    if not case.get("leaf", True):
        values = [value.clone() for value in values]
    call = {key: given(spec, leaves) for key, spec in case.get("call", {}).items()}
    run = tg.compile(module) if compiled else module
    for _ in range(1, case.get("calls", 1)):
        run(*values, **call)
    if not case.get("train", True):
        module.eval()
    outputs = tensors(run(*values, **call))
    assert [list(out.shape) for out in outputs] == [shape for shape, _ in case["outputs"]]
    for out, (_, want) in zip(outputs, case["outputs"]):
        near(out.detach().flatten().tolist(), want)
    tg.stack(
        [(out * fill(out.shape, 11 + k)).sum() for k, out in enumerate(outputs)]
    ).sum().backward()
    for leaf, want in zip(leaves, case["gradients"]):
        near(leaf.grad.flatten().tolist(), want)
    assert list(parameters) == list(case["parameters"])
    for key, want in case["parameters"].items():
        near(parameters[key].grad.flatten().tolist(), want)
    assert list(buffers) == list(case["buffers"])
    for key, want in case["buffers"].items():
        near(buffers[key].flatten().tolist(), want)


@pytest.mark.parametrize("case", MADE, ids=name_of)
def test_names_shapes_and_texts_are_pytorchs(case):
    module = make(case)
    state = {key: list(value.shape) for key, value in module.state_dict().items()}
    assert list(state.items()) == list(case["state"].items())
    # Its output projection is a Linear of another name, against quantising.
    assert repr(module) == case["repr"].replace("NonDynamicallyQuantizableLinear", "Linear")
