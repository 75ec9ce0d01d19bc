"""`dev`: its list of commands, `format`, `gpu`, `gdb`, `fuzz` and `test --peers`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import gpu
import pytest
from peers import ROOT, TOLERANCES, differences

DEV = ROOT / "dev"
BUILD = Path(os.environ.get("TAPEGRAPH_BUILD", ROOT / "build" / "release"))


def run(*command: object, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


# ---- the list -----------------------------------------------------------------------------------
def test_dev_alone_lists_every_command() -> None:
    listed = run(DEV)
    assert listed.returncode == 0
    commands = set(re.findall(r"^([a-z]+)\)$", DEV.read_text(), re.MULTILINE))
    assert {"demo", "test", "fuzz", "gdb"} <= commands
    assert commands == set(re.findall(r"^  \./dev (\w+)", listed.stdout, re.MULTILINE))


def test_an_unknown_command_is_refused() -> None:
    refused = run(DEV, "fuz")
    assert refused.returncode == 1
    assert refused.stderr.endswith("dev: there is no command 'fuz'\n")


# ---- ./dev format -------------------------------------------------------------------------------
def test_every_file_is_formatted() -> None:
    found = run(DEV, "format", "--check")
    assert found.returncode == 0, found.stdout + found.stderr


# ---- ./dev gpu ----------------------------------------------------------------------------------
@pytest.mark.skipif(gpu.devices()[0] > 0, reason="there is a GPU")
def test_gpu_says_that_there_is_none() -> None:
    refused = run(DEV, "gpu")
    assert refused.returncode == 1
    assert "there is no GPU here" in refused.stderr
    assert "./dev test kernels/cuda" in refused.stderr


def test_the_report_has_every_part_and_says_which_failed(tmp_path, monkeypatch, capsys) -> None:
    ladders = gpu.parts(BUILD, emulator=True)[2]
    parts = [gpu.Part("Broken", ["sh", "-c", "echo why; exit 3"]), ladders]
    monkeypatch.setattr(gpu, "parts", lambda build, emulator: parts)
    assert gpu.report(tmp_path, emulator=True) == 1
    assert capsys.readouterr().out.endswith("FAILED: Broken\n")
    report = (tmp_path / "report.md").read_text()
    assert "## Broken: FAILED\n\n```\nwhy\n```\n" in report
    assert "## Ladders: passed" in report
    assert re.search(r"^\| matmul, float32, side 20 \| tiled \| [\d.]+ \|", report, re.MULTILINE)


# ---- ./dev gdb ----------------------------------------------------------------------------------
@pytest.fixture
def played(tmp_path: Path):
    """./dev in a folder of its own, where cmake and gdb only say what they were asked: what a run
    of it printed, and these words."""
    (tmp_path / ".ci").mkdir()
    bin, venv, debug = tmp_path / "bin", tmp_path / "build" / "venv", tmp_path / "build" / "debug"
    for folder in bin, venv / "bin", debug:
        folder.mkdir(parents=True)
    for name in "dev", ".ci/tests.sh":
        shutil.copy(ROOT / name, tmp_path / name)
    (packages,) = re.findall(r'^packages="(.*?)"$', DEV.read_text(), re.MULTILINE | re.DOTALL)
    (venv / "packages").write_text(packages + "\n")
    script(venv / "bin" / "python", "exit 1")
    asked = tmp_path / "asked"
    version = '[ "$1" = --version ] && echo "cmake version 3.25.1" && exit'
    script(bin / "cmake", f'{version}; echo "cmake $*" >>{asked}')
    script(bin / "gdb", f'echo "gdb $*" >>{asked}')
    lines = ["tapegraph_tests", "lesson_01_tensors_lesson", "lesson_10_cuda_one_practice"]
    lines += ["lesson_10_cuda_one_lesson", "product"]
    rule = "CXX_EXECUTABLE_LINKER__"
    ninja = "".join(f"build {line}: {rule}{line}_Debug main.o\n" for line in lines)
    (debug / "build.ninja").write_text(ninja + "build libtapegraph.a: CXX_STATIC_LIBRARY_LINKER\n")

    def play(*words: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
        asked.write_text("")
        path = os.pathsep.join([str(bin), os.environ["PATH"]])
        return run(tmp_path / "dev", *words, PATH=path), asked.read_text().splitlines()

    return play


PROGRAMS = "cmake --build --preset debug --target build.ninja"


@pytest.mark.parametrize(
    ("words", "target"),
    [
        (["1"], "lesson_01_tensors_lesson"),
        (["-x", "some.gdb", "10", "20"], "lesson_10_cuda_one_lesson"),
        (["lesson_10_cuda_one_practice"], "lesson_10_cuda_one_practice"),
        (["-ex", "run", "product"], "product"),
    ],
)
def test_gdb_builds_its_program_alone(played, words: list[str], target: str) -> None:
    done, asked = played("gdb", *words)
    assert done.returncode == 0, done.stderr
    program = f"--args build/debug/{target}"
    at = next(
        i for i, word in enumerate(words) if words[i - 1] not in ("-x", "-ex") and word[0] != "-"
    )
    gdb = [
        "gdb -q -d build/debug -x core/gdb/tapegraph.gdb",
        *words[:at],
        program,
        *words[at + 1 :],
    ]
    assert asked == [PROGRAMS, f"cmake --build --preset debug --target {target}", " ".join(gdb)]


def test_gdb_of_python_builds_the_module(played) -> None:
    _, (_, built, started) = played("gdb", "python", "-c", "pass")
    assert built == "cmake --build --preset debug --target tapegraph_python"
    assert re.fullmatch(r"gdb .* --args \S*/venv/bin/python -c pass", started)


def test_gdb_without_a_program_lists_them_and_builds_none(played) -> None:
    done, asked = played("gdb")
    assert asked == [PROGRAMS]
    _, *listed = done.stdout.split("\n  ")
    assert [name.strip() for name in listed] == [
        "lesson_01_tensors_lesson",
        "lesson_10_cuda_one_lesson",
        "lesson_10_cuda_one_practice",
        "tapegraph_tests",
    ]


@pytest.mark.parametrize("word", ["13", "produkt", "libtapegraph", "a/b"])
def test_gdb_refuses_what_is_no_program(played, word: str) -> None:
    done, asked = played("gdb", word)
    assert done.returncode == 1 and asked == [PROGRAMS]
    assert done.stderr.endswith(f"dev: no program {word} in build/debug\n")


# ---- ./dev fuzz ---------------------------------------------------------------------------------
FUZZ = [sys.executable, ROOT / "tests" / "fuzz.py", "0", "--batch", "5", "--program"]


def test_fuzz_runs_each_kind_and_closes_with_one_line(tmp_path: Path) -> None:
    program = BUILD / "tapegraph_tests"
    if not program.exists():
        pytest.skip("no C++ tests are built")
    found = run(*FUZZ, program)
    assert found.returncode == 0, found.stdout + found.stderr
    line = r"5 programs in C\+\+ and 5 programs in NumPy, from seed \d+ on, in \d+ s: 0 failed\n"
    assert re.fullmatch(line, found.stdout)


def test_fuzz_says_the_seed_that_fails_and_how_to_run_it_again(tmp_path: Path) -> None:
    told = (
        'echo "ERROR: seed 42: one program, from $TAPEGRAPH_FUZZ_FROM, of $TAPEGRAPH_FUZZ"; exit 1'
    )
    program = script(tmp_path / "tests", told)
    found = run(*FUZZ, program)
    assert found.returncode == 1
    assert re.search(r"one program, from \d{13}, of 5\n", found.stdout)
    again = f"TAPEGRAPH_FUZZ_SEED=42 {program} '-tc=random programs give*'"
    assert f"C++ fails at seed 42; again:\n    {again}\n" in found.stdout
    assert found.stdout.endswith("s: 1 failed\n")


def test_fuzz_says_between_which_seeds_a_program_died(tmp_path: Path) -> None:
    program = script(tmp_path / "tests", "exit 139")
    found = run(*FUZZ, program)
    assert found.returncode == 1
    line = r"C\+\+ died between the seeds (\d+) and (\d+); again:\n    TAPEGRAPH_FUZZ_FROM=(\d+) "
    first, last, start = re.search(line + "TAPEGRAPH_FUZZ=5 ", found.stdout).groups()
    assert first == start
    assert int(last) == int(first) + 4


@pytest.mark.parametrize(
    ("told", "want"),
    [
        ({"TAPEGRAPH_FUZZ_SEED": "9", "TAPEGRAPH_FUZZ": "50"}, "9 1"),
        ({"TAPEGRAPH_FUZZ_FROM": "7", "TAPEGRAPH_FUZZ": "50"}, "7 50"),
    ],
)
def test_the_numpy_fuzzer_begins_where_it_is_told(told: dict[str, str], want: str) -> None:
    code = "import test_fuzz_numpy as f; print(f.FIRST, f.COUNT)"
    path = os.pathsep.join([str(ROOT / "tests" / "python"), os.environ.get("PYTHONPATH", "")])
    found = run(sys.executable, "-c", code, PYTHONPATH=path, **told)
    assert found.stdout.strip() == want, found.stderr


# ---- ./dev test --peers -------------------------------------------------------------------------
ALL = len(TOLERANCES)

# A Python that is asked for record_<name>.py and "records" what is committed, edited by sed.
PLAYED = """
name=$(basename "$1" .py)
name=${name#record_}
sed "$EDIT" tests/python/${name}_recorded.json >"$(dirname "$1")/${name}_recorded.json"
"""


def test_peers_agree_where_the_recordings_are_the_same(tmp_path: Path) -> None:
    python = script(tmp_path / "python", PLAYED)
    found = run(DEV, "test", "--peers", "--peer-python", python, EDIT="")
    assert found.stdout == f"{ALL} of {ALL} recordings are what PyTorch gives\n", found.stderr
    assert found.returncode == 0


def test_peers_fail_where_a_number_is_another(tmp_path: Path) -> None:
    python = script(tmp_path / "python", PLAYED)
    found = run(DEV, "test", "--peers", "--peer-python", python, EDIT='s/"correct": /"correct": 1/')
    assert found.returncode == 1
    assert re.match(r"digits\.float64\.correct: 1\d+, but \d+ is recorded\n", found.stdout)
    assert found.stdout.endswith(f"{ALL - 1} of {ALL} recordings are what PyTorch gives\n")


def test_peers_say_why_a_script_failed(tmp_path: Path) -> None:
    python = script(tmp_path / "python", "echo no torch here >&2; exit 1")
    found = run(DEV, "test", "--peers", "--peer-python", python)
    assert found.returncode == 1
    assert "ops record_ops.py failed:\nno torch here\n" in found.stdout
    assert found.stdout.endswith(f"0 of {ALL} recordings are what PyTorch gives\n")


def test_peers_take_no_other_words() -> None:
    found = run(DEV, "test", "--peers", "ops")
    assert found.returncode == 1
    assert found.stderr == "dev: ./dev test --peers [--peer-python PYTHON]\n"


def test_numbers_are_compared_to_the_tolerance_of_their_dtype() -> None:
    def compared(got: object, want: object) -> list[str]:
        return differences(got, want, {"": 1e-10, "float32": 1e-6})

    near = ["float32", [2], [1.0 + 1e-7, float("nan")]]
    want = ["float32", [2], [1.0, float("nan")]]
    assert compared({"outputs": [near]}, {"outputs": [want]}) == []
    near[0] = want[0] = "float64"
    (line,) = compared({"outputs": [near]}, {"outputs": [want]})
    assert line == ".outputs[0][2][0]: 1.0000001, but 1.0 is recorded"
    assert compared([1, True, "a", None], [1, True, "a", None]) == []
    assert len(compared([1, 2], [1])) == len(compared({"a": 1}, {"b": 1})) == 1
    assert len(compared([1, True, "a", None], [2, False, "b", 0.0])) == 4
    assert compared(float("inf"), 1e300) == [": inf, but 1e+300 is recorded"]


def test_every_recording_has_its_tolerance() -> None:
    scripts = (ROOT / "tests" / "python").glob("record_*.py")
    assert set(TOLERANCES) == {path.stem[len("record_") :] for path in scripts}
