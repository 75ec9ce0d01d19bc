"""`pip install .` from a clone: what it installs, how big it is, and what importing it pulls in."""

import ast
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CLEAN = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PIP_NO_INDEX")}


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """The Python of a new venv into which the clone was installed by pip, without a network.

    NumPy and the build's own tools come from the venv that runs this test."""
    folder = tmp_path_factory.mktemp("fresh")
    run(sys.executable, "-m", "venv", folder)
    python = folder / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "outer.pth").write_text(sysconfig.get_path("purelib") + "\n")
    offline = ("--no-index", "--no-build-isolation", "--no-cache-dir")
    compiler = {"CXX": os.environ.get("CXX", "c++")}  # as build/release has it, so ccache knows all
    run(python, "-m", "pip", "install", *offline, ROOT, env={**CLEAN, **compiler})
    return python


@pytest.fixture(scope="module")
def package(fresh, tmp_path_factory):
    """The folder of the installed package."""
    outside = tmp_path_factory.mktemp("outside")
    code = "import tapegraph; print(tapegraph.__path__[0])"
    return Path(run(fresh, "-c", code, cwd=outside, env=CLEAN).strip())


def test_it_installs_the_package_and_nothing_else(package):
    site = package.parent
    assert site != Path(sysconfig.get_path("purelib"))
    ours = {entry.name.split("-")[0] for entry in site.glob("*tapegraph*")}
    assert ours == {"tapegraph"}
    names = {f.relative_to(package).as_posix() for f in package.rglob("*") if f.is_file()}
    assert {"__init__.py", "py.typed", "_C.pyi", "utils/data/loader.py"} <= names
    data = {"README.md", "digits.csv.gz", "names.txt", "shakespeare.txt.gz"}
    assert {f"data/{name}" for name in data} <= names
    strange = {n for n in names if Path(n).suffix in (".h", ".cc", ".a", ".cmake")}
    strange = {n for n in strange if not n.startswith("simt/")}  # cuda.compile_kernel's
    assert not strange


def test_it_is_smaller_than_10_mb(package):
    size = sum(f.stat().st_size for f in package.rglob("*") if f.is_file())
    assert size < 10_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="looks at an ELF file")
def test_the_module_is_stripped(package):
    (module,) = package.glob("_C*.so")
    content = module.read_bytes()
    assert b".debug_info" not in content
    assert b".symtab" not in content


def imported(python, name, folder):
    """The modules that `import name` loads in a new process."""
    code = f"import sys, {name}; print(*sorted(sys.modules))"
    return set(run(python, "-c", code, cwd=folder, env=CLEAN).split())


def test_importing_it_loads_little_beyond_numpy(fresh, tmp_path):
    # A time cannot be asserted; what costs the time can: the modules that NumPy has not loaded yet.
    more = imported(fresh, "tapegraph", tmp_path) - imported(fresh, "numpy", tmp_path)
    others = {name for name in more if name.split(".")[0] != "tapegraph"}
    heavy = {
        "IPython",
        "asyncio",
        "http",
        "importlib.metadata",
        "multiprocessing",
        "tqdm",
        "unittest",
    }
    assert not heavy & others
    assert len(others) < 40, sorted(others)


def test_no_code_is_built_for_this_machine_only():
    build = ROOT / "build" / "release"
    assert "-march=native" not in (build / "compile_commands.json").read_text()


def stub_names(tree):
    """The names that a stub file's top level defines, without its own aliases of types."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets)
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) != "TypeAlias":
            yield node.target.id


def test_the_stubs_name_what_the_module_has(package, fresh, tmp_path):
    stubs = set(stub_names(ast.parse((package / "_C.pyi").read_text(encoding="utf-8"))))
    code = "import tapegraph._C as m; print(*(n for n in vars(m) if not n.startswith('__')))"
    names = set(run(fresh, "-c", code, cwd=tmp_path, env=CLEAN).split())
    public = {name for name in names if not name.startswith("_")}
    assert public <= stubs, f"_C.pyi lacks {sorted(public - stubs)}"
