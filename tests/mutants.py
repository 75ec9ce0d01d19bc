"""`./dev mutants`: small faults in the kernels of kernels/cuda, one at a time. Are they seen?

    mutants.py BUILD                  all of them; minutes for each file
    mutants.py BUILD matmul.cu ...    those of these files
    mutants.py BUILD --list           what they are

A mutant is a copy of one file with one change, compiled for the checks as the build compiles the
original, and linked with the build's other objects. It is killed if the kernels' tests fail with
it, in one of three schedules. Those that survive are in tests/survivors.txt, each with the reason
why no test can see it; others make this end with 1.

    barrier   __syncthreads() or __syncwarp() is gone
    bound     a comparison is true; that in a loop's head lets one more in
    index     what a [...] picks is one further on
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KERNELS = ROOT / "kernels" / "cuda"
TESTS = ROOT / "tests" / "kernels" / "cuda"
SURVIVORS = ROOT / "tests" / "survivors.txt"
SCHEDULES = ("forward", "reverse", "random")
SECONDS = 300  # that a mutant's tests may take; a loop that never ends is killed by then


# ---- what is changed -----------------------------------------------------------------------------
@dataclass(frozen=True)
class Mutant:
    file: Path
    begin: int  # characters of the file that are replaced
    end: int
    by: str
    kind: str
    copy: int = 1  # of those that read alike

    @property
    def text(self) -> str:
        """The line as it is and as it becomes: what survivors.txt names it by."""
        source = self.file.read_text()
        first = source.rfind("\n", 0, self.begin) + 1
        last = source.index("\n", self.end)
        now = source[first : self.begin] + self.by + source[self.end : last]
        was = source[first:last]
        which = f" ({self.copy})" if self.copy > 1 else ""
        return f"{self.file.name}{which}: {' '.join(was.split())} -> {' '.join(now.split())}"

    def __str__(self) -> str:
        return f"{self.file.name}:{self.line}:{self.kind}"

    @property
    def line(self) -> int:
        return self.file.read_text().count("\n", 0, self.begin) + 1


def blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def closing(text: str, at: int) -> int:
    """Where the bracket that opens at `at` closes."""
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] in "([{") - (text[i] in ")]}")
        if depth == 0:
            return i
    raise ValueError("brackets do not fit")


def device_code(text: str) -> list[tuple[int, int]]:
    """The bodies of functions that run on the device."""
    found: list[tuple[int, int]] = []
    for head in re.finditer(r"__(?:global|device)__", text):
        if found and head.start() < found[-1][1]:
            continue
        i = head.end()
        while text[i] not in "{;":
            i = closing(text, i) + 1 if text[i] in "([" else i + 1
        if text[i] == "{":
            found.append((i, closing(text, i)))
    return found


DECLARATION = re.compile(
    r"\s*(?:__shared__ |const |static )*(?!return\b|else\b|case\b)"
    r"(?:typename )?[A-Za-z_][\w:]*(?:<[^;=]*>)?(?:::\w+)?[ *&]+"
    r"(?:\w+(?:\[[^\]]*\])*, )*\w+(?:\[[^\]]*\])*"
)
OPERAND = re.compile(r"[\w.:]+")


def operand_end(text: str, i: int) -> int:
    """The end of the sum of names, numbers and calls that begins at i."""
    while True:
        while text[i] in "-~!*&":
            i += 1
        if text[i] == "(":
            i = closing(text, i) + 1
        else:
            name = OPERAND.match(text, i)
            i = name.end() if name else i
        while text[i] in "([":
            i = closing(text, i) + 1
            name = OPERAND.match(text, i)
            i = name.end() if name else i
        more = re.compile(r" (?:[-+*/%]|<<) ").match(text, i)
        if more is None:
            return i
        i = more.end()


def operand_begin(text: str, i: int) -> int:
    """The begin of such a sum that ends at i."""
    while True:
        while True:
            if text[i - 1] in ")]":
                depth = 0
                while True:
                    i -= 1
                    depth += (text[i] in ")]") - (text[i] in "([")
                    if depth == 0:
                        break
            elif re.match(r"[\w.:]", text[i - 1]):
                i -= 1
            else:
                break
        while text[i - 1] in "-~!":
            i -= 1
        before = re.compile(r" (?:[-+*/%]|<<) $").search(text, max(0, i - 4), i)
        if before is None:
            return i
        i = before.start()


def in_loop_head(text: str, begin: int) -> bool:
    """Is this the condition of a `for`?"""
    start = max(text.rfind("for (", 0, begin), 0)
    if not text.startswith("for (", start):
        return False
    return begin < closing(text, start + 4)


def mutants_of(file: Path) -> list[Mutant]:
    source = file.read_text()
    text = re.sub(r"//[^\n]*|/\*.*?\*/|\"[^\"\n]*\"", blank, source, flags=re.S)
    found = []
    for begin, end in device_code(text):
        for m in re.finditer(r"__sync(?:threads|warp)\(\);", text[begin:end]):
            found.append(Mutant(file, begin + m.start(), begin + m.end(), "", "barrier"))
        for m in re.finditer(r" (<|>|<=|>=) ", text[begin:end]):
            at = begin + m.start()
            if "constexpr" in text[text.rfind("\n", 0, at) : at]:
                continue  # about types
            left, right = operand_begin(text, at), operand_end(text, begin + m.end())
            if in_loop_head(text, at):
                sign = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}[m[1]]
                found.append(Mutant(file, at + 1, begin + m.end() - 1, sign, "bound"))
            elif text[left:right].count("(") == text[left:right].count(")"):
                found.append(Mutant(file, left, right, "true", "bound"))
        for m in re.finditer(r"(?<=[\w\])])\[", text[begin:end]):
            inside, last = begin + m.end(), closing(text, begin + m.start())
            statement = text[max(text.rfind(c, 0, inside) for c in ";{}") + 1 : inside - 1]
            if DECLARATION.fullmatch(statement):
                continue
            if text[inside:last].strip():
                shifted = f"({source[inside:last]}) + 1"
                found.append(Mutant(file, inside, last, shifted, "index"))
    return found


# ---- building and running ------------------------------------------------------------------------
def sources_of(file: Path) -> list[Path]:
    """The .cu files that a file is, or is included in, through others too."""
    if file.suffix == ".cu":
        return [file]
    found: set[Path] = set()
    for other in (*KERNELS.glob("*.h"), *KERNELS.glob("*.cu")):
        if f'#include "kernels/cuda/{file.name}"' in other.read_text():
            found.update(sources_of(other))
    return sorted(found)


def tests_of(sources: list[Path]) -> list[Path]:
    """The tests that call these files' rungs: by what rungs.h declares and they define."""
    found = []
    for test in sorted(TESTS.glob("*_test.cc")):
        calls = test.read_text()
        for source in sources:
            names = re.findall(r"^bool (\w+)\(", source.read_text(), re.M)
            if any(re.search(rf"\b{n}_rungs_here\(|\(\)\.{n}\b", calls) for n in names):
                found.append(test)
                break
    return found


