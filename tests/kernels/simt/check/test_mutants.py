"""Each barrier of each kernel is deleted in turn, and the checks name the two lines that then race.
Other small faults are found by the checks or by the results: tests/mutants.py.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mutants import SCHEDULES, Build, Mutant, all_mutants, device_code, explained, is_killed

BUILD = Path(os.environ.get("TAPEGRAPH_BUILD", "no such folder")).resolve()
PROGRAM = BUILD / "check_rungs"
LIBRARY = "libtapegraph_checking.so"

pytestmark = pytest.mark.skipif(
    not PROGRAM.exists(), reason="TAPEGRAPH_BUILD does not name a build folder with checks"
)

MUTANTS = all_mutants()
BARRIERS = [m for m in MUTANTS if m.kind == "barrier"]


def errors_of(program: Path, schedule: str) -> str:
    environment = {**os.environ, "SIMT_SCHEDULE": schedule}
    run = subprocess.run(
        [program], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("schedule", ["forward", "reverse", "random"])
def test_no_kernel_has_a_report(schedule: str) -> None:
    assert errors_of(PROGRAM, schedule) == ""


def function_of(mutant: Mutant) -> tuple[int, int]:
    """The first and the last line of the function in which a mutant is."""
    text = mutant.file.read_text()
    begin, end = next(f for f in device_code(text) if f[0] <= mutant.begin < f[1])
    return text.count("\n", 0, begin) + 1, text.count("\n", 0, end) + 1


def lie_around(mutant: Mutant, report: str) -> bool:
    """Would a barrier where this one was stand between the two lines of the report?"""
    first_line, last_line = function_of(mutant)
    places = re.findall(r"(?:at|between|and) (\w+\.(?:cu|h)):(\d+)", report)
    if not any(file == mutant.file.name for file, _ in places):
        return False
    # Of lines in functions that are called around it, their numbers say nothing.
    if not all(
        file == mutant.file.name and first_line <= int(line) <= last_line for file, line in places
    ):
        return True
    (first, second), number = (int(line) for _, line in places[:2]), mutant.line
    # Without the barrier at a loop's head or end two rounds race: both lines stand on one side.
    low, high = sorted((first, second))
    if number < low <= high < number + 8 or number - 8 < low <= high < number or low == high:
        return True
    ordered = re.search(r"between \S+:(\d+) and \S+:(\d+)( of the next round)?", report)
    if ordered is None:
        return False
    before, after, wraps = int(ordered[1]), int(ordered[2]), ordered[3]
    return before < number < after or bool(wraps and not after < number < before)


@pytest.mark.parametrize("mutant", BARRIERS, ids=str)
def test_a_deleted_barrier_is_found_where_it_was(mutant: Mutant, tmp_path: Path) -> None:
    program = Build(BUILD, "check_rungs").made(mutant, tmp_path)
    assert program is not None
    for schedule in SCHEDULES:
        text = errors_of(program, schedule)
        races = re.findall(r"race in shared memory.*", text)
        fits = any(lie_around(mutant, race) for race in races)
        assert fits, f"{schedule}: no pair of lines around line {mutant.line} in\n{text}"


# Every 67th of the others: `./dev mutants` tries all of them.
@pytest.mark.parametrize("mutant", [m for m in MUTANTS if m not in BARRIERS][::67], ids=str)
def test_the_tests_of_the_kernels_see_a_bound_or_an_index_that_is_wrong(mutant: Mutant) -> None:
    assert is_killed(Build(BUILD), mutant) != (mutant.text in explained())


def test_each_survivor_is_a_mutant_and_has_a_reason() -> None:
    assert set(explained()) <= {m.text for m in MUTANTS}
    assert all(len(reason.split()) > 3 for reason in explained().values())


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
    mutant = next(m for m in BARRIERS if m.file.name == "cumsum.cu")
    library = Build(BUILD, LIBRARY).made(mutant, tmp_path / "made")
    assert library is not None
    (package / LIBRARY).symlink_to(library)
    scan = "import tapegraph as tg; tg.ones(4, 2000).to('cuda').cumsum(1)"
    error = run_python(package, scan).stderr
    assert "RuntimeError: cumsum (<string>:1): CUDA: " in error, error
    assert "in block (0, 0, 0)" in error or "of block (0, 0, 0)" in error, error
    assert "at cumsum.cu:" in error and "__syncthreads() between" in error, error


def test_python_is_told_that_the_library_is_missing(package: Path) -> None:
    error = run_python(package, SUM).stderr.splitlines()[-1]
    assert f": CUDA: TAPEGRAPH_CUDA=checking: there is no {LIBRARY} in {package}" in error
    assert error.endswith("build it with g++ on Linux (the CMake target tapegraph_checking)")
