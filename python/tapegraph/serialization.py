"""save and load: tensors, and whatever holds them, in one safetensors file and without pickle.

A file is 8 bytes, the length of the header as a little-endian number; the header, JSON that gives
each tensor's dtype, shape and place; and the tensors' raw bytes. A plain dict of tensors is just
that, and every reader of safetensors can read it. Anything else has its structure beside them, as
JSON in the header's metadata. [https://github.com/huggingface/safetensors]
"""

from __future__ import annotations

import json
import math
import os
import stat
import zlib
from collections.abc import Mapping
from typing import IO, Any, NamedTuple, NoReturn, Union

import numpy as np

from . import _C
from ._C import Tensor

FilePath = Union[str, "os.PathLike[str]"]

_DTYPES = {
    "F32": (_C.float32, np.dtype("<f4")),
    "F64": (_C.float64, np.dtype("<f8")),
    "I64": (_C.int64, np.dtype("<i8")),
    "I32": (_C.int32, np.dtype("<i4")),
    "I8": (_C.int8, np.dtype("i1")),
    "U8": (_C.uint8, np.dtype("u1")),
    "BOOL": (_C.bool, np.dtype("?")),
}
_LONGEST_HEADER = 100_000_000  # as other readers have it
_DEEPEST = 64  # containers in containers
_MOST_DIMS = 8
_META = "__metadata__"
_STRUCTURE = "tapegraph.structure"
_CHECKSUM = "tapegraph.crc32"


class _Entry(NamedTuple):
    """What the header says of one tensor: bytes [begin, end) after the header."""

    code: str
    shape: tuple[int, ...]
    begin: int
    end: int


# ---- save ---------------------------------------------------------------------------------------


def save(obj: Any, path: FilePath) -> None:
    """Writes obj to path: a dict of tensors, or dicts, lists and tuples of tensors, numbers,
    strings, bools and None, up to 64 deep.

        tg.save(model.state_dict(), "weights.safetensors")
        tg.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(),
                 "generator": generator.get_state(), "step": 10}, "checkpoint.safetensors")

    A dict of tensors by name is plain safetensors. In all else a tensor that is there several
    times is written once. Tensors are float32, float64, int64, int32, int8, uint8 or bool, of any
    shape, from any device. Gradients, and whether one is required, are not saved.

    What was at path stays whole until the new file is: it is written beside it, forced to the
    disk, and renamed; a crash leaves the old file or the new one, and at worst a file
    .tapegraph-*.tmp, which can be deleted. Raises TypeError or ValueError, with the place in obj,
    for what cannot be saved; then nothing is written.
    """
    tensors, structure = _taken_apart(obj)
    arrays = {name: _bytes_of(tensor, name) for name, tensor in tensors.items()}
    # Large elements first, so that all begin at a multiple of their size.
    order = sorted(arrays, key=lambda name: -arrays[name][1].dtype.itemsize)
    places, end = {}, 0
    for name in order:
        begin, end = end, end + arrays[name][1].nbytes
        places[name] = (begin, end)
    entries = {
        name: _Entry(code, array.shape, *places[name]) for name, (code, array) in arrays.items()
    }
    checksum = _checksum(structure, entries)
    for name in sorted(arrays):
        checksum = zlib.crc32(arrays[name][1].reshape(-1).view(np.uint8), checksum)
    meta = {_CHECKSUM: f"{checksum:08x}"}
    if structure is not None:
        meta[_STRUCTURE] = structure
    header = {_META: meta} | {
        name: {"dtype": e.code, "shape": e.shape, "data_offsets": (e.begin, e.end)}
        for name, e in entries.items()
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":"))
    try:
        head = text.encode()
    except UnicodeEncodeError as error:
        bad = error.object[error.start]
        raise ValueError(f"save: {bad!r} in a name or string is no character") from None
    head += b" " * (-len(head) % 8)
    if len(head) > _LONGEST_HEADER:
        raise ValueError(
            f"save: the header takes {len(head):,} bytes, and readers take {_LONGEST_HEADER:,}"
        )
    with _Replacing(path) as file:
        file.write(len(head).to_bytes(8, "little"))
        file.write(head)
        for name in order:
            file.write(arrays[name][1].reshape(-1).view(np.uint8))


