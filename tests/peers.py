"""`./dev test --peers`: does PyTorch still give what tests/python/*_recorded.json hold?

    python3 tests/peers.py PYTHON        # a Python with PyTorch and NumPy

Each recording script runs in a copy of the tests, so what is committed stays as it is; the two
files are then compared, numbers to the tolerance to which the tests hold tapegraph.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

# By script, and in it by the dtype that is named last on the way to a number; "" if none is.
TOLERANCES = {
    "digits": {"float64": 1e-9, "float32": 1e-4},
    "functional": {"": 1e-10},
    "indexing": {"": 1e-12},
    "letters": {"float64": 1e-9, "float32": 1e-4},
    "linalg": {"": 1e-8},
    "nn": {"": 1e-10},
    "ops": {"": 1e-10, "float32": 1e-6},
    "optim": {"": 1e-12},
}


def differences(got: Any, want: Any, tolerances: dict[str, float], path: str = "") -> list[str]:
    """Where the two are not the same, at most one line for each number."""
    stack = [(got, want, path, "")]
    found = []
    while stack:
        a, b, at, dtype = stack.pop()
        if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
            for key in reversed(list(b)):
                named = key if key in tolerances else dtype
                stack.append((a[key], b[key], f"{at}.{key}", named))
        elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
            named = b[0] if b and isinstance(b[0], str) and b[0] in tolerances else dtype
            for k in reversed(range(len(b))):
                stack.append((a[k], b[k], f"{at}[{k}]", named))
        elif isinstance(b, float) and isinstance(a, (int, float)):
            near = tolerances.get(dtype, max(tolerances.values()))
            if not (math.isclose(a, b, rel_tol=near, abs_tol=near) or (a != a and b != b)):
                found.append(f"{at}: {a}, but {b} is recorded")
        elif a != b or type(a) is not type(b):
            found.append(f"{at}: {a!r}, but {b!r} is recorded")
    return found


def recorded_again(python: str, folder: Path, name: str) -> Any:
    """What the script record_<name>.py in a copy of the tests writes, run by that Python."""
    script = folder / "tests" / "python" / f"record_{name}.py"
    written = script.with_name(f"{name}_recorded.json")
    written.unlink(missing_ok=True)
    told = {**os.environ, "PYTHONPATH": str(folder / "tests")}
    done = subprocess.run([python, str(script)], env=told, capture_output=True, text=True)
    if done.returncode != 0 or not written.exists():
        raise RuntimeError(f"{script.name} failed:\n{done.stderr.rstrip()}")
    return json.loads(written.read_text())


def main(python: str) -> int:
    scripts = sorted((ROOT / "tests" / "python").glob("record_*.py"))
    agree = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "tests", folder / "tests")
        (folder / "python").symlink_to(ROOT / "python")  # the networks read their data there
        for script in scripts:
            part = script.stem[len("record_") :]
            try:
                want = json.loads(script.with_name(f"{part}_recorded.json").read_text())
                wrong = differences(recorded_again(python, folder, part), want, TOLERANCES[part])
            except (OSError, KeyError, RuntimeError) as error:
                wrong = [f" {error}"]
            agree += not wrong
            for line in wrong[:10]:
                print(f"{part}{line}")
            if len(wrong) > 10:
                print(f"{part}: and {len(wrong) - 10} more")
    print(f"{agree} of {len(scripts)} recordings are what PyTorch gives")
    return 0 if scripts and agree == len(scripts) else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python3 tests/peers.py PYTHON")
    sys.exit(main(sys.argv[1]))
