"""One library holds the same loops for several levels of the processor. None may leak into another.

If a loop for x86-64-v4 used, say, std::max, the linker would keep one copy of it for the whole
library, maybe the v4 one, and an older machine would die of it. So no two levels share a symbol."""

import shutil
import subprocess
from itertools import combinations
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"
LEVELS = sorted(BUILD.glob("CMakeFiles/tapegraph_cpu_*.dir"))


def defined(folder):
    """The symbols that the objects in this folder offer to the linker."""
    objects = [str(f) for f in folder.rglob("*.o")]
    assert objects
    out = subprocess.run(
        ["nm", "--defined-only", "--extern-only", "--demangle", *objects],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return {line.split(" ", 2)[2] for line in out.splitlines() if line.count(" ") >= 2}


@pytest.mark.skipif(not shutil.which("nm") or len(LEVELS) < 2, reason="one level, or no nm")
def test_no_two_levels_share_a_symbol():
    symbols = {folder.name: defined(folder) for folder in LEVELS}
    for one, other in combinations(symbols, 2):
        shared = {s for s in symbols[one] & symbols[other] if not s.startswith("DW.ref.")}
        assert not shared, f"{one} and {other} both define: {sorted(shared)}"
