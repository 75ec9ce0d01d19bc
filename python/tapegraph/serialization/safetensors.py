"""The bytes of a safetensors file: its header, written and checked, and its tensors."""

from __future__ import annotations

import json
import math
import zlib
from typing import IO, Any, NamedTuple, NoReturn

import numpy as np

from .. import _C
from .._C import Tensor
from ..plain_arrays import values_of

_DTYPES = {
    "F32": (_C.float32, np.dtype("<f4")),
    "F64": (_C.float64, np.dtype("<f8")),
    "F16": (_C.float16, np.dtype("<f2")),
    "BF16": (_C.bfloat16, np.dtype("<u2")),  # its bits: NumPy has no bfloat16
    "I64": (_C.int64, np.dtype("<i8")),
    "I32": (_C.int32, np.dtype("<i4")),
    "I16": (_C.int16, np.dtype("<i2")),
    "I8": (_C.int8, np.dtype("i1")),
    "U8": (_C.uint8, np.dtype("u1")),
    "BOOL": (_C.bool, np.dtype("?")),
}
_LONGEST_HEADER = 100_000_000  # as other readers have it
_MOST_DIMS = 8
META = "__metadata__"
STRUCTURE = "tapegraph.structure"
CHECKSUM = "tapegraph.crc32"


class Entry(NamedTuple):
    """What the header says of one tensor: bytes [begin, end) after the header."""

    code: str
    shape: tuple[int, ...]
    begin: int
    end: int


# ---- writing ------------------------------------------------------------------------------------


def bytes_of(tensor: Tensor, name: str) -> tuple[str, np.ndarray]:
    """The dtype's name in the file, and the values in a row, little-endian."""
    if tensor.is_symbolic:
        raise ValueError(f"save: {name} is symbolic: it has no value until its graph runs")
    for code, (dtype, little) in _DTYPES.items():
        if tensor.dtype == dtype:
            array = values_of(tensor)
            return code, np.ascontiguousarray(array, little).reshape(array.shape)
    raise TypeError(f"save: {name} is of {tensor.dtype}, which cannot be saved")


def header(meta: dict[str, str], entries: dict[str, Entry]) -> bytes:
    """The JSON, with blanks to a multiple of 8 bytes."""
    tree = {META: meta} | {
        name: {"dtype": e.code, "shape": e.shape, "data_offsets": (e.begin, e.end)}
        for name, e in entries.items()
    }
    text = json.dumps(tree, ensure_ascii=False, separators=(",", ":"))
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
    return head


def checksum(
    structure: str | None, entries: dict[str, Entry], arrays: dict[str, np.ndarray]
) -> str:
    """The CRC-32, in hex, of the structure and all tensors, in the order of their names."""
    names = sorted(entries)
    facts = [[name, entries[name].code, entries[name].shape] for name in names]
    found = zlib.crc32(json.dumps([structure, facts]).encode())
    for name in names:
        found = zlib.crc32(arrays[name].reshape(-1).view(np.uint8), found)
    return f"{found:08x}"


# ---- reading ------------------------------------------------------------------------------------


def length_of_header(file: IO[bytes], size: int, name: str) -> int:
    if size < 8:
        raise ValueError(f"{name}: is truncated: it has {size} bytes, and the first 8 are a length")
    length = int.from_bytes(exactly(file, 8, name), "little")
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


def exactly(file: IO[bytes], count: int, name: str) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise ValueError(f"{name}: is truncated: {count:,} bytes expected, {len(data):,} found")
    return data


def strict_json(text: str, name: str) -> Any:
    """The value of some JSON in which no name is there twice and every number is one."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            seen: set[str] = set()
            twice = next(key for key, _ in pairs if key in seen or seen.add(key))
            raise ValueError(f"{name}: {twice[:60]!r} is there twice")
        return made

    def whole(digits: str) -> int:
        if len(digits) > 4000:  # Python refuses these itself, but not by the name of the file
            raise ValueError(f"{name}: a number of {len(digits):,} digits is too long")
        return int(digits)

    def no_number(word: str) -> NoReturn:
        raise ValueError(f"{name}: {word} is no number in JSON")

    try:
        return json.loads(text, object_pairs_hook=once, parse_int=whole, parse_constant=no_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"{name}: is no JSON at character {error.pos}: {error.msg}") from None


def parsed_header(data: bytes, name: str) -> tuple[dict[str, str], dict[str, Entry]]:
    name = f"{name}: the header"
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is no UTF-8 at byte {8 + error.start}") from None
    header = strict_json(text, name)
    if not isinstance(header, dict):
        raise ValueError(f"{name} is a {type(header).__name__} and not an object")
    meta = header.pop(META, {})
    if not isinstance(meta, dict) or not all(isinstance(v, str) for v in meta.values()):
        raise ValueError(f"{name}: {META} must have strings by name, and nothing else")
    for key in meta:
        if key.startswith("tapegraph.") and key not in (STRUCTURE, CHECKSUM):
            raise ValueError(f"{name}: {key[:60]!r} is unknown: of a newer tapegraph, or damaged")
    return meta, {key: _entry(value, f"{name}: {key[:60]!r}") for key, value in header.items()}


def _entry(value: Any, name: str) -> Entry:
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
    return Entry(code, tuple(shape), begin, end)


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 2**63 for n in value)


def check_layout(entries: dict[str, Entry], size: int, name: str) -> None:
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


def read_arrays(file: IO[bytes], entries: dict[str, Entry], name: str) -> dict[str, np.ndarray]:
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
