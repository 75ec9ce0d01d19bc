"""The recorded gdb session with the commands of kernels/simt/gdb.py: what it prints is checked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gdb_run import gdb, needed

SCRIPT = Path(__file__).with_name("simt_threads.gdb")
SOURCE = SCRIPT.with_name("simt_demo.cc").read_text()

pytestmark = needed


def session(*words: str | Path) -> str:
    """What a session prints, without addresses, numbers of values and folders."""
    run = gdb("simt_demo", *words)
    dull = r"\(anonymous namespace\)::|0x[0-9a-f]{9,}( in )?|^\$\d+ = "
    text = re.sub(dull, "", run.stdout + run.stderr, flags=re.MULTILINE)
    return re.sub(r" at \S*/", " at ", text)


def line_of(text: str) -> int:
    return 1 + SOURCE[: SOURCE.index(text)].count("\n")


SHUFFLE, BARRIER = line_of("__shfl_down_sync("), line_of("__syncthreads();")
SHARED = """\
int [2] of_warp = {496, 1520}
short [2][3] firsts =
  {0, 1, 2}
  {32, 33, 34}
int [4] every_16th = {0, 16, 32, 48}"""


def without_pointers(section: str) -> list[str]:
    return re.sub(r"0x[0-9a-f]+", "", section).splitlines()


@pytest.fixture(scope="module")
def sections() -> dict[str, str]:
    """What is printed under each heading; of a backtrace, the frames in the demo."""
    _, *parts = re.split(r"^--- ", session("-x", SCRIPT), flags=re.MULTILINE)
    found = {}
    for part in parts:
        heading, *lines = part.splitlines()
        kept = [line for line in lines if line[:1] != "#" or " at simt_demo.cc:" in line]
        found[heading] = "\n".join(line for line in kept if line)
    return found


def test_threads_are_listed_by_what_they_do(sections: dict[str, str]) -> None:
    assert sections["threads, from (5, 1, 0) of block 1"] == (
        "block (1, 0, 0) of grid (2, 1, 1), threads (32, 2, 1)\n"
        f"32 in __syncthreads at simt_demo.cc:{BARRIER}: (0, 0, 0) to (31, 0, 0)\n"
        f" 5 in __shfl_down_sync at simt_demo.cc:{SHUFFLE} with mask 0xffffffff: "
        "(0, 1, 0) to (4, 1, 0)\n"
        " 1 running: (5, 1, 0)\n"
        "26 not begun: (6, 1, 0) to (31, 1, 0)"
    )


def test_shared_arrays_are_printed_a_row_a_line(sections: dict[str, str]) -> None:
    # of_warp[1] is left over from block 0: warp 1 of this one has not come there.
    assert sections["shared"] == SHARED


def test_a_thread_that_waits_shows_its_own_stack_and_locals(sections: dict[str, str]) -> None:
    kernel = "(out=, in=) at simt_demo.cc:"
    call = line_of("const int sum = sum_of_warp")
    assert without_pointers(sections["thread (3, 1, 0)"]) == [
        f"#7  sum_of_warp (value=35) at simt_demo.cc:{SHUFFLE}",
        f"{SHUFFLE}\t        const int other = __shfl_down_sync(~0u, value, away);",
        "35",
        f"#7  sum_of_warp(int) (value=35) at simt_demo.cc:{SHUFFLE}",
        f"#8  sums(int*, int const*) {kernel}{call}",
    ]
    assert without_pointers(sections["thread (4, 0, 0)"]) == [
        f"#5  sums {kernel}{BARRIER}",
        f"{BARRIER}\t    __syncthreads();",
        "4",
        f"#5  sums(int*, int const*) {kernel}{BARRIER}",
    ]


def test_what_cannot_be_shown_is_an_error(sections: dict[str, str]) -> None:
    assert sections["not there"].splitlines() == [
        "simt thread: (6, 1, 0) has not begun; see `simt threads`",
        "simt thread: (40, 0, 0) is not in a block of (32, 2, 1)",
        "simt thread: say which, as in `simt thread 3,0,0`, not 'here'",
        "simt threads, simt thread 3,0,0, simt back or simt shared",
    ]
    assert "simt: no kernel is running" in session(
        "-ex", "source kernels/simt/gdb.py", "-ex", "simt threads"
    )


def test_next_goes_on_in_the_thread_that_runs(sections: dict[str, str]) -> None:
    assert sections["next"].splitlines() == [
        f"{SHUFFLE}\t        const int other = __shfl_down_sync(~0u, value, away);",
        "{x = 5, y = 1, z = 0}",
    ]


def test_finish_goes_on_until_the_shown_thread_returns(sections: dict[str, str]) -> None:
    after = BARRIER + 1
    assert without_pointers(sections["finish in (4, 0, 0)"])[-3:] == [
        f"sums (out=, in=) at simt_demo.cc:{after}",
        f"{after}\t    const int least = every_16th[0] + firsts[0][0];",
        "{x = 4, y = 0, z = 0}",
    ]
    text = sections["threads, from (4, 0, 0)"]
    assert text.startswith(
        "block (1, 0, 0) of grid (2, 1, 1), threads (32, 2, 1)\n"
        " 4 returned: (0, 0, 0) to (3, 0, 0)\n"
        " 1 running: (4, 0, 0)\n"
        f"59 may go on from __syncthreads at simt_demo.cc:{BARRIER}: (5, 0, 0) to (31, 1, 0)\n"
    )
    assert "{x = 4, y = 0, z = 0}" in text  # after `simt back`