def _bytes_of(tensor: Tensor, name: str) -> tuple[str, np.ndarray]:
    """The dtype's name in the file, and the values in a row, little-endian."""
    if tensor.is_symbolic:
        raise ValueError(f"save: {name} is symbolic: it has no value until its graph runs")
    for code, (dtype, little) in _DTYPES.items():
        if tensor.dtype == dtype:
            array = tensor.detach().cpu().numpy()
            return code, np.ascontiguousarray(array, little).reshape(array.shape)
    raise TypeError(f"save: {name} is of {tensor.dtype}, which cannot be saved")


def _taken_apart(obj: Any) -> tuple[dict[str, Tensor], str | None]:
    """The tensors by name, and the structure that holds them; None for a dict of tensors."""
    if isinstance(obj, Mapping) and all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in obj.items()
    ):
        if _META in obj:
            raise ValueError(f"save: no tensor can have the name {_META}")
        return dict(obj), None
    tensors: dict[str, Tensor] = {}
    names: dict[int, str] = {}
    tree = _encoded(obj, "", 0, tensors, names)
    return tensors, json.dumps(tree, separators=(",", ":"), allow_nan=False)


def _encoded(
    value: Any, at: str, depth: int, tensors: dict[str, Tensor], names: dict[int, str]
) -> Any:
    """JSON of one value: null, true, numbers, strings and lists stand for themselves, and what JSON
    lacks is an object with one key that says what it is."""
    if depth > _DEEPEST:
        raise ValueError(
            f"save: {at[:60]}... is more than {_DEEPEST} containers deep; does one hold itself?"
        )
    if isinstance(value, Tensor):
        if id(value) not in names:
            name = at or "tensor"
            while name in tensors or name == _META:  # the path "a.b" of {"a.b": x, "a": {"b": y}}
                name += "'"
            names[id(value)], tensors[name] = name, value
        return {"tensor": names[id(value)]}
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, Mapping):
        pairs = []
        for key, item in value.items():
            if key is not None and type(key) not in (bool, int, float, str):
                raise TypeError(
                    f"save: {at or 'the dict'} has a key of type {type(key).__name__}; keys are "
                    f"strings, numbers, bools or None"
                )
            below = f"{at}.{key}" if at else str(key)
            saved = _encoded(key, below, depth + 1, tensors, names)
            pairs.append([saved, _encoded(item, below, depth + 1, tensors, names)])
        return {"dict": pairs}
    if isinstance(value, (list, tuple)):
        items = [
            _encoded(item, f"{at}.{i}" if at else str(i), depth + 1, tensors, names)
            for i, item in enumerate(value)
        ]
        return items if isinstance(value, list) else {"tuple": items}
    hint = ""
    if hasattr(value, "state_dict"):
        hint = "; save its state_dict()"
    elif hasattr(value, "get_state"):
        hint = "; save its get_state()"
    elif isinstance(value, np.ndarray):
        hint = "; tg.tensor makes a tensor of it"
    raise TypeError(f"save: {at or 'it'} is a {type(value).__name__}, which cannot be saved{hint}")


class _Replacing:
    """`with _Replacing(path) as file`: what is written is at path if the block ends well, all at
    once and on the disk; if not, path is as it was."""

    def __init__(self, path: FilePath) -> None:
        self.path = os.path.realpath(os.fsdecode(path))  # a link stays a link
        self.folder = os.path.dirname(self.path)
        self.beside = os.path.join(self.folder, f".tapegraph-{os.urandom(8).hex()}.tmp")

    def __enter__(self) -> IO[bytes]:
        if os.path.isdir(self.path):
            raise IsADirectoryError(f"save: {self.path} is a folder")
        try:
            self.file = open(self.beside, "xb")
        except FileNotFoundError:
            text = f"save: there is no folder {self.folder}"
            raise FileNotFoundError(text) from None
        if os.path.exists(self.path):
            os.chmod(self.beside, stat.S_IMODE(os.stat(self.path).st_mode))
        return self.file

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            with self.file:
                if kind is None:
                    self.file.flush()
                    os.fsync(self.file.fileno())
            if kind is None:
                os.replace(self.beside, self.path)
        finally:
            if os.path.lexists(self.beside):
                os.unlink(self.beside)
        if kind is None and os.name == "posix":  # elsewhere a folder cannot be opened
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)  # without it a crash may take the new name back
            finally:
                os.close(folder)


# ---- load ---------------------------------------------------------------------------------------


