"""`./dev bench`: what we claim of speed, measured beside others in the same run.

Every peer is a process of its own that answers `CASE MILLISECONDS` with nanoseconds an iteration.
Rounds go over the cases and the peers in turn, so that a busy moment of the machine hits all alike.
PyTorch takes part where it can be imported (--peer-python names another Python that has it), as
Python and, if there is a compiler, as C++. Nothing is asserted: read the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

HERE = Path(__file__).resolve().parent
CASES = {
    "add": "a + b, 4 elements, not recorded",
    "add_recorded": "a + b, 4 elements, recorded",
    "chain": "x = x * 1.0001 + 0.1, 1,000 times, 16 elements, forward and backward",
    "step_tape": "the demo's training step, 64-64-10, batch 32: as a tape",
    "step_lines": "the same, compiled, line by line",
    "step_planned": "the same, compiled, with planned memory",
    "step_fused": "the same, compiled, planned and fused",
    "update_mlp": "Adam's step() by itself, the demo's network: op by op",
    "update_mlp_fused": "the same, with fused=True",
    "update_gpt": "Adam's step() by itself, a GPT of 2 layers of 64: op by op",
    "update_gpt_fused": "the same, with fused=True",
}
Case = Callable[[], Any]


# ---- a peer in Python ---------------------------------------------------------------------------


def cases_of(name: str, threads: int) -> tuple[str, dict[str, Callable[[], Case]]]:
    """A peer's version, and what makes each of its cases."""
    import numpy as np

    if name == "numpy":
        a = np.ones(4, np.float32)
        b = np.ones(4, np.float32)
        return np.__version__, {"add": lambda: lambda: a + b}

    import importlib

    # tapegraph has PyTorch's names, so one text serves both.
    m: Any = importlib.import_module(name)
    nn, sgd = m.nn, m.optim.SGD
    m.set_num_threads(threads)
    m.manual_seed(0)

    def add(recorded: bool) -> Case:
        a, b = (m.ones(4, requires_grad=recorded) for _ in "ab")
        return lambda: a + b

    def chain() -> Case:
        start = m.ones(16, requires_grad=True)

        def run() -> None:
            start.grad = None
            x = start
            for _ in range(1000):
                x = x * 1.0001 + 0.1
            x.sum().backward()

        return run

    def mlp() -> Any:
        return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))

    def gpt() -> Any:
        block = nn.TransformerEncoderLayer(64, 4, 256, batch_first=True)
        blocks = nn.TransformerEncoder(block, 2, enable_nested_tensor=False)
        return nn.Sequential(nn.Embedding(65, 64), blocks, nn.Linear(64, 65))

    def update(net: Any, fused: bool) -> Case:
        optimiser = m.optim.Adam(net.parameters(), fused=fused)
        for param in net.parameters():
            param.grad = m.ones_like(param)
        return optimiser.step

    def step(executor: str | None) -> Case:
        net = mlp()
        optimiser = sgd(net.parameters(), lr=0.1, momentum=0.9)
        x, y = m.rand(32, 64), m.tensor([3] * 32)

        def train_step(x: Any, y: Any) -> Any:
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            optimiser.step()
            return loss

        run = m.compile(train_step, executor=executor) if executor else train_step
        return lambda: run(x, y)

    cases: dict[str, Callable[[], Case]] = {
        "add": lambda: add(False),
        "add_recorded": lambda: add(True),
        "chain": chain,
        "step_tape": lambda: step(None),
        "update_mlp": lambda: update(mlp(), False),
        "update_mlp_fused": lambda: update(mlp(), True),
        "update_gpt": lambda: update(gpt(), False),
        "update_gpt_fused": lambda: update(gpt(), True),
    }
    if name == "tapegraph":
        for executor in ("lines", "planned", "fused"):
            cases[f"step_{executor}"] = lambda e=executor: step(e)
    return m.__version__, cases


def measured(run: Case, milliseconds: float) -> float:
    """Nanoseconds an iteration, over about so many milliseconds."""
    run()
    n = 1
    while True:
        loop = range(n)
        start = time.perf_counter()
        for _ in loop:
            run()
        took = time.perf_counter() - start
        if took > 0.6e-3 * milliseconds:
            return 1e9 * took / n
        n *= 2


def serve(name: str, threads: int) -> None:
    version, cases = cases_of(name, threads)
    print(version, flush=True)
    made: dict[str, Case] = {}
    for line in sys.stdin:
        case, milliseconds = line.split()
        if case in cases and case not in made:
            made[case] = cases[case]()
        print(measured(made[case], float(milliseconds)) if case in made else "none", flush=True)


# ---- all of them --------------------------------------------------------------------------------


