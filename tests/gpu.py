"""`./dev gpu`: builds, checks and times everything on this machine's GPU, and writes one report.

    gpu.py --look              is there a GPU? says what the driver says
    gpu.py BUILD               the report, BUILD/report.md, of what was built there for a GPU
    gpu.py BUILD --emulator    the same of a build without one, at small sizes: is the report right?
    gpu.py --train STEPS       a part of the report: a network's training

Ends with 1 if a part failed; the report says which, and has the words of all parts.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KERNELS = "--source-file=*kernels/cuda*"
SANITIZERS = ("memcheck", "racecheck", "initcheck", "synccheck")


def train(steps: int) -> None:
    """The demo's network on the CPU and the device, tape and compiled: the losses, the times."""
    sys.path.insert(0, str(ROOT / "tests" / "bench"))
    import bench
    import tapegraph as tg

    print("device | way | loss after the last step | ms a step")
    losses = []
    for device in ("cpu", "cuda"):
        for way, case in (("tape", "step_tape"), ("compiled", "step_fused")):
            with tg.device(device):
                _, cases = bench.cases_of("tapegraph", tg.get_num_threads())
                step = cases[case]()
            step()
            tg.cuda.synchronize()
            start = time.perf_counter()
            for _ in range(steps):
                loss = step()
            tg.cuda.synchronize()
            took = 1e3 * (time.perf_counter() - start) / steps
            losses.append(loss.item())
            print(f"{device} | {way} | {losses[-1]:.6f} | {took:.3f}")
    assert max(losses) - min(losses) < 1e-3 * max(1, losses[0]), losses


def devices() -> tuple[int, str]:
    """How many GPUs the driver finds, and what it says if that is none."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0, "there is no NVIDIA driver (libcuda.so.1)"
    count = ctypes.c_int(0)
    status = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    if status != 0:
        return 0, f"the driver ends with error {status}"
    return count.value, "the driver finds none" if count.value == 0 else ""


@dataclass
class Part:
    title: str
    command: list[str]
    table: bool = False
    closing: int = 0  # so many last lines tell enough, if it ran


def parts(build: Path, emulator: bool) -> list[Part]:
    tests, bench = build / "tapegraph_tests", build / "tapegraph_bench_cuda"
    python = sys.executable
    ops = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/python/test_cuda.py"]
    small = ["--small"] if emulator else []
    training = [python, str(Path(__file__).resolve()), "--train"]
    found = [
        Part("Kernels against the CPU's", [str(tests), KERNELS], closing=3),
        Part("Ops, layers and networks against the CPU's", ops, closing=1),
        Part("Ladders", [str(bench), *small], table=True),
        Part("Training", [*training, "3" if emulator else "200"], table=True),
    ]
    sanitizer = None if emulator else shutil.which("compute-sanitizer")
    for tool in SANITIZERS if sanitizer else ():
        command = [str(sanitizer), "--tool", tool, "--error-exitcode", "1", str(tests), KERNELS]
        found.append(Part(f"compute-sanitizer, {tool}", command, closing=3))
    return found


def said(*command: str) -> str:
    """A command's words on one line; empty if it does not run."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    except OSError:
        return ""
    return " ".join(run.stdout.split()) if run.returncode == 0 else ""


def machine() -> list[str]:
    nvcc = re.search(r"release ([\d.]+)", said("nvcc", "--version"))
    gpus = said(
        "nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"
    )
    return [
        f"- GPU: {gpus or 'none: the emulator'}",
        f"- nvcc: {nvcc[1] if nvcc else 'none'}",
        f"- processor: {platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        f"- commit: {said('git', 'rev-parse', '--short', 'HEAD') or 'unknown'}",
    ]


def shown(part: Part, status: int, words: str) -> list[str]:
    lines = words.rstrip().splitlines()
    if part.table and status == 0:
        notes = [line for line in lines if " | " not in line]
        rows = [line.split(" | ") for line in lines if " | " in line]
        rule = ["---"] * len(rows[0])
        table = [f"| {' | '.join(row)} |" for row in (rows[0], rule, *rows[1:])]
        return [*notes, "", *table]
    kept = lines[-part.closing :] if part.closing and status == 0 else lines
    return ["```", *kept, "```"]


def run(command: list[str], env: dict[str, str]) -> tuple[int, str]:
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        return 1, f"{command[0]}: {error.strerror}"
    return done.returncode, done.stdout


def report(build: Path, emulator: bool) -> int:
    text = ["# tapegraph on a GPU" + (" (a rehearsal on the emulator)" if emulator else ""), ""]
    text += machine()
    failed = []
    env = {**os.environ, "TAPEGRAPH_CUDA": "emulator"} if emulator else {**os.environ}
    for part in parts(build, emulator):
        print(f"{part.title} ...", flush=True)
        status, words = run(part.command, env)
        if status != 0:
            failed.append(part.title)
        text += ["", f"## {part.title}: {'FAILED' if status else 'passed'}", ""]
        text += shown(part, status, words)
    file = build / "report.md"
    file.write_text("\n".join(text) + "\n")
    print(f"wrote {file}")
    for title in failed:
        print(f"FAILED: {title}")
    return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path, nargs="?")
    parser.add_argument("--look", action="store_true")
    parser.add_argument("--emulator", action="store_true")
    parser.add_argument("--train", type=int, metavar="STEPS")
    asked = parser.parse_args()
    if asked.train is not None:
        train(asked.train)
        return 0
    if asked.build is not None and asked.emulator:
        return report(asked.build.resolve(), True)
    count, why = devices()
    if count == 0:
        print(
            f"gpu: there is no GPU here: {why}. Without one the kernels run on the emulator:\n"
            "    ./dev test kernels/cuda",
            file=sys.stderr,
        )
        return 1
    return report(asked.build.resolve(), False) if asked.build else 0


if __name__ == "__main__":
    sys.exit(main())