class Build:
    """What the build folder knows: how kernels are compiled for the checks, and a target linked."""

    def __init__(self, folder: Path, target: str = "tapegraph_check_tests") -> None:
        self.folder = folder
        self.target = target
        self.compile: dict[Path, list[str]] = {}
        for entry in json.loads((folder / "compile_commands.json").read_text()):
            if "tapegraph_checked_kernels" in entry["command"]:
                self.compile[Path(entry["file"])] = self.plain(shlex.split(entry["command"]))
        words = ["ninja", "-C", str(folder), "-t", "commands", target]
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        link = said.splitlines()[-1].removeprefix(": && ").partition(" && ")[0]
        self.link = self.plain(shlex.split(link))

    @staticmethod
    def plain(words: list[str]) -> list[str]:
        return words[1:] if Path(words[0]).name == "ccache" else words

    def made(self, mutant: Mutant, into: Path) -> Path | None:
        """The target with the mutant; None if it does not compile."""
        source = mutant.file.read_text()
        changed = source[: mutant.begin] + mutant.by + source[mutant.end :]
        mutated = into / "kernels" / "cuda" / mutant.file.name
        mutated.parent.mkdir(parents=True)
        mutated.write_text(changed)
        link = self.link
        for original in sources_of(mutant.file):
            words = self.compile[original]
            output = words[words.index("-o") + 1]
            built = into / (original.stem + ".o")
            file = mutated if original == mutant.file else original
            renamed = {str(original): str(file), output: str(built)}
            command = [words[0], "-I", str(into), "-w", *(renamed.get(w, w) for w in words[1:])]
            if subprocess.run(command, cwd=self.folder, capture_output=True).returncode != 0:
                return None
            link = [str(built) if w == output else w for w in link]
        made = into / self.target
        link = [str(made) if w == self.target else w for w in link]
        subprocess.run(link, cwd=self.folder, check=True, capture_output=True)
        return made


def is_killed(build: Build, mutant: Mutant) -> bool:
    tests = ",".join(f"*/cuda/{t.name}" for t in tests_of(sources_of(mutant.file))) or "*/cuda/*"
    with tempfile.TemporaryDirectory() as folder:
        program = build.made(mutant, Path(folder))
        if program is None:
            return True
        for schedule in SCHEDULES:
            environment = {**os.environ, "SIMT_SCHEDULE": schedule, "SIMT_TIME_LIMIT": "10"}
            command = [str(program), f"--source-file={tests}", "--abort-after=1"]
            try:
                done = subprocess.run(
                    command, env=environment, cwd=ROOT, capture_output=True, timeout=SECONDS
                )
            except subprocess.TimeoutExpired:
                return True
            if done.returncode != 0:
                return True
    return False


# ---- all of them ---------------------------------------------------------------------------------
def all_mutants(names: list[str] | None = None) -> list[Mutant]:
    files = sorted([*KERNELS.glob("*.cu"), *KERNELS.glob("*.h")])
    files = [file for file in files if sources_of(file)]
    unknown = set(names or ()) - {file.name for file in files}
    if unknown:
        raise SystemExit(f"mutants: there is no {', '.join(sorted(unknown))} in kernels/cuda")
    found, seen = [], Counter[str]()
    for file in files:
        for m in mutants_of(file) if not names or file.name in names else ():
            seen[m.text] += 1
            found.append(replace(m, copy=seen[m.text]))
    return found


def explained() -> dict[str, str]:
    """The mutants of survivors.txt, and the reason of each."""
    found = {}
    for block in SURVIVORS.read_text().split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if lines:
            *mutants, reason = lines
            found.update(dict.fromkeys((m.strip() for m in mutants), reason.strip()))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_intermixed_args()
    mutants = all_mutants(asked.files)
    if asked.list:
        for mutant in mutants:
            print(f"{mutant.kind} {mutant.line} {mutant.text}")
        return 0
    build, known, unexplained = Build(asked.build.resolve()), explained(), 0
    with ThreadPoolExecutor(asked.jobs) as pool:
        for mutant, killed in zip(mutants, pool.map(lambda m: is_killed(build, m), mutants)):
            if killed and mutant.text in known:
                print(f"killed, yet in {SURVIVORS.name}: {mutant.text}", flush=True)
            elif not killed and mutant.text not in known:
                unexplained += 1
                print(f"survives, line {mutant.line}: {mutant.text}", flush=True)
    print(f"{len(mutants)} mutants, {unexplained} survive without a reason")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
