"""Writes tutorials/COMING_FROM_PYTORCH.md: what is the same, what differs, what is missing.

    ./dev python tests/pytorch_page.py

Which names both have is seen by looking: pytorch_names.json holds PyTorch's, which
record_pytorch_names.py wrote, and tapegraph's are there. The differences and what to write instead
are in pytorch_differences.py and pytorch_instead.py. tests/test_pytorch_page.py holds the page to
these and runs its examples.
"""

from __future__ import annotations

import json
import re
import textwrap
from importlib.util import find_spec
from pathlib import Path

import tapegraph as tg
from pytorch_differences import DIFFERENCES, Difference
from pytorch_instead import INSTEAD

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "tutorials" / "COMING_FROM_PYTORCH.md"
NAMES: dict[str, list[str]] = {
    where: names.split()
    for where, names in json.loads(
        Path(__file__).with_name("pytorch_names.json").read_text()
    ).items()
}
VERSION = NAMES.pop("version")[0]
MODULES = NAMES.pop("modules")

HEAD = f"""\
# Coming from PyTorch

Written by `./dev python tests/pytorch_page.py` out of PyTorch {VERSION}'s names, tapegraph's and
notes; a test fails when they say otherwise, and runs every example.

Most programs go on with the names that they have:

```python
import tapegraph as tg  # for  import torch
from tapegraph import nn

F = nn.functional
```

Then read [what differs](#what-differs), which is short, and look up [what is
missing](#what-is-missing) when a name is. `Graph`, `Session` and `placeholder`, which PyTorch has
not, are [lesson 3](03_build_then_run/README.md).

"""

SAME = """\
## What is the same

Of so many public names of PyTorch so many are here; a click opens the list. That a name is here
does not say that each of its arguments is, but those that are have PyTorch's names. Dtypes are
promoted by its rules, mistakes raise its kinds of exception, and the tests compare values and
gradients with numbers that it gave. `x.grad`, `backward`, `no_grad`, hooks,
`state_dict` keys and param groups are as you know them. [Every op](OPS.md) says what it takes.

"""

LONG = ("torch", "torch.Tensor", "torch.nn.functional", "torch.nn", "torch.utils.data")
TOPICS = {  # in these, which are long, a name belongs to the first whose pattern is found in it
    "complex numbers": r"complex|conj|^real$|^imag$|^angle$|polar$|^m?H$|adjoint|"
    r"isreal|_neg$|^c(float|double|half)$",
    "sparse tensors": r"sparse|coo|csr|csc|bsr|bsc|coalesce|^(is_)?indices|crow_|col_ind|dense|"
    r"^(h|s|d|ss)s?p?(add)?mm$|values",
    "low-bit dtypes, quantized tensors": r"quant|^q_|^quint|^qint|qscheme|int_repr|float[48]_|^bit|"
    r"^u?int[1-7]$|^uint(16|32|64)$|^scaled_(add)?mm|grouped_mm",
    "scripts, symbols, dispatch": r"Sym|sym_|Script|^parse_|^import_ir|^merge_type|^unify|^fork$|"
    r"^wait$|^AVG$|^SUM$|^Tag$|DispatchKey|Aggregation|PRIVATE|^USE_|^map2?_$|^apply_|DataPipe|"
    r"functional_datapipe|runtime_validation|argument_validation|deterministic$|determinism$|"
    r"DataChunk|Selective|GraphExec|SAC_|debug_unwrap|functionalize|init_num|thread_safe|compiled_with",
    "devices, memory, storage": r"^is_(cpu|cuda|ipu|meta|mps|xla|xpu|pinned|shared|storage|set_to)|"
    r"^(cpu|ipu|mtia|xpu|Stream|Event)$|pin_memory|share_memory|storage|record_stream|device|layout|"
    r"^has_|memory_format|_format$|channels_last|strided|jagged|dlpack|mkldnn|from_file|frombuffer|"
    r"data_ptr|resize|^set_$|dim_order|Distributed|DataParallel|SyncBatch|interop|flush_denormal",
    "copies of views": r"_copy$",
    "in place": r"[a-z0-9]_$",
    "three dims": r"3d$",
    "shapes made at the first call": r"^Lazy|^Uninitialized",
    "windows and spectra": r"window$|stft$|fft",
}


