"""tutorials/COMING_FROM_PYTORCH.md says what is so, and its examples print what they say."""

import builtins
import re
from pathlib import Path

import numpy as np
import pytest
import tapegraph as tg
from pytorch_differences import DIFFERENCES
from pytorch_instead import INSTEAD
from pytorch_page import NAMES, PAGE, is_here, missing, page, shared

EXAMPLES = {entry.what: entry.example for entry in DIFFERENCES}
EXAMPLES |= {entry.names: entry.example for entry in INSTEAD}
ERRORS = [(line, kind) for entry in DIFFERENCES for line, kind in entry.fails.items()]


def scope() -> dict[str, object]:
    return {"tg": tg, "nn": tg.nn, "F": tg.nn.functional, "np": np}


def test_the_page_is_what_the_sources_say() -> None:
    assert PAGE.read_text() == page(), "run  ./dev python tests/pytorch_page.py"


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_an_example_prints_what_it_says(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(example, scope())
    said = re.findall(r"print\(.*\)  # (.+)$", example, re.MULTILINE)
    assert said and capsys.readouterr().out.splitlines() == said


@pytest.mark.parametrize(("line", "kind"), ERRORS, ids=[line for line, _ in ERRORS])
def test_what_is_said_to_be_an_error_is_one(line: str, kind: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(getattr(builtins, kind)):
        eval(line, scope())


def test_what_is_replaced_is_one_of_pytorchs_names() -> None:
    for entry in INSTEAD:
        for name in entry.names.split():
            where, _, last = name.rpartition(".")
            assert last in NAMES[where], name


def test_each_name_is_either_here_or_missing_and_once() -> None:
    for where, names in NAMES.items():
        lacking = [name for topic in missing(where).values() for name in topic]
        assert sorted(shared(where) + lacking) == sorted(names) == sorted(set(names))


def test_names_are_looked_for_where_pytorch_has_them() -> None:
    assert is_here("torch", "exp") and is_here("torch.Tensor", "exp_")
    assert is_here("torch.optim.lr_scheduler", "OneCycleLR")
    assert not is_here("torch", "complex64") and not is_here("torch.fft", "fft")


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", re.sub(r"```.*?```", "", PAGE.read_text(), flags=16)):
        assert (PAGE.parent / target).exists(), target
