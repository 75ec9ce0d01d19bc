"""How a source line is printed: train.py:12, or cell 3, line 2 in a notebook."""

from __future__ import annotations

import os
import re
import sys

_IN_SHELL = re.compile(r"<ipython-input-(\d+)-")


def _cell_of(file: str) -> int | None:
    """The number of the notebook cell whose code this file name stands for."""
    found = _IN_SHELL.match(file)
    if found:
        return int(found.group(1))
    ipython = sys.modules.get("IPython")
    if ipython is None or "ipykernel" not in file:
        return None
    shell = ipython.get_ipython()
    numbers = getattr(getattr(shell, "compile", None), "_filename_map", {})
    number = numbers.get(file)
    return number if isinstance(number, int) else None


def place(file: str, line: int) -> str:
    cell = _cell_of(file)
    return f"cell {cell}, line {line}" if cell is not None else f"{os.path.basename(file)}:{line}"
