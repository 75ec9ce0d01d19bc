"""The layers: kernels <- core <- graph <- python. Whoever includes upwards fails here."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {".h", ".cc", ".cu", ".cuh"}
ALL = ("kernels", "core", "graph", "python")
KNOWS = {
    "kernels": ("kernels",),
    "core": ("kernels", "core"),
    "graph": ("kernels", "core", "graph"),
    "python": (*ALL, "tapegraph.h"),
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def includes_of_ours(file: Path):
    """The included paths that lie in this repository, from its root."""
    for bracket, path in INCLUDE.findall(file.read_text(encoding="utf-8")):
        for found in (file.parent / path, ROOT / path):
            if bracket == '"' and found.is_file():
                yield found.resolve().relative_to(ROOT).as_posix()
                break
        else:
            if bracket == '"' or path.split("/")[0] in (*ALL, "tests", "tutorials", "tapegraph.h"):
                yield path


def misplaced(includes, allowed):
    return [path for path in includes if path.split("/")[0] not in allowed]


@pytest.mark.parametrize("folder", ALL)
def test_a_folder_includes_only_what_its_layer_knows(folder):
    files = [f for f in sorted((ROOT / folder).rglob("*")) if f.suffix in SOURCES]
    assert files, f"no sources in {folder}/"
    wrong = {
        file.relative_to(ROOT).as_posix(): bad
        for file in files
        if (bad := misplaced(includes_of_ours(file), KNOWS[folder]))
    }
    assert not wrong


def test_the_one_header_includes_only_the_library():
    assert not misplaced(includes_of_ours(ROOT / "tapegraph.h"), KNOWS["graph"])


def test_an_include_upwards_is_seen(tmp_path):
    file = tmp_path / "low.cc"
    file.write_text('#include <vector>\n#include "core/op.h"\n# include <tapegraph.h>\n')
    assert misplaced(includes_of_ours(file), KNOWS["kernels"]) == ["core/op.h", "tapegraph.h"]
