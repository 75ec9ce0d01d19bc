"""A project outside the tree builds against tapegraph, by find_package and by add_subdirectory."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "release"


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build_and_run(project, *options):
    """Copies the consumer out of the tree, builds it with these options; what it printed."""
    shutil.copytree(ROOT / "tests" / "consumer", project)
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    flags = ["-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG"]
    run("cmake", "-S", project, "-B", project / "build", *generator, *flags, *options)
    run("cmake", "--build", project / "build", "--target", "consumer", "--parallel", "2")
    return run(project / "build" / "consumer")


def test_find_package_builds_against_the_installed_library(tmp_path):
    prefix = tmp_path / "prefix"
    run("cmake", "--install", BUILD, "--prefix", prefix)
    assert (prefix / "include" / "tapegraph" / "tapegraph.h").is_file()
    assert not list(prefix.rglob("*.cc")), "only headers are installed"
    out = build_and_run(tmp_path / "consumer", f"-DCMAKE_PREFIX_PATH={prefix}")
    assert out == "dw = 6\n"


def test_add_subdirectory_builds_the_library_itself(tmp_path):
    # The flags that decide ccache's hit are those of the release preset: this build is then quick.
    options = [f"-DTAPEGRAPH_SOURCE={ROOT}", "-DTAPEGRAPH_WERROR=ON"]
    if shutil.which("ccache"):
        options.append("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
    project = tmp_path / "consumer"
    assert build_and_run(project, *options) == "dw = 6\n"
    built = {f.name for f in (project / "build").rglob("*")}
    assert "tapegraph_tests" not in built, "a project that only links it builds none of our tests"
