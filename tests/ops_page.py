"""Writes tutorials/OPS.md: every op, as its record and the comments at its parts say it.

    ./dev python tests/ops_page.py

Read are the records in core/ops/*.cc, the line `x -> y` above each shape rule, the line
`y = ...  =>  dx = ...` above each gradient rule, the declarations in the headers that core/ops.h
names, and what the bindings and nn/functional.py have beside those. tests/test_ops_page.py holds
the page to these, and tests/core/ops/page_test.cc to the records that the compiler has seen.
"""

from __future__ import annotations

import ast
import copy
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "tutorials" / "OPS.md"
OPS = ROOT / "core" / "ops"
PYTHON = ROOT / "python" / "tapegraph"

HEAD = """\
# Every op

Written from the sources by `./dev python tests/ops_page.py`; a test fails when they say otherwise.

First come the [records](../core/op.h): what runs, on the tape and as a line of a program. Then
[what users call](#what-users-call), which applies one record or several.

- **in**: how many inputs; `n` is any number.
- **attributes**: what is given beside the inputs.
- **dtypes**: *kept*: each input keeps its own. *promoted*: all meet in PyTorch's common dtype;
  {promotion}. *floats*: integers become the default floating dtype besides. *not bool*, *not
  floats*: an error there.
- **runs**: *cpu*, *cuda*: it has a kernel there; without one for cuda the cpu's runs, and stderr
  says so once. *view*: it shares its input's bytes where the layout allows. *alias*: it moves none.
- **shapes**: inputs -> outputs. Letters are sizes, `...` is any dims. The dtype stays unless one is
  named.
- **gradient**: g is the loss's gradient by y; *none*: gradients stop here.
"""


# ---- the sources ---------------------------------------------------------------------------------
def comment_above(text: str, start: int) -> str:
    """The // lines that end where `start` is, as one line."""
    lines = []
    for line in reversed(text[:start].splitlines()):
        if not line.startswith("//") or line.startswith("// ----"):
            break
        lines.append(line[2:].strip())
    return " ".join(reversed(lines))


def comment_of(function: str, text: str) -> str:
    """What stands above the function in its own file, or in family.h."""
    for source in (text, (OPS / "family.h").read_text()):
        found = re.search(rf"^(?:void|bool|Descs) {function}\(", source, re.MULTILINE)
        if found:
            return comment_above(source, found.start())
    return ""


def formula_facts() -> dict[str, dict[str, object]]:
    """What each formula of kernels/math.h and its parts says of itself, bases included."""
    facts: dict[str, dict[str, object]] = {}
    for name in ("formula.h", "math.h", "division.h", "trigonometry.h", "gamma.h"):
        text = (ROOT / "kernels" / name).read_text()
        for struct in re.finditer(
            r"^struct (\w+)(?: : (\w+))? \{.*?\n(.*?)^\};", text, re.MULTILINE | re.DOTALL
        ):
            own = dict(facts.get(struct[2] or "", {}))
            for constant in re.finditer(r"static constexpr [\w ]+?\*? (\w+ = [^;]*);", struct[3]):
                own.update(re.findall(r"(\w+) = (\w+|\"\w+\")", constant[1]))
            facts[struct[1]] = own
    return facts


@dataclass
class Record:
    """One op: what the page says of it."""

    name: str
    inputs: str
    attributes: list[str]
    dtypes: str
    runs: str
    shapes: str
    gradient: str  # the comment above the rule; empty where there is no rule
    differentiable: bool


PROMOTES = {"nothing": "kept", "common": "promoted", "floating": "floats", "not_first": "promoted"}


def elementwise(formula: dict[str, object], rule: str, text: str) -> Record:
    yes = {key for key, value in formula.items() if value == "true"}
    dtypes = "floats" if "floats_only" in yes else "promoted"
    if "whole_only" in yes:
        dtypes += ", not floats"
    elif "floats_only" not in yes and "bools" not in yes:
        dtypes += ", not bool"
    return Record(
        name=str(formula["name"]).strip('"'),
        inputs=str(formula["inputs"]),
        attributes=[],
        dtypes=dtypes + (" but the first" if "selects" in yes else ""),
        runs="cpu, cuda",
        shapes=comment_of("compare_shape" if "compares" in yes else "broadcast_shape", text),
        gradient=comment_of(rule, text) if rule else "",
        differentiable=bool(rule),
    )


