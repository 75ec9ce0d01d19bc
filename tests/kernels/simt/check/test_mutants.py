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
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
KERNELS = ROOT / "kernels" / "cuda"
BUILD = Path(os.environ.get("TAPEGRAPH_BUILD", "no such folder"))
PROGRAM = BUILD / "check_rungs"
LIBRARY = "libtapegraph_checking.so"

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


def checked_objects(source: Path, number: int, folder: Path) -> tuple[str, list[Path]]:
    """The compiler, and the objects of kernels and emulator, one kernel without line `number`."""
    lines = source.read_text().splitlines()
    lines[number - 1] = ""
    mutant = folder / source.name
    mutant.write_text("\n".join(lines) + "\n")
    words, original = compile_command(source)
    replaced = {str(source): str(mutant), words[words.index("-o") + 1]: str(folder / "mutant.o")}
    subprocess.run([replaced.get(word, word) for word in words], cwd=BUILD, check=True)
    kernels = sorted(original.parent.glob("*.o"))
    objects = [folder / "mutant.o" if o == original else o for o in kernels]
    return words[0], objects + objects_of("tapegraph_checked_emulator")


def objects_of(target: str) -> list[Path]:
    return sorted((BUILD / "CMakeFiles" / f"{target}.dir").rglob("*.o"))


def built_mutant(source: Path, number: int, folder: Path) -> Path:
    compiler, objects = checked_objects(source, number, folder)
    objects += objects_of("check_rungs")
    program = folder / "mutant"
    subprocess.run([compiler, *objects, "-o", program, "-lpthread", "-ldl"], check=True)
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
        # Without the barrier at a loop's head two rounds race: both lines stand below it.
        rounds = any(number < int(first) <= int(second) < number + 8 for first, second in races)
        fits = (
            rounds
            or any(int(first) == int(second) < number for first, second in races)
            or any(
                int(first) < number < int(second)
                or (wraps and not int(second) < number < int(first))
                for first, second, wraps in re.findall(advice, text)
            )
        )
        assert fits, f"{schedule}: no pair of lines around line {number} in\n{text}"


def run_python(package: Path, code: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TAPEGRAPH_CUDA": "checking", "PYTHONPATH": str(package.parent)}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The built package, without its library of checked kernels."""
    built = BUILD / "python" / "tapegraph"
    if not list(built.glob("_C*.so")):
        pytest.skip("no Python module in the build folder")
    copy = tmp_path / "tapegraph"
    copy.mkdir()
    for file in built.iterdir():
        if file.name not in ("__pycache__", LIBRARY):
            (copy / file.name).symlink_to(file.resolve())
    return copy


SUM = "import tapegraph as tg; x = tg.ones(1, 256).to('cuda'); print(x.sum(1).to('cpu').tolist())"


def test_python_runs_kernels_under_the_checks(package: Path) -> None:
    (package / LIBRARY).symlink_to(BUILD / LIBRARY)
    name = "; print(tg._C._cuda_name())"
    assert run_python(package, SUM + name).stdout == "[256.0]\nchecking emulator\n"


def test_python_raises_what_the_checks_found(package: Path, tmp_path: Path) -> None:
    source = KERNELS / "cumsum.cu"
    number = next(n for name, n in MUTANTS if name == source.name)
    compiler, objects = checked_objects(source, number, tmp_path)
    objects += objects_of("tapegraph_checking")
    subprocess.run([compiler, "-shared", *objects, "-o", package / LIBRARY], check=True)
    scan = "import tapegraph as tg; tg.ones(4, 2000).to('cuda').cumsum(1)"
    error = run_python(package, scan).stderr
    assert "RuntimeError: cumsum (<string>:1): CUDA: " in error, error
    assert "in block (0, 0, 0)" in error or "of block (0, 0, 0)" in error, error
    assert "at cumsum.cu:" in error and "__syncthreads() between" in error, error


def test_python_is_told_that_the_library_is_missing(package: Path) -> None:
    error = run_python(package, SUM).stderr.splitlines()[-1]
    assert f": CUDA: TAPEGRAPH_CUDA=checking: there is no {LIBRARY} in {package}" in error
    assert error.endswith("build it with g++ on Linux (the CMake target tapegraph_checking)")
