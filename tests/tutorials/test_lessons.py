"""Every lesson, in both languages: what it prints, and what its checker says of solutions.

The programs are found in the build folder that TAPEGRAPH_BUILD names. After a change that is meant,
TAPEGRAPH_RECORD=1 writes each lesson's expected.txt anew, from its C++ program.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tapegraph import datasets

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

ROOT = Path(__file__).resolve().parents[2]
SOLUTIONS = Path(__file__).with_name("solutions")
BUILD = os.environ.get("TAPEGRAPH_BUILD")
LESSONS = sorted(folder.name for folder in (ROOT / "tutorials").glob("[0-9]*"))

needs_build = pytest.mark.skipif(
    BUILD is None, reason="TAPEGRAPH_BUILD does not name a build folder"
)

# A source line reads `lesson.cc:12` in the program and `cell 3, line 2` in the notebook.
LINE = re.compile(r"[\w.]+\.(?:cc|cu|h|py):\d+|cell \d+, line \d+")


WITH_KERNELS = [
    lesson for lesson in LESSONS if (ROOT / "tutorials" / lesson / "lesson.cu").exists()
]
# Lessons whose kernels are checked: those programs are built by g++ on Linux only.
CHECKED = {
    lesson
    for lesson in LESSONS
    if "tutorials/counters.h" in (ROOT / "tutorials" / lesson / "lesson.cc").read_text()
}
can_check = sys.platform == "linux" and shutil.which("g++") is not None


def program_of(lesson: str, name: str) -> Path:
    program = Path(BUILD or "") / f"lesson_{lesson}_{name}"
    if lesson in CHECKED and not program.exists():
        pytest.skip("built without the checks of CUDA kernels")
    return program


def notebook_lessons() -> list[object]:
    mark = pytest.mark.skipif(not can_check, reason="no g++ on Linux, which the checks need")
    return [pytest.param(name, marks=mark if name in CHECKED else ()) for name in LESSONS]


def without_lines(text: str) -> str:
    return LINE.sub("LINE", text)


def run_program(program: Path) -> tuple[int, str]:
    run = subprocess.run([str(program)], capture_output=True, text=True, timeout=300, check=False)
    return run.returncode, run.stdout + run.stderr


def run_notebook(notebook: nbformat.NotebookNode, folder: Path) -> str:
    """What its cells print; an exception in a cell fails the test."""
    resources = {"metadata": {"path": str(folder)}}
    nbclient.NotebookClient(notebook, timeout=300, resources=resources).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(o.text for o in outputs if o.output_type == "stream" and o.name == "stdout")


def read_notebook(lesson: str, name: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / "tutorials" / lesson / f"{name}.ipynb", as_version=4)


def verdicts(text: str) -> list[str]:
    """Of a checker's output: one word for each exercise."""
    found = re.findall(r"^\d+\. .*?: (solved|not solved yet|wrong)", text, re.MULTILINE)
    assert re.search(rf"^\d+ of {len(found)} solved$", text, re.MULTILINE), text
    return found


def all_of(lesson: str, verdict: str) -> list[str]:
    """This verdict for each exercise that the lesson has."""
    program = (ROOT / "tutorials" / lesson / "practice.cc").read_text()
    return [verdict] * len(re.findall(r"^    exercise\(", program, re.MULTILINE))


def test_these_are_the_lessons() -> None:
    assert LESSONS == [
        "01_tensors",
        "02_tape",
        "03_build_then_run",
        "04_two_graphs",
        "05_own_op",
        "06_in_place",
        "07_gradients_by_hand",
        "08_training_by_hand",
        "09_ragged_lengths",
        "10_cuda_one",
        "11_cuda_two",
        "12_matmul_ladder",
    ]


def test_the_digits_of_the_programs_are_the_bundled_ones() -> None:
    scale = "0123456789abcdefg"
    images, labels = datasets.digits()
    rows = zip((16 * images[:400]).astype(int), labels)
    lines = ["".join(scale[ink] for ink in image) + f" {label}\n" for image, label in rows]
    assert (ROOT / "tutorials" / "data" / "digits.txt").read_text() == "".join(lines)


# ---- the lessons --------------------------------------------------------------------------------


