"""Which source line is meant, and how it is printed: train.py:12, or cell 3, line 2."""

from __future__ import annotations

import os
import re
import sys
import sysconfig

import numpy as np

_IN_SHELL = re.compile(r"<ipython-input-(\d+)-")


def _folder(path: str) -> str:
    return os.path.abspath(path) + os.sep


OURS = _folder(os.path.dirname(__file__))
PYTHONS = tuple({_folder(sysconfig.get_path(k)) for k in ("stdlib", "platstdlib")})
INSTALLED = tuple({_folder(sysconfig.get_path(k)) for k in ("purelib", "platlib")})
_NUMPY = _folder(os.path.dirname(np.__file__))


def kind(file: str) -> int:
    """0: a user's file. 1: of Python's library or NumPy's, which is not meant. 2: ours."""
    if file.startswith(OURS):
        return 0 if file == OURS + "demo.py" else 2
    of_python = file.startswith(PYTHONS) and not file.startswith(INSTALLED)
    return 1 if of_python or file.startswith(_NUMPY) or file.startswith("<frozen ") else 0


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
