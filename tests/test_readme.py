"""The README's Python runs and prints what it says."""

import contextlib
import io
import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_the_readmes_python_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(blocks) == 2
    printed = io.StringIO()
    scope: dict[str, object] = {}
    with contextlib.redirect_stdout(printed):
        for block in blocks:
            exec(compile(block, str(README), "exec"), scope)
    lines = printed.getvalue().splitlines()
    assert lines[:2] == ["73.0 tensor([18., 64.])"] * 2
    assert lines[2].startswith("program loss")
    assert [round(float(w), 5) for w in scope["w"]] == [0.7, 1.6]


def test_every_link_leads_somewhere() -> None:
    prose = re.sub(r"```.*?```", "", README.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)\)", prose):
        assert target.startswith("http") or (README.parent / target).exists(), target
