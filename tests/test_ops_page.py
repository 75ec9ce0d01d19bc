"""tutorials/OPS.md says what the sources say, and the sources say enough."""

import re

import pytest
import tapegraph as tg
from ops_page import PAGE, declarations, page, records, sections

FAMILIES = records()
OPS = [op for ops in FAMILIES.values() for op in ops]
SECTIONS = sections({op.name for op in OPS})


def test_the_page_is_what_the_sources_say() -> None:
    assert PAGE.read_text() == page(), "run  ./dev python tests/ops_page.py"


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_every_record_has_its_shapes_and_its_gradient_in_a_line(op) -> None:
    assert op.shapes, f"no line above the shape rule of {op.name}"
    assert op.differentiable == bool(op.gradient), f"no formula above the gradient of {op.name}"
    assert not op.differentiable or "=>" in op.gradient, f"{op.name}: {op.gradient}"


def test_every_declared_function_has_a_row() -> None:
    pattern = r"^(?!inline|template|requires)\w[^\n(]* (\w+)\("
    declared = set(re.findall(pattern, declarations(), re.M))
    assert declared == {call.name for section in SECTIONS for call in section.calls}


def test_every_function_of_python_is_on_the_page() -> None:
    on = set(re.findall(r"^\| `(\w+)[(`]", PAGE.read_text(), re.M))
    of_c = type(tg.exp)
    ours = {name for name in tg.__all__ if type(getattr(tg, name)) is of_c}
    assert len(ours) > 150 and ours <= on, sorted(ours - on)
    assert set(tg.nn.functional.__all__) <= on, sorted(set(tg.nn.functional.__all__) - on)


def test_a_composition_names_what_it_is_made_of() -> None:
    uses = {call.name: call.uses for section in SECTIONS for call in section.calls}
    assert uses["silu"] == ["mul", "sigmoid"]
    assert uses["topk"] == ["argsort", "gather", "reshape", "sort"]
    assert uses["diagonal"] == ["diagonal"]
    names = set(uses) | {op.name for op in OPS}
    for call, parts in uses.items():
        assert parts or call in {"in_place", "manual_seed", "rng_state", "set_rng_state"}, call
        assert set(parts) <= names
