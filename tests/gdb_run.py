"""gdb without questions, on what the debug build has made; for the tests of tests/gdb."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILD = os.environ.get("TAPEGRAPH_DEBUG_BUILD") or os.environ.get("TAPEGRAPH_BUILD")

needed = [
    pytest.mark.skipif(shutil.which("gdb") is None, reason="no gdb"),
    pytest.mark.skipif(BUILD is None, reason="TAPEGRAPH_DEBUG_BUILD names no build folder"),
]


def gdb(program: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """A session that `words` lead, which are gdb's own, in the repository's folder."""
    built = Path(BUILD or "").resolve() / program
    assert built.is_file(), f"{built} is not built"
    return subprocess.run(
        ["gdb", "-nx", "-batch", "-d", built.parent, *words, built],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        env={**os.environ, "DEBUGINFOD_URLS": ""},
    )