class Peer:
    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.version = self.answer()

    def answer(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline().strip()
        if not line:
            raise SystemExit(f"bench: {self.name} ended with {self.process.wait()}")
        return line

    def ask(self, case: str, milliseconds: float) -> float | None:
        assert self.process.stdin
        self.process.stdin.write(f"{case} {milliseconds}\n")
        self.process.stdin.flush()
        answer = self.answer()
        return None if answer == "none" else float(answer)

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def imports(python: str, module: str) -> bool:
    run = subprocess.run([python, "-c", f"import {module}"], capture_output=True)
    return run.returncode == 0


def libtorch(python: str) -> Path | None:
    """Our peer in C++, built beside our own where that is possible; else nothing."""
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    if not compiler:
        return None
    asked = "import torch.utils.cpp_extension as e; print(*e.include_paths(), *e.library_paths())"
    found = subprocess.run([python, "-c", asked], capture_output=True, text=True)
    if found.returncode != 0:
        return None
    *includes, library = found.stdout.split()
    program = HERE.parents[1] / "build" / "bench" / "libtorch"
    source = HERE / "peers" / "libtorch.cc"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        program.parent.mkdir(parents=True, exist_ok=True)
        print("building the libtorch peer ...", file=sys.stderr)
        command = [compiler, "-std=c++20", "-O2", str(source), "-o", str(program)]
        command += [f"-isystem{i}" for i in includes]
        command += [f"-L{library}", f"-Wl,-rpath,{library}", "-Wl,--no-as-needed"]
        command += ["-ltorch", "-ltorch_cpu", "-lc10", "-Wl,--allow-shlib-undefined"]
        if subprocess.run(command).returncode != 0:
            print("bench: libtorch is left out: it does not build here", file=sys.stderr)
            return None
    return program


def peers_of(args: argparse.Namespace) -> list[Peer]:
    def in_python(python: str, name: str, module: str) -> Peer:
        command = [python, __file__, "--serve", module, "--threads", str(args.threads)]
        return Peer(name, command)

    peers = []
    threads = ["--threads", str(args.threads)]
    if args.program:
        peers.append(Peer("C++", [args.program, "--serve", *threads]))
    if imports(sys.executable, "tapegraph"):
        peers.append(in_python(sys.executable, "Python", "tapegraph"))
    peers.append(in_python(sys.executable, "numpy", "numpy"))
    python = args.peer_python
    if imports(python, "torch"):
        peers.append(in_python(python, "torch", "torch"))
        if program := libtorch(python):
            peers.append(Peer("libtorch", [str(program), *threads]))
    else:
        print("bench: no PyTorch here (--peer-python PYTHON names one that has it)\n")
    return peers


def machine(threads: int) -> str:
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
        model = names[0] if names else model
    except OSError:
        pass
    busy = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{model}, {os.cpu_count()} processors{busy}, {threads} threads used"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("cases", nargs="*", help="of " + " ".join(CASES))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--ms", type=float, default=20, help="that a round of a case takes")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write every round's figure there")
    parser.add_argument("--program", help="the C++ half, tapegraph_bench")
    parser.add_argument(
        "--peer-python",
        default=os.environ.get("TAPEGRAPH_BENCH_PYTHON", sys.executable),
        help="a Python that has torch; also from TAPEGRAPH_BENCH_PYTHON",
    )
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return serve(args.serve, args.threads)
    wanted = args.cases or list(CASES)
    if unknown := [c for c in wanted if c not in CASES]:
        parser.error(f"no case {', '.join(unknown)}; there are {', '.join(CASES)}")

    peers = peers_of(args)
    print(machine(args.threads))
    print(", ".join(f"{p.name} {p.version}" for p in peers))
    print(f"median and minimum of {args.rounds} interleaved rounds, and times the best median\n")
    results: dict[str, dict[str, list[float]]] = {
        case: {p.name: [] for p in peers} for case in wanted
    }
    for _ in range(args.rounds):
        for case in wanted:
            for peer in peers:
                took = peer.ask(case, args.ms)
                if took is not None:
                    results[case][peer.name].append(took)
    for case in wanted:
        rounds = {name: times for name, times in results[case].items() if times}
        results[case] = rounds
        print(f"{case}: {CASES[case]}")
        best = min(statistics.median(times) for times in rounds.values())
        for name, times in rounds.items():
            median = statistics.median(times)
            print(
                f"  {name:10} {median / 1e3:12.3f} us {min(times) / 1e3:12.3f} us "
                f"{median / best:8.2f}"
            )
    for peer in peers:
        peer.end()
    if args.json:
        record = {
            "machine": machine(args.threads),
            "peers": {p.name: p.version for p in peers},
            "nanoseconds": results,
        }
        args.json.write_text(json.dumps(record, indent=1) + "\n")
        print(f"wrote {args.json}")


if __name__ == "__main__":
    main()