def load(path: FilePath, map_location: Any = None) -> Any:
    """What was saved at path: the same structure, with new tensors that require no gradient.

    A safetensors file of another program gives a dict of its tensors by name. The tensors are on
    the CPU, or on the device map_location. A tensor that was saved in several places is one again.

    Nothing in the file is run, and no more memory is taken than the file has bytes, times a small
    number for the header. Raises ValueError, with the place, for a file that is damaged, truncated
    or made to harm; a file of save() has a checksum, so that no damage goes unseen.
    """
    name = f"load: {os.fsdecode(path)}"
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise FileNotFoundError(f"{name}: there is no such file") from None
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for a writer
        raise ValueError(f"{name}: is no ordinary file")
    try:
        return _loaded(path, map_location, name)
    except RecursionError:  # by brackets in brackets, in the header or the structure
        raise ValueError(f"{name}: is nested too deep") from None


def _loaded(path: FilePath, device: Any, name: str) -> Any:
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        length = _length_of_header(file, size, name)
        meta, entries = _parsed_header(_exactly(file, length, name), name)
        _check_layout(entries, size - 8 - length, name)
        arrays = _read_arrays(file, entries, name)
    structure = meta.get(_STRUCTURE)
    if structure is not None and _CHECKSUM not in meta:
        raise ValueError(f"{name}: is damaged: it has a structure, but no checksum")
    if _CHECKSUM in meta:
        found = _checksum(structure, entries)
        for key in sorted(arrays):
            found = zlib.crc32(arrays[key].reshape(-1).view(np.uint8), found)
        if f"{found:08x}" != meta[_CHECKSUM]:
            raise ValueError(
                f"{name}: is damaged: its checksum is {found:08x}, and {meta[_CHECKSUM]!r} when it "
                f"was saved"
            )
    tensors = {key: _tensor(array, device) for key, array in arrays.items()}
    return tensors if structure is None else _put_together(structure, tensors, name)


def _length_of_header(file: IO[bytes], size: int, name: str) -> int:
    if size < 8:
        raise ValueError(f"{name}: is truncated: it has {size} bytes, and the first 8 are a length")
    length = int.from_bytes(_exactly(file, 8, name), "little")
    if length > _LONGEST_HEADER:
        raise ValueError(
            f"{name}: is no safetensors file: its header would take {length:,} bytes, more than "
            f"{_LONGEST_HEADER:,}"
        )
    if length > size - 8:
        raise ValueError(
            f"{name}: is truncated: the header takes {length:,} bytes, and there are {size - 8:,}"
        )
    return length


def _exactly(file: IO[bytes], count: int, name: str) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise ValueError(f"{name}: is truncated: {count:,} bytes expected, {len(data):,} found")
    return data