@needs_build
@pytest.mark.parametrize("lesson", LESSONS)
def test_the_program_prints_what_was_recorded(lesson: str) -> None:
    status, printed = run_program(program_of(lesson, "lesson"))
    assert status == 0, printed
    expected = ROOT / "tutorials" / lesson / "expected.txt"
    if os.environ.get("TAPEGRAPH_RECORD"):
        expected.write_text(without_lines(printed))
    assert without_lines(printed) == expected.read_text()


@pytest.mark.parametrize("lesson", notebook_lessons())
def test_the_notebook_prints_the_same(lesson: str) -> None:
    folder = ROOT / "tutorials" / lesson
    printed = run_notebook(read_notebook(lesson, "lesson"), folder)
    assert without_lines(printed) == (folder / "expected.txt").read_text()


KERNEL = re.compile(r'r"""\n(.*?)\n"""', re.DOTALL)


@pytest.mark.parametrize("lesson", WITH_KERNELS)
def test_the_notebooks_have_the_kernels_of_the_programs(lesson: str) -> None:
    """Those of the lesson, and in the exercises the texts with blanks, line for line."""
    for notebook, file in ("lesson", "lesson.cu"), ("practice", "practice.cc"):
        program = (ROOT / "tutorials" / lesson / file).read_text()
        cells = "\n".join(cell.source for cell in read_notebook(lesson, notebook).cells)
        kernels = KERNEL.findall(cells)
        assert kernels
        for kernel in kernels:
            assert kernel in program


@pytest.mark.parametrize("lesson", WITH_KERNELS)
def test_a_cell_of_the_exercises_has_its_own_kernel_alone(lesson: str) -> None:
    program = (ROOT / "tutorials" / lesson / "practice.cc").read_text()
    cells = [cell.source for cell in read_notebook(lesson, "practice").cells]
    kernels = [kernel for cell in cells for kernel in KERNEL.findall(cell)]
    names = r"__global__ void (\w+)\("
    assert [re.findall(names, kernel) for kernel in kernels] == [
        [name] for name in re.findall(names, program)
    ]
    for kernel in kernels:
        assert kernel.count("not_solved()") == 1
        assert "your code" not in kernel and "Exercise" not in kernel
        assert kernel.startswith("__global__") and kernel.endswith("}")


def test_the_page_of_lesson_11_says_what_its_program_counts() -> None:
    folder = ROOT / "tutorials" / "11_cuda_two"
    _, section = (folder / "expected.txt").read_text().split("6. A sum")
    tables = section.partition("\n7. ")[0].split("bank passes\n")[1:]
    tree, shuffles = (sum(map(int, re.findall(r"(\d+) for \d+$", t, re.M))) for t in tables)
    page = (folder / "README.md").read_text()
    assert f"{tree} passes become {shuffles}, and 9 barriers one" in page
    assert "A sum of 256 numbers takes 9 barriers" in page


@pytest.mark.parametrize("path", sorted(ROOT.glob("tutorials/*/*.ipynb")), ids=lambda p: p.stem)
def test_notebooks_are_kept_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None, path


# ---- the exercises ------------------------------------------------------------------------------


@needs_build
@pytest.mark.parametrize("lesson", LESSONS)
def test_the_blank_program_is_not_solved_yet_and_no_failure(lesson: str) -> None:
    status, printed = run_program(program_of(lesson, "practice"))
    assert status == 0, printed
    assert verdicts(printed) == all_of(lesson, "not solved yet")
    assert "\n0 of " in printed


@pytest.mark.parametrize("lesson", notebook_lessons())
def test_the_blank_notebook_is_not_solved_yet(lesson: str) -> None:
    printed = run_notebook(read_notebook(lesson, "practice"), ROOT / "tutorials" / lesson)
    assert verdicts(printed) == all_of(lesson, "not solved yet")


@pytest.mark.parametrize("lesson", notebook_lessons())
def test_the_notebook_accepts_the_solutions(lesson: str) -> None:
    notebook = read_notebook(lesson, "practice")
    solutions = (SOLUTIONS / f"{lesson}.py").read_text().split("# %%\n")[1:]
    blanks = [cell for cell in notebook.cells if cell.source.startswith("# Your code")]
    assert len(blanks) == len(solutions)
    for cell, solution in zip(blanks, solutions):
        cell.source = solution
    printed = run_notebook(notebook, ROOT / "tutorials" / lesson)
    assert verdicts(printed) == all_of(lesson, "solved"), printed


