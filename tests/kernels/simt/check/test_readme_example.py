"""What kernels/simt/README.md shows of the checks is what its own commands give.

Only that the emulator is not compiled once more: the build has its objects.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

SIMT = Path(__file__).resolve().parents[4] / "kernels" / "simt"
BUILD = Path(os.environ.get("TAPEGRAPH_BUILD", "no such folder"))
EMULATOR = BUILD / "CMakeFiles" / "tapegraph_checked_emulator.dir" / "kernels" / "simt"


def blocks(text: str, language: str) -> list[str]:
    every = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [block for its, block in every if its == language]


@pytest.mark.skipif(
    shutil.which("g++") is None or not EMULATOR.exists(),
    reason="needs g++, and TAPEGRAPH_BUILD to name a build folder with checks",
)
def test_the_two_commands_give_the_reports_and_counts_shown(tmp_path: Path) -> None:
    text = (SIMT / "README.md").read_text()
    program = blocks(text, "cpp")[0]
    checks = text[text.index("## The checks") : text.index("## In a debugger")]
    commands = blocks(checks, "sh")[0]
    report, counts = blocks(checks, "")
    sources = "simt/*.cc simt/check/*.cc"
    assert sources in commands
    objects = " ".join(shlex.quote(str(file)) for file in sorted(EMULATOR.rglob("*.o")))
    commands = commands.replace(sources, objects)
    (tmp_path / "simt").symlink_to(SIMT)
    (tmp_path / "my.cu").write_text(program.replace("    __syncthreads();\n", ""))
    subprocess.run(["sh", "-e", "-c", commands], cwd=tmp_path, check=True)
    environment = {**os.environ, "SIMT_COUNTERS": "text", "SIMT_ACCESSES": "a picture.svg"}
    run = subprocess.run(
        ["./my"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout == report
    assert run.stderr == counts
    picture = (tmp_path / "a picture.1.svg").read_text()
    assert " reads copy: 32 lanes, 1 bank pass for 1</text>" in picture