def _json(text: str, name: str) -> Any:
    """The value of some JSON in which no name is there twice and every number is one."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            seen: set[str] = set()
            twice = next(key for key, _ in pairs if key in seen or seen.add(key))
            raise ValueError(f"{name}: {twice[:60]!r} is there twice")
        return made

    def no_number(word: str) -> NoReturn:
        raise ValueError(f"{name}: {word} is no number in JSON")

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=no_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"{name}: is no JSON at character {error.pos}: {error.msg}") from None


def _parsed_header(data: bytes, name: str) -> tuple[dict[str, str], dict[str, _Entry]]:
    name = f"{name}: the header"
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is no UTF-8 at byte {8 + error.start}") from None
    header = _json(text, name)
    if not isinstance(header, dict):
        raise ValueError(f"{name} is a {type(header).__name__} and not an object")
    meta = header.pop(_META, {})
    if not isinstance(meta, dict) or not all(isinstance(v, str) for v in meta.values()):
        raise ValueError(f"{name}: {_META} must have strings by name, and nothing else")
    for key in meta:
        if key.startswith("tapegraph.") and key not in (_STRUCTURE, _CHECKSUM):
            raise ValueError(f"{name}: {key[:60]!r} is unknown: of a newer tapegraph, or damaged")
    return meta, {key: _entry(value, f"{name}: {key[:60]!r}") for key, value in header.items()}


def _entry(value: Any, name: str) -> _Entry:
    if not isinstance(value, dict) or value.keys() != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{name} must have a dtype, a shape and data_offsets, and nothing else")
    code, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(code, str) or code not in _DTYPES:
        raise ValueError(
            f"{name}: the dtype is {str(code)[:20]!r}, and must be one of {', '.join(_DTYPES)}"
        )
    if not _are_sizes(shape) or len(shape) > _MOST_DIMS:
        raise ValueError(
            f"{name}: the shape must be up to {_MOST_DIMS} integers from 0 on, and is "
            f"{str(shape)[:60]}"
        )
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise ValueError(
            f"{name}: data_offsets must be a begin and an end, and are {str(offsets)[:60]}"
        )
    begin, end = offsets
    want = math.prod(shape) * _DTYPES[code][1].itemsize
    if want != end - begin:
        raise ValueError(
            f"{name}: {code} of shape {tuple(shape)} takes {want:,} bytes, but data_offsets "
            f"{begin:,} to {end:,} are {end - begin:,}"
        )
    return _Entry(code, tuple(shape), begin, end)


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 2**63 for n in value)


def _check_layout(entries: dict[str, _Entry], size: int, name: str) -> None:
    """Every byte after the header belongs to exactly one tensor."""
    end, before = 0, "the header"
    for key, entry in sorted(entries.items(), key=lambda item: item[1][2:]):
        if entry.begin != end:
            fault = "overlaps" if entry.begin < end else "leaves a gap after"
            raise ValueError(
                f"{name}: {key[:60]!r} {fault} {before}: it begins at byte {entry.begin:,}, and "
                f"{before} ends at {end:,}"
            )
        end, before = entry.end, repr(key[:60])
    if end != size:
        fault = "is truncated" if end > size else "is too long"
        raise ValueError(f"{name}: {fault}: the tensors take {end:,} bytes, and there are {size:,}")


def _read_arrays(file: IO[bytes], entries: dict[str, _Entry], name: str) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = dict.fromkeys(entries)  # type: ignore[arg-type]
    for key, entry in sorted(entries.items(), key=lambda item: item[1][2:]):
        what = f"{name}: {key[:60]!r}"
        flat = np.empty(entry.end - entry.begin, np.uint8)
        if file.readinto(flat) != flat.size:  # type: ignore[attr-defined]
            raise ValueError(f"{what} is truncated")
        if entry.code == "BOOL" and (flat > 1).any():
            at = int((flat > 1).argmax())
            raise ValueError(f"{what}: byte {at} is {flat[at]}, but a bool is 0 or 1")
        try:
            arrays[key] = flat.view(_DTYPES[entry.code][1]).reshape(entry.shape)
        except ValueError as error:  # an empty tensor may have sizes beyond NumPy's
            raise ValueError(f"{what}: the shape {entry.shape} cannot be: {error}") from None
    return arrays


def _tensor(array: np.ndarray, device: Any) -> Tensor:
    tensor = _C.from_numpy(array.astype(array.dtype.newbyteorder("="), copy=False))
    return tensor if device is None else tensor.to(device)


def _checksum(structure: str | None, entries: dict[str, _Entry]) -> int:
    """The CRC-32 of all but the tensors' bytes, which go on from it in the order of their names."""
    facts = [[key, entries[key].code, entries[key].shape] for key in sorted(entries)]
    return zlib.crc32(json.dumps([structure, facts]).encode())


def _put_together(structure: str, tensors: dict[str, Tensor], name: str) -> Any:
    name = f"{name}: the structure"
    return _decoded(_json(structure, name), tensors, 0, name)


def _decoded(node: Any, tensors: dict[str, Tensor], depth: int, name: str) -> Any:
    """The value that _encoded made this JSON of."""
    if depth > _DEEPEST:
        raise ValueError(f"{name} is more than {_DEEPEST} containers deep")
    if isinstance(node, list):
        return [_decoded(item, tensors, depth + 1, name) for item in node]
    if not isinstance(node, dict):
        return node
    kind, value = next(iter(node.items())) if len(node) == 1 else ("", None)
    if kind == "tensor" and isinstance(value, str):
        if value not in tensors:
            raise ValueError(f"{name} names a tensor {value[:60]!r}, which is not there")
        return tensors[value]
    if kind == "float" and value in ("nan", "inf", "-inf"):
        return float(value)
    if kind == "tuple" and isinstance(value, list):
        return tuple(_decoded(item, tensors, depth + 1, name) for item in value)
    if kind == "dict" and isinstance(value, list):
        made = {}
        for pair in value:
            if not isinstance(pair, list) or len(pair) != 2:
                raise ValueError(f"{name}: {str(pair)[:60]} is no key and value")
            key = _decoded(pair[0], tensors, depth + 1, name)
            if isinstance(key, (Tensor, list, dict, tuple)):
                raise ValueError(f"{name}: {str(pair[0])[:60]} is no key")
            if key in made:
                raise ValueError(f"{name}: the key {str(key)[:60]!r} is there twice")
            made[key] = _decoded(pair[1], tensors, depth + 1, name)
        return made
    raise ValueError(f"{name}: {str(node)[:60]} stands for nothing")
