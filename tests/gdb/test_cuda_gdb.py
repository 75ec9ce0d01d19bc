"""The recorded gdb script that follows one CUDA thread: what it prints is checked."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

BUILD = os.environ.get("TAPEGRAPH_DEBUG_BUILD") or os.environ.get("TAPEGRAPH_BUILD")
SCRIPT = Path(__file__).with_name("cuda_thread.gdb")

pytestmark = [
    pytest.mark.skipif(shutil.which("gdb") is None, reason="no gdb"),
    pytest.mark.skipif(BUILD is None, reason="TAPEGRAPH_BUILD does not name a build folder"),
]


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
    program = Path(BUILD or "") / "cuda_demo"
    command = ["gdb", "-nx", "-batch", "-x", str(SCRIPT), str(program)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    thread, block = "{x = 3, y = 2, z = 0}", "{x = 1, y = 0, z = 0}"
    assert sections(run.stdout) == {
        "at the start of the kernel": [thread, block, "{x = 16, y = 16, z = 1}"],
        "at the first barrier": ["3", "0"],
        "behind the first barrier": [thread, "4"],
        # A row of 3 times column 19, over the 16 elements of the first tile.
        "at the second barrier": ["912"],
        "behind the second barrier": [thread, block, "912"],
    }, run.stdout + run.stderr