def attributes_of(body: str, text: str) -> list[str]:
    """The names in a record's schema; a schema may stand before the records, under a name."""
    found = re.search(r"\.attributes = \{(.*?)\}\s*(?:,\s*\.|$)", body, re.DOTALL)
    names = []
    for word in re.finditer(
        r"\"(\w+)\"|(\w+)\[(\d)\]|\b([a-z]\w*)\b(?!::)", found[1] if found else ""
    ):
        if word[1]:
            names.append(word[1])
        elif word[2]:
            table = re.search(rf"AttrSchema {word[2]}\[\] = (.*?);", text, re.DOTALL)
            assert table, word[2]
            names.append(re.findall(r"\"(\w+)\"", table[1])[int(word[3])])
        elif re.search(rf"\b{word[4]}\{{\"{word[4]}\", AttrKind", text):
            names.append(word[4])
    return names


def written_out(body: str, text: str, declared: dict[str, str]) -> Record:
    parts = dict(re.findall(r"\.(\w+) = ([\w:\"-]+)", body))
    name = parts["name"].strip('"')
    runs = [where for where in ("cpu", "cuda") if where in parts]
    if parts.get("alias") == "true":
        runs = ["view" if "view" in parts else "alias"]
    if parts.get("random") == "true":
        runs.append("random")
    rule = parts.get("shape") or parts.get("view") or ""
    return Record(
        name=name,
        inputs=parts.get("inputs", "n"),
        attributes=attributes_of(body, text),
        dtypes=PROMOTES[parts.get("promotes", "Promotes::nothing").split("::")[1]],
        runs=", ".join(runs),
        shapes=declared.get(name) or comment_of(rule, text),
        gradient=comment_of(parts["gradient"], text) if "gradient" in parts else "",
        differentiable="gradient" in parts,
    )


def records() -> dict[str, list[Record]]:
    """By file, in the order of all_ops()."""
    formulas = formula_facts()
    structural = (OPS / "structural.h").read_text()
    declared = dict(re.findall(r"extern const Op (\w+);\s+// (.*)", structural))
    found: dict[str, tuple[str, Record]] = {}
    files = sorted(OPS.glob("*.cc"))
    for path in files:
        text = path.read_text()
        for op in re.finditer(
            r"^const Op (\w+) =\s+(?:elementwise<formula::(\w+)>\((\w*)[^;]*\)|\{(.*?)\});$",
            text,
            re.MULTILINE | re.DOTALL,
        ):
            made = (
                elementwise(formulas[op[2]], op[3], text)
                if op[2]
                else written_out(op[4], text, declared)
            )
            found[op[1]] = (path.name, made)
    pages: dict[str, list[Record]] = {}
    everything = re.search(r"family :\s+\{(.*?)\}\)", (OPS / "family.cc").read_text(), re.DOTALL)
    assert everything
    sources = "".join(path.read_text() for path in files)
    for family in re.findall(r"(\w+_ops)\(\)", everything[1]):
        body = re.search(rf"\b{family}\(\) \{{(.*?)^\}}", sources, re.MULTILINE | re.DOTALL)
        assert body, family
        for name in re.findall(r"&ops::(\w+)", body[1]):
            file, record = found[name]
            pages.setdefault(file, []).append(record)
    return pages


# ---- what users call -----------------------------------------------------------------------------
@dataclass
class Call:
    """A function of core/ops.h, and the functions and records that it applies."""

    name: str
    signature: str
    says: str
    uses: list[str]


@dataclass
class Section:
    """A part of core/ops.h, and the files that hold it."""

    title: str
    files: list[str]
    says: str
    calls: list[Call]


