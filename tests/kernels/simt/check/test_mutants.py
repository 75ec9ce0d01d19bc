"""Each barrier of each kernel is deleted in turn, and the checks name the two lines that then race.

A mutant is a copy of the .cu file with one line empty, compiled as the build compiles the original,
and linked with the build's other objects.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
KERNELS = ROOT / "kernels" / "cuda"
BUILD = Path(os.environ.get("TAPEGRAPH_BUILD", "no such folder"))
PROGRAM = BUILD / "check_rungs"

pytestmark = pytest.mark.skipif(
    not PROGRAM.exists(), reason="TAPEGRAPH_BUILD does not name a build folder with checks"
)

MUTANTS = [
    (source.name, number)
    for source in sorted(KERNELS.glob("*.cu"))
    for number, line in enumerate(source.read_text().splitlines(), 1)
    if line.strip() == "__syncthreads();"
]


def errors_of(program: Path, schedule: str) -> str:
    environment = {**os.environ, "SIMT_SCHEDULE": schedule}
    run = subprocess.run(
        [program], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def compile_command(source: Path) -> tuple[list[str], Path]:
    """How the build compiles `source` for the checks, without its compiler launcher."""
    commands = json.loads((BUILD / "compile_commands.json").read_text())
    for entry in commands:
        words = shlex.split(entry["command"])
        output = words[words.index("-o") + 1]
        if entry["file"] == str(source) and "tapegraph_checked_kernels" in output:
            return words[1:] if Path(words[0]).name == "ccache" else words, BUILD / output
    raise AssertionError(f"{source} is not in compile_commands.json")


def built_mutant(source: Path, number: int, folder: Path) -> Path:
    lines = source.read_text().splitlines()
    lines[number - 1] = ""
    mutant = folder / source.name
    mutant.write_text("\n".join(lines) + "\n")
    words, original = compile_command(source)
    replaced = {str(source): str(mutant), words[words.index("-o") + 1]: str(folder / "mutant.o")}
    subprocess.run([replaced.get(word, word) for word in words], cwd=BUILD, check=True)
    kernels = sorted(original.parent.glob("*.o"))
    objects = [folder / "mutant.o" if o == original else o for o in kernels]
    for target in ("tapegraph_checked_emulator", "check_rungs"):
        objects += sorted((BUILD / "CMakeFiles" / f"{target}.dir").rglob("*.o"))
    program = folder / "mutant"
    subprocess.run([words[0], *objects, "-o", program, "-lpthread", "-ldl"], check=True)
    return program


@pytest.mark.parametrize("schedule", ["forward", "reverse", "random"])
def test_no_kernel_has_a_report(schedule: str) -> None:
    assert errors_of(PROGRAM, schedule) == ""


@pytest.mark.parametrize(("name", "number"), MUTANTS)
def test_a_deleted_barrier_is_found_where_it_was(name: str, number: int, tmp_path: Path) -> None:
    program = built_mutant(KERNELS / name, number, tmp_path)
    place = rf"{re.escape(name)}:(\d+)"
    for schedule in ("forward", "reverse", "random"):
        text = errors_of(program, schedule)
        races = re.findall(rf"race in shared memory.* at {place} and .* it at {place}, .*", text)
        advice = rf"race in shared memory.*between {place} and {place}( of the next round)?"
        fits = any(int(first) == int(second) < number for first, second in races) or any(
            int(first) < number < int(second) or (wraps and not int(second) < number < int(first))
            for first, second, wraps in re.findall(advice, text)
        )
        assert fits, f"{schedule}: no pair of lines around line {number} in\n{text}"
