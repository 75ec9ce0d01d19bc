"""`./dev fuzz [SECONDS]`: random programs with seeds that nobody has run, until the time is over.

Both fuzzers take turns: tests/graph/fuzz_test.cc (the tape and the compiled program, bit for bit)
and tests/python/test_fuzz_numpy.py (both beside NumPy). A seed makes the same program for ever, so
what fails is said as the command that runs it again, alone. Five are enough.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CASE = "-tc=random programs give*"  # of the C++ tests


@dataclass
class Fuzzer:
    """What runs `batch` programs, how one types it, and how many it has run."""

    name: str
    batch: int
    command: list[str]
    typed: str
    ran: int = 0
    failed: int = 0

    def run(self, first: int) -> None:
        """Programs first .. first + batch - 1, told by the environment."""
        told = {"TAPEGRAPH_FUZZ_FROM": str(first), "TAPEGRAPH_FUZZ": str(self.batch)}
        others = {name: v for name, v in os.environ.items() if name != "TAPEGRAPH_FUZZ_SEED"}
        done = subprocess.run(
            self.command,
            env={**others, **told},
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        self.ran += self.batch
        if done.returncode == 0:
            return
        print((done.stdout + done.stderr).rstrip(), end="\n\n")
        seeds = sorted({int(s) for s in re.findall(r"\bseed (\d+)", done.stdout)})
        self.failed += max(len(seeds), 1)
        for seed in seeds:
            print(f"{self.name} fails at seed {seed}; again:")
            print(f"    TAPEGRAPH_FUZZ_SEED={seed} {self.typed}\n")
        if not seeds:  # it died before it could say
            again = " ".join(f"{name}={value}" for name, value in told.items())
            print(
                f"{self.name} died between the seeds {first} and {first + self.batch - 1}; again:"
            )
            print(f"    {again} {self.typed}\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev fuzz", description="Random programs, fresh ones.")
    parser.add_argument("seconds", nargs="?", type=float, default=60.0)
    parser.add_argument("--program", default="build/release/tapegraph_tests", help="the C++ tests")
    parser.add_argument("--batch", type=int, default=250, help="programs a round, of each kind")
    args = parser.parse_args()
    numpy_test = "tests/python/test_fuzz_numpy.py"
    fuzzers = [
        Fuzzer("C++", args.batch, [args.program, CASE], f"{args.program} '{CASE}'"),
        Fuzzer(
            "NumPy",
            args.batch,
            [sys.executable, "-m", "pytest", "-q", numpy_test],
            f"./dev python -m pytest {numpy_test}",
        ),
    ]
    first = seed = time.time_ns() // 1_000_000
    began = time.monotonic()
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is the end of the time
        while seed == first or (
            time.monotonic() - began < args.seconds and sum(f.failed for f in fuzzers) < 5
        ):
            for fuzzer in fuzzers:
                fuzzer.run(seed)
            seed += args.batch
    ran = " and ".join(f"{f.ran} programs in {f.name}" for f in fuzzers)
    failed = sum(f.failed for f in fuzzers)
    took = time.monotonic() - began
    print(f"{ran}, from seed {first} on, in {took:.0f} s: {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
