"""C++'s modules and optimisers have the twins' numbers: Python's, to the last bit, from one seed.

tests/twins/ has the program that plays the same cases in C++, in the same order.
"""

import os
import subprocess
from pathlib import Path
from struct import pack

import pytest
import tapegraph as tg
from tapegraph import nn

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TAPEGRAPH_BUILD", ROOT / "build" / "release"))
PROGRAM = BUILD / "twins"

pytestmark = pytest.mark.skipif(not PROGRAM.is_file(), reason=f"{PROGRAM} is not built")


def leaf(*shape):
    return tg.randn(*shape).requires_grad_()


def with_gradients(text, before, module, inputs, outputs):
    """As add_gradients in twins.cc, after what there is before."""
    floats = [y for y in outputs if y is not None and y.dtype.is_floating_point]
    loss = tg.tensor(0.0)
    for y in floats:
        loss = loss + (y * y).sum()
    loss.backward()
    return text, [*before, *outputs, *(t.grad for t in [*inputs, *module.parameters()])]


def layer(module, *shape):
    before = [t.clone() for t in module.state_dict().values()]
    x = leaf(*shape)
    text, tensors = with_gradients(repr(module), before, module, [x], [module(x * 1)])
    return text, [*tensors, *module.state_dict().values()]


def init():
    def made():
        return tg.empty(3, 5)

    return "", [
        nn.init.uniform_(made(), -1, 2),
        nn.init.normal_(made(), 1, 2),
        nn.init.trunc_normal_(made()),
        nn.init.xavier_uniform_(made(), 2),
        nn.init.xavier_normal_(made()),
        nn.init.kaiming_uniform_(made(), 0, "fan_out", "relu"),
        nn.init.kaiming_normal_(made(), 0.1),
        nn.init.eye_(made()),
    ]


CASES = {
    "Linear": lambda: layer(nn.Linear(3, 4), 5, 3),
    "Linear without bias": lambda: layer(nn.Linear(3, 4, False), 5, 3),
    "Sequential": lambda: layer(
        nn.Sequential(
            nn.Flatten(), nn.Linear(6, 4), nn.Identity(), nn.Tanh(), nn.Unflatten(1, (2, 2))
        ),
        *(5, 2, 3),
    ),
    "Sigmoid": lambda: layer(nn.Sigmoid(), 3, 4),
    "LogSigmoid": lambda: layer(nn.LogSigmoid(), 3, 4),
    "Softsign": lambda: layer(nn.Softsign(), 3, 4),
    "Tanhshrink": lambda: layer(nn.Tanhshrink(), 3, 4),
    "ReLU": lambda: layer(nn.ReLU(), 3, 4),
    "ReLU in place": lambda: layer(nn.ReLU(True), 3, 4),
    "ReLU6": lambda: layer(nn.ReLU6(), 3, 4),
    "SiLU in place": lambda: layer(nn.SiLU(True), 3, 4),
    "Mish": lambda: layer(nn.Mish(), 3, 4),
    "Hardsigmoid": lambda: layer(nn.Hardsigmoid(), 3, 4),
    "Hardswish": lambda: layer(nn.Hardswish(True), 3, 4),
    "LeakyReLU": lambda: layer(nn.LeakyReLU(1e-4, True), 3, 4),
    "ELU": lambda: layer(nn.ELU(0.5), 3, 4),
    "Hardtanh": lambda: layer(nn.Hardtanh(-0.5, 1.0), 3, 4),
    "GELU": lambda: layer(nn.GELU("tanh"), 3, 4),
    "Softplus": lambda: layer(nn.Softplus(2.0, 1.0), 3, 4),
    "Softmax": lambda: layer(nn.Softmax(1), 3, 4),
    "LogSoftmax": lambda: layer(nn.LogSoftmax(-1), 3, 4),
    "Softmin": lambda: layer(nn.Softmin(0), 3, 4),
    "GLU": lambda: layer(nn.GLU(), 3, 4),
    "PReLU": lambda: layer(nn.PReLU(4), 3, 4),
    "init": init,
}


@pytest.fixture(scope="module")
def printed():
    """By case what the program printed: a text, and each tensor's dtype and shape, and its bits."""
    out = subprocess.run([PROGRAM], capture_output=True, text=True, check=True).stdout
    cases = {}
    for line in out.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "case":
            texts, tensors = [], []
            cases[rest] = texts, tensors
        elif kind == "text":
            texts.append(rest.replace("\\n", "\n"))
        elif kind == "none":
            tensors.append(None)
        else:
            head, _, numbers = rest.partition(":")
            tensors.append((head, [bits(float.fromhex(n)) for n in numbers.split()]))
    return cases


def bits(number):
    return pack("<d", number)


def shown(tensor):
    if tensor is None:
        return None
    head = f"{str(tensor.dtype).split('.')[-1]} {tuple(tensor.shape)}"
    return head, [bits(float(v)) for v in tensor.detach().reshape(-1).tolist()]


def test_both_languages_play_the_same_cases(printed):
    assert list(printed) == list(CASES)


@pytest.mark.parametrize("name", CASES)
def test_twins_are_equal_to_the_last_bit(printed, name):
    texts, tensors = printed[name]
    tg.manual_seed(0)
    text, expected = CASES[name]()
    assert texts == [text]
    assert [t and t[0] for t in tensors] == [t and t[0] for t in map(shown, expected)]
    for i, (one, other) in enumerate(zip(tensors, map(shown, expected))):
        assert one == other, f"tensor {i}"