def split_arguments(text: str) -> list[str]:
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "(<{") - (letter in ")>}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def signature_of(result: str, name: str, arguments: str) -> str:
    short = []
    for argument in split_arguments(arguments):
        if argument.startswith("Where "):
            continue
        named = re.search(r"\b(\w+)(?:\)\(.*\))?( = .*)?$", argument)
        assert named, argument
        short.append(named[1] + (named[2] or ""))
    tail = "" if result in ("Tensor", "Tensor&") else f" -> {result}"
    return f"{name}({', '.join(short)}){tail}"


def bodies() -> dict[str, dict[str, str]]:
    """By file, the text of each function; of several with one name, all of it."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(OPS.glob("*.cc")):
        here = found.setdefault(path.name, {})
        for function in re.finditer(
            r"^(?!const Op|struct|namespace)[A-Za-z][^\n;=]*?\b(\w+)\([^;{]*?\) "
            r"(?:\{[^\n]*\}|\{\n.*?^\})$",
            path.read_text(),
            re.MULTILINE | re.DOTALL,
        ):
            here[function[1]] = here.get(function[1], "") + function[0].split("{", 1)[1]
    return found


def uses_of(call: str, here: dict[str, str], public: set[str], ops: set[str]) -> list[str]:
    """What a function applies, by way of the functions of its own file that are not public."""
    uses: list[str] = []
    called = public | {"detach"}  # x.detach() is one without a function
    waiting, seen = [call], {call}
    while waiting:
        body = re.sub(r"find_op\(\"(\w+)\"\)", r"ops::\1", here[waiting.pop(0)])
        body = re.sub(r"\"(?:\\.|[^\"\\])*\"|//.*", "", body)
        for word in re.finditer(r"ops::(\w+)|(?<![\w:>])(\w+)(?=[(,)])", body):
            name = word[1] or word[2]
            if word[1]:
                uses += [name] * (name in ops)
            elif name in called and name != call and body[word.end()] == "(":
                uses.append(name)
            elif name in here and name not in seen and name not in public:
                seen.add(name)
                waiting.append(name)
    return sorted(set(uses))


DECLARATION = (  # comment above, result, name, arguments, comment beside
    r"^((?://.*\n)*)(Tensor&?|void|bool|[A-Z]\w+|std::vector<Tensor>) "
    r"(\w+)\(([^;]*?)\);( +// .*)?$"
)


def prose(lines: str) -> str:
    return " ".join(re.sub(r"^ *// ?", "", line) for line in lines.splitlines() if line.strip())


def declarations() -> str:
    """All headers that core/ops.h names, one after the other."""
    names = re.findall(r'^#include "(.*)"$', (ROOT / "core" / "ops.h").read_text(), re.MULTILINE)
    return "\n".join((ROOT / name).read_text() for name in names)


def sections(ops: set[str]) -> list[Section]:
    text = declarations()
    text = re.sub(r"^struct \w+ \{.*?^\};\n", "\n", text, flags=re.MULTILINE | re.DOTALL)
    public = {found[3] for found in re.finditer(DECLARATION, text, re.MULTILINE)}
    functions = bodies()
    parts = re.split(r"^// ---- (.*?): core/ops/(.*?) -+$", text, flags=re.MULTILINE)[1:]
    result = []
    for title, names, body in zip(parts[::3], parts[1::3], parts[2::3]):
        files = names.split(", ")
        lead = re.match(r"\n+((?://.*\n)*)", body)
        calls = []
        for found in re.finditer(DECLARATION, body[lead.end() if lead else 0 :], re.MULTILINE):
            file = next(f for f in [*files, *functions] if found[3] in functions[f])
            calls.append(
                Call(
                    found[3],
                    signature_of(found[2], found[3], " ".join(found[4].split())),
                    " ".join(p for p in (prose(found[1]), prose(found[5] or "")) if p),
                    uses_of(found[3], functions[file], public, ops),
                )
            )
        result.append(Section(title, files, prose(lead[1]) if lead else "", calls))
    return result


# ---- what only Python has ------------------------------------------------------------------------
LITERALS = r'((?:"(?:\\.|[^"\\])*"\s*)+)'


def exported(source: str) -> list[str]:
    """The names in a module's __all__."""
    for part in ast.parse(source).body:
        if isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == "__all__":
            return list(ast.literal_eval(part.value))
    raise ValueError("no __all__")


def joined(literals: str) -> str:
    return "".join(re.findall(r'"((?:\\.|[^"\\])*)"', literals))


def first_sentence(text: str) -> str:
    plain = text.replace('\\"', '"').replace("\\n", " ")
    return re.split(r"(?<=[.]) (?=[A-Z])", " ".join(plain.split()))[0]


def bound(known: set[str]) -> list[tuple[str, str]]:
    """Signature and first line of the functions of `tg` that C++ has not, or by another name."""
    other = {"bool", "cuda", "double", "float", "int", "long"}  # there a dtype or a module
    names = set(exported((PYTHON / "__init__.py").read_text())) - known - other
    found = {}
    for path in sorted((ROOT / "python").glob("*.cc")):
        for given, says in re.findall(rf"\{{{LITERALS},[^\"]*?{LITERALS}", path.read_text()):
            name, arguments = joined(given).partition("(")[::2]
            if name in names and arguments:
                found[name] = (f"{name}({arguments}", first_sentence(joined(says)))
    return [found[name] for name in sorted(found)]


def functional(known: set[str]) -> list[tuple[str, str]]:
    """The same of nn.functional."""
    nn = PYTHON / "nn"
    names = set(exported((nn / "functional.py").read_text())) - known
    text = "\n".join(path.read_text() for path in sorted(nn.glob("functional*.py")))
    rows = []
    for part in ast.parse(text.replace("from __future__ import annotations", "")).body:
        if not isinstance(part, ast.FunctionDef) or part.name not in names:
            continue
        without_types = copy.deepcopy(part.args)
        for node in ast.walk(without_types):
            if isinstance(node, ast.arg):
                node.annotation = None
        says = (ast.get_docstring(part) or "").split("\n\n")[0]
        rows.append((f"{part.name}({ast.unparse(without_types)})", " ".join(says.split())))
    return sorted(rows)


def only_python(known: set[str]) -> list[str]:
    lines = ["## What only Python has", ""]
    lines += ["In C++ layers, options and methods say the same.", ""]
    for title, rows in (("tg", bound(known)), ("tg.nn.functional", functional(known))):
        lines += [f"### {title}", "", row("call", "what it says"), row("---", "---")]
        lines += [row(f"`{signature}`", plain(says)) for signature, says in rows]
        lines.append("")
    aliases = re.findall(r"^(\w+) = _C\.(\w+)$", (PYTHON / "_aliases.py").read_text(), re.M)
    lines += ["### Second names", "", row("name", "is"), row("---", "---")]
    return lines + [row(f"`{name}`", f"`{op}`") for name, op in aliases] + [""]


# ---- the page ------------------------------------------------------------------------------------
def plain(text: str) -> str:
    """As Markdown that shows just these letters in a table."""
    return re.sub(r"([*|_\[\]`])", r"\\\1", text.replace("<", "&lt;"))


def row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def link(file: str) -> str:
    return f"[{file}](../core/ops/{file})"


def page() -> str:
    families = records()
    source = (ROOT / "core" / "dtype.cc").read_text()
    promotion = re.search(r"(// The larger of the two(?:.|\n//)*?float32)\.", source)
    assert promotion
    lines = [HEAD.replace("{promotion}", prose(promotion[1]).lower()), "## Records", ""]
    for file, ops in families.items():
        lines += [f"### {link(file)}", ""]
        lines += [row("op", "in", "attributes", "dtypes", "runs", "shapes", "gradient")]
        lines += [row(*["---"] * 7)]
        for op in ops:
            gradient = plain(op.gradient) if op.differentiable else "none"
            facts = [f"`{op.name}`", op.inputs, ", ".join(op.attributes), op.dtypes, op.runs]
            lines.append(row(*facts, plain(op.shapes), gradient))
        lines.append("")
    lines += ["## What users call", ""]
    lines += [
        "As the headers of [core/ops.h](../core/ops.h) declare it, without argument types. Under",
        "*applies* stands all that functions of that name may apply, and their gradients are its",
        "gradient.",
        "",
    ]
    names = {op.name for ops in families.values() for op in ops}
    for section in sections(names):
        where = ", ".join(link(file) for file in section.files)
        lines += [f"### {section.title[0].upper()}{section.title[1:]}: {where}", ""]
        lines += [plain(section.says), ""] if section.says else []
        lines += [row("call", "what it says", "applies"), row(*["---"] * 3)]
        for call in section.calls:
            uses = ", ".join(f"`{name}`" for name in call.uses)
            lines.append(row(f"`{call.signature}`", plain(call.says), uses))
        lines.append("")
    known = names | {call.name for section in sections(names) for call in section.calls}
    lines += only_python(known)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"wrote {PAGE.relative_to(ROOT)}")
