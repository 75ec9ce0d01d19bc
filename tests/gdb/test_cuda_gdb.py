"""The recorded gdb scripts that follow one CUDA thread: what they print is checked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gdb_run import BUILD, gdb, needed

SCRIPT = Path(__file__).with_name("cuda_thread.gdb")
LESSON = Path(__file__).resolve().parents[2] / "tutorials" / "10_cuda_one"

pytestmark = needed


def sections(output: str) -> dict[str, list[str]]:
    """What the script printed with `print`, without the numbers, under each of its headings."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in output.splitlines():
        if line.startswith("--- "):
            heading = line.removeprefix("--- ")
            found[heading] = []
        elif line.startswith("$") and " = " in line and heading:
            found[heading].append(line.split(" = ", 1)[1])
    return found


def test_gdb_stays_in_one_cuda_thread_across_barriers() -> None:
    run = gdb("cuda_demo", "-x", SCRIPT)
    thread, block = "{x = 3, y = 2, z = 0}", "{x = 1, y = 0, z = 0}"
    assert sections(run.stdout) == {
        "at the start of the kernel": [thread, block, "{x = 16, y = 16, z = 1}"],
        "at the first barrier": ["3", "0"],
        "behind the first barrier": [thread, "4"],
        # A row of 3 times column 19, over the 16 elements of the first tile.
        "at the second barrier": ["912"],
        "behind the second barrier": [thread, block, "912"],
    }, run.stdout + run.stderr


@pytest.mark.parametrize("script", sorted(SCRIPT.parent.glob("*.gdb")), ids=lambda p: p.stem)
def test_a_script_says_how_to_run_it(script: Path) -> None:
    command = rf"^#   gdb -batch -x tests/gdb/{script.name} \$TAPEGRAPH_DEBUG_BUILD/(\w+)$"
    found = re.search(command, script.read_text(), re.MULTILINE)
    assert found and (Path(BUILD or "") / found[1]).is_file()


def test_the_session_of_the_lesson_prints_what_was_recorded() -> None:
    run = gdb("lesson_10_cuda_one_lesson", "-x", LESSON / "session.gdb")
    _, heading, rest = run.stdout.partition("--- ")
    lines = r"^(?:--- |\$\d+ = |\d+\t|block \(| ?\d+ [a-z]).*\n"
    printed = re.findall(lines, heading + rest, re.MULTILINE)
    assert "".join(printed) == (LESSON / "session.txt").read_text(), run.stdout + run.stderr