def module_of(where: str) -> object | None:
    """tapegraph's module, or class, for one of PyTorch's; None where there is none."""
    thing: object | None = tg
    for part in where.split(".")[1:]:
        thing = getattr(thing, part, None)
    return thing


def is_here(where: str, name: str) -> bool:
    return hasattr(module_of(where), name)


def shared(where: str) -> list[str]:
    return [name for name in NAMES[where] if is_here(where, name)]


def missing(where: str) -> dict[str, list[str]]:
    """By topic, in the order of TOPICS; first what is elsewhere, last what fits none."""
    elsewhere = {
        "here in nn.functional": lambda name: hasattr(tg.nn.functional, name),
        "here in linalg": lambda name: hasattr(tg.linalg, name),
        "here a method of tensors": lambda name: hasattr(tg.Tensor, name),
    }
    moved = elsewhere if where == "torch" else {}
    topics = TOPICS if where in LONG else {}
    found: dict[str, list[str]] = {topic: [] for topic in (*moved, *topics, "others")}
    for name in NAMES[where]:
        if not is_here(where, name):
            fits = [topic for topic, has in moved.items() if has(name)]
            fits += [topic for topic, pattern in topics.items() if re.search(pattern, name)]
            found[fits[0] if fits else "others"].append(name)
    return {topic: names for topic, names in found.items() if names}


def still_missing(names: str) -> list[str]:
    """Of what an Instead names."""
    return [name for name in names.split() if not is_here(*name.rpartition(".")[::2])]


# ---- the page ------------------------------------------------------------------------------------
def row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def code(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def folded(title: str, names: list[str]) -> list[str]:
    """A line that opens when it is clicked."""
    text = textwrap.fill(" ".join(names), 100, break_on_hyphens=False)
    return [f"<details><summary>{title}</summary>", "", "```", text, "```", "", "</details>", ""]


def same() -> list[str]:
    lines = []
    for where, names in NAMES.items():
        both = shared(where)
        if both:
            lines += folded(f"<code>{where}</code>: {len(both)} of {len(names)}", both)
    return lines


def example_of(difference: Difference) -> str:
    errors = [f"{line}  # {kind}" for line, kind in difference.fails.items()]
    # As the formatter has it.
    before = "\n" if difference.example.startswith(("def ", "class ")) else ""
    what = difference.what.replace("`", "")
    return before + "\n".join([f"# {what}", difference.example, *errors])


def differs() -> list[str]:
    lines = ["## What differs", ""]
    lines += [row("what", "here", "PyTorch", "why"), row(*["---"] * 4)]
    lines += [row(d.what, d.here, d.there, d.why) for d in DIFFERENCES]
    lines += ["", "Each in a few lines; an error is named behind the line that raises it.", ""]
    lines += ["```python", "\n\n".join(example_of(d) for d in DIFFERENCES), "```", ""]
    return lines


def instead() -> list[str]:
    lines = ["### What to write instead", ""]
    for entry in INSTEAD:
        names = still_missing(entry.names)
        if names:
            short = list(dict.fromkeys(name.removeprefix("torch.") for name in names))
            lines += [f"{code(short)}: {entry.say}.", "", "```python", entry.example, "```", ""]
    return lines


def lacks() -> list[str]:
    # Not hasattr alone: a module that nobody has imported yet is here too.
    absent = [
        name for name in MODULES if not hasattr(tg, name) and not find_spec(f"tapegraph.{name}")
    ]
    lines = ["## What is missing", ""]
    lines += textwrap.wrap(f"Whole modules: {code(absent)}.", 100) + [""]
    lines += instead()
    lines += ["### Every missing name", ""]
    for where in NAMES:
        topics = missing(where)
        total = sum(len(names) for names in topics.values())
        if total:
            lines += [f"#### `{where}`: {total}", ""]
            for topic, names in topics.items():
                lines += folded(f"{topic}: {len(names)}" if len(topics) > 1 else "names", names)
    return lines


def page() -> str:
    lines = [*same(), *differs(), *lacks()]
    return (HEAD + SAME + "\n".join(lines)).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"wrote {PAGE.relative_to(ROOT)}")