DEFINITION = re.compile(r"__global__ void \w+\([^)]*\) \{(?:.*\}$|\n(?:.*\n)*?\}$)", re.MULTILINE)


def filled_in(cell: str, solution: str) -> str:
    """The cell as a learner solves it: the function has another body, all else is as it was. The
    line with not_solved() has become a comment."""
    found = DEFINITION.search(solution)
    if found is None:  # a function of Python
        return cell[: cell.index("def ")] + solution
    solved = found[0].replace("{\n", "{\n    // not_solved();  /* no more not_solved() */\n", 1)
    name = solved[: solved.index("(")]
    blank = next(place for place in DEFINITION.finditer(cell) if place[0].startswith(name))
    return cell[: blank.start()] + solved + cell[blank.end() :]


@pytest.mark.parametrize(
    "lesson", [p for p in notebook_lessons() if set(p.values) & set(WITH_KERNELS)]
)
def test_one_solved_cell_solves_one_exercise(lesson: str) -> None:
    """All rounds are one notebook: done() begins anew."""
    blank = read_notebook(lesson, "practice")
    solutions = (SOLUTIONS / f"{lesson}.py").read_text().split("# %%\n")[1:]
    rounds = nbformat.v4.new_notebook()
    for i, solution in enumerate(solutions):
        cells = [cell.source for cell in blank.cells if cell.cell_type == "code"]
        mine = [k for k, cell in enumerate(cells) if cell.startswith("# Your code")][i]
        cells[mine] = filled_in(cells[mine], solution)
        rounds.cells += [nbformat.v4.new_code_cell(cell) for cell in cells]
    printed = run_notebook(rounds, ROOT / "tutorials" / lesson)
    *parts, rest = re.split(r"(?<=\d solved)\n", printed)
    assert len(parts) == len(solutions) and rest == "", printed
    for i, part in enumerate(parts):
        expected = all_of(lesson, "not solved yet")
        expected[i] = "solved"
        assert verdicts(part) == expected, part


@pytest.mark.skipif(not can_check, reason="no g++ on Linux, which the checks need")
def test_the_notebook_of_lesson_10_rejects_races() -> None:
    notebook = read_notebook("10_cuda_one", "practice")
    solutions = (SOLUTIONS / "10_cuda_one.py").read_text()
    expected = all_of("10_cuda_one", "solved")
    for right, wrong, number, _ in RACES:
        assert right in solutions
        solutions = solutions.replace(right, wrong)
        expected[number - 1] = "wrong"
    blanks = [cell for cell in notebook.cells if cell.source.startswith("# Your code")]
    for cell, solution in zip(blanks, solutions.split("# %%\n")[1:]):
        cell.source = solution
    printed = run_notebook(notebook, ROOT / "tutorials" / "10_cuda_one")
    assert verdicts(printed) == expected, printed
    assert printed.count("race in global memory") == len(RACES)


def solved_source(lesson: str) -> str:
    """practice.cc with the solutions between its two marks."""
    blank = (ROOT / "tutorials" / lesson / "practice.cc").read_text()
    before, rest = blank.split("// ==== your code: from here ====\n")
    _, after = rest.split("// ==== your code: to here ====\n")
    return before + (SOLUTIONS / f"{lesson}.cc").read_text() + after


@needs_build
@pytest.mark.parametrize("lesson", WITH_KERNELS)
def test_the_programs_of_exercises_have_the_checks(lesson: str) -> None:
    program_of("11_cuda_two", "practice")  # skips where there are no checks
    assert b"__tsan_read4" in program_of(lesson, "practice").read_bytes()


PROJECT = """
cmake_minimum_required(VERSION 3.23)
project(solutions CXX)
find_package(tapegraph CONFIG REQUIRED)
file(GLOB_RECURSE checks ${BUILD}/CMakeFiles/tapegraph_checked_emulator.dir/kernels/simt/*.o)
file(GLOB sources ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
foreach(source IN LISTS sources)
    cmake_path(GET source STEM name)
    add_executable(${name} ${source})
    target_include_directories(${name} PRIVATE ${ROOT})
    target_link_libraries(${name} PRIVATE tapegraph::tapegraph)
    file(STRINGS ${source} checked REGEX "tutorials/(counters|device)[.]h")
    if(checked AND checks)
        target_sources(${name} PRIVATE ${checks})
        target_compile_options(${name} PRIVATE -O1 -g1 -gdwarf-4 -finline-small-functions
            -fno-reorder-blocks -fno-tree-sra -fsanitize=thread,bounds,alignment)
    else()
        target_compile_options(${name} PRIVATE -O0)
    endif()
endforeach()
"""

