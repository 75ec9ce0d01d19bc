"""Writes kernels/cuda/REGISTERS.md: what ptxas says of every CUDA kernel.

    ./dev python tests/ptxas.py        # where nvcc is; it compiles what has changed

CMake's targets nvcc_<name> leave ptxas's words in build/release/nvcc_<name>.o.log. Of the many
instances of a kernel template the page has one line: the most of each number. Occupancy is the
share of a multiprocessor's warps that registers and shared memory let run together, as NVIDIA's
programming guide computes it (Compute Capabilities: technical specifications).
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "release"
PAGE = ROOT / "kernels" / "cuda" / "REGISTERS.md"

BLOCK = 256  # threads, that occupancy is said for
WARPS = {75: 32, 80: 64, 90: 64, 100: 64, 120: 48}  # that a multiprocessor holds
SHARED = {75: 64, 80: 164, 90: 228, 100: 228, 120: 100}  # and KiB of shared memory
REGISTERS = 65536  # all of them; given out to a warp by 256

HEAD = f"""\
# Registers of the kernels

Written by `./dev python tests/ptxas.py` from what ptxas says; a test fails when it says otherwise.
A line is a kernel; of a template's instances (dtypes, formulas) each number is the most.
`sm_75 registers` are one thread's; a *spill* is bytes of a thread that found no register and go to
memory; *shared* are the bytes that a block declares, without the dynamic ones. *Occupancy*: the
share of a multiprocessor's warps that can be there together with blocks of {BLOCK} threads, by
registers and declared shared memory. Not measured on a GPU.

"""


@dataclass
class Kernel:
    file: str
    instances: set[str] = field(default_factory=set)
    registers: dict[int, int] = field(default_factory=dict)  # by generation
    spills: int = 0
    shared: int = 0
    block: int = BLOCK

    def add(self, generation: int, registers: int, spills: int, shared: int) -> None:
        self.registers[generation] = max(self.registers.get(generation, 0), registers)
        self.spills = max(self.spills, spills)
        self.shared = max(self.shared, shared)

    def occupancy(self, generation: int) -> float:
        per_warp = -(-self.registers[generation] * 32 // 256) * 256
        warps = self.block // 32
        blocks = REGISTERS // (per_warp * warps)
        if self.shared:
            blocks = min(blocks, SHARED[generation] * 1024 // (self.shared + 1024))
        return min(1.0, blocks * warps / WARPS[generation])


def plain(names: list[str]) -> list[str]:
    """Mangled names as a reader knows them: without namespaces, arguments and template's types."""
    run = subprocess.run(["c++filt"], input="\n".join(names), text=True, capture_output=True)
    short = []
    for line in run.stdout.splitlines():
        name = re.sub(r"\(anonymous namespace\)::|\b\w+::", "", line.removeprefix("void "))
        short.append(re.match(r"[A-Za-z_]\w*", name).group())  # type: ignore[union-attr]
    return short


ENTRY = re.compile(
    r"Compiling entry function '(?P<name>\w+)' for 'sm_(?P<generation>\d+)\w?'"
    r".*?(?P<stores>\d+) bytes spill stores, (?P<loads>\d+) bytes spill loads"
    r".*?Used (?P<registers>\d+) registers(?P<rest>[^\n]*)",
    re.S,
)


def kernels() -> dict[str, Kernel]:
    """By name, in the order of files; empty if nothing was compiled."""
    found: dict[str, Kernel] = {}
    for log in sorted(BUILD.glob("nvcc_*.o.log")):
        file = log.name.removeprefix("nvcc_").removesuffix(".o.log") + ".cu"
        entries = list(ENTRY.finditer(log.read_text()))
        for entry, name in zip(entries, plain([entry["name"] for entry in entries])):
            kernel = found.setdefault(name, Kernel(file))
            kernel.instances.add(entry["name"])
            shared = re.search(r"(\d+) bytes smem", entry["rest"])
            kernel.add(
                int(entry["generation"]),
                int(entry["registers"]),
                int(entry["stores"]) + int(entry["loads"]),
                int(shared[1]) if shared else 0,
            )
    return found


def version() -> str:
    """Of the nvcc that was there when the build was configured, as 13.0.88; "" without one."""
    cache = (BUILD / "CMakeCache.txt").read_text()
    nvcc = re.search(r"CUDAToolkit_NVCC_EXECUTABLE:\w+=(/.+)", cache)
    if nvcc is None:
        return ""
    said = subprocess.run([nvcc[1], "--version"], text=True, capture_output=True).stdout
    return re.search(r"V([\d.]+)", said)[1]  # type: ignore[index]


def page() -> str:
    table = kernels()
    generations = sorted({g for kernel in table.values() for g in kernel.registers})
    head = [
        "kernel", "file", "instances",
        *(f"sm_{g} registers" for g in generations),
        "spill", "shared",
        *(f"sm_{g} occupancy" for g in generations),
    ]  # fmt: skip
    rows = [head, ["---"] * len(head)]
    for name, k in table.items():
        rows.append([
            f"`{name}`", f"[{k.file}]({k.file})" if (PAGE.parent / k.file).exists() else k.file,
            str(len(k.instances)), *(str(k.registers[g]) for g in generations),
            str(k.spills), str(k.shared),
            *(f"{100 * k.occupancy(g):.0f} %" for g in generations),
        ])  # fmt: skip
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return HEAD + f"ptxas of nvcc {version()}, -O3.\n\n" + "\n".join(lines) + "\n"


def compile_all() -> None:
    sources = [*PAGE.parent.glob("*.cu")]
    targets = [f"nvcc_{source.stem}" for source in sources]
    subprocess.run(["cmake", "--build", str(BUILD), "--target", *targets], check=True)


if __name__ == "__main__":
    compile_all()
    PAGE.write_text(page())
    print(f"wrote {PAGE.relative_to(ROOT)}")
