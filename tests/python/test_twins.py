"""C++'s modules and optimisers have the twins' numbers: Python's, to the last bit, from one seed.

tests/twins/ has the program that plays the same cases in C++, in the same order.
"""

import os
import subprocess
from pathlib import Path
from struct import pack

import pytest
import tapegraph as tg
from twin_cases import CASES

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TAPEGRAPH_BUILD", ROOT / "build" / "release"))
PROGRAM = BUILD / "twins"

pytestmark = pytest.mark.skipif(not PROGRAM.is_file(), reason=f"{PROGRAM} is not built")


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