# Of lesson 10, in both languages, as WRONG below: without the checks the numbers are right.
RACES = [
    (
        "        if (x[i] > limit) ++mine;\n    atomicAdd(count, mine);",
        "        if (x[i] > limit) *count += 1;",
        3,
        "it ended with an error: race in global memory: ",
    ),
    (
        """\
    part[t] = i < n ? x[i] : -INFINITY;
    __syncthreads();
    for (int half = 32; half > 0; half /= 2) {
        if (t < half) part[t] = fmaxf(part[t], part[t + half]);
        __syncthreads();
    }
    if (t == 0) y[blockIdx.x] = part[0];
""",
        "    if (i < n && (t == 0 || y[blockIdx.x] < x[i])) y[blockIdx.x] = x[i];\n",
        4,
        "it ended with an error: race in global memory: ",
    ),
]

# What of a lesson's solutions is replaced by what, which exercise is then wrong, and what is said
# of it.
WRONG = [
    (
        "01_tensors",
        "{0, 1}}",
        "{4, 1}}",
        1,
        "got (4, 1), but it is (0, 1). Hint: what is repeated does not step at all",
    ),
    (
        "10_cuda_one",
        "i += gridDim.x * blockDim.x",
        "i += n",
        3,
        "got 53, but it is 700. Hint: a thread goes on by gridDim.x * blockDim.x",
    ),
    *(("10_cuda_one", *race) for race in RACES),
    ("11_cuda_two", "tile[32][33]", "tile[32][32]", 2, "got 32, but it is 1. Hint: rows of 33"),
    (
        "11_cuda_two",
        "        __syncthreads();\n        ring[t] = next;",
        "        ring[t] = next;",
        3,
        "it ended with an error: race in shared memory: in block (0, 0, 0) thread ",
    ),
    (
        "12_matmul_ladder",
        "tile_a[ty][tx] = a[(k0 + ty) * n + blockIdx.y * 16 + tx]",
        "tile_a[tx][ty] = a[(k0 + tx) * n + blockIdx.y * 16 + ty]",
        3,
        "got 10752, but it is 4608. Hint: copy rows of a as they are",
    ),
]


@needs_build
@pytest.mark.skipif(shutil.which("cmake") is None, reason="no cmake")
def test_the_programs_accept_the_solutions_and_reject_wrong_ones(tmp_path: Path) -> None:
    def run(*command: object) -> None:
        words = [str(word) for word in command]
        done = subprocess.run(words, capture_output=True, text=True, timeout=900, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    with_checks = (Path(BUILD or "") / "lesson_11_cuda_two_practice").exists()
    built = [lesson for lesson in LESSONS if with_checks or lesson not in CHECKED]
    for lesson in built:
        (tmp_path / f"solved_{lesson}.cc").write_text(solved_source(lesson))
    for i, (lesson, right, wrong, _, _) in enumerate(WRONG):
        source = solved_source(lesson)
        assert right in source
        if lesson in built:
            (tmp_path / f"wrong_{i}.cc").write_text(source.replace(right, wrong))
    (tmp_path / "CMakeLists.txt").write_text(PROJECT)
    prefix = tmp_path / "prefix"
    run("cmake", "--install", BUILD, "--prefix", prefix)
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    places = [f"-DCMAKE_PREFIX_PATH={prefix}", f"-DROOT={ROOT}", f"-DBUILD={BUILD}"]
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", *generator, *places)
    run("cmake", "--build", tmp_path / "build", "--parallel", "2")
    for lesson in built:
        status, printed = run_program(tmp_path / "build" / f"solved_{lesson}")
        assert status == 0, printed
        assert verdicts(printed) == all_of(lesson, "solved"), printed
    for i, (lesson, _, _, number, said) in enumerate(WRONG):
        if lesson not in built or ("race" in said and not with_checks):
            continue
        status, printed = run_program(tmp_path / "build" / f"wrong_{i}")
        assert status == 1
        expected = all_of(lesson, "solved")
        expected[number - 1] = "wrong"
        assert verdicts(printed) == expected, printed
        assert said in printed
