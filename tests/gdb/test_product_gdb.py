"""The recorded gdb session from `a * b` to the kernel and back: what it prints is checked.

After a change that is meant, TAPEGRAPH_RECORD=1 writes product.expected anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from gdb_run import gdb, needed

SCRIPT = Path(__file__).with_name("product.gdb")
EXPECTED = SCRIPT.with_suffix(".expected")

pytestmark = needed

ESSENTIAL = re.compile(
    r"""--- .*                      # a heading
      | tg::\S+\ \ in\ .*           # what `into` came to
      | \$\d+\ =\ .*                # what `print` showed
      | \s*%\d+\ =\ .*              # a line of a tape or of a program
      | program\ \w+ | \s+return.*  # and the program's first and last
      | \#\d+\ .*                   # a frame of a backtrace
    """,
    re.VERBOSE,
)


def essential(output: str) -> list[str]:
    """The lines that say something of ours, without addresses and numbers that may change."""
    lines = []
    for line in output.splitlines():
        if not ESSENTIAL.fullmatch(line):
            continue
        line = re.sub(r"^\$\d+ = ", "", line)
        line = re.sub(r" ?0x[0-9a-f]+( in)?", "", line)
        line = re.sub(r"::(v1|v3|v4|generic)::", "::LEVEL::", line)
        line = re.sub(r"/?(?:[\w.-]+/)+(\w+\.\w+)", r"\1", line)
        lines.append(re.sub(r"(?<!product)\.(cc|h):\d+", r".\1", line))
    return lines


def test_the_session_from_the_users_line_to_the_kernel_is_as_recorded() -> None:
    run = gdb("product", "-x", SCRIPT)
    got = essential(run.stdout)
    if os.environ.get("TAPEGRAPH_RECORD"):
        EXPECTED.write_text("\n".join(got) + "\n")
    assert got == EXPECTED.read_text().splitlines(), run.stdout + run.stderr
